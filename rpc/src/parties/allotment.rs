//! `allotment_*`: which numbers belong to whom (赋码).

use crate::{
    bill::key,
    context::Context,
    error::{Answer, chain},
    method::{Args, cut, show},
};
use billchain_primitives::{BillCode, Did};
use billchain_rpc_types::{HoldingView, NumberOwnerView, NumberRangeView, NumberSpanView, Page};
use billchain_runtime::Allotment;
use pallet_allotment::{Holding, Range, Span, number_of};

/// What an issuer has, by code, paged; the cursor is a code.
pub(super) fn by_issuer(context: &Context, args: &Args) -> Answer<Page<HoldingView>> {
    let issuer: Did = args.parsed(0, "issuer")?;
    let after: Option<BillCode> = args.optional(1, "cursor")?;
    let limit = args.limit(2)?;
    let read = || Allotment::holdings(&issuer, after.as_ref(), limit + 1);
    let found = context.deps.chain.read(read).map_err(chain)?;
    let page = cut(found, limit, |(code, _)| code.to_string());
    show(page, |entry| Ok(holding(entry)))
}

/// Whose a number is; `null` if nobody has it.
pub(super) fn of_number(context: &Context, args: &Args) -> Answer<Option<NumberOwnerView>> {
    let key = key(args, 0)?;
    let read = || Allotment::owner(&key.code, &key.number);
    let found = context.deps.chain.read(read).map_err(chain)?;
    Ok(found.map(|(issuer, found)| NumberOwnerView { issuer, range: range(&found) }))
}

fn holding((code, holding): (BillCode, Holding)) -> HoldingView {
    HoldingView { code, ranges: holding.0.iter().map(range).collect() }
}

fn range(range: &Range) -> NumberRangeView {
    let NumberSpanView { first, last } = span(&range.span);
    NumberRangeView {
        first,
        last,
        used: range.used,
        highest: range.highest.map(number_of),
        voided: range.voided.iter().map(span).collect(),
        unused: range.unused(),
        missing: range.missing(),
    }
}

fn span(span: &Span) -> NumberSpanView {
    NumberSpanView { first: number_of(span.first), last: number_of(span.last) }
}

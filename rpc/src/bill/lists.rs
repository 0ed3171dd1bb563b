//! `bill_by*`: lists of bills, by issue date, code and number, a page at a time.
//!
//! The lists are the node-local index's, the bills are the head's. A block may
//! come in between, and two payers may share the beginning of their reference,
//! so a bill is shown only if it is what was asked for; a page may therefore
//! hold fewer bills than its limit and still have a next one.

use super::read::bill;
use crate::{
    context::Context,
    error::{Answer, internal, invalid, storage},
    method::{Args, cut, to_hex},
};
use billchain_primitives::{Bill, BillKey, BillStatus, Did, IssueDate, lists};
use billchain_rpc_types::{BillView, Page};
use serde_json::Value;

/// The bills of an issuer (开票方).
pub(super) fn by_issuer(context: &Context, args: &Args) -> Answer<Page<BillView>> {
    let issuer: Did = args.parsed(0, "issuer")?;
    let lists = [lists::by_issuer(&issuer)];
    list(context, args, 1, &lists, |bill| bill.summary.issuer == issuer)
}

/// The bills that a participant (用票方) has locked, or reimbursed in a way
/// that still counts.
pub(super) fn by_holder(context: &Context, args: &Args) -> Answer<Page<BillView>> {
    let holder: Did = args.parsed(0, "holder")?;
    let lists = [lists::by_holder(&holder)];
    list(context, args, 1, &lists, |bill| {
        bill.state.lock.as_ref().is_some_and(|lock| lock.holder == holder)
            || bill.state.reimbursements.iter().any(|paid| paid.payer == holder)
    })
}

/// The bills of a payer (交款人), who is named by a reference in the bills.
pub(super) fn by_payer(context: &Context, args: &Args) -> Answer<Page<BillView>> {
    let payer = args.hash(0, "payer_ref")?.to_fixed_bytes();
    let lists = [lists::by_payer(&payer)];
    list(context, args, 1, &lists, |bill| bill.summary.payer_ref == payer)
}

/// The bills of a status (票据状态).
pub(super) fn by_status(context: &Context, args: &Args) -> Answer<Page<BillView>> {
    let words = "\"pre_issued\", \"normal\", \"locked\", \"partly_reimbursed\", \"reimbursed\", \
                 \"red_reversed\" or \"voided\"";
    let value = args.value(0);
    let status: BillStatus = serde_json::from_value(value.clone())
        .map_err(|_| invalid("status", words, &value.to_string()))?;
    let lists = [lists::by_status(status)];
    list(context, args, 1, &lists, |bill| bill.state.status == status)
}

/// All bills: of a span of issue dates (开票日期), if there is one.
pub(super) fn by_date(context: &Context, args: &Args) -> Answer<Page<BillView>> {
    list(context, args, 0, &BillStatus::ALL.map(lists::by_status), |_| true)
}

/// A page of what is in any of `lists` and is `wanted`. The parameters from
/// `first` on: first and last issue date, cursor, limit.
fn list(
    context: &Context,
    args: &Args,
    first: usize,
    lists: &[Vec<u8>],
    wanted: impl Fn(&Bill) -> bool,
) -> Answer<Page<BillView>> {
    let from = date(args, first, "from")?;
    let to = date(args, first + 1, "to")?;
    let after = cursor(args, first + 2)?;
    let limit = args.limit(first + 3)?;
    let mut places = Vec::new();
    for list in lists {
        // Below every place of the first day, or at the last place seen.
        let start = match (&after, from) {
            (Some(place), _) => Some([list, &place[..]].concat()),
            (None, Some(date)) => Some([list, &lists::start_of(date)[..]].concat()),
            (None, None) => None,
        };
        let store = context.deps.chain.storage();
        let found = store.offchain_prefix(list, start.as_deref(), limit + 1).map_err(storage)?;
        for (entry, _) in found {
            let place = &entry[list.len()..];
            let (date, key) = lists::at(place)
                .ok_or_else(|| internal(format!("index entry {}: no bill's", to_hex(&entry))))?;
            places.push((date, key, place.to_vec()));
        }
    }
    places.retain(|(date, ..)| to.is_none_or(|to| *date <= to));
    places.sort_unstable_by(|(.., a), (.., b)| a.cmp(b));
    // A bill that changed its status in between is in two of the lists.
    places.dedup();
    let page = cut(places, limit, |(.., place)| to_hex(place));
    let mut items = Vec::with_capacity(page.items.len());
    for (_, key, _) in &page.items {
        items.extend(shown(context, key, &wanted)?);
    }
    Ok(Page { items, next: page.next })
}

fn shown(
    context: &Context,
    key: &BillKey,
    wanted: &impl Fn(&Bill) -> bool,
) -> Answer<Option<BillView>> {
    Ok(bill(context, key)?.filter(wanted).map(|bill| BillView::from(&bill)))
}

fn date(args: &Args, index: usize, name: &str) -> Answer<Option<IssueDate>> {
    match args.value(index) {
        Value::Null => Ok(None),
        value => {
            let number = args.number(index, name)?;
            let date = IssueDate::new(number);
            date.map(Some).map_err(|error| invalid(name, error.expected, &value.to_string()))
        }
    }
}

fn cursor(args: &Args, index: usize) -> Answer<Option<Vec<u8>>> {
    let Some(place) = args.optional_bytes(index, "cursor")? else { return Ok(None) };
    match lists::at(&place) {
        Some(_) => Ok(Some(place)),
        None => Err(invalid("cursor", "`next` of the page before, or null", &to_hex(&place))),
    }
}

//! `authorization_*`: grants in plain JSON.

use crate::{
    bill,
    context::Context,
    error::{Answer, chain},
    method::{Args, decode, index_page, show},
};
use billchain_primitives::{Did, GrantId};
use billchain_rpc_types::{
    ConditionView, GrantChangeView, GrantCheckView, GrantRecordView, GrantView, Page,
};
use billchain_runtime::Runtime;
use pallet_authorization::{
    BY_HOLDER, BY_SUBJECT, Change, Condition, Grant, GrantStatus, HistoryRecord, Scope, Terms,
    UseKind, history_prefix, party_prefix,
};

type Contract = pallet_authorization::Pallet<Runtime>;

fn id(args: &Args) -> Answer<GrantId> {
    Ok(GrantId(args.hash(0, "grant")?))
}

/// A grant; `null` if there is none with this id.
pub(super) fn get(context: &Context, args: &Args) -> Answer<Option<GrantView>> {
    grant(context, &id(args)?)
}

/// The grant with this id.
pub(crate) fn grant(context: &Context, id: &GrantId) -> Answer<Option<GrantView>> {
    Ok(context.deps.chain.read(|| Contract::grant(id)).map_err(chain)?.map(view))
}

/// Whether a subject may use a grant for a bill in a scene now; `null` if
/// there is no such bill.
pub(super) fn check(context: &Context, args: &Args) -> Answer<Option<GrantCheckView>> {
    let id = id(args)?;
    let subject: Did = args.parsed(1, "subject")?;
    let key = bill::key(args, 2)?;
    let scene = args.scene(4)?;
    let Some(bill) = bill::bill(context, &key)? else { return Ok(None) };
    let read = || Contract::check(&id, &subject, &bill.summary, scene);
    let problem = context.deps.chain.read(read).map_err(chain)?.err();
    Ok(Some(GrantCheckView { usable: problem.is_none(), problem }))
}

/// The grants that a holder gave.
pub(super) fn by_holder(context: &Context, args: &Args) -> Answer<Page<GrantView>> {
    of_party(context, args, BY_HOLDER, "holder")
}

/// The grants that a subject got.
pub(super) fn by_subject(context: &Context, args: &Args) -> Answer<Page<GrantView>> {
    of_party(context, args, BY_SUBJECT, "subject")
}

/// The grants of a holder or subject in the order of registration, paged.
fn of_party(context: &Context, args: &Args, list: &[u8], name: &str) -> Answer<Page<GrantView>> {
    let party: Did = args.parsed(0, name)?;
    let page = index_page(context, &party_prefix(list, &party), args, 1)?;
    let ids = show(page, |bytes| decode::<GrantId>("grant id", &bytes))?;
    let read = || ids.items.iter().filter_map(Contract::grant).map(view).collect();
    let items = context.deps.chain.read(read).map_err(chain)?;
    Ok(Page { items, next: ids.next })
}

/// The records of a grant, the first first, paged.
pub(super) fn history(context: &Context, args: &Args) -> Answer<Page<GrantRecordView>> {
    let page = index_page(context, &history_prefix(&id(args)?), args, 1)?;
    show(page, |bytes| Ok(record(decode("record", &bytes)?)))
}

fn view(grant: Grant) -> GrantView {
    let id = grant.id();
    let Terms { holder, subject, scope, scene, valid_from, valid_until, .. } = grant.terms;
    let (bills, condition) = match scope {
        Scope::Bills(keys) => (Some(keys.into_iter().map(Into::into).collect()), None),
        Scope::Matching(condition) => (None, Some(condition_view(condition))),
    };
    GrantView {
        grant: id,
        holder,
        subject,
        registrar: grant.registrar,
        bills,
        condition,
        scene,
        valid_from,
        valid_until,
        status: match grant.status {
            GrantStatus::Active => "active",
            GrantStatus::Frozen => "frozen",
            GrantStatus::Revoked => "revoked",
        }
        .to_owned(),
        uses: grant.uses,
        version: grant.version,
        history_hash: grant.history_hash,
        registered: grant.registered.into(),
        updated: grant.updated.into(),
    }
}

fn condition_view(condition: Condition) -> ConditionView {
    let Condition { payer_ref, issuer, issued_from, issued_until, max_total, bill_scene } =
        condition;
    let max_total_fen = max_total;
    ConditionView { payer_ref, issuer, issued_from, issued_until, max_total_fen, bill_scene }
}

fn record(record: HistoryRecord) -> GrantRecordView {
    GrantRecordView {
        version: record.version,
        at: record.stamp.into(),
        operator: record.operator,
        change: match record.change {
            Change::Registered(_) => GrantChangeView::Registered,
            Change::Frozen { reason } => GrantChangeView::Frozen { reason: reason.to_string() },
            Change::Activated { reason } => {
                GrantChangeView::Activated { reason: reason.to_string() }
            }
            Change::Revoked { reason } => GrantChangeView::Revoked { reason: reason.to_string() },
            Change::Used { bill, version, kind } => GrantChangeView::Used {
                bill: bill.into(),
                bill_version: version,
                purpose: match kind {
                    UseKind::Lock => "lock",
                    UseKind::Access => "access",
                }
                .to_owned(),
            },
            Change::Transferred { hash } => GrantChangeView::Transferred { hash },
        },
    }
}

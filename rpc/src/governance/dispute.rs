//! `dispute_*`: contention for bills, and cases.

use crate::{
    bill::key,
    context::Context,
    error::{Answer, chain, internal},
    method::{Args, decoded_page},
};
use billchain_primitives::Did;
use billchain_rpc_types::{
    ActView, CaseDecisionView, CaseView, ContenderView, Page, ResolutionView,
};
use billchain_runtime::{Dispute, Runtime};
use pallet_dispute::{
    Act, ActRecord, CaseId, Config, Contender, Decision, Outcome,
    types::{acts_prefix, bill_cases_prefix, resolutions_prefix},
};

type Resolution = pallet_dispute::Resolution<<Runtime as Config>::MaxContenders>;
type Case = pallet_dispute::Case<<Runtime as Config>::MaxParties>;

/// A case; `null` if there is none with this number.
pub(super) fn one(context: &Context, args: &Args) -> Answer<Option<CaseView>> {
    let id = args.number(0, "case")?;
    Ok(case(context, id)?.map(|case| case_view(id, case)))
}

/// What was decided in a case; `null` while it is open.
pub(super) fn decision(context: &Context, args: &Args) -> Answer<Option<CaseDecisionView>> {
    let case = case(context, args.number(0, "case")?)?;
    Ok(case.and_then(|case| case.decision).map(decision_view))
}

/// How the last contention for a bill ended; `null` if there was none.
pub(super) fn resolution(context: &Context, args: &Args) -> Answer<Option<ResolutionView>> {
    let key = key(args, 0)?;
    let found = context.deps.chain.read(|| Dispute::resolution(&key)).map_err(chain)?;
    Ok(found.map(resolution_view))
}

/// All contention for a bill, by block.
pub(super) fn resolutions(context: &Context, args: &Args) -> Answer<Page<ResolutionView>> {
    let prefix = resolutions_prefix(&key(args, 0)?);
    let view = |found: Resolution| Ok(resolution_view(found));
    decoded_page(context, &prefix, args, 2, "resolution", view)
}

/// The cases of a bill, by number.
pub(super) fn cases(context: &Context, args: &Args) -> Answer<Page<CaseView>> {
    let prefix = bill_cases_prefix(&key(args, 0)?);
    decoded_page(context, &prefix, args, 2, "case", |id: CaseId| {
        let found = case(context, id)?;
        found
            .map(|case| case_view(id, case))
            .ok_or_else(|| internal(format!("case {id} is in the index and not in the state")))
    })
}

/// What was done about a case, by number.
pub(super) fn acts(context: &Context, args: &Args) -> Answer<Page<ActView>> {
    let prefix = acts_prefix(args.number(0, "case")?);
    let view = |record: ActRecord| Ok(act_view(record));
    decoded_page(context, &prefix, args, 1, "act", view)
}

fn case(context: &Context, id: CaseId) -> Answer<Option<Case>> {
    context.deps.chain.read(|| Dispute::case(id)).map_err(chain)
}

fn resolution_view(resolution: Resolution) -> ResolutionView {
    let contender = |Contender { claimant, scene, precedence }: Contender| ContenderView {
        claimant,
        scene,
        signed_at: precedence.signed_at,
        weight: precedence.weight,
        transaction: precedence.transaction,
    };
    ResolutionView {
        block: resolution.block,
        time: resolution.moment,
        winner: resolution.winner,
        contenders: resolution.contenders.into_iter().map(contender).collect(),
        unnamed: resolution.unnamed,
    }
}

fn case_view(id: CaseId, case: Case) -> CaseView {
    CaseView {
        case: id,
        bill: case.bill.into(),
        parties: case.parties.into_inner(),
        open: case.decision.is_none(),
        operator: case.operator,
        opened: case.opened.into(),
        reason: case.reason.to_string(),
        evidence: case.evidence.into(),
        decision: case.decision.map(decision_view),
        acts: case.acts,
        history_hash: case.history_hash.into(),
    }
}

fn decision_view(decision: Decision) -> CaseDecisionView {
    CaseDecisionView {
        in_favour_of: favoured(decision.outcome),
        operator: decision.operator,
        at: decision.at.into(),
        reason: decision.reason.to_string(),
        evidence: decision.evidence.into(),
    }
}

fn act_view(record: ActRecord) -> ActView {
    let (act, in_favour_of) = match record.act {
        Act::Opened => ("opened", None),
        Act::Locked => ("locked", None),
        Act::Unlocked => ("unlocked", None),
        Act::Closed(outcome) => ("closed", favoured(outcome)),
    };
    ActView {
        number: record.number,
        act: act.into(),
        in_favour_of,
        operator: record.operator,
        at: record.at.into(),
        reason: record.reason.to_string(),
        evidence: record.evidence.into(),
    }
}

fn favoured(outcome: Outcome) -> Option<Did> {
    match outcome {
        Outcome::InFavourOf(party) => Some(party),
        Outcome::Dismissed => None,
    }
}

//! The model's operations as calls of the contracts.

use super::{
    World,
    cast::did,
    reason,
    writing::{bill_key, check_code, date, field_rule, hash, relation, status, summary},
};
use crate::words::{Actor, CaseAct, Change, Filling, Item, Key, Mode, Op, Proposal, Reversal};
use billchain_primitives::{BatchMode, BillKey, Elements, Fen, SceneId, ThreeCodes};
use billchain_runtime::{Runtime, RuntimeCall};
use pallet_bill_register::LinkChange;
use pallet_bill_update::{StatusChange, StatusItem, SummaryItem};
use pallet_dispute::Outcome;

type Register = pallet_bill_register::Call<Runtime>;
type Update = pallet_bill_update::Call<Runtime>;
type Dispute = pallet_dispute::Call<Runtime>;
type Allotment = pallet_allotment::Call<Runtime>;

impl World {
    /// The call that asks for `op` in a block at `now`.
    pub(super) fn call(&self, op: &Op, now: u64) -> RuntimeCall {
        // Of one that was never proposed, any name is as good.
        let named = |n: u32| self.proposals.get(n as usize).copied().unwrap_or_default();
        match op {
            Op::Register(draft) => Register::register { summary: summary(draft) }.into(),
            Op::PreIssue(draft) => Register::pre_issue { notice: summary(draft) }.into(),
            Op::RegisterBatch(drafts, mode) => {
                let bills: Vec<_> = drafts.iter().map(summary).collect();
                let bills = bills.try_into().expect("a small batch");
                Register::register_batch { bills, mode: batch_mode(*mode) }.into()
            }
            Op::ConfirmNotice(key) => Register::confirm { key: bill_key(*key) }.into(),
            Op::VoidNotice(key) => Register::void { key: bill_key(*key), reason: reason() }.into(),
            Op::Change(item) => {
                let StatusItem { key, expected_version, change } = status_item(item, now);
                Update::change_status { key, expected_version, change }.into()
            }
            Op::ChangeBatch(items, mode) => {
                let changes: Vec<_> = items.iter().map(|item| status_item(item, now)).collect();
                let changes = changes.try_into().expect("a small batch");
                Update::change_status_batch { changes, mode: batch_mode(*mode) }.into()
            }
            Op::Fill(filling) => {
                let SummaryItem { key, expected_version, pdf_hash, location_hash } =
                    summary_item(filling);
                Update::update_summary { key, expected_version, pdf_hash, location_hash }.into()
            }
            Op::FillBatch(fillings, mode) => {
                let updates: Vec<_> = fillings.iter().map(summary_item).collect();
                let updates = updates.try_into().expect("a small batch");
                Update::update_summary_batch { updates, mode: batch_mode(*mode) }.into()
            }
            Op::RedReverse(reversal) => red_reverse(reversal),
            Op::Propose(proposal) => propose(proposal),
            Op::Approve { key, proposal } => {
                let (key, proposal) = (bill_key(*key), named(*proposal));
                Update::approve_adjustment { key, proposal }.into()
            }
            Op::Withdraw { key, proposal } => {
                let (key, proposal) = (bill_key(*key), named(*proposal));
                Update::withdraw_adjustment { key, proposal, reason: reason() }.into()
            }
            Op::SetFieldRules { scene, expected, rules } => {
                let rules: Vec<_> = rules.iter().map(field_rule).collect();
                Register::set_field_rules {
                    scene: scene.map(SceneId),
                    expected_version: *expected,
                    rules: rules.try_into().expect("few rules"),
                }
                .into()
            }
            Op::Allot { issuer, first, last } => {
                let BillKey { code, number: first } = bill_key(*first);
                let last = bill_key(*last).number;
                Allotment::allot { issuer: did(*issuer), code, first, last }.into()
            }
            Op::GiveBack { issuer, of, first } => {
                let (code, first) = (bill_key(*of).code, bill_key(*first).number);
                Allotment::give_back { issuer: did(*issuer), code, first }.into()
            }
            Op::VoidNumbers { issuer, of, first, last } => {
                let (code, issuer, reason) = (bill_key(*of).code, did(*issuer), reason());
                let (first, last) = (bill_key(*first).number, bill_key(*last).number);
                Allotment::void { issuer, code, first, last, reason }.into()
            }
            Op::Link { key, party, relation: as_what } => {
                let (key, party) = (bill_key(*key), did(*party));
                Register::link_party { key, party, relation: relation(*as_what) }.into()
            }
            Op::UpdateLink { key, party, relation: as_what, to } => {
                let (key, party, reason) = (bill_key(*key), did(*party), reason());
                let change = to.map_or(LinkChange::Ended, |to| LinkChange::Relation(relation(to)));
                let relation = relation(*as_what);
                Register::update_link { key, party, relation, change, reason }.into()
            }
            Op::OpenCase { key, parties, evidence } => open_case(*key, parties, *evidence),
            Op::OnCase { case, act, evidence, .. } => on_case(*case, act, *evidence),
        }
    }
}

fn batch_mode(mode: Mode) -> BatchMode {
    match mode {
        Mode::AllOrNothing => BatchMode::AllOrNothing,
        Mode::PerItem => BatchMode::PerItem,
    }
}

fn red_reverse(reversal: &Reversal) -> RuntimeCall {
    Update::red_reverse {
        key: bill_key(reversal.key),
        expected_version: reversal.expected,
        red: summary(&reversal.red),
        balance: reversal.balance.as_ref().map(summary),
        reason: reason(),
    }
    .into()
}

fn propose(proposal: &Proposal) -> RuntimeCall {
    let codes = ThreeCodes { key: bill_key(proposal.key), check_code: check_code(proposal.check) };
    let elements = Elements {
        codes,
        issue_date: date(proposal.day),
        total: Fen::new(proposal.total).expect("in bounds"),
    };
    Update::propose_adjustment {
        elements,
        expected_version: proposal.expected,
        to: status(proposal.to),
        reason: reason(),
        evidence: hash(u8::from(proposal.evidence)),
    }
    .into()
}

fn open_case(key: Key, parties: &[Actor], evidence: bool) -> RuntimeCall {
    let parties: Vec<_> = parties.iter().copied().map(did).collect();
    Dispute::open_case {
        key: bill_key(key),
        parties: parties.try_into().expect("few parties"),
        reason: reason(),
        evidence: hash(u8::from(evidence)),
    }
    .into()
}

fn on_case(case: u32, act: &CaseAct, evidence: bool) -> RuntimeCall {
    let (reason, evidence) = (reason(), hash(u8::from(evidence)));
    match act {
        CaseAct::Lock => Dispute::admin_lock { case, reason, evidence },
        CaseAct::Unlock => Dispute::admin_unlock { case, reason, evidence },
        CaseAct::Close(favoured) => {
            let outcome =
                favoured.map_or(Outcome::Dismissed, |party| Outcome::InFavourOf(did(party)));
            Dispute::close_case { case, outcome, reason, evidence }
        }
    }
    .into()
}

fn status_item(item: &Item, now: u64) -> StatusItem {
    StatusItem {
        key: bill_key(item.key),
        expected_version: item.expected,
        change: status_change(&item.change, now),
    }
}

fn summary_item(filling: &Filling) -> SummaryItem {
    SummaryItem {
        key: bill_key(filling.key),
        expected_version: filling.expected,
        pdf_hash: filling.pdf.map(hash),
        location_hash: filling.location.map(hash),
    }
}

fn status_change(change: &Change, now: u64) -> StatusChange {
    let evidence = |given: bool| hash(u8::from(given));
    match change {
        Change::Confirm => StatusChange::Confirm,
        Change::Void => StatusChange::Void { reason: reason() },
        Change::Lock { scene, claim, for_user, drift } => StatusChange::Lock {
            scene: SceneId(*scene),
            claim_no: claim.to_string().parse().expect("a plain number"),
            on_behalf_of: for_user.map(did),
            grant: None,
            signed_at: now.checked_add_signed(*drift).expect("a time"),
        },
        Change::Unlock => StatusChange::Unlock { reason: reason() },
        Change::Expire => StatusChange::ExpireLock,
        Change::AdminLock { evidence: given } => {
            StatusChange::AdminLock { reason: reason(), evidence: evidence(*given) }
        }
        Change::AdminUnlock { evidence: given } => {
            StatusChange::AdminUnlock { reason: reason(), evidence: evidence(*given) }
        }
        Change::Reimburse(amount) => {
            StatusChange::Reimburse { amount: Fen::new(*amount).expect("in bounds") }
        }
        Change::ReverseUse { approval } => {
            StatusChange::ReverseUse { reason: reason(), approval: evidence(*approval) }
        }
    }
}

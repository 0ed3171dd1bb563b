//! What a run met: a run that never asks proves nothing.

use crate::words::{CaseAct, Change, Mode, Op, Refusal, Status, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Every kind of operation, and the items of batches that do not stand and fall
/// together.
const KINDS: [&str; 37] = [
    "AdminLock",
    "AdminUnlock",
    "Allot",
    "Approve",
    "CaseLock",
    "CaseUnlock",
    "ChangeAll",
    "ChangeEach",
    "ChangeEach item",
    "CloseCase",
    "Confirm",
    "ConfirmNotice",
    "Expire",
    "Fill",
    "FillAll",
    "FillEach",
    "FillEach item",
    "GiveBack",
    "Link",
    "Lock",
    "OpenCase",
    "PreIssue",
    "Propose",
    "RedReverse",
    "Register",
    "RegisterAll",
    "RegisterEach",
    "RegisterEach item",
    "Reimburse",
    "ReverseUse",
    "SetFieldRules",
    "Unlock",
    "UpdateLink",
    "Void",
    "VoidNotice",
    "VoidNumbers",
    "Withdraw",
];

#[derive(Default)]
pub struct Tally {
    /// How often each kind was accepted and refused.
    kinds: BTreeMap<&'static str, (u32, u32)>,
    /// How often else something happened.
    notes: BTreeMap<&'static str, u32>,
    /// In which statuses bills were met.
    pub statuses: BTreeSet<Status>,
}

impl Tally {
    pub fn note(&mut self, what: &'static str) {
        *self.notes.entry(what).or_default() += 1;
    }

    fn count(&mut self, kind: &'static str, accepted: usize, refused: usize) {
        let (a, r) = self.kinds.entry(kind).or_default();
        *a += accepted as u32;
        *r += refused as u32;
    }

    pub fn op(&mut self, op: &Op, verdict: &Verdict) {
        self.count(kind(op), usize::from(verdict.is_ok()), usize::from(verdict.is_err()));
        match verdict {
            Ok(done) => {
                if let Some((kind, items)) = items(op) {
                    let refused = done.refused.len();
                    self.count(kind, items - refused, refused);
                }
                for _ in &done.again {
                    let lock = !op.changes().is_empty();
                    self.note(if lock { "lock repeated" } else { "registration repeated" });
                }
                done.refused.iter().for_each(|(_, refusal)| self.refusal(*refusal));
            }
            Err(refusal) => self.refusal(*refusal),
        }
    }

    fn refusal(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Untimely => self.note("lock untimely"),
            Refusal::DisputeLost => self.note("dispute lost"),
            Refusal::Field(_) => self.note("field rule broken"),
            Refusal::Item(_) => self.note("batch refused for an item"),
            Refusal::Rule => {}
        }
    }

    /// Checks that a run of so many operations met everything, and often.
    pub fn check(&self, operations: u32, notes: &[&'static str]) {
        println!("accepted and refused: {:?}", self.kinds);
        println!("{:?}", self.notes);
        let often = operations / 5_000;
        for kind in KINDS {
            let (accepted, refused) = self.kinds.get(kind).copied().unwrap_or_default();
            assert!(accepted >= often, "{kind} hardly accepted");
            assert!(refused >= often, "{kind} hardly refused");
        }
        assert!(self.kinds.keys().all(|kind| KINDS.contains(kind)), "KINDS lists every kind");
        for note in notes {
            assert!(self.notes.get(note).is_some_and(|n| *n >= often), "hardly ever: {note}");
        }
        if often > 0 {
            assert_eq!(self.statuses, BTreeSet::from(Status::ALL), "the run met every status");
        }
    }
}

fn kind(op: &Op) -> &'static str {
    match op {
        Op::Register(_) => "Register",
        Op::RegisterBatch(_, Mode::AllOrNothing) => "RegisterAll",
        Op::RegisterBatch(_, Mode::PerItem) => "RegisterEach",
        Op::PreIssue(_) => "PreIssue",
        Op::ConfirmNotice(_) => "ConfirmNotice",
        Op::VoidNotice(_) => "VoidNotice",
        Op::Change(item) => match item.change {
            Change::Confirm => "Confirm",
            Change::Void => "Void",
            Change::Lock { .. } => "Lock",
            Change::Unlock => "Unlock",
            Change::Expire => "Expire",
            Change::AdminLock { .. } => "AdminLock",
            Change::AdminUnlock { .. } => "AdminUnlock",
            Change::Reimburse(_) => "Reimburse",
            Change::ReverseUse { .. } => "ReverseUse",
        },
        Op::ChangeBatch(_, Mode::AllOrNothing) => "ChangeAll",
        Op::ChangeBatch(_, Mode::PerItem) => "ChangeEach",
        Op::Fill(_) => "Fill",
        Op::FillBatch(_, Mode::AllOrNothing) => "FillAll",
        Op::FillBatch(_, Mode::PerItem) => "FillEach",
        Op::RedReverse(_) => "RedReverse",
        Op::Propose(_) => "Propose",
        Op::Approve { .. } => "Approve",
        Op::Withdraw { .. } => "Withdraw",
        Op::SetFieldRules { .. } => "SetFieldRules",
        Op::Allot { .. } => "Allot",
        Op::GiveBack { .. } => "GiveBack",
        Op::VoidNumbers { .. } => "VoidNumbers",
        Op::Link { .. } => "Link",
        Op::UpdateLink { .. } => "UpdateLink",
        Op::OpenCase { .. } => "OpenCase",
        Op::OnCase { act, .. } => match act {
            CaseAct::Lock => "CaseLock",
            CaseAct::Unlock => "CaseUnlock",
            CaseAct::Close(_) => "CloseCase",
        },
    }
}

/// Name and number of the items of a batch that do not stand and fall together.
fn items(op: &Op) -> Option<(&'static str, usize)> {
    match op {
        Op::RegisterBatch(drafts, Mode::PerItem) => Some(("RegisterEach item", drafts.len())),
        Op::ChangeBatch(items, Mode::PerItem) => Some(("ChangeEach item", items.len())),
        Op::FillBatch(fillings, Mode::PerItem) => Some(("FillEach item", fillings.len())),
        _ => None,
    }
}

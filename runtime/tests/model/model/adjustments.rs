//! Adjustments by hand: one administrator proposes, another approves.

use super::{Model, ensure};
use crate::words::{Actor, Adjustment, Bill, Key, Kind, Proposal, Refusal, Status};

/// Most adjustments that wait.
pub const MAX_WAITING: usize = 1_000;

impl Model {
    pub(super) fn propose(&mut self, who: Actor, proposal: &Proposal) -> Result<(), Refusal> {
        let Proposal { key, check, day, total, expected, to, evidence } = *proposal;
        let (bill, released) = self.found(key)?;
        // The release is not written yet.
        let version = bill.version - u32::from(released);
        ensure(who.is_admin() && evidence)?;
        let draft = &bill.draft;
        ensure((check, day, total) == (draft.check, draft.day, draft.total))?;
        ensure(expected.is_none_or(|expected| expected == version))?;
        adjusted(bill, to)?;
        match self.waiting.get(&key) {
            Some((_, waiting)) => ensure(waiting.version != version)?,
            None => ensure(self.waiting.len() < MAX_WAITING)?,
        }
        self.waiting.insert(key, (self.proposed, Adjustment { proposer: who, version, to }));
        self.proposed += 1;
        Ok(())
    }

    pub(super) fn approve(&mut self, who: Actor, key: Key, proposal: u32) -> Result<(), Refusal> {
        let Adjustment { proposer, version, to } = self.adjustment(key, proposal)?;
        let (bill, released) = self.found(key)?;
        ensure(who.is_admin() && who != proposer)?;
        ensure(bill.version - u32::from(released) == version)?;
        let mut bill = adjusted(bill, to)?;
        bill.version += 1;
        self.bills.insert(key, bill);
        self.waiting.remove(&key);
        Ok(())
    }

    /// Takes an adjustment back or turns it down, whatever became of the bill.
    pub(super) fn withdraw(&mut self, who: Actor, key: Key, proposal: u32) -> Result<(), Refusal> {
        ensure(who.is_admin())?;
        self.adjustment(key, proposal)?;
        self.waiting.remove(&key);
        Ok(())
    }

    fn adjustment(&self, key: Key, proposal: u32) -> Result<Adjustment, Refusal> {
        let (number, adjustment) = self.waiting.get(&key).ok_or(Refusal::Rule)?;
        ensure(*number == proposal)?;
        Ok(adjustment.clone())
    }
}

/// The bill in the status `to`, which may be any that it can be in: only a
/// notice is pre-issued, without claims nothing is reimbursed, and a lock is
/// not made this way.
fn adjusted(mut bill: Bill, to: Status) -> Result<Bill, Refusal> {
    ensure(!bill.status.is_final() && bill.status != to)?;
    ensure(bill.draft.kind != Kind::Red)?;
    bill.lock = None;
    bill.status = to;
    match to {
        Status::PreIssued | Status::Normal => {
            ensure(to == Status::Normal || bill.draft.kind == Kind::Notice)?;
            // What was reimbursed counts no more.
            bill.claims.clear();
        }
        Status::PartlyReimbursed | Status::Reimbursed => ensure(!bill.claims.is_empty())?,
        Status::Locked => return Err(Refusal::Rule),
        Status::RedReversed | Status::Voided => {}
    }
    Ok(bill)
}

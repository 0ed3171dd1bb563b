//! Bills replayed: what an event says was done is done to the bill as it is known, and makes the
//! version that the chain made. So its hash is the chain's, or the event is not.

use super::{
    At, Ledger,
    calls::Brought,
    rows::Kept,
    versions::{Change, registered, stamp},
};
use crate::{
    insert::{Value, values},
    lie::Lie,
    names,
    shape::bill_id,
};
use billchain_primitives::{
    BillKey, BillStatus, Did, Fen, Lock, LockPurpose, Operation, Reason, Reimbursement, SceneId,
    history::Cause,
};
use pallet_bill_register::Event as Register;
use pallet_bill_update::Event as Update;
use std::collections::HashMap;

type Runtime = billchain_runtime::Runtime;

/// Bills that a transaction's calls bring, and why bills are reversed in it.
pub(crate) struct Sources<'a> {
    pub(crate) brought: HashMap<BillKey, Vec<Brought<'a>>>,
    pub(crate) reasons: HashMap<BillKey, Reason>,
}

impl Ledger {
    /// What an event of the registration contract did to bills.
    pub(crate) fn on_register(
        &mut self,
        at: &At,
        event: &Register<Runtime>,
        sources: &Sources<'_>,
    ) -> Result<(), Lie> {
        match event {
            Register::BillRegistered { key, .. } => {
                let record = registered(at, event, sources)?;
                let receipt = record.receipt();
                let receipt =
                    receipt.ok_or_else(|| at.wrong("a bill came without an operation"))?;
                let bill = record.bill(receipt);
                let id = bill_id(key);
                if self.batch.bills.contains_key(key) {
                    return Err(at.wrong(format!("bill {key} was registered before")));
                }
                let kept = Kept {
                    bill: bill.clone(),
                    registered_tx: at.tx,
                    registered_time: i64::try_from(at.time).unwrap_or(i64::MAX),
                    updated_tx: at.tx,
                    is_changed: true,
                };
                self.batch.bills.insert(*key, kept);
                self.batch.counts.registered += 1;
                self.note_version(at, id, None, &bill, &record, bill.summary.total.get())
            }
            Register::NoticeConfirmed { key, operator, status, version } => {
                let change = Change::of(Operation::Confirm, operator, *version);
                self.advance(at, key, change, |bill| bill.state.status = *status)
            }
            Register::NoticeVoided { key, operator, reason, status, version } => {
                let change = Change::of(Operation::Void, operator, *version).because(reason);
                self.advance(at, key, change, |bill| bill.state.status = *status)
            }
            _ => Ok(()),
        }
    }

    /// What an event of the update contract did to bills.
    pub(crate) fn on_update(&mut self, at: &At, event: &Update<Runtime>) -> Result<(), Lie> {
        use Operation as O;
        match event {
            Update::Confirmed { key, operator, version } => {
                let change = Change::of(O::Confirm, operator, *version);
                self.advance(at, key, change, |bill| bill.state.status = BillStatus::Normal)
            }
            Update::Voided { key, operator, reason, version } => {
                let change = Change::of(O::Void, operator, *version).because(reason);
                self.advance(at, key, change, |bill| bill.state.status = BillStatus::Voided)
            }
            Update::Reimbursed { key, payer, amount, status, version, .. } => {
                self.reimburse(at, key, (payer, *amount, *status), *version)
            }
            Update::UseReversed { key, payer, reason, approval, status, version, .. } => {
                let change =
                    Change::of(O::ReverseUse, payer, *version).because(reason).shown_by(*approval);
                self.reverse_use(at, key, change, *status)
            }
            Update::RedReversed { key, operator, reason, version, .. } => {
                let total = self.kept(at, key)?.bill.summary.total.get();
                let change =
                    Change::of(O::RedReverse, operator, *version).because(reason).over(total);
                self.advance(at, key, change, |bill| bill.state.status = BillStatus::RedReversed)
            }
            Update::SummaryUpdated { key, operator, pdf_hash, location_hash, version } => {
                let change =
                    Change { cause: Cause::Summary, ..Change::of(O::Adjust, operator, *version) };
                self.advance(at, key, change, |bill| {
                    let summary = &mut bill.summary;
                    summary.pdf_hash = pdf_hash.unwrap_or(summary.pdf_hash);
                    summary.location_hash = location_hash.unwrap_or(summary.location_hash);
                })
            }
            Update::Adjusted {
                key, proposer, operator, status, reason, evidence, version, ..
            } => {
                let change = Change {
                    proposer: Some(proposer.clone()),
                    ..Change::of(O::Adjust, operator, *version)
                };
                let change = change.because(reason).shown_by(*evidence);
                self.adjust(at, key, change, *status)
            }
            _ => self.on_lock(at, event),
        }
    }

    /// What an event did to locks.
    fn on_lock(&mut self, at: &At, event: &Update<Runtime>) -> Result<(), Lie> {
        use Operation as O;
        match event {
            Update::Locked {
                key,
                operator,
                holder,
                scene,
                claim_no,
                grant,
                expires,
                version,
                ..
            } => {
                let purpose =
                    LockPurpose::Claim { scene: *scene, claim_no: claim_no.clone(), grant: *grant };
                let change = Change::of(O::Lock, operator, *version);
                self.lock(at, key, change, (holder, purpose, *expires))
            }
            Update::AdminLocked { key, operator, reason, evidence, version } => {
                let purpose = LockPurpose::Administrative { evidence: *evidence };
                let change = Change::of(O::AdminLock, operator, *version)
                    .because(reason)
                    .shown_by(*evidence);
                self.lock(at, key, change, (operator, purpose, None))
            }
            Update::Unlocked { key, operator, reason, status, version } => {
                let change = Change::of(O::Unlock, operator, *version).because(reason);
                self.release(at, key, change, *status)
            }
            Update::LockExpired { key, operator, status, version, .. } => {
                self.release(at, key, Change::of(O::ExpireLock, operator, *version), *status)
            }
            Update::AdminUnlocked { key, operator, reason, evidence, status, version, .. } => {
                let change = Change::of(O::AdminUnlock, operator, *version)
                    .because(reason)
                    .shown_by(*evidence);
                self.release(at, key, change, *status)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn kept(&self, at: &At, key: &BillKey) -> Result<&Kept, Lie> {
        self.batch.bills.get(key).ok_or_else(|| at.wrong(format!("there is no bill {key}")))
    }

    fn lock(
        &mut self,
        at: &At,
        key: &BillKey,
        change: Change,
        (holder, purpose, expires): (&Did, LockPurpose, Option<u64>),
    ) -> Result<(), Lie> {
        let version = change.version;
        let (claim, grant, scene) = match &purpose {
            LockPurpose::Claim { scene, claim_no, grant } => (
                Some(claim_no.to_string()),
                grant.map(|grant| format!("{:?}", grant.0)),
                Some(i64::from(scene.0)),
            ),
            LockPurpose::Administrative { .. } => (None, None, None),
        };
        let lock_holder = holder.clone();
        self.advance(at, key, change, |bill| {
            let before = bill.state.status;
            let holder = lock_holder;
            bill.state.lock =
                Some(Lock { holder, purpose, version, at: stamp(at), expires, before });
            bill.state.status = BillStatus::Locked;
        })?;
        let holder = self.did(holder);
        let expires = expires.map(|expires| i64::try_from(expires).unwrap_or(i64::MAX));
        self.batch.tables.holdings.push(values![
            bill_id(key),
            version,
            holder,
            scene,
            claim,
            grant,
            at.tx,
            at.time,
            expires
        ]);
        Ok(())
    }

    /// A lock ends: it made the version `lock` of the bill.
    fn end_holding(&mut self, at: &At, key: &BillKey, lock: Option<u32>, version: u32, cause: i64) {
        let Some(lock) = lock else { return };
        self.batch.then(
            "UPDATE holdings SET until_version = $1, until = $2, until_cause = $3 \
             WHERE bill = $4 AND version = $5",
            values![version, at.time, cause, bill_id(key), lock],
        );
    }

    fn release(
        &mut self,
        at: &At,
        key: &BillKey,
        change: Change,
        status: BillStatus,
    ) -> Result<(), Lie> {
        let lock = self.kept(at, key)?.bill.state.lock.as_ref().map(|lock| lock.version);
        let (version, cause) = (change.version, names::cause_number(&change.cause));
        self.advance(at, key, change, |bill| {
            bill.state.lock = None;
            bill.state.status = status;
        })?;
        self.end_holding(at, key, lock, version, cause);
        Ok(())
    }

    fn reimburse(
        &mut self,
        at: &At,
        key: &BillKey,
        (payer, amount, status): (&Did, Fen, BillStatus),
        version: u32,
    ) -> Result<(), Lie> {
        let lock = self.kept(at, key)?.bill.state.lock.clone();
        let lock = lock.ok_or_else(|| at.wrong(format!("bill {key} was not locked")))?;
        let LockPurpose::Claim { scene, claim_no, .. } = &lock.purpose else {
            return Err(at.wrong(format!("bill {key} was not locked for a claim")));
        };
        let reimbursement = Reimbursement {
            payer: lock.holder.clone(),
            scene: *scene,
            amount,
            before: lock.before,
        };
        let change = Change::of(Operation::Reimburse, payer, version).over(amount.get());
        let mut fits = true;
        self.advance(at, key, change, |bill| {
            bill.state.lock = None;
            bill.state.status = status;
            fits = bill.state.reimbursements.try_push(reimbursement).is_ok();
        })?;
        if !fits {
            return Err(at.wrong(format!("bill {key} has more reimbursements than may be")));
        }
        let cause = names::number(&Operation::Reimburse);
        self.end_holding(at, key, Some(lock.version), version, cause);
        let payer = self.did(&lock.holder);
        self.note_reimbursement(at, key, (version, payer, *scene), claim_no.to_string(), amount);
        Ok(())
    }

    fn note_reimbursement(
        &mut self,
        at: &At,
        key: &BillKey,
        (version, payer, scene): (u32, i64, SceneId),
        claim: String,
        amount: Fen,
    ) {
        self.batch.tables.reimbursements.push(values![
            bill_id(key),
            version,
            payer,
            scene.0,
            claim,
            amount.get(),
            at.tx,
            at.time
        ]);
    }

    fn reverse_use(
        &mut self,
        at: &At,
        key: &BillKey,
        change: Change,
        status: BillStatus,
    ) -> Result<(), Lie> {
        let last = self.kept(at, key)?.bill.state.reimbursements.last().cloned();
        let last = last.ok_or_else(|| at.wrong(format!("bill {key} was not reimbursed")))?;
        let (version, change) = (change.version, change.over(last.amount.get()));
        self.advance(at, key, change, |bill| {
            bill.state.reimbursements.pop();
            bill.state.status = status;
        })?;
        self.reverse_reimbursements(at, key, version, Some(last.scene));
        Ok(())
    }

    /// Reimbursements count no longer: that in a scene, or all.
    fn reverse_reimbursements(
        &mut self,
        at: &At,
        key: &BillKey,
        version: u32,
        scene: Option<SceneId>,
    ) {
        let mut sql = "UPDATE reimbursements SET reversed_version = $1, reversed = $2 \
                       WHERE bill = $3 AND reversed_version IS NULL"
            .to_owned();
        let mut values = values![version, at.time, bill_id(key)];
        if let Some(scene) = scene {
            sql.push_str(" AND scene = $4");
            values.push(Value::from(scene.0));
        }
        self.batch.then(&sql, values);
    }

    fn adjust(
        &mut self,
        at: &At,
        key: &BillKey,
        change: Change,
        status: BillStatus,
    ) -> Result<(), Lie> {
        let lock = self.kept(at, key)?.bill.state.lock.as_ref().map(|lock| lock.version);
        let (version, cause) = (change.version, names::cause_number(&change.cause));
        let clears = matches!(status, BillStatus::PreIssued | BillStatus::Normal);
        self.advance(at, key, change, |bill| {
            bill.state.status = status;
            bill.state.lock = None;
            if clears {
                bill.state.reimbursements.clear();
            }
        })?;
        self.end_holding(at, key, lock, version, cause);
        if clears {
            self.reverse_reimbursements(at, key, version, None);
        }
        Ok(())
    }
}

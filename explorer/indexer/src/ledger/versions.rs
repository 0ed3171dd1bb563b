//! Versions made again: by the chain's own types, from the bill before and what an event says.

use super::{At, Ledger, bills::Sources, calls::Brought, rows::Kept};
use crate::{
    insert::{Value, values},
    lie::Lie,
    names,
    shape::{bill_id, short},
};
use billchain_primitives::{
    Bill, BillKey, Did, Operation, Reason, Stamp,
    history::{Cause, Entry, VersionBody, VersionRecord},
};
use codec::Encode;
use pallet_bill_register::Event as Register;

type Runtime = billchain_runtime::Runtime;

/// How a change leaves the bill.
pub(super) struct Change {
    pub(super) cause: Cause,
    pub(super) operator: Did,
    pub(super) reason: Option<Reason>,
    pub(super) evidence: Option<[u8; 32]>,
    pub(super) proposer: Option<Did>,
    pub(super) version: u32,
    /// What was moved, in fen.
    pub(super) amount: i64,
}

impl Change {
    pub(super) fn of(operation: Operation, operator: &Did, version: u32) -> Self {
        Self {
            cause: Cause::Operation(operation),
            operator: operator.clone(),
            reason: None,
            evidence: None,
            proposer: None,
            version,
            amount: 0,
        }
    }

    pub(super) fn because(mut self, reason: &Reason) -> Self {
        self.reason = Some(reason.clone());
        self
    }

    pub(super) fn shown_by(mut self, evidence: [u8; 32]) -> Self {
        self.evidence = Some(evidence);
        self
    }

    pub(super) const fn over(mut self, amount: i64) -> Self {
        self.amount = amount;
        self
    }
}

pub(super) fn stamp(at: &At) -> Stamp {
    Stamp { block: at.block, extrinsic: at.place, moment: at.time }
}

impl Ledger {
    /// Makes the next version of a bill, as the chain's ledger does.
    pub(super) fn advance(
        &mut self,
        at: &At,
        key: &BillKey,
        change: Change,
        does: impl FnOnce(&mut Bill),
    ) -> Result<(), Lie> {
        let before = self.kept(at, key)?.bill.clone();
        let mut bill = before.clone();
        does(&mut bill);
        let Change { cause, operator, reason, evidence, proposer, version, amount } = change;
        if version != before.state.version.saturating_add(1) {
            let known = before.state.version;
            return Err(at.wrong(format!("bill {key} has version {known}, and then {version}")));
        }
        let body = VersionBody {
            version,
            entry: Entry { cause, operator, reason, evidence, proposer },
            at: stamp(at),
            summary: bill.summary,
            status: bill.state.status,
            lock: bill.state.lock,
            reimbursements: bill.state.reimbursements,
        };
        let record = VersionRecord::after(&before, body);
        let after = record.bill_after(&before);
        if let Some(broken) = after.inconsistency() {
            return Err(at.wrong(format!("bill {key}, version {version}: not so: {broken}")));
        }
        self.note_version(at, bill_id(key), Some(&before), &after, &record, amount)?;
        if let Some(kept) = self.batch.bills.get_mut(key) {
            kept.bill = after;
            kept.updated_tx = at.tx;
            kept.is_changed = true;
        }
        Ok(())
    }

    pub(super) fn note_version(
        &mut self,
        at: &At,
        id: i64,
        before: Option<&Bill>,
        after: &Bill,
        record: &VersionRecord,
        amount: i64,
    ) -> Result<(), Lie> {
        self.count(before, after, at).map_err(|problem| at.wrong(problem))?;
        let entry = &record.body.entry;
        let operator = self.did(&entry.operator);
        self.count_operation(after, &entry.cause, (operator, amount), at);
        self.batch.counts.versions += 1;
        let encoded = before.map(|_| record.encode());
        self.batch.tables.versions.push(values![
            id,
            after.state.version,
            at.month,
            at.tx,
            at.time,
            names::cause_number(&entry.cause),
            operator,
            names::number(&after.state.status),
            amount,
            after.state.version_hash,
            encoded
        ]);
        Ok(())
    }

    /// Turns the bills that changed into rows.
    pub(crate) fn close_bills(&mut self) {
        let bills = std::mem::take(&mut self.batch.bills);
        let mut changed: Vec<Kept> = bills.into_values().filter(|kept| kept.is_changed).collect();
        changed.sort_by_key(|kept| bill_id(&kept.bill.summary.key));
        for kept in changed {
            let row = self.bill_row(kept);
            self.batch.tables.bills.push(row);
        }
    }

    fn bill_row(&mut self, kept: Kept) -> Vec<Value> {
        let Kept { bill, registered_tx, registered_time, updated_tx, .. } = kept;
        let issuer = self.did(&bill.summary.issuer);
        let holder = bill.state.lock.as_ref().map(|lock| self.did(&lock.holder));
        let expires = bill.state.lock.as_ref().and_then(|lock| lock.expires);
        let expires = expires.map(|expires| i64::try_from(expires).unwrap_or(i64::MAX));
        let detail = detail_of(&bill);
        let Bill { summary, state, receipt } = bill;
        let reimbursed: i64 = state.reimbursements.iter().map(|part| part.amount.get()).sum();
        values![
            bill_id(&summary.key),
            summary.check_code.as_str(),
            names::number(&summary.kind),
            names::number(&state.status),
            summary.issue_date.get(),
            summary.issue_time.get(),
            summary.total.get(),
            reimbursed,
            issuer,
            summary.issuer_uscc.as_str(),
            names::number(&summary.payer_type),
            summary.payer_ref,
            short(&summary.payer_ref),
            summary.scene.0,
            summary.biz_no_hash,
            summary.xml_hash,
            summary.pdf_hash,
            summary.location_hash,
            summary.related.map(|key| bill_id(&key)),
            state.version,
            state.version_hash,
            holder,
            expires,
            registered_tx,
            registered_time,
            names::number(&receipt.operation),
            updated_tx,
            state.updated,
            detail,
        ]
    }
}

/// What the columns do not hold of a bill; none where there is nothing.
fn detail_of(bill: &Bill) -> Option<Vec<u8>> {
    let (lock, claims) = (&bill.state.lock, &bill.state.reimbursements);
    let filled_in = bill.receipt.filled_in;
    let plain = lock.is_none() && claims.is_empty() && filled_in.iter().next().is_none();
    (!plain).then(|| (lock, claims, filled_in).encode())
}

/// The first version of a bill: its content is a call's, and its hash the event's.
pub(super) fn registered(
    at: &At,
    event: &Register<Runtime>,
    sources: &Sources<'_>,
) -> Result<VersionRecord, Lie> {
    let Register::BillRegistered { key, kind, status, issuer, scene, total, related, version_hash } =
        event
    else {
        return Err(at.wrong("no registration"));
    };
    for Brought { summary, operation } in sources.brought.get(key).into_iter().flatten() {
        let said = (summary.kind, &summary.issuer, summary.scene, summary.total, summary.related);
        if said != (*kind, issuer, *scene, *total, *related) {
            continue;
        }
        let mut entry = Entry::plain(Cause::Operation(*operation), issuer.clone());
        entry.reason = sources.reasons.get(key).cloned();
        let record = VersionRecord::first(VersionBody {
            version: 1,
            entry,
            at: stamp(at),
            summary: (*summary).clone(),
            status: *status,
            lock: None,
            reimbursements: Default::default(),
        });
        if record.hash() == *version_hash {
            return Ok(record);
        }
    }
    Err(at.wrong(format!("no transaction registers bill {key} as its event says")))
}

//! What statistics add up: bills that are alike, operations of a day, and the chain's own totals.

use super::{At, Ledger, rows::Tables};
use crate::{
    insert::values,
    names,
    shape::{bill_id, parts_of, split},
};
use billchain_primitives::{
    Bill, BillSummary,
    history::Cause,
    totals::{Month, NumberBlock, NumberPrefix, Posting},
};
use codec::Encode;
use std::collections::BTreeMap;

/// Bills that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    day: i64,
    issuer: i64,
    parts: (i64, i64, i64),
    scene: i64,
    kind: i64,
    status: i64,
}

/// Operations that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Operations {
    day: i64,
    cause: i64,
    operator: i64,
    region: i64,
    class: i64,
    scene: i64,
    kind: i64,
}

/// A day's blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Day {
    pub(crate) blocks: i64,
    pub(crate) transactions: i64,
    pub(crate) failed: i64,
    pub(crate) versions: i64,
    pub(crate) registered: i64,
    pub(crate) bytes: i64,
    pub(crate) first_block: i64,
    pub(crate) last_block: i64,
}

/// How a validator took part on a day.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    pub(crate) blocks: i64,
    pub(crate) signed: i64,
    pub(crate) proposed: i64,
    pub(crate) last_signed: i64,
}

/// Sums of a batch.
#[derive(Debug, Default)]
pub(crate) struct Rollups {
    bills: BTreeMap<Cell, (i64, i128, i128)>,
    operations: BTreeMap<Operations, (i64, i128)>,
    pub(crate) days: BTreeMap<i64, Day>,
    pub(crate) parts: BTreeMap<(i64, [u8; 32]), Part>,
}

/// Which of the chain's totals.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TallyName {
    /// `number` or `month`.
    pub(crate) sort: &'static str,
    /// CODE-PREFIX, or the issuer's DID, a space and yyyymm.
    pub(crate) name: String,
}

impl TallyName {
    /// Those that a bill with this summary counts in.
    pub(crate) fn of_summary(summary: &BillSummary) -> [Self; 2] {
        let month = Month::of(summary.issue_date);
        let [_, _, NumberBlock { code, prefix }] = NumberBlock::around(&summary.key);
        let number = Self { sort: "number", name: format!("{code}-{}", prefix.as_str()) };
        [number, Self { sort: "month", name: format!("{} {month}", summary.issuer) }]
    }

    /// The raw key of the totals in the state; `None`: the name is none.
    pub(crate) fn key(&self) -> Option<Vec<u8>> {
        let mut key;
        if self.sort == "number" {
            let (code, digits) = self.name.split_once('-')?;
            let (code, digits) = (code.parse().ok()?, digits.parse().ok()?);
            key = frame_support::storage::storage_prefix(b"Totals", b"Numbers").to_vec();
            NumberBlock { code, prefix: NumberPrefix::Million(digits) }.encode_to(&mut key);
        } else {
            let (issuer, month) = self.name.split_once(' ')?;
            let issuer: billchain_primitives::Did = issuer.parse().ok()?;
            let month: Month = month.parse().ok()?;
            key = frame_support::storage::storage_prefix(b"Totals", b"Months").to_vec();
            issuer.encode_to(&mut key);
            month.encode_to(&mut key);
        }
        Some(key)
    }
}

impl Ledger {
    fn cell(&mut self, bill: &Bill) -> Cell {
        let summary = &bill.summary;
        Cell {
            day: summary.issue_date.get().into(),
            issuer: self.did(&summary.issuer),
            parts: parts_of(bill_id(&summary.key)),
            scene: summary.scene.0.into(),
            kind: names::number(&summary.kind),
            status: names::number(&bill.state.status),
        }
    }

    fn count_in(&mut self, bill: &Bill, sign: i64) {
        let cell = self.cell(bill);
        let sums = self.batch.rollups.bills.entry(cell).or_default();
        sums.0 += sign;
        sums.1 += i128::from(sign) * i128::from(bill.summary.total.get());
        sums.2 += i128::from(sign) * i128::from(bill.reimbursed().get());
    }

    /// A bill is not any longer what it was `before`; none: it is new.
    pub(crate) fn count(
        &mut self,
        before: Option<&Bill>,
        after: &Bill,
        at: &At,
    ) -> Result<(), String> {
        if let Some(before) = before {
            self.count_in(before, -1);
        }
        self.count_in(after, 1);
        let (gone, new) = (before.map(Posting::from), Posting::from(after));
        if gone == Some(new) {
            return Ok(());
        }
        for name in TallyName::of(after) {
            let (tally, changed) = self.batch.tallies.entry(name.clone()).or_default();
            gone.map_or(Ok(()), |gone| tally.remove(gone))
                .and_then(|()| tally.add(new))
                .map_err(|problem| format!("the totals of {}: {problem}", name.name))?;
            *changed = Some(at.block);
        }
        Ok(())
    }

    /// An operation was done to a bill.
    pub(crate) fn count_operation(&mut self, bill: &Bill, cause: &Cause, who: (i64, i64), at: &At) {
        let (operator, amount) = who;
        let (region, class, _) = parts_of(bill_id(&bill.summary.key));
        let key = Operations {
            day: at.day,
            cause: names::cause_number(cause),
            operator,
            region,
            class,
            scene: bill.summary.scene.0.into(),
            kind: names::number(&bill.summary.kind),
        };
        let sums = self.batch.rollups.operations.entry(key).or_default();
        sums.0 += 1;
        sums.1 += i128::from(amount);
    }

    /// Turns the sums into rows.
    pub(crate) fn close_rollups(&mut self) {
        let rollups = std::mem::take(&mut self.batch.rollups);
        let tables = &mut self.batch.tables;
        for (cell, (bills, total, reimbursed)) in rollups.bills {
            if (bills, total, reimbursed) == (0, 0, 0) {
                continue;
            }
            let Cell { day, issuer, parts: (region, class, sort), scene, kind, status } = cell;
            let ((th, tl), (rh, rl)) = (split(total), split(reimbursed));
            tables.rollup_bills.push(values![
                day, issuer, region, class, sort, scene, kind, status, bills, th, tl, rh, rl
            ]);
        }
        for (key, (operations, amount)) in rollups.operations {
            let Operations { day, cause, operator, region, class, scene, kind } = key;
            let (high, low) = split(amount);
            tables.rollup_operations.push(values![
                day, cause, operator, region, class, scene, kind, operations, high, low
            ]);
        }
        close_days(tables, rollups.days, rollups.parts);
        for (name, (tally, changed)) in std::mem::take(&mut self.batch.tallies) {
            let Some(changed) = changed else { continue };
            let TallyName { sort, name } = name;
            self.batch.tables.tallies.push(values![sort, name, tally.encode(), changed, -1_i64]);
        }
    }
}

fn close_days(
    tables: &mut Tables,
    days: BTreeMap<i64, Day>,
    parts: BTreeMap<(i64, [u8; 32]), Part>,
) {
    for (number, day) in days {
        let Day { blocks, transactions, failed, versions, registered, bytes, .. } = day;
        tables.rollup_days.push(values![
            number,
            blocks,
            transactions,
            failed,
            versions,
            registered,
            bytes,
            day.first_block,
            day.last_block
        ]);
    }
    for ((day, account), part) in parts {
        let Part { blocks, signed, proposed, last_signed } = part;
        tables.participation.push(values![day, account, blocks, signed, proposed, last_signed]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_totals_are_the_keys_of_the_state() {
        let number = TallyName { sort: "number", name: "31060126-0000".into() };
        let key = number.key().unwrap();
        assert!(key.ends_with(b"31060126\x040000"), "{key:?}");
        let month = TallyName { sort: "month", name: "did:bill:hospital-1 202611".into() };
        assert!(month.key().unwrap().ends_with(b"did:bill:hospital-1202611"));
        for name in ["", "31060126", "x-0000"] {
            assert_eq!(TallyName { sort: "number", name: name.into() }.key(), None);
        }
    }
}

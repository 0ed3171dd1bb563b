//! Who takes turns to propose. Pure: the same lists give the same answer.

use crate::types::{ABSENT_AFTER, MAX_DOUBLINGS, Record};
use billchain_primitives::{AccountId, BlockNumber};

/// Blocks in a row without a validator's pre-commit after which it is absent, where
/// `count` validators vote: so many that its own turn was among them, because a
/// proposer's own pre-commit is in the commit that it brings.
pub fn absent_after(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).max(ABSENT_AFTER)
}

/// Blocks for which a validator proposes nothing after so many failed turns in a row.
pub fn suspension(count: usize, failed: u32) -> u32 {
    absent_after(count).saturating_mul(1 << failed.min(MAX_DOUBLINGS))
}

/// Those of `validators`, each with its power, that take no turn in block `next`: who
/// is absent or suspended, those first that missed most, together never more than a
/// third of the power.
pub fn left_out(
    validators: &[(AccountId, u64)],
    records: &[Record],
    next: BlockNumber,
) -> Vec<AccountId> {
    let absent_after = absent_after(validators.len());
    let is_out = |record: &&Record| record.missed >= absent_after || record.out_until > next;
    let mut out: Vec<&Record> = records.iter().filter(is_out).collect();
    if out.is_empty() {
        return Vec::new();
    }
    out.sort_by(|a, b| {
        let by = |one: &Record| (one.missed, one.failed);
        by(b).cmp(&by(a)).then_with(|| a.validator.cmp(&b.validator))
    });
    let sum = validators.iter().fold(0_u64, |sum, (_, power)| sum.saturating_add(*power));
    let mut room = sum.saturating_sub(1) / 3;
    let mut taken = Vec::new();
    for record in out {
        let entry = validators.iter().find(|(account, _)| *account == record.validator);
        if let Some((account, power)) = entry
            && *power <= room
        {
            room = room.saturating_sub(*power);
            taken.push(account.clone());
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    fn record(number: u8, missed: u32, out_until: u32) -> Record {
        Record { missed, out_until, ..Record::new(account(number)) }
    }

    fn equal(count: u8) -> Vec<(AccountId, u64)> {
        (1..=count).map(|number| (account(number), 1)).collect()
    }

    #[test]
    fn one_of_four_is_left_out_while_it_is_absent_or_suspended() {
        let four = equal(4);
        let out = |records: &[Record]| left_out(&four, records, 100);
        assert_eq!(out(&[]), []);
        assert_eq!(out(&[record(2, 3, 100)]), []);
        assert_eq!(out(&[record(2, 4, 0)]), [account(2)]);
        assert_eq!(out(&[record(2, 0, 101)]), [account(2)]);
        assert_eq!(out(&[record(9, 9, 101)]), [], "no validator");
    }

    #[test]
    fn never_more_than_a_third_of_the_power_and_the_longest_away_first() {
        let all: Vec<Record> = (1..=4).map(|n| record(n, 4 + u32::from(n), 0)).collect();
        assert_eq!(left_out(&equal(4), &all, 9), [account(4)]);
        assert_eq!(left_out(&equal(3), &all, 9), [], "of three none can be spared");
        assert_eq!(left_out(&equal(1), &all, 9), []);
        let seven = equal(7);
        let all: Vec<Record> = (1..=7).map(|n| record(n, 70 - u32::from(n), 0)).collect();
        assert_eq!(left_out(&seven, &all, 9), [account(1), account(2)]);
        // One that weighs too much stays, and the next is asked.
        let unequal = [(account(1), 5), (account(2), 2), (account(3), 2), (account(4), 2)];
        let all: Vec<Record> = (1..=4).map(|n| record(n, 70 - u32::from(n), 0)).collect();
        assert_eq!(left_out(&unequal, &all, 9), [account(2)]);
    }

    #[test]
    fn suspensions_double_up_to_a_bound() {
        let blocks: Vec<u32> = [1, 2, 3, 6, 7, 99].map(|failed| suspension(4, failed)).into();
        assert_eq!(blocks, [8, 16, 32, 256, 256, 256]);
        assert_eq!(suspension(64, 1), 128);
    }
}

//! Whether the chain says what the transactions were to bring about: bills are
//! read back and compared.

use super::book::Book;
use crate::workload::Chance;
use anyhow::Result;
use billchain_client::Connection;
use billchain_primitives::{BillKey, BillStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bills asked for in one request.
const PAGE: usize = 250;

/// What was found of the bills.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Bills that final transactions were to change.
    pub(crate) bills: u64,
    /// Of these, read back: all that more than a registration touched, and a
    /// sample of the others.
    pub(crate) checked: u64,
    /// In the status that was expected.
    pub(crate) as_expected: u64,
    /// Not on the chain, though their registration is: must be 0.
    pub(crate) missing: u64,
    /// In another status: "expected, found", with their number.
    pub(crate) otherwise: BTreeMap<String, u64>,
}

/// Reads bills back, at most `most` of those that were only registered.
pub(crate) async fn check(
    book: &Book,
    node: &Connection,
    seed: u64,
    most: usize,
) -> Result<Outcome> {
    let expected = book.expected();
    let mut outcome = Outcome { bills: expected.len() as u64, ..Outcome::default() };
    let chosen = choose(&expected, seed, most);
    for page in chosen.chunks(PAGE) {
        let keys: Vec<(String, String)> =
            page.iter().map(|(key, _)| (key.code.to_string(), key.number.to_string())).collect();
        for ((_, status), bill) in page.iter().zip(node.bills(&keys).await?) {
            outcome.note(*status, bill.map(|bill| bill.status));
        }
    }
    Ok(outcome)
}

/// The bills to read back.
fn choose(
    expected: &BTreeMap<BillKey, BillStatus>,
    seed: u64,
    most: usize,
) -> Vec<(BillKey, BillStatus)> {
    let registered = expected.values().filter(|status| **status == BillStatus::Normal).count();
    let share = most as f64 / registered.max(1) as f64;
    let mut chance = Chance::new(seed, "outcome");
    expected
        .iter()
        .filter(|(_, status)| **status != BillStatus::Normal || chance.happens(share))
        .map(|(key, status)| (*key, *status))
        .collect()
}

impl Outcome {
    fn note(&mut self, expected: BillStatus, found: Option<BillStatus>) {
        self.checked += 1;
        match found {
            Some(found) if found == expected => self.as_expected += 1,
            Some(found) => {
                *self.otherwise.entry(format!("{expected:?}, {found:?}")).or_default() += 1;
            }
            None => self.missing += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_changed_and_a_sample_of_the_others_is_read_back() {
        let key = |number: u32| BillKey {
            code: "31060126".parse().unwrap(),
            number: format!("{number:010}").parse().unwrap(),
        };
        let expected: BTreeMap<_, _> = (0..10_000)
            .map(|number| {
                let status =
                    if number % 100 == 0 { BillStatus::Locked } else { BillStatus::Normal };
                (key(number), status)
            })
            .collect();
        let chosen = choose(&expected, 1, 1_000);
        let locked = chosen.iter().filter(|(_, status)| *status == BillStatus::Locked).count();
        assert_eq!(locked, 100);
        assert!((900..1_100).contains(&(chosen.len() - locked)), "{}", chosen.len());
        assert_eq!(choose(&expected, 1, usize::MAX).len(), expected.len());
    }

    #[test]
    fn what_is_missing_or_otherwise_is_counted_apart() {
        let mut outcome = Outcome::default();
        outcome.note(BillStatus::Normal, Some(BillStatus::Normal));
        outcome.note(BillStatus::Normal, None);
        outcome.note(BillStatus::Locked, Some(BillStatus::Normal));
        assert_eq!((outcome.checked, outcome.as_expected, outcome.missing), (3, 1, 1));
        assert_eq!(outcome.otherwise["Locked, Normal"], 1);
    }
}

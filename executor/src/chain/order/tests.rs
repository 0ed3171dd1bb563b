//! The order against its rules, restated on what comes out.

use super::{Entry, arrange};
use billchain_primitives::{AccountId, BillKey, Hash};
use billchain_runtime::Precedence;
use proptest::prelude::*;

fn key(number: u8) -> BillKey {
    BillKey { code: "31060125".parse().unwrap(), number: format!("{number:010}").parse().unwrap() }
}

/// A transaction of sender `sender` that asks for bills at times.
fn entry(sender: u8, locks: &[(u8, u64)]) -> Entry {
    let locks = locks
        .iter()
        .map(|(bill, signed_at)| {
            let transaction = Hash::repeat_byte(sender);
            (key(*bill), Precedence { signed_at: *signed_at, weight: 1, transaction })
        })
        .collect();
    Entry { sender: AccountId::new([sender; 32]), locks }
}

#[test]
fn contending_locks_are_sorted_and_the_rest_stays() {
    let rows: [(&str, Vec<Entry>, Vec<usize>); 8] = [
        ("nothing", vec![], vec![]),
        ("no locks", vec![entry(1, &[]), entry(2, &[]), entry(1, &[])], vec![0, 1, 2]),
        ("different bills", vec![entry(1, &[(1, 9)]), entry(2, &[(2, 1)])], vec![0, 1]),
        ("in order already", vec![entry(1, &[(1, 1)]), entry(2, &[(1, 2)])], vec![0, 1]),
        (
            "the later one waits, others do not",
            vec![entry(1, &[(1, 9)]), entry(3, &[]), entry(2, &[(1, 1)]), entry(4, &[])],
            vec![1, 2, 0, 3],
        ),
        (
            "the sender's own follow it",
            vec![entry(1, &[(1, 9)]), entry(1, &[]), entry(2, &[]), entry(2, &[(1, 1)])],
            vec![2, 3, 0, 1],
        ),
        (
            "the sender's own precede it",
            vec![entry(1, &[(1, 9)]), entry(2, &[(2, 5)]), entry(2, &[(1, 1)])],
            vec![1, 2, 0],
        ),
        (
            "one that asks twice counts with its best",
            vec![entry(1, &[(1, 5)]), entry(2, &[(1, 9), (1, 1)])],
            vec![1, 0],
        ),
    ];
    for (what, entries, expected) in rows {
        assert_eq!(arrange(&entries), expected, "{what}");
    }
}

#[test]
fn where_two_wait_for_each_other_the_first_goes_first() {
    let entries =
        [entry(1, &[(1, 10)]), entry(1, &[(2, 5)]), entry(2, &[(2, 10)]), entry(2, &[(1, 5)])];
    assert_eq!(arrange(&entries), [0, 1, 2, 3]);
    // What has nothing to do with them is not kept back.
    let mut more = entries.to_vec();
    more.push(entry(3, &[]));
    assert_eq!(arrange(&more), [4, 0, 1, 2, 3]);
}

proptest! {
    #[test]
    fn nothing_is_lost_and_rules_that_can_be_kept_are(
        list in proptest::collection::vec(
            (0_u8..6, proptest::collection::vec((0_u8..4, 0_u64..6), 0..2)), 0..30)
    ) {
        let entries: Vec<_> = list.iter().map(|(sender, locks)| entry(*sender, locks)).collect();
        let order = arrange(&entries);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..entries.len()).collect::<Vec<_>>());
        for (place, index) in order.iter().enumerate() {
            let later = &order[place + 1..];
            prop_assert!(
                later.iter().all(|l| entries[*l].sender != entries[*index].sender || l > index),
                "a sender's transactions keep their order"
            );
        }
    }

    #[test]
    fn with_one_transaction_a_sender_all_contests_are_in_order(
        locks in proptest::collection::vec(proptest::option::of((0_u8..4, 0_u64..6)), 0..30)
    ) {
        let entries: Vec<_> = locks
            .iter()
            .zip(0_u8..)
            .map(|(lock, sender)| entry(sender, lock.as_slice()))
            .collect();
        let order = arrange(&entries);
        for bill in 0..4 {
            let ranks: Vec<_> = order
                .iter()
                .filter_map(|index| Some((*index, locks[*index].filter(|(b, _)| *b == bill)?.1)))
                .map(|(index, signed_at)| (signed_at, index))
                .collect();
            prop_assert!(ranks.is_sorted(), "bill {bill}: {ranks:?}");
        }
    }
}

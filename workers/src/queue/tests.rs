//! What may be told when.

use super::*;
use billchain_primitives::{
    BillKey,
    outbox::{Subject, Topic},
};
use std::time::Duration;

fn entry(bill: u32, previous: Option<u64>) -> Entry {
    let key = BillKey {
        code: "31060126".parse().unwrap(),
        number: format!("{bill:010}").parse().unwrap(),
    };
    Entry {
        topic: Topic::BillReimbursed,
        subject: Subject::Bill(key),
        version: 1,
        scene: None,
        digest: [0; 32],
        previous,
        block: 1,
        extrinsic: None,
        moment: 0,
        status: EntryStatus::Waiting,
        attempts: 0,
        refusals: 0,
        refusal: [0; 32],
    }
}

fn queue(entries: &[(u64, u32, Option<u64>)], now: Instant) -> Queue<u64> {
    let mut queue = Queue::default();
    for (seq, bill, previous) in entries {
        queue.push(*seq, &entry(*bill, *previous), *seq, false, now);
    }
    queue
}

/// Nothing may be told.
const NONE: [u64; 0] = [];

fn seqs(taken: Vec<(u64, u64, u32)>) -> Vec<u64> {
    taken.into_iter().map(|(seq, ..)| seq).collect()
}

#[test]
fn entries_about_one_bill_go_one_after_another() {
    let now = Instant::now();
    let mut queue = queue(&[(1, 7, None), (2, 8, None), (3, 7, Some(1)), (4, 7, Some(3))], now);
    assert_eq!(seqs(queue.take(10, false, now)), [1, 2]);
    assert_eq!(seqs(queue.take(10, false, now)), NONE);
    queue.told(1);
    assert_eq!(seqs(queue.take(10, false, now)), [3], "told is enough");
    queue.done(1);
    assert_eq!(seqs(queue.take(10, false, now)), NONE);
    // The one before comes again: nothing goes past it.
    let later = now + Duration::from_secs(1);
    assert_eq!(queue.failed(3, |_| later), 1);
    assert_eq!(seqs(queue.take(10, false, now)), NONE);
    assert_eq!(seqs(queue.take(10, false, later)), [3]);
    assert_eq!(queue.attempts(3), 2);
    queue.refused(3);
    assert_eq!(seqs(queue.take(10, false, later)), NONE);
    queue.done(3);
    assert_eq!(seqs(queue.take(10, false, later)), [4]);
    assert_eq!(queue.items.len(), 2);
}

#[test]
fn what_is_behind_a_dead_letter_is_not_at_hand() {
    let now = Instant::now();
    let mut queue = Queue::default();
    let dead = Entry { status: EntryStatus::Dead, ..entry(7, None) };
    queue.push(1, &dead, 1_u64, false, now);
    queue.push(2, &entry(7, Some(1)), 2, false, now);
    queue.push(3, &entry(7, Some(2)), 3, false, now);
    queue.push(4, &entry(8, None), 4, false, now);
    assert_eq!((queue.items.len(), queue.last()), (1, Some(4)));
    assert_eq!(seqs(queue.take(10, false, now)), [4]);
}

#[test]
fn what_was_told_before_a_restart_is_not_told_again() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.push(1, &entry(7, None), 1_u64, true, now);
    queue.push(2, &entry(7, Some(1)), 2, false, now);
    assert_eq!(seqs(queue.take(10, false, now)), [2]);
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn in_order_means_all_one_after_another() {
    let now = Instant::now();
    let mut queue = queue(&[(1, 7, None), (2, 8, None), (3, 7, Some(1)), (4, 9, None)], now);
    assert_eq!(seqs(queue.take(3, true, now)), [1, 2, 3]);
    assert_eq!(seqs(queue.take(3, true, now)), NONE, "one batch at a time");
    queue.told(1);
    let later = now + Duration::from_secs(1);
    queue.failed(2, |_| later);
    queue.put_back(3, now);
    assert_eq!(seqs(queue.take(3, true, now)), NONE, "nothing goes past what failed");
    assert_eq!(seqs(queue.take(3, true, later)), [2, 3, 4]);
}

#[test]
fn many_entries_are_told_in_the_order_of_each_bill_whatever_fails() {
    // A small generator, so that a failure can be repeated.
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let now = Instant::now();
    let mut queue = Queue::default();
    let mut last = [None; 5];
    for seq in 1..=500 {
        let bill = random(5) as usize;
        queue.push(seq, &entry(bill as u32, last[bill]), (seq, bill), false, now);
        last[bill] = Some(seq);
    }
    let (mut told, mut under_way) = (vec![Vec::new(); 5], Vec::new());
    while !queue.is_empty() {
        under_way.extend(queue.take(random(4) as usize, false, now));
        if under_way.is_empty() {
            continue;
        }
        let at = random(under_way.len() as u64) as usize;
        let (seq, (_, bill), _) = under_way.swap_remove(at);
        if random(3) == 0 {
            queue.failed(seq, |_| now);
            continue;
        }
        told[bill].push(seq);
        queue.told(seq);
        queue.done(seq);
    }
    assert_eq!(told.iter().map(Vec::len).sum::<usize>(), 500);
    assert!(told.iter().all(|of_bill| of_bill.is_sorted()), "{told:?}");
}

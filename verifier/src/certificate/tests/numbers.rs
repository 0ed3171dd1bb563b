//! Certificates of ranges of numbers, and of issuers' months.

use super::*;
use crate::{
    Kind, Line, Status,
    make::{Cover, Entry, Item},
    place::tests::{Hot, Runs, proven, read},
};
use billchain_primitives::totals::{Month, NumberBlock, Posting, Tally as ChainTally};
use std::format;

pub(super) const CODE: &str = "31060126";
pub(super) const ISSUER: &str = "did:bill:hospital-1";

/// Numbers of the bills that are there, but for two between.
const NUMBERED: core::ops::RangeInclusive<u64> = 98..=312;
const WITHOUT: [u64; 2] = [107, 250];

fn key(number: u64) -> chain::BillKey {
    let number = format!("{number:010}").parse().unwrap();
    chain::BillKey { code: CODE.parse().unwrap(), number }
}

pub(super) fn bills() -> Vec<chain::Bill> {
    let bill = |number: u64| {
        let mut bill = chain_bill(&format!("{number:010}"));
        if number.is_multiple_of(2) {
            bill.summary.issue_date = chain::IssueDate::new(20_261_001).unwrap();
        }
        if number.is_multiple_of(5) {
            bill.state.status = chain::BillStatus::Reimbursed;
        }
        if number == 211 {
            bill.summary.kind = chain::BillKind::Red;
            bill.summary.total = chain::Fen::new(-5_000).unwrap();
        }
        bill
    };
    NUMBERED.filter(|number| !WITHOUT.contains(number)).map(bill).collect()
}

fn raw(pallet: &[u8], map: &[u8], key: &impl codec::Encode) -> Vec<u8> {
    let [pallet, map] = [pallet, map].map(sp_crypto_hashing::twox_128);
    [&pallet[..], &map, &key.encode()].concat()
}

fn month_key(issuer: &str, month: &str) -> Vec<u8> {
    let issuer: chain::Did = issuer.parse().unwrap();
    let month: Month = month.parse().unwrap();
    raw(b"Totals", b"Months", &(issuer, month))
}

fn item_key(item: &Item) -> Vec<u8> {
    let key = key(item.first());
    let [hundred, ten_thousand, million] = NumberBlock::around(&key);
    match item.size() {
        1 => key_of(item.first()),
        100 => raw(b"Totals", b"Numbers", &hundred),
        10_000 => raw(b"Totals", b"Numbers", &ten_thousand),
        _ => raw(b"Totals", b"Numbers", &million),
    }
}

/// The key of the bill with a number.
pub(super) fn key_of(number: u64) -> Vec<u8> {
    raw(b"BillRegister", b"Bills", &key(number))
}

/// The state of a chain with these bills, and the tallies in which they count.
pub(super) fn state(bills: &[chain::Bill]) -> Hot {
    let (mut state, mut tallies) = (Hot::new(), BTreeMap::<Vec<u8>, ChainTally>::new());
    for bill in bills {
        let key = bill.summary.key;
        state.insert(raw(b"BillRegister", b"Bills", &key), bill.encode());
        let month = (bill.summary.issuer.clone(), Month::of(bill.summary.issue_date));
        let blocks = NumberBlock::around(&key).map(|block| raw(b"Totals", b"Numbers", &block));
        for key in blocks.into_iter().chain([raw(b"Totals", b"Months", &month)]) {
            tallies.entry(key).or_default().add(Posting::from(bill)).unwrap();
        }
    }
    state.extend(tallies.into_iter().map(|(key, tally)| (key, tally.encode())));
    state
}

/// The roots of a state, and what it says of a range.
fn numbers_of(state: &Hot, first: u64, last: u64) -> (make::Roots, Body) {
    numbers_over(state, &Runs::default(), first, last)
}

/// The same of a state that has a cold part.
pub(super) fn numbers_over(state: &Hot, runs: &Runs, first: u64, last: u64) -> (make::Roots, Body) {
    let asked: Vec<_> = Cover::new(first, last).map(|item| item_key(&item)).collect();
    let (roots, entries) = proven(state, runs, &asked);
    let [first, last] =
        [first, last].map(|number| format!("{number:010}").into_bytes().try_into().unwrap());
    (roots, Body::Numbers { code: CODE.as_bytes().try_into().unwrap(), first, last, entries })
}

/// The roots of a state, and what it says of an issuer's month.
fn month_of(state: &Hot, issuer: &str, month: &str) -> (make::Roots, Body) {
    let (roots, mut entries) = proven(state, &Runs::default(), &[month_key(issuer, month)]);
    let (issuer, entry) = (issuer.as_bytes().to_vec(), entries.remove(0));
    (roots, Body::Month { issuer, month: month.as_bytes().try_into().unwrap(), entry })
}

pub(super) fn whole((roots, body): (make::Roots, Body)) -> Certificate {
    certified(header(HEAD, None), roots, body)
}

pub(super) fn numbers(first: u64, last: u64) -> Certificate {
    whole(numbers_of(&state(&bills()), first, last))
}

pub(super) fn month(issuer: &str, month: &str) -> Certificate {
    whole(month_of(&state(&bills()), issuer, month))
}

/// A state in which a block counts a bill that is not there.
pub(super) fn crowded() -> Certificate {
    let mut state = state(&bills());
    let block = item_key(&Cover::new(200, 299).next().unwrap());
    let bill = chain_bill("0000000250");
    let mut tally = ChainTally::default();
    (0..101).for_each(|_| tally.add(Posting::from(&bill)).unwrap());
    state.insert(block, tally.encode());
    whole(numbers_of(&state, 98, 301))
}

/// What a body proves of a state, without the signatures.
pub(super) fn judge<'a>(
    body: &'a [u8],
    kind: u8,
    roots: &make::Roots,
) -> Result<Statement<'a>, Refusal> {
    let mut reader = Reader::new(body, "body");
    let found = match kind {
        NUMBERS => totals::numbers(&mut reader, &read(roots))?,
        _ => totals::month(&mut reader, &read(roots))?,
    };
    reader.end()?;
    Ok(found)
}

pub(super) fn bytes(body: &Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    body.put(&mut bytes);
    bytes
}

/// The lines that bills make.
fn lines<'a>(bills: impl Iterator<Item = &'a chain::Bill>) -> Vec<Line> {
    let mut sums = BTreeMap::<(u8, u8), (u64, i128)>::new();
    for bill in bills {
        let sum = sums.entry((bill.summary.kind as u8, bill.state.status as u8)).or_default();
        *sum = (sum.0 + 1, sum.1 + i128::from(bill.summary.total.get()));
    }
    let kinds = [Kind::Blue, Kind::Red, Kind::PaymentNotice];
    let statuses = [Status::PreIssued, Status::Normal, Status::Locked, Status::PartlyReimbursed]
        .into_iter()
        .chain([Status::Reimbursed, Status::RedReversed, Status::Voided]);
    let statuses: Vec<Status> = statuses.collect();
    let line = |((kind, status), (bills, fen)): ((u8, u8), (u64, i128))| Line {
        kind: kinds[usize::from(kind)],
        status: statuses[usize::from(status)],
        bills,
        fen,
    };
    sums.into_iter().map(line).collect()
}

/// Whether a statement is what the bills say.
fn assert_true(statement: &Statement<'_>, bills: &[chain::Bill]) {
    match statement {
        Statement::Numbers { code, first, last, tally, missing } => {
            let (first, last) = (first.parse::<u64>().unwrap(), last.parse::<u64>().unwrap());
            let counted = bills.iter().filter(|bill| {
                let number: u64 = bill.summary.key.number.as_str().parse().unwrap();
                bill.summary.key.code.as_str() == *code && (first..=last).contains(&number)
            });
            assert_eq!(tally.lines(), lines(counted));
            assert_eq!(tally.bills() + missing, last - first + 1);
        }
        Statement::Month { issuer, month, tally } => {
            let counted = bills.iter().filter(|bill| {
                let of = Month::of(bill.summary.issue_date);
                bill.summary.issuer.as_str() == *issuer && of.as_str() == *month
            });
            assert_eq!(tally.lines(), lines(counted));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_range_is_counted_with_its_missing_numbers() {
    let bytes = numbers(98, 312).to_bytes();
    assert!(bytes.len() < 16 << 10, "{} bytes", bytes.len());
    let proved = verify(&bytes, &trusted()).unwrap();
    assert_eq!(proved.block.number, HEAD);
    let Statement::Numbers { code, first, last, ref tally, missing } = proved.statement else {
        panic!("{proved:?}")
    };
    assert_eq!((code, first, last, missing), (CODE, "0000000098", "0000000312", 2));
    assert_eq!(tally.bills(), 213);
    assert_eq!(tally.fen(), 212 * 123_456 - 5_000);
    assert_true(&proved.statement, &bills());
}

#[test]
fn ranges_of_every_shape_are_counted() {
    let (bills, state) = (bills(), state(&bills()));
    for (first, last, missing) in [
        (108, 249, 0),
        (107, 107, 1),
        (100, 100, 0),
        (0, 9_999, 9_999 + 1 - 213),
        (0, 2_999_999, 3_000_000 - 213),
        (313, 400, 88),
        (20_000, 29_999, 10_000),
        (90, 5_010_102, 5_010_102 - 90 + 1 - 213),
    ] {
        let (roots, body) = numbers_of(&state, first, last);
        let body = bytes(&body);
        let statement = judge(&body, NUMBERS, &roots).unwrap();
        assert_true(&statement, &bills);
        let Statement::Numbers { missing: found, .. } = statement else { panic!("{statement:?}") };
        assert_eq!(found, missing, "{first} to {last}");
    }
}

#[test]
fn a_month_is_counted() {
    let bills = bills();
    for (issuer, which, expected) in [
        (ISSUER, "202611", 106),
        (ISSUER, "202610", 107),
        (ISSUER, "202612", 0),
        (ISSUER, "202701", 0),
        ("did:bill:hospital-2", "202611", 0),
    ] {
        let certificate = month(issuer, which).to_bytes();
        let statement = verify(&certificate, &trusted()).unwrap().statement;
        assert_true(&statement, &bills);
        let Statement::Month { tally, .. } = statement else { panic!("{statement:?}") };
        assert_eq!(tally.bills(), expected, "{issuer} {which}");
    }
}

#[test]
fn no_bit_of_what_is_shown_may_be_another() {
    let (bills, state) = (bills(), state(&bills()));
    for ((roots, body), kind, question) in [
        (numbers_of(&state, 98, 301), NUMBERS, 28),
        (numbers_of(&state, 20_000, 20_199), NUMBERS, 28),
        (month_of(&state, ISSUER, "202611"), MONTH, 2 + ISSUER.len() + 6),
        (month_of(&state, ISSUER, "202701"), MONTH, 2 + ISSUER.len() + 6),
    ] {
        let body = bytes(&body);
        for bit in 0..8 * body.len() {
            let mut changed = body.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            match judge(&changed, kind, &roots) {
                Err(_) => {}
                // The same groups may answer another question, and rightly.
                Ok(statement) if bit / 8 < question => assert_true(&statement, &bills),
                Ok(statement) => panic!("bit {bit}: {statement:?}"),
            }
        }
        for end in 0..body.len() {
            assert!(judge(&body[..end], kind, &roots).is_err(), "{end} bytes");
        }
        assert!(judge(&[&body[..], &[0]].concat(), kind, &roots).is_err(), "it goes on");
        let other = make::Roots { hot: [7; 32], runs: Vec::new(), records: [7; 32] };
        assert_eq!(judge(&body, kind, &other), Err(Refusal::State), "another state");
    }
}

/// What is refused about a changed body of the range 98 to 301: its entries are those of 98
/// and 99, of the blocks 100 and 200, and of 300 and 301.
fn refused(change: impl FnOnce(&mut Vec<Entry>)) -> Refusal {
    let (roots, mut body) = numbers_of(&state(&bills()), 98, 301);
    let Body::Numbers { entries, .. } = &mut body else { panic!("another body") };
    assert_eq!(entries.iter().map(|entry| entry.values.len()).collect::<Vec<_>>(), [2, 2, 2]);
    change(entries);
    judge(&bytes(&body), NUMBERS, &roots).unwrap_err()
}

#[test]
fn what_is_dropped_doubled_or_exchanged_is_found_out() {
    let contradicts = |refusal| assert!(matches!(refusal, Refusal::Contradiction { .. }));
    // Bills or blocks that stand in one another's place.
    contradicts(refused(|entries| entries[0].values.swap(0, 1)));
    contradicts(refused(|entries| entries[1].values.swap(0, 1)));
    contradicts(refused(|entries| entries[0].values[1] = entries[0].values[0].clone()));
    contradicts(refused(|entries| entries[0].values[0] = entries[2].values[0].clone()));
    contradicts(refused(|entries| entries[1].values[0] = entries[0].values[0].clone()));
    // A bill that is left out, with its place in the group and without.
    let forget = |entry: &mut Entry| {
        let Place::Hot { group, .. } = &mut entry.place else { panic!("it is there") };
        group.remove(0);
    };
    assert_eq!(
        refused(|entries| {
            forget(&mut entries[0]);
            entries[0].values.remove(0);
        }),
        Refusal::State
    );
    refused(|entries| drop(entries[0].values.remove(1)));
    // Groups of others, left out, or twice.
    assert_eq!(refused(|entries| entries.swap(0, 2)), Refusal::State);
    refused(|entries| drop(entries.remove(1)));
    refused(|entries| entries.insert(1, entries[1].clone()));
    // Numbers are not shown to be free by a neighbour of a group that is there.
    contradicts(refused(|entries| {
        let key = key_of(500);
        let (_, mut others) = proven(&state(&bills()), &Runs::default(), &[key]);
        entries[0] = others.remove(0);
        assert!(matches!(entries[0].place, Place::Nowhere { .. }));
    }));
}

#[test]
fn an_amount_or_a_status_that_is_changed_is_found_out() {
    let total = 123_456_i64.to_le_bytes();
    let at = |value: &[u8]| value.windows(8).position(|bytes| bytes == total).unwrap();
    let contradicts = |refusal| assert!(matches!(refusal, Refusal::Contradiction { .. }));
    contradicts(refused(|entries| {
        let value = &mut entries[0].values[0];
        let at = at(value);
        value[at] += 1;
    }));
    // Of a tally, a digit of its sum and the status of its first line.
    contradicts(refused(|entries| entries[1].values[0][5] ^= 1));
    contradicts(refused(|entries| entries[1].values[0][2] += 1));
    // And of its mark.
    contradicts(refused(|entries| *entries[1].values[0].last_mut().unwrap() ^= 1));
}

#[test]
fn a_block_counts_no_more_bills_than_it_has_numbers() {
    let refusal = refusal(&crowded());
    let what = "a block counts more bills than it has numbers";
    assert_eq!(refusal, Refusal::Contradiction { what });
    // Nor does a bill stand under another's number.
    let mut state = state(&bills());
    let key = key_of(300);
    state.insert(key, chain_bill("0000000305").encode());
    let (roots, body) = numbers_of(&state, 300, 301);
    let what = "a bill stands under another number";
    assert_eq!(judge(&bytes(&body), NUMBERS, &roots), Err(Refusal::Contradiction { what }));
}

#[test]
fn other_ranges_issuers_and_months_are_none() {
    let (roots, body) = numbers_of(&state(&bills()), 98, 301);
    let Body::Numbers { code, first, last, entries } = body else { panic!("another body") };
    for (code, first, last) in [
        (code, last, first),
        (*b"3106012x", first, last),
        (code, *b"00000000 9", last),
        (code, first, *b"00000003\xe5\x85"),
    ] {
        let body = bytes(&Body::Numbers { code, first, last, entries: entries.clone() });
        assert!(matches!(judge(&body, NUMBERS, &roots), Err(Refusal::Malformed { .. })));
    }
    let (roots, body) = month_of(&state(&bills()), ISSUER, "202701");
    let Body::Month { entry, .. } = body else { panic!("another body") };
    let long = format!("did:bill:{}", "x".repeat(56));
    for (issuer, month) in [
        ("did:bill:hospital-1", *b"202700"),
        ("did:bill:hospital-1", *b"202713"),
        ("did:bill:hospital-1", *b"2027-1"),
        ("hospital-1", *b"202701"),
        ("did:bill:hospital 1", *b"202701"),
        // A Cyrillic letter that looks like its Latin one.
        ("did:bill:h\u{43e}spital-1", *b"202701"),
        (long.as_str(), *b"202701"),
    ] {
        let body =
            bytes(&Body::Month { issuer: issuer.as_bytes().to_vec(), month, entry: entry.clone() });
        let found = judge(&body, MONTH, &roots);
        assert!(matches!(found, Err(Refusal::Malformed { .. })), "{issuer}: {found:?}");
    }
}

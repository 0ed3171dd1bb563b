//! What is counted, where it lies, and what a recount finds.

use crate::{Months, Numbers, mock::*};
use billchain_primitives::{
    Bill, BillCode, BillKey,
    BillKind::{self, Blue, PaymentNotice, Red},
    BillStatus::{self, Locked, Normal, PreIssued, RedReversed, Voided},
    BillSummary, Did,
    seams::Totals as _,
    sm3,
    totals::{Line, Month, NumberBlock, Posting, Tally},
};
use billchain_test_support::{blue_bill, date, did, fen, key, red};
use codec::Encode;
use frame::{
    hashing::twox_128,
    testing_prelude::*,
    traits::{Hooks, StorageInfoTrait},
};
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use std::collections::BTreeMap;

/// The blocks that number `number` of the usual code lies in.
fn around(number: u32) -> [NumberBlock; 3] {
    NumberBlock::around(&key(number))
}

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

/// A tally's lines: kind, status, bills, fen.
type Lines = Vec<(BillKind, BillStatus, u64, i128)>;

fn lines(tally: Option<Tally>) -> Lines {
    let line = |line: &Line| (line.kind, line.status, line.bills, line.fen);
    tally.unwrap_or_default().lines().iter().map(line).collect()
}

fn of_block(block: NumberBlock) -> Lines {
    lines(Numbers::<Test>::get(block))
}

fn of_month(issuer: &str, text: &str) -> Lines {
    lines(Months::<Test>::get(did(issuer), month(text)))
}

#[test]
fn a_new_bill_counts_in_its_hundred_its_ten_thousand_its_million_and_its_month() {
    run(|| {
        for number in [12_345, 12_399, 12_400, 20_000, 1_000_000] {
            write(blue_bill(number), Normal);
        }
        for (block, bills) in around(12_345).into_iter().zip([2_u64, 3, 4]) {
            assert_eq!(of_block(block), [(Blue, Normal, bills, i128::from(bills) * 10_000)]);
        }
        assert_eq!(of_month("hospital", "202611"), [(Blue, Normal, 5, 50_000)]);
        // Where there is no bill there is no entry.
        assert_eq!(Numbers::<Test>::iter_keys().count(), 4 + 3 + 2);
        assert_eq!(Months::<Test>::iter_keys().count(), 1);
    });
}

/// Certificates are made and checked by these keys.
#[test]
fn entries_lie_under_fixed_keys() {
    run(|| {
        write(blue_bill(123_456), Normal);
        let prefix = |name: &[u8]| [twox_128(b"Totals"), twox_128(name)].concat();
        let [hundred, ten_thousand, million] = around(123_456);
        for (block, tail) in [
            (hundred, &b"31060125\x0800001234"[..]),
            (ten_thousand, &b"31060125\x06000012"[..]),
            (million, &b"31060125\x040000"[..]),
        ] {
            let key = [prefix(b"Numbers"), tail.to_vec()].concat();
            assert_eq!(Numbers::<Test>::hashed_key_for(block), key);
            let value = frame::deps::sp_io::storage::get(&key).expect("the entry is there");
            let line = [&[0, 1, 1 << 2][..], &10_000_i128.to_le_bytes()].concat();
            let xml = blue_bill(123_456).xml_hash;
            let mark = sm3(&[&[0x06][..], b"310601250000123456", &xml].concat());
            assert_eq!(value[..], [vec![1 << 2], line, mark.to_vec()].concat());
        }
        let months = [prefix(b"Months"), did("hospital").encode(), b"202611".to_vec()].concat();
        assert_eq!(Months::<Test>::hashed_key_for(did("hospital"), month("202611")), months);
        assert_eq!(did("hospital").encode()[1..], *b"did:bill:hospital");
    });
}

#[test]
fn a_change_of_the_status_moves_a_bill_to_another_line() {
    run(|| {
        write(blue_bill(1), Normal);
        write(blue_bill(2), Normal);
        write(blue_bill(1), Locked);
        let expected = [(Blue, Normal, 1, 10_000), (Blue, Locked, 1, 10_000)];
        for block in around(1) {
            assert_eq!(of_block(block), expected);
        }
        assert_eq!(of_month("hospital", "202611"), expected);
        write(blue_bill(2), Locked);
        assert_eq!(of_block(around(1)[0]), [(Blue, Locked, 2, 20_000)]);
    });
}

#[test]
fn red_bills_and_notices_count_under_their_kind() {
    run(|| {
        let blue = blue_bill(1);
        write(blue.clone(), Normal);
        write(blue.clone(), RedReversed);
        write(red(2, &blue), Normal);
        write(BillSummary { kind: PaymentNotice, ..blue_bill(3) }, PreIssued);
        write(BillSummary { total: fen(0), ..blue_bill(4) }, Voided);
        let expected = [
            (Blue, RedReversed, 1, 10_000),
            (Blue, Voided, 1, 0),
            (Red, Normal, 1, -10_000),
            (PaymentNotice, PreIssued, 1, 10_000),
        ];
        assert_eq!(of_block(around(1)[2]), expected);
        assert_eq!(of_month("hospital", "202611"), expected);
    });
}

#[test]
fn issuers_and_months_are_counted_apart_and_codes_too() {
    run(|| {
        let code: BillCode = "31060126".parse().expect("8 digits");
        write(blue_bill(1), Normal);
        write(BillSummary { issuer: did("clinic"), ..blue_bill(2) }, Normal);
        write(BillSummary { issue_date: date(20_261_201), ..blue_bill(3) }, Normal);
        write(BillSummary { key: BillKey { code, ..key(1) }, ..blue_bill(1) }, Normal);
        assert_eq!(of_block(around(1)[0]), [(Blue, Normal, 3, 30_000)]);
        assert_eq!(of_month("hospital", "202611"), [(Blue, Normal, 2, 20_000)]);
        assert_eq!(of_month("hospital", "202612"), [(Blue, Normal, 1, 10_000)]);
        assert_eq!(of_month("clinic", "202611"), [(Blue, Normal, 1, 10_000)]);
    });
}

#[test]
fn what_is_not_counted_writes_nothing() {
    run(|| {
        write(blue_bill(1), Normal);
        let before = bill(blue_bill(1), Normal);
        // Entries that are gone show that nothing puts them back.
        let kept = (Numbers::<Test>::iter().collect::<Vec<_>>(), Months::<Test>::iter().next());
        let _ = Numbers::<Test>::clear(u32::MAX, None);
        let _ = Months::<Test>::clear(u32::MAX, None);
        let same_month = date(20_261_130);
        for summary in [
            blue_bill(1),
            BillSummary { pdf_hash: [3; 32], ..blue_bill(1) },
            BillSummary { issue_date: same_month, ..blue_bill(1) },
        ] {
            Totals::changed(Some(&before), &bill(summary, Normal));
            assert_eq!(Numbers::<Test>::iter_keys().count(), 0);
            assert_eq!(Months::<Test>::iter_keys().count(), 0);
        }
        kept.0.into_iter().for_each(|(block, tally)| Numbers::<Test>::insert(block, tally));
        let (issuer, month, tally) = kept.1.expect("the bill was counted");
        Months::<Test>::insert(issuer, month, tally);
    });
}

#[test]
fn a_bill_of_another_issuer_month_or_total_is_counted_where_it_is() {
    run(|| {
        write(blue_bill(1), Normal);
        write(BillSummary { issue_date: date(20_261_201), ..blue_bill(1) }, Normal);
        assert_eq!(Months::<Test>::iter_keys().count(), 1, "the month without bills is gone");
        assert_eq!(of_month("hospital", "202612"), [(Blue, Normal, 1, 10_000)]);
        assert_eq!(of_block(around(1)[0]), [(Blue, Normal, 1, 10_000)]);
        let elsewhere = BillSummary { issuer: did("clinic"), total: fen(7), ..blue_bill(1) };
        write(elsewhere, Locked);
        assert_eq!(Months::<Test>::iter_keys().count(), 1);
        assert_eq!(of_month("clinic", "202611"), [(Blue, Locked, 1, 7)]);
        assert_eq!(of_block(around(1)[0]), [(Blue, Locked, 1, 7)]);
    });
}

/// Nothing fails: what is there is kept, and a recount finds what is missing.
#[test]
fn a_change_of_a_bill_that_was_not_counted_is_no_refusal() {
    run_without_check(|| {
        write_unsaid(blue_bill(1), Normal);
        write_unsaid(blue_bill(2), Normal);
        assert!(Totals::do_try_state().is_err());
        write(blue_bill(1), Locked);
        assert_eq!(of_block(around(1)[0]), [(Blue, Locked, 1, 10_000)]);
        assert_eq!(of_month("hospital", "202611"), [(Blue, Locked, 1, 10_000)]);
        assert!(Totals::do_try_state().is_err(), "bill 2 is missing");
        // From then on it is counted as any other.
        write(blue_bill(1), Voided);
        assert_eq!(of_block(around(1)[0]), [(Blue, Voided, 1, 10_000)]);
        write(blue_bill(2), Locked);
        assert_ok!(Totals::do_try_state());
    });
}

#[test]
fn a_recount_finds_each_entry_that_is_wrong_missing_or_too_many() {
    type Breakage = fn();
    let changes: [(&str, Breakage); 11] = [
        ("a hundred without its entry", || Numbers::<Test>::remove(around(1)[0])),
        ("ten thousand without their entry", || Numbers::<Test>::remove(around(1)[1])),
        ("a million without its entry", || Numbers::<Test>::remove(around(1)[2])),
        ("a hundred with another tally", || {
            Numbers::<Test>::insert(around(1)[0], Tally::default());
        }),
        ("a hundred with the mark of another original", || {
            let normal = |xml_hash| bill(BillSummary { xml_hash, ..blue_bill(1) }, Normal);
            Numbers::<Test>::mutate(around(1)[0], |tally| {
                let tally = tally.as_mut().expect("it has bills");
                tally.remove(Posting::from(&normal([9; 32]))).expect("it is counted");
                tally.add(Posting::from(&normal([10; 32]))).expect("there is room");
            });
        }),
        ("a hundred without bills", || {
            let tally = Numbers::<Test>::get(around(100)[0]).expect("it has bills");
            Numbers::<Test>::insert(around(500)[0], tally);
        }),
        ("a month without its entry", || {
            Months::<Test>::remove(did("hospital"), month("202611"));
        }),
        ("a month with another tally", || {
            Months::<Test>::insert(did("hospital"), month("202611"), Tally::default());
        }),
        ("a month without bills", || {
            Months::<Test>::insert(did("hospital"), month("202612"), Tally::default());
        }),
        ("a bill that was dropped", || {
            Totals::changed(None, &bill(blue_bill(3), Normal));
        }),
        ("a status that was not said", || write_unsaid(blue_bill(100), Voided)),
    ];
    for (what, change) in changes {
        run_without_check(|| {
            for number in [1, 2, 100, 10_000, 1_000_000] {
                write(blue_bill(number), Normal);
            }
            assert_ok!(Totals::try_state(1));
            change();
            assert!(Totals::try_state(1).is_err(), "{what}");
        });
    }
}

#[test]
fn a_recount_finds_cold_bills_by_the_tallies() {
    let numbers = [1, 2, 99, 100, 10_000, 1_000_000];
    run(|| {
        for number in numbers {
            write(blue_bill(number), Normal);
        }
        // A whole hundred, a part of one, the first and the last.
        for number in [1, 100, 1_000_000] {
            cool(key(number));
        }
        let (mut all, mut cold) = (Vec::new(), Vec::new());
        Totals::for_each_bill(|bill| all.push(bill.summary.key));
        Totals::for_each_cold(|bill| cold.push(bill.summary.key));
        assert_eq!(all, numbers.map(key));
        assert_eq!(cold, [1, 100, 1_000_000].map(key));
        assert!(Totals::has_near(&key(50)) && !Totals::has_near(&key(200)));
        // One that changes comes back, with another status.
        write(blue_bill(100), Locked);
        assert_ok!(Totals::do_try_state());
    });
}

#[test]
fn what_became_of_a_cold_bill_unsaid_is_found() {
    let changes: [(&str, fn()); 3] = [
        ("lost", || lose(key(2))),
        ("another status", || write_unsaid(blue_bill(2), Voided)),
        ("another total", || write_unsaid(BillSummary { total: fen(1), ..blue_bill(2) }, Normal)),
    ];
    for (what, change) in changes {
        run_without_check(|| {
            for number in [1, 2, 3] {
                write(blue_bill(number), Normal);
                cool(key(number));
            }
            assert_ok!(Totals::do_try_state());
            change();
            assert!(Totals::do_try_state().is_err(), "{what}");
        });
    }
}

#[test]
fn integrity_holds_and_entries_are_bounded() {
    Totals::integrity_test();
    let sizes: Vec<_> =
        Totals::storage_info().into_iter().filter_map(|info| info.max_size).collect();
    // Key and value; a DID has 66 bytes at most with its length.
    assert!(sizes.contains(&(17 + 600)) && sizes.contains(&(66 + 6 + 600)), "{sizes:?}");
}

/// One step: the number of the bill, and its status from then on.
fn steps() -> impl Strategy<Value = Vec<(u32, BillStatus)>> {
    let number = prop_oneof![0_u32..5, 98_u32..102, 9_999_u32..10_002, 999_999_u32..1_000_001];
    let status = prop_oneof![Just(PreIssued), Just(Normal), Just(Locked), Just(Voided)];
    proptest::collection::vec((number, status), 1..60)
}

/// What the number says of the bill.
fn summary(number: u32) -> BillSummary {
    let plain = BillSummary { total: fen(i64::from(number) * 3 + 1), ..blue_bill(number) };
    match number % 4 {
        0 => BillSummary { kind: Red, total: plain.total.negated(), ..plain },
        1 => BillSummary { issuer: did("clinic"), ..plain },
        2 => BillSummary { issue_date: date(20_261_001), kind: PaymentNotice, ..plain },
        _ => plain,
    }
}

/// Tallies of blocks and months as texts, from all bills at once.
fn recounted() -> (BTreeMap<String, Lines>, BTreeMap<(Did, String), Lines>) {
    let (mut blocks, mut months) = (BTreeMap::new(), BTreeMap::new());
    for Bill { summary, state, .. } in bills() {
        let count = |lines: &mut Lines| {
            let same = |line: &&mut (BillKind, BillStatus, u64, i128)| {
                (line.0, line.1) == (summary.kind, state.status)
            };
            match lines.iter_mut().find(same) {
                Some(line) => *line = (line.0, line.1, line.2 + 1, line.3 + fen_of(&summary)),
                None => lines.push((summary.kind, state.status, 1, fen_of(&summary))),
            }
            lines.sort_by_key(|line| (line.0 as u8, line.1 as u8));
        };
        for digits in [4, 6, 8] {
            let number = &summary.key.number.as_str()[..digits];
            count(blocks.entry(format!("{} {number}", summary.key.code)).or_default());
        }
        let month = (summary.issue_date.get() / 100).to_string();
        count(months.entry((summary.issuer.clone(), month)).or_default());
    }
    (blocks, months)
}

fn fen_of(summary: &BillSummary) -> i128 {
    summary.total.get().into()
}

proptest! {
    #[test]
    fn whatever_happens_to_bills_the_totals_are_those_of_a_recount(steps in steps()) {
        run(|| {
            for (number, status) in steps {
                write(summary(number), status);
            }
            let (blocks, months) = recounted();
            let found: BTreeMap<_, _> = Numbers::<Test>::iter()
                .map(|(block, tally)| {
                    (format!("{} {}", block.code, block.prefix.as_str()), lines(Some(tally)))
                })
                .collect();
            assert_eq!(found, blocks);
            let found: BTreeMap<_, _> = Months::<Test>::iter()
                .map(|(issuer, month, tally)| ((issuer, month.to_string()), lines(Some(tally))))
                .collect();
            assert_eq!(found, months);
        });
    }
}

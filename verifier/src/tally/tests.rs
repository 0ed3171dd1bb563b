use super::*;
use billchain_primitives::{BillKind, BillStatus, totals};
use codec::Encode as _;
use std::vec;

fn line(kind: BillKind, status: BillStatus, bills: u64, fen: i128) -> totals::Line {
    totals::Line { kind, status, bills, fen }
}

/// Lines as the chain writes them in a tally.
fn encoded(lines: &[totals::Line]) -> Vec<u8> {
    (lines, [7_u8; 32]).encode()
}

#[test]
fn the_chain_and_the_checker_read_one_form() {
    let bill = crate::bill::tests::chain_bill("0000000007");
    let mut counted = totals::Tally::default();
    counted.add((&bill).into()).unwrap();
    let bytes = counted.encode();
    let total = i128::from(bill.summary.total.get());
    assert_eq!(Tally::read(&bytes).unwrap().fen(), total);
    assert_eq!(bytes.len(), 20 + 32);
}

#[test]
fn a_tally_is_read_as_the_chain_writes_it() {
    let (blue, red) = (BillKind::Blue, BillKind::Red);
    let bytes = encoded(&[
        line(blue, BillStatus::Normal, 1, 123_456),
        line(blue, BillStatus::Voided, 70_000, -1),
        line(red, BillStatus::Normal, (1 << 33) + 5, -(1 << 90)),
    ]);
    let tally = Tally::read(&bytes).unwrap();
    let shown: Vec<_> = tally.lines().iter().map(|l| (l.kind, l.status, l.bills, l.fen)).collect();
    let expected = [
        (Kind::Blue, Status::Normal, 1, 123_456),
        (Kind::Blue, Status::Voided, 70_000, -1),
        (Kind::Red, Status::Normal, (1 << 33) + 5, -(1 << 90)),
    ];
    assert_eq!(shown, expected);
    assert_eq!(tally.bills(), (1 << 33) + 70_006);
    assert_eq!(tally.fen(), 123_455 - (1 << 90));
    for end in 0..bytes.len() {
        assert!(Tally::read(&bytes[..end]).is_err(), "{end} bytes");
    }
    assert!(Tally::read(&[&bytes[..], &[0]].concat()).is_err(), "it goes on");
}

#[test]
fn numbers_of_bills_have_one_form() {
    let of = |bills: u64| encoded(&[line(BillKind::Blue, BillStatus::Normal, bills, 0)]);
    for bills in [1, 63, 64, 16_383, 1 << 14, 1 << 30, 1 << 32, 1 << 40, 1 << 56, u64::MAX] {
        assert_eq!(Tally::read(&of(bills)).unwrap().bills(), bills);
    }
    // Of 2^40: 0x0b and six bytes; a seventh that is zero, and eight more, are other forms.
    let mut longer = of(1 << 40);
    assert_eq!(longer[3], 0x0b);
    longer[3] = 0x0f;
    longer.insert(10, 0);
    assert!(Tally::read(&longer).is_err());
    longer[3] = 0x17;
    assert!(Tally::read(&longer).is_err());
}

#[test]
fn a_tally_has_one_form() {
    let one = line(BillKind::Blue, BillStatus::Normal, 1, 5);
    let other = line(BillKind::Blue, BillStatus::Locked, 1, 5);
    for (lines, words) in [
        (vec![], "no line"),
        (vec![other, one], "out of order"),
        (vec![one, one], "out of order"),
        (vec![line(BillKind::Blue, BillStatus::Normal, 0, 5)], "counts no bill"),
        (vec![one; 22], "more than 21"),
    ] {
        let error = Tally::read(&encoded(&lines)).unwrap_err();
        assert!(std::format!("{error}").contains(words), "{error}");
    }
    let mut bytes = encoded(&[one]);
    bytes[1] = 3;
    assert!(Tally::read(&bytes).is_err(), "an unknown kind");
    (bytes[1], bytes[2]) = (0, 7);
    assert!(Tally::read(&bytes).is_err(), "an unknown status");
}

#[test]
fn sums_that_are_too_large_are_refused() {
    let line = |bills, fen| Line { kind: Kind::Blue, status: Status::Normal, bills, fen };
    let mut tally = Tally::default();
    tally.add(&line(u64::MAX, i128::MAX)).unwrap();
    assert!(tally.add(&line(1, 0)).is_err());
    assert!(tally.add(&line(0, 1)).is_err());
    tally.add(&line(0, -1)).unwrap();
    assert_eq!((tally.lines().len(), tally.fen()), (1, i128::MAX - 1));
    let other = Line { kind: Kind::Red, ..line(1, 0) };
    assert!(tally.add(&other).is_err(), "in all");
    let both = encoded(&[
        totals::Line { kind: BillKind::Blue, status: BillStatus::Normal, bills: u64::MAX, fen: 0 },
        totals::Line { kind: BillKind::Red, status: BillStatus::Normal, bills: 1, fen: 0 },
    ]);
    assert!(Tally::read(&both).is_err());
}

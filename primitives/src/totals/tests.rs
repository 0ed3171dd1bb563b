use super::*;

fn posting(kind: BillKind, status: BillStatus, fen: i64) -> Posting {
    Posting { kind, status, total: Fen::new(fen).unwrap(), share: [0x11; 32] }
}

fn normal(fen: i64) -> Posting {
    posting(BillKind::Blue, BillStatus::Normal, fen)
}

fn tally(postings: &[Posting]) -> Tally {
    let mut tally = Tally::default();
    postings.iter().for_each(|posting| tally.add(*posting).unwrap());
    tally
}

fn key(code: &str, number: &str) -> BillKey {
    BillKey { code: code.parse().unwrap(), number: number.parse().unwrap() }
}

/// Certificates and their checkers read these bytes.
#[test]
fn tallies_are_encoded_line_by_line() {
    let mut tally = tally(&[
        posting(BillKind::Red, BillStatus::Normal, -5),
        normal(0x0102_0304),
        normal(0x1000_0000),
        posting(BillKind::Blue, BillStatus::Voided, 0),
    ]);
    let first = [
        // A blue bill (0), normal (1), 2 bills.
        &[0, 1, 2 << 2][..],
        &[0x04, 0x03, 0x02, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let voided = [&[0, 6, 1 << 2][..], &[0; 16]].concat();
    let red = [&[1, 1, 1 << 2, 0xfb][..], &[0xff; 15]].concat();
    // Of four equal shares nothing is left; the last 32 bytes are the mark.
    let lines = [vec![3 << 2], first, voided, red].concat();
    assert_eq!(tally.encode(), [&lines[..], &[0; 32]].concat());
    let other = Posting { share: sm3(b"other"), ..normal(0) };
    tally.add(other).unwrap();
    assert_eq!(tally.encode()[lines.len()..], other.share);
    assert_eq!(Tally::decode(&mut &tally.encode()[..]), Ok(tally.clone()));
    tally.remove(other).unwrap();
    assert_eq!(Tally::default().encode(), [0; 33]);

    // Counts are compact.
    (2..64).for_each(|_| tally.add(normal(0)).unwrap());
    assert_eq!(tally.encode()[3..5], [0x01, 0x01], "64 bills");
}

#[test]
fn keys_are_encoded_without_lengths() {
    let [hundred, ten_thousand, million] = NumberBlock::around(&key("31060126", "0123456789"));
    assert_eq!(hundred.encode(), b"31060126\x0801234567");
    assert_eq!(ten_thousand.encode(), b"31060126\x06012345");
    assert_eq!(million.encode(), b"31060126\x040123");
    for block in [hundred, ten_thousand, million] {
        assert_eq!(NumberBlock::decode(&mut &block.encode()[..]), Ok(block));
    }
    let date = IssueDate::new(20_261_130).unwrap();
    assert_eq!(Month::of(date).encode(), b"202611");
    assert_eq!(Month::decode(&mut &b"202611"[..]), Ok(Month::of(date)));
}

#[test]
fn blocks_are_ordered_as_their_encodings() {
    let mut blocks: Vec<_> = ["0000000000", "0000000100", "0000010000", "0123456789", "9999999999"]
        .into_iter()
        .flat_map(|number| {
            ["31060126", "31060125"].map(|code| NumberBlock::around(&key(code, number)))
        })
        .flatten()
        .collect();
    blocks.sort();
    assert!(blocks.is_sorted_by_key(Encode::encode));
}

#[test]
fn what_is_no_block_and_no_month_does_not_decode() {
    for bytes in [
        &b"31060126\x080123456"[..],
        b"31060126\x080123456x",
        b"31060126\x0a0123456789",
        b"31060126\x07\x30123456",
        b"31060126\x20\x30\x31\x32\x33\x34\x35\x36\x37",
        b"3106012x\x040123",
        b"31060126",
    ] {
        assert!(NumberBlock::decode(&mut &bytes[..]).is_err(), "{}", bytes.escape_ascii());
    }
    for bytes in [b"202600", b"202613", b"199912", b"300001", b"20261x", b"2x2611"] {
        assert!(Month::decode(&mut &bytes[..]).is_err(), "{}", bytes.escape_ascii());
    }
    assert!(Month::decode(&mut &b"20261"[..]).is_err(), "truncated");
    for (date, month) in [(20_000_101, "200001"), (29_991_231, "299912")] {
        assert_eq!(Month::of(IssueDate::new(date).unwrap()).as_str(), month);
    }
}

#[test]
fn a_tally_has_one_form() {
    let line =
        |kind: u8, status: u8, bills: u8| [&[kind, status, bills << 2, 1][..], &[0; 15]].concat();
    let decoded = |lines: &[Vec<u8>]| {
        let bytes = [vec![(lines.len() as u8) << 2], lines.concat(), vec![7; 32]].concat();
        Tally::decode(&mut &bytes[..])
    };
    assert!(decoded(&[line(0, 1, 1), line(0, 2, 1), line(1, 0, 1)]).is_ok());
    for (what, lines) in [
        ("a line of no bill", vec![line(0, 1, 0)]),
        ("a line twice", vec![line(0, 1, 1), line(0, 1, 1)]),
        ("statuses out of order", vec![line(0, 2, 1), line(0, 1, 1)]),
        ("kinds out of order", vec![line(1, 0, 1), line(0, 1, 1)]),
        ("no kind", vec![line(3, 0, 1)]),
        ("no status", vec![line(0, 7, 1)]),
        ("a mark of no bills", Vec::new()),
        ("more lines than there may be", vec![line(0, 1, 1); 22]),
    ] {
        assert!(decoded(&lines).is_err(), "{what}");
    }
    let whole = tally(&[normal(1), posting(BillKind::Red, BillStatus::Normal, -1)]).encode();
    for length in 0..whole.len() {
        assert!(Tally::decode(&mut &whole[..length]).is_err(), "{length} bytes");
    }
    // 64 as four bytes, which one less would do for.
    let long = [&[1 << 2, 0, 1, 0x02, 0x01, 0, 0][..], &[0; 16 + 32]].concat();
    assert!(Tally::decode(&mut &long[..]).is_err(), "a count that is longer than it need be");
}

#[test]
fn every_kind_and_status_has_its_line_and_the_last_bill_takes_it_along() {
    let all: Vec<Posting> = BillKind::ALL
        .into_iter()
        .flat_map(|kind| BillStatus::ALL.map(|status| posting(kind, status, -7)))
        .collect();
    let mut full = Tally::default();
    // In no order, and each twice.
    for posting in all.iter().rev().chain(&all) {
        full.add(*posting).unwrap();
    }
    assert_eq!(full.lines().len(), MAX_LINES as usize);
    assert!(full.lines().iter().all(|line| (line.bills, line.fen) == (2, -14)));
    assert!(full.lines().is_sorted_by_key(Line::place));
    // A count of 64 bits takes 9 bytes at most.
    assert_eq!(Tally::max_encoded_len(), 1 + 21 * 27 + 32);
    for posting in all.iter().chain(&all) {
        full.remove(*posting).unwrap();
    }
    assert!(full.is_empty());
    assert_eq!(full, Tally::default());
}

#[test]
fn what_cannot_be_counted_changes_nothing() {
    type Change = fn(&mut Tally) -> Result<(), TallyProblem>;
    let counted = tally(&[normal(100)]);
    let refused = |before: &Tally, change: Change| {
        let mut tally = before.clone();
        let problem = change(&mut tally).unwrap_err();
        assert_eq!(tally, *before, "{problem}");
        problem
    };
    let locked = |tally: &mut Tally| tally.remove(posting(BillKind::Blue, BillStatus::Locked, 100));
    assert_eq!(refused(&counted, locked), TallyProblem::NotCounted);
    assert_eq!(refused(&Tally::default(), |t| t.remove(normal(0))), TallyProblem::NotCounted);
    let other = refused(&counted, |t| t.remove(normal(99)));
    assert_eq!(other, TallyProblem::Remainder { fen: 1 });

    let edge = |bills, fen| {
        let line = Line { kind: BillKind::Blue, status: BillStatus::Normal, bills, fen };
        Tally::decode(&mut &(vec![line], [0_u8; 32]).encode()[..]).unwrap()
    };
    let cases: [(Tally, Change); 5] = [
        (edge(u64::MAX, 0), |t| t.add(normal(1))),
        (edge(1, i128::MAX), |t| t.add(normal(1))),
        (edge(1, i128::MIN), |t| t.add(normal(-1))),
        (edge(2, i128::MIN), |t| t.remove(normal(1))),
        (edge(2, i128::MAX), |t| t.remove(normal(-1))),
    ];
    for (before, change) in cases {
        assert_eq!(refused(&before, change), TallyProblem::Overflow);
    }
}

#[test]
fn a_mark_is_made_of_all_bills_in_whatever_order_and_goes_with_them() {
    let bill = |number: u8| Posting { share: sm3(&[number]), ..normal(5) };
    let mark = |tally: &Tally| <[u8; 32]>::try_from(&tally.encode()[20..]).unwrap();
    let (one, two) = (tally(&[bill(1)]), tally(&[bill(1), bill(2)]));
    assert_eq!(mark(&one), sm3(&[1]));
    assert_ne!(mark(&two), mark(&tally(&[bill(1), bill(3)])));
    assert_eq!(two, tally(&[bill(2), bill(1)]));
    let mut left = two;
    left.remove(bill(2)).unwrap();
    assert_eq!(left, one);
    // A bill of another status has the same share; it moves from line to line.
    let locked = Posting { status: BillStatus::Locked, ..bill(1) };
    left.remove(bill(1)).unwrap();
    assert_eq!(left, Tally::default());
    left.add(locked).unwrap();
    assert_eq!(mark(&left), mark(&one));
}

#[test]
fn a_block_is_shown_as_the_numbers_that_it_has() {
    let shown = NumberBlock::around(&key("31060126", "0123456789")).map(|block| block.to_string());
    assert_eq!(shown, ["31060126-01234567xx", "31060126-012345xxxx", "31060126-0123xxxxxx"]);
}

proptest::proptest! {
    /// Whatever is decoded is written back as it was.
    #[test]
    fn foreign_bytes_decode_to_what_encodes_alike(
        postings in proptest::collection::vec((0_usize..3, 0_usize..7, -100_i64..100), 1..20),
        at in 0_usize..600,
        byte in 0_u8..=255,
    ) {
        let postings: Vec<_> = postings
            .into_iter()
            .map(|(kind, status, fen)| posting(BillKind::ALL[kind], BillStatus::ALL[status], fen))
            .collect();
        let mut bytes = tally(&postings).encode();
        proptest::prop_assert_eq!(Tally::decode(&mut &bytes[..]), Ok(tally(&postings)));
        let at = at % bytes.len();
        bytes[at] = byte;
        let mut input = &bytes[..];
        if let Ok(tally) = Tally::decode(&mut input) {
            let read = bytes.len() - input.len();
            proptest::prop_assert_eq!(tally.encode(), &bytes[..read]);
        }
    }
}

use super::*;
use codec::{Decode, Encode, MaxEncodedLen};

#[test]
fn codes_hold_only_their_characters() {
    assert!("31060126".parse::<BillCode>().is_ok());
    for bad in ["3106012", "310601260", "3106012x", "３１０６０１２６", ""] {
        let error = bad.parse::<BillCode>().unwrap_err();
        assert_eq!(error.expected, "8 digits", "{bad}");
    }
    assert!("aZ09bY".parse::<CheckCode>().is_ok());
    assert!("aZ09b-".parse::<CheckCode>().is_err());
    assert!(BillCode::decode(&mut &b"3106012x"[..]).is_err());
    assert!(BillNumber::decode(&mut &b"012345678"[..]).is_err(), "truncated");
}

#[test]
fn money_is_read_and_written_in_yuan_with_two_decimals() {
    for (text, fen) in [("0.00", 0), ("12.34", 1234), ("-0.05", -5), ("999999999999.99", Fen::MAX)]
    {
        let parsed: Fen = text.parse().unwrap();
        assert_eq!(parsed.get(), fen);
        assert_eq!(parsed.to_string(), text);
    }
    for bad in
        ["", "1", "1.0", "1.000", "1,00.00", "+1.00", "--1.00", "1000000000000.00", "一.00", ".50"]
    {
        assert!(bad.parse::<Fen>().is_err(), "{bad}");
    }
    assert!(Fen::decode(&mut &(Fen::MAX + 1).encode()[..]).is_err());
    assert_eq!(Fen::new(Fen::MAX).unwrap().checked_add(Fen::new(1).unwrap()), None);
}

#[test]
fn an_amount_has_one_form() {
    for bad in
        ["-0.00", "00100.00", "01.00", "00.00", "-00.01", "-01.00", "0 .00", " 1.00", "1.00\n"]
    {
        let error = bad.parse::<Fen>().unwrap_err();
        assert!(error.expected.contains("no leading zeros, no sign at zero"), "{bad}: {error}");
    }
    for fen in [0, 5, -5, 100, -100, 10_000, Fen::MAX, -Fen::MAX] {
        let amount = Fen::new(fen).unwrap();
        assert_eq!(amount.to_string().parse::<Fen>(), Ok(amount));
    }
}

#[test]
fn dates_are_real_ones() {
    for (number, valid) in [
        (20240229, true),
        (20230229, false),
        (21000229, false),
        (20000229, true),
        (20261131, false),
        (20261301, false),
        (20260100, false),
        (19991231, false),
        (30000101, false),
    ] {
        assert_eq!(IssueDate::new(number).is_ok(), valid, "{number}");
        assert_eq!(IssueDate::decode(&mut &number.encode()[..]).is_ok(), valid, "{number}");
    }
    for (number, valid) in
        [(0, true), (235959, true), (240000, false), (236000, false), (60, false)]
    {
        assert_eq!(IssueTime::new(number).is_ok(), valid, "{number}");
    }
}

#[test]
fn days_count_from_the_epoch_in_beijing_time() {
    assert_eq!(IssueDate::new(20000101).unwrap().days(), 10_957);
    assert_eq!(IssueDate::new(20240229).unwrap().days(), 19_782);
    // 2026-11-23T16:00:00Z is midnight of the 24th in UTC+8.
    let midnight = 1_795_449_600_000;
    assert_eq!(IssueDate::days_of_moment(midnight), IssueDate::new(20261124).unwrap().days());
    assert_eq!(IssueDate::days_of_moment(midnight - 1), IssueDate::new(20261123).unwrap().days());
}

#[test]
fn uscc_check_digit_follows_gb_32100() {
    // The worked example of the standard's public descriptions.
    assert!("91350100M000100Y43".parse::<Uscc>().unwrap().has_valid_check_digit());
    assert!(!"91350100M000100Y44".parse::<Uscc>().unwrap().has_valid_check_digit());
    assert!("91350100I000100Y43".parse::<Uscc>().is_err(), "I is not in the alphabet");
}

#[test]
fn a_code_has_parts() {
    let code: BillCode = "31060225".parse().unwrap();
    let parts = [code.region(), code.class(), code.kind()].map(|part| part.to_string());
    assert_eq!(parts, ["31", "06", "02"]);
}

#[test]
fn a_summary_is_compact() {
    assert!(BillSummary::max_encoded_len() <= 400, "{}", BillSummary::max_encoded_len());
}

#[test]
fn numbers_come_one_before_the_other() {
    let before = |number: &str| {
        let number: BillNumber = number.parse().unwrap();
        number.before().map(|before| before.to_string())
    };
    for (number, expected) in [
        ("0000000001", "0000000000"),
        ("0000000120", "0000000119"),
        ("1000000000", "0999999999"),
        ("9999999999", "9999999998"),
    ] {
        assert_eq!(before(number).as_deref(), Some(expected));
    }
    assert_eq!(before("0000000000"), None);
}

#[test]
fn the_longest_receipt_has_the_length_that_is_stated() {
    let filled_in = crate::SummaryFields::NONE;
    let operation = crate::Operation::Register;
    let receipt = Receipt { operation, block: u32::MAX, extrinsic: u32::MAX, filled_in };
    assert_eq!(receipt.encoded_size(), Receipt::max_encoded_len());
}

#[test]
fn errors_show_what_was_found_without_control_characters() {
    let error = "31\n6012\u{7}".parse::<BillCode>().unwrap_err();
    assert!(error.to_string().contains("31\\n6012"), "{error}");
    let long = "9".repeat(500);
    assert!(long.parse::<BillCode>().unwrap_err().found.len() < 100);
}

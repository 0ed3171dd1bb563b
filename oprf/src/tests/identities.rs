//! Identity numbers: one form each, and the rules of GB 11643 and GB 32100.

use crate::{IdType, Identity, IdentityError};

fn passport() -> IdType {
    IdType::new("02").unwrap()
}

#[test]
fn one_identity_has_one_form_however_it_is_written() {
    let resident = IdType::RESIDENT_CARD;
    // (type, written, canonical)
    let table = [
        (resident, "000000198803120011", "000000198803120011"),
        (resident, "  00000019620718006x\n", "00000019620718006X"),
        (resident, "０００００019620718006Ｘ", "00000019620718006X"),
        (resident, "\u{3000}00000019620718006X", "00000019620718006X"),
        (resident, "000000620718006", "00000019620718006X"),
        (resident, "000000880312001", "000000198803120011"),
        (IdType::UNIFIED_CREDIT_CODE, "91350100m000100y43", "91350100M000100Y43"),
        (passport(), "e 1234-5678", "E12345678"),
        (passport(), "Ｅ12345678", "E12345678"),
    ];
    for (id_type, written, canonical) in table {
        let identity = Identity::new(id_type, written).unwrap_or_else(|e| panic!("{written}: {e}"));
        let expected = format!("BillChain payer reference 1:{id_type}{canonical}");
        assert_eq!(identity.input(), expected.as_bytes(), "{written}");
        assert_eq!(identity.id_type(), id_type);
    }
}

#[test]
fn each_broken_rule_is_told_and_the_number_is_not() {
    let resident = IdType::RESIDENT_CARD;
    let credit = IdType::UNIFIED_CREDIT_CODE;
    // (type, number, part of the message)
    let table = [
        (resident, "", "0 characters, expected 18"),
        (resident, "00000019880312001", "17 characters"),
        (resident, "00000019880312001A", "character 18"),
        (resident, "0000001988O3120011", "character 11"),
        (resident, "X00000198803120011", "character 1 "),
        (resident, "000000198802300015", "no date"),
        (resident, "000000198813120015", "no date"),
        (resident, "000000190002290012", "no date"),
        (resident, "000000198803120015", "check digit"),
        (resident, "000000196207180061", "check digit"),
        (resident, "000000880230001", "no date"),
        (credit, "91350100M000100Y44", "check digit"),
        (credit, "91350100I000100Y43", "character 9"),
        (credit, "91350100M000100Y4", "17 characters"),
        (credit, "上海350100M000100Y43", "character 1 "),
        (passport(), " - ", "0 characters"),
        (passport(), "E1234/678", "character 6"),
        (passport(), "E12345678901234567890123456789012", "33 characters"),
    ];
    for (id_type, number, expected) in table {
        let error = Identity::new(id_type, number).unwrap_err().to_string();
        assert!(error.contains(expected), "{number}: {error}");
        assert!(number.trim().len() < 4 || !error.contains(number), "{error}");
    }
    let long = "1".repeat(70);
    let error = Identity::new(passport(), &long).unwrap_err();
    assert!(matches!(error, IdentityError::Length { found: 65, .. }), "{error}");
}

#[test]
fn every_wrong_digit_and_every_exchange_of_neighbours_is_found() {
    for (id_type, number) in [
        (IdType::RESIDENT_CARD, "000000198803120011"),
        (IdType::UNIFIED_CREDIT_CODE, "91350100M000100Y43"),
    ] {
        assert!(Identity::new(id_type, number).is_ok());
        let bytes = number.as_bytes();
        for at in 0..18 {
            for digit in b'0'..=b'9' {
                let mut changed = bytes.to_vec();
                changed[at] = digit;
                let text = String::from_utf8(changed).unwrap();
                assert_eq!(Identity::new(id_type, &text).is_ok(), text == number, "{text}");
            }
            if at > 0 {
                let mut changed = bytes.to_vec();
                changed.swap(at - 1, at);
                let text = String::from_utf8(changed).unwrap();
                assert_eq!(Identity::new(id_type, &text).is_ok(), text == number, "{text}");
            }
        }
    }
}

#[test]
fn a_type_is_two_digits() {
    assert_eq!(IdType::new("01"), Ok(IdType::RESIDENT_CARD));
    for wrong in ["", "1", "001", "0a", "０１", "-1"] {
        assert_eq!(IdType::new(wrong), Err(IdentityError::Type), "{wrong}");
    }
}

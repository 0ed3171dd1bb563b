//! The rule "chain first, then time", row by row.

use super::*;

/// A bill of the chain.
fn here(status: &str, version: u32, reimbursed_fen: i64, updated: Moment) -> BillView {
    serde_json::from_value(json!({
        "code": "31060125", "number": "0000000001", "check_code": "a1B2c3", "kind": "blue",
        "issue_date": 20_260_101, "issue_time": 93_000, "total_fen": 10_000,
        "issuer": "did:bill:hospital", "issuer_uscc": "12310000425006133D",
        "payer_type": "person", "payer_ref": format!("0x{}", "07".repeat(32)), "scene": 1,
        "biz_no_hash": format!("0x{}", "08".repeat(32)),
        "xml_hash": format!("0x{}", "09".repeat(32)), "pdf_hash": null, "location_hash": null,
        "related": null, "status": status, "version": version,
        "version_hash": format!("0x{}", "0a".repeat(32)), "lock": null, "reimbursements": [],
        "reimbursed_fen": reimbursed_fen, "updated": updated,
        "registration": {
            "block": 1, "extrinsic": 1, "operation": "register",
            "content_hash": format!("0x{}", "0b".repeat(32)),
        },
    }))
    .expect("the view of a bill")
}

fn there(status: &str, version: u32, reimbursed_fen: i64, changed: Moment) -> OldBill {
    OldBill {
        bill_code: "31060125".to_owned(),
        bill_number: "0000000001".to_owned(),
        status: status.to_owned(),
        version,
        total_fen: 10_000,
        reimbursed_fen,
        issue_date: "20260101".to_owned(),
        changed,
    }
}

#[test]
fn the_chain_is_right_and_time_says_what_is_on_its_way() {
    let now = 1_000_000;
    let grace = 600;
    let old = now - 10_000;
    let (equal, way, repair, later) = ("equal", "on its way", "repair", "repair, later there");
    for (what, here, there, expected) in [
        ("the same", here("locked", 2, 0, old), Some(there("locked", 2, 0, old)), equal),
        (
            "the same state at another version",
            here("normal", 5, 0, old),
            Some(there("normal", 1, 0, old)),
            equal,
        ),
        ("told a moment ago", here("locked", 2, 0, now - 1), Some(there("normal", 1, 0, old)), way),
        ("told too long ago", here("locked", 2, 0, old), Some(there("normal", 1, 0, old)), repair),
        (
            "just at the grace",
            here("locked", 2, 0, now - grace),
            Some(there("normal", 1, 0, old)),
            repair,
        ),
        (
            "another amount",
            here("partly_reimbursed", 3, 70, old),
            Some(there("partly_reimbursed", 3, 60, old)),
            repair,
        ),
        (
            "changed there by hand, later",
            here("locked", 2, 0, old),
            Some(there("normal", 2, 0, now)),
            later,
        ),
        (
            "changed there by hand, and new here",
            here("locked", 2, 0, now - 1),
            Some(there("normal", 2, 0, now)),
            later,
        ),
        ("it lacks the bill", here("normal", 1, 0, old), None, repair),
        ("it lacks a new bill", here("normal", 1, 0, now), None, way),
    ] {
        let verdict = judge(&here, there.as_ref(), now, grace);
        let found = match &verdict {
            Verdict::Equal => equal,
            Verdict::OnItsWay => way,
            Verdict::Repair(difference) if difference.later_there => later,
            Verdict::Repair(_) => repair,
        };
        assert_eq!(found, expected, "{what}: {verdict:?}");
    }
}

#[test]
fn a_key_of_the_state_is_a_bill_and_back() {
    let key = storage_key("31060125-0000000042").unwrap();
    let expected = ("31060125".to_owned(), "0000000042".to_owned());
    assert_eq!(bill_of_storage_key(&hex0x(&key)), Some(expected));
    assert!(storage_key("31060125-0000000043").unwrap() > key, "keys are in the order of numbers");
    for bad in ["", "0x", "0x00", "31060125", &hex0x(&key)[..80], &format!("{}00", hex0x(&key))] {
        assert_eq!(bill_of_storage_key(bad), None, "{bad}");
    }
    assert!(storage_key("31060125").is_err());
}

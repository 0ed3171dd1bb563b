//! Twins of the vectors, and texts that are none.

use super::*;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn vectors(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../verifier/vectors").join(name)
}

/// The certificates of the vectors that prove something, by their names.
fn good() -> BTreeMap<String, Vec<u8>> {
    let text = fs::read_to_string(vectors("certificates.json")).unwrap();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    let good = all.iter().filter(|vector| !vector["proves"].is_null());
    good.map(|vector| {
        let bytes = hex::decode(vector["certificate"].as_str().unwrap()).unwrap();
        (vector["name"].as_str().unwrap().to_owned(), bytes)
    })
    .collect()
}

fn twin(bytes: &[u8]) -> Value {
    serde_json::from_str(&to_json(bytes).unwrap()).unwrap()
}

fn back(twin: &Value) -> Result<Vec<u8>, TwinError> {
    from_json(twin.to_string().as_bytes())
}

/// What is wrong with the twin of a bill's certificate after a change.
fn refusal(change: fn(&mut Value)) -> String {
    let mut twin = twin(&good()["a bill that was made before"]);
    change(&mut twin);
    back(&twin).unwrap_err().to_string()
}

#[test]
fn each_vector_has_the_twin_that_is_kept() {
    let all: BTreeMap<String, Value> =
        good().into_iter().map(|(name, bytes)| (name, twin(&bytes))).collect();
    let kinds: Vec<&str> =
        all.values().filter_map(|twin| twin["certificate"]["kind"].as_str()).collect();
    for kind in ["bill", "no_bill", "numbers", "month", "version"] {
        assert!(kinds.contains(&kind), "no vector of kind {kind}");
    }
    let file = vectors("twins/twins.json");
    if std::env::var_os("BILLCHAIN_RENEW_VECTORS").is_some() {
        fs::write(&file, format!("{:#}\n", json!(all))).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept, json!(all));
}

#[test]
fn a_twin_leads_back_to_the_bytes() {
    for (name, bytes) in good() {
        let text = to_json(&bytes).unwrap();
        assert_eq!(from_json(text.as_bytes()).unwrap(), bytes, "{name}");
        // Other white space, and the fields by their names.
        assert_eq!(back(&twin(&bytes)).unwrap(), bytes, "{name}");
    }
}

#[test]
fn no_two_certificates_have_one_twin() {
    for name in ["no such bill in its group", "no such bill in a group that left its segment"] {
        let bytes = &good()[name];
        let text = to_json(bytes).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            if let Ok(another) = to_json(&other) {
                assert_ne!(another, text, "bit {bit}");
                assert_eq!(from_json(another.as_bytes()).unwrap(), other, "bit {bit}");
            }
        }
        for end in 0..bytes.len() {
            assert!(matches!(to_json(&bytes[..end]), Err(TwinError::Field(_))), "{end} bytes");
        }
        let more = to_json(&[&bytes[..], &[0]].concat()).unwrap_err().to_string();
        assert_eq!(more, "bytes follow its end");
    }
}

#[test]
fn what_is_wrong_names_its_field() {
    let found = [
        refusal(|twin| twin["format"] = json!(1)),
        refusal(|twin| twin["certificate"]["kind"] = json!("invoice")),
        refusal(|twin| twin["certificate"]["head"]["round"] = json!(-1)),
        refusal(|twin| {
            twin["certificate"]["bill"]["summary"]["total"] = json!("9223372036854775808")
        }),
        refusal(|twin| twin["certificate"]["bill"]["status"] = json!("lost")),
        refusal(|twin| twin["certificate"]["head"]["signatures"][1]["signature"] = json!("0x00")),
        refusal(|twin| twin["certificate"]["previous"] = json!("00")),
        refusal(|twin| twin["certificate"]["genesis"]["items"][1]["set"]["validators"] = json!(7)),
        refusal(|twin| twin["certificate"]["more"] = json!(null)),
        refusal(|twin| {
            twin["certificate"].as_object_mut().unwrap().remove("place");
        }),
        refusal(|twin| twin["certificate"]["bill"]["version"] = json!("1")),
        refusal(|twin| twin["certificate"]["place"]["proof"]["after"] = json!([])),
        refusal(|twin| twin["certificate"]["place"]["proof"]["place"] = json!(1_000_000)),
    ];
    let expected = [
        "field format: found 1, expected format 2",
        "field certificate.kind: found \"invoice\", expected bill, no_bill, numbers, month, version",
        "field certificate.head.round: found -1, expected a number of 4 bytes without a sign",
        "field certificate.bill.summary.total: found \"9223372036854775808\", \
         expected a number of 8 bytes with a sign",
        "field certificate.bill.status: found \"lost\", expected pre_issued, normal, locked, \
         partly_reimbursed, reimbursed, red_reversed, voided",
        "field certificate.head.signatures[1].signature: found \"0x00\", expected 64 bytes",
        "field certificate.previous: found \"00\", expected 0x and pairs of hexadecimal digits",
        "field certificate.genesis.items[1].set.validators: found 7, expected a list",
        "field certificate.more: no field of this name is expected",
        "field certificate.place: it is missing",
        "field certificate.bill.version: found \"1\", expected 1, as its bytes say it",
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert!(found[11].starts_with("field certificate."), "{}", found[11]);
    let of_proof = "field certificate.place.proof: a log of so many";
    assert!(found[12].starts_with(of_proof), "{}", found[12]);
}

#[test]
fn what_is_wrong_with_a_cold_part_names_its_field() {
    let twin = twin(&good()["no such bill in a group that left its segment"]);
    assert_eq!(twin["certificate"]["place"]["runs"][0]["kind"], "left");
    let refusal = |change: fn(&mut Value)| {
        let mut twin = twin.clone();
        change(&mut twin["certificate"]);
        back(&twin).unwrap_err().to_string()
    };
    for (found, expected) in [
        (
            refusal(|twin| twin["place"]["runs"][0]["kind"] = json!("lost")),
            "place.runs[0].kind: found \"lost\", expected uncovered, between, left",
        ),
        (
            refusal(|twin| twin["place"]["runs"][0]["inclusion"]["first"] = json!(1_000_000)),
            "place.runs[0].inclusion: a tree of so many leaves does not have those",
        ),
        (
            refusal(|twin| {
                let from = format!("0x{}", "00".repeat(1_025));
                twin["place"]["runs"][0]["coverage"]["segments"][0]["from"] = json!(from);
            }),
            "place.runs[0].coverage.segments[0].from: found \"0x",
        ),
        (
            refusal(|twin| twin["place"]["runs"][0]["bit"]["bits"] = json!("0x00")),
            "place.runs[0].bit.bits: found \"0x00\", expected 64 bytes",
        ),
        (refusal(|twin| twin["place"]["runs"][0]["bit"]["path"]["siblings"] = json!([])), ""),
        (
            refusal(|twin| twin["roots"]["runs"] = json!(vec!["0x00"; 65])),
            "roots.runs: a list of 65, expected at most 64",
        ),
    ] {
        assert!(found.starts_with(&format!("field certificate.{expected}")), "{found}");
    }
}

#[test]
fn a_twin_has_one_form() {
    let other = |change: fn(&mut Value)| {
        let refused = refusal(change);
        assert!(refused.ends_with("as its bytes say it"), "{refused}");
    };
    other(|twin| {
        let head = &mut twin["certificate"]["head"]["header"]["state_root"];
        *head = json!(head.as_str().unwrap().to_uppercase().replacen("0X", "0x", 1));
    });
    other(|twin| twin["certificate"]["bill"]["summary"]["total"] = json!("007"));
    other(|twin| {
        // The set of validators as the bytes of an item.
        twin["certificate"]["genesis"]["items"][1] =
            json!({ "kind": "consensus", "name": "0x42435653", "data": set_item() });
    });
}

/// The bytes of a set of one validator.
fn set_item() -> String {
    format!("0x0000000004{}0100000000000000", "02".repeat(33))
}

#[test]
fn only_json_of_this_sort_is_read() {
    let deep = "[".repeat(17) + &"]".repeat(17);
    let long = format!("[{}0]", "0,".repeat(0xffff));
    let row = format!("[{}0]", "0,".repeat(0xfff0));
    let many = format!("[{}0]", format!("{row},").repeat(17));
    let wide: Vec<String> = (0..41).map(|at| format!("\"{at}\":0")).collect();
    let wide = format!("{{{}}}", wide.join(","));
    for (text, words) in [
        ("", "EOF"),
        ("{\"format\": 1", "EOF"),
        ("{} {}", "trailing"),
        ("{\"format\": 1, \"format\": 1}", "field \"format\" stands there twice"),
        ("{\"format\": 1, \"\\u0066ormat\": 1}", "field \"format\" stands there twice"),
        ("{\"$serde_json::private::Number\": \"1\"}", "no field of this name is expected"),
        (
            "{\"\\u001b[2J\\r\\u202e\": 1}",
            "field \\u{1b}[2J\\r\\u{202e}: no field of this name is expected",
        ),
        ("{\"format\": 1.0}", "number 1.0: expected a whole one"),
        ("{\"format\": -0}", "number -0: expected a whole one"),
        ("{\"format\": 9223372036854775808}", "expected a whole one, or text above 2^53"),
        ("{\"format\": true}", "true or false"),
        ("{\"format\": \"\\ud800\"}", "hex escape"),
        ("[]", "found a list of 0, expected an object"),
        (deep.as_str(), "more than 16 levels"),
        (long.as_str(), "a list of more than 65,535 values"),
        (many.as_str(), "more than 1,048,576 values"),
        (wide.as_str(), "an object with more than 40 fields"),
    ] {
        let refused = from_json(text.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    assert!(from_json(b"{\"\xff\": 1}").is_err());
    let refused = from_json(&vec![b' '; MAX_TEXT + 1]).unwrap_err().to_string();
    assert_eq!(refused, "the twin has 16777217 bytes, expected at most 16777216");
    let refused = to_json(&vec![0; MAX_BYTES + 1]).unwrap_err().to_string();
    assert_eq!(refused, "the certificate has 1048577 bytes, expected at most 1048576");
}

#[test]
fn numbers_stand_as_numbers_up_to_2_to_the_53() {
    let exact = 1_i128 << 53;
    assert_eq!(Json::of_number(-exact), Json::Number(-(1 << 53)));
    assert_eq!(Json::of_number(exact + 1), Json::Text("9007199254740993".into()));
    let mut twin = twin(&good()["a bill that was made before"]);
    for (total, text) in [(json!(i64::MIN.to_string()), true), (json!(-5), false)] {
        twin["certificate"]["bill"]["summary"]["total"] = total.clone();
        let bytes = back(&twin).unwrap();
        assert_eq!(self::twin(&bytes), twin);
        assert_eq!(total.is_string(), text);
    }
    twin["certificate"]["bill"]["summary"]["total"] = json!(1_i64 << 60);
    assert!(back(&twin).unwrap_err().to_string().contains("as its bytes say it"));
}

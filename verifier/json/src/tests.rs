use crate::{parts::Yuan, proved, refused, verify, verify_from, writer::Json};
use alloc::{
    boxed::Box,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use billchain_verifier::{
    Bill, Block, Cause, Change, Digest, Kind, Lock, Proved, Purpose, Reimbursement, Statement,
    Status, Tally, Transaction,
};
use serde_json::{Value, json};
use std::{fs, path::Path};

fn written(value: impl Json) -> String {
    let mut out = String::new();
    value.write(&mut out);
    out
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn texts_are_written_as_other_writers_do() {
    let controls: String = ('\0'..='\u{a0}').collect();
    for text in ["", "did:bill:hospital-1", "报销-1", "a\"b\\c/\u{2028}\u{1f9fe}", &controls] {
        assert_eq!(written(text), json!(text).to_string());
        assert_eq!(read(&written(text)), text);
    }
}

#[test]
fn numbers_keep_all_their_digits() {
    assert_eq!(written(u64::MAX), "18446744073709551615");
    assert_eq!(written(i64::MIN), "-9223372036854775808");
    assert_eq!(written(Some(7_u16)), "7");
    assert_eq!(written(None::<u16>), "null");
    assert_eq!(written(&[1_u32, 2][..]), "[1,2]");
}

#[test]
fn money_is_shown_in_yuan() {
    let shown = [0, 5, -5, 123_456, -100, i128::MIN].map(|fen| written(Yuan(fen)));
    let least = "\"-1701411834604692317316873037158841057.28\"";
    let expected = ["\"0.00\"", "\"0.05\"", "\"-0.05\"", "\"1234.56\"", "\"-1.00\"", least];
    assert_eq!(shown, expected);
}

#[test]
fn a_refusal_is_a_text() {
    assert_eq!(refused(&"no \"proof\""), r#"{"refused":"no \"proof\""}"#);
}

fn bill() -> Bill<'static> {
    Bill {
        code: "31060126",
        number: "0000000301",
        check_code: "a1B2c3",
        kind: Kind::Red,
        issue_date: 20_261_130,
        issue_time: 93_015,
        total: -123_456,
        issuer: "did:bill:hospital-1",
        issuer_uscc: "12310000425006790C",
        payer_is_person: true,
        payer_ref: [1; 32],
        scene: 3,
        biz_no_hash: [2; 32],
        xml_hash: [3; 32],
        pdf_hash: [4; 32],
        location_hash: [5; 32],
        related: Some("310601260000000300"),
        status: Status::Locked,
        version: 2,
        version_hash: [6; 32],
        lock: Some(Lock {
            holder: "did:bill:insurer-a",
            purpose: Purpose::Claim { scene: 4, claim_no: "报销-1", grant: Some([8; 32]) },
            expires: Some(1_790_000_600_000),
        }),
        reimbursements: Vec::from([Reimbursement {
            payer: "did:bill:insurer-b",
            scene: 1,
            amount: 77,
        }]),
        updated: 1_790_000_000_000,
        registered: (70_000, 300),
    }
}

fn hash(byte: u8) -> String {
    format!("0x{}", format!("{byte:02x}").repeat(32))
}

/// The fields of [`bill`].
fn bill_fields() -> Value {
    json!({
        "proved": true,
        "block": 20,
        "block_hash": hash(9),
        "genesis": hash(10),
        "from_block": 8,
        "bill": "31060126-0000000301",
        "exists": true,
        "status": "locked",
        "version": 2,
        "check_code": "a1B2c3",
        "kind": "red",
        "issue_date": 20_261_130,
        "issue_time": 93_015,
        "total": "-1234.56",
        "issuer": "did:bill:hospital-1",
        "issuer_uscc": "12310000425006790C",
        "scene": 3,
        "xml_hash": hash(3),
        "pdf_hash": hash(4),
        "payer_ref": hash(1),
        "related": "310601260000000300",
        "version_hash": hash(6),
        "updated": 1_790_000_000_000_u64,
        "lock": {
            "holder": "did:bill:insurer-a",
            "purpose": { "scene": 4, "claim_no": "报销-1" },
            "expires": 1_790_000_600_000_u64,
        },
        "reimbursements": [{ "payer": "did:bill:insurer-b", "scene": 1, "fen": 77 }],
        "transaction": { "block": 12, "index": 70, "hash": hash(7) },
    })
}

fn shown(statement: Statement<'_>) -> Value {
    let [from, block] = [(8, 11), (20, 9)].map(|(number, byte)| Block { number, hash: [byte; 32] });
    read(&proved(&Proved { genesis: [10; 32], from, block, statement }))
}

const TRANSACTION: Transaction =
    Transaction { block: Block { number: 12, hash: [6; 32] }, index: 70, hash: [7; 32] };

#[test]
fn a_bill_is_shown() {
    let statement = Statement::Present { bill: Box::new(bill()), transaction: Some(TRANSACTION) };
    assert_eq!(shown(statement), bill_fields());
    let mut other = bill();
    other.related = None;
    other.reimbursements.clear();
    let evidence: Digest = [5; 32];
    let purpose = Purpose::Administrative { evidence };
    other.lock = Some(Lock { holder: "did:bill:admin-1", purpose, expires: None });
    let found = shown(Statement::Present { bill: Box::new(other), transaction: None });
    assert_eq!(
        found["lock"],
        json!({ "holder": "did:bill:admin-1", "purpose": { "evidence": hash(5) }, "expires": null })
    );
    assert_eq!((&found["related"], &found["transaction"]), (&Value::Null, &Value::Null));
    assert_eq!(found["reimbursements"], json!([]));
}

#[test]
fn an_earlier_version_is_shown_with_what_made_it() {
    let change = Change {
        cause: Cause::AdminLock,
        operator: "did:bill:admin-1",
        reason: Some("争议"),
        evidence: Some([4; 32]),
        proposer: None,
        block: 12,
        index: None,
    };
    let mut present = bill();
    (present.version, present.status) = (5, Status::PartlyReimbursed);
    let mut expected = bill_fields();
    expected["made"] = json!({
        "cause": "admin_lock",
        "operator": "did:bill:admin-1",
        "reason": "争议",
        "evidence": hash(4),
        "proposer": null,
        "block": 12,
        "index": null,
    });
    expected["present_version"] = json!(5);
    expected["present_status"] = json!("partly_reimbursed");
    let found = shown(Statement::Version {
        bill: Box::new(bill()),
        change: Box::new(change),
        transaction: Some(TRANSACTION),
        present: Box::new(present),
    });
    assert_eq!(found, expected);
}

#[test]
fn no_bills_are_shown() {
    let (code, number) = ("31060126", "0000000301");
    let found = shown(Statement::Absent { code, number });
    let block = json!({
        "proved": true, "block": 20, "block_hash": hash(9), "genesis": hash(10), "from_block": 8,
    });
    let with = |more: Value| {
        let mut all = block.clone();
        let fields = more.as_object().into_iter().flatten();
        fields.for_each(|(name, value)| all[name] = value.clone());
        all
    };
    assert_eq!(found, with(json!({ "bill": "31060126-0000000301", "exists": false })));
    let last = "0000000400";
    let tally = Tally::default();
    let found = shown(Statement::Numbers { code, first: number, last, tally, missing: 100 });
    let counted = json!({
        "code": code, "first": number, "last": last, "missing": 100, "complete": false,
        "lines": [], "bills": 0, "total": "0.00",
    });
    assert_eq!(found, with(counted));
    let issuer = "did:bill:hospital-1";
    let tally = Tally::default();
    let found = shown(Statement::Month { issuer, month: "202611", tally });
    let counted = json!({
        "issuer": issuer, "month": "202611", "lines": [], "bills": 0, "total": "0.00",
    });
    assert_eq!(found, with(counted));
}

/// What is shown of what the vectors say, which have other names and forms.
fn shown_of(proves: &Value) -> Value {
    // Those that are checked from the genesis do not say where from.
    let from = proves.get("from").map_or(json!(0), |from| from["number"].clone());
    let mut all = json!({
        "proved": true, "block": proves["block"]["number"],
        "block_hash": hashed(&proves["block"]["hash"]), "genesis": hashed(&proves["genesis"]),
        "from_block": from,
    });
    let mut add = |fields: Value| {
        let Value::Object(fields) = fields else { unreachable!("{fields} is no object") };
        fields.into_iter().for_each(|(name, value)| all[&name] = value);
    };
    if let Value::Object(absent) = &proves["absent"] {
        add(json!({ "bill": named(&absent["code"], &absent["number"]), "exists": false }));
    }
    if proves["bill"].is_object() {
        add(bill_of(&proves["bill"]));
        let mut made = proves["transaction"].clone();
        if made.is_object() {
            made["hash"] = hashed(&made["hash"]);
        }
        add(json!({ "transaction": made }));
    }
    if proves["present"].is_object() {
        let mut made = proves["change"].clone();
        made["evidence"] = hashed(&made["evidence"]);
        let present = &proves["present"];
        add(json!({
            "made": made, "present_version": present["version"],
            "present_status": present["status"],
        }));
    }
    if let Value::Object(range) = &proves["numbers"] {
        add(json!({ "complete": range["missing"] == 0 }));
        add(proves["numbers"].clone());
    }
    if proves["month"].is_object() {
        add(proves["month"].clone());
    }
    if proves["tally"].is_object() {
        let mut tally = proves["tally"].clone();
        tally["lines"].as_array_mut().unwrap().iter_mut().for_each(in_yuan);
        in_yuan(&mut tally);
        add(tally);
    }
    all
}

fn bill_of(bill: &Value) -> Value {
    let mut shown = bill.clone();
    shown["bill"] = named(&bill["code"], &bill["number"]);
    shown["exists"] = json!(true);
    shown["fen"] = bill["total"].clone();
    in_yuan(&mut shown);
    for digest in ["payer_ref", "xml_hash", "pdf_hash", "version_hash"] {
        shown[digest] = hashed(&bill[digest]);
    }
    let fields = shown.as_object_mut().unwrap();
    for other in ["code", "number", "payer", "biz_no_hash", "location_hash", "registered"] {
        fields.remove(other).unwrap();
    }
    for paid in shown["reimbursements"].as_array_mut().unwrap() {
        let amount = paid.as_object_mut().unwrap().remove("amount").unwrap();
        paid["fen"] = amount;
    }
    if let Some(purpose) = shown["lock"].get_mut("purpose").and_then(Value::as_object_mut) {
        purpose.remove("grant");
        purpose.entry("evidence").and_modify(|digest| *digest = hashed(digest));
    }
    shown
}

/// Its `fen` become its `total`.
fn in_yuan(value: &mut Value) {
    let fen = value.as_object_mut().unwrap().remove("fen").unwrap();
    value["total"] = read(&written(Yuan(fen.as_i64().unwrap().into())));
}

fn named(code: &Value, number: &Value) -> Value {
    json!(format!("{}-{}", code.as_str().unwrap(), number.as_str().unwrap()))
}

fn hashed(digits: &Value) -> Value {
    digits.as_str().map_or(Value::Null, |digits| json!(format!("0x{digits}")))
}

#[test]
fn vectors_are_shown_as_they_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/certificates.json");
    let vectors = read(&fs::read_to_string(file).unwrap());
    let bytes = |text: &Value| hex::decode(text.as_str().unwrap()).unwrap();
    let mut from_checkpoints = 0;
    for vector in vectors.as_array().unwrap() {
        let digest = |field: &Value| -> Digest { bytes(field).try_into().unwrap() };
        let certificate = bytes(&vector["certificate"]);
        let found = if let Some(checkpoint) = vector.get("checkpoint") {
            from_checkpoints += 1;
            read(&verify_from(&certificate, &digest(checkpoint)))
        } else {
            read(&verify(&certificate, &digest(&vector["genesis"])))
        };
        let (name, proves) = (&vector["name"], &vector["proves"]);
        if proves.is_null() {
            assert!(found["refused"].is_string(), "{name}: {found}");
            assert_eq!(found.as_object().unwrap().len(), 1, "{name}: {found}");
        } else {
            assert_eq!(found, shown_of(proves), "{name}");
        }
    }
    assert!(from_checkpoints >= 4, "{from_checkpoints} from a checkpoint");
}

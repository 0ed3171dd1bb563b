//! Certificates for checkers in other languages, and what each proves.
//!
//! `BILLCHAIN_RENEW_VECTORS=1` writes them anew.

use super::*;
use serde_json::{Value, json};
use std::{format, fs, path::PathBuf};

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/certificates.json")
}

/// A certificate whose body is changed.
fn changed(number: u32, change: impl FnOnce(&mut Certificate)) -> Vec<u8> {
    let mut certificate = certificate(number);
    change(&mut certificate);
    certificate.to_bytes()
}

/// The bill of a certificate in a state of its own; its version is proved by nothing then.
fn with_locked_bill() -> Vec<u8> {
    let (mut bill, version) = bill("0000000301");
    bill.state.status = chain::BillStatus::Locked;
    bill.state.lock = Some(chain::Lock {
        holder: bill.summary.issuer.clone(),
        purpose: chain::LockPurpose::Claim {
            scene: chain::SceneId(4),
            claim_no: "报销-1".parse().unwrap(),
            grant: Some(chain::GrantId(Hash::repeat_byte(8))),
        },
        version: 1,
        at: version.at,
        expires: Some(1_790_000_600_000),
        before: chain::BillStatus::PartlyReimbursed,
    });
    let paid = chain::Reimbursement {
        payer: bill.summary.issuer.clone(),
        scene: chain::SceneId(1),
        amount: chain::Fen::new(77).unwrap(),
        before: chain::BillStatus::Normal,
    };
    bill.state.reimbursements = vec![paid].try_into().unwrap();
    bill.summary.related = Some(bill.summary.key);
    bill.summary.kind = chain::BillKind::Red;
    bill.summary.total = chain::Fen::new(-123_456).unwrap();
    certificate_of((bill, version), Made::Before).to_bytes()
}

fn made(number: &str, how: Made) -> Vec<u8> {
    let (mut bill, mut version) = bill(number);
    match how {
        Made::Before => {}
        Made::InTheHead => version.at.block = HEAD,
        Made::ByABlock => version.at.extrinsic = None,
    }
    bill.state.version_hash = version.hash_after(&[0; 32]);
    certificate_of((bill, version), how).to_bytes()
}

fn certificates() -> Vec<(&'static str, Vec<u8>)> {
    let turned = |number, at: usize| {
        let mut bytes = certificate(number).to_bytes();
        let at = if at > bytes.len() / 2 { bytes.len() - 1 } else { at };
        bytes[at] ^= 1;
        bytes
    };
    let set = |places: &'static [u8]| {
        changed(301, |certificate| {
            let header = codec::Decode::decode(&mut &certificate.head.header[..]).unwrap();
            certificate.head = decided(&header, &SECOND, places);
        })
    };
    vec![
        ("a bill that was made before", certificate(7).to_bytes()),
        ("another bill", certificate(250).to_bytes()),
        ("a locked red bill with a reimbursement", with_locked_bill()),
        ("a bill of the same block", made("0000000302", Made::InTheHead)),
        ("a bill that a block changed by itself", made("0000000303", Made::ByABlock)),
        ("no such bill in its group", certificate(301).to_bytes()),
        ("no group of such a bill", certificate(311).to_bytes()),
        ("no such bill, over the end of the digests", certificate(last_gap()).to_bytes()),
        ("four signatures", set(&[0, 1, 2, 3])),
        ("two signatures of four", set(&[0, 1])),
        ("a change left out", changed(301, |certificate| certificate.changes.clear())),
        (
            "a change repeated",
            changed(301, |certificate| {
                let first = certificate.changes[0].clone();
                certificate.changes.push(first);
            }),
        ),
        (
            "the head is the change",
            changed(301, |certificate| {
                certificate.head = certificate.changes[0].clone();
            }),
        ),
        ("another format", turned(301, 4)),
        ("another kind", turned(301, 5)),
        ("a bit of the genesis", turned(301, 20)),
        ("the last bit", turned(301, usize::MAX)),
        ("the last bit of a bill's", turned(7, usize::MAX)),
        ("another round", changed(7, |certificate| certificate.head.round = 0)),
        (
            "a group without its bill",
            changed(7, |certificate| {
                if let Body::Present { group, .. } = &mut certificate.body {
                    group.retain(|(last, _)| *last != b'7');
                }
            }),
        ),
        (
            "a bill's transaction left out",
            changed(7, |certificate| {
                if let Body::Present { transaction, .. } = &mut certificate.body {
                    *transaction = Source::None;
                }
            }),
        ),
        ("a byte more", [certificate(301).to_bytes(), vec![0]].concat()),
        ("cut short", certificate(301).to_bytes()[..900].to_vec()),
        ("nothing", Vec::new()),
    ]
}

/// A number whose digest lies behind all keys, or before all.
fn last_gap() -> u32 {
    let key =
        |number: u32| group_key(format!("31060126{number:010}").as_bytes().try_into().unwrap());
    let last = (1..=300).map(key).max().unwrap();
    (400..100_000).find(|number| key(*number) > last).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn proves(proved: &Proved<'_>) -> Value {
    let block = json!({ "number": proved.block.number, "hash": hex(&proved.block.hash) });
    let genesis = hex(&proved.genesis);
    match &proved.statement {
        Statement::Absent { code, number } => json!({
            "genesis": genesis, "block": block, "absent": { "code": code, "number": number },
            "transaction": null,
        }),
        Statement::Present { bill, transaction } => {
            let transaction = transaction.map(|made| {
                json!({ "block": made.block.number, "index": made.index, "hash": hex(&made.hash) })
            });
            json!({
                "genesis": genesis, "block": block, "bill": shown(bill), "transaction": transaction,
            })
        }
    }
}

fn shown(bill: &Bill<'_>) -> Value {
    let kind = match bill.kind {
        crate::Kind::Blue => "blue",
        crate::Kind::Red => "red",
        crate::Kind::PaymentNotice => "payment_notice",
    };
    let status = match bill.status {
        crate::Status::PreIssued => "pre_issued",
        crate::Status::Normal => "normal",
        crate::Status::Locked => "locked",
        crate::Status::PartlyReimbursed => "partly_reimbursed",
        crate::Status::Reimbursed => "reimbursed",
        crate::Status::RedReversed => "red_reversed",
        crate::Status::Voided => "voided",
    };
    let lock = bill.lock.as_ref().map(|lock| {
        let purpose = match &lock.purpose {
            crate::Purpose::Claim { scene, claim_no, grant } => {
                json!({ "scene": scene, "claim_no": claim_no, "grant": grant.map(|id| hex(&id)) })
            }
            crate::Purpose::Administrative { evidence } => json!({ "evidence": hex(evidence) }),
        };
        json!({ "holder": lock.holder, "purpose": purpose, "expires": lock.expires })
    });
    let paid = bill.reimbursements.iter();
    let paid =
        paid.map(|paid| json!({ "payer": paid.payer, "scene": paid.scene, "amount": paid.amount }));
    json!({
        "code": bill.code, "number": bill.number, "check_code": bill.check_code, "kind": kind,
        "issue_date": bill.issue_date, "issue_time": bill.issue_time, "total": bill.total,
        "issuer": bill.issuer, "issuer_uscc": bill.issuer_uscc,
        "payer": if bill.payer_is_person { "person" } else { "organisation" },
        "payer_ref": hex(&bill.payer_ref), "scene": bill.scene,
        "biz_no_hash": hex(&bill.biz_no_hash), "xml_hash": hex(&bill.xml_hash),
        "pdf_hash": hex(&bill.pdf_hash), "location_hash": hex(&bill.location_hash),
        "related": bill.related, "status": status, "version": bill.version,
        "version_hash": hex(&bill.version_hash), "lock": lock,
        "reimbursements": paid.collect::<Vec<_>>(), "updated": bill.updated,
        "registered": [bill.registered.0, bill.registered.1],
    })
}

#[test]
fn the_vectors_are_certificates_of_this_format_and_prove_what_they_say() {
    let all: Vec<Value> = certificates()
        .iter()
        .map(|(name, bytes)| {
            let proved = verify(bytes, &trusted()).ok();
            json!({
                "name": name, "genesis": hex(&trusted()), "certificate": hex(bytes),
                "proves": proved.as_ref().map(proves),
            })
        })
        .collect();
    let good = all.iter().filter(|vector| !vector["proves"].is_null()).count();
    assert_eq!((good, all.len()), (9, 24));
    if std::env::var_os("BILLCHAIN_RENEW_VECTORS").is_some() {
        fs::write(file(), format!("{:#}\n", Value::from(all.clone()))).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    assert_eq!(kept, Value::from(all));
}

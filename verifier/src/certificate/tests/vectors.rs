//! Certificates for checkers in other languages, and what each proves.
//!
//! `BILLCHAIN_RENEW_VECTORS=1` writes them anew.

use super::*;
use crate::make::Entry;
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

/// Certificates of ranges of numbers, and of months.
fn totals() -> Vec<(&'static str, Vec<u8>)> {
    let (several, one) = (numbers::numbers(98, 301), numbers::numbers(300, 300));
    let with = |change: fn(&mut Vec<Entry>)| {
        let mut certificate = several.clone();
        if let Body::Numbers { entries, .. } = &mut certificate.body {
            change(entries);
        }
        certificate.to_bytes()
    };
    let asked = |first: u64, last: u64| {
        let mut certificate = several.clone();
        if let Body::Numbers { first: from, last: to, .. } = &mut certificate.body {
            *from = format!("{first:010}").into_bytes().try_into().unwrap();
            *to = format!("{last:010}").into_bytes().try_into().unwrap();
        }
        certificate.to_bytes()
    };
    vec![
        ("numbers with a gap", several.to_bytes()),
        ("one number", one.to_bytes()),
        ("a number that no bill has", numbers::numbers(250, 250).to_bytes()),
        ("a million numbers and more", numbers::numbers(0, 1_000_199).to_bytes()),
        ("numbers that no bill has", numbers::numbers(20_000, 20_199).to_bytes()),
        ("a month", numbers::month(numbers::ISSUER, "202611").to_bytes()),
        (
            "a month without bills in its group",
            numbers::month(numbers::ISSUER, "202612").to_bytes(),
        ),
        ("a month of nobody", numbers::month("did:bill:nobody", "202611").to_bytes()),
        ("a number less", asked(99, 301)),
        ("a number more", asked(98, 302)),
        ("the last number before the first", asked(98, 97)),
        ("two bills exchanged", with(|entries| entries[0].values.swap(0, 1))),
        ("two blocks exchanged", with(|entries| entries[1].values.swap(0, 1))),
        ("an amount changed", with(|entries| entries[1].values[0][5] ^= 1)),
        ("a group left out", with(|entries| drop(entries.remove(1)))),
        ("a bill left out", with(|entries| drop(entries[2].values.pop()))),
        ("a block with too many bills", numbers::crowded().to_bytes()),
    ]
}

/// Certificates of earlier versions.
fn versions() -> Vec<(&'static str, Vec<u8>)> {
    let with = |number, change: fn(&mut Body)| earlier::with(number, change).to_bytes();
    vec![
        ("a bill as it was registered", earlier::version(1).to_bytes()),
        ("a version without its transaction", earlier::version(2).to_bytes()),
        ("a version that a block made", earlier::version(3).to_bytes()),
        (
            "a version between left out",
            with(1, |body| {
                if let Body::Version { later, .. } = body {
                    later.remove(0);
                }
            }),
        ),
        (
            "a transaction of a version left out",
            with(1, |body| {
                if let Body::Version { transaction, .. } = body {
                    *transaction = Source::None;
                }
            }),
        ),
        (
            "a bit of what a version says",
            with(2, |body| {
                if let Body::Version { content, .. } = body {
                    content[10] ^= 1;
                }
            }),
        ),
    ]
}

/// Certificates of a state with a cold part.
fn of_both_parts() -> Vec<(&'static str, Vec<u8>)> {
    let good = [
        ("a cold bill", cold::certificate(41)),
        ("a cold bill in the last segment of its run", cold::certificate(6_011)),
        ("a bill that was cooled again", cold::certificate(91)),
        ("a hot bill beside cold ones", cold::certificate(51)),
        ("no such bill in its cold group", cold::certificate(42)),
        ("no such bill between cold groups", cold::certificate(6_511)),
        ("no such bill in a group that left its segment", cold::certificate(71)),
        ("numbers of hot and cold bills", cold::range()),
        ("a version of a cold bill", earlier::of_a_cold_bill(2)),
    ];
    let forged = cold::forged().into_iter().map(|(name, certificate, _)| (name, certificate));
    let all = good.into_iter().chain(forged);
    all.map(|(name, certificate)| (name, certificate.to_bytes())).collect()
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
                if let Body::Present { place: Place::Hot { group, .. }, .. } = &mut certificate.body
                {
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
        ("a later start, from the genesis on", checkpoint::started(1, 7).to_bytes()),
        ("a byte more", [certificate(301).to_bytes(), vec![0]].concat()),
        ("cut short", certificate(301).to_bytes()[..900].to_vec()),
        ("nothing", Vec::new()),
    ]
    .into_iter()
    .chain(totals())
    .chain(versions())
    .chain(of_both_parts())
    .collect()
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
    let mut shown = match &proved.statement {
        Statement::Absent { code, number } => {
            json!({ "absent": { "code": code, "number": number }, "transaction": null })
        }
        Statement::Present { bill, transaction } => {
            json!({ "bill": shown(bill), "transaction": transaction.map(made_by) })
        }
        Statement::Numbers { code, first, last, tally, missing } => json!({
            "numbers": { "code": code, "first": first, "last": last, "missing": missing },
            "tally": counted(tally),
        }),
        Statement::Month { issuer, month, tally } => json!({
            "month": { "issuer": issuer, "month": month }, "tally": counted(tally),
        }),
        Statement::Version { bill, change, transaction, present } => json!({
            "bill": shown(bill), "change": changed_by(change), "present": shown(present),
            "transaction": transaction.map(made_by),
        }),
    };
    let block = &proved.block;
    shown["genesis"] = json!(hex(&proved.genesis));
    shown["block"] = json!({ "number": block.number, "hash": hex(&block.hash) });
    shown
}

fn made_by(made: Transaction) -> Value {
    json!({ "block": made.block.number, "index": made.index, "hash": hex(&made.hash) })
}

fn changed_by(change: &Change<'_>) -> Value {
    json!({
        "cause": change.cause.name(), "operator": change.operator, "reason": change.reason,
        "evidence": change.evidence.map(|digest| hex(&digest)), "proposer": change.proposer,
        "block": change.block, "index": change.index,
    })
}

fn counted(tally: &Tally) -> Value {
    let fen = |fen: i128| i64::try_from(fen).unwrap();
    let line = |line: &crate::Line| {
        json!({
            "kind": kind(line.kind), "status": status(line.status), "bills": line.bills,
            "fen": fen(line.fen),
        })
    };
    let lines: Vec<Value> = tally.lines().iter().map(line).collect();
    json!({ "bills": tally.bills(), "fen": fen(tally.fen()), "lines": lines })
}

const fn kind(kind: crate::Kind) -> &'static str {
    match kind {
        crate::Kind::Blue => "blue",
        crate::Kind::Red => "red",
        crate::Kind::PaymentNotice => "payment_notice",
    }
}

const fn status(status: crate::Status) -> &'static str {
    match status {
        crate::Status::PreIssued => "pre_issued",
        crate::Status::Normal => "normal",
        crate::Status::Locked => "locked",
        crate::Status::PartlyReimbursed => "partly_reimbursed",
        crate::Status::Reimbursed => "reimbursed",
        crate::Status::RedReversed => "red_reversed",
        crate::Status::Voided => "voided",
    }
}

fn shown(bill: &Bill<'_>) -> Value {
    let (kind, status) = (kind(bill.kind), status(bill.status));
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

/// A certificate, and what it proves to whoever trusts the checkpoint, or else the genesis.
fn vector(name: &str, bytes: &[u8], checkpoint: Option<Digest>) -> Value {
    let proved = match &checkpoint {
        None => verify(bytes, &trusted()),
        Some(checkpoint) => verify_from(bytes, checkpoint),
    };
    let mut proves = proved.as_ref().ok().map(proves);
    if let (Some(proves), Ok(Proved { from, .. }), Some(_)) = (&mut proves, &proved, checkpoint) {
        proves["from"] = json!({ "number": from.number, "hash": hex(&from.hash) });
    }
    let mut vector = json!({
        "name": name, "genesis": hex(&trusted()), "certificate": hex(bytes), "proves": proves,
    });
    if let Some(checkpoint) = checkpoint {
        vector["checkpoint"] = json!(hex(&checkpoint));
    }
    vector
}

#[test]
fn the_vectors_are_certificates_of_this_format_and_prove_what_they_say() {
    let from_genesis = certificates().into_iter().map(|(name, bytes)| (name, bytes, None));
    let from_checkpoints = checkpoint::certificates().into_iter();
    let from_checkpoints = from_checkpoints.map(|(name, bytes, from)| (name, bytes, Some(from)));
    let all: Vec<Value> = from_genesis
        .chain(from_checkpoints)
        .map(|(name, bytes, checkpoint)| vector(name, &bytes, checkpoint))
        .collect();
    let good = all.iter().filter(|vector| !vector["proves"].is_null()).count();
    assert_eq!((good, all.len()), (35, 92));
    if std::env::var_os("BILLCHAIN_RENEW_VECTORS").is_some() {
        fs::write(file(), format!("{:#}\n", Value::from(all.clone()))).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    assert_eq!(kept, Value::from(all));
}

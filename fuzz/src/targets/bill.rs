//! Bills: their fields as text, their records as SCALE, their XML originals.

use crate::{Verdict, chain};
use billchain_client::einvoice::{EInvoice, MAX_BYTES, XmlEncoding};
use billchain_primitives::{
    AdminRole, BatchMode, Bill, BillCode, BillKey, BillNumber, BillStatus, BillSummary, CheckCode,
    ClaimNo, Did, Elements, Fen, Header, IssueDate, IssueTime, Lock, LockPurpose, Name, Operation,
    PublicKey, Reason, Reimbursement, RoleSet, SceneId, Signature, SignatureScheme, Stamp, Target,
    ThreeCodes, Uscc,
    history::{BillField, FieldProof, ProofProblem, VersionRecord},
    seams::SceneTerms,
    totals::{Month, NumberBlock, Tally},
};
use billchain_runtime::Runtime;
use codec::{DecodeAll, Encode};
use core::{
    fmt::{Debug, Display},
    str::FromStr,
};
use encoding_rs::{Encoding, GB18030, UTF_16BE, UTF_16LE};
use pallet_bill_register::{FieldRuleSet, FieldRules, LinkRecord, Links, PartyBill};
use pallet_bill_update::{StatusChange, StatusItem, SummaryItem};
use pallet_participant::{Participant, Registration};
use serde::{Serialize, de::DeserializeOwned};

/// Fields as people and documents write them: DIDs, codes and numbers of bills,
/// 统一社会信用代码, amounts in yuan, names, public keys; and the same as JSON.
pub fn bill_text(data: &[u8]) -> Verdict {
    let Ok(text) = core::str::from_utf8(data) else { return Verdict::Refused };
    let accepted = only_form::<Did>(text)
        | only_form::<BillCode>(text)
        | only_form::<BillNumber>(text)
        | only_form::<CheckCode>(text)
        | only_form::<Uscc>(text)
        | only_form::<Name>(text)
        | only_form::<Reason>(text)
        | only_form::<ClaimNo>(text)
        | only_form::<Month>(text)
        | reads_back::<Fen>(text)
        | reads_back::<PublicKey>(text)
        | json::<Fen>(data)
        | json::<IssueDate>(data)
        | json::<IssueTime>(data)
        | json::<BillKey>(data)
        | json::<Operation>(data)
        | json::<Target>(data)
        | json::<FieldRules>(data)
        | json::<RoleSet>(data)
        | json::<SceneTerms>(data)
        | json::<AdminRole>(data)
        | json::<Registration>(data);
    accepted.into()
}

/// Parses to a value that is written as the same text.
fn only_form<T: FromStr + Display>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else { return false };
    assert_eq!(value.to_string(), text);
    true
}

/// Parses to a value whose text parses to the same value.
fn reads_back<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else { return false };
    assert_eq!(value.to_string().parse::<T>().expect("its own text"), value);
    true
}

pub(crate) fn json<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(data) else { return false };
    let text = serde_json::to_vec(&value).expect("read from JSON");
    assert_eq!(serde_json::from_slice::<T>(&text).expect("its own JSON"), value);
    true
}

/// Records of the contracts as SCALE, from calls, from the state and from the
/// index: each accepted encoding is the only one of its value.
pub fn bill_scale(data: &[u8]) -> Verdict {
    let accepted = scale::<BillKey>(data)
        | scale::<BillSummary>(data)
        | scale::<Bill>(data)
        | scale::<VersionRecord>(data)
        | scale::<FieldRuleSet>(data)
        | scale::<Links>(data)
        | scale::<LinkRecord>(data)
        | scale::<PartyBill>(data)
        | scale::<BillField>(data)
        | scale::<Lock>(data)
        | scale::<Reimbursement>(data)
        | scale::<Participant>(data)
        | scale::<Registration>(data)
        | scale::<Did>(data)
        | scale::<Name>(data)
        | scale::<Fen>(data)
        | scale::<IssueDate>(data)
        | scale::<IssueTime>(data)
        | scale::<RoleSet>(data)
        | scale::<Stamp>(data)
        | scale::<SceneTerms>(data)
        | scale::<SignatureScheme>(data)
        | scale::<PublicKey>(data)
        | scale::<Signature>(data)
        | scale::<Header>(data)
        | scale::<Option<BillStatus>>(data)
        | scale::<Tally>(data)
        | scale::<NumberBlock>(data)
        | scale::<Month>(data)
        | scale::<pallet_bill_update::types::StatusChange>(data)
        | scale::<pallet_bill_register::Call<Runtime>>(data)
        | scale::<pallet_bill_update::Call<Runtime>>(data)
        | scale::<pallet_participant::Call<Runtime>>(data);
    accepted.into()
}

fn scale<T: DecodeAll + Encode>(data: &[u8]) -> bool {
    let Ok(value) = T::decode_all(&mut &data[..]) else { return false };
    assert_eq!(value.encode(), data, "{} has two forms", core::any::type_name::<T>());
    true
}

/// Proofs that a field of a bill changed, as somebody who has no node gets them.
/// One that leads to a hash holds for that hash alone, or for none.
pub fn field_proof(data: &[u8]) -> Verdict {
    let Ok(proof) = FieldProof::decode_all(&mut &data[..]) else { return Verdict::Refused };
    assert_eq!(proof.encode(), data, "a proof has two forms");
    let wrong = proof.verify(&[0; 32]);
    match proof.leads_to() {
        Ok(hash) => match proof.verify(&hash) {
            Ok(()) => assert_eq!(wrong, Err(ProofProblem::OtherHash { found: hash })),
            Err(problem) => assert_eq!(wrong, Err(problem)),
        },
        Err(problem) => assert!(wrong == Err(problem) || wrong.is_err()),
    }
    Verdict::Accepted
}

/// XML originals of bills (`EInvoice`), in UTF-8, GBK and UTF-16: an accepted one
/// reads the same in each of the others.
pub fn e_invoice(data: &[u8]) -> Verdict {
    let Ok(invoice) = EInvoice::parse(data) else { return Verdict::Refused };
    for other in transcoded(data, invoice.encoding) {
        let read = EInvoice::parse(&other).expect("the same text in another encoding");
        let same = EInvoice { xml_hash: invoice.xml_hash, encoding: invoice.encoding, ..read };
        assert!(same == invoice, "the encoding changed the bill");
    }
    Verdict::Accepted
}

/// The document in every encoding that has a form of each of its characters.
fn transcoded(data: &[u8], from: XmlEncoding) -> Vec<Vec<u8>> {
    let decode = |encoding: &'static Encoding, skip: usize| {
        let text = encoding.decode_without_bom_handling_and_without_replacement(&data[skip..]);
        text.expect("accepted, so text").into_owned()
    };
    let text = match (from, data) {
        (XmlEncoding::Utf8, [0xEF, 0xBB, 0xBF, rest @ ..] | rest) => {
            core::str::from_utf8(rest).expect("accepted, so text").to_owned()
        }
        (XmlEncoding::Gbk, [0x84, 0x31, 0x95, 0x33, ..]) => decode(GB18030, 4),
        (XmlEncoding::Gbk, _) => decode(GB18030, 0),
        (XmlEncoding::Utf16, [0xFE, 0xFF, ..]) => decode(UTF_16BE, 2),
        (XmlEncoding::Utf16, [0, ..]) => decode(UTF_16BE, 0),
        (XmlEncoding::Utf16, [0xFF, 0xFE, ..]) => decode(UTF_16LE, 2),
        (XmlEncoding::Utf16, _) => decode(UTF_16LE, 0),
    };
    let spaced = |rest: &&str| rest.starts_with([' ', '\t', '\r', '\n']);
    let body = match text.strip_prefix("<?xml").filter(spaced) {
        Some(rest) => rest.split_once("?>").expect("a declaration ends").1,
        None => &text,
    };
    let declared = |name: &str| format!("<?xml version=\"1.0\" encoding=\"{name}\"?>{body}");
    let mut others = vec![
        declared("UTF-8").into_bytes(),
        declared("UTF-16LE").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        format!("\u{FEFF}{}", declared("UTF-16"))
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect(),
    ];
    let gbk = declared("GBK");
    let (bytes, _, unmappable) = GB18030.encode(&gbk);
    let again = GB18030.decode_without_bom_handling_and_without_replacement(&bytes);
    if !unmappable && again.is_some_and(|again| again == gbk) {
        others.push(bytes.into_owned());
    }
    others.retain(|document| document.len() <= MAX_BYTES);
    others
}

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    match name {
        "bill_text" => [
            "did:bill:hospital-1",
            "31060125",
            "0000000101",
            "a1B2c3",
            "91350100M000100Y43",
            "1234567.89",
            "-0.01",
            "上海市第一人民医院",
            "20260105",
            "93015",
            "202601",
            "{\"code\":\"31060125\",\"number\":\"0000000101\"}",
            "[\"issuer\",\"user\"]",
            "\"red_reverse\"",
            "[{\"check\":{\"total\":{\"least_fen\":0,\"most_fen\":9}}},{\"kind\":\"blue\",\"check\":\"uscc_check_digit\"}]",
        ]
        .into_iter()
        .map(|text| text.as_bytes().to_vec())
        .chain([chain::hospital().public().to_string().into_bytes(), registration()])
        .collect(),
        "bill_scale" => records(),
        "field_proof" => proofs(),
        "e_invoice" => vec![
            include_bytes!("../../../samples/outpatient.xml").to_vec(),
            include_bytes!("../../../samples/outpatient-gbk.xml").to_vec(),
            include_bytes!("../../../samples/outpatient-red.xml").to_vec(),
            include_bytes!("../../../samples/outpatient-balance.xml").to_vec(),
            include_bytes!("../../../samples/outpatient-signed.xml").to_vec(),
        ],
        _ => Vec::new(),
    }
}

/// A lock of the development chain's bill, and the proof of each field that it
/// changed: of the newest version, and of one before another.
fn proofs() -> Vec<Vec<u8>> {
    let (_, versions) = chain::bills_and_versions();
    let first = &versions[0];
    let mut body = first.body.clone();
    (body.version, body.status) = (2, BillStatus::Locked);
    body.lock = Some(Lock {
        holder: "did:bill:insurer-a".parse().expect("a DID"),
        purpose: LockPurpose::Claim {
            scene: SceneId(1),
            claim_no: "C-1".parse().expect("a number"),
            grant: None,
        },
        version: 2,
        at: body.at,
        expires: Some(1_900_000_000_000),
        before: BillStatus::Normal,
    });
    let receipt = first.receipt().expect("registered by a transaction");
    let second = VersionRecord::after(&first.bill(receipt), body.clone());
    (body.version, body.status, body.lock) = (3, BillStatus::Normal, None);
    let third = VersionRecord::after(&second.bill(receipt), body);
    BillField::all()
        .flat_map(|field| {
            let newest = FieldProof::new(&second, &third, vec![], field);
            let older = FieldProof::new(first, &second, vec![third.head()], field);
            [newest, older]
        })
        .flatten()
        .map(|proof| proof.encode())
        .collect()
}

/// The registration of the development chain's hospital, as JSON.
fn registration() -> Vec<u8> {
    let spec = billchain_chain_spec::ChainSpec::development();
    serde_json::to_vec(&spec.participants[0]).expect("part of a document")
}

fn elements(summary: &BillSummary) -> Elements {
    let codes = ThreeCodes { key: summary.key, check_code: summary.check_code };
    Elements { codes, issue_date: summary.issue_date, total: summary.total }
}

/// Records as the development chain holds them after its first bill, and calls.
fn records() -> Vec<Vec<u8>> {
    let summary = chain::outpatient();
    let red = chain::summary(include_bytes!("../../../samples/outpatient-red.xml"));
    let mut records = vec![
        summary.key.encode(),
        summary.encode(),
        chain::hospital().public().encode(),
        pallet_bill_register::Call::<Runtime>::register { summary: summary.clone() }.encode(),
        pallet_bill_register::Call::<Runtime>::set_field_rules {
            scene: Some(SceneId(1)),
            expected_version: Some(0),
            rules: serde_json::from_str("[{\"check\":{\"regions\":[\"31\"]}}]").expect("a rule"),
        }
        .encode(),
        pallet_bill_register::Call::<Runtime>::link_party {
            key: summary.key,
            party: "did:bill:insurer-a".parse().expect("a DID"),
            relation: pallet_bill_register::Relation::Insurer,
        }
        .encode(),
        pallet_bill_update::Call::<Runtime>::red_reverse {
            key: summary.key,
            expected_version: Some(1),
            red,
            balance: None,
            reason: "退费".parse().expect("a reason"),
        }
        .encode(),
        pallet_bill_update::types::StatusChange::Lock {
            scene: SceneId(1),
            claim_no: "C-1".parse().expect("a number"),
            on_behalf_of: Some("did:bill:insurer-a".parse().expect("a DID")),
            grant: None,
            signed_at: 1_795_480_200_000,
        }
        .encode(),
    ];
    records.extend(batches(&summary));
    let (bills, versions) = chain::bills_and_versions();
    records.extend(bills.iter().map(Encode::encode));
    let mut tally = Tally::default();
    bills.iter().for_each(|bill| tally.add(bill.into()).expect("a few bills"));
    records.extend([tally.encode(), Month::of(summary.issue_date).encode()]);
    records.extend(NumberBlock::around(&summary.key).iter().map(Encode::encode));
    records.extend(versions.iter().map(Encode::encode));
    chain::with(|chain| {
        let bytes = chain.storage().block(1).expect("sound").expect("committed");
        let header: Header = codec::Decode::decode(&mut &bytes[..]).expect("a block");
        records.push(header.encode());
    });
    records
}

/// Calls that change several bills, and an adjustment of `summary`.
fn batches(summary: &BillSummary) -> [Vec<u8>; 3] {
    let (elements, evidence) = (elements(summary), [6; 32]);
    let (key, reason) = (summary.key, "退费".parse().expect("a reason"));
    let change = StatusChange::Unlock { reason };
    let item = StatusItem { key, expected_version: Some(2), change };
    let changes = vec![item; 2].try_into().expect("two");
    let hashes =
        SummaryItem { key, expected_version: None, pdf_hash: Some([1; 32]), location_hash: None };
    let updates = vec![hashes].try_into().expect("one");
    type Call = pallet_bill_update::Call<Runtime>;
    [
        Call::change_status_batch { changes, mode: BatchMode::PerItem },
        Call::update_summary_batch { updates, mode: BatchMode::AllOrNothing },
        Call::propose_adjustment {
            elements,
            expected_version: None,
            to: BillStatus::Voided,
            reason: "系统故障".parse().expect("a reason"),
            evidence,
        },
    ]
    .map(|call| call.encode())
}

//! A bill's life by two participants: registered, locked, refused to a second insurer, reimbursed,
//! reversed in red, and proved to somebody who trusts no node.
//!
//! The same story stands beside the other languages' libraries. It needs a network to play with
//! (`./scripts/devnet up`), whose keys everybody knows:
//!
//! ```sh
//! cargo run --release -p billchain-client --example story -- --node http://127.0.0.1:9944 \
//!     --genesis 0x… --number 0000900001 [--write DIR] [--read DIR]
//! ```
//!
//! It takes three numbers from `--number` on. `--write` leaves the certificate for others; `--read`
//! checks those that others left, and finds their bills at the nodes.

use billchain_client::{Certified, Member, MemberError};
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::{
    BillKey, BillKind, BillNumber, BillSummary, ClaimNo, Fen, Hash, IssueDate, IssueTime,
    PayerType, Reason, SceneId, sm3,
};
use billchain_runtime::RuntimeCall;
use pallet_bill_register::Call as Register;
use pallet_bill_update::{Call as Update, StatusChange};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Debug,
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

type Told<T> = Result<T, Box<dyn Error>>;

const CODE: &str = "31060188";
const CHECK: &str = "k7Qm2x";
/// 商业保险理赔.
const SCENE: SceneId = SceneId(3);
const PATIENCE: Duration = Duration::from_secs(30);

fn expect<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Told<()> {
    if found != expected {
        return Err(format!("FAILED: {what} is {found:?}, expected {expected:?}").into());
    }
    println!("{what}: {found:?}");
    Ok(())
}

fn key(first: u64, steps: u64) -> Told<BillKey> {
    let number: BillNumber = format!("{:010}", first + steps).parse()?;
    Ok(BillKey { code: CODE.parse()?, number })
}

/// What the chain keeps of an original.
fn bill(key: BillKey, original: &str, kind: BillKind, fen: i64) -> Told<BillSummary> {
    Ok(BillSummary {
        key,
        check_code: CHECK.parse()?,
        kind,
        issue_date: IssueDate::new(20_250_318)?,
        issue_time: IssueTime::new(94_105)?,
        total: Fen::new(fen)?,
        issuer: "did:bill:hospital".parse()?,
        issuer_uscc: "1231000042500099AW".parse()?,
        payer_type: PayerType::Person,
        payer_ref: sm3(b"a payer's pseudonym"),
        scene: SCENE,
        biz_no_hash: sm3(format!("MZ-{}", key.number).as_bytes()),
        xml_hash: sm3(original.as_bytes()),
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    })
}

fn change(key: BillKey, change: StatusChange) -> RuntimeCall {
    RuntimeCall::BillUpdate(Update::change_status { key, expected_version: None, change })
}

fn lock(key: BillKey, claim: &str) -> Told<RuntimeCall> {
    let signed_at = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let (scene, claim_no) = (SCENE, ClaimNo::new(claim)?);
    let lock = StatusChange::Lock { scene, claim_no, on_behalf_of: None, grant: None, signed_at };
    Ok(change(key, lock))
}

async fn play(nodes: &[&str], genesis: Hash, first: u64) -> Told<Certified> {
    let member = |seed: &str| {
        let device = Box::new(SecretKey::from_seed(seed.as_bytes()));
        Member::new(nodes, genesis, Some(device), Duration::from_secs(10))
    };
    let (hospital, insurer_a, insurer_b) =
        (member("//hospital")?, member("//insurer-a")?, member("//insurer-b")?);
    let (one, other) = (key(first, 0)?, key(first, 1)?);
    let original = format!("<EInvoice>{}</EInvoice>", one.number);

    // 1. The hospital registers a bill. Again, as after a lost answer: nothing happens twice.
    let summary = bill(one, &original, BillKind::Blue, 11_050)?;
    let register = RuntimeCall::BillRegister(Register::register { summary });
    for expected in [false, true] {
        let outcome = hospital.execute(register.clone(), PATIENCE).await?;
        expect("registered again", outcome.is_repeated, expected)?;
    }

    // 2. Insurer A locks it; insurer B is refused, with the reason.
    insurer_a.execute(lock(one, &format!("A-{}", one.number))?, PATIENCE).await?;
    let refused = insurer_b.execute(lock(one, &format!("B-{}", one.number))?, PATIENCE).await;
    let refused = refused.err().ok_or("FAILED: insurer B locked the bill, too")?;
    if !matches!(refused, MemberError::CallFailed { .. }) {
        return Err(refused.into());
    }
    let found = (refused.code(), refused.bill());
    expect("insurer B", found, ("BillUpdate.LockedByOther".to_owned(), Some(one)))?;

    // 3. Insurer A reimburses it.
    let amount = Fen::new(11_050)?;
    insurer_a.execute(change(one, StatusChange::Reimburse { amount }), PATIENCE).await?;
    status(&hospital, &one, "reimbursed").await?;

    // 4. The hospital reverses another one in red.
    let summary = bill(other, "<EInvoice>2</EInvoice>", BillKind::Blue, 11_050)?;
    let register = RuntimeCall::BillRegister(Register::register { summary });
    hospital.execute(register, PATIENCE).await?;
    let mut red = bill(key(first, 2)?, "<EInvoice>red</EInvoice>", BillKind::Red, -11_050)?;
    red.related = Some(other);
    let reason = Reason::new("门诊退费")?;
    let reverse =
        Update::red_reverse { key: other, expected_version: None, red, balance: None, reason };
    hospital.execute(RuntimeCall::BillUpdate(reverse), PATIENCE).await?;
    status(&hospital, &other, "red_reversed").await?;

    // 5. Anybody checks the original, and what the chain says, without trusting a node.
    let digest = format!("0x{}", hex::encode(sm3(original.as_bytes())));
    let asked = json!([CODE, one.number.to_string(), CHECK, "xml", digest]);
    let params = asked.as_array().cloned().unwrap_or_default();
    let check: Value = hospital.ask("bill_verifyHash", params).await?;
    expect("original", &check["result"], &json!("match"))?;
    let anybody = Member::new(nodes, genesis, None, Duration::from_secs(10))?;
    let certified = anybody.certified(&one).await?;
    let proved = [&certified.proved["status"], &certified.proved["total"]];
    expect("proved", proved, [&json!("reimbursed"), &json!("110.50")])?;
    Ok(certified)
}

async fn status(member: &Member, key: &BillKey, expected: &str) -> Told<()> {
    let bill = member.bill(key).await?.ok_or("FAILED: the bill is not there")?;
    expect("status", serde_json::to_value(bill.status)?, json!(expected))
}

/// Checks the certificates that others left.
async fn check_others(nodes: &[&str], genesis: Hash, directory: &Path) -> Told<()> {
    let anybody = Member::new(nodes, genesis, None, Duration::from_secs(10))?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "cert") {
            continue;
        }
        let found = anybody.verify(&fs::read(&path)?)?;
        let shown: Value = serde_json::from_slice(&fs::read(path.with_extension("json"))?)?;
        expect(&format!("certificate {}", path.display()), &found, &shown)?;
        let name = found["bill"].as_str().unwrap_or_default();
        let (code, number) = name.split_once('-').ok_or("FAILED: a certificate of no bill")?;
        let key = BillKey { code: code.parse()?, number: number.parse()? };
        let bill = anybody.bill(&key).await?.ok_or("FAILED: the bill is not there")?;
        let version = serde_json::to_value(bill.version_hash)?;
        expect("its bill", &version, &found["version_hash"])?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Told<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let pairs = || arguments.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
    let nodes: Vec<&str> =
        pairs().filter(|(name, _)| *name == "--node").map(|(_, url)| url).collect();
    let given: BTreeMap<&str, &str> = pairs().collect();
    let genesis: Hash = given.get("--genesis").ok_or("--genesis is needed")?.parse()?;
    let first: u64 = given.get("--number").unwrap_or(&"0000900001").parse()?;
    let certified = play(&nodes, genesis, first).await?;
    if let Some(directory) = given.get("--write").map(Path::new) {
        fs::write(directory.join("rust.cert"), &certified.certificate)?;
        fs::write(directory.join("rust.json"), certified.proved.to_string())?;
    }
    if let Some(directory) = given.get("--read") {
        check_others(&nodes, genesis, Path::new(directory)).await?;
    }
    println!("the story holds");
    Ok(())
}

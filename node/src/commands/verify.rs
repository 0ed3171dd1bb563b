//! `billchain verify`: a certificate of a bill, checked without a node.

mod paper;

use anyhow::Result;
use billchain_primitives::{Fen, Hash};
use billchain_verifier::{Bill, Kind, Proved, Purpose, Statement, Status, Transaction, verify};
use clap::Args;
use serde_json::{Value, json};
use std::{fmt::Display, path::PathBuf, process::ExitCode};

/// Exit code for a certificate that proves nothing.
const REFUSED: u8 = 3;

/// `billchain verify …`.
#[derive(Args)]
pub(crate) struct Cli {
    /// The certificate, or its printed form as a PDF.
    file: PathBuf,
    /// Hash of the chain's genesis, from somewhere that one trusts.
    #[arg(long)]
    genesis: Hash,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    paper: paper::Options,
}

/// Says what the certificate proves; exit code 3 if it proves nothing.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode> {
    let certificate = paper::read(&cli.file)?;
    let proved = match verify(&certificate, cli.genesis.as_fixed_bytes()) {
        Ok(proved) => proved,
        Err(refusal) => return Ok(refused(cli, &refusal)),
    };
    if let Some(what) = cli.paper.difference(&proved, &certificate)? {
        return Ok(refused(cli, &format!("the locator names another certificate: {what} differs")));
    }
    cli.paper.print(&proved, &certificate)?;
    let shown = shown(&proved);
    match &shown {
        Value::Object(fields) if !cli.json => {
            for (name, value) in fields {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                println!("{name:16} {text}");
            }
        }
        value => println!("{value}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn refused(cli: &Cli, refusal: &dyn Display) -> ExitCode {
    if cli.json {
        println!("{}", json!({ "refused": refusal.to_string() }));
    }
    eprintln!("billchain: refused: {refusal}");
    ExitCode::from(REFUSED)
}

fn shown(proved: &Proved<'_>) -> Value {
    let mut shown = json!({
        "proved": true,
        "block": proved.block.number,
        "block_hash": Hash::from(proved.block.hash),
    });
    match &proved.statement {
        Statement::Absent { code, number } => {
            shown["bill"] = json!(format!("{code}-{number}"));
            shown["exists"] = json!(false);
        }
        Statement::Present { bill, transaction } => {
            shown["bill"] = json!(format!("{}-{}", bill.code, bill.number));
            shown["exists"] = json!(true);
            fields(&mut shown, bill);
            shown["transaction"] = json!(transaction.map(made));
        }
    }
    shown
}

fn made(transaction: Transaction) -> Value {
    json!({
        "block": transaction.block.number,
        "index": transaction.index,
        "hash": Hash::from(transaction.hash),
    })
}

fn fields(shown: &mut Value, bill: &Bill<'_>) {
    let hash = |digest: [u8; 32]| json!(Hash::from(digest));
    let all = [
        ("status", json!(status(bill.status))),
        ("version", json!(bill.version)),
        ("check_code", json!(bill.check_code)),
        ("kind", json!(kind(bill.kind))),
        ("issue_date", json!(bill.issue_date)),
        ("issue_time", json!(bill.issue_time)),
        (
            "total",
            json!(
                Fen::new(bill.total).map_or_else(|_| bill.total.to_string(), |fen| fen.to_string())
            ),
        ),
        ("issuer", json!(bill.issuer)),
        ("issuer_uscc", json!(bill.issuer_uscc)),
        ("scene", json!(bill.scene)),
        ("xml_hash", hash(bill.xml_hash)),
        ("pdf_hash", hash(bill.pdf_hash)),
        ("payer_ref", hash(bill.payer_ref)),
        ("related", json!(bill.related)),
        ("version_hash", hash(bill.version_hash)),
        ("updated", json!(bill.updated)),
        (
            "lock",
            json!(bill.lock.as_ref().map(|lock| {
                let purpose = match &lock.purpose {
                    Purpose::Claim { scene, claim_no, .. } => {
                        json!({ "scene": scene, "claim_no": claim_no })
                    }
                    Purpose::Administrative { evidence } => {
                        json!({ "evidence": Hash::from(*evidence) })
                    }
                };
                json!({ "holder": lock.holder, "purpose": purpose, "expires": lock.expires })
            })),
        ),
        (
            "reimbursements",
            json!(
                bill.reimbursements
                    .iter()
                    .map(|paid| {
                        json!({ "payer": paid.payer, "scene": paid.scene, "fen": paid.amount })
                    })
                    .collect::<Vec<_>>()
            ),
        ),
    ];
    for (name, value) in all {
        shown[name] = value;
    }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Blue => "blue",
        Kind::Red => "red",
        Kind::PaymentNotice => "payment_notice",
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::PreIssued => "pre_issued",
        Status::Normal => "normal",
        Status::Locked => "locked",
        Status::PartlyReimbursed => "partly_reimbursed",
        Status::Reimbursed => "reimbursed",
        Status::RedReversed => "red_reversed",
        Status::Voided => "voided",
    }
}

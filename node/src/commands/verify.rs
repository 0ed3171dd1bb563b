//! `billchain verify`: a certificate of a bill, of one of its versions, of a range of numbers or
//! of an issuer's month, checked without a node.

mod paper;

use anyhow::{Context, Result};
use billchain_primitives::Hash;
use billchain_verifier::{
    Bill, Change, Kind, Proved, Purpose, Refusal, Statement, Status, Tally, Transaction, verify,
    verify_from,
};
use clap::Args;
use serde_json::{Map, Value, json};
use std::{fmt::Display, fs, path::PathBuf, process::ExitCode};

/// Exit code for a certificate that proves nothing.
const REFUSED: u8 = 3;

/// Field of a tally's lines.
const LINES: &str = "lines";

/// `billchain verify …`.
#[derive(Args)]
pub(crate) struct Cli {
    /// The certificate, its JSON twin, or its printed form as a PDF.
    file: PathBuf,
    /// Hash of the chain's genesis, from somewhere that one trusts.
    #[arg(long, value_name = "HASH", required_unless_present = "checkpoint")]
    genesis: Option<Hash>,
    /// Hash of a block whose header named validators, from somewhere that one trusts: what the
    /// certificate says of the chain before it is not believed, and no transaction before it is
    /// proved. Not for printed forms.
    #[arg(long, value_name = "HASH", conflicts_with = "pdf")]
    checkpoint: Option<Hash>,
    /// Write the certificate's JSON twin, if the certificate proves what it says.
    #[arg(long, value_name = "OUT.json")]
    twin: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    paper: paper::Options,
}

impl Cli {
    /// What the certificate proves to whoever trusts the blocks that are named.
    fn check<'a>(&self, certificate: &'a [u8]) -> Result<Proved<'a>, Refusal> {
        let genesis = self.genesis.map(|genesis| genesis.0);
        let proved = match (&genesis, &self.checkpoint) {
            (_, Some(checkpoint)) => verify_from(certificate, checkpoint.as_fixed_bytes())?,
            (Some(genesis), None) => verify(certificate, genesis)?,
            // The command line asks for one of them.
            (None, None) => return Err(Refusal::Contradiction { what: "no block is trusted" }),
        };
        match genesis {
            Some(expected) if proved.genesis != expected => {
                Err(Refusal::OtherChain { found: proved.genesis, expected })
            }
            _ => Ok(proved),
        }
    }
}

/// Says what the certificate proves; exit code 3 if it proves nothing.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode> {
    let certificate = paper::read(&cli.file)?;
    let proved = match cli.check(&certificate) {
        Ok(proved) => proved,
        Err(refusal) => return Ok(refused(cli, &refusal)),
    };
    if let Some(what) = cli.paper.difference(&proved, &certificate)? {
        return Ok(refused(cli, &format!("the locator names another certificate: {what} differs")));
    }
    cli.paper.print(&proved, &certificate)?;
    if let Some(out) = &cli.twin {
        let twin = billchain_twin::to_json(&certificate)?;
        fs::write(out, twin).with_context(|| format!("cannot write {}", out.display()))?;
    }
    let shown = shown(&proved);
    match &shown {
        Value::Object(fields) if !cli.json => print(fields),
        value => println!("{value}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// One line a field, and below them one a line of a tally.
fn print(fields: &Map<String, Value>) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (name, value) in fields.iter().filter(|(name, _)| *name != LINES) {
        println!("{name:16} {}", text(value));
    }
    for line in fields.get(LINES).and_then(Value::as_array).into_iter().flatten() {
        let [kind, status, bills, total] =
            ["kind", "status", "bills", "total"].map(|name| text(&line[name]));
        let name = format!("{kind}, {status}");
        println!("{name:16} {bills} bills, {total} yuan");
    }
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
        "genesis": Hash::from(proved.genesis),
        "from_block": proved.from.number,
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
        Statement::Numbers { code, first, last, tally, missing } => {
            shown["code"] = json!(code);
            shown["first"] = json!(first);
            shown["last"] = json!(last);
            shown["missing"] = json!(missing);
            shown["complete"] = json!(*missing == 0);
            counted(&mut shown, tally);
        }
        Statement::Month { issuer, month, tally } => {
            shown["issuer"] = json!(issuer);
            shown["month"] = json!(month);
            counted(&mut shown, tally);
        }
        Statement::Version { bill, change, transaction, present } => {
            shown["bill"] = json!(format!("{}-{}", bill.code, bill.number));
            shown["exists"] = json!(true);
            fields(&mut shown, bill);
            shown["made"] = made_by(change);
            shown["transaction"] = json!(transaction.map(made));
            shown["present_version"] = json!(present.version);
            shown["present_status"] = json!(status(present.status));
        }
    }
    shown
}

/// What made a version.
fn made_by(change: &Change<'_>) -> Value {
    json!({
        "cause": change.cause.name(),
        "operator": change.operator,
        "reason": change.reason,
        "evidence": change.evidence.map(Hash::from),
        "proposer": change.proposer,
        "block": change.block,
        "index": change.index,
    })
}

/// Bills and money, in all and by kind and status.
fn counted(shown: &mut Value, tally: &Tally) {
    let lines = tally.lines().iter().map(|line| {
        json!({
            "kind": kind(line.kind),
            "status": status(line.status),
            "bills": line.bills,
            "total": yuan(line.fen),
        })
    });
    shown[LINES] = lines.collect();
    shown["bills"] = json!(tally.bills());
    shown["total"] = json!(yuan(tally.fen()));
}

/// Yuan with two decimals.
fn yuan(fen: i128) -> String {
    let (sign, magnitude) = (if fen < 0 { "-" } else { "" }, fen.unsigned_abs());
    format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100)
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
        ("total", json!(yuan(bill.total.into()))),
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

#[cfg(test)]
mod tests {
    use super::yuan;

    #[test]
    fn money_is_shown_in_yuan() {
        let shown = [0, 5, -5, 123_456, -100, i128::MIN].map(yuan);
        let least = "-1701411834604692317316873037158841057.28";
        assert_eq!(shown, ["0.00", "0.05", "-0.05", "1234.56", "-1.00", least]);
    }
}

//! `billchain verify`: a certificate of a bill, of one of its versions, of a range of numbers or
//! of an issuer's month, checked without a node.

mod paper;

use anyhow::Result;
use billchain_primitives::Hash;
use billchain_verifier::verify;
use billchain_verifier_json as json;
use clap::Args;
use serde_json::{Map, Value};
use std::{fmt::Display, path::PathBuf, process::ExitCode};

/// Exit code for a certificate that proves nothing.
const REFUSED: u8 = 3;

/// Field of a tally's lines.
const LINES: &str = "lines";

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
    let shown = json::proved(&proved);
    if cli.json {
        println!("{shown}");
    } else {
        let fields: Map<String, Value> = serde_json::from_str(&shown)?;
        print(&fields);
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
        println!("{}", json::refused(refusal));
    }
    eprintln!("billchain: refused: {refusal}");
    ExitCode::from(REFUSED)
}

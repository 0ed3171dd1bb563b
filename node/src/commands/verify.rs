//! `billchain verify`: a certificate of a bill, of one of its versions, of a range of numbers or
//! of an issuer's month, checked without a node.

mod paper;

use anyhow::{Context, Result};
use billchain_primitives::Hash;
use billchain_verifier::{Proved, Refusal, verify, verify_from};
use billchain_verifier_json as json;
use clap::Args;
use serde_json::{Map, Value};
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

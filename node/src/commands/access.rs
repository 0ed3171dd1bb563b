//! `billchain access` and `billchain access-log`: the configuration of access, and its log.

use crate::access::check_did;
use anyhow::{Context, Result, bail, ensure};
use billchain_access::{
    AccessConfig, LogError, Rules, fingerprint,
    log::{LogHead, verify},
};
use billchain_client::Connection;
use billchain_crypto::sm3::sm3;
use billchain_primitives::AccountId;
use billchain_rpc_types::AccessAnchorView;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// Exit code of a log that is broken.
const BROKEN: u8 = 3;

/// Actions on the configuration of access.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check a file and what it names, as a node would before it takes effect; every problem
    /// is reported at once. Run it as the node's user.
    Check {
        /// The file that access.file names.
        file: PathBuf,
    },
    /// Make an API key: it is shown once, and its SM3 goes into the configuration.
    NewKey,
    /// The SM3 by which a configuration names a client's certificate.
    Fingerprint {
        /// The certificate, PEM or DER.
        file: PathBuf,
    },
}

/// Actions on logs of access.
#[derive(Subcommand)]
pub(crate) enum LogCommand {
    /// Check every line of a log without a node, and that it holds the heads that are known
    /// from elsewhere. Exit code 3: it is broken.
    Verify {
        /// Directory of the log.
        directory: PathBuf,
        /// A head that is known: number and hash, such as 1200:0x….
        #[arg(long = "head", value_name = "NUMBER:HASH", value_parser = head)]
        heads: Vec<LogHead>,
        /// A node of somebody else, whose chain says where the operator's log stood.
        #[arg(long, requires = "operator")]
        rpc: Option<String>,
        /// Account of the operator whose node's log it is.
        #[arg(long, requires = "rpc")]
        operator: Option<AccountId>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Look for lines in a node's log, as its auditor.
    Search(Search),
}

/// What is looked for.
#[derive(Args)]
pub(crate) struct Search {
    /// A node's JSON-RPC.
    #[arg(long, default_value = "http://127.0.0.1:9944")]
    rpc: String,
    /// First moment, in milliseconds since 1970.
    #[arg(long)]
    from: Option<u64>,
    /// Last moment.
    #[arg(long)]
    to: Option<u64>,
    /// Name of an identity; - for who has none.
    #[arg(long)]
    who: Option<String>,
    /// DID of a participant.
    #[arg(long)]
    did: Option<String>,
    /// Beginning of the method's name.
    #[arg(long)]
    method: Option<String>,
    /// What it was about: code/number of a bill, or a DID.
    #[arg(long)]
    about: Option<String>,
    /// Address it came from.
    #[arg(long)]
    address: Option<String>,
    /// Code of the outcome, 0 for what was done.
    #[arg(long, allow_negative_numbers = true)]
    code: Option<i32>,
    /// Most lines that are shown.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

fn head(text: &str) -> Result<LogHead, String> {
    let expected = "expected a number, a colon and 64 hex digits";
    let (number, hash) = text.split_once(':').ok_or(expected)?;
    let number = number.parse().map_err(|_| expected)?;
    let hash = hex::decode(hash.strip_prefix("0x").unwrap_or(hash)).map_err(|_| expected)?;
    Ok(LogHead { number, hash: hash.try_into().map_err(|_| expected)? })
}

/// Runs `billchain access …`.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Check { file } => {
            let config = AccessConfig::load(&file, check_did)?;
            let rules = Rules::open(config, &file)?;
            println!("{}: no problems", file.display());
            let bound = rules.guessing().most_in_a_day();
            println!("a bill bears at most {bound} wrong codes a day");
        }
        Command::NewKey => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)
                .map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
            let key = format!("bck_{}", hex::encode(bytes));
            println!("key (show it to nobody else, it is not kept): {key}");
            println!("sm3 (for the configuration): {}", hex::encode(sm3(key.as_bytes())));
        }
        Command::Fingerprint { file } => {
            let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
            println!("{}", hex::encode(fingerprint(&der(&bytes)?)));
        }
    }
    Ok(())
}

/// The DER of a certificate in PEM or DER.
fn der(bytes: &[u8]) -> Result<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(bytes.to_vec()) };
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let body = text.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    let Some((body, _)) = body else { bail!("expected a certificate in PEM or DER") };
    let digits: String = body.split_whitespace().collect();
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, digits)
        .context("expected a certificate in PEM or DER")
}

/// Runs `billchain access-log …`.
pub(crate) async fn run_log(command: LogCommand) -> Result<ExitCode> {
    match command {
        LogCommand::Verify { directory, mut heads, rpc, operator, json } => {
            if let (Some(rpc), Some(operator)) = (rpc, operator) {
                heads.extend(anchored(&rpc, &operator).await?);
            }
            verified(&directory, &heads, json)
        }
        LogCommand::Search(search) => search.run().await,
    }
}

/// The heads of an operator's log that the chain knows, since the log was begun last.
async fn anchored(rpc: &str, operator: &AccountId) -> Result<Vec<LogHead>> {
    let node = Connection::open(rpc).await?;
    let answer = node.read("access_anchors", vec![json!(operator.to_string())]).await?;
    let anchors: Vec<AccessAnchorView> = serde_json::from_value(answer)?;
    let fall = anchors.windows(2).rposition(|two| two[1].number < two[0].number);
    let current = anchors.iter().skip(fall.map_or(0, |at| at + 1));
    Ok(current.map(|one| LogHead { number: one.number, hash: one.hash.0 }).collect())
}

fn verified(directory: &std::path::Path, heads: &[LogHead], as_json: bool) -> Result<ExitCode> {
    match verify(directory, heads) {
        Ok(log) if as_json => println!(
            "{}",
            json!({
                "valid": true, "node": log.node, "first": log.first, "number": log.head.number,
                "hash": format!("0x{}", hex::encode(log.head.hash)), "segments": log.segments,
                "not_kept": log.not_kept,
            })
        ),
        Ok(log) => {
            let (number, hash) = (log.head.number, hex::encode(log.head.hash));
            println!(
                "the log of {} is whole: lines {} to {number}, head 0x{hash}",
                log.node, log.first
            );
            for number in log.not_kept {
                println!("line {number}, whose hash is known, is no longer kept");
            }
        }
        Err(LogError::Broken(broken)) => {
            match as_json {
                true => println!("{}", json!({ "valid": false, "problem": broken.to_string() })),
                false => println!("the log is broken: {broken}"),
            }
            return Ok(ExitCode::from(BROKEN));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

impl Search {
    /// Asks for parts until there are enough lines, or no more.
    async fn run(self) -> Result<ExitCode> {
        ensure!(self.limit > 0, "--limit: expected at least 1");
        let node = Connection::open(&self.rpc).await?;
        let query = json!({
            "from": self.from, "to": self.to, "who": self.who, "did": self.did,
            "method": self.method, "about": self.about, "address": self.address,
            "code": self.code,
        });
        let (mut shown, mut cursor) = (0, Value::Null);
        while shown < self.limit {
            let most = (self.limit - shown).min(100);
            let params = vec![query.clone(), cursor, json!(most)];
            let part: Value = node.read("access_log", params).await?;
            for line in part["items"].as_array().into_iter().flatten() {
                println!("{line}");
                shown += 1;
            }
            cursor = part["next"].clone();
            if cursor.is_null() {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

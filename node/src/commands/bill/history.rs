//! What versions of a bill changed, and proofs of it that check without a node.

use super::{Cli, split};
use crate::text_files;
use anyhow::{Context, Result, anyhow};
use billchain_client::Connection;
use billchain_primitives::{
    Hash,
    history::{BillField, FieldProof},
};
use billchain_rpc_types::{FieldChangeView, FieldProofView};
use clap::Subcommand;
use codec::DecodeAll;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What a missing bill is answered with.
const NOT_FOUND: &str = "not found: no bill has this code and number";

#[derive(Subcommand)]
pub(super) enum Action {
    /// Show in what two versions of a bill differ.
    Difference {
        /// CODE-NUMBER.
        bill: String,
        /// The older version; the one before --to by default.
        #[arg(long)]
        from: Option<u32>,
        /// The newer version; the present one by default.
        #[arg(long)]
        to: Option<u32>,
    },
    /// Have the node check a bill's versions against its present state.
    VerifyHistory {
        /// CODE-NUMBER.
        bill: String,
    },
    /// Write a proof that a version changed a field, which shows no other one.
    ProveField {
        /// CODE-NUMBER.
        bill: String,
        /// Path of the field, such as status or lock.holder.
        #[arg(long)]
        field: BillField,
        /// The version; the present one by default.
        #[arg(long)]
        version: Option<u32>,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check such a proof.
    VerifyField {
        /// The file.
        proof: PathBuf,
        /// Hash of the bill's present version, from somewhere that one trusts;
        /// without it, the node is asked.
        #[arg(long)]
        version_hash: Option<Hash>,
    },
}

pub(super) async fn run(cli: &Cli, node: &Connection, action: &Action) -> Result<ExitCode> {
    match action {
        Action::Difference { bill, from, to } => {
            let (code, number) = split(bill)?;
            match node.difference(code, number, *from, *to).await? {
                Some(difference) => cli.shell.print(&serde_json::to_value(difference)?),
                None => return Ok(cli.shell.refuse(NOT_FOUND, json!({}))),
            }
        }
        Action::VerifyHistory { bill } => {
            let (code, number) = split(bill)?;
            let Some(check) = node.verify_history(code, number).await? else {
                return Ok(cli.shell.refuse(NOT_FOUND, json!({})));
            };
            let value = serde_json::to_value(&check)?;
            match &check.problem {
                Some(problem) => return Ok(cli.shell.refuse(problem, value)),
                None => cli.shell.print(&value),
            }
        }
        Action::ProveField { bill, field, version, out } => {
            let (code, number) = split(bill)?;
            let Some(proof) = node.prove_field(code, number, *version, *field).await? else {
                return Ok(cli.shell.refuse(NOT_FOUND, json!({})));
            };
            let text = serde_json::to_string_pretty(&proof)?;
            fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))?;
            cli.shell.print(&serde_json::to_value(&proof)?);
        }
        Action::VerifyField { proof, version_hash } => {
            return verify_field(cli, proof, *version_hash).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks a proof against `version_hash`, or against what the node says is the
/// hash of the bill's present version.
pub(super) async fn verify_field(
    cli: &Cli,
    file: &Path,
    version_hash: Option<Hash>,
) -> Result<ExitCode> {
    let text = text_files::read_text(file, "the proof")?;
    let proof =
        read(&text).with_context(|| format!("{} is no proof of a field", file.display()))?;
    let key = proof.head.key;
    let present = match version_hash {
        Some(hash) => hash,
        None => {
            let node = cli.shell.connect().await?;
            match node.bill(key.code.as_str(), key.number.as_str()).await? {
                Some(bill) => bill.version_hash,
                None => return Ok(cli.shell.refuse(NOT_FOUND, json!({}))),
            }
        }
    };
    if let Err(problem) = proof.verify(present.as_fixed_bytes()) {
        let reason = format!("the proof does not hold for version hash {present:?}: {problem}");
        return Ok(cli.shell.refuse(&reason, json!({ "version_hash": present })));
    }
    // What the proof says, whatever is written beside it.
    let change = FieldChangeView::from(&proof.change);
    cli.shell.print(&json!({
        "proved": true,
        "bill": key.to_string(),
        "version": proof.head.version,
        "block": proof.head.at.block,
        "time": proof.head.at.moment,
        "field": change.field,
        "old": change.old,
        "new": change.new,
    }));
    Ok(ExitCode::SUCCESS)
}

/// A proof as `prove-field` and `bill_proveField` give it, or its hex alone.
fn read(text: &str) -> Result<FieldProof> {
    let view = serde_json::from_str::<FieldProofView>(text);
    let hex = view.map_or_else(|_| text.trim().to_owned(), |view| view.proof);
    let bytes = hex::decode(hex.strip_prefix("0x").unwrap_or(&hex))
        .map_err(|error| anyhow!("expected JSON with a proof, or hex: {error}"))?;
    Ok(FieldProof::decode_all(&mut &bytes[..])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::{
        BillKey, Stamp,
        history::{FieldChange, FieldValue, VersionHead},
    };
    use codec::Encode;

    fn proof() -> FieldProof {
        let key =
            BillKey { code: "31060125".parse().unwrap(), number: "0000000101".parse().unwrap() };
        let (content, difference) = ([1; 32], Some([2; 32]));
        let head = VersionHead { key, version: 2, at: Stamp::default(), content, difference };
        let new = Some(FieldValue::Number(2));
        FieldProof {
            change: FieldChange { field: BillField::LockVersion, old: None, new },
            salt: [3; 32],
            siblings: Default::default(),
            previous: [4; 32],
            head,
            later: Default::default(),
        }
    }

    #[test]
    fn a_proof_is_read_from_json_and_from_hex() {
        let encoded = format!("0x{}", hex::encode(proof().encode()));
        let view = FieldProofView::new(&proof(), Hash::zero(), encoded.clone());
        for text in [
            serde_json::to_string_pretty(&view).unwrap(),
            encoded.clone(),
            format!("{}\n", encoded.trim_start_matches("0x")),
        ] {
            assert_eq!(read(&text).unwrap(), proof(), "{text}");
        }
        for (text, words) in
            [("", "Not enough data"), ("{}", "expected JSON with a proof, or hex"), ("0x00ff", "")]
        {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        // Nothing may follow.
        assert!(read(&format!("{encoded}00")).is_err());
    }
}

//! Locks given and released for a file of bills, in transactions of up to 500.

use super::{BillUpdateCall, Cli, key};
use crate::{application::now_ms, commands::shell::failure, text_files};
use anyhow::{Context, Result, ensure};
use billchain_client::Connection;
use billchain_primitives::{BatchMode, ClaimNo, MAX_BATCH, Reason, SceneId};
use billchain_rpc_types::TransactionView;
use billchain_runtime::RuntimeCall;
use clap::{Args, Subcommand};
use pallet_bill_update::{StatusBatch, StatusChange, StatusItem};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

#[derive(Subcommand)]
pub(super) enum Action {
    /// Lock the bills of a file, each for its claim: CODE-NUMBER CLAIM-NO, one
    /// a line.
    LockBatch {
        #[command(flatten)]
        batch: Batch,
    },
    /// Release the locks of the bills of a file: CODE-NUMBER, one a line.
    UnlockBatch {
        #[command(flatten)]
        batch: Batch,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
pub(super) struct Batch {
    /// The file; empty lines and those that begin with # do not count.
    file: PathBuf,
    /// One refused bill refuses all of the file, which then has 500 at most.
    #[arg(long)]
    all_or_nothing: bool,
}

/// Sends the file in as many transactions as it takes.
pub(super) async fn run(cli: &Cli, node: &Connection, action: &Action) -> Result<ExitCode> {
    let (batch, reason) = match action {
        Action::LockBatch { batch } => (batch, None),
        Action::UnlockBatch { batch, reason } => (batch, Some(Reason::new(reason)?)),
    };
    let file = batch.file.display();
    let text = text_files::read_text(&batch.file, "the list of bills")?;
    let mut items = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let item = item(SceneId(cli.scene), line, reason.as_ref());
        items.push(item.with_context(|| format!("{file}, line {number}: \"{line}\""))?);
    }
    ensure!(!items.is_empty(), "{file}: expected bills, found none");
    let most = MAX_BATCH as usize;
    ensure!(
        !batch.all_or_nothing || items.len() <= most,
        "{file}: {} bills, expected at most {most} with --all-or-nothing",
        items.len()
    );
    let mode = if batch.all_or_nothing { BatchMode::AllOrNothing } else { BatchMode::PerItem };
    let mut refused = Vec::new();
    for part in items.chunks(most) {
        // A part is as long as a batch may be.
        let changes = StatusBatch::truncate_from(part.to_vec());
        let call = RuntimeCall::BillUpdate(BillUpdateCall::change_status_batch { changes, mode });
        let view = cli.shell.send(node, call).await?;
        if view.success != Some(true) {
            return cli.shell.refused(&view);
        }
        refused.extend(refusals(&view, part));
    }
    let done = items.len() - refused.len();
    if refused.is_empty() {
        cli.shell.print(&json!({ "done": done }));
        return Ok(ExitCode::SUCCESS);
    }
    let reasons: Vec<_> =
        refused.iter().map(|(bill, why)| json!({ "bill": bill, "reason": why })).collect();
    let lines: Vec<_> = refused.iter().map(|(bill, why)| format!("\n  {bill}: {why}")).collect();
    let text = format!("{} of {} bills:{}", refused.len(), items.len(), lines.concat());
    Ok(cli.shell.refuse(&text, json!({ "done": done, "refused": reasons })))
}

/// A line: a lock of `scene`, or with a reason an unlock.
fn item(scene: SceneId, line: &str, reason: Option<&Reason>) -> Result<StatusItem> {
    let (bill, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let change = match reason {
        Some(reason) => {
            ensure!(rest.is_empty(), "expected CODE-NUMBER and nothing else");
            StatusChange::Unlock { reason: reason.clone() }
        }
        None => StatusChange::Lock {
            scene,
            claim_no: ClaimNo::new(rest.trim())?,
            on_behalf_of: None,
            grant: None,
            signed_at: now_ms(),
        },
    };
    Ok(StatusItem { key: key(bill)?, expected_version: None, change })
}

/// The bills that were refused, with the reasons.
fn refusals(view: &TransactionView, items: &[StatusItem]) -> Vec<(String, String)> {
    view.events
        .iter()
        .filter_map(|event| {
            let item = items.get(usize::try_from(event.item?).ok()?)?;
            Some((item.key.to_string(), failure(event.error.as_ref())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bills_with_claims_or_bills_alone() {
        let reason = Reason::new("材料不全").unwrap();
        let locked = item(SceneId(7), "31060125-0000000101  CLM 1", None).unwrap();
        assert_eq!(locked.key.to_string(), "31060125-0000000101");
        let StatusChange::Lock { scene, claim_no, .. } = locked.change else { panic!("no lock") };
        assert_eq!((scene, claim_no.as_str()), (SceneId(7), "CLM 1"));
        let unlocked = item(SceneId(7), "31060125-0000000101", Some(&reason)).unwrap();
        assert_eq!(unlocked.change, StatusChange::Unlock { reason: reason.clone() });
        for (line, reason, words) in [
            ("31060125-0000000101", None, "1 to 64 bytes"),
            ("31060125", None, "1 to 64 bytes"),
            ("31060125 C", None, "expected CODE-NUMBER"),
            ("31060125-1 C", None, "10 digits"),
            ("31060125-0000000101 C", Some(&reason), "and nothing else"),
        ] {
            let error = item(SceneId(1), line, reason).unwrap_err().to_string();
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}

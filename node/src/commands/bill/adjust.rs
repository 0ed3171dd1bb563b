//! Adjustment of a bill's status by two administrators.

use super::{BillUpdateCall, Cli, key, read_xml, split};
use anyhow::{Context, Result, bail};
use billchain_client::Connection;
use billchain_primitives::{BillKey, BillStatus, Elements, Hash, Reason, ThreeCodes, sm3};
use billchain_runtime::RuntimeCall;
use clap::Subcommand;
use serde_json::{Value, json};
use std::{fs, path::PathBuf, process::ExitCode};

#[derive(Subcommand)]
pub(super) enum Action {
    /// Propose to adjust a bill's status by hand; another administrator
    /// approves it.
    ProposeAdjustment {
        /// The bill's XML original, for its five elements.
        xml: PathBuf,
        /// The status it is to have: normal, voided and so on.
        #[arg(long, value_parser = status)]
        to: BillStatus,
        /// Why.
        #[arg(long)]
        reason: String,
        /// File with the evidence; its SM3 goes onto the chain.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
    },
    /// Show the adjustment of a bill that waits, with its proposal.
    Adjustment {
        /// CODE-NUMBER.
        bill: String,
    },
    /// Approve an adjustment that another administrator proposed.
    ApproveAdjustment {
        /// CODE-NUMBER.
        bill: String,
        /// The proposal, as `adjustment` shows it.
        #[arg(long)]
        proposal: Hash,
    },
    /// Take an adjustment back, or turn it down.
    WithdrawAdjustment {
        /// CODE-NUMBER.
        bill: String,
        /// The proposal, as `adjustment` shows it.
        #[arg(long)]
        proposal: Hash,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

fn status(text: &str) -> Result<BillStatus, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|error| error.to_string())
}

pub(super) async fn show(cli: &Cli, node: &Connection, bill: &str) -> Result<ExitCode> {
    let (code, number) = split(bill)?;
    match node.adjustment(code, number).await? {
        Some(adjustment) => cli.shell.print(&serde_json::to_value(adjustment)?),
        None => {
            return Ok(cli.shell.refuse("not found: no adjustment of this bill waits", json!({})));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The call of an action and the bill it is about.
pub(super) fn call(action: &Action) -> Result<(RuntimeCall, BillKey)> {
    let (call, key) = match action {
        Action::ProposeAdjustment { xml, to, reason, evidence } => {
            let original = read_xml(xml)?;
            let evidence = fs::read(evidence)
                .with_context(|| format!("cannot read --evidence {}", evidence.display()))?;
            let codes = ThreeCodes { key: original.key, check_code: original.check_code };
            let call = BillUpdateCall::propose_adjustment {
                elements: Elements {
                    codes,
                    issue_date: original.issue_date,
                    total: original.total,
                },
                expected_version: None,
                to: *to,
                reason: Reason::new(reason)?,
                evidence: sm3(&evidence),
            };
            (call, original.key)
        }
        Action::ApproveAdjustment { bill, proposal } => {
            let key = key(bill)?;
            (BillUpdateCall::approve_adjustment { key, proposal: *proposal }, key)
        }
        Action::WithdrawAdjustment { bill, proposal, reason } => {
            let (key, proposal, reason) = (key(bill)?, *proposal, Reason::new(reason)?);
            (BillUpdateCall::withdraw_adjustment { key, proposal, reason }, key)
        }
        Action::Adjustment { .. } => bail!("this action sends no transaction"),
    };
    Ok((RuntimeCall::BillUpdate(call), key))
}

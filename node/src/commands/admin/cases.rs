//! `billchain admin cases`.

use super::{Act, options::Grounds};
use crate::commands::bill::{key, split};
use anyhow::{Context, Result};
use billchain_client::Connection;
use billchain_primitives::Did;
use billchain_runtime::Runtime;
use clap::{Args, Subcommand};
use pallet_bill_update::types::StatusChange;
use pallet_dispute::{CaseId, OpenCases, Outcome};
use serde_json::{Value, json};

type Call = pallet_dispute::Call<Runtime>;
type BillCall = pallet_bill_update::Call<Runtime>;

/// Actions on disputes and on bills by hand: of participants with the role of
/// an administrator.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Open a case over a bill (立案).
    Open {
        /// CODE-NUMBER.
        bill: String,
        /// DID of a party; once for each.
        #[arg(long = "party", required = true)]
        parties: Vec<Did>,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Close a case (结案).
    Close {
        /// Number of the case.
        case: CaseId,
        #[command(flatten)]
        outcome: Decided,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Lock the bill of a case (人工锁定).
    Lock {
        /// Number of the case.
        case: CaseId,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Unlock the bill of a case (人工解锁).
    Unlock {
        /// Number of the case.
        case: CaseId,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Lock a bill without a case.
    LockBill {
        /// CODE-NUMBER.
        bill: String,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Unlock a bill without a case.
    UnlockBill {
        /// CODE-NUMBER.
        bill: String,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Show a case.
    Show {
        /// Number of the case.
        case: CaseId,
    },
    /// Show what was done about a case.
    Acts {
        /// Number of the case.
        case: CaseId,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// List the cases of a bill.
    Of {
        /// CODE-NUMBER.
        bill: String,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
}

/// How a case ends.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Decided {
    /// In favour of this party.
    #[arg(long, value_name = "DID")]
    in_favour_of: Option<Did>,
    /// In nobody's favour.
    #[arg(long)]
    dismissed: bool,
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        match self {
            Self::Open { bill, parties, grounds } => {
                let found = parties.len();
                Act::own(Call::open_case {
                    key: key(bill)?,
                    parties: parties
                        .clone()
                        .try_into()
                        .ok()
                        .with_context(|| format!("--party: {found} are too many"))?,
                    reason: grounds.reason.clone(),
                    evidence: grounds.evidence()?,
                })
            }
            Self::Close { case, outcome, grounds } => Act::own(Call::close_case {
                case: *case,
                outcome: match &outcome.in_favour_of {
                    Some(party) => Outcome::InFavourOf(party.clone()),
                    None => Outcome::Dismissed,
                },
                reason: grounds.reason.clone(),
                evidence: grounds.evidence()?,
            }),
            Self::Lock { case, grounds } => Act::own(Call::admin_lock {
                case: *case,
                reason: grounds.reason.clone(),
                evidence: grounds.evidence()?,
            }),
            Self::Unlock { case, grounds } => Act::own(Call::admin_unlock {
                case: *case,
                reason: grounds.reason.clone(),
                evidence: grounds.evidence()?,
            }),
            Self::LockBill { bill, grounds } => {
                let (reason, evidence) = (grounds.reason.clone(), grounds.evidence()?);
                change(bill, StatusChange::AdminLock { reason, evidence })
            }
            Self::UnlockBill { bill, grounds } => {
                let (reason, evidence) = (grounds.reason.clone(), grounds.evidence()?);
                change(bill, StatusChange::AdminUnlock { reason, evidence })
            }
            Self::Show { case } => Act::read("dispute_case", [json!(case)]),
            Self::Acts { case, cursor } => {
                Act::read("dispute_acts", [json!(case), json!(cursor), Value::Null])
            }
            Self::Of { bill, cursor } => {
                let (code, number) = split(bill)?;
                let question = [json!(code), json!(number), json!(cursor), Value::Null];
                Act::read("dispute_cases", question)
            }
        }
    }
}

fn change(bill: &str, change: StatusChange) -> Result<Act> {
    Act::own(BillCall::change_status { key: key(bill)?, expected_version: None, change })
}

/// Number of the case that a call opened.
pub(super) async fn opened(node: &Connection, call: &Call) -> Result<Option<CaseId>> {
    let Call::open_case { key, .. } = call else { return Ok(None) };
    Ok(node.state(&OpenCases::<Runtime>::hashed_key_for(key)).await?)
}

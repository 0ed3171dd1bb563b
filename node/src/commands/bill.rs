//! `billchain bill`: the bill operations, for an operator at a shell.
//!
//! Exit codes are [`super::shell`]'s; 3 is also for what does not match.

mod adjust;
mod batch;
mod certify;
mod history;
mod payer;

use super::shell::{Shell, failure};
use crate::application::now_ms;
use anyhow::{Context, Result, bail, ensure};
use billchain_client::{Connection, einvoice::EInvoice};
use billchain_oprf::IdType;
use billchain_primitives::{BillKey, ClaimNo, Did, Fen, GrantId, Hash, Reason, SceneId};
use billchain_rpc_types::VerificationResult;
use billchain_runtime::{Runtime, RuntimeCall};
use clap::{Args, Subcommand, ValueEnum};
use pallet_bill_register::{LinkChange, Relation};
use pallet_bill_update::types::StatusChange;
use pallet_bill_verify::Observation;
use serde_json::json;
use std::{fs, path::PathBuf, process::ExitCode};

type BillRegisterCall = pallet_bill_register::Call<Runtime>;
type BillUpdateCall = pallet_bill_update::Call<Runtime>;
type BillVerifyCall = pallet_bill_verify::Call<Runtime>;

/// `billchain bill …`.
#[derive(Args)]
pub(crate) struct Cli {
    #[command(flatten)]
    shell: Shell,
    /// Scene of the bill or claim.
    #[arg(long, default_value_t = 1, global = true)]
    scene: u16,
    /// Configuration of who asks the bureau's service for payer references.
    #[arg(long, value_name = "FILE", env = "BILLCHAIN_REFERENCES", global = true)]
    references: Option<PathBuf>,
    /// Type of the payer's identity document in an original, two digits: without it 01 for
    /// a person and 50 for an organisation.
    #[arg(long, value_parser = IdType::new, global = true)]
    payer_id_type: Option<IdType>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Register a bill from its XML original.
    Register {
        /// The original.
        xml: PathBuf,
        /// Its PDF, if there is one.
        #[arg(long)]
        pdf: Option<PathBuf>,
    },
    /// Lock a bill (CODE-NUMBER) for a claim.
    Lock {
        /// CODE-NUMBER.
        bill: String,
        /// The claim's number.
        #[arg(long)]
        claim_no: String,
        /// SM3 of the verifiable credential whose grant allows it; without
        /// it, the scene's whitelist must.
        #[arg(long)]
        grant: Option<Hash>,
    },
    /// Release a lock of one's own.
    Unlock {
        /// CODE-NUMBER.
        bill: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Reimburse a locked bill.
    Reimburse {
        /// CODE-NUMBER.
        bill: String,
        /// Yuan with two decimals.
        #[arg(long)]
        amount: Fen,
    },
    /// Reverse a bill in red.
    RedReverse {
        /// CODE-NUMBER of the blue bill.
        bill: String,
        /// XML original of the red bill.
        #[arg(long)]
        red: PathBuf,
        /// XML original of the balance bill.
        #[arg(long)]
        balance: Option<PathBuf>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Link a party to a bill: its issuer or an administrator does.
    LinkParty {
        /// CODE-NUMBER.
        bill: String,
        /// DID of the party.
        #[arg(long)]
        party: Did,
        /// What the party is to the bill.
        #[arg(long)]
        relation: RelationArg,
    },
    /// Change what a party is to a bill, or end the link.
    UpdateLink {
        /// CODE-NUMBER.
        bill: String,
        /// DID of the party.
        #[arg(long)]
        party: Did,
        /// What the party is to the bill now.
        #[arg(long)]
        relation: RelationArg,
        /// What it is from now on; without it, the link ends.
        #[arg(long)]
        to: Option<RelationArg>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Show the parties of a bill.
    Parties {
        /// CODE-NUMBER.
        bill: String,
    },
    /// Show a bill by code and number, or by its three codes.
    Query {
        /// 票据代码.
        code: String,
        /// 票据号码.
        number: String,
        /// 校验码.
        check: Option<String>,
    },
    /// Show every version of a bill.
    History {
        /// CODE-NUMBER.
        bill: String,
    },
    #[command(flatten)]
    Certify(certify::Action),
    #[command(flatten)]
    Batch(batch::Action),
    #[command(flatten)]
    Versions(history::Action),
    #[command(flatten)]
    Adjust(adjust::Action),
    #[command(flatten)]
    Payer(payer::Action),
    /// Compare an XML original with the chain: SM3, codes, date and total. Shows
    /// its signatures and seals, of which the structure is checked.
    Verify {
        /// The original.
        xml: PathBuf,
    },
    /// Report that the SM3 of an XML original differs from the chain.
    ReportMismatch {
        /// The original.
        xml: PathBuf,
    },
}

/// What a party is to a bill.
#[derive(Clone, Copy, ValueEnum)]
enum RelationArg {
    /// 交款人代理: acts for who paid.
    PayerAgent,
    /// 申请人: claims a reimbursement by the bill.
    Claimant,
    /// 承保方: insures who paid.
    Insurer,
    /// Something else.
    Other,
}

impl From<RelationArg> for Relation {
    fn from(relation: RelationArg) -> Self {
        match relation {
            RelationArg::PayerAgent => Self::PayerAgent,
            RelationArg::Claimant => Self::Claimant,
            RelationArg::Insurer => Self::Insurer,
            RelationArg::Other => Self::Other,
        }
    }
}

/// Runs `billchain bill …`.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    // Asks a node only where it has to.
    if let Action::Versions(history::Action::VerifyField { proof, version_hash }) = &cli.action {
        return history::verify_field(&cli, proof, *version_hash).await;
    }
    let node = cli.shell.connect().await?;
    match &cli.action {
        Action::Query { code, number, check } => {
            let bill = match check {
                Some(check) => node.bill_by_codes(code, number, check).await?,
                None => node.bill(code, number).await?,
            };
            match bill {
                Some(bill) => cli.shell.print(&serde_json::to_value(bill)?),
                None => {
                    return Ok(cli.shell.refuse("not found: no bill has these codes", json!({})));
                }
            }
        }
        Action::History { bill } => {
            let (code, number) = split(bill)?;
            let versions = node.history(code, number).await?;
            cli.shell.print(&json!({ "versions": versions }));
        }
        Action::Parties { bill } => {
            let (code, number) = split(bill)?;
            match node.parties(code, number).await? {
                Some(page) => cli.shell.print(&json!({ "parties": page.items })),
                None => return Ok(cli.shell.refuse("not found: no bill has this key", json!({}))),
            }
        }
        Action::Certify(action) => return certify::run(&cli, &node, action).await,
        Action::Verify { xml } => return verify(&cli, &node, xml).await,
        Action::Batch(action) => return batch::run(&cli, &node, action).await,
        Action::Payer(action) => return payer::run(&cli, &node, action).await,
        Action::Versions(action) => return history::run(&cli, &node, action).await,
        Action::Adjust(adjust::Action::Adjustment { bill }) => {
            return adjust::show(&cli, &node, bill).await;
        }
        change => return send(&cli, &node, change).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(cli: &Cli, node: &Connection, xml: &PathBuf) -> Result<ExitCode> {
    let original = read_xml(xml)?;
    let (code, number) = (original.key.code.to_string(), original.key.number.to_string());
    let check = original.check_code.to_string();
    let answer =
        node.verify_elements(&code, &number, &check, original.issue_date, original.total).await?;
    let Some(elements) = answer.elements else {
        return Ok(cli.shell.refuse("not found: no bill has this code and number", json!({})));
    };
    if answer.result != VerificationResult::Match {
        let differing: Vec<&str> = [
            (elements.check_code, "check code"),
            (elements.issue_date, "issue date"),
            (elements.total, "total"),
        ]
        .iter()
        .filter_map(|(same, name)| (!same).then_some(*name))
        .collect();
        let reason = format!("ElementMismatch: not the bill's: {}", differing.join(", "));
        return Ok(cli.shell.refuse(&reason, serde_json::to_value(elements)?));
    }
    let hash = Hash::from(original.xml_hash);
    let answer = node.verify_xml(&code, &number, &check, hash).await?;
    if let Some(recorded) = answer.recorded {
        let reason =
            format!("HashMismatch: the original's SM3 is {hash:?}, the chain has {recorded:?}");
        return Ok(cli.shell.refuse(&reason, json!({ "expected": recorded, "found": hash })));
    }
    ensure!(answer.result == VerificationResult::Match, "the bill changed while it was verified");
    let status = node.bill(&code, &number).await?.map(|bill| bill.status);
    cli.shell.print(&json!({
        "verified": true,
        "xml_hash": hash,
        "status": status,
        // The form that is signed is not public, so that structure is all that
        // was checked of these.
        "checked_of_signatures": "structure",
        "signatures": original.signatures,
        "seals": { "issuer": original.issuer_seal, "supervisor": original.supervisor_seal },
    }));
    Ok(ExitCode::SUCCESS)
}

async fn send(cli: &Cli, node: &Connection, action: &Action) -> Result<ExitCode> {
    let did = cli.shell.did()?;
    let (call, subject) = call(cli, &did, action).await?;
    let view = cli.shell.send(node, call).await?;
    if view.success == Some(true) {
        cli.shell.print(&serde_json::to_value(&view)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut error = serde_json::to_value(&view.error)?;
    let mut text = failure(view.error.as_ref());
    // Who has the bill is what a refused claimant wants to know.
    if let Some(failure) = &view.error
        && let Some(holder) = other_claimant(node, &failure.name, &subject).await?
    {
        let name = node.participant(holder.as_str()).await?.map(|p| p.name.to_string());
        text += &format!(" Holder: {} ({holder})", name.as_deref().unwrap_or("unknown"));
        error["holder"] = json!({ "did": holder, "name": name });
    }
    // Who registers twice wants to know what stands there.
    for item in &view.items {
        if let Some(recorded) = item.recorded {
            text += &format!(
                " Content on the chain: {:?}, in transaction {:?} of block {}; sent: {:?}",
                recorded.content_hash,
                recorded.transaction,
                recorded.block.number,
                item.content_hash
            );
        }
    }
    Ok(cli.shell.refuse(&text, error))
}

/// Who has the bill, or won it in the block, if that is why a lock was refused.
async fn other_claimant(node: &Connection, error: &str, bill: &BillKey) -> Result<Option<Did>> {
    let (code, number) = (bill.code.to_string(), bill.number.to_string());
    Ok(match error {
        "LockedByOther" => {
            node.bill(&code, &number).await?.and_then(|bill| bill.lock).map(|lock| lock.holder)
        }
        "DisputeLost" => node.resolution(&code, &number).await?.map(|found| found.winner),
        _ => None,
    })
}

/// The call that changes a bill's status.
fn status_change(bill: &str, change: StatusChange) -> Result<(RuntimeCall, BillKey)> {
    let key = key(bill)?;
    let call = BillUpdateCall::change_status { key, expected_version: None, change };
    Ok((RuntimeCall::BillUpdate(call), key))
}

/// The call of an action and the bill it is about.
async fn call(cli: &Cli, did: &Did, action: &Action) -> Result<(RuntimeCall, BillKey)> {
    match action {
        Action::Register { xml, pdf } => {
            let pdf = pdf.as_ref().map(fs::read).transpose().context("cannot read the PDF")?;
            let mut made = cli.summaries(did, &[xml], pdf.as_deref()).await?;
            let summary = made.pop().context("one original has one summary; qed")?;
            let key = summary.key;
            Ok((RuntimeCall::BillRegister(BillRegisterCall::register { summary }), key))
        }
        Action::Lock { bill, claim_no, grant } => status_change(
            bill,
            StatusChange::Lock {
                scene: SceneId(cli.scene),
                claim_no: ClaimNo::new(claim_no)?,
                on_behalf_of: None,
                grant: grant.map(GrantId),
                signed_at: now_ms(),
            },
        ),
        Action::Unlock { bill, reason } => {
            status_change(bill, StatusChange::Unlock { reason: Reason::new(reason)? })
        }
        Action::Reimburse { bill, amount } => {
            status_change(bill, StatusChange::Reimburse { amount: *amount })
        }
        Action::RedReverse { bill, red, balance, reason } => {
            let key = key(bill)?;
            let files: Vec<&PathBuf> = [red].into_iter().chain(balance).collect();
            let mut made = cli.summaries(did, &files, None).await?.into_iter();
            let call = BillUpdateCall::red_reverse {
                key,
                expected_version: None,
                red: made.next().context("the red bill has a summary; qed")?,
                balance: made.next(),
                reason: Reason::new(reason)?,
            };
            Ok((RuntimeCall::BillUpdate(call), key))
        }
        Action::ReportMismatch { xml } => {
            let EInvoice { key, xml_hash, .. } = read_xml(xml)?;
            let found = Observation::XmlHash(xml_hash);
            Ok((RuntimeCall::BillVerify(BillVerifyCall::report_mismatch { key, found }), key))
        }
        Action::LinkParty { bill, party, relation } => {
            let (key, relation) = (key(bill)?, Relation::from(*relation));
            let call = BillRegisterCall::link_party { key, party: party.clone(), relation };
            Ok((RuntimeCall::BillRegister(call), key))
        }
        Action::UpdateLink { .. } => update_link(action),
        Action::Adjust(action) => adjust::call(action),
        Action::Query { .. }
        | Action::History { .. }
        | Action::Parties { .. }
        | Action::Certify(_)
        | Action::Verify { .. }
        | Action::Batch(_)
        | Action::Payer(_)
        | Action::Versions(_) => bail!("this action is done elsewhere"),
    }
}

fn update_link(action: &Action) -> Result<(RuntimeCall, BillKey)> {
    let Action::UpdateLink { bill, party, relation, to, reason } = action else {
        bail!("this action is done elsewhere")
    };
    let key = key(bill)?;
    let call = BillRegisterCall::update_link {
        key,
        party: party.clone(),
        relation: (*relation).into(),
        change: to.map_or(LinkChange::Ended, |to| LinkChange::Relation(to.into())),
        reason: Reason::new(reason)?,
    };
    Ok((RuntimeCall::BillRegister(call), key))
}

fn read_xml(file: &PathBuf) -> Result<EInvoice> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    EInvoice::parse(&bytes).with_context(|| format!("{} is no bill", file.display()))
}

/// The two parts of `CODE-NUMBER`.
pub(crate) fn split(bill: &str) -> Result<(&str, &str)> {
    bill.split_once('-').with_context(|| format!("expected CODE-NUMBER, found {bill}"))
}

/// Code and number of `CODE-NUMBER`.
pub(crate) fn key(bill: &str) -> Result<BillKey> {
    let (code, number) = split(bill)?;
    Ok(BillKey { code: code.parse()?, number: number.parse()? })
}

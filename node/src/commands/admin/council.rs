//! `billchain admin council`: motions, how other actions become one, and the members.

use super::Cli;
use crate::commands::shell::{failure, hex_account};
use anyhow::{Context, Result, ensure};
use billchain_client::{Connection, Signer};
use billchain_primitives::{AccountId, BlockNumber, Hash, PublicKey, sm3};
use billchain_rpc_types::TransactionView;
use billchain_runtime::{CouncilCollective, MotionTicket, Runtime, RuntimeCall};
use clap::Subcommand;
use codec::{Decode, Encode};
use frame_support::dispatch::GetDispatchInfo;
use pallet_collective::{CostOf, Members, ProposalOf, Proposals, Voting};
use serde_json::{Value, json};
use std::process::ExitCode;

type Call = pallet_collective::Call<Runtime, CouncilCollective>;
type Membership = pallet_membership::Call<Runtime, pallet_membership::Instance1>;

/// Actions of members of the council.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Show the accounts of the members.
    Members,
    /// Add a member (a motion of the council).
    Add {
        /// Key of the member's account, sm2:02…
        #[arg(long)]
        account: PublicKey,
    },
    /// Remove a member (a motion of the council).
    Remove {
        /// Account of the member, as members shows it.
        #[arg(long)]
        account: Hash,
    },
    /// Put another account in a member's place (a motion of the council).
    Replace {
        /// Account of the member, as members shows it.
        #[arg(long)]
        account: Hash,
        /// Key of the account in its place, sm2:02…
        #[arg(long)]
        to: PublicKey,
    },
    /// Show the open motions.
    List,
    /// Vote for a motion.
    Approve {
        /// Hash of the motion, which `list` shows.
        hash: Hash,
    },
    /// Vote against a motion.
    Reject {
        /// Hash of the motion, which `list` shows.
        hash: Hash,
    },
    /// Close a motion that has the votes it needs, or cannot get them: it is
    /// carried out, or dropped.
    Close {
        /// Hash of the motion, which `list` shows.
        hash: Hash,
    },
}

/// An open motion.
struct Motion {
    hash: Hash,
    call: RuntimeCall,
    votes: Standing,
}

/// How a motion stands: `pallet-collective`'s `Votes`, whose fields are its
/// own.
#[derive(Decode)]
struct Standing {
    index: u32,
    threshold: u32,
    ayes: Vec<AccountId>,
    nays: Vec<AccountId>,
    // Its last field, a number of blocks that never comes, says nothing.
    _end: BlockNumber,
}

/// Runs `billchain admin council …`.
pub(super) async fn run(cli: &Cli, node: &Connection, action: &Action) -> Result<ExitCode> {
    let hash = match action {
        Action::List => return list(cli, node).await,
        Action::Members => {
            let members = members(node).await?;
            cli.shell.print(&members.iter().map(hex_account).collect());
            return Ok(ExitCode::SUCCESS);
        }
        Action::Add { account } => {
            let call = Membership::add_member { who: account.account_id().into() };
            return propose(cli, node, call.into()).await;
        }
        Action::Remove { account } => {
            let call = Membership::remove_member { who: AccountId::new(account.0).into() };
            return propose(cli, node, call.into()).await;
        }
        Action::Replace { account, to } => {
            let (remove, add) = (AccountId::new(account.0).into(), to.account_id().into());
            return propose(cli, node, Membership::swap_member { remove, add }.into()).await;
        }
        Action::Approve { hash } | Action::Reject { hash } | Action::Close { hash } => *hash,
    };
    let Some(motion) = find(node, hash).await? else {
        return Ok(cli.shell.refuse("not found: no such motion is open", json!({})));
    };
    let call = match action {
        Action::Close { .. } => close(&motion)?,
        vote => {
            let approve = matches!(vote, Action::Approve { .. });
            Call::vote { proposal: hash, index: motion.votes.index, approve }
        }
    };
    let view = cli.shell.send(node, RuntimeCall::Council(call)).await?;
    end(cli, &view)
}

/// Puts a call before the council, and with `--development-council` has it
/// carried out.
pub(super) async fn propose(cli: &Cli, node: &Connection, call: RuntimeCall) -> Result<ExitCode> {
    let members = members(node).await?;
    let threshold = threshold(members.len())?;
    let hash: Hash = sm3(&call.encode()).into();
    let length_bound = u32::try_from(call.encoded_size())?;
    let propose = Call::propose { threshold, proposal: Box::new(call), length_bound };
    let propose = RuntimeCall::Council(propose);
    if cli.development_council {
        return carry_out(cli, node, propose, hash, threshold).await;
    }
    let view = cli.shell.send(node, propose).await?;
    if view.success != Some(true) {
        return cli.shell.refused(&view);
    }
    // A council of one carries its motions out at once.
    let Some(motion) = find(node, hash).await? else { return end(cli, &view) };
    // Who proposes is for it.
    let approve = Call::vote { proposal: hash, index: motion.votes.index, approve: true };
    let view = cli.shell.send(node, RuntimeCall::Council(approve)).await?;
    if view.success != Some(true) {
        return cli.shell.refused(&view);
    }
    let mut answer = serde_json::to_value(&view)?;
    answer["motion"] = json!(hash);
    answer["votes_needed"] = json!(threshold);
    cli.shell.print(&answer);
    Ok(ExitCode::SUCCESS)
}

/// Proposes, votes and closes with the keys of the development council.
async fn carry_out(
    cli: &Cli,
    node: &Connection,
    propose: RuntimeCall,
    hash: Hash,
    threshold: u32,
) -> Result<ExitCode> {
    let signer = |number: u32| Signer::development(&format!("//node-{number}"));
    let view = cli.shell.send_as(node, &signer(1), propose).await?;
    if view.success != Some(true) {
        return cli.shell.refused(&view);
    }
    let Some(motion) = find(node, hash).await? else { return end(cli, &view) };
    for number in 1..=threshold {
        let vote = Call::vote { proposal: hash, index: motion.votes.index, approve: true };
        let vote = RuntimeCall::Council(vote);
        let view = cli.shell.send_as(node, &signer(number), vote).await?;
        if view.success != Some(true) {
            return cli.shell.refused(&view);
        }
    }
    let close = RuntimeCall::Council(close(&motion)?);
    let view = cli.shell.send_as(node, &signer(1), close).await?;
    end(cli, &view)
}

/// Prints what a vote or the end of a motion came to. A motion whose call
/// failed is a refusal, although the transaction that closed it is none.
fn end(cli: &Cli, view: &TransactionView) -> Result<ExitCode> {
    if view.success != Some(true) {
        return cli.shell.refused(view);
    }
    if let Some(failed) = view.events.iter().find_map(|event| event.error.as_ref()) {
        let reason = format!("the motion was carried, its call failed: {}", failure(Some(failed)));
        return Ok(cli.shell.refuse(&reason, serde_json::to_value(failed)?));
    }
    if view.events.iter().any(|event| event.pallet == "Council" && event.name == "Disapproved") {
        return Ok(cli.shell.refuse("the motion was not carried", json!({})));
    }
    cli.shell.print(&serde_json::to_value(view)?);
    Ok(ExitCode::SUCCESS)
}

async fn list(cli: &Cli, node: &Connection) -> Result<ExitCode> {
    let key = Proposals::<Runtime, CouncilCollective>::hashed_key();
    let hashes: Vec<Hash> = node.state(&key).await?.unwrap_or_default();
    let accounts = |list: &[AccountId]| list.iter().map(hex_account).collect::<Vec<_>>();
    let mut motions = Vec::new();
    for hash in hashes {
        // It may have been closed meanwhile.
        let Some(Motion { hash, call, votes }) = find(node, hash).await? else { continue };
        let key = CostOf::<Runtime, CouncilCollective>::hashed_key_for(hash);
        let ticket = node.state::<(AccountId, MotionTicket)>(&key).await?;
        let lapses_at_ms = ticket.map(|(_, ticket)| ticket.deadline);
        motions.push(json!({
            "motion": hash,
            "index": votes.index,
            "call": format!("{call:?}"),
            "votes_needed": votes.threshold,
            "ayes": accounts(&votes.ayes),
            "nays": accounts(&votes.nays),
            "lapses_at_ms": lapses_at_ms,
        }));
    }
    cli.shell.print(&Value::Array(motions));
    Ok(ExitCode::SUCCESS)
}

async fn find(node: &Connection, hash: Hash) -> Result<Option<Motion>> {
    let key = Voting::<Runtime, CouncilCollective>::hashed_key_for(hash);
    let Some(votes) = node.state::<Standing>(&key).await? else {
        return Ok(None);
    };
    let key = ProposalOf::<Runtime, CouncilCollective>::hashed_key_for(hash);
    let call = node.state::<RuntimeCall>(&key).await?;
    Ok(call.map(|call| Motion { hash, call, votes }))
}

fn close(motion: &Motion) -> Result<Call> {
    Ok(Call::close {
        proposal_hash: motion.hash,
        index: motion.votes.index,
        proposal_weight_bound: motion.call.get_dispatch_info().call_weight,
        length_bound: u32::try_from(motion.call.encoded_size())?,
    })
}

async fn members(node: &Connection) -> Result<Vec<AccountId>> {
    let key = Members::<Runtime, CouncilCollective>::hashed_key();
    let members: Vec<AccountId> = node.state(&key).await?.unwrap_or_default();
    ensure!(!members.is_empty(), "the council has no members");
    Ok(members)
}

/// Votes a motion needs: three quarters of the council.
fn threshold(members: usize) -> Result<u32> {
    u32::try_from(members.saturating_mul(3).div_ceil(4)).context("the council is too large")
}

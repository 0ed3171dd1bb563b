//! `billchain admin`: administration, for an administrator, a council member
//! or a participant at a shell.
//!
//! Who may do what: `docs/decisions/0012-administration.md`. What only the
//! council may do becomes a motion: the command proposes it, other members vote
//! with `billchain admin council approve` or `reject`, and one of them closes it. Exit codes
//! are [`super::shell`]'s.

mod access;
mod allotments;
mod cases;
mod connectors;
mod cooling;
mod council;
mod field_rules;
mod grants;
mod nodes;
mod options;
mod participants;
mod permissions;
mod policies;
mod scenes;
mod upgrades;
mod validators;

use super::shell::Shell;
use anyhow::{Context, Result, ensure};
use billchain_client::Connection;
use billchain_runtime::RuntimeCall;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// `billchain admin …`.
#[derive(Args)]
pub(crate) struct Cli {
    #[command(flatten)]
    shell: Shell,
    /// Have the council do what one could do alone, too.
    #[arg(long, global = true)]
    motion: bool,
    /// Propose, vote for and close a motion with the keys of the development
    /// chain's operators, //node-1 to //node-4.
    #[arg(long, global = true)]
    development_council: bool,
    #[command(subcommand)]
    group: Group,
}

#[derive(Subcommand)]
enum Group {
    /// Participants (参与方).
    #[command(subcommand)]
    Participants(participants::Action),
    /// Access nodes (业务接入节点).
    #[command(subcommand)]
    Nodes(nodes::Action),
    /// Numbers of bills (赋码).
    #[command(subcommand)]
    Allotments(allotments::Action),
    /// What the fields of new bills must be (字段校验规则).
    #[command(subcommand)]
    FieldRules(field_rules::Action),
    /// Scenes (场景) and their approvals.
    #[command(subcommand)]
    Scenes(scenes::Action),
    /// Policies (策略) and their approvals.
    #[command(subcommand)]
    Policies(policies::Action),
    /// Grants (用票授权).
    #[command(subcommand)]
    Grants(grants::Action),
    /// Disputes (争议) and administrative locks.
    #[command(subcommand)]
    Cases(cases::Action),
    /// Rules of the status machine, whitelist and offices.
    #[command(subcommand)]
    Permissions(permissions::Action),
    /// Validators (共识节点): added, removed, their keys, identities and powers.
    #[command(subcommand)]
    Validators(validators::Action),
    /// Observers (观察节点).
    #[command(subcommand)]
    Observers(validators::ObserverAction),
    /// Releases and when the chain goes over to them (升级).
    #[command(subcommand)]
    Upgrades(upgrades::Action),
    /// What becomes cold, and how fast (冷热分层).
    #[command(subcommand)]
    Cooling(cooling::Action),
    /// Connectors (连接器) to systems outside, and what they have to be told.
    #[command(subcommand)]
    Connectors(connectors::Action),
    /// The node's configuration of access (接入控制).
    #[command(subcommand)]
    Access(access::Action),
    /// Motions of the council.
    #[command(subcommand)]
    Council(council::Action),
}

/// What an action comes to.
enum Act {
    /// A question to the node.
    Read(&'static str, Vec<Value>),
    /// A question to the node of whose answer one field is shown.
    ReadField(&'static str, &'static str),
    /// A call of the sender's own.
    Own(Box<RuntimeCall>),
    /// A call that the sender may make, and the council too.
    OwnOrMotion(Box<RuntimeCall>),
    /// A call that only the council may make.
    Motion(Box<RuntimeCall>),
}

impl Act {
    fn read(method: &'static str, params: impl IntoIterator<Item = Value>) -> Result<Self> {
        Ok(Self::Read(method, params.into_iter().collect()))
    }

    fn own(call: impl Into<RuntimeCall>) -> Result<Self> {
        Ok(Self::Own(Box::new(call.into())))
    }

    fn own_or_motion(call: impl Into<RuntimeCall>) -> Result<Self> {
        Ok(Self::OwnOrMotion(Box::new(call.into())))
    }

    fn motion(call: impl Into<RuntimeCall>) -> Result<Self> {
        Ok(Self::Motion(Box::new(call.into())))
    }
}

/// Runs `billchain admin …`.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    // Who is about to upgrade, or has just done so, may have either program at hand.
    let node = match &cli.group {
        Group::Validators(_) | Group::Observers(_) | Group::Upgrades(_) => {
            cli.shell.connect_any().await?
        }
        _ => cli.shell.connect().await?,
    };
    let act = match &cli.group {
        Group::Access(action) => action.act(&node).await?,
        Group::Participants(action) => action.act()?,
        Group::Nodes(action) => action.act()?,
        Group::Allotments(action) => action.act()?,
        Group::FieldRules(action) => action.act()?,
        Group::Scenes(action) => action.act(&node).await?,
        Group::Policies(action) => action.act()?,
        Group::Grants(action) => action.act(&cli.shell)?,
        Group::Cases(action) => action.act()?,
        Group::Permissions(action) => action.act()?,
        Group::Validators(action) => action.act()?,
        Group::Observers(action) => action.act()?,
        Group::Upgrades(action) => action.act()?,
        Group::Cooling(action) => action.act(&node).await?,
        Group::Connectors(action) => action.act(&node).await?,
        Group::Council(action) => return council::run(&cli, &node, action).await,
    };
    let by_motion = cli.motion || cli.development_council;
    if !matches!(act, Act::Read(..) | Act::ReadField(..)) {
        node.ensure_rules()?;
    }
    match act {
        Act::Read(method, params) => {
            let answer = node.read(method, params).await?;
            if answer.is_null() {
                return Ok(cli.shell.refuse("not found", answer));
            }
            cli.shell.print(&answer);
            Ok(ExitCode::SUCCESS)
        }
        Act::ReadField(method, field) => {
            let answer = node.read(method, Vec::new()).await?;
            let shown = answer.get(field);
            let shown = shown.with_context(|| format!("the node's {method} has no {field}"))?;
            cli.shell.print(&json!({ field: shown }));
            Ok(ExitCode::SUCCESS)
        }
        Act::Own(call) => {
            ensure!(!by_motion, "this is not the council's to do: leave --motion out");
            send(&cli, &node, *call).await
        }
        Act::OwnOrMotion(call) if !by_motion => send(&cli, &node, *call).await,
        Act::OwnOrMotion(call) | Act::Motion(call) => council::propose(&cli, &node, *call).await,
    }
}

/// Sends a call of the sender's own. Beside the transaction it prints the
/// number that the call made, of a proposal or a case.
async fn send(cli: &Cli, node: &Connection, call: RuntimeCall) -> Result<ExitCode> {
    let view = cli.shell.send(node, call.clone()).await?;
    if view.success != Some(true) {
        return cli.shell.refused(&view);
    }
    let mut answer = serde_json::to_value(&view)?;
    match &call {
        RuntimeCall::Scene(call) => {
            if let Some(number) = scenes::proposed(node, call).await? {
                answer["proposal"] = number.into();
            }
        }
        RuntimeCall::Dispute(call) => {
            if let Some(number) = cases::opened(node, call).await? {
                answer["case"] = number.into();
            }
        }
        _ => {}
    }
    cli.shell.print(&answer);
    Ok(ExitCode::SUCCESS)
}

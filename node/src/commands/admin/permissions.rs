//! `billchain admin permissions`.

use super::Act;
use crate::commands::shell::word;
use anyhow::Result;
use billchain_primitives::{AdminRole, BillStatus, Did, Operation, Role, RoleSet, SceneId, Target};
use billchain_runtime::Runtime;
use clap::{Args, Subcommand};
use pallet_permissions::TransitionRuleKey;
use serde_json::{Value, json};

type Call = pallet_permissions::Call<Runtime>;

/// Actions on the rules of the status machine, the whitelist and the offices.
/// What changes them is a motion of the council.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Set who may do an operation, and where it leads.
    SetRule {
        #[command(flatten)]
        rule: RuleFor,
        /// Roles, with commas between them. Without any, a scene's own rule
        /// closes the operation there.
        #[arg(long, value_delimiter = ',', value_parser = word::<Role>)]
        roles: Vec<Role>,
        /// A status, or before_lock, reimbursement, before_reimbursement,
        /// named.
        #[arg(long, value_parser = target)]
        to: Target,
    },
    /// Remove a rule. A scene's own: the general one decides there again. The
    /// general one: the operation is refused from that status.
    RemoveRule(RuleFor),
    /// Show the rules, or those of an older version.
    Rules {
        /// Number of the version.
        version: Option<u32>,
    },
    /// Say whether somebody may do something.
    Check {
        #[command(flatten)]
        key: Key,
        /// Role of who would do it.
        #[arg(long, value_parser = word::<Role>)]
        role: Role,
        /// Scene of the claim, or of the bill.
        #[arg(long)]
        scene: u16,
    },
    /// Let a participant lock in a scene without a grant.
    Whitelist {
        /// Number of the scene.
        scene: u16,
        /// DID of the participant.
        participant: Did,
    },
    /// Make a participant need a grant again.
    Unwhitelist {
        /// Number of the scene.
        scene: u16,
        /// DID of the participant.
        participant: Did,
    },
    /// Show the whitelist.
    ShowWhitelist {
        /// Of this scene; without it, of all.
        scene: Option<u16>,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Make a participant an administrator.
    SetOffice {
        /// DID of the participant.
        participant: Did,
        /// system_admin, security_admin or auditor.
        #[arg(value_parser = word::<AdminRole>)]
        office: AdminRole,
    },
    /// Take an administrator's office away.
    RemoveOffice {
        /// DID of the participant.
        participant: Did,
    },
    /// List the administrators.
    Offices,
}

/// A rule, general or of a scene.
#[derive(Args)]
pub(super) struct RuleFor {
    #[command(flatten)]
    key: Key,
    /// The scene whose own rule it is; without it, the rule of every scene that
    /// has none of its own.
    #[arg(long)]
    scene: Option<u16>,
}

/// Status and operation.
#[derive(Args)]
pub(super) struct Key {
    /// Status of the bill; none if it does not exist yet.
    #[arg(long, value_parser = word::<BillStatus>)]
    from: Option<BillStatus>,
    /// What is done, such as lock.
    #[arg(long, value_parser = word::<Operation>)]
    operation: Operation,
}

impl RuleFor {
    fn key(&self) -> TransitionRuleKey {
        let Key { from, operation } = self.key;
        TransitionRuleKey { from, operation, scene: self.scene.map(SceneId) }
    }
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        match self {
            Self::SetRule { rule, roles, to } => Act::motion(Call::set_transition_rule {
                key: rule.key(),
                roles: RoleSet::of(roles),
                target: *to,
            }),
            Self::RemoveRule(rule) => Act::motion(Call::remove_transition_rule { key: rule.key() }),
            Self::Rules { version } => Act::read("permission_rules", [json!(version)]),
            Self::Check { key, role, scene } => {
                let question = [json!(key.from), json!(key.operation), json!(role), json!(scene)];
                Act::read("permission_check", question)
            }
            Self::Whitelist { scene, participant } => Act::motion(Call::set_whitelist {
                scene: SceneId(*scene),
                did: participant.clone(),
            }),
            Self::Unwhitelist { scene, participant } => Act::motion(Call::remove_whitelist {
                scene: SceneId(*scene),
                did: participant.clone(),
            }),
            Self::ShowWhitelist { scene, cursor } => {
                Act::read("permission_whitelist", [json!(scene), json!(cursor), Value::Null])
            }
            Self::SetOffice { participant, office } => {
                Act::motion(Call::set_admin { did: participant.clone(), role: *office })
            }
            Self::RemoveOffice { participant } => {
                Act::motion(Call::remove_admin { did: participant.clone() })
            }
            Self::Offices => Act::read("permission_admins", []),
        }
    }
}

/// A status, or one of the other targets.
fn target(text: &str) -> Result<Target, String> {
    word::<BillStatus>(text).map(Target::Status).or_else(|_| word(text)).map_err(|_| {
        "expected a status, or before_lock, reimbursement, before_reimbursement, named".to_owned()
    })
}

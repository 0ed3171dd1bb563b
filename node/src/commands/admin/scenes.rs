//! `billchain admin scenes`.

use super::{Act, options::Why};
use crate::commands::shell::word;
use anyhow::{Context, Result, ensure};
use billchain_client::Connection;
use billchain_primitives::{
    Keyword, Name, Reason, SceneId, SummaryField, SummaryFields,
    seams::{AccessNodePolicy, ReimbursementMode, SceneTerms, VoidPolicy},
};
use billchain_runtime::Runtime;
use clap::{Args, Subcommand};
use pallet_scene::{Decision, ProposalId, Proposals, RelatedData, Scene, SceneStatus, Scenes};
use serde_json::{Value, json};

type Call = pallet_scene::Call<Runtime>;

/// What a scene begins with where nothing else is said.
const BASE: SceneTerms = SceneTerms {
    mode: ReimbursementMode::Exclusive,
    weight: 10,
    lock_period_ms: 30 * 24 * 60 * 60 * 1_000,
    void: VoidPolicy::Refused,
    access_node: AccessNodePolicy::NotRequired,
    required: SummaryFields::NONE,
};

/// Actions on scenes. What changes one is a proposal of a system administrator
/// that another one approves.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Propose a scene.
    Register {
        /// Its number.
        scene: u16,
        /// Name to show.
        #[arg(long)]
        name: Name,
        #[command(flatten)]
        rules: Rules,
        #[command(flatten)]
        why: Why,
    },
    /// Propose other rules; what is not given stays.
    Configure {
        /// Its number.
        scene: u16,
        #[command(flatten)]
        rules: Rules,
        #[command(flatten)]
        why: Why,
    },
    /// Propose another weight in contention.
    SetWeight {
        /// Its number.
        scene: u16,
        /// The weight: the higher wins.
        weight: u16,
        #[command(flatten)]
        why: Why,
    },
    /// Propose to make a disabled scene active again.
    Enable {
        /// Its number.
        scene: u16,
        #[command(flatten)]
        why: Why,
    },
    /// Propose to disable a scene.
    Disable {
        /// Its number.
        scene: u16,
        #[command(flatten)]
        why: Why,
    },
    /// Approve a proposal, which takes effect (another system administrator).
    Approve(Verdict),
    /// Reject a proposal (another system administrator).
    Reject(Verdict),
    /// Take one's own proposal back.
    Withdraw {
        /// Number of the scene.
        scene: u16,
        /// Number of the proposal.
        #[arg(long)]
        proposal: ProposalId,
        #[command(flatten)]
        why: Why,
    },
    /// Show a scene.
    Show {
        /// Its number.
        scene: u16,
    },
    /// List all scenes.
    List {
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show what awaits approval.
    Proposals,
    /// Show the approvals of a scene.
    Approvals {
        /// Its number.
        scene: u16,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
}

/// A decision on a proposal.
#[derive(Args)]
pub(super) struct Verdict {
    /// Number of the scene.
    scene: u16,
    /// Number of the proposal.
    #[arg(long)]
    proposal: ProposalId,
    /// What there is to say of it.
    #[arg(long)]
    comment: Reason,
}

/// Rules of a scene.
#[derive(Args)]
pub(super) struct Rules {
    /// exclusive (one successful claim) or cumulative (several).
    #[arg(long, value_parser = word::<ReimbursementMode>)]
    mode: Option<ReimbursementMode>,
    /// Weight in contention.
    #[arg(long)]
    weight: Option<u16>,
    /// How long a lock lasts.
    #[arg(long, value_name = "SECONDS")]
    lock_period: Option<u64>,
    /// refused or allowed: whether normal bills may be voided.
    #[arg(long, value_parser = word::<VoidPolicy>)]
    void: Option<VoidPolicy>,
    /// not_required or required.
    #[arg(long, value_parser = word::<AccessNodePolicy>)]
    access_node: Option<AccessNodePolicy>,
    /// Fields that bills must have, with commas between them: payer_ref,
    /// biz_no_hash, pdf_hash, location_hash.
    #[arg(long, value_delimiter = ',', value_parser = word::<SummaryField>)]
    require: Option<Vec<SummaryField>>,
    /// Kinds of data that belong to a claim, with commas between them.
    #[arg(long, value_delimiter = ',')]
    related: Option<Vec<Keyword>>,
}

impl Rules {
    fn over(&self, base: SceneTerms) -> Result<SceneTerms> {
        let lock_period_ms = match self.lock_period {
            None => base.lock_period_ms,
            Some(seconds) => {
                ensure!(seconds > 0, "--lock-period: expected 1 second at least, found 0");
                seconds.checked_mul(1_000).context("--lock-period is too long")?
            }
        };
        Ok(SceneTerms {
            mode: self.mode.unwrap_or(base.mode),
            weight: self.weight.unwrap_or(base.weight),
            lock_period_ms,
            void: self.void.unwrap_or(base.void),
            access_node: self.access_node.unwrap_or(base.access_node),
            required: self.require.as_deref().map_or(base.required, SummaryFields::of),
        })
    }

    fn related_over(&self, base: RelatedData) -> Result<RelatedData> {
        let Some(kinds) = &self.related else { return Ok(base) };
        let most = pallet_scene::MAX_RELATED_DATA;
        let found = kinds.len();
        kinds
            .clone()
            .try_into()
            .ok()
            .with_context(|| format!("--related: expected at most {most} kinds, found {found}"))
    }
}

impl Action {
    pub(super) async fn act(&self, node: &Connection) -> Result<Act> {
        let status = |scene: &u16, status, why: &Why| {
            let (scene, reason) = (SceneId(*scene), why.reason.clone());
            Act::own(Call::set_status { scene, status, reason })
        };
        match self {
            Self::Register { scene, name, rules, why } => Act::own(Call::register {
                scene: SceneId(*scene),
                name: name.clone(),
                rules: rules.over(BASE)?,
                related_data: rules.related_over(RelatedData::default())?,
                reason: why.reason.clone(),
            }),
            Self::Configure { scene, rules, why } => {
                let id = SceneId(*scene);
                let key = Scenes::<Runtime>::hashed_key_for(id);
                let stored: Option<Scene> = node.state(&key).await?;
                let stored = stored.with_context(|| format!("there is no scene {scene}"))?;
                Act::own(Call::configure {
                    scene: id,
                    rules: rules.over(stored.rules)?,
                    related_data: rules.related_over(stored.related_data)?,
                    reason: why.reason.clone(),
                })
            }
            Self::SetWeight { scene, weight, why } => {
                let (scene, weight, reason) = (SceneId(*scene), *weight, why.reason.clone());
                Act::own(Call::set_weight { scene, weight, reason })
            }
            Self::Enable { scene, why } => status(scene, SceneStatus::Active, why),
            Self::Disable { scene, why } => status(scene, SceneStatus::Disabled, why),
            Self::Approve(verdict) => verdict.act(Decision::Approved),
            Self::Reject(verdict) => verdict.act(Decision::Rejected),
            Self::Withdraw { scene, proposal, why } => {
                let (scene, proposal, reason) = (SceneId(*scene), *proposal, why.reason.clone());
                Act::own(Call::withdraw { scene, proposal, reason })
            }
            Self::Show { scene } => Act::read("scene_get", [json!(scene)]),
            Self::List { cursor } => Act::read("scene_list", [json!(cursor), Value::Null]),
            Self::Proposals => Act::read("scene_proposals", []),
            Self::Approvals { scene, cursor } => {
                Act::read("scene_approvals", [json!(scene), json!(cursor), Value::Null])
            }
        }
    }
}

impl Verdict {
    fn act(&self, decision: Decision) -> Result<Act> {
        Act::own(Call::submit_approval {
            scene: SceneId(self.scene),
            proposal: self.proposal,
            decision,
            comment: self.comment.clone(),
        })
    }
}

/// Number of the proposal that a call made.
pub(super) async fn proposed(node: &Connection, call: &Call) -> Result<Option<ProposalId>> {
    let scene = match call {
        Call::register { scene, .. }
        | Call::configure { scene, .. }
        | Call::set_weight { scene, .. }
        | Call::set_status { scene, .. } => *scene,
        _ => return Ok(None),
    };
    let key = Proposals::<Runtime>::hashed_key_for(scene);
    let open: Option<pallet_scene::Proposal> = node.state(&key).await?;
    Ok(open.map(|proposal| proposal.id))
}

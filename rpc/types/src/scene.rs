//! Business scenes (业务场景) and their approvals.

use crate::{StampView, schema};
use billchain_primitives::{Did, Keyword, Name, SceneId, seams::SceneTerms};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A scene as the chain holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SceneView {
    /// Its number.
    #[schemars(with = "schema::SceneId")]
    pub scene: SceneId,
    /// Name to show.
    #[schemars(with = "schema::Name")]
    pub name: Name,
    /// `active` or `disabled`.
    pub status: String,
    /// Its rules: reimbursement mode, weight, lock period in milliseconds, and
    /// what its bills need.
    #[schemars(with = "schema::SceneTerms")]
    pub rules: SceneTerms,
    /// Kinds of data that belong to its claims.
    #[schemars(with = "Vec<schema::Keyword>")]
    pub related_data: Vec<Keyword>,
    /// Version, from 1.
    pub version: u32,
    /// When its last change took effect.
    pub updated: StampView,
    /// Number of the proposal that awaits approval, if one does.
    pub open_proposal: Option<u32>,
    /// Number of proposals that ended.
    pub approvals: u32,
    /// Hash over them.
    #[schemars(with = "schema::Hash")]
    pub approvals_hash: H256,
}

/// A proposal to change a scene, open or ended (场景审批流).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SceneApprovalView {
    /// Its number.
    pub proposal: u32,
    /// Number of the scene.
    #[schemars(with = "schema::SceneId")]
    pub scene: SceneId,
    /// What it does.
    pub change: SceneChangeView,
    /// Who proposed it (提案者).
    #[schemars(with = "schema::Did")]
    pub proposer: Did,
    /// When.
    pub proposed: StampView,
    /// Why.
    pub reason: String,
    /// `open`, `approved`, `rejected` or `withdrawn`.
    pub result: String,
    /// Who decided (审批方); none unless it was approved or rejected.
    #[schemars(with = "Option<schema::Did>")]
    pub approver: Option<Did>,
    /// What the approver says of it, or why it was withdrawn.
    pub comment: Option<String>,
    /// When it ended.
    pub ended: Option<StampView>,
}

/// A change of a scene; `kind` says which.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SceneChangeView {
    /// The scene begins.
    Register {
        /// Its name.
        #[schemars(with = "schema::Name")]
        name: Name,
        /// Its rules.
        #[schemars(with = "schema::SceneTerms")]
        rules: SceneTerms,
        /// Its kinds of related data.
        #[schemars(with = "Vec<schema::Keyword>")]
        related_data: Vec<Keyword>,
    },
    /// It gets other rules and kinds of related data.
    Configure {
        /// Its rules.
        #[schemars(with = "schema::SceneTerms")]
        rules: SceneTerms,
        /// Its kinds of related data.
        #[schemars(with = "Vec<schema::Keyword>")]
        related_data: Vec<Keyword>,
    },
    /// It gets another weight in contention.
    Weight {
        /// The weight.
        weight: u16,
    },
    /// It gets another status.
    Status {
        /// `active` or `disabled`.
        status: String,
    },
}

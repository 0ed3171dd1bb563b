//! Policies, their approval flows and what they decide.

use crate::{StampView, schema};
use billchain_primitives::{
    Did, Keyword, Name, SceneId,
    condition::{Conditions, Guarded},
    seams::PolicyId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// One version of a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRef {
    /// Number of the policy.
    #[schemars(with = "schema::PolicyId")]
    pub policy: PolicyId,
    /// Number of the version.
    pub version: u32,
}

/// One version of a policy as the chain holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PolicyView {
    /// Number of the policy.
    #[schemars(with = "schema::PolicyId")]
    pub policy: PolicyId,
    /// Number of this version.
    pub version: u32,
    /// The policy's newest version.
    pub newest: u32,
    /// The policy's effective version.
    pub effective: Option<u32>,
    /// Name to show.
    #[schemars(with = "schema::Name")]
    pub name: Name,
    /// `draft`, `effective` or `revoked`.
    pub status: String,
    /// `deny`, `require` or `permit`.
    pub effect: String,
    /// The higher is asked first.
    pub priority: u16,
    /// Scenes it is for.
    #[schemars(with = "Vec<schema::SceneId>")]
    pub scenes: Vec<SceneId>,
    /// Operations it is for.
    #[schemars(with = "Vec<schema::Guarded>")]
    pub operations: Vec<Guarded>,
    /// 关键词.
    #[schemars(with = "Vec<schema::Keyword>")]
    pub keywords: Vec<Keyword>,
    /// Policies it refers to.
    #[schemars(with = "Vec<schema::PolicyId>")]
    pub references: Vec<PolicyId>,
    /// Its conditions, in the form of its document.
    #[schemars(with = "schema::Conditions")]
    pub conditions: Conditions,
    /// `json` or `protobuf`.
    pub format: String,
    /// SM3 of its document.
    #[schemars(with = "schema::Hash")]
    pub body_hash: H256,
    /// DID of who submitted it.
    #[schemars(with = "schema::Did")]
    pub submitter: Did,
    /// Hash of the approval flow, once it is final.
    #[schemars(with = "Option<schema::Hash>")]
    pub approval_hash: Option<H256>,
    /// When it was submitted.
    pub submitted: StampView,
    /// When its status changed last.
    pub updated: StampView,
}

/// The document of a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DocumentView {
    /// `json` or `protobuf`.
    pub format: String,
    /// SM3 of the bytes.
    #[schemars(with = "schema::Hash")]
    pub hash: H256,
    /// The bytes as `0x` hex, whatever the format.
    pub bytes: String,
    /// The text, where the format is `json`.
    pub text: Option<String>,
}

/// One step of an approval flow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepView {
    /// Place in the flow, from 0.
    pub index: u32,
    /// `submitted`, `approved`, `rejected`, `finalised`, `made_effective`,
    /// `revoked` or `replaced`.
    pub act: String,
    /// DID of who acted; none for the council.
    #[schemars(with = "Option<schema::Did>")]
    pub actor: Option<Did>,
    /// When.
    pub at: StampView,
    /// SM3 of the comment of a decision, or of the document submitted.
    #[schemars(with = "Option<schema::Hash>")]
    pub hash: Option<H256>,
    /// Why, where a reason is asked for.
    pub reason: Option<String>,
    /// The version that replaced this one.
    pub replaced_by: Option<u32>,
    /// `SM3(flow hash before ‖ step)`.
    #[schemars(with = "schema::Hash")]
    pub flow_hash: H256,
}

/// The approval flow of one version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FlowView {
    /// Hash of the flow now.
    #[schemars(with = "schema::Hash")]
    pub hash: H256,
    /// Hash that the policy keeps, once the flow is final.
    #[schemars(with = "Option<schema::Hash>")]
    pub approval_hash: Option<H256>,
    /// The steps, oldest first.
    pub steps: Vec<StepView>,
}

/// A step that was looked for by time or actor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TrailStepView {
    /// Number of the policy.
    #[schemars(with = "schema::PolicyId")]
    pub policy: PolicyId,
    /// Number of the version.
    pub version: u32,
    /// The step.
    pub step: StepView,
}

/// A policy as it decides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct InForceView {
    /// Number of the policy.
    #[schemars(with = "schema::PolicyId")]
    pub policy: PolicyId,
    /// Its effective version.
    pub version: u32,
    /// `deny`, `require` or `permit`.
    pub effect: String,
    /// The higher is asked first.
    pub priority: u16,
    /// Its conditions.
    #[schemars(with = "schema::Conditions")]
    pub conditions: Conditions,
}

/// Whether the chain would take a document now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CheckView {
    /// What is wrong, in words; none if nothing is.
    pub problem: Option<String>,
}

/// What the policies in force decide.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DecisionView {
    /// Whether the operation may happen.
    pub allowed: bool,
    /// The policy that decides; none if none says anything.
    pub by: Option<PolicyRef>,
}

/// What one document would say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SimulationView {
    /// Whether its conditions hold.
    pub holds: bool,
    /// `allow` or `refuse`; none if it says nothing.
    pub verdict: Option<String>,
    /// Steps that its evaluation takes.
    pub steps: u32,
}

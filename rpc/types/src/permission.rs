//! Permissions: the status machine, offices, whitelist.

use crate::{StampView, schema};
use billchain_primitives::{AdminRole, BillStatus, Did, Operation, RoleSet, SceneId, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an operation is allowed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PermissionCheckView {
    /// Whether it is.
    pub allowed: bool,
    /// Where it leads, if it is.
    #[schemars(with = "Option<schema::Target>")]
    pub to: Option<Target>,
    /// Why not: `final_status`, `illegal_transition`, `role_forbidden`,
    /// `scene_not_found`, `scene_inactive` or `void_not_allowed`.
    pub problem: Option<String>,
    /// Version of the rules that were asked.
    pub rules_version: u32,
}

/// One rule of the status machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RuleView {
    /// Status of the bill; none if it does not exist yet.
    #[schemars(with = "Option<schema::BillStatusWord>")]
    pub from: Option<BillStatus>,
    /// What is done.
    #[schemars(with = "schema::Operation")]
    pub operation: Operation,
    /// The scene whose own rule it is; none: the general one, for every scene
    /// that has none of its own.
    #[schemars(with = "Option<schema::SceneId>")]
    pub scene: Option<SceneId>,
    /// Any of these roles may; none in a scene's own rule: nobody may there.
    #[schemars(with = "schema::RoleSet")]
    pub roles: RoleSet,
    /// Where it leads.
    #[schemars(with = "schema::Target")]
    pub to: Target,
    /// Version of the rules that set it.
    pub since_version: u32,
}

/// One version of the status machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RulesView {
    /// The version.
    pub version: u32,
    /// The newest one, which is in force.
    pub newest: u32,
    /// What made it; none for the first, which the genesis made.
    pub change: Option<RuleChangeView>,
    /// All rules, those of scenes among them. What is not in them is refused.
    pub rules: Vec<RuleView>,
}

/// What made a version of the status machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RuleChangeView {
    /// The rule before; none: there was none.
    pub before: Option<RuleView>,
    /// The rule after; none: it was removed.
    pub after: Option<RuleView>,
    /// When, and in which transaction.
    pub at: StampView,
}

/// An administrator (三员).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AdministratorView {
    /// The participant.
    #[schemars(with = "schema::Did")]
    pub did: Did,
    /// `system_admin`, `security_admin` or `auditor`.
    #[schemars(with = "schema::AdminRole")]
    pub office: AdminRole,
}

/// A participant that locks in a scene without a grant (白名单).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhitelistEntryView {
    /// The scene.
    #[schemars(with = "schema::SceneId")]
    pub scene: SceneId,
    /// The participant.
    #[schemars(with = "schema::Did")]
    pub did: Did,
}

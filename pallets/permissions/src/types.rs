//! Rules of the status machine.

use billchain_primitives::{
    BillStatus, Operation, RoleSet, SceneId, Stamp, Target,
    seams::{SceneProblem, TransitionProblem},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a rule is for. A scene's own rule takes the place of the general one.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct TransitionRuleKey {
    /// Status of the bill; `None`: it does not exist yet.
    pub from: Option<BillStatus>,
    /// What is done.
    pub operation: Operation,
    /// The scene whose rule it is; `None`: the general one, for every scene that
    /// has none of its own.
    #[serde(default)]
    pub scene: Option<SceneId>,
}

impl TransitionRuleKey {
    /// The general rule for an operation from a status.
    pub const fn general(from: Option<BillStatus>, operation: Operation) -> Self {
        Self { from, operation, scene: None }
    }

    /// The rule of a scene for the same operation from the same status.
    pub const fn in_scene(self, scene: SceneId) -> Self {
        Self { scene: Some(scene), ..self }
    }
}

/// Who may, and where it leads.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct TransitionRule {
    /// Any of these roles may. None in a scene's rule: nobody may there.
    pub roles: RoleSet,
    /// Where it leads.
    pub target: Target,
    /// Version of the rules that set it.
    pub version: u32,
}

/// What made a version of the rules.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct TransitionRuleChange {
    /// Status, operation and scene it was about.
    pub key: TransitionRuleKey,
    /// The rule before; `None`: there was none.
    pub before: Option<TransitionRule>,
    /// The rule after; `None`: it was removed.
    pub after: Option<TransitionRule>,
    /// When, and in which transaction.
    pub at: Stamp,
}

impl TransitionRuleChange {
    /// Puts the table back to what it was before.
    pub fn undo(&self, table: &mut BTreeMap<TransitionRuleKey, TransitionRule>) {
        match self.before {
            Some(rule) => table.insert(self.key, rule),
            None => table.remove(&self.key),
        };
    }
}

/// Why an operation is refused in a scene.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckProblem {
    /// The status is final.
    FinalStatus,
    /// No rule leads from this status by this operation.
    IllegalTransition,
    /// There is a rule, but for other roles.
    RoleForbidden,
    /// There is no such scene.
    SceneNotFound,
    /// The scene is disabled.
    SceneInactive,
    /// Bills of the scene are not voided.
    VoidNotAllowed,
}

impl From<TransitionProblem> for CheckProblem {
    fn from(problem: TransitionProblem) -> Self {
        match problem {
            TransitionProblem::FinalStatus => Self::FinalStatus,
            TransitionProblem::IllegalTransition => Self::IllegalTransition,
            TransitionProblem::RoleForbidden => Self::RoleForbidden,
        }
    }
}

impl From<SceneProblem> for CheckProblem {
    fn from(problem: SceneProblem) -> Self {
        match problem {
            SceneProblem::NotFound => Self::SceneNotFound,
            SceneProblem::Inactive => Self::SceneInactive,
        }
    }
}

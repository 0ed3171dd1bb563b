//! The business scenes (业务场景) and how each is configured.

use crate::{SceneId, SummaryFields};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::PalletError;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Whether a scene admits one successful claim or several.
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
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ReimbursementMode {
    /// 排他: one successful claim.
    Exclusive,
    /// 累计: several payers, each scene once, never above the total.
    Cumulative,
}

/// Whether the issuer may void a normal bill of the scene.
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
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum VoidPolicy {
    /// Refused; the default.
    Refused,
    /// Allowed.
    Allowed,
}

/// Whether bills of the scene come through access nodes (业务接入节点) only.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum AccessNodePolicy {
    /// Any active issuer registers bills; the default.
    #[default]
    NotRequired,
    /// An issuer needs an access node in normal operation that is linked to it.
    Required,
}

/// What an active scene asks of its bills and claims.
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
    Serialize,
    Deserialize,
)]
pub struct SceneTerms {
    /// One claim or several.
    pub mode: ReimbursementMode,
    /// Weight in contention within a block: the higher wins.
    pub weight: u16,
    /// How long a lock lasts, in milliseconds; not 0.
    pub lock_period_ms: u64,
    /// Whether a normal bill may be voided.
    pub void: VoidPolicy,
    /// Whether its bills come through access nodes only. A chain spec that
    /// leaves it out asks for none.
    #[serde(default)]
    pub access_node: AccessNodePolicy,
    /// What a bill must have beside the fields of every bill, to be registered
    /// in the scene and to be locked and reimbursed in it, whatever scene it was
    /// registered in. A chain spec that leaves it out asks for nothing.
    #[serde(default)]
    pub required: SummaryFields,
}

/// Why a scene cannot be used.
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
    PalletError,
)]
// Clients are told the words of an error within an error.
#[scale_info(capture_docs = "always")]
pub enum SceneProblem {
    /// There is no such scene.
    NotFound,
    /// The scene is not active.
    Inactive,
}

/// The business scenes. Played by the scene contract.
pub trait Scenes {
    /// Terms of the scene, if it is active. A scene that awaits approval is not
    /// there yet, and one whose change does still has its former terms.
    fn active(scene: SceneId) -> Result<SceneTerms, SceneProblem>;
}

//! What the chain knows of a scene.

use billchain_primitives::{Name, traits::SceneRules};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Whether a scene can be used.
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
pub enum SceneStatus {
    /// 启用.
    Active,
    /// 停用: no new bills and locks.
    Disabled,
}

/// A scene as the chain holds it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Scene {
    /// Name to show.
    pub name: Name,
    /// Whether it can be used.
    pub status: SceneStatus,
    /// Its rules.
    pub rules: SceneRules,
}

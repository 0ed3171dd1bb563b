//! Participants.

use crate::schema;
use billchain_primitives::{Did, Name, PublicKey, RoleSet, Stamp, seams::ParticipantStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A participant as the chain holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ParticipantView {
    /// Identifier.
    #[schemars(with = "schema::Did")]
    pub did: Did,
    /// Name to show.
    #[schemars(with = "schema::Name")]
    pub name: Name,
    /// `organisation` or `person`.
    pub kind: String,
    /// Key it acts with, as `sm2:<hex>` and the like.
    #[schemars(with = "schema::PublicKey")]
    pub public_key: PublicKey,
    /// Account of that key, 32 bytes.
    #[schemars(with = "schema::Hash")]
    pub account: H256,
    /// What it may do.
    #[schemars(with = "schema::RoleSet")]
    pub roles: RoleSet,
    /// `active`, `frozen` or `cancelled`.
    #[schemars(with = "schema::ParticipantStatus")]
    pub status: ParticipantStatus,
    /// SM3 of its 统一社会信用代码.
    #[schemars(with = "Option<schema::Hash>")]
    pub uscc_hash: Option<H256>,
    /// Version, from 1.
    pub version: u32,
    /// Hash over its history.
    #[schemars(with = "schema::Hash")]
    pub history_hash: H256,
    /// When it was registered.
    pub registered: StampView,
    /// When it was last changed.
    pub updated: StampView,
}

/// Where and when something was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StampView {
    /// Number of the block.
    pub block: u32,
    /// Index of the transaction in it; none for the genesis.
    pub extrinsic: Option<u32>,
    /// Time of the block.
    pub time: u64,
}

impl From<Stamp> for StampView {
    fn from(stamp: Stamp) -> Self {
        Self { block: stamp.block, extrinsic: stamp.extrinsic, time: stamp.moment }
    }
}

/// One record of a participant's history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ParticipantRecordView {
    /// Version of the participant that it made.
    pub version: u32,
    /// When, and in which transaction.
    pub at: StampView,
    /// Account that made the change, 32 bytes; none for a motion of the
    /// council.
    #[schemars(with = "Option<schema::Hash>")]
    pub operator: Option<H256>,
    /// What changed.
    pub change: ParticipantChangeView,
}

/// A change of a participant; `kind` says which.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ParticipantChangeView {
    /// It was registered with this content.
    Registered {
        /// Name to show.
        #[schemars(with = "schema::Name")]
        name: Name,
        /// Its first key.
        #[schemars(with = "schema::PublicKey")]
        public_key: PublicKey,
        /// Its first roles.
        #[schemars(with = "schema::RoleSet")]
        roles: RoleSet,
        /// SM3 of its 统一社会信用代码.
        #[schemars(with = "Option<schema::Hash>")]
        uscc_hash: Option<H256>,
    },
    /// Its status changed.
    Status {
        /// The status before.
        #[schemars(with = "schema::ParticipantStatus")]
        from: ParticipantStatus,
        /// The status after.
        #[schemars(with = "schema::ParticipantStatus")]
        to: ParticipantStatus,
        /// Why.
        reason: String,
    },
    /// Its key changed; the DID did not.
    Key {
        /// The key before.
        #[schemars(with = "schema::PublicKey")]
        from: PublicKey,
        /// The key after.
        #[schemars(with = "schema::PublicKey")]
        to: PublicKey,
    },
    /// Its name or its USCC hash changed.
    Info {
        /// The name after.
        #[schemars(with = "schema::Name")]
        name: Name,
        /// The USCC hash after.
        #[schemars(with = "Option<schema::Hash>")]
        uscc_hash: Option<H256>,
    },
    /// Its roles changed.
    Roles {
        /// The roles before.
        #[schemars(with = "schema::RoleSet")]
        from: RoleSet,
        /// The roles after.
        #[schemars(with = "schema::RoleSet")]
        to: RoleSet,
    },
}

/// Whether a participant proved that it holds its key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IdentityView {
    /// Whether it did.
    pub verified: bool,
    /// Why not: `not_found`, `frozen`, `cancelled` or `bad_signature`.
    pub problem: Option<String>,
}

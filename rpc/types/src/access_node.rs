//! Access nodes (业务接入节点).

use crate::{StampView, schema};
use billchain_primitives::{Did, Name, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// An access node as the chain holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccessNodeView {
    /// Identifier of the device.
    #[schemars(with = "schema::Did")]
    pub node: Did,
    /// Name of who runs it.
    #[schemars(with = "schema::Name")]
    pub operator_name: Name,
    /// SM3 of its identity credential.
    #[schemars(with = "schema::Hash")]
    pub credential_hash: H256,
    /// Key it proves its identity with, as `sm2:<hex>`.
    #[schemars(with = "schema::PublicKey")]
    pub public_key: PublicKey,
    /// `normal`, `paused` or `disabled`.
    pub status: String,
    /// Number of participants it is linked to.
    pub participants: u32,
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

/// A node that is linked to a participant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LinkedNodeView {
    /// Identifier of the node.
    #[schemars(with = "schema::Did")]
    pub node: Did,
    /// `normal`, `paused` or `disabled`.
    pub status: String,
}

/// Whether a participant may act through a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LinkCheckView {
    /// Whether they are linked and the node is in normal operation.
    pub allowed: bool,
    /// Why not: `not_linked` or `node_inactive`.
    pub problem: Option<String>,
}

/// One record of a node's history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccessNodeRecordView {
    /// Version of the node that it made.
    pub version: u32,
    /// When, and in which transaction.
    pub at: StampView,
    /// Account that made the change, 32 bytes; none for a motion of the
    /// council.
    #[schemars(with = "Option<schema::Hash>")]
    pub operator: Option<H256>,
    /// What changed.
    pub change: AccessNodeChangeView,
}

/// A change of a node; `kind` says which.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AccessNodeChangeView {
    /// It was registered, as it still stands.
    Registered,
    /// Its status changed.
    Status {
        /// The status before.
        from: String,
        /// The status after.
        to: String,
        /// Why.
        reason: String,
    },
    /// It was linked.
    Linked {
        /// The participant.
        #[schemars(with = "schema::Did")]
        participant: Did,
    },
    /// A link was taken away.
    Unlinked {
        /// The participant.
        #[schemars(with = "schema::Did")]
        participant: Did,
        /// Why.
        reason: String,
    },
}

//! What became of a transaction.

use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A transaction and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransactionView {
    /// Hash of the transaction.
    pub hash: H256,
    /// Where it is.
    pub state: TransactionState,
    /// The final block that holds it.
    pub block: Option<BlockRef>,
    /// Index in that block.
    pub index: Option<u32>,
    /// Whether its call succeeded; none while it is in no block, or when the
    /// block's state is no longer kept.
    pub success: Option<bool>,
    /// Why its call failed.
    pub error: Option<FailureView>,
    /// What happened, in order.
    pub events: Vec<EventView>,
}

/// Where a transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionState {
    /// In no block and not in this node's pool.
    Unknown,
    /// In this node's pool, waiting for an earlier nonce of its sender.
    Future,
    /// In this node's pool, ready for a block.
    Ready,
    /// In a block, which is final.
    Final,
}

/// Names a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlockRef {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: H256,
}

/// Why a call failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FailureView {
    /// The contract, or `System`.
    pub pallet: String,
    /// Name of the error.
    pub name: String,
    /// What it means.
    pub docs: String,
    /// What it names, such as `PolicyId: 7`; none if it names nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventView {
    /// The contract.
    pub pallet: String,
    /// Name of the event.
    pub name: String,
    /// Its fields, as text for people.
    pub details: String,
    /// Why what it tells of failed, although the transaction did not: the call
    /// of a motion, or one of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<FailureView>,
}

/// The proof that a block was decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CertificateView {
    /// The block.
    pub block: BlockRef,
    /// The SCALE-encoded commit certificate, `0x` hex.
    pub certificate: String,
}

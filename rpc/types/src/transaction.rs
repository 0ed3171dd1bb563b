//! What became of a transaction.

use crate::schema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A transaction and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TransactionView {
    /// Hash of the transaction.
    #[schemars(with = "schema::Hash")]
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockRef {
    /// Its number.
    pub number: u32,
    /// Its hash.
    #[schemars(with = "schema::Hash")]
    pub hash: H256,
}

/// Why a call failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EventView {
    /// The contract.
    pub pallet: String,
    /// Name of the event.
    pub name: String,
    /// Its fields, as text for people.
    pub details: String,
    /// Where the event tells that a call within the transaction failed, an item
    /// of a batch or what a motion carried out: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureView>,
}

/// A transaction that only its signature is missing from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PreparedView {
    /// Account of the signer.
    #[schemars(with = "schema::Hash")]
    pub account: H256,
    /// Nonce it is made for.
    pub nonce: u32,
    /// The call alone, `0x` hex; `payload` begins with it.
    pub call: String,
    /// The bytes that the signature covers, `0x` hex.
    pub payload: String,
    /// What a device signs that takes a digest: of an SM2 key `SM3(Z_A ‖
    /// payload)`, `0x` hex; none of other keys.
    pub digest: Option<String>,
    /// The signer id that `Z_A` is made with, as text; of an SM2 key.
    pub signer_id: Option<String>,
    /// The transaction with a zero signature, `0x` hex, for
    /// `transaction_submitSigned`.
    pub unsigned: String,
}

/// The proof that a block was decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CertificateView {
    /// The block.
    pub block: BlockRef,
    /// The SCALE-encoded commit certificate, `0x` hex.
    pub certificate: String,
}

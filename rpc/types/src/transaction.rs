//! What became of a transaction.

use crate::schema;
use billchain_primitives::{BillCode, BillNumber};
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
    /// Whether its call succeeded; none while it is in no block. Kept, as all
    /// that follows, as long as the block.
    pub success: Option<bool>,
    /// Why its call failed.
    pub error: Option<FailureView>,
    /// What happened, in order.
    pub events: Vec<EventView>,
    /// What became of each bill that the transaction registers or pre-issues,
    /// in its order; empty for other transactions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<BillItemView>,
}

/// What became of one bill of a registration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BillItemView {
    /// Its place in the transaction, from 0.
    pub index: u32,
    /// 票据代码.
    #[schemars(with = "schema::BillCode")]
    pub code: BillCode,
    /// 票据号码.
    #[schemars(with = "schema::BillNumber")]
    pub number: BillNumber,
    /// What became of it.
    pub outcome: ItemOutcome,
    /// SM3 of the SCALE-encoded summary in this transaction.
    #[schemars(with = "schema::Hash")]
    pub content_hash: H256,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<FailureView>,
    /// The registration that is on the chain: of a repeated bill, the first;
    /// of a refused one, that of the bill which has its code and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<ReceiptView>,
}

/// What became of a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemOutcome {
    /// It came onto the chain.
    Registered,
    /// It was there, with the same content; nothing changed.
    Repeated,
    /// It was refused.
    Refused,
    /// Another bill, or what the transaction is about as a whole, was refused,
    /// and with it this one.
    NotApplied,
}

/// The transaction that registered a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptView {
    /// Hash of the transaction.
    #[schemars(with = "schema::Hash")]
    pub transaction: H256,
    /// Its block.
    pub block: BlockRef,
    /// Its index in the block.
    pub index: u32,
    /// Version of the bill that it made: 1.
    pub version: u32,
    /// SM3 of the SCALE-encoded summary in it.
    #[schemars(with = "schema::Hash")]
    pub content_hash: H256,
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
    /// What it means, in Chinese; none of nodes that do not say it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
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
    /// Place in its batch, from 0, of the failed item that it tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// Why what it tells of failed, although the transaction did not: an item
    /// of a batch, or the call of a motion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<FailureView>,
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

/// The header of a block, and who decided it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DecidedHeaderView {
    /// The block.
    pub block: BlockRef,
    /// The decided header in the form of `docs/certificates.md`, `0x` hex. Nobody decides the
    /// genesis: it has round 0 and no signatures.
    pub decided: String,
}

/// Proofs of what the state after a block holds of some keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReadProofView {
    /// Hash of the block.
    #[schemars(with = "schema::Hash")]
    pub at: H256,
    /// The key proof of each key, in the order asked and the form of `docs/certificates.md`,
    /// `0x` hex.
    pub proof: Vec<String>,
}

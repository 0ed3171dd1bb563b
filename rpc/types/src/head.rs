//! What `chainHead_v1_*` and `transactionWatch_v1_*` take and give, in the shapes of the
//! JSON-RPC specification. Every block is final when it is announced.

use crate::{ArchiveStorageType, schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use std::collections::BTreeMap;

/// What a subscription to the head of the chain tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HeadEventView {
    /// The first event: the newest blocks, which are pinned.
    Initialized {
        /// The oldest first; the last is the head.
        #[schemars(with = "Vec<schema::Hash>")]
        finalized_block_hashes: Vec<H256>,
        /// The runtime, if it was asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        finalized_block_runtime: Option<HeadRuntimeView>,
    },
    /// A block came, and is pinned.
    NewBlock {
        /// Its hash.
        #[schemars(with = "schema::Hash")]
        block_hash: H256,
        /// Hash of the block before it.
        #[schemars(with = "schema::Hash")]
        parent_block_hash: H256,
        /// Null, if the runtime was asked for: it does not change while a node runs.
        #[serde(skip_serializing_if = "Option::is_none")]
        new_runtime: Option<()>,
    },
    /// The newest block is this one.
    BestBlockChanged {
        /// Its hash.
        #[schemars(with = "schema::Hash")]
        best_block_hash: H256,
    },
    /// These blocks are final.
    Finalized {
        /// The oldest first.
        #[schemars(with = "Vec<schema::Hash>")]
        finalized_block_hashes: Vec<H256>,
        /// None: no announced block is ever given up.
        #[schemars(with = "Vec<schema::Hash>")]
        pruned_block_hashes: Vec<H256>,
    },
    /// The transactions that were asked for.
    OperationBodyDone {
        /// Which operation.
        operation_id: String,
        /// Each encoded, in the block's order.
        #[schemars(with = "Vec<schema::Bytes>")]
        value: Vec<String>,
    },
    /// What a runtime API gave.
    OperationCallDone {
        /// Which operation.
        operation_id: String,
        /// Its encoded answer.
        #[schemars(with = "schema::Bytes")]
        output: String,
    },
    /// Some entries of those that were asked for.
    OperationStorageItems {
        /// Which operation.
        operation_id: String,
        /// The entries.
        items: Vec<HeadStorageEntryView>,
    },
    /// More entries come after `chainHead_v1_continue`.
    OperationWaitingForContinue {
        /// Which operation.
        operation_id: String,
    },
    /// All entries were told.
    OperationStorageDone {
        /// Which operation.
        operation_id: String,
    },
    /// The node cannot read it now.
    OperationInaccessible {
        /// Which operation.
        operation_id: String,
    },
    /// It cannot be done.
    OperationError {
        /// Which operation.
        operation_id: String,
        /// Why not, in words.
        error: String,
    },
    /// Nothing more is told: follow again.
    Stop,
}

/// An entry of the state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct HeadStorageEntryView {
    /// Its key.
    #[schemars(with = "schema::Bytes")]
    pub key: String,
    /// Its value, if values were asked for.
    #[schemars(with = "Option<schema::Bytes>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// SM3 of its value, if hashes were asked for.
    #[schemars(with = "Option<schema::Hash>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<H256>,
}

/// The runtime of a block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum HeadRuntimeView {
    /// It can be called.
    Valid {
        /// Its versions.
        spec: HeadRuntimeSpecView,
    },
}

/// Versions of a runtime.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadRuntimeSpecView {
    /// Name of the rules.
    pub spec_name: String,
    /// Name of who implements them.
    pub impl_name: String,
    /// Version of the rules.
    pub spec_version: u32,
    /// Version of the implementation.
    pub impl_version: u32,
    /// Version of how calls are encoded.
    pub transaction_version: u32,
    /// Version of each runtime API, by the Blake2 of its name.
    pub apis: BTreeMap<String, u32>,
}

/// Entries of the state that `chainHead_v1_storage` is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeadStorageItem {
    /// Key of the entry, or what the keys begin with.
    #[schemars(with = "schema::Bytes")]
    pub key: String,
    /// Which entries, and what of them.
    #[serde(rename = "type")]
    pub kind: ArchiveStorageType,
}

/// Whether an operation was begun.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "result", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum OperationView {
    /// It was: the subscription tells what comes of it.
    Started {
        /// Its id.
        operation_id: String,
        /// Items at the end of the list that were left out, of entries of the state.
        #[serde(skip_serializing_if = "Option::is_none")]
        discarded_items: Option<u32>,
    },
    /// As many are under way as may be, or there is no such subscription.
    LimitReached,
}

/// What becomes of a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum TransactionEventView {
    /// It is valid and waits for a block.
    Validated,
    /// It is in a block.
    BestChainBlockIncluded {
        /// Which.
        block: TransactionPlaceView,
    },
    /// Its block is final.
    Finalized {
        /// Which.
        block: TransactionPlaceView,
    },
    /// The node failed.
    Error {
        /// What happened, in words.
        error: String,
    },
    /// It can come into no block.
    Invalid {
        /// Why not, in words.
        error: String,
    },
    /// The node gave it up: it can be sent again.
    Dropped {
        /// Why, in words.
        error: String,
    },
}

/// Where a transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct TransactionPlaceView {
    /// Hash of the block.
    #[schemars(with = "schema::Hash")]
    pub hash: H256,
    /// Its place there.
    pub index: u32,
}

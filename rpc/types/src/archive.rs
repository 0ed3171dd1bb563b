//! What `archive_v1_*` takes and gives, in the shapes of the JSON-RPC specification.

use crate::schema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// What a runtime API gave.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ArchiveCallView {
    /// Whether it gave a value.
    pub success: bool,
    /// The SCALE-encoded value, if it did.
    #[schemars(with = "Option<schema::Bytes>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Why not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Entries of the state that are asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArchiveStorageItem {
    /// Key of the entry, or what the keys begin with.
    #[schemars(with = "schema::Bytes")]
    pub key: String,
    /// Which entries, and what of them.
    #[serde(rename = "type")]
    pub kind: ArchiveStorageType,
    /// Of many entries: the last key that was told already.
    #[schemars(with = "Option<schema::Bytes>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination_start_key: Option<String>,
}

/// Which entries of the state are asked for, and what of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ArchiveStorageType {
    /// The value of a key.
    Value,
    /// Its SM3.
    Hash,
    /// The values of all keys that begin with the key.
    DescendantsValues,
    /// Their SM3.
    DescendantsHashes,
}

/// What `archive_v1_storage` tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ArchiveStorageEventView {
    /// An entry.
    Storage {
        /// Its key.
        #[schemars(with = "schema::Bytes")]
        key: String,
        /// Its value, if values were asked for.
        #[schemars(with = "Option<schema::Bytes>")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        /// SM3 of its value, if hashes were asked for.
        #[schemars(with = "Option<schema::Hash>")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<H256>,
    },
    /// All entries were told.
    StorageDone,
    /// No more are told.
    StorageError {
        /// Why not, in words.
        error: String,
    },
}

/// Entries of the state whose differences are asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArchiveDifferenceItem {
    /// What their keys begin with; null: nothing.
    #[schemars(with = "Option<schema::Bytes>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What of them.
    pub return_type: ArchiveReturnType,
    /// Null: the state has no child tries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_trie_key: Option<String>,
}

/// What of an entry is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ArchiveReturnType {
    /// Its value.
    Value,
    /// SM3 of its value.
    Hash,
}

/// What `archive_v1_storageDiff` tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ArchiveDifferenceEventView {
    /// An entry that is not as it was.
    StorageDiff {
        /// Its key.
        #[schemars(with = "schema::Bytes")]
        key: String,
        /// Its value if values were asked for; of a deleted one that which it had.
        #[schemars(with = "Option<schema::Bytes>")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        /// SM3 of that value, if hashes were asked for.
        #[schemars(with = "Option<schema::Hash>")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<H256>,
        /// What became of it.
        #[serde(rename = "type")]
        kind: ArchiveDifferenceType,
    },
    /// All differences were told.
    StorageDiffDone,
    /// No more are told.
    StorageDiffError {
        /// Why not, in words.
        error: String,
    },
}

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ArchiveDifferenceType {
    /// It is new.
    Added,
    /// It has another value.
    Modified,
    /// It is gone.
    Deleted,
}

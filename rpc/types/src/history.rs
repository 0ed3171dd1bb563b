//! What versions of a bill changed, and the proofs of it.

use crate::{StampView, schema};
use billchain_primitives::{
    BillCode, BillNumber, BillStatus, Did,
    history::{FieldChange, FieldProof},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sp_core::H256;

/// In what two versions of a bill differ.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceView {
    /// 票据代码.
    #[schemars(with = "schema::BillCode")]
    pub code: BillCode,
    /// 票据号码.
    #[schemars(with = "schema::BillNumber")]
    pub number: BillNumber,
    /// The older version.
    pub from: u32,
    /// The newer version.
    pub to: u32,
    /// Merkle root of the changes, which the newer version's hash covers; none
    /// unless the two follow one another.
    #[schemars(with = "Option<schema::Hash>")]
    pub root: Option<H256>,
    /// The fields that differ.
    pub changes: Vec<FieldChangeView>,
}

/// What became of one field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FieldChangeView {
    /// Path of the field, under which `bill_get` shows it.
    pub field: String,
    /// Its value before; none: it had none.
    #[schemars(with = "Option<schema::Any>")]
    pub old: Option<Value>,
    /// Its value after; none: it has none any more.
    #[schemars(with = "Option<schema::Any>")]
    pub new: Option<Value>,
}

/// The proof that a version changed one field, in words and as it is handed on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FieldProofView {
    /// 票据代码.
    #[schemars(with = "schema::BillCode")]
    pub code: BillCode,
    /// 票据号码.
    #[schemars(with = "schema::BillNumber")]
    pub number: BillNumber,
    /// The version that made the change.
    pub version: u32,
    /// When, and in which transaction.
    pub at: StampView,
    /// The field.
    #[serde(flatten)]
    pub change: FieldChangeView,
    /// The version that the proof leads to: the bill's present one.
    pub present_version: u32,
    /// Its hash.
    #[schemars(with = "schema::Hash")]
    pub present_hash: H256,
    /// The SCALE-encoded proof, `0x` hex.
    pub proof: String,
}

/// What checking a bill's history gave.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HistoryCheckView {
    /// Whether the node's records are the bill's history: all of it, if `next`
    /// is null, else what has been checked so far.
    pub valid: bool,
    /// What is wrong with them; none if nothing.
    pub problem: Option<String>,
    /// Versions that the bill has had.
    pub versions: u32,
    /// Hash of the present one.
    #[schemars(with = "schema::Hash")]
    pub version_hash: H256,
    /// Give it back as the cursor to check the next versions; null at the end,
    /// or after a problem.
    pub next: Option<String>,
}

/// An adjustment by hand that waits for a second administrator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AdjustmentView {
    /// Names the proposal: it is approved by this.
    #[schemars(with = "schema::Hash")]
    pub proposal: H256,
    /// DID of the administrator that proposed it.
    #[schemars(with = "schema::Did")]
    pub proposer: Did,
    /// When.
    pub at: StampView,
    /// The version of the bill that it is about; nobody can approve it once the
    /// bill has another.
    pub version: u32,
    /// The status that the bill is to have.
    #[schemars(with = "schema::BillStatusWord")]
    pub to: BillStatus,
    /// Why.
    pub reason: String,
    /// SM3 of the evidence.
    #[schemars(with = "schema::Hash")]
    pub evidence: H256,
}

impl From<&FieldChange> for FieldChangeView {
    fn from(change: &FieldChange) -> Self {
        // Values are texts, numbers and a pair of texts: JSON as they are.
        let value = |value: &Option<_>| value.as_ref().and_then(|v| serde_json::to_value(v).ok());
        Self { field: change.field.to_string(), old: value(&change.old), new: value(&change.new) }
    }
}

impl FieldProofView {
    /// The view of a proof that leads to the version with this hash.
    pub fn new(proof: &FieldProof, present_hash: H256, encoded: String) -> Self {
        let head = &proof.head;
        Self {
            code: head.key.code,
            number: head.key.number,
            version: head.version,
            at: head.at.into(),
            change: (&proof.change).into(),
            present_version: proof.later.last().unwrap_or(head).version,
            present_hash,
            proof: encoded,
        }
    }
}

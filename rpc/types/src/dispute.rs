//! Contention for bills, and cases.

use crate::schema;
use crate::{BillKeyView, StampView};
use billchain_primitives::{Did, SceneId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// How contention for a bill within one block ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ResolutionView {
    /// Number of the block.
    pub block: u32,
    /// Time of the block.
    pub time: u64,
    /// DID of who got the lock.
    #[schemars(with = "schema::Did")]
    pub winner: Did,
    /// All claimants by their first request, in order of precedence, the
    /// winner among them. One before the winner was refused for a reason of
    /// its own: see `transaction_status`.
    pub contenders: Vec<ContenderView>,
    /// Requests by further claimants, for whom there was no place.
    pub unnamed: u32,
}

/// A claimant that asked for the lock of a contended bill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ContenderView {
    /// DID of who would have held the lock.
    #[schemars(with = "schema::Did")]
    pub claimant: Did,
    /// Scene of its claim.
    #[schemars(with = "schema::SceneId")]
    pub scene: SceneId,
    /// When it signed, as it says: the earlier precedes.
    pub signed_at: u64,
    /// Weight of the scene: at equal times the higher precedes.
    pub weight: u16,
    /// Hash of its transaction: at equal weights the smaller precedes.
    #[schemars(with = "schema::Hash")]
    pub transaction: H256,
}

/// A dispute over a bill that people settle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CaseView {
    /// Number of the case, from 1.
    pub case: u32,
    /// The bill.
    pub bill: BillKeyView,
    /// DIDs of who has a part in it.
    #[schemars(with = "Vec<schema::Did>")]
    pub parties: Vec<Did>,
    /// Whether it is open.
    pub open: bool,
    /// DID of the administrator that opened it.
    #[schemars(with = "schema::Did")]
    pub operator: Did,
    /// When it was opened.
    pub opened: StampView,
    /// Why it was opened.
    pub reason: String,
    /// SM3 of the evidence on which it was opened.
    #[schemars(with = "schema::Hash")]
    pub evidence: H256,
    /// How it ended; none: it is open.
    pub decision: Option<CaseDecisionView>,
    /// Number of acts so far.
    pub acts: u32,
    /// Hash over its history.
    #[schemars(with = "schema::Hash")]
    pub history_hash: H256,
}

/// How a case ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CaseDecisionView {
    /// DID of the party that it favours; none: it was dismissed.
    #[schemars(with = "Option<schema::Did>")]
    pub in_favour_of: Option<Did>,
    /// DID of the administrator that closed the case.
    #[schemars(with = "schema::Did")]
    pub operator: Did,
    /// When.
    pub at: StampView,
    /// Why.
    pub reason: String,
    /// SM3 of the evidence.
    #[schemars(with = "schema::Hash")]
    pub evidence: H256,
}

/// What an administrator did about a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ActView {
    /// Number among the acts of the case, from 1.
    pub number: u32,
    /// `opened`, `locked`, `unlocked` or `closed`.
    pub act: String,
    /// DID of the party that a closing favours.
    #[schemars(with = "Option<schema::Did>")]
    pub in_favour_of: Option<Did>,
    /// DID of the administrator.
    #[schemars(with = "schema::Did")]
    pub operator: Did,
    /// When.
    pub at: StampView,
    /// Why.
    pub reason: String,
    /// SM3 of the evidence.
    #[schemars(with = "schema::Hash")]
    pub evidence: H256,
}

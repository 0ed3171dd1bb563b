//! Grants (用票授权).

use crate::schema;
use crate::{BillKeyView, StampView};
use billchain_primitives::{Did, Fen, GrantId, IssueDate, SceneId, seams::GrantProblem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A grant as the chain holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GrantView {
    /// Its id, the SM3 of the verifiable credential.
    #[schemars(with = "schema::Hash")]
    pub grant: GrantId,
    /// The holder of the bills, who authorises.
    #[schemars(with = "schema::Did")]
    pub holder: Did,
    /// Who is authorised.
    #[schemars(with = "schema::Did")]
    pub subject: Did,
    /// Who registered it: the holder, or a platform in its name.
    #[schemars(with = "schema::Did")]
    pub registrar: Did,
    /// The bills it is for; none if a condition says which.
    pub bills: Option<Vec<BillKeyView>>,
    /// The condition its bills meet; none if it names them.
    pub condition: Option<ConditionView>,
    /// Scene in which they may be used.
    #[schemars(with = "schema::SceneId")]
    pub scene: SceneId,
    /// First moment.
    pub valid_from: u64,
    /// Last moment.
    pub valid_until: u64,
    /// `active`, `frozen` or `revoked`.
    pub status: String,
    /// How often it was used.
    pub uses: u32,
    /// Version, from 1; one record each.
    pub version: u32,
    /// Hash over its history.
    #[schemars(with = "schema::Hash")]
    pub history_hash: H256,
    /// When it was registered.
    pub registered: StampView,
    /// When its last record was written.
    pub updated: StampView,
}

/// A condition on bills: all of it must hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConditionView {
    /// The payer's reference, from the bureau's service.
    #[schemars(with = "schema::Hash")]
    pub payer_ref: H256,
    /// Issuer, if it matters.
    #[schemars(with = "Option<schema::Did>")]
    pub issuer: Option<Did>,
    /// First issue date, `yyyymmdd`.
    #[schemars(with = "schema::IssueDate")]
    pub issued_from: IssueDate,
    /// Last issue date, inclusive.
    #[schemars(with = "schema::IssueDate")]
    pub issued_until: IssueDate,
    /// Largest total in fen, if it matters.
    #[schemars(with = "Option<schema::Fen>")]
    pub max_total_fen: Option<Fen>,
    /// Scene the bill was issued in, if it matters.
    #[schemars(with = "Option<schema::SceneId>")]
    pub bill_scene: Option<SceneId>,
}

/// Whether a grant can be used now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GrantCheckView {
    /// Whether it can.
    pub usable: bool,
    /// Why not.
    #[schemars(with = "Option<schema::GrantProblem>")]
    pub problem: Option<GrantProblem>,
}

/// One record of a grant's history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GrantRecordView {
    /// Version of the grant that it made.
    pub version: u32,
    /// When, and in which transaction.
    pub at: StampView,
    /// The participant that did it; for a use, the subject.
    #[schemars(with = "schema::Did")]
    pub operator: Did,
    /// What was done.
    pub change: GrantChangeView,
}

/// What was done to a grant or with it; `kind` says which.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GrantChangeView {
    /// It was registered, with the terms that still stand.
    Registered,
    /// It was frozen.
    Frozen {
        /// Why.
        reason: String,
    },
    /// It was activated.
    Activated {
        /// Why.
        reason: String,
    },
    /// It was revoked.
    Revoked {
        /// Why.
        reason: String,
    },
    /// It was used.
    Used {
        /// On which bill.
        bill: BillKeyView,
        /// Which version of the bill.
        bill_version: u32,
        /// `lock`, or `access` to the bill's data.
        purpose: String,
    },
    /// The credential was passed on.
    Transferred {
        /// SM3 of the information on the transfer.
        #[schemars(with = "schema::Hash")]
        hash: H256,
    },
}

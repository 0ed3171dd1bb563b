//! What the chain knows of a grant, and the records of its history.

use billchain_primitives::{
    AccountId, BillKey, BillSummary, Did, Fen, GrantId, Hash, IssueDate, Moment, Reason, SceneId,
    Stamp,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::prelude::{BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Most bills that a grant names. Who authorises more registers another grant,
/// or one with a condition.
pub const MAX_GRANT_BILLS: u32 = 100;

/// State of a grant; its time is another matter.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum GrantStatus {
    /// 有效.
    Active,
    /// 冻结: cannot be used until it is activated (激活).
    Frozen,
    /// 撤回; final.
    Revoked,
}

/// Which bills a grant is for.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Scope {
    /// These; at least one, none twice.
    #[codec(index = 0)]
    Bills(BoundedVec<BillKey, ConstU32<MAX_GRANT_BILLS>>),
    /// Those that meet the condition when the grant is used.
    #[codec(index = 1)]
    Matching(Condition),
}

/// A condition on bills: all of it must hold.
///
/// It names the payer, so that no holder can authorise the use of everybody's
/// bills with one grant.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Condition {
    /// The bill's `payer_ref`, the same at every issuer; not zero.
    pub payer_ref: Hash,
    /// The bill's issuer (开票单位), if it matters.
    pub issuer: Option<Did>,
    /// First issue date (开票日期).
    pub issued_from: IssueDate,
    /// Last issue date, inclusive.
    pub issued_until: IssueDate,
    /// Largest total of a bill, in fen, if it matters; not negative.
    pub max_total: Option<Fen>,
    /// Scene the bill was issued in, if it matters.
    pub bill_scene: Option<SceneId>,
}

impl Condition {
    /// Whether the bill meets it.
    pub fn is_met_by(&self, bill: &BillSummary) -> bool {
        self.payer_ref.0 == bill.payer_ref
            && self.issuer.as_ref().is_none_or(|issuer| *issuer == bill.issuer)
            && (self.issued_from..=self.issued_until).contains(&bill.issue_date)
            && self.max_total.is_none_or(|most| bill.total <= most)
            && self.bill_scene.is_none_or(|scene| scene == bill.scene)
    }
}

impl Scope {
    /// Whether the grant is for the bill.
    pub fn covers(&self, bill: &BillSummary) -> bool {
        match self {
            Self::Bills(keys) => keys.contains(&bill.key),
            Self::Matching(condition) => condition.is_met_by(bill),
        }
    }
}

/// What a grant says: who lets whom use which bills, where and when.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Terms {
    /// SM3 of the verifiable credential (可验证凭证) as issued; not zero. The
    /// grant's id.
    pub credential_hash: Hash,
    /// 持票人: the holder of the bills, who issued the credential.
    pub holder: Did,
    /// 被授权方: who may use them; not the holder.
    pub subject: Did,
    /// Which bills.
    pub scope: Scope,
    /// Scene in which they may be used.
    pub scene: SceneId,
    /// First moment of the grant.
    pub valid_from: Moment,
    /// Last moment of the grant.
    pub valid_until: Moment,
}

/// A grant as the chain holds it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Grant {
    /// What it says.
    pub terms: Terms,
    /// The holder, or the platform that registered it in the holder's name.
    pub registrar: Did,
    /// Account of the holder's key when it was registered.
    pub holder_account: AccountId,
    /// Account of the subject's key when it was registered.
    pub subject_account: AccountId,
    /// Active, frozen, or revoked for good.
    pub status: GrantStatus,
    /// How often it was used.
    pub uses: u32,
    /// 1 when registered, one more with every record of its history.
    pub version: u32,
    /// `SM3(previous history hash ‖ encoded HistoryRecord)`; the first record
    /// follows 32 zero bytes.
    pub history_hash: Hash,
    /// When it was registered.
    pub registered: Stamp,
    /// When its last record was written.
    pub updated: Stamp,
}

impl Grant {
    /// Its id.
    pub fn id(&self) -> GrantId {
        GrantId(self.terms.credential_hash)
    }
}

/// What a grant was used for.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum UseKind {
    /// The bill was locked for a claim; the version is the lock's.
    Lock,
    /// The bill's data was called for (调用票据信息); the version is the one that
    /// stood then.
    Access,
}

/// One record in the life of a grant.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Change {
    /// It was registered with these terms.
    #[codec(index = 0)]
    Registered(Terms),
    /// It was frozen.
    #[codec(index = 1)]
    Frozen {
        /// Why.
        reason: Reason,
    },
    /// It was activated after it had been frozen.
    #[codec(index = 2)]
    Activated {
        /// Why.
        reason: Reason,
    },
    /// It was revoked.
    #[codec(index = 3)]
    Revoked {
        /// Why.
        reason: Reason,
    },
    /// It was used.
    #[codec(index = 4)]
    Used {
        /// On which bill.
        bill: BillKey,
        /// Which version of the bill.
        version: u32,
        /// What for.
        kind: UseKind,
    },
    /// The credential was passed on (凭证流转).
    #[codec(index = 5)]
    Transferred {
        /// SM3 of the information on the transfer.
        hash: Hash,
    },
}

/// One entry of a grant's history, kept in each node's index under
/// [`history_key`] and bound into the state by [`Grant::history_hash`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct HistoryRecord {
    /// Version of the grant that this record made.
    pub version: u32,
    /// When, and in which transaction.
    pub stamp: Stamp,
    /// The participant that did it; for a use, the subject.
    pub operator: Did,
    /// What was done.
    pub change: Change,
}

/// Prefix of the history records in the node-local index.
pub const HISTORY: &[u8] = b"g/";
/// Prefix of the grants of a holder in the node-local index.
pub const BY_HOLDER: &[u8] = b"gh/";
/// Prefix of the grants of a subject in the node-local index.
pub const BY_SUBJECT: &[u8] = b"gs/";

/// Where the record of one version of `grant` lies: versions sort together,
/// ascending.
pub fn history_key(grant: &GrantId, version: u32) -> Vec<u8> {
    let mut key = history_prefix(grant);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// What the keys of all records of `grant` begin with.
pub fn history_prefix(grant: &GrantId) -> Vec<u8> {
    [HISTORY, grant.0.as_bytes()].concat()
}

/// Where a grant stands among those of its holder ([`BY_HOLDER`]) or subject
/// ([`BY_SUBJECT`]): in the order of registration. The value is the encoded
/// [`GrantId`].
pub fn party_key(list: &[u8], party: &Did, registered: &Stamp, grant: &GrantId) -> Vec<u8> {
    let mut key = party_prefix(list, party);
    key.extend_from_slice(&registered.block.to_be_bytes());
    key.extend_from_slice(&registered.extrinsic.unwrap_or(u32::MAX).to_be_bytes());
    key.extend_from_slice(grant.0.as_bytes());
    key
}

/// What the keys of all grants of one party begin with.
pub fn party_prefix(list: &[u8], party: &Did) -> Vec<u8> {
    // The encoding begins with the length, so no DID is a prefix of another.
    let mut key = list.to_vec();
    party.encode_to(&mut key);
    key
}

//! What the calls of this pallet take.

use crate::WeightInfo;
use billchain_primitives::{
    BillKey, BillStatus, ClaimNo, Did, Fen, GrantId, Hash, MAX_BATCH, Moment, Operation, Reason,
    SceneId, Stamp, sm3,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::{
    deps::frame_support::PalletError,
    prelude::{BoundedVec, ConstU32, Weight},
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A change of a bill's status.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum StatusChange {
    /// A pre-issued notice was paid.
    Confirm,
    /// The issuer voids the bill: a notice that was not paid, or a normal bill
    /// where its scene allows it.
    Void {
        /// Why.
        reason: Reason,
    },
    /// A claimant reserves the bill for a claim. Repeating a lock that stands
    /// succeeds, changes nothing and is answered with the first one's receipt.
    Lock {
        /// Scene of the claim.
        scene: SceneId,
        /// Number of the claim.
        claim_no: ClaimNo,
        /// The user that a platform acts for; `None`: the sender itself.
        on_behalf_of: Option<Did>,
        /// The grant that allows the claimant to lock; the lock uses it.
        /// `None`: the claimant is on the scene's whitelist.
        grant: Option<GrantId>,
        /// When the sender signs, by its clock: decides among those that want
        /// the bill in the same block. A time too far from the block's is
        /// refused.
        signed_at: Moment,
    },
    /// The holder gives the lock back.
    Unlock {
        /// Why.
        reason: Reason,
    },
    /// Anyone releases a lock whose time is over.
    ExpireLock,
    /// An administrator locks the bill until one unlocks it.
    AdminLock {
        /// Why.
        reason: Reason,
        /// SM3 of the evidence; not zero.
        evidence: [u8; 32],
    },
    /// An administrator releases any lock.
    AdminUnlock {
        /// Why.
        reason: Reason,
        /// SM3 of the evidence; not zero.
        evidence: [u8; 32],
    },
    /// The holder of the lock reimburses.
    Reimburse {
        /// How much, in fen; more than 0, at most what remains.
        amount: Fen,
    },
    /// The payer of the last reimbursement takes it back.
    ReverseUse {
        /// Why.
        reason: Reason,
        /// SM3 of the approval; not zero.
        approval: [u8; 32],
    },
}

impl StatusChange {
    /// The operation of the status machine that this is.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Confirm => Operation::Confirm,
            Self::Void { .. } => Operation::Void,
            Self::Lock { .. } => Operation::Lock,
            Self::Unlock { .. } => Operation::Unlock,
            Self::ExpireLock => Operation::ExpireLock,
            Self::AdminLock { .. } => Operation::AdminLock,
            Self::AdminUnlock { .. } => Operation::AdminUnlock,
            Self::Reimburse { .. } => Operation::Reimburse,
            Self::ReverseUse { .. } => Operation::ReverseUse,
        }
    }

    /// The reason it gives.
    pub const fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Void { reason }
            | Self::Unlock { reason }
            | Self::AdminLock { reason, .. }
            | Self::AdminUnlock { reason, .. }
            | Self::ReverseUse { reason, .. } => Some(reason),
            Self::Confirm | Self::Lock { .. } | Self::ExpireLock | Self::Reimburse { .. } => None,
        }
    }

    /// The hash of evidence or approval it gives.
    pub const fn evidence(&self) -> Option<[u8; 32]> {
        match self {
            Self::AdminLock { evidence, .. } | Self::AdminUnlock { evidence, .. } => {
                Some(*evidence)
            }
            Self::ReverseUse { approval, .. } => Some(*approval),
            _ => None,
        }
    }

    /// The grant it uses.
    pub const fn grant(&self) -> Option<&GrantId> {
        match self {
            Self::Lock { grant, .. } => grant.as_ref(),
            _ => None,
        }
    }

    /// What it costs.
    pub(crate) fn weight<W: WeightInfo>(&self) -> Weight {
        match self.grant() {
            Some(_) => W::lock_with_grant(),
            None => W::change_status(),
        }
    }

    /// Whether it acts on a lock that stands.
    pub(crate) const fn needs_lock(&self) -> bool {
        matches!(
            self,
            Self::Unlock { .. }
                | Self::ExpireLock
                | Self::AdminUnlock { .. }
                | Self::Reimburse { .. }
        )
    }
}

/// One change of a batch.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct StatusItem {
    /// Code and number of the bill.
    pub key: BillKey,
    /// The version of the bill that the sender has seen, if it matters.
    pub expected_version: Option<u32>,
    /// What becomes of it.
    pub change: StatusChange,
}

/// Changes of status in one transaction.
pub type StatusBatch = BoundedVec<StatusItem, ConstU32<MAX_BATCH>>;

/// What `changes` cost; an empty batch is refused, which is not for nothing.
pub(crate) fn weight_of_changes<W: WeightInfo>(changes: &StatusBatch) -> Weight {
    changes
        .iter()
        .map(|item| item.change.weight::<W>())
        .reduce(Weight::saturating_add)
        .unwrap_or_else(W::change_status)
}

/// Hashes of one bill that were missing.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SummaryItem {
    /// Code and number of the bill.
    pub key: BillKey,
    /// The version of the bill that the sender has seen, if it matters.
    pub expected_version: Option<u32>,
    /// SM3 of the PDF; not zero.
    pub pdf_hash: Option<[u8; 32]>,
    /// SM3 of the place of the originals; not zero.
    pub location_hash: Option<[u8; 32]>,
}

/// Hashes of bills that are filled in by one transaction.
pub type SummaryBatch = BoundedVec<SummaryItem, ConstU32<MAX_BATCH>>;

/// An adjustment that one administrator proposed and another has to approve.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Adjustment {
    /// Code and number of the bill.
    pub key: BillKey,
    /// The administrator that proposed it.
    pub proposer: Did,
    /// When, and in which transaction.
    pub at: Stamp,
    /// The version of the bill that it is about.
    pub version: u32,
    /// The status that the bill is to have.
    pub to: BillStatus,
    /// Why.
    pub reason: Reason,
    /// SM3 of the evidence.
    pub evidence: [u8; 32],
}

impl Adjustment {
    /// Names the proposal: SM3 of all it says.
    pub fn hash(&self) -> Hash {
        sm3(&self.encode()).into()
    }
}

/// Field in which a red or balance bill does not fit the bill it reverses.
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
    PalletError,
)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// The red bill is red; the balance bill is of its original's kind.
    Kind,
    /// `related` is the original's key.
    Related,
    /// Both have the original's issuer.
    Issuer,
    /// Both have the original's 统一社会信用代码.
    IssuerUscc,
    /// Both have the original's scene.
    Scene,
    /// The red bill's total is minus the original's; the balance bill's is at
    /// most the original's.
    Total,
}

//! A bill as the chain holds it: its summary, where it stands, and how it came.

use super::{BillKind, BillSummary, Fen, SceneId};
use crate::{BlockNumber, ClaimNo, Did, Hash, Moment, Operation, Stamp, SummaryFields};
use codec::{Compact, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, bounded::BoundedVec};

/// Where a bill stands in the status machine.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
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
pub enum BillStatus {
    /// 预开.
    PreIssued,
    /// 正常.
    Normal,
    /// 锁定.
    Locked,
    /// 部分报销.
    PartlyReimbursed,
    /// 已报销.
    Reimbursed,
    /// 已冲红; final.
    RedReversed,
    /// 已作废; final.
    Voided,
}

impl BillStatus {
    /// Every status, in the order of the enum.
    pub const ALL: [BillStatus; 7] = [
        BillStatus::PreIssued,
        BillStatus::Normal,
        BillStatus::Locked,
        BillStatus::PartlyReimbursed,
        BillStatus::Reimbursed,
        BillStatus::RedReversed,
        BillStatus::Voided,
    ];

    /// Whether nothing may follow.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::RedReversed | Self::Voided)
    }
}

/// Names a grant: the SM3 of the verifiable credential it was registered with.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct GrantId(pub Hash);

/// What a bill is locked for.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum LockPurpose {
    /// A claim; only the holder may unlock or reimburse.
    Claim {
        /// In which scene.
        scene: SceneId,
        /// For which claim.
        claim_no: ClaimNo,
        /// The grant that allowed it; `None`: the scene's whitelist did.
        grant: Option<GrantId>,
    },
    /// Manual intervention of an administrator; only an administrator may
    /// unlock.
    Administrative {
        /// SM3 of the evidence.
        evidence: [u8; 32],
    },
}

/// A reservation of a bill.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Lock {
    /// Who holds it.
    pub holder: Did,
    /// What for.
    pub purpose: LockPurpose,
    /// The version of the bill that the lock made.
    pub version: u32,
    /// When, and in which transaction.
    pub at: Stamp,
    /// Until when, inclusive; `None`: until it is unlocked.
    pub expires: Option<Moment>,
    /// Status to go back to.
    pub before: BillStatus,
}

impl Lock {
    /// The scene of the claim that it is for; none for an administrator's.
    pub const fn scene(&self) -> Option<SceneId> {
        match self.purpose {
            LockPurpose::Claim { scene, .. } => Some(scene),
            LockPurpose::Administrative { .. } => None,
        }
    }

    /// Whether the lock's time is over.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires.is_some_and(|expires| now > expires)
    }
}

/// One reimbursement that counts.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Reimbursement {
    /// Who paid.
    pub payer: Did,
    /// In which scene; a scene stands here once.
    pub scene: SceneId,
    /// How much.
    pub amount: Fen,
    /// Status the bill had before.
    pub before: BillStatus,
}

/// Most reimbursements of one bill: one a scene.
pub const MAX_REIMBURSEMENTS: u32 = 8;

/// What changes about a bill.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct BillState {
    /// Where it stands.
    pub status: BillStatus,
    /// 1 when registered, one more with every change.
    pub version: u32,
    /// `SM3(previous version's hash ‖ encoded body)` of this version; see the
    /// bill-update contract.
    pub version_hash: [u8; 32],
    /// The lock, exactly when the status is `Locked`.
    pub lock: Option<Lock>,
    /// Reimbursements that count, oldest first.
    pub reimbursements: BoundedVec<Reimbursement, ConstU32<MAX_REIMBURSEMENTS>>,
    /// Time of the block that made this version.
    pub updated: Moment,
}

/// How a bill came onto the chain, and what it lacked then: by it, a registration
/// that is sent again is told from another one for the same key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Receipt {
    /// The operation that brought it.
    pub operation: Operation,
    /// Number of the block.
    #[codec(compact)]
    pub block: BlockNumber,
    /// Index of the transaction in the block.
    #[codec(compact)]
    pub extrinsic: u32,
    /// Fields of the summary that were filled in since.
    pub filled_in: SummaryFields,
}

/// The derived one takes compact numbers for their types, which may be a byte shorter.
impl MaxEncodedLen for Receipt {
    fn max_encoded_len() -> usize {
        Operation::max_encoded_len()
            .saturating_add(Compact::<BlockNumber>::max_encoded_len())
            .saturating_add(Compact::<u32>::max_encoded_len())
            .saturating_add(SummaryFields::max_encoded_len())
    }
}

impl Receipt {
    /// The receipt after the bill's summary changed.
    pub fn after(self, before: &BillSummary, after: &BillSummary) -> Self {
        let filled_in = self.filled_in.union(SummaryFields::filled_in(before, after));
        Self { filled_in, ..self }
    }
}

/// A bill as the chain holds it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Bill {
    /// What the issuer said.
    pub summary: BillSummary,
    /// What happened since.
    pub state: BillState,
    /// How it came.
    pub receipt: Receipt,
}

impl Bill {
    /// The summary as it came, without what was filled in since.
    pub fn registered(&self) -> BillSummary {
        let mut summary = self.summary.clone();
        self.receipt.filled_in.iter().for_each(|field| field.clear(&mut summary));
        summary
    }

    /// The scene whose rules decide about `operation`: that of the lock for what
    /// acts on a lock, that of the last reimbursement for its reversal, and the
    /// bill's for all else. A new lock says its scene itself.
    pub fn scene_of(&self, operation: Operation) -> SceneId {
        let claim = match operation {
            Operation::Unlock
            | Operation::ExpireLock
            | Operation::AdminUnlock
            | Operation::Reimburse => self.state.lock.as_ref().and_then(Lock::scene),
            Operation::ReverseUse => self.state.reimbursements.last().map(|last| last.scene),
            _ => None,
        };
        claim.unwrap_or(self.summary.scene)
    }

    /// Sum of the reimbursements that count.
    pub fn reimbursed(&self) -> Fen {
        // Each sum was checked against the total when it was added.
        self.state
            .reimbursements
            .iter()
            .fold(Fen::ZERO, |sum, r| sum.checked_add(r.amount).unwrap_or(sum))
    }
}

impl Bill {
    /// The first rule of a bill's inner consistency that does not hold, in
    /// words. Whatever the transition rules say, no bill may break one.
    pub fn inconsistency(&self) -> Option<&'static str> {
        use BillStatus::{Locked, Normal, PartlyReimbursed, PreIssued, Reimbursed};
        let Bill { summary, state, .. } = self;
        let claims = &state.reimbursements;
        let at = state.lock.as_ref().map_or(state.status, |lock| lock.before);
        let sum = claims.iter().try_fold(Fen::ZERO, |sum, r| {
            sum.checked_add(r.amount).filter(|_| r.amount > Fen::ZERO)
        });
        let repeated = claims
            .iter()
            .enumerate()
            .any(|(i, r)| claims[..i].iter().any(|earlier| earlier.scene == r.scene));
        if state.lock.is_some() != (state.status == Locked) {
            Some("a bill has a lock exactly when its status is Locked")
        } else if at == Locked {
            Some("the status before a lock is not Locked")
        } else if matches!(at, PartlyReimbursed | Reimbursed) && claims.is_empty() {
            Some("a reimbursed bill has a reimbursement")
        } else if matches!(at, PreIssued | Normal) && !claims.is_empty() {
            Some("a pre-issued or normal bill has no reimbursement")
        } else if sum.is_none() || sum > Some(summary.total.max(Fen::ZERO)) {
            Some("reimbursements are positive and their sum is at most the total")
        } else if repeated {
            Some("a scene reimburses a bill once")
        } else if summary.kind == BillKind::Red && (at != Normal || state.lock.is_some()) {
            Some("a red bill stays Normal")
        } else if (summary.kind == BillKind::Red && summary.total > Fen::ZERO)
            || (summary.kind != BillKind::Red && summary.total < Fen::ZERO)
        {
            Some("the total is negative only on a red bill, and there not positive")
        } else {
            None
        }
    }
}

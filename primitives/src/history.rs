//! The version chain of a bill (tender row 225): every change makes a version
//! whose hash covers the one before it.
//!
//! `hash_n = SM3(hash_{n−1} ‖ SCALE(body_n))`, `hash_0` is 32 zero bytes. The
//! newest hash is in the state, so a proof of the state vouches for the whole
//! history; the records lie in the node-local index (see [`crate::index`]) and
//! can be checked by anyone with [`verify`].

use crate::{
    BillKey, BillStatus, BillSummary, Did, Operation, Reason, Stamp, sm3,
    traits::{Bill, BillState, Lock, MAX_REIMBURSEMENTS, Receipt, Reimbursement},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, bounded::BoundedVec};

/// What the first version's hash is chained to.
pub const NO_VERSION: [u8; 32] = [0; 32];

/// What made a version.
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
pub enum Cause {
    /// An operation of the status machine. A red bill and a balance bill come
    /// onto the chain by the [`Operation::RedReverse`] of their blue bill.
    Operation(Operation),
    /// Fields of the summary were filled in.
    Summary,
}

/// Who changed a bill, how and why.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Entry {
    /// What was done.
    pub cause: Cause,
    /// Who sent the transaction.
    pub operator: Did,
    /// Why, where the operation asks for a reason.
    pub reason: Option<Reason>,
    /// SM3 of the evidence or approval, where the operation asks for one.
    pub evidence: Option<[u8; 32]>,
}

impl Entry {
    /// An entry without reason and evidence.
    pub fn plain(cause: Cause, operator: Did) -> Self {
        Self { cause, operator, reason: None, evidence: None }
    }

    /// An operation with a reason.
    pub fn reasoned(operation: Operation, operator: Did, reason: Reason) -> Self {
        let cause = Cause::Operation(operation);
        Self { cause, operator, reason: Some(reason), evidence: None }
    }
}

/// Everything a version says; what its hash covers.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct VersionBody {
    /// Number of the version, from 1.
    pub version: u32,
    /// Who, what and why.
    pub entry: Entry,
    /// In which transaction and when it was made.
    pub at: Stamp,
    /// The summary after the change.
    pub summary: BillSummary,
    /// The status after the change.
    pub status: BillStatus,
    /// The lock after the change.
    pub lock: Option<Lock>,
    /// The reimbursements after the change.
    pub reimbursements: BoundedVec<Reimbursement, ConstU32<MAX_REIMBURSEMENTS>>,
}

/// One link of a bill's version chain.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct VersionRecord {
    /// Hash of the version before, [`NO_VERSION`] for the first.
    pub previous: [u8; 32],
    /// What this version says.
    pub body: VersionBody,
}

impl VersionRecord {
    /// The version's hash.
    pub fn hash(&self) -> [u8; 32] {
        // The two fields encode to exactly `previous ‖ body`.
        sm3(&self.encode())
    }

    /// How the bill came, if this is its first version.
    pub fn receipt(&self) -> Option<Receipt> {
        let VersionBody { version: 1, entry, at, summary, .. } = &self.body else { return None };
        let Cause::Operation(operation) = entry.cause else { return None };
        let content_hash = summary.content_hash();
        Some(Receipt { operation, block: at.block, extrinsic: at.extrinsic?, content_hash })
    }

    /// The bill as this version left it; `receipt` is the first version's.
    pub fn bill(&self, receipt: Receipt) -> Bill {
        let VersionBody { version, at, summary, status, lock, reimbursements, .. } =
            self.body.clone();
        Bill {
            summary,
            state: BillState {
                status,
                version,
                version_hash: self.hash(),
                lock,
                reimbursements,
                updated: at.moment,
            },
            receipt,
        }
    }
}

/// Why records are not the history of a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HistoryProblem {
    /// A record is of another bill.
    #[error("version {version} is of bill {found}, expected {expected}")]
    OtherBill {
        /// Version the record claims.
        version: u32,
        /// The bill asked for.
        expected: BillKey,
        /// The bill the record is of.
        found: BillKey,
    },
    /// A version is missing or out of order.
    #[error("expected version {expected}, found {found:?}")]
    Gap {
        /// The version that should stand here.
        expected: u32,
        /// The one that does; `None`: the records end too early.
        found: Option<u32>,
    },
    /// A record is not chained to the one before it.
    #[error("version {version} is chained to another predecessor")]
    BrokenLink {
        /// Version of the record.
        version: u32,
    },
    /// The chain holds, but it does not end at the bill's present state.
    #[error("the last version is not the bill's present state")]
    OtherHead,
}

/// Whether `records`, ascending, are the complete history of `head`.
pub fn verify(head: &Bill, records: &[VersionRecord]) -> Result<(), HistoryProblem> {
    let mut previous = NO_VERSION;
    for (record, expected) in records.iter().zip(1_u32..) {
        let VersionBody { version, ref summary, .. } = record.body;
        if summary.key != head.summary.key {
            let (expected, found) = (head.summary.key, summary.key);
            return Err(HistoryProblem::OtherBill { version, expected, found });
        }
        if version != expected {
            return Err(HistoryProblem::Gap { expected, found: Some(version) });
        }
        if record.previous != previous {
            return Err(HistoryProblem::BrokenLink { version });
        }
        previous = record.hash();
    }
    let found = records.last().map_or(0, |record| record.body.version);
    if found < head.state.version {
        return Err(HistoryProblem::Gap { expected: found + 1, found: None });
    }
    let receipt = records.first().and_then(VersionRecord::receipt);
    match (receipt, records.last()) {
        (Some(receipt), Some(last)) if last.bill(receipt) == *head => Ok(()),
        _ => Err(HistoryProblem::OtherHead),
    }
}

//! The version chain of a bill (tender row 225): every change makes a version
//! whose hash covers the one before it.
//!
//! `hash_n = SM3(hash_{n−1} ‖ SCALE(head_n))`, `hash_0` is 32 zero bytes. A
//! [`VersionHead`] is what a version says in digests: one of all that it holds,
//! and the Merkle root of what it changed. The newest hash is in the state, so a
//! proof of the state vouches for the whole history; the records lie in the
//! node-local index (see [`crate::index`]) and can be checked by anyone with
//! [`verify`]. That a single field changed, a [`FieldProof`] shows without
//! showing any other field. Decision 0011 describes every form.

mod difference;
mod field;
mod proof;
#[cfg(test)]
mod tests;

pub use difference::{Content, MAX_DEPTH, Sibling, changes};
pub use field::{BillField, FieldChange, FieldValue, Part, UnknownField};
pub use proof::{FieldProof, MAX_LATER, NotProvable, ProofProblem};

use crate::{
    Bill, BillKey, BillState, BillStatus, BillSummary, Did, Lock, MAX_REIMBURSEMENTS, Operation,
    Reason, Receipt, Reimbursement, Stamp, SummaryFields, sm3,
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
    /// Who proposed it, where the operation takes two; `operator` approved it.
    pub proposer: Option<Did>,
}

impl Entry {
    /// An entry without reason and evidence.
    pub fn plain(cause: Cause, operator: Did) -> Self {
        Self { cause, operator, reason: None, evidence: None, proposer: None }
    }

    /// An operation with a reason.
    pub fn reasoned(operation: Operation, operator: Did, reason: Reason) -> Self {
        let cause = Cause::Operation(operation);
        Self { cause, operator, reason: Some(reason), evidence: None, proposer: None }
    }
}

/// Everything a version says.
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

/// What the hash of a version covers beside the one before it. It gives no
/// field of the bill away, and so goes with a [`FieldProof`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct VersionHead {
    /// Code and number of the bill.
    pub key: BillKey,
    /// Number of the version, from 1.
    pub version: u32,
    /// In which transaction and when it was made.
    pub at: Stamp,
    /// Digest of the whole [`VersionBody`].
    pub content: [u8; 32],
    /// Merkle root of what the version changed; none for the first.
    pub difference: Option<[u8; 32]>,
}

impl VersionHead {
    /// Hash of the version with this head after the version hashed `previous`.
    pub fn hash_after(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut bytes = previous.to_vec();
        self.encode_to(&mut bytes);
        sm3(&bytes)
    }
}

/// One link of a bill's version chain.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct VersionRecord {
    /// Hash of the version before, [`NO_VERSION`] for the first.
    pub previous: [u8; 32],
    /// Merkle root of what changed since the version before; none for the
    /// first.
    pub difference: Option<[u8; 32]>,
    /// What this version says.
    pub body: VersionBody,
}

impl VersionRecord {
    /// The first version of a bill.
    pub fn first(body: VersionBody) -> Self {
        Self { previous: NO_VERSION, difference: None, body }
    }

    /// The version that makes `body` of the bill as it was before.
    pub fn after(before: &Bill, body: VersionBody) -> Self {
        let difference = difference::root_between(before.into(), &body);
        Self { previous: before.state.version_hash, difference: Some(difference), body }
    }

    /// What its hash covers.
    pub fn head(&self) -> VersionHead {
        let VersionBody { version, at, ref summary, .. } = self.body;
        VersionHead {
            key: summary.key,
            version,
            at,
            content: difference::content_digest(&self.body),
            difference: self.difference,
        }
    }

    /// The version's hash.
    pub fn hash(&self) -> [u8; 32] {
        self.head().hash_after(&self.previous)
    }

    /// How the bill came, if this is its first version.
    pub fn receipt(&self) -> Option<Receipt> {
        let VersionBody { version: 1, entry, at, .. } = &self.body else { return None };
        let Cause::Operation(operation) = entry.cause else { return None };
        let (block, extrinsic) = (at.block, at.extrinsic?);
        Some(Receipt { operation, block, extrinsic, filled_in: SummaryFields::NONE })
    }

    /// The bill as this version left it, which was `before`.
    pub fn bill_after(&self, before: &Bill) -> Bill {
        self.bill(before.receipt.after(&before.summary, &self.body.summary))
    }

    /// The bill as this version left it, with the receipt that it had then.
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
    /// A record's difference is not that between it and the one before it.
    #[error("the difference of version {version} is not what it changed")]
    WrongDifference {
        /// Version of the record.
        version: u32,
    },
    /// A version says another content than was registered, beyond fields that it
    /// fills in.
    #[error("version {version} changes what was registered")]
    OtherContent {
        /// Version of the record.
        version: u32,
    },
    /// The chain holds, but it does not end at the bill's present state.
    #[error("the last version is not the bill's present state")]
    OtherHead,
}

/// Whether `records`, ascending, are the complete history of `head`.
pub fn verify(head: &Bill, records: &[VersionRecord]) -> Result<(), HistoryProblem> {
    let mut verifier = Verifier::new(head);
    records.iter().try_for_each(|record| verifier.push(record))?;
    verifier.finish()
}

/// Checks a history that comes record by record, however long it is.
pub struct Verifier<'a> {
    head: &'a Bill,
    /// The bill as the last record left it.
    last: Option<Bill>,
}

impl<'a> Verifier<'a> {
    /// For the history of `head`.
    pub fn new(head: &'a Bill) -> Self {
        Self { head, last: None }
    }

    /// For the rest of the history of `head`, of which everything up to `last`,
    /// the bill as a version left it, was checked before.
    pub fn after(head: &'a Bill, last: Bill) -> Self {
        Self { head, last: Some(last) }
    }

    /// The bill as the last record left it.
    pub fn last(self) -> Option<Bill> {
        self.last
    }

    /// Number of records that were taken.
    pub fn versions(&self) -> u32 {
        self.last.as_ref().map_or(0, |last| last.state.version)
    }

    /// Takes the next record.
    pub fn push(&mut self, record: &VersionRecord) -> Result<(), HistoryProblem> {
        let VersionBody { version, ref summary, .. } = record.body;
        if summary.key != self.head.summary.key {
            let (expected, found) = (self.head.summary.key, summary.key);
            return Err(HistoryProblem::OtherBill { version, expected, found });
        }
        let expected = self.versions().saturating_add(1);
        if version != expected {
            return Err(HistoryProblem::Gap { expected, found: Some(version) });
        }
        let rightful = match &self.last {
            None => VersionRecord::first(record.body.clone()),
            Some(last) => VersionRecord::after(last, record.body.clone()),
        };
        if record.previous != rightful.previous {
            return Err(HistoryProblem::BrokenLink { version });
        }
        if record.difference != rightful.difference {
            return Err(HistoryProblem::WrongDifference { version });
        }
        let bill = match &self.last {
            // A bill comes by an operation of a transaction, or it is another one.
            None => record.bill(record.receipt().ok_or(HistoryProblem::OtherHead)?),
            Some(last) => record.bill_after(last),
        };
        if self.last.as_ref().is_some_and(|last| last.registered() != bill.registered()) {
            return Err(HistoryProblem::OtherContent { version });
        }
        self.last = Some(bill);
        Ok(())
    }

    /// Whether the records that were taken lead to the bill.
    pub fn finish(self) -> Result<(), HistoryProblem> {
        let found = self.versions();
        if found < self.head.state.version {
            return Err(HistoryProblem::Gap { expected: found.saturating_add(1), found: None });
        }
        match self.last {
            Some(last) if last == *self.head => Ok(()),
            _ => Err(HistoryProblem::OtherHead),
        }
    }
}

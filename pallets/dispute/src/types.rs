//! Contention and cases as the chain holds them, and the records of a case's
//! history.

use billchain_primitives::{BillKey, BlockNumber, Did, Hash, Moment, Reason, SceneId, Stamp};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use frame::prelude::*;
use scale_info::TypeInfo;

/// A lock that a transaction asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockRequest {
    /// The bill.
    pub key: BillKey,
    /// Scene of the claim.
    pub scene: SceneId,
    /// The user that the sender acts for; `None`: itself.
    pub on_behalf_of: Option<Did>,
    /// When the sender signed, as it says.
    pub signed_at: Moment,
}

/// Place of a claim among those of its block: the smaller comes first. Earlier
/// signed time, then higher scene weight, then smaller transaction hash.
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
)]
pub struct Precedence {
    /// When the claimant signed, as it says.
    pub signed_at: Moment,
    /// Weight of the claim's scene.
    pub weight: u16,
    /// Hash of the transaction.
    pub transaction: Hash,
}

impl Ord for Precedence {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        let key = |p: &Self| (p.signed_at, Reverse(p.weight), p.transaction);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Precedence {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A claimant that asked for the lock of a contended bill.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Contender {
    /// Who would hold the lock.
    pub claimant: Did,
    /// Scene of its claim.
    pub scene: SceneId,
    /// What decides.
    pub precedence: Precedence,
}

/// The locks of one bill that transactions of the block under execution have
/// asked for so far.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[scale_info(skip_type_params(MaxContenders))]
#[codec(mel_bound())]
pub struct Contest<MaxContenders: Get<u32>> {
    /// Precedence of the latest request; the next one comes at or after it.
    pub last: Precedence,
    /// The claimants by their first request, in order of precedence.
    pub contenders: BoundedVec<Contender, MaxContenders>,
    /// Requests by claimants for whom there was no place.
    pub unnamed: u32,
    /// Who got the lock.
    pub winner: Option<Did>,
}

/// How contention for a bill within one block ended.
#[derive(
    CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
#[scale_info(skip_type_params(MaxContenders))]
#[codec(mel_bound())]
pub struct Resolution<MaxContenders: Get<u32>> {
    /// Number of the block.
    pub block: BlockNumber,
    /// Time of the block.
    pub moment: Moment,
    /// Who got the lock.
    pub winner: Did,
    /// All claimants by their first request, in order of precedence, the
    /// winner among them. One before the winner was refused for a reason of
    /// its own, which stands with its transaction.
    pub contenders: BoundedVec<Contender, MaxContenders>,
    /// Requests by further claimants, for whom there was no place here.
    pub unnamed: u32,
}

/// Number of a case, from 1.
pub type CaseId = u32;

/// What was decided of a case.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Outcome {
    /// In favour of this party.
    #[codec(index = 0)]
    InFavourOf(Did),
    /// In nobody's favour: things stay as they are.
    #[codec(index = 1)]
    Dismissed,
}

/// What an administrator did about a case.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Act {
    /// Opened it (立案).
    #[codec(index = 0)]
    Opened,
    /// Locked the bill.
    #[codec(index = 1)]
    Locked,
    /// Unlocked the bill.
    #[codec(index = 2)]
    Unlocked,
    /// Closed it (结案).
    #[codec(index = 3)]
    Closed(Outcome),
}

/// One entry of a case's history, kept in each node's index under [`act_key`]
/// and bound into the state by [`Case::history_hash`].
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ActRecord {
    /// Number among the acts of the case, from 1.
    pub number: u32,
    /// What was done.
    pub act: Act,
    /// The administrator.
    pub operator: Did,
    /// When, and in which transaction.
    pub at: Stamp,
    /// Why.
    pub reason: Reason,
    /// SM3 of the evidence.
    pub evidence: [u8; 32],
}

/// How a case ended.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// The administrator that closed the case.
    pub operator: Did,
    /// When, and in which transaction.
    pub at: Stamp,
    /// Why.
    pub reason: Reason,
    /// SM3 of the evidence.
    pub evidence: [u8; 32],
}

/// A dispute over a bill that people settle.
#[derive(
    CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
#[scale_info(skip_type_params(MaxParties))]
#[codec(mel_bound())]
pub struct Case<MaxParties: Get<u32>> {
    /// The bill.
    pub bill: BillKey,
    /// Who has a part in it; at least one, each once.
    pub parties: BoundedVec<Did, MaxParties>,
    /// The administrator that opened the case.
    pub operator: Did,
    /// When it was opened, and in which transaction.
    pub opened: Stamp,
    /// Why it was opened.
    pub reason: Reason,
    /// SM3 of the evidence on which it was opened.
    pub evidence: [u8; 32],
    /// How it ended; `None`: it is open.
    pub decision: Option<Decision>,
    /// Number of acts so far.
    pub acts: u32,
    /// `SM3(previous history hash ‖ encoded ActRecord)`; the first record
    /// follows 32 zero bytes.
    pub history_hash: [u8; 32],
}

/// Prefix of resolutions in the node-local index.
pub const RESOLUTIONS: &[u8] = b"dr/";
/// Prefix of the cases of a bill in the node-local index.
pub const BILL_CASES: &[u8] = b"db/";
/// Prefix of the acts of a case in the node-local index.
pub const ACTS: &[u8] = b"da/";

/// Where the encoded [`Resolution`] of a bill's contention in one block lies:
/// those of a bill sort together, ascending.
pub fn resolution_key(bill: &BillKey, block: BlockNumber) -> Vec<u8> {
    let mut key = resolutions_prefix(bill);
    key.extend_from_slice(&block.to_be_bytes());
    key
}

/// What the keys of all resolutions of `bill` begin with.
pub fn resolutions_prefix(bill: &BillKey) -> Vec<u8> {
    let mut key = RESOLUTIONS.to_vec();
    bill.encode_to(&mut key);
    key
}

/// Where the number of a case is noted with its bill; the value is the encoded
/// [`CaseId`].
pub fn bill_case_key(bill: &BillKey, case: CaseId) -> Vec<u8> {
    let mut key = bill_cases_prefix(bill);
    key.extend_from_slice(&case.to_be_bytes());
    key
}

/// What the keys of all cases of `bill` begin with.
pub fn bill_cases_prefix(bill: &BillKey) -> Vec<u8> {
    let mut key = BILL_CASES.to_vec();
    bill.encode_to(&mut key);
    key
}

/// Where an [`ActRecord`] lies: those of a case sort together, ascending.
pub fn act_key(case: CaseId, number: u32) -> Vec<u8> {
    let mut key = acts_prefix(case);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// What the keys of all acts of `case` begin with.
pub fn acts_prefix(case: CaseId) -> Vec<u8> {
    let mut key = ACTS.to_vec();
    key.extend_from_slice(&case.to_be_bytes());
    key
}

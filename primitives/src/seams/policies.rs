//! The policies (策略) in force.

use crate::condition::BillFacts;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::PalletError;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Number of a policy (策略).
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
    PalletError,
)]
#[serde(transparent)]
pub struct PolicyId(pub u16);

/// The effective policy that refuses an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyRefusal {
    /// Its number.
    pub policy: PolicyId,
    /// Its effective version.
    pub version: u32,
}

/// Why a policy cannot be referred to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyProblem {
    /// There is no such policy.
    NotFound,
    /// No version of it is effective.
    NotEffective,
}

/// The policies in force. Played by the policy contract.
pub trait Policies {
    /// Whether the effective policies of the operation's scene let it happen.
    /// Deterministic; reads one value of the state.
    fn evaluate(facts: &BillFacts<'_>) -> Result<(), PolicyRefusal>;

    /// The effective version of `policy`: the only one that a contract may
    /// refer to.
    fn effective(policy: PolicyId) -> Result<u32, PolicyProblem>;
}

//! Rules of the status machine.

use billchain_primitives::{BillStatus, Operation, RoleSet, Target};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What a rule is for.
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
pub struct RuleKey {
    /// Status of the bill; `None`: it does not exist yet.
    pub from: Option<BillStatus>,
    /// What is done.
    pub operation: Operation,
}

/// Who may, and where it leads.
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
pub struct Rule {
    /// Any of these roles may.
    pub roles: RoleSet,
    /// Where it leads.
    pub target: Target,
    /// Version of the rules that set it.
    pub version: u32,
}

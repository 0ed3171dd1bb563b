//! Authorisations (用票授权) of holders of bills.

use crate::{BillSummary, Did, GrantId, SceneId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::PalletError;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What a grant is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GrantUse<'a> {
    /// Who uses it.
    pub subject: &'a Did,
    /// On which bill.
    pub bill: &'a BillSummary,
    /// Version of the bill that the use made.
    pub version: u32,
    /// In which scene.
    pub scene: SceneId,
}

/// Why a grant cannot be used.
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
// Clients are told the words of an error within an error.
#[scale_info(capture_docs = "always")]
#[serde(rename_all = "snake_case")]
pub enum GrantProblem {
    /// No grant has this id.
    NotFound,
    /// The grant authorises another participant.
    WrongSubject,
    /// The grant was revoked (撤回), which is final.
    Revoked,
    /// The grant is frozen (冻结); its holder can activate it.
    Frozen,
    /// The grant's time has not begun.
    NotYetValid,
    /// The grant's time is over.
    Expired,
    /// The grant's holder is frozen or cancelled.
    HolderNotActive,
    /// The holder's key was replaced after the grant was registered: the holder
    /// has to authorise anew.
    HolderKeyChanged,
    /// The subject's key was replaced after the grant was registered: the
    /// holder has to authorise anew.
    SubjectKeyChanged,
    /// The grant is for other bills or another scene.
    OutOfScope,
    /// The grant's history is full: the holder has to authorise anew.
    Exhausted,
}

/// Authorisations (用票授权) of holders of bills. Played by the authorization
/// contract.
pub trait Grants {
    /// Records that `grant` was used to lock a bill, if it allows that now.
    /// Writes nothing if it refuses.
    fn use_for_lock(grant: &GrantId, usage: GrantUse<'_>) -> Result<(), GrantProblem>;
}

//! Who acts on the chain.

use crate::{AccountId, AdminRole, Did, RoleSet};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{PalletError, traits::OriginTrait};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::{DispatchError, traits::BadOrigin};

/// A participant that may act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActiveParticipant {
    /// Its identifier.
    pub did: Did,
    /// What it may do.
    pub roles: RoleSet,
}

/// State of a participant.
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
pub enum ParticipantStatus {
    /// 正常.
    Active,
    /// 冻结.
    Frozen,
    /// 注销; final.
    Cancelled,
}

/// Why a participant may not act. Contracts carry it in an error of their own:
/// `Sender` for who sends a call, another name for whom a call is about.
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
    PalletError,
)]
// Clients are told the words of an error within an error.
#[scale_info(capture_docs = "always")]
pub enum ParticipantProblem {
    /// No participant has this account or DID.
    NotFound,
    /// The participant is frozen; a security administrator can thaw it.
    Frozen,
    /// The participant is cancelled, which is final.
    Cancelled,
}

impl ParticipantStatus {
    /// Whether a participant in this status may act.
    pub const fn admit(self) -> Result<(), ParticipantProblem> {
        match self {
            Self::Active => Ok(()),
            Self::Frozen => Err(ParticipantProblem::Frozen),
            Self::Cancelled => Err(ParticipantProblem::Cancelled),
        }
    }
}

/// Who acts on the chain. Played by the participant contract.
pub trait Participants {
    /// The active participant whose current key belongs to `account`.
    fn active_by_account(account: &AccountId) -> Result<ActiveParticipant, ParticipantProblem>;
    /// The active participant `did`.
    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem>;
    /// The account that acts for `did` now, whatever its state.
    fn account_of(did: &Did) -> Option<AccountId>;

    /// The active participant that signed the call: who sends it. The problem
    /// of one that may not act becomes the contract's error `E`; an origin that
    /// nobody signed is a [`BadOrigin`].
    fn signer<E>(
        origin: impl OriginTrait<AccountId = AccountId>,
    ) -> Result<ActiveParticipant, DispatchError>
    where
        E: From<ParticipantProblem> + Into<DispatchError>,
    {
        let account = origin.as_signer().ok_or(BadOrigin)?;
        Self::active_by_account(account).map_err(|problem| E::from(problem).into())
    }
}

/// The administrators (三员). Played by the permissions contract.
pub trait Administrators {
    /// The office that `did` holds, whatever state it is in.
    fn office(did: &Did) -> Option<AdminRole>;
}

//! The status machine (状态机) as data.

use crate::{BillStatus, Did, Operation, RoleSet, SceneId, Target};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::PalletError;
use scale_info::TypeInfo;

/// Why an operation is refused by the rules.
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
pub enum TransitionProblem {
    /// The bill's status is final: nothing may follow.
    FinalStatus,
    /// The transition rules of the scene know no such operation from the bill's
    /// status.
    IllegalTransition,
    /// The sender's roles do not allow the operation in the scene.
    RoleForbidden,
}

/// The status machine as data. Played by the permissions contract.
pub trait TransitionRules {
    /// Where `operation` by someone with `roles` leads from `from` (`None`: the
    /// bill does not exist yet) in `scene`: the claim's for what acts on a claim
    /// (see [`Bill::scene_of`](crate::Bill::scene_of)), the bill's otherwise.
    fn check(
        from: Option<BillStatus>,
        operation: Operation,
        roles: RoleSet,
        scene: SceneId,
    ) -> Result<Target, TransitionProblem>;

    /// Whether `did` may lock bills in `scene` without a grant.
    fn is_whitelisted(scene: SceneId, did: &Did) -> bool;
}

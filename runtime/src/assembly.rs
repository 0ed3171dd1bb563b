//! The pallets and their numbers. A number is part of the encoding of calls,
//! events and errors: it never changes and is never given again.

// The macro writes items whose documentation is the pallets' own.
#![allow(missing_docs)]

use crate::{Block, UncheckedExtrinsic};
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::traits::Block as BlockT;

#[frame_support::runtime]
mod runtime {
    /// The runtime.
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(3)]
    pub type Council = pallet_collective<Instance1>;
    #[runtime::pallet_index(4)]
    pub type CouncilMembership = pallet_membership<Instance1>;
    #[runtime::pallet_index(5)]
    pub type Validators = pallet_validators;

    // The contracts.
    #[runtime::pallet_index(20)]
    pub type Participant = pallet_participant;
    #[runtime::pallet_index(21)]
    pub type Permissions = pallet_permissions;
    #[runtime::pallet_index(22)]
    pub type Scene = pallet_scene;
    #[runtime::pallet_index(23)]
    pub type BillRegister = pallet_bill_register;
    #[runtime::pallet_index(24)]
    pub type BillUpdate = pallet_bill_update;
    #[runtime::pallet_index(25)]
    pub type BillQuery = pallet_bill_query;
    #[runtime::pallet_index(30)]
    pub type AccessNode = pallet_access_node;
    #[runtime::pallet_index(31)]
    pub type Authorization = pallet_authorization;
    #[runtime::pallet_index(32)]
    pub type Policy = pallet_policy;
    #[runtime::pallet_index(33)]
    pub type Dispute = pallet_dispute;
    #[runtime::pallet_index(34)]
    pub type BillVerify = pallet_bill_verify;
}

/// The inherents that `data` asks for.
pub(crate) fn create_inherents(data: &InherentData) -> Vec<UncheckedExtrinsic> {
    data.create_extrinsics()
}

/// Whether the inherents of `block` agree with `data`.
pub(crate) fn check_inherents(
    block: &<Block as BlockT>::LazyBlock,
    data: &InherentData,
) -> CheckInherentsResult {
    data.check_extrinsics(block)
}

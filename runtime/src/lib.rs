//! The chain's logic: the contracts as FRAME pallets, put together and run
//! natively.
//!
//! Everything that must come out alike on every node is decided here, from
//! the state and the block alone: which transactions are admitted, what they
//! change, what a block may hold. Nothing here reads a clock, a file or the
//! network. The executor runs this code over a state; see its crate for blocks.
//!
//! There is no Wasm: nodes are upgraded by their operators, and
//! [`VERSION`] says which rules a binary follows.

// The runtime macro expands once more for each pallet.
#![recursion_limit = "256"]
#![forbid(unsafe_code)]
// The macro that puts the pallets together writes items here whose documentation
// is the pallets' own.
#![allow(missing_docs)]

mod apis;
pub mod calls;
mod config;
pub mod contention;
mod cooling;
mod council;
#[cfg(feature = "upgrade-drill")]
mod drill;
pub mod execution;
pub mod genesis;
mod inherents;
pub mod limits;
mod policy;
pub mod quota;
pub mod rejection;
mod sender;
mod version;

pub use apis::api;
pub use config::{AdminOrigin, MAX_COUNCIL_MEMBERS, SecurityOrigin};
pub use contention::CheckContention;
pub use cooling::CoolingMaps;
pub use council::{
    CouncilCollective, CouncilMajority, CouncilSync, ExpiredMotions, MAX_MOTIONS,
    MAX_MOTIONS_OF_MEMBER, MOTION_PERIOD_MS, MotionTicket,
};
pub use pallet_dispute::Precedence;
pub use policy::SigningContext;
pub use sender::CheckSender;
pub use version::VERSION;

use billchain_primitives as primitives;
use std::collections::BTreeMap;

pub use billchain_primitives::{
    AccountId, Address, BlockNumber, Hash, Header, Moment, Nonce, Signature, Sm3Hasher,
};

// The pallets and their numbers. A number is part of the encoding of calls,
// events and errors: it never changes and is never given again.
//
// It stands in the crate's root because the paths of the types are part of the
// metadata: stock clients look for events and calls under `*::RuntimeEvent` and
// `*::RuntimeCall`, with one segment before the name.
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
    #[runtime::pallet_index(6)]
    pub type Performance = pallet_performance;
    #[runtime::pallet_index(8)]
    pub type Upgrade = pallet_upgrade;
    #[runtime::pallet_index(9)]
    pub type Participation = pallet_participation;

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
    #[runtime::pallet_index(26)]
    pub type Allotment = pallet_allotment;
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
    #[runtime::pallet_index(35)]
    pub type Totals = pallet_totals;
    #[runtime::pallet_index(37)]
    pub type Cooling = pallet_cooling;
    #[runtime::pallet_index(38)]
    pub type Outbox = pallet_outbox;
    #[runtime::pallet_index(45)]
    pub type AccessLog = pallet_access_log;
}

/// What a sender adds to a call and signs along with it. Clients know the
/// names from the metadata; `CheckSender` and `CheckContention` carry no bytes,
/// so a client that does not know them can leave them out.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    CheckSender,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckMortality<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    CheckContention,
);

/// The nonce a transaction's extension carries.
pub fn nonce_of(extension: &TxExtension) -> Nonce {
    let (_, _, _, _, _, _, nonce, ..) = extension;
    nonce.0
}

/// The extension of a transaction that is to be signed.
pub fn tx_extension(nonce: Nonce, era: sp_runtime::generic::Era) -> TxExtension {
    (
        frame_system::CheckNonZeroSender::new(),
        CheckSender,
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckMortality::from(era),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        CheckContention,
    )
}

/// What a signature of an immortal transaction covers: the call, the
/// extension, and what the extension implies: the versions and the genesis
/// twice, as the chain and as the era's first block.
pub fn immortal_payload(call: &RuntimeCall, nonce: Nonce, genesis: Hash) -> Vec<u8> {
    use codec::Encode;
    let mut payload = call.encode();
    tx_extension(nonce, sp_runtime::generic::Era::Immortal).encode_to(&mut payload);
    let implicit = (VERSION.spec_version, VERSION.transaction_version, genesis, genesis);
    implicit.encode_to(&mut payload);
    payload
}

/// A transaction or inherent.
pub type UncheckedExtrinsic = primitives::UncheckedExtrinsic<RuntimeCall, TxExtension>;
/// A block.
pub type Block = primitives::Block<UncheckedExtrinsic>;
/// A call with its extension and what is signed along with them. Its encoding
/// is the payload a signature covers: see [`Signature::verify_payload`] for
/// which schemes sign it by its hash.
pub type SignedPayload = sp_runtime::generic::SignedPayload<RuntimeCall, TxExtension>;

/// Runs blocks.
pub type Executive =
    frame_executive::Executive<Runtime, Block, SigningContext, Runtime, AllPalletsWithSystem>;

/// The raw state a chain begins with.
pub type GenesisState = BTreeMap<Vec<u8>, Vec<u8>>;

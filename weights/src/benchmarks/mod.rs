//! The benchmarks, a module a pallet: every call at its worst.
//!
//! They stand here and not in the pallets because nearly all of them need
//! several contracts at once: a bill's registration is at its worst with a
//! participant, a scene, access nodes and policies, which a pallet knows as
//! traits only. Here the whole runtime is at hand; [`crate::setup`] makes what
//! more than one of them needs.

// The macro writes items whose documentation is the calls' own.
#![allow(missing_docs)]

mod access_log;
mod access_node;
mod allotment;
mod authorization;
mod bill_register;
mod bill_update;
mod bill_verify;
mod cooling;
mod dispute;
mod outbox;
mod participant;
mod participation;
mod performance;
mod permissions;
mod policy;
mod scene;
mod upgrade;
mod validators;

use billchain_primitives::AccountId;
use billchain_runtime::{Runtime, RuntimeOrigin};
use frame_benchmarking::{
    BenchmarkError, BenchmarkMetadata, BenchmarkParameter, BenchmarkResult, Benchmarking,
};
use sp_core::storage::TrackedStorageKey;

/// The runtime, as the macro wants it: a type that plays every pallet's part.
pub trait Config:
    frame_system::Config<AccountId = AccountId, RuntimeOrigin = RuntimeOrigin>
    + pallet_participant::Config
    + pallet_permissions::Config
    + pallet_scene::Config
    + pallet_validators::Config
    + pallet_performance::Config
    + pallet_participation::Config
    + pallet_upgrade::Config
    + pallet_access_log::Config
    + pallet_bill_register::Config
    + pallet_bill_update::Config
    + pallet_access_node::Config
    + pallet_allotment::Config
    + pallet_authorization::Config
    + pallet_policy::Config
    + pallet_dispute::Config
    + pallet_bill_verify::Config
    + pallet_cooling::Config
    + pallet_outbox::Config
{
}

impl Config for Runtime {}

/// The benchmarks of one pallet.
#[derive(Clone, Copy)]
pub struct Pallet {
    /// Its directory under `pallets/`, where its `weights.rs` lies.
    pub directory: &'static str,
    list: fn(bool) -> Vec<BenchmarkMetadata>,
    run: Run,
}

type Run = fn(
    &[u8],
    &[(BenchmarkParameter, u32)],
    &[TrackedStorageKey],
    bool,
    u32,
) -> Result<Vec<BenchmarkResult>, BenchmarkError>;

/// Every pallet whose weights are measured.
pub fn pallets() -> Vec<Pallet> {
    vec![
        Pallet::of::<access_log::Pallet<Runtime>>("access-log"),
        Pallet::of::<access_node::Pallet<Runtime>>("access-node"),
        Pallet::of::<allotment::Pallet<Runtime>>("allotment"),
        Pallet::of::<authorization::Pallet<Runtime>>("authorization"),
        Pallet::of::<bill_register::Pallet<Runtime>>("bill-register"),
        Pallet::of::<bill_update::Pallet<Runtime>>("bill-update"),
        Pallet::of::<bill_verify::Pallet<Runtime>>("bill-verify"),
        Pallet::of::<cooling::Pallet<Runtime>>("cooling"),
        Pallet::of::<dispute::Pallet<Runtime>>("dispute"),
        Pallet::of::<outbox::Pallet<Runtime>>("outbox"),
        Pallet::of::<participant::Pallet<Runtime>>("participant"),
        Pallet::of::<performance::Pallet<Runtime>>("performance"),
        Pallet::of::<permissions::Pallet<Runtime>>("permissions"),
        Pallet::of::<policy::Pallet<Runtime>>("policy"),
        Pallet::of::<scene::Pallet<Runtime>>("scene"),
        Pallet::of::<participation::Pallet<Runtime>>("participation"),
        Pallet::of::<upgrade::Pallet<Runtime>>("upgrade"),
        Pallet::of::<validators::Pallet<Runtime>>("validators"),
    ]
}

impl Pallet {
    fn of<P: Benchmarking>(directory: &'static str) -> Self {
        Self { directory, list: P::benchmarks, run: P::run_benchmark }
    }

    /// What is measured of it.
    pub(crate) fn benchmarks(&self) -> Vec<BenchmarkMetadata> {
        (self.list)(false)
    }

    /// Runs a benchmark once.
    pub(crate) fn run(
        &self,
        name: &[u8],
        components: &[(BenchmarkParameter, u32)],
        whitelist: &[TrackedStorageKey],
        verify: bool,
    ) -> Result<Vec<BenchmarkResult>, BenchmarkError> {
        (self.run)(name, components, whitelist, verify, 1)
    }
}

//! A runtime of this contract alone, hashed with SM3; participants are a table.

use crate as pallet_performance;
use billchain_primitives::{
    AccountId, Did, Header, RoleSet, Sm3Hasher,
    seams::{ActiveParticipant, ParticipantProblem, Participants},
};
use core::cell::Cell;
use frame::{
    deps::sp_runtime::generic,
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};
use pallet_performance::Limits;

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Performance: pallet_performance,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

parameter_types! {
    pub const HardLimits: Limits = Limits {
        max_block_bytes: 5 << 20,
        max_transaction_bytes: 512 << 10,
        max_block_time_us: 2_000_000,
    };
}

impl pallet_performance::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type Participants = World;
    type Time = World;
    type HardLimits = HardLimits;
    type MaxOwnQuotas = ConstU32<2>;
    type WeightInfo = pallet_performance::weights::SubstrateWeight<Test>;
}

/// The participant of this number; those up to 9 exist.
pub fn person(number: u8) -> Did {
    format!("did:bill:p{number}").parse().expect("test names are plain")
}

thread_local! {
    static TIME: Cell<u64> = const { Cell::new(0) };
}

/// The other contracts.
pub struct World;

impl World {
    /// Sets the time of the block.
    pub fn set_time(moment: u64) {
        TIME.with(|time| time.set(moment));
    }
}

impl Participants for World {
    fn active_by_account(_: &AccountId) -> Result<ActiveParticipant, ParticipantProblem> {
        Err(ParticipantProblem::NotFound)
    }

    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem> {
        Self::account_of(did)
            .map(|_| ActiveParticipant { did: did.clone(), roles: RoleSet::EMPTY })
            .ok_or(ParticipantProblem::NotFound)
    }

    fn account_of(did: &Did) -> Option<AccountId> {
        let number = (1..=9_u8).find(|number| person(*number) == *did)?;
        Some(AccountId::new([number; 32]))
    }
}

impl Time for World {
    type Moment = u64;

    fn now() -> u64 {
        TIME.with(Cell::get)
    }
}

/// Runs `test` in block 1 of a chain with `config` as this contract's genesis,
/// ends the block and checks the contract's invariants.
pub fn run(config: pallet_performance::GenesisConfig<Test>, test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig { system: Default::default(), performance: config }
        .build_storage()
        .expect("the test genesis is sound");
    TestState::from(storage).execute_with(|| {
        World::set_time(1_000_000);
        System::set_block_number(1);
        Performance::on_initialize(1);
        test();
        Performance::on_finalize(System::block_number());
        Performance::do_try_state().expect("invariants hold");
    });
}

/// Ends the block and begins the next one.
pub fn next_block() {
    let number = System::block_number();
    Performance::on_finalize(number);
    System::set_block_number(number + 1);
    Performance::on_initialize(number + 1);
}

//! A runtime of this contract alone, hashed with SM3.

use crate as pallet_validators;
use billchain_primitives::{AccountId, Header, Sm3Hasher};
use core::cell::Cell;
use frame::{
    deps::sp_runtime::generic,
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        ValidatorSet: pallet_validators,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_validators::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type Time = Clock;
    type WeightInfo = pallet_validators::weights::SubstrateWeight<Test>;
}

thread_local! {
    static TIME: Cell<u64> = const { Cell::new(0) };
}

/// The block's time.
pub struct Clock;

impl Clock {
    /// Sets it.
    pub fn set(moment: u64) {
        TIME.with(|time| time.set(moment));
    }
}

impl Time for Clock {
    type Moment = u64;

    fn now() -> u64 {
        TIME.with(Cell::get)
    }
}

/// Runs `test` at block 1 of a chain with `config` as this contract's genesis,
/// then checks the contract's invariants.
pub fn run(config: pallet_validators::GenesisConfig<Test>, test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig { system: Default::default(), validator_set: config }
        .build_storage()
        .expect("the test genesis is sound");
    TestState::from(storage).execute_with(|| {
        Clock::set(1_000_000);
        System::set_block_number(1);
        test();
        ValidatorSet::do_try_state().expect("invariants hold");
    });
}

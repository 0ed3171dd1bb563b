//! A runtime of this contract alone, hashed with SM3; the voters are two.

use crate as pallet_access_log;
use billchain_primitives::{AccountId, Header, Sm3Hasher, seams::Electorate};
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
        AccessLog: pallet_access_log,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hash = billchain_primitives::Hash;
    type Hashing = Sm3Hasher;
}

impl pallet_access_log::Config for Test {
    type Electorate = Voters;
    type Time = Clock;
    type WeightInfo = pallet_access_log::weights::SubstrateWeight<Test>;
}

thread_local! {
    static TIME: Cell<u64> = const { Cell::new(0) };
}

/// The block's time.
pub struct Clock;

impl Clock {
    /// Sets it to the beginning of a day.
    pub fn set_day(day: u64) {
        TIME.with(|time| time.set(day * pallet_access_log::DAY_MS));
    }
}

impl Time for Clock {
    type Moment = u64;

    fn now() -> u64 {
        TIME.with(Cell::get)
    }
}

/// The operator of this number; 1 and 2 vote.
pub fn operator(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

/// The validators.
pub struct Voters;

impl Electorate for Voters {
    fn voters() -> Vec<(AccountId, u64)> {
        vec![(operator(1), 1), (operator(2), 1)]
    }
}

/// Runs `test` in block 1 on day 1, and checks the contract's invariants afterwards.
pub fn run(test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig { system: Default::default() }
        .build_storage()
        .expect("the test genesis is sound");
    TestState::from(storage).execute_with(|| {
        System::set_block_number(1);
        Clock::set_day(1);
        test();
        AccessLog::do_try_state().expect("invariants hold");
    });
}

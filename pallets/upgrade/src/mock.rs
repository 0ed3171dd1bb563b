//! A runtime of this contract alone, hashed with SM3; the voters are a table.

use crate as pallet_upgrade;
use billchain_primitives::{AccountId, Header, Sm3Hasher, seams::Electorate};
use core::cell::{Cell, RefCell};
use frame::{
    deps::sp_runtime::generic,
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Upgrade: pallet_upgrade,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hash = billchain_primitives::Hash;
    type Hashing = Sm3Hasher;
    type Version = Version;
}

impl pallet_upgrade::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type Electorate = Voters;
    type Time = Clock;
    type MaxVoters = ConstU32<5>;
    type WeightInfo = pallet_upgrade::weights::SubstrateWeight<Test>;
}

thread_local! {
    static VERSION: Cell<(u32, u32)> = const { Cell::new((2, 1)) };
    static TIME: Cell<u64> = const { Cell::new(0) };
}

/// The version of the release that runs.
pub struct Version;

impl Get<RuntimeVersion> for Version {
    fn get() -> RuntimeVersion {
        let (spec_version, transaction_version) = VERSION.with(Cell::get);
        RuntimeVersion { spec_version, transaction_version, ..Default::default() }
    }
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

/// The operator of this number.
pub fn operator(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

thread_local! {
    static VOTERS: RefCell<Vec<(AccountId, u64)>> = const { RefCell::new(Vec::new()) };
}

/// The validators.
pub struct Voters;

impl Voters {
    /// Operators from 1 on have these powers.
    pub fn set(powers: &[u64]) {
        let voters = powers.iter().zip(1..).map(|(power, number)| (operator(number), *power));
        VOTERS.with(|table| *table.borrow_mut() = voters.collect());
    }
}

impl Electorate for Voters {
    fn voters() -> Vec<(AccountId, u64)> {
        VOTERS.with(|table| table.borrow().clone())
    }
}

/// Runs the release with these rules and this encoding of calls, and makes the rules
/// those in force, as the executive does at the height.
pub fn put_in_force(rules: u32, encoding: u32) {
    VERSION.with(|version| version.set((rules, encoding)));
    let info = frame_system::LastRuntimeUpgradeInfo {
        spec_version: rules.into(),
        spec_name: "billchain".into(),
    };
    frame_system::LastRuntimeUpgrade::<Test>::put(info);
}

/// Goes on to block `height`.
pub fn go_to(height: u32) {
    System::set_block_number(height);
    Upgrade::on_initialize(height);
}

/// Runs `test` in block 1 under rules 2, with four voters of equal power, and checks
/// the contract's invariants afterwards.
pub fn run(test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig { system: Default::default() }
        .build_storage()
        .expect("the test genesis is sound");
    TestState::from(storage).execute_with(|| {
        Voters::set(&[1, 1, 1, 1]);
        Clock::set(1_000);
        put_in_force(2, 1);
        go_to(1);
        test();
        Upgrade::do_try_state(System::block_number()).expect("invariants hold");
    });
}

//! A runtime of this contract alone, hashed with SM3, over entries that a test writes.

use crate::{self as pallet_cooling, Group, Map, Maps};
use billchain_primitives::{
    AccountId, Header, Moment, Sm3Hasher,
    cooling::{DAY_MS, Orders},
};
use core::cell::Cell;
use frame::{
    deps::{
        frame_support::{storage::unhashed, weights::RuntimeDbWeight},
        sp_runtime::generic,
    },
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Cooling: pallet_cooling,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
    type DbWeight = Prices;
}

parameter_types! {
    /// Prices that tell reads from writes.
    pub const Prices: RuntimeDbWeight = RuntimeDbWeight { read: 1, write: 1_000 };
    /// What a cold read weighs.
    pub const ColdRead: Weight = Weight::from_parts(1_000_000, 0);
    /// What a run weighs that is asked in vain.
    pub const Missing: Weight = Weight::from_parts(10_000, 0);
}

impl pallet_cooling::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type Maps = Entries;
    type Time = Clock;
    type ColdRead = ColdRead;
    type Missing = Missing;
    type WeightInfo = pallet_cooling::weights::SubstrateWeight<Test>;
}

/// Two maps whose values are the moment of the last change. The second one comes first, so that
/// whoever walks has to put them in order.
pub struct Entries;

/// What the keys of the two maps begin with.
pub const PREFIXES: [[u8; 32]; 2] = [[0x10; 32], [0x20; 32]];

impl Maps for Entries {
    fn maps() -> Vec<Map> {
        let map = |name, prefix| Map { name, prefix, is_cold };
        vec![map(("Test", "Second"), PREFIXES[1]), map(("Test", "First"), PREFIXES[0])]
    }
}

fn is_cold(group: &Group<'_>, before: Moment) -> bool {
    let is_old = |value: &Vec<u8>| {
        <[u8; 8]>::try_from(&value[..]).is_ok_and(|bytes| Moment::from_le_bytes(bytes) < before)
    };
    assert_eq!(group.shared.len(), 1, "keys have two bytes behind their map's prefix");
    group.values.iter().all(is_old)
}

thread_local! {
    static TIME: Cell<Moment> = const { Cell::new(0) };
}

/// The time of the block.
pub struct Clock;

impl Clock {
    /// Sets it, in days.
    pub fn set_days(days: u64) {
        TIME.set(days * DAY_MS);
    }
}

impl Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        TIME.get()
    }
}

/// The key of an entry.
pub fn key(map: usize, group: u8, last: u8) -> Vec<u8> {
    [&PREFIXES[map][..], &[group, last]].concat()
}

/// What the keys of a group share.
pub fn shared(map: usize, group: u8) -> Vec<u8> {
    [&PREFIXES[map][..], &[group]].concat()
}

/// Writes an entry that was changed on that day.
pub fn touch(map: usize, group: u8, last: u8, day: u64) {
    unhashed::put_raw(&key(map, group, last), &(day * DAY_MS).to_le_bytes());
}

/// Begins a block on that day, as the storage does what it orders: what cools is hot no more.
/// Returns the orders.
pub fn block(days: u64) -> Orders {
    let orders = begin(days);
    for group in &orders.groups {
        (0..=u8::MAX).for_each(|last| unhashed::kill(&[&group[..], &[last]].concat()));
    }
    Cooling::do_try_state().expect("invariants hold");
    orders
}

/// Begins a block on that day; its orders, which nobody carries out.
pub fn begin(days: u64) -> Orders {
    weigh(days);
    Cooling::orders().unwrap_or_default()
}

/// Begins a block on that day; what that weighs.
pub fn weigh(days: u64) -> u64 {
    Clock::set_days(days);
    System::set_block_number(System::block_number() + 1);
    Cooling::on_initialize(System::block_number()).ref_time()
}

/// The groups of orders, as map and group.
pub fn groups(orders: &Orders) -> Vec<(usize, u8)> {
    let place = |group: &[u8]| {
        let map = PREFIXES.iter().position(|prefix| group.starts_with(prefix));
        (map.expect("a map"), group[32])
    };
    orders.groups.iter().map(|group| place(group)).collect()
}

/// Runs `test` on a chain without a policy.
pub fn run(test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig { system: Default::default(), cooling: Default::default() }
        .build_storage()
        .expect("the test genesis is sound");
    TestState::from(storage).execute_with(|| {
        Clock::set_days(1_000);
        System::set_block_number(1);
        test();
        Cooling::do_try_state().expect("invariants hold");
    });
}

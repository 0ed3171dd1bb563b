//! A runtime of this contract alone, hashed with SM3.

use crate as pallet_permissions;
use billchain_primitives::{AccountId, Header, Sm3Hasher};
use frame::{deps::sp_runtime::generic, testing_prelude::*, traits::IdentityLookup};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Permissions: pallet_permissions,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_permissions::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type MaxWhitelist = ConstU32<2>;
    type MaxAdmins = ConstU32<3>;
    type WeightInfo = pallet_permissions::weights::SubstrateWeight<Test>;
}

/// Runs `test` at block 1 of a chain with `config` as this contract's genesis,
/// then checks the contract's invariants.
pub fn run(config: pallet_permissions::GenesisConfig<Test>, test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig { system: Default::default(), permissions: config }
        .build_storage()
        .expect("the test genesis is sound");
    TestState::from(storage).execute_with(|| {
        System::set_block_number(1);
        test();
        Permissions::do_try_state().expect("invariants hold");
    });
}

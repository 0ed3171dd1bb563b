//! A runtime of this contract alone, hashed with SM3; participants and offices
//! are tables.

use crate as pallet_scene;
use billchain_primitives::{
    AccountId, AdminRole, Did, Header, RoleSet, Sm3Hasher,
    seams::{ActiveParticipant, Administrators, ParticipantProblem},
};
use billchain_test_support::{BlockSeconds, Cast, Seeded, account};
use frame::{deps::sp_runtime::generic, testing_prelude::*, traits::IdentityLookup};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        SceneRegistry: pallet_scene,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_scene::Config for Test {
    type Participants = Seeded<World>;
    type Administrators = World;
    type Time = BlockSeconds<Test>;
    type MaxScenes = ConstU32<3>;
    type MaxOpenProposals = ConstU32<2>;
    type WeightInfo = pallet_scene::weights::SubstrateWeight<Test>;
}

/// System administrators.
pub const ADMIN: u8 = 1;
pub const SECOND: u8 = 2;
/// A security administrator, an auditor, and a participant without an office.
pub const SECURITY: u8 = 3;
pub const AUDITOR: u8 = 4;
pub const HOSPITAL: u8 = 5;
/// System administrators that may not act.
pub const FROZEN: u8 = 6;
pub const CANCELLED: u8 = 7;
pub const STRANGER: u8 = 9;

/// The other contracts.
pub struct World;

impl Cast for World {
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem> {
        match seed {
            FROZEN => Err(ParticipantProblem::Frozen),
            CANCELLED => Err(ParticipantProblem::Cancelled),
            STRANGER => Err(ParticipantProblem::NotFound),
            seed => Ok(ActiveParticipant { did: did(seed), roles: RoleSet::EMPTY }),
        }
    }
}

impl Administrators for World {
    fn office(who: &Did) -> Option<AdminRole> {
        match who {
            who if [ADMIN, SECOND, FROZEN, CANCELLED].map(did).contains(who) => {
                Some(AdminRole::SystemAdmin)
            }
            who if *who == did(SECURITY) => Some(AdminRole::SecurityAdmin),
            who if *who == did(AUDITOR) => Some(AdminRole::Auditor),
            _ => None,
        }
    }
}

pub fn did(seed: u8) -> Did {
    format!("did:bill:p{seed}").parse().expect("test names are plain")
}

pub fn signed(seed: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(seed))
}

/// Runs `test` at block 1 of a chain with `config` as this contract's genesis,
/// then checks the contract's invariants.
pub fn run(config: pallet_scene::GenesisConfig<Test>, test: impl FnOnce()) -> TestState {
    let storage = RuntimeGenesisConfig { system: Default::default(), scene_registry: config }
        .build_storage()
        .expect("the test genesis is sound");
    let mut state = TestState::from(storage);
    state.execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(0);
        test();
        SceneRegistry::do_try_state().expect("invariants hold");
    });
    state.persist_offchain_overlay();
    state
}

//! A runtime of this contract alone, hashed with SM3; participants and scenes
//! are tables.

use crate as pallet_permissions;
use billchain_primitives::{
    AccountId, Did, Header, Role, RoleSet, SceneId, Sm3Hasher,
    seams::{ActiveParticipant, ParticipantProblem, SceneProblem, SceneTerms, Scenes, VoidPolicy},
};
use billchain_test_support::{BlockSeconds, Cast, Seeded, plain_scene};
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
    type Participants = Seeded<World>;
    type Scenes = World;
    type Time = BlockSeconds<Test>;
    type MaxRuleVersions = ConstU32<4>;
    type MaxRules = ConstU32<25>;
    type MaxWhitelist = ConstU32<2>;
    type MaxAdmins = ConstU32<3>;
    type WeightInfo = pallet_permissions::weights::SubstrateWeight<Test>;
}

pub const SCENE: SceneId = SceneId(1);
/// Lets normal bills be voided.
pub const VOIDING: SceneId = SceneId(2);
pub const DISABLED: SceneId = SceneId(3);

/// The participant whose account begins with this byte.
pub fn person(seed: u8) -> Did {
    format!("did:bill:p{seed}").parse().expect("test names are plain")
}

/// Participants with the role of an administrator, of an auditor and of
/// neither; one that may not act.
pub const ADMIN: u8 = 1;
pub const AUDITOR: u8 = 2;
pub const USERS: core::ops::RangeInclusive<u8> = 3..=7;
pub const FROZEN: u8 = 8;

/// The other contracts.
pub struct World;

impl Cast for World {
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem> {
        let role = match seed {
            ADMIN => Role::Admin,
            AUDITOR => Role::Auditor,
            seed if USERS.contains(&seed) => Role::User,
            FROZEN => return Err(ParticipantProblem::Frozen),
            _ => return Err(ParticipantProblem::NotFound),
        };
        Ok(ActiveParticipant { did: person(seed), roles: RoleSet::of(&[role]) })
    }

    fn did_of(seed: u8) -> Option<Did> {
        (1..=FROZEN).contains(&seed).then(|| person(seed))
    }
}

impl Scenes for World {
    fn active(scene: SceneId) -> Result<SceneTerms, SceneProblem> {
        let void = match scene {
            SCENE => VoidPolicy::Refused,
            VOIDING => VoidPolicy::Allowed,
            DISABLED => return Err(SceneProblem::Inactive),
            _ => return Err(SceneProblem::NotFound),
        };
        Ok(SceneTerms { void, ..plain_scene() })
    }
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

//! A runtime of this contract alone, hashed with SM3.

use crate::{self as pallet_participant, GenesisConfig, Participants, Registration};
use billchain_primitives::{
    AccountId, AdminRole, Did, Header, Name, PublicKey, Role, RoleSet, SignatureScheme, Sm3Hasher,
    seams::Administrators,
};
pub use billchain_test_support::did;
use billchain_test_support::{BlockSeconds, Signer, account};
use frame::{deps::sp_runtime::generic, testing_prelude::*, traits::IdentityLookup};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Participant: pallet_participant,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

/// The signer of administrative calls in tests that want one.
pub fn operator() -> AccountId {
    account(0xad)
}

/// The set of that one signer.
pub type Operator = Signer<0xad>;

/// The signer that may freeze, in tests that want one.
pub fn security() -> AccountId {
    account(0x5e)
}

/// The set of that one signer.
pub type Security = Signer<0x5e>;

/// The offices: `did:bill:chief` is a system administrator, whether or not it
/// is registered.
pub struct Offices;

impl Administrators for Offices {
    fn office(who: &Did) -> Option<AdminRole> {
        (*who == did("chief")).then_some(AdminRole::SystemAdmin)
    }
}

impl pallet_participant::Config for Test {
    type AdminOrigin = EitherOfDiverse<EnsureRoot<AccountId>, EnsureSignedBy<Operator, AccountId>>;
    type SecurityOrigin = EnsureSignedBy<Security, AccountId>;
    type Administrators = Offices;
    type Outbox = ();
    type Time = BlockSeconds<Test>;
    type MaxParticipants = ConstU32<4>;
    type MaxRotations = ConstU32<2>;
    type WeightInfo = pallet_participant::weights::SubstrateWeight<Test>;
}

/// A development key: any 32 bytes are one of sr25519.
pub fn key(seed: u8) -> PublicKey {
    PublicKey::Sr25519([seed; 32])
}

pub fn hospital() -> Registration {
    Registration {
        did: did("hospital"),
        name: Name::new("市第一医院").expect("a plain name"),
        kind: pallet_participant::ParticipantKind::Organisation,
        public_key: key(1),
        roles: RoleSet::of(&[Role::Issuer]),
        uscc_hash: Some([1; 32].into()),
    }
}

pub fn patient() -> Registration {
    Registration {
        did: did("patient"),
        name: Name::new("p-7c1f").expect("a plain name"),
        kind: pallet_participant::ParticipantKind::Person,
        public_key: key(2),
        roles: RoleSet::EMPTY,
        uscc_hash: None,
    }
}

pub fn genesis(participants: Vec<Registration>) -> GenesisConfig<Test> {
    let schemes = vec![SignatureScheme::Sm2, SignatureScheme::Sr25519];
    GenesisConfig { participants, schemes, ..Default::default() }
}

/// Runs `test` at block 1 of a chain that began with `participants`, then
/// checks the contract's invariants.
pub fn run(participants: Vec<Registration>, test: impl FnOnce()) -> TestState {
    let storage =
        RuntimeGenesisConfig { system: Default::default(), participant: genesis(participants) }
            .build_storage()
            .expect("the test genesis is sound");
    let mut state = TestState::from(storage);
    state.execute_with(|| {
        System::set_block_number(1);
        test();
        Participant::do_try_state().expect("invariants hold");
        assert_eq!(Participants::<Test>::count() as usize, Participants::<Test>::iter().count());
    });
    state
}

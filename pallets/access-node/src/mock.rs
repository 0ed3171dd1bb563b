//! A runtime of this contract alone, hashed with SM3; participants are a table
//! that a test may change.

use crate::{self as pallet_access_node, Registration};
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::{
    AccountId, Did, Header, Name, PublicKey, Reason, RoleSet, Sm3Hasher,
    seams::{ActiveParticipant, ParticipantProblem, Participants},
};
pub use billchain_test_support::did;
use billchain_test_support::{BlockSeconds, Signer, account};
use core::cell::RefCell;
use frame::{deps::sp_runtime::generic, testing_prelude::*, traits::IdentityLookup};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        AccessNode: pallet_access_node,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

thread_local! {
    static FROZEN: RefCell<Vec<Did>> = RefCell::default();
}

/// The participant contract: `did:bill:p-…` are known, and active unless a
/// test froze them.
pub struct World;

pub fn freeze(participant: &Did) {
    FROZEN.with(|frozen| frozen.borrow_mut().push(participant.clone()));
}

impl Participants for World {
    fn active_by_account(_: &AccountId) -> Result<ActiveParticipant, ParticipantProblem> {
        Err(ParticipantProblem::NotFound)
    }

    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem> {
        if !did.as_str().starts_with("did:bill:p-") {
            Err(ParticipantProblem::NotFound)
        } else if FROZEN.with(|frozen| frozen.borrow().contains(did)) {
            Err(ParticipantProblem::Frozen)
        } else {
            Ok(ActiveParticipant { did: did.clone(), roles: RoleSet::EMPTY })
        }
    }

    fn account_of(_: &Did) -> Option<AccountId> {
        None
    }
}

/// The signer of administrative calls in tests that want one.
pub fn operator() -> AccountId {
    account(0xad)
}

/// The set of that one signer.
pub type Operator = Signer<0xad>;

/// The signer that may pause, in tests that want one.
pub fn security() -> AccountId {
    account(0x5e)
}

/// The set of that one signer.
pub type Security = Signer<0x5e>;

impl pallet_access_node::Config for Test {
    type AdminOrigin = EitherOfDiverse<EnsureRoot<AccountId>, EnsureSignedBy<Operator, AccountId>>;
    type SecurityOrigin = EnsureSignedBy<Security, AccountId>;
    type Participants = World;
    type Time = BlockSeconds<Test>;
    type MaxNodes = ConstU32<4>;
    type MaxParticipantsPerNode = ConstU32<3>;
    type MaxNodesPerParticipant = ConstU32<2>;
    type WeightInfo = pallet_access_node::weights::SubstrateWeight<Test>;
}

pub fn key(seed: &str) -> PublicKey {
    PublicKey::Sm2(SecretKey::from_seed(seed.as_bytes()).public().to_compressed())
}

/// The registration of `did:bill:<name>` with a key of its own.
pub fn registration(name: &str) -> Registration {
    Registration {
        node: did(name),
        operator_name: Name::new("市第一医院信息科").expect("a plain name"),
        credential_hash: [7; 32].into(),
        public_key: key(name),
    }
}

pub fn reason() -> Reason {
    Reason::new("性能检查").expect("a plain text")
}

/// Runs `test` at block 1, extrinsic 2, then checks the contract's invariants.
pub fn run(test: impl FnOnce()) -> TestState {
    FROZEN.with(|frozen| frozen.borrow_mut().clear());
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut state = TestState::new(storage.expect("the genesis is sound"));
    state.execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(2);
        test();
        AccessNode::do_try_state().expect("invariants hold");
    });
    state.persist_offchain_overlay();
    state
}

//! A runtime of this pallet alone, hashed with SM3; the validators are a table.

use crate as pallet_participation;
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_primitives::{
    AccountId, ConsensusDomain, Hash, Header, LatePrecommit, ParentCommit, Precommit, Sm3Hasher,
    Statement, StatementContext, seams::ConsensusKeys, sm3,
};
use core::cell::RefCell;
use frame::{deps::sp_runtime::generic, testing_prelude::*, traits::IdentityLookup};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Participation: pallet_participation,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hash = Hash;
    type Hashing = Sm3Hasher;
}

impl pallet_participation::Config for Test {
    type Keys = Keys;
    type WeightInfo = pallet_participation::weights::SubstrateWeight<Test>;
}

thread_local! {
    static KEYS: RefCell<Vec<(u8, u64)>> = const { RefCell::new(Vec::new()) };
}

/// The validators.
pub struct Keys;

impl Keys {
    /// From the next block on these vote, each with its power.
    pub fn set(validators: &[(u8, u64)]) {
        KEYS.with(|table| *table.borrow_mut() = validators.to_vec());
    }
}

impl ConsensusKeys for Keys {
    fn keys() -> Vec<([u8; 33], u64)> {
        KEYS.with(|table| table.borrow().iter().map(|(seed, power)| (key(*seed), *power)).collect())
    }

    fn key_at(account: &AccountId, _: u32) -> Option<[u8; 33]> {
        Self::keys()
            .into_iter()
            .map(|(key, _)| key)
            .find(|key| AccountId::new(sm3(key)) == *account)
    }
}

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

pub fn key(seed: u8) -> [u8; 33] {
    secret(seed).public().to_compressed()
}

/// Account of the key.
pub fn account(seed: u8) -> AccountId {
    AccountId::new(sm3(&key(seed)))
}

/// Hash of block `height`.
pub fn hash(height: u32) -> Hash {
    Hash::repeat_byte(100 + height as u8)
}

/// The signature of a pre-commit.
pub fn sign(seed: u8, height: u32, round: u32, block: Hash) -> [u8; 64] {
    let context = StatementContext {
        height: u64::from(height),
        round: Some(round),
        signer: *AsRef::<[u8; 32]>::as_ref(&account(seed)),
    };
    let domain = ConsensusDomain::new(System::block_hash(0));
    let bytes = domain.statement_bytes(&context, &Statement::Precommit { block: Some(block) });
    secret(seed).sign(DEFAULT_ID, &bytes).to_bytes()
}

/// The pre-commits of these to the parent of the block at hand.
pub fn commit(round: u32, signers: &[u8]) -> ParentCommit {
    let parent = System::block_number() - 1;
    let mut precommits: Vec<Precommit> = signers
        .iter()
        .map(|seed| Precommit {
            signer: account(*seed),
            signature: sign(*seed, parent, round, hash(parent)),
        })
        .collect();
    precommits.sort_by(|a, b| a.signer.cmp(&b.signer));
    ParentCommit {
        round,
        precommits: BoundedVec::truncate_from(precommits),
        late: BoundedVec::new(),
    }
}

/// A pre-commit of this one to an earlier block.
pub fn late(seed: u8, height: u32) -> LatePrecommit {
    LatePrecommit {
        signer: account(seed),
        height,
        round: 0,
        signature: sign(seed, height, 0, hash(height)),
    }
}

/// Begins block `height`.
pub fn begin(height: u32) {
    System::reset_events();
    System::initialize(&height, &hash(height - 1), &Default::default());
}

/// Begins the next block, which brings the commit of these.
pub fn next(round: u32, signers: &[u8]) {
    begin(System::block_number() + 1);
    let commit = commit(round, signers);
    assert_ok!(Participation::note_commit(RuntimeOrigin::none(), commit));
}

/// Runs `test` in block 1 of a chain of these validators, and checks the pallet's
/// invariants afterwards.
pub fn run(validators: &[(u8, u64)], test: impl FnOnce()) {
    Keys::set(validators);
    let storage =
        RuntimeGenesisConfig::default().build_storage().expect("the test genesis is sound");
    TestState::from(storage).execute_with(|| {
        begin(1);
        test();
        Participation::do_try_state().expect("invariants hold");
    });
}

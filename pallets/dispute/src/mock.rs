//! A runtime of this contract over the real ledger, the real status machine
//! and the real table of transition rules; participants, scenes and the clock
//! are tables, and there are neither access nodes nor grants nor policies.

use crate::{self as pallet_dispute, LockRequest};
use billchain_primitives::{
    AccountId, BillStatus, BillSummary, ClaimNo, Did, Hash, Header, Operation, Reason, Role,
    RoleSet, SceneId, Sm3Hasher, Target,
    seams::{
        ActiveParticipant, ParticipantProblem, SceneProblem, SceneTerms, Scenes, TransitionProblem,
        TransitionRules,
    },
};
use billchain_test_support::{Absent, Cast, Seeded, blue_bill, plain_scene};
pub use billchain_test_support::{account, did, key};
use core::cell::Cell;
use frame::{
    deps::sp_runtime::generic,
    testing_prelude::*,
    traits::{Hooks, IdentityLookup, Time},
};
use pallet_bill_update::StatusChange;

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        BillRegister: pallet_bill_register,
        Totals: pallet_totals,
        BillUpdate: pallet_bill_update,
        Dispute: pallet_dispute,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_bill_register::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type Participants = Seeded<World>;
    type Scenes = World;
    type AccessNodes = Absent;
    type Rules = World;
    type Allotments = Absent;
    type Policies = Absent;
    type Totals = Totals;
    type Outbox = ();
    type ColdReads = ();
    type Time = World;
    type WeightInfo = pallet_bill_register::weights::SubstrateWeight<Test>;
}

impl pallet_totals::Config for Test {
    type Bills = BillRegister;
}

impl pallet_bill_update::Config for Test {
    type Ledger = BillRegister;
    type Participants = Seeded<World>;
    type Scenes = World;
    type Rules = World;
    type Grants = Absent;
    type Policies = Absent;
    type Contention = Dispute;
    type Time = World;
    type MaxAdjustments = ConstU32<2>;
    type WeightInfo = pallet_bill_update::weights::SubstrateWeight<Test>;
}

impl pallet_dispute::Config for Test {
    type Ledger = BillRegister;
    type ColdReads = ();
    type Locks = BillUpdate;
    type Participants = Seeded<World>;
    type Scenes = World;
    type Time = World;
    type MaxSignedBefore = ConstU64<BEFORE>;
    type MaxSignedAfter = ConstU64<AFTER>;
    type MaxContenders = ConstU32<4>;
    type MaxParties = ConstU32<3>;
    type WeightInfo = pallet_dispute::weights::SubstrateWeight<Test>;
}

pub const HOSPITAL: u8 = 1;
pub const PLATFORM: u8 = 2;
pub const ADMIN: u8 = 3;
pub const FROZEN: u8 = 4;
pub const CANCELLED: u8 = 5;
pub const STRANGER: u8 = 6;
/// A user that is on no whitelist.
pub const UNLISTED: u8 = 7;
/// Users that may lock; user `n` has the seed `USER + n`.
pub const USER: u8 = 100;

/// Scenes of this number and above exist, and weigh as much as their number.
pub const LIGHT: SceneId = SceneId(10);
pub const HEAVY: SceneId = SceneId(20);
pub const NO_SCENE: SceneId = SceneId(1);

/// 2026-11-24T00:30:00Z.
pub const NOW: u64 = 1_795_480_200_000;
pub const BEFORE: u64 = 10_000;
pub const AFTER: u64 = 30_000;

thread_local! {
    static CLOCK: Cell<u64> = const { Cell::new(NOW) };
}

/// The other contracts.
pub struct World;

impl Cast for World {
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem> {
        let (name, roles): (_, &[Role]) = match seed {
            HOSPITAL => ("hospital".into(), &[Role::Issuer]),
            PLATFORM => ("platform".into(), &[Role::Platform]),
            ADMIN => ("admin".into(), &[Role::Admin]),
            UNLISTED => ("unlisted".into(), &[Role::User]),
            FROZEN => return Err(ParticipantProblem::Frozen),
            CANCELLED => return Err(ParticipantProblem::Cancelled),
            USER.. => (format!("user-{}", seed - USER), &[Role::User]),
            _ => return Err(ParticipantProblem::NotFound),
        };
        Ok(ActiveParticipant { did: did(&name), roles: RoleSet::of(roles) })
    }
}

impl Scenes for World {
    fn active(scene: SceneId) -> Result<SceneTerms, SceneProblem> {
        if scene < LIGHT {
            return Err(SceneProblem::NotFound);
        }
        Ok(SceneTerms { weight: scene.0, lock_period_ms: 60_000, ..plain_scene() })
    }
}

impl TransitionRules for World {
    fn check(
        from: Option<BillStatus>,
        operation: Operation,
        roles: RoleSet,
        _: SceneId,
    ) -> Result<Target, TransitionProblem> {
        pallet_permissions::default_rules()
            .into_iter()
            .find(|(key, ..)| (key.from, key.operation) == (from, operation))
            .ok_or(TransitionProblem::IllegalTransition)
            .and_then(|(_, allowed, target)| {
                if allowed.intersects(roles) {
                    Ok(target)
                } else {
                    Err(TransitionProblem::RoleForbidden)
                }
            })
    }

    fn is_whitelisted(_: SceneId, user: &Did) -> bool {
        *user != did("unlisted")
    }
}

impl Time for World {
    type Moment = u64;

    fn now() -> u64 {
        CLOCK.get()
    }
}

pub fn user(n: u8) -> Did {
    did(&format!("user-{n}"))
}

pub fn reason() -> Reason {
    Reason::new("两家机构同时受理").expect("a plain text")
}

/// Dispatches as a block does: in its own storage layer.
pub fn send(seed: u8, call: impl Into<RuntimeCall>) -> DispatchResult {
    call.into()
        .dispatch(RuntimeOrigin::signed(account(seed)))
        .map(|_| ())
        .map_err(|refusal| refusal.error)
}

pub fn change(seed: u8, number: u32, change: StatusChange) -> DispatchResult {
    let (key, expected_version) = (key(number), None);
    send(seed, pallet_bill_update::Call::<Test>::change_status { key, expected_version, change })
}

/// One transaction that asks for a lock.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Who signs it.
    pub seed: u8,
    /// The bill.
    pub number: u32,
    pub scene: SceneId,
    /// When it is signed, from [`NOW`] on.
    pub at: i64,
    /// First byte of the transaction's hash.
    pub hash: u8,
}

impl Ask {
    /// User `n` asks for bill 1 in the light scene.
    pub fn of(n: u8, at: i64) -> Self {
        Self { seed: USER + n, number: 1, scene: LIGHT, at, hash: n }
    }

    pub fn signed_at(&self) -> u64 {
        NOW.saturating_add_signed(self.at)
    }

    pub fn transaction(&self) -> Hash {
        let mut hash = Hash::zero();
        hash.0[0] = self.hash;
        hash
    }

    pub fn request(&self) -> LockRequest {
        LockRequest {
            key: key(self.number),
            scene: self.scene,
            on_behalf_of: None,
            signed_at: self.signed_at(),
        }
    }

    /// Announces it, as the runtime does before the transaction runs.
    pub fn announce(&self) -> Result<(), crate::OutOfOrder> {
        Dispute::announce(&account(self.seed), self.transaction(), vec![self.request()])
    }

    /// Announces and runs it.
    pub fn run(&self) -> DispatchResult {
        self.announce().expect("it is in order");
        let lock = StatusChange::Lock {
            scene: self.scene,
            claim_no: ClaimNo::new(&format!("claim {}", self.hash)).expect("a plain text"),
            on_behalf_of: None,
            grant: None,
            signed_at: self.signed_at(),
        };
        change(self.seed, self.number, lock)
    }
}

/// Ends the block and begins the next one, 3 s later.
pub fn next_block() {
    let number = System::block_number();
    Dispute::on_finalize(number);
    Dispute::do_try_state().expect("the state is sound");
    CLOCK.set(CLOCK.get() + 3_000);
    System::set_block_number(number + 1);
    System::reset_events();
    Dispute::on_initialize(number + 1);
}

/// What this contract said since the block began.
pub fn events() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet()
}

/// Runs `test` in block 1 with bills 1 and 2, ends the block and checks the
/// state after it.
pub fn run(test: impl FnOnce()) -> TestState {
    CLOCK.set(NOW);
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut state = TestState::new(storage.expect("the genesis is sound"));
    state.execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(3);
        for number in [1, 2] {
            let summary = BillSummary { scene: LIGHT, ..blue_bill(number) };
            let call = pallet_bill_register::Call::<Test>::register { summary };
            assert_ok!(send(HOSPITAL, call));
        }
        test();
        next_block();
        BillRegister::do_try_state().expect("the state is sound");
        Totals::do_try_state().expect("the state is sound");
    });
    state.persist_offchain_overlay();
    state
}

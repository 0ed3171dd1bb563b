//! A runtime of this contract over the real ledger and the real table of
//! transition rules; participants and scenes are tables a test may change.

use crate::{self as pallet_bill_update, StatusChange};
use billchain_primitives::{
    AccountId, Bill, BillKey, BillStatus, BillSummary, Did, GrantId, Header, Operation, Role,
    RoleSet, SceneId, Sm3Hasher, SummaryFields, Target,
    condition::{BillFacts, Facts, Field, Guarded, Value},
    seams::{
        AccessNodePolicy, ActiveParticipant, Contention, GrantProblem, GrantUse, Grants,
        ParticipantProblem, Policies, PolicyId, PolicyProblem, PolicyRefusal, ReimbursementMode,
        SceneProblem, SceneTerms, Scenes, TransitionProblem, TransitionRules, VoidPolicy,
    },
};
use billchain_test_support::{Absent, Cast, Seeded, account, blue_bill};
pub use billchain_test_support::{balance, did, fen, key, reason, red};
use core::cell::RefCell;
use frame::{
    deps::sp_runtime::generic,
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};
use std::collections::BTreeMap;

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        BillRegister: pallet_bill_register,
        Totals: pallet_totals,
        BillUpdate: pallet_bill_update,
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
    type Policies = World;
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
    type Grants = World;
    type Policies = World;
    type Contention = World;
    type Time = World;
    type MaxAdjustments = ConstU32<2>;
    type WeightInfo = pallet_bill_update::weights::SubstrateWeight<Test>;
}

pub const HOSPITAL: u8 = 1;
pub const CLINIC: u8 = 2;
/// On the whitelist of every scene, like the next.
pub const INSURER_A: u8 = 3;
pub const INSURER_B: u8 = 4;
/// A user that is on no whitelist.
pub const UNLISTED: u8 = 5;
pub const PLATFORM: u8 = 6;
pub const ADMIN: u8 = 7;
pub const FROZEN: u8 = 8;
pub const CANCELLED: u8 = 9;
pub const STRANGER: u8 = 10;
pub const AUDITOR: u8 = 11;
/// A second administrator.
pub const SECOND_ADMIN: u8 = 12;

/// Claims its bills alone; its bills cannot be voided.
pub const EXCLUSIVE: SceneId = SceneId(1);
/// Shares bills with other scenes; its bills can be voided.
pub const SHARED: SceneId = SceneId(2);
/// Shares bills, too.
pub const SHARED_TOO: SceneId = SceneId(3);
pub const CLOSED: SceneId = SceneId(4);

/// 2026-11-24T00:30:00Z.
pub const NOW: u64 = 1_795_480_200_000;
/// How long a lock lasts.
pub const PERIOD: u64 = 60_000;

/// The other contracts.
pub struct World {
    pub rules: BTreeMap<(Option<BillStatus>, Operation), (RoleSet, Target)>,
    /// What takes the place of these in a scene.
    pub scene_rules: BTreeMap<(SceneId, Option<BillStatus>, Operation), (RoleSet, Target)>,
    pub closed: Vec<SceneId>,
    /// What a scene requires; the others require nothing.
    pub required: Option<(SceneId, SummaryFields)>,
    /// What is said of [`grant`]; there is no other.
    pub grant: Result<(), GrantProblem>,
    /// Uses of it: subject, bill, version, scene.
    pub uses: Vec<(Did, BillKey, u32, SceneId)>,
    /// Policy 7 refuses this operation where all these fields have these
    /// values.
    pub denied: Option<(Guarded, Vec<(Field, Value)>)>,
    pub now: u64,
    /// Claimant that contention keeps out.
    pub beaten: Option<Did>,
    /// Whether it is refused with a contract's error.
    pub beaten_by_contract: bool,
    /// Locks that contention was told of.
    pub won: Vec<(BillKey, Did)>,
}

impl Default for World {
    fn default() -> Self {
        let rules = pallet_permissions::default_rules()
            .into_iter()
            .map(|(key, roles, target)| ((key.from, key.operation), (roles, target)))
            .collect();
        Self {
            rules,
            scene_rules: BTreeMap::new(),
            closed: vec![CLOSED],
            required: None,
            grant: Ok(()),
            uses: Vec::new(),
            denied: None,
            now: NOW,
            beaten: None,
            beaten_by_contract: false,
            won: Vec::new(),
        }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub fn with_world<R>(f: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| f(&mut world.borrow_mut()))
}

pub fn pass(ms: u64) {
    with_world(|world| world.now += ms);
}

impl Cast for World {
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem> {
        let (name, roles): (_, &[Role]) = match seed {
            HOSPITAL => ("hospital", &[Role::Issuer]),
            CLINIC => ("clinic", &[Role::Issuer]),
            INSURER_A => ("insurer-a", &[Role::User]),
            INSURER_B => ("insurer-b", &[Role::User]),
            UNLISTED => ("unlisted", &[Role::User]),
            PLATFORM => ("platform", &[Role::Platform]),
            ADMIN => ("admin", &[Role::Admin]),
            AUDITOR => ("auditor", &[Role::Auditor]),
            SECOND_ADMIN => ("second-admin", &[Role::Admin]),
            FROZEN => return Err(ParticipantProblem::Frozen),
            CANCELLED => return Err(ParticipantProblem::Cancelled),
            _ => return Err(ParticipantProblem::NotFound),
        };
        Ok(ActiveParticipant { did: did(name), roles: RoleSet::of(roles) })
    }
}

impl Scenes for World {
    fn active(scene: SceneId) -> Result<SceneTerms, SceneProblem> {
        if with_world(|world| world.closed.contains(&scene)) {
            return Err(SceneProblem::Inactive);
        }
        let (mode, void) = match scene {
            EXCLUSIVE => (ReimbursementMode::Exclusive, VoidPolicy::Refused),
            SHARED | SHARED_TOO => (ReimbursementMode::Cumulative, VoidPolicy::Allowed),
            // Scenes enough to fill a bill with reimbursements.
            SceneId(100..120) => (ReimbursementMode::Cumulative, VoidPolicy::Refused),
            _ => return Err(SceneProblem::NotFound),
        };
        let access_node = AccessNodePolicy::NotRequired;
        let required =
            with_world(|world| world.required).map_or(SummaryFields::NONE, |(asks, fields)| {
                if asks == scene { fields } else { SummaryFields::NONE }
            });
        Ok(SceneTerms { mode, weight: 1, lock_period_ms: PERIOD, void, access_node, required })
    }
}

impl Grants for World {
    fn use_for_lock(id: &GrantId, usage: GrantUse<'_>) -> Result<(), GrantProblem> {
        let GrantUse { subject, bill, version, scene } = usage;
        with_world(|world| {
            if *id != grant() {
                return Err(GrantProblem::NotFound);
            }
            world.grant?;
            world.uses.push((subject.clone(), bill.key, version, scene));
            Ok(())
        })
    }
}

impl TransitionRules for World {
    fn check(
        from: Option<BillStatus>,
        operation: Operation,
        roles: RoleSet,
        scene: SceneId,
    ) -> Result<Target, TransitionProblem> {
        if from.is_some_and(BillStatus::is_final) {
            return Err(TransitionProblem::FinalStatus);
        }
        let rule = with_world(|world| {
            let own = world.scene_rules.get(&(scene, from, operation));
            own.or_else(|| world.rules.get(&(from, operation))).copied()
        });
        match rule {
            Some((allowed, target)) if allowed.intersects(roles) => Ok(target),
            Some(_) => Err(TransitionProblem::RoleForbidden),
            None => Err(TransitionProblem::IllegalTransition),
        }
    }

    fn is_whitelisted(_: SceneId, user: &Did) -> bool {
        *user == did("insurer-a") || *user == did("insurer-b")
    }
}

impl Policies for World {
    fn evaluate(facts: &BillFacts<'_>) -> Result<(), PolicyRefusal> {
        let denied = with_world(|world| world.denied.clone());
        let refuses = denied.is_some_and(|(operation, values)| {
            operation == facts.operation
                && values.into_iter().all(|(field, value)| facts.get(field) == Some(value))
        });
        if refuses { Err(PolicyRefusal { policy: PolicyId(7), version: 1 }) } else { Ok(()) }
    }

    fn effective(_: PolicyId) -> Result<u32, PolicyProblem> {
        Err(PolicyProblem::NotFound)
    }
}

/// What contention says to a claimant that it keeps out, and to one that
/// signed before the world began.
pub const BEATEN: DispatchError = DispatchError::Other("beaten");
pub const UNTIMELY: DispatchError = DispatchError::Other("untimely");

impl Contention for World {
    fn admit(_: &BillKey, claimant: &Did, signed_at: u64) -> DispatchResult {
        ensure!(signed_at >= NOW, UNTIMELY);
        if with_world(|world| world.beaten.as_ref() != Some(claimant)) {
            return Ok(());
        }
        let by_contract = with_world(|world| world.beaten_by_contract);
        // Any other contract than the one under test.
        let refusal = pallet_bill_register::Error::<Test>::NotIssuer;
        Err(if by_contract { refusal.into() } else { BEATEN })
    }

    fn won(key: &BillKey, claimant: &Did) {
        with_world(|world| world.won.push((*key, claimant.clone())));
    }
}

impl Time for World {
    type Moment = u64;

    fn now() -> u64 {
        with_world(|world| world.now)
    }
}

pub fn lock(scene: SceneId, claim_no: &str) -> StatusChange {
    let claim_no = claim_no.parse().expect("a plain text");
    StatusChange::Lock { scene, claim_no, on_behalf_of: None, grant: None, signed_at: NOW }
}

pub fn grant() -> GrantId {
    GrantId([0x96; 32].into())
}

pub fn lock_with(grant: GrantId, scene: SceneId, claim_no: &str) -> StatusChange {
    let claim_no = claim_no.parse().expect("a plain text");
    let grant = Some(grant);
    StatusChange::Lock { scene, claim_no, on_behalf_of: None, grant, signed_at: NOW }
}

pub fn unlock() -> StatusChange {
    StatusChange::Unlock { reason: reason() }
}

pub fn reimburse(amount: i64) -> StatusChange {
    StatusChange::Reimburse { amount: fen(amount) }
}

pub fn reverse_use() -> StatusChange {
    StatusChange::ReverseUse { reason: reason(), approval: [5; 32] }
}

pub fn admin_lock() -> StatusChange {
    StatusChange::AdminLock { reason: reason(), evidence: [6; 32] }
}

pub fn admin_unlock() -> StatusChange {
    StatusChange::AdminUnlock { reason: reason(), evidence: [6; 32] }
}

pub fn void() -> StatusChange {
    StatusChange::Void { reason: reason() }
}

/// A blue bill over 100.00 yuan.
pub fn bill(number: u32) -> BillSummary {
    blue_bill(number)
}

/// Dispatches as a block does: in its own storage layer.
pub fn send(seed: u8, call: impl Into<RuntimeCall>) -> DispatchResult {
    call.into()
        .dispatch(RuntimeOrigin::signed(account(seed)))
        .map(|_| ())
        .map_err(|refusal| refusal.error)
}

/// Changes bill `number` whatever its version.
pub fn change(seed: u8, number: u32, change: StatusChange) -> DispatchResult {
    let key = key(number);
    send(seed, crate::Call::<Test>::change_status { key, expected_version: None, change })
}

pub fn register(summary: BillSummary) {
    assert_ok!(send(HOSPITAL, pallet_bill_register::Call::<Test>::register { summary }));
}

pub fn stored(number: u32) -> Bill {
    pallet_bill_register::Bills::<Test>::get(key(number)).expect("the bill exists")
}

pub fn status(number: u32) -> BillStatus {
    stored(number).state.status
}

/// Runs `test` in block 1 and checks the ledger's state after it.
pub fn run(test: impl FnOnce()) -> TestState {
    WORLD.with(|world| *world.borrow_mut() = World::default());
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut state = TestState::new(storage.expect("the genesis is sound"));
    state.execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(0);
        test();
        BillRegister::do_try_state().expect("the state is sound");
        Totals::do_try_state().expect("the state is sound");
        BillUpdate::do_try_state().expect("the state is sound");
    });
    state.persist_offchain_overlay();
    state
}

pub fn last_event() -> crate::Event<Test> {
    System::read_events_for_pallet::<crate::Event<Test>>().pop().expect("there is one")
}

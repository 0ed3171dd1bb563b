//! A runtime of this contract alone, hashed with SM3; the other contracts are
//! tables that a test may change.

use crate::{self as pallet_bill_register, FieldRule};
use billchain_primitives::{
    AccountId, BillKey, BillKind, BillStatus, BillSummary, Did, Fen, Header, IssueTime, Operation,
    Role, RoleSet, SceneId, Sm3Hasher, SummaryFields, Target,
    condition::{BillFacts, Guarded},
    seams::{
        AccessNodePolicy, AccessNodes, AccessProblem, ActiveParticipant, AllotmentProblem,
        Allotments, ColdReads, ParticipantProblem, Participants, Policies, PolicyId, PolicyProblem,
        PolicyRefusal, SceneProblem, SceneTerms, Scenes, TransitionProblem, TransitionRules,
    },
};
pub use billchain_test_support::{account, did, key};
use billchain_test_support::{blue_bill, fen, plain_scene, seed_of};
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
    type Participants = World;
    type Scenes = World;
    type AccessNodes = World;
    type Rules = World;
    type Policies = World;
    type Allotments = World;
    type Totals = Totals;
    type Outbox = ();
    type ColdReads = World;
    type Time = World;
    type WeightInfo = pallet_bill_register::weights::SubstrateWeight<Test>;
}

impl pallet_totals::Config for Test {
    type Bills = BillRegister;
}

pub const HOSPITAL: u8 = 1;
pub const INSURER: u8 = 2;
pub const FROZEN: u8 = 3;
pub const CANCELLED: u8 = 4;
pub const ADMIN: u8 = 5;
pub const CLINIC: u8 = 6;
pub const STRANGER: u8 = 9;

pub const OUTPATIENT: SceneId = SceneId(1);
pub const CLOSED: SceneId = SceneId(2);
/// Takes bills from issuers with an access node only.
pub const GUARDED: SceneId = SceneId(3);

/// 2026-11-24T16:30:00Z, which is half past midnight of the 25th in UTC+8.
pub const NOW: u64 = 1_795_537_800_000;

/// The other contracts.
pub struct World {
    pub rules: BTreeMap<(Option<BillStatus>, Operation), (RoleSet, Target)>,
    /// What takes the place of these in a scene.
    pub scene_rules: BTreeMap<(SceneId, Option<BillStatus>, Operation), (RoleSet, Target)>,
    /// What is said of the access nodes of the hospital; others have none.
    pub access: Result<(), AccessProblem>,
    /// What the scenes require of a bill.
    pub required: SummaryFields,
    /// Policies refuse this operation for this total.
    pub denied: Option<(Guarded, Fen)>,
    /// The numbers that the hospital may use; others may use none.
    pub allotted: BTreeMap<BillKey, Result<(), AllotmentProblem>>,
    /// Numbers that were used, in order.
    pub used: Vec<BillKey>,
    pub now: u64,
    /// What was touched before may be cold; 0: nothing is.
    pub cold_before: u64,
    /// When what was read and may be cold was touched, in the order of the reads.
    pub charged: Vec<u64>,
}

impl Default for World {
    fn default() -> Self {
        let issuer = RoleSet::of(&[Role::Issuer]);
        let rule = |from, operation, to| ((from, operation), (issuer, Target::Status(to)));
        Self {
            scene_rules: BTreeMap::new(),
            rules: BTreeMap::from([
                rule(None, Operation::Register, BillStatus::Normal),
                rule(None, Operation::PreIssue, BillStatus::PreIssued),
                rule(Some(BillStatus::PreIssued), Operation::Confirm, BillStatus::Normal),
                rule(Some(BillStatus::PreIssued), Operation::Void, BillStatus::Voided),
                rule(Some(BillStatus::Normal), Operation::Void, BillStatus::Voided),
            ]),
            access: Ok(()),
            required: SummaryFields::NONE,
            denied: None,
            allotted: BTreeMap::new(),
            used: Vec::new(),
            now: NOW,
            cold_before: 0,
            charged: Vec::new(),
        }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub fn with_world<R>(f: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| f(&mut world.borrow_mut()))
}

impl Participants for World {
    fn active_by_account(account: &AccountId) -> Result<ActiveParticipant, ParticipantProblem> {
        let of = |name, role| Ok(ActiveParticipant { did: did(name), roles: RoleSet::of(&[role]) });
        match seed_of(account) {
            HOSPITAL => of("hospital", Role::Issuer),
            INSURER => of("insurer", Role::User),
            ADMIN => of("admin", Role::Admin),
            CLINIC => of("clinic", Role::Issuer),
            FROZEN => Err(ParticipantProblem::Frozen),
            CANCELLED => Err(ParticipantProblem::Cancelled),
            _ => Err(ParticipantProblem::NotFound),
        }
    }

    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem> {
        match did.as_str() {
            "did:bill:frozen" => Err(ParticipantProblem::Frozen),
            "did:bill:nobody" => Err(ParticipantProblem::NotFound),
            _ => Ok(ActiveParticipant { did: did.clone(), roles: RoleSet::EMPTY }),
        }
    }

    fn account_of(_: &Did) -> Option<AccountId> {
        None
    }
}

impl Scenes for World {
    fn active(scene: SceneId) -> Result<SceneTerms, SceneProblem> {
        let access_node = match scene {
            OUTPATIENT => AccessNodePolicy::NotRequired,
            GUARDED => AccessNodePolicy::Required,
            CLOSED => return Err(SceneProblem::Inactive),
            _ => return Err(SceneProblem::NotFound),
        };
        let required = with_world(|world| world.required);
        Ok(SceneTerms { access_node, required, ..plain_scene() })
    }
}

impl AccessNodes for World {
    fn ensure_access(participant: &Did) -> Result<(), AccessProblem> {
        if *participant == did("hospital") {
            with_world(|world| world.access)
        } else {
            Err(AccessProblem::NotLinked)
        }
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

    fn is_whitelisted(_: SceneId, _: &Did) -> bool {
        false
    }
}

/// The policy that refuses where the world has one.
pub const REFUSAL: PolicyRefusal = PolicyRefusal { policy: PolicyId(7), version: 3 };

impl Policies for World {
    fn evaluate(facts: &BillFacts<'_>) -> Result<(), PolicyRefusal> {
        assert_eq!((facts.now, facts.scene()), (NOW, facts.summary.scene));
        assert!(facts.claim.is_none() && [did("hospital"), did("clinic")].contains(facts.operator));
        match with_world(|world| world.denied) {
            Some(denied) if denied == (facts.operation, facts.summary.total) => Err(REFUSAL),
            _ => Ok(()),
        }
    }

    fn effective(_: PolicyId) -> Result<u32, PolicyProblem> {
        Err(PolicyProblem::NotFound)
    }
}

impl Allotments for World {
    fn use_number(issuer: &Did, key: &BillKey) -> Result<(), AllotmentProblem> {
        with_world(|world| {
            let own = world.allotted.get(key).filter(|_| *issuer == did("hospital"));
            own.copied().unwrap_or(Err(AllotmentProblem::NotAllotted))?;
            world.used.push(*key);
            Ok(())
        })
    }
}

impl ColdReads for World {
    fn is_any() -> bool {
        with_world(|world| world.cold_before > 0)
    }

    fn charge(written: u64) {
        with_world(|world| {
            if written < world.cold_before {
                world.charged.push(written);
            }
        });
    }

    fn charge_missing() {}
}

impl Time for World {
    type Moment = u64;

    fn now() -> u64 {
        with_world(|world| world.now)
    }
}

/// A blue bill over 123.45 yuan.
pub fn bill(number: u32) -> BillSummary {
    let issue_time = IssueTime::new(93_000).expect("a real time");
    BillSummary { issue_time, total: fen(12_345), scene: OUTPATIENT, ..blue_bill(number) }
}

/// Sets field rules as the administrators do.
pub fn set_rules(scene: Option<SceneId>, rules: Vec<FieldRule>) -> DispatchResult {
    let rules = rules.try_into().expect("at most 32");
    BillRegister::set_field_rules(RuntimeOrigin::root(), scene, None, rules)
}

pub fn notice(number: u32) -> BillSummary {
    BillSummary { kind: BillKind::PaymentNotice, ..bill(number) }
}

/// Dispatches as a block does: in its own storage layer.
pub fn send(seed: u8, call: crate::Call<Test>) -> DispatchResult {
    RuntimeCall::BillRegister(call)
        .dispatch(RuntimeOrigin::signed(account(seed)))
        .map(|_| ())
        .map_err(|refusal| refusal.error)
}

/// Runs `test` in block 1, extrinsic 2, and checks the pallet's state after it.
pub fn run(test: impl FnOnce()) -> TestState {
    WORLD.with(|world| *world.borrow_mut() = World::default());
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut state = TestState::new(storage.expect("the genesis is sound"));
    state.execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(2);
        test();
        BillRegister::do_try_state().expect("the state is sound");
        Totals::do_try_state().expect("the state is sound");
    });
    state.persist_offchain_overlay();
    state
}

pub fn events() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet::<crate::Event<Test>>()
}

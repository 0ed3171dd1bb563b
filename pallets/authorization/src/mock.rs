//! A runtime of this contract alone, hashed with SM3; the other contracts are
//! tables that a test may change.

use crate::{self as pallet_authorization, Condition, Scope, Terms};
use billchain_primitives::{
    AccountId, Bill, BillKey, BillState, BillStatus, BillSummary, Did, GrantId, Header, Moment,
    Operation, Receipt, Role, RoleSet, SceneId, Sm3Hasher, SummaryFields,
    history::Entry,
    seams::{
        ActiveParticipant, BillLedger, ParticipantProblem, ParticipantStatus, Participants,
        SceneProblem, SceneTerms, Scenes, SummaryProblem,
    },
};
pub use billchain_test_support::{account, date, did, fen, reason};
use billchain_test_support::{blue_bill, key as plain_key, plain_scene, seed_of};
use core::cell::RefCell;
use frame::{
    arithmetic::ArithmeticError,
    deps::sp_runtime::generic,
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};
use std::collections::BTreeMap;

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Authorization: pallet_authorization,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_authorization::Config for Test {
    type Participants = World;
    type Scenes = World;
    type Ledger = World;
    type ColdReads = ();
    type Outbox = ();
    type Time = World;
    type MaxGrants = ConstU32<5>;
    type MaxGrantsPerHolder = ConstU32<3>;
    type MaxRecords = ConstU32<6>;
    type WeightInfo = pallet_authorization::weights::SubstrateWeight<Test>;
}

pub const CLAIMS: SceneId = SceneId(3);
pub const OTHER_CLAIMS: SceneId = SceneId(4);

/// 2026-11-24T00:30:00Z.
pub const NOW: Moment = 1_795_480_200_000;
/// How long a grant of these tests is valid after [`NOW`].
pub const TERM: Moment = 60_000;

/// The other contracts.
pub struct World {
    /// Participants by name: account, status, roles.
    pub participants: BTreeMap<&'static str, (u8, ParticipantStatus, RoleSet)>,
    pub closed: Vec<SceneId>,
    pub now: Moment,
}

impl Default for World {
    fn default() -> Self {
        let active =
            |account, roles: &[Role]| (account, ParticipantStatus::Active, RoleSet::of(roles));
        Self {
            participants: BTreeMap::from([
                ("patient", active(1, &[])),
                ("company", active(2, &[])),
                ("insurer-a", active(3, &[Role::User])),
                ("insurer-b", active(4, &[Role::User])),
                ("platform", active(5, &[Role::Platform])),
                ("platform-too", active(6, &[Role::Platform])),
                ("frozen", (7, ParticipantStatus::Frozen, RoleSet::EMPTY)),
                ("cancelled", (8, ParticipantStatus::Cancelled, RoleSet::EMPTY)),
            ]),
            closed: Vec::new(),
            now: NOW,
        }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub fn with_world<R>(f: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| f(&mut world.borrow_mut()))
}

pub fn set_status(name: &str, status: ParticipantStatus) {
    with_world(|world| world.participants.get_mut(name).expect("it is known").1 = status);
}

pub fn rotate_key(name: &str, account: u8) {
    with_world(|world| world.participants.get_mut(name).expect("it is known").0 = account);
}

pub fn set_now(now: Moment) {
    with_world(|world| world.now = now);
}

fn active(
    found: Option<(Did, ParticipantStatus, RoleSet)>,
) -> Result<ActiveParticipant, ParticipantProblem> {
    match found {
        None => Err(ParticipantProblem::NotFound),
        Some((did, status, roles)) => status.admit().map(|()| ActiveParticipant { did, roles }),
    }
}

fn named(wanted: &Did) -> Option<(u8, ParticipantStatus, RoleSet)> {
    with_world(|world| {
        world.participants.iter().find(|(name, _)| did(name) == *wanted).map(|(_, found)| *found)
    })
}

impl Participants for World {
    fn active_by_account(account: &AccountId) -> Result<ActiveParticipant, ParticipantProblem> {
        let seed = seed_of(account);
        active(with_world(|world| {
            let found = world.participants.iter().find(|(_, (account, ..))| *account == seed);
            found.map(|(name, (_, status, roles))| (did(name), *status, *roles))
        }))
    }

    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem> {
        active(named(did).map(|(_, status, roles)| (did.clone(), status, roles)))
    }

    fn account_of(did: &Did) -> Option<AccountId> {
        named(did).map(|(account, ..)| self::account(account))
    }
}

impl Scenes for World {
    fn active(scene: SceneId) -> Result<SceneTerms, SceneProblem> {
        if with_world(|world| world.closed.contains(&scene)) {
            return Err(SceneProblem::Inactive);
        }
        match scene {
            CLAIMS | OTHER_CLAIMS => Ok(plain_scene()),
            _ => Err(SceneProblem::NotFound),
        }
    }
}

/// Bills 1 to 9 are registered, in version 4; nothing is written.
impl BillLedger for World {
    fn bill(key: &BillKey) -> Option<Bill> {
        let number = (1..10).find(|number| *key == self::key(*number))?;
        let state = BillState {
            status: BillStatus::Normal,
            version: 4,
            version_hash: [0; 32],
            lock: None,
            reimbursements: Default::default(),
            updated: NOW,
        };
        let receipt = Receipt {
            operation: Operation::Register,
            block: 1,
            extrinsic: 1,
            filled_in: SummaryFields::NONE,
        };
        Some(Bill { summary: bill(number), state, receipt })
    }

    fn contains(key: &BillKey) -> bool {
        Self::bill(key).is_some()
    }

    fn open(_: BillSummary, _: BillStatus, _: Entry) -> Result<(), SummaryProblem> {
        Err(SummaryProblem::AlreadyExists)
    }

    fn advance(_: Bill, _: Entry) -> Result<Bill, ArithmeticError> {
        Err(ArithmeticError::Overflow)
    }
}

impl Time for World {
    type Moment = Moment;

    fn now() -> Moment {
        with_world(|world| world.now)
    }
}

pub fn key(number: u32) -> BillKey {
    BillKey { code: "31060126".parse().expect("8 digits"), ..plain_key(number) }
}

/// A bill of the patient over 100.00 yuan.
pub fn bill(number: u32) -> BillSummary {
    BillSummary { key: key(number), issue_date: date(20_261_110), ..blue_bill(number) }
}

/// Id of the grant with credential `number`.
pub fn id(number: u8) -> GrantId {
    GrantId([number; 32].into())
}

/// The patient lets insurer A use bills 1 and 2 for claims, from now on.
pub fn terms(number: u8) -> Terms {
    Terms {
        credential_hash: id(number).0,
        holder: did("patient"),
        subject: did("insurer-a"),
        scope: Scope::Bills(vec![key(1), key(2)].try_into().expect("two")),
        scene: CLAIMS,
        valid_from: NOW,
        valid_until: NOW + TERM,
    }
}

/// Bills of the patient from November 2026, up to 100.00 yuan.
pub fn condition() -> Condition {
    Condition {
        payer_ref: [7; 32].into(),
        issuer: Some(did("hospital")),
        issued_from: date(20_261_101),
        issued_until: date(20_261_130),
        max_total: Some(fen(10_000)),
        bill_scene: Some(SceneId(1)),
    }
}

/// Dispatches as a block does, in its own storage layer, from the account of
/// the participant `name`.
pub fn send(name: &str, call: crate::Call<Test>) -> DispatchResult {
    let seed =
        with_world(|world| world.participants.get(name).map_or(99, |(account, ..)| *account));
    RuntimeCall::Authorization(call)
        .dispatch(RuntimeOrigin::signed(account(seed)))
        .map(|_| ())
        .map_err(|refusal| refusal.error)
}

pub fn register(terms: Terms) -> DispatchResult {
    send("patient", crate::Call::register_grant { terms })
}

/// Runs `test` in block 1, extrinsic 2, and checks the contract's invariants
/// after it.
pub fn run(test: impl FnOnce()) -> TestState {
    WORLD.with(|world| *world.borrow_mut() = World::default());
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut state = TestState::new(storage.expect("the genesis is sound"));
    state.execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(2);
        test();
        Authorization::do_try_state().expect("invariants hold");
    });
    state.persist_offchain_overlay();
    state
}

pub fn last_event() -> crate::Event<Test> {
    System::read_events_for_pallet::<crate::Event<Test>>().pop().expect("there is one")
}

//! A runtime of this contract alone, hashed with SM3; the other contracts are
//! tables.

use crate::{self as pallet_policy, Decision, Format, PolicyStatus, document::Written};
use billchain_primitives::{
    AccountId, Header, Role, RoleSet, SceneId, Sm3Hasher,
    condition::Guarded,
    seams::{
        ActiveParticipant, ParticipantProblem, PolicyId, ReimbursementMode, SceneProblem,
        SceneTerms, Scenes,
    },
};
use billchain_test_support::{Cast, Seeded, plain_scene};
pub use billchain_test_support::{account, did, reason};
use core::cell::Cell;
use frame::{
    deps::sp_runtime::generic,
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};
use serde_json::{Value as Json, json};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Policy: pallet_policy,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

parameter_types! {
    pub Submitters: RoleSet = RoleSet::of(&[Role::Platform, Role::Admin]);
    pub Approvers: RoleSet = RoleSet::of(&[Role::Admin]);
}

impl pallet_policy::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type Participants = Seeded<World>;
    type Scenes = World;
    type Time = World;
    type SubmitterRoles = Submitters;
    type ApproverRoles = Approvers;
    type MinApprovals = ConstU32<2>;
    type MaxPolicies = ConstU32<6>;
    type MaxVersions = ConstU32<4>;
    type MaxPoliciesPerScene = ConstU32<3>;
    type MaxStepsPerScene = ConstU32<20>;
    type MaxPerKeyword = ConstU32<3>;
    type WeightInfo = pallet_policy::weights::SubstrateWeight<Test>;
}

pub const PLATFORM: u8 = 1;
/// The administrators are all numbers from here to [`LAST_ADMIN`].
pub const ADMIN: u8 = 10;
pub const LAST_ADMIN: u8 = 60;
pub const HOSPITAL: u8 = 2;
pub const FROZEN: u8 = 3;
pub const CANCELLED: u8 = 4;
pub const STRANGER: u8 = 9;

pub const CLINIC: SceneId = SceneId(1);
pub const INSURANCE: SceneId = SceneId(2);
pub const CLOSED: SceneId = SceneId(3);

/// 2026-11-24T00:30:00Z.
pub const NOW: u64 = 1_795_480_200_000;

/// The other contracts.
pub struct World;

thread_local! {
    static CLOCK: Cell<u64> = const { Cell::new(NOW) };
}

/// Lets time pass.
pub fn pass(ms: u64) {
    CLOCK.with(|clock| clock.set(clock.get() + ms));
}

impl Time for World {
    type Moment = u64;

    fn now() -> u64 {
        CLOCK.with(Cell::get)
    }
}

impl Cast for World {
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem> {
        let (name, role) = match seed {
            PLATFORM => ("platform".into(), Role::Platform),
            HOSPITAL => ("hospital".into(), Role::Issuer),
            ADMIN..=LAST_ADMIN => (format!("admin-{seed}"), Role::Admin),
            FROZEN => return Err(ParticipantProblem::Frozen),
            CANCELLED => return Err(ParticipantProblem::Cancelled),
            _ => return Err(ParticipantProblem::NotFound),
        };
        Ok(ActiveParticipant { did: did(&name), roles: RoleSet::of(&[role]) })
    }
}

impl Scenes for World {
    fn active(scene: SceneId) -> Result<SceneTerms, SceneProblem> {
        match scene {
            CLINIC | INSURANCE => {
                Ok(SceneTerms { mode: ReimbursementMode::Cumulative, ..plain_scene() })
            }
            CLOSED => Err(SceneProblem::Inactive),
            _ => Err(SceneProblem::NotFound),
        }
    }
}

pub fn signed(seed: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(seed))
}

/// Version `version` of policy `id`: denies registration of totals above
/// 100.00 yuan in the clinic.
pub fn document(id: u16, version: u32) -> Json {
    json!({
        "id": id,
        "version": version,
        "name": format!("限额 {id}"),
        "scenes": [1],
        "operations": ["register"],
        "effect": "deny",
        "conditions": {">": ["total", 10_000]},
    })
}

/// The document with other values for some keys.
pub fn with(mut document: Json, changes: Json) -> Json {
    let changes = changes.as_object().expect("an object").clone();
    document.as_object_mut().expect("an object").extend(changes);
    document
}

pub fn body(document: &Json) -> crate::Body {
    document.to_string().into_bytes().try_into().expect("short enough")
}

pub fn protobuf(document: &Json) -> Vec<u8> {
    let written: Written = serde_json::from_value(document.clone()).expect("a document");
    written.to_bytes(Format::Protobuf)
}

/// Dispatches as a block does: in its own storage layer.
pub fn send(origin: RuntimeOrigin, call: crate::Call<Test>) -> DispatchResult {
    RuntimeCall::Policy(call).dispatch(origin).map(|_| ()).map_err(|refusal| refusal.error)
}

pub fn submit_by(seed: u8, document: &Json) -> DispatchResult {
    send(signed(seed), crate::Call::submit { format: Format::Json, body: body(document) })
}

pub fn submit(document: &Json) -> DispatchResult {
    submit_by(PLATFORM, document)
}

pub fn decide(seed: u8, id: u16, version: u32, decision: Decision) -> DispatchResult {
    let (policy, comment_hash) = (PolicyId(id), [seed; 32]);
    send(signed(seed), crate::Call::submit_approval { policy, version, decision, comment_hash })
}

pub fn approve(seed: u8, id: u16, version: u32) -> DispatchResult {
    decide(seed, id, version, Decision::Approved)
}

pub fn finalize(seed: u8, id: u16, version: u32) -> DispatchResult {
    send(signed(seed), crate::Call::finalize_approval { policy: PolicyId(id), version })
}

pub fn set_status(
    origin: RuntimeOrigin,
    id: u16,
    version: u32,
    status: PolicyStatus,
) -> DispatchResult {
    let (policy, reason) = (PolicyId(id), reason());
    send(origin, crate::Call::set_status { policy, version, status, reason })
}

/// Submits the document and takes it through approval.
pub fn approved(document: &Json) {
    assert_ok!(submit(document));
    let (id, version) = (document["id"].as_u64(), document["version"].as_u64());
    let (id, version) = (id.expect("an id") as u16, version.expect("a version") as u32);
    assert_ok!(approve(ADMIN, id, version));
    assert_ok!(approve(ADMIN + 1, id, version));
    assert_ok!(finalize(PLATFORM, id, version));
}

/// Submits the document, takes it through approval and makes it effective.
pub fn enact(document: &Json) {
    approved(document);
    let (id, version) = (document["id"].as_u64(), document["version"].as_u64());
    let (id, version) = (id.expect("an id") as u16, version.expect("a version") as u32);
    assert_ok!(set_status(signed(ADMIN), id, version, PolicyStatus::Effective));
}

pub fn in_force(scene: SceneId, operation: Guarded) -> Vec<(u16, u32)> {
    crate::InForce::<Test>::get(scene, operation)
        .iter()
        .map(|one| (one.policy.0, one.version))
        .collect()
}

/// Runs `test` in block 1, extrinsic 2, then checks the contract's invariants.
pub fn run(test: impl FnOnce()) -> TestState {
    CLOCK.with(|clock| clock.set(NOW));
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut state = TestState::new(storage.expect("the genesis is sound"));
    state.execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(2);
        test();
        Policy::do_try_state().expect("invariants hold");
    });
    state.persist_offchain_overlay();
    state
}

pub fn events() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet::<crate::Event<Test>>()
}

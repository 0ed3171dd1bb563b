//! A runtime of this pallet alone, hashed with SM3; participants and bills are tables.

use crate::{self as pallet_outbox, SceneFilter, Terms};
use billchain_primitives::{
    AccountId, Bill, BillKey, BillState, BillStatus, BillSummary, Did, Header, Moment, Operation,
    Receipt, Role, RoleSet, SceneId, Sm3Hasher, SummaryFields,
    history::Entry,
    outbox::{ConnectorKind, Fact, Label, Subject, Topic, Topics},
    seams::{
        ActiveParticipant, BillLedger, ExtraWork, Outbox as _, ParticipantProblem, SummaryProblem,
    },
};
use billchain_test_support::{Cast, Seeded, Signer, account, blue_bill, did, key};
use core::cell::Cell;
use frame::{
    arithmetic::ArithmeticError,
    deps::sp_runtime::generic,
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Outbox: pallet_outbox,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_outbox::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type SecurityOrigin = EnsureSignedBy<Signer<SECURITY>, AccountId>;
    type Participants = Seeded<World>;
    type Ledger = World;
    type ExtraWork = World;
    type Time = World;
    type MaxConnectors = ConstU16<18>;
    type WeightInfo = pallet_outbox::weights::SubstrateWeight<Test>;
}

pub const WORKER: u8 = 1;
pub const SECOND: u8 = 2;
pub const STRANGER: u8 = 3;
pub const FROZEN: u8 = 4;
pub const SECURITY: u8 = 5;

/// Bills up to this number are on the chain.
pub const BILLS: u32 = 1_000;

/// The other contracts.
pub struct World;

thread_local! {
    static TIME: Cell<Moment> = const { Cell::new(0) };
    static WORK: Cell<u64> = const { Cell::new(0) };
}

impl Cast for World {
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem> {
        match seed {
            WORKER | SECOND | STRANGER => {
                let roles = RoleSet::of(&[Role::Platform]);
                Ok(ActiveParticipant { did: worker(seed), roles })
            }
            FROZEN => Err(ParticipantProblem::Frozen),
            _ => Err(ParticipantProblem::NotFound),
        }
    }
}

impl BillLedger for World {
    fn bill(key: &BillKey) -> Option<Bill> {
        let number: u32 = key.number.as_str().parse().ok()?;
        let state = BillState {
            status: BillStatus::Normal,
            version: 3,
            version_hash: [3; 32],
            lock: None,
            reimbursements: Default::default(),
            updated: 0,
        };
        let filled_in = SummaryFields::NONE;
        let receipt = Receipt { operation: Operation::Register, block: 1, extrinsic: 1, filled_in };
        (number <= BILLS).then(|| Bill { summary: blue_bill(number), state, receipt })
    }

    fn contains(key: &BillKey) -> bool {
        Self::bill(key).is_some()
    }

    fn open(_: BillSummary, _: BillStatus, _: Entry) -> Result<(), SummaryProblem> {
        Err(SummaryProblem::KindNotAllowed)
    }

    fn advance(bill: Bill, _: Entry) -> Result<Bill, ArithmeticError> {
        Ok(bill)
    }
}

impl ExtraWork for World {
    fn add(weight: Weight) {
        WORK.set(WORK.get() + weight.ref_time());
    }
}

impl Time for World {
    type Moment = Moment;

    fn now() -> Moment {
        TIME.get()
    }
}

/// The DID of a worker.
pub fn worker(seed: u8) -> Did {
    did(&format!("worker-{seed}"))
}

/// Work beside the weights of calls, so far.
pub fn work() -> u64 {
    WORK.get()
}

/// Goes on by one block and so many milliseconds.
pub fn after(ms: Moment) {
    TIME.set(TIME.get() + ms);
    System::set_block_number(System::block_number() + 1);
    System::reset_events();
}

/// Sound terms, by the number of their endpoint: all topics of scene 1.
pub fn terms(number: u32) -> Terms {
    Terms {
        kind: ConnectorKind::OldBillSystem,
        endpoint: Label::new(&format!("old-system-{number}")).expect("a label"),
        topics: Topics::ALL,
        scenes: SceneFilter::Only(vec![SceneId(1)].try_into().expect("one scene")),
        format: Label::new("mof-public-service/1").expect("a label"),
        acknowledgers: vec![worker(WORKER), worker(SECOND)].try_into().expect("two"),
        max_refusals: 2,
        max_waiting: 100,
    }
}

/// A fact about bill `number`, which made its version `version`.
pub fn fact(number: u32, version: u32) -> Fact {
    Fact {
        topic: Topic::BillReimbursed,
        subject: Subject::Bill(key(number)),
        version,
        scene: Some(SceneId(1)),
        claim: None,
        digest: [9; 32],
    }
}

/// As a contract does for a fact of the transaction at hand.
pub fn tell(fact: Fact) {
    Outbox::tell(|| fact);
}

/// Dispatches as a block does: in its own storage layer.
pub fn send(seed: u8, call: crate::Call<Test>) -> DispatchResult {
    dispatch(RuntimeOrigin::signed(account(seed)), call)
}

/// Sends as the council.
pub fn council(call: crate::Call<Test>) -> DispatchResult {
    dispatch(RuntimeOrigin::root(), call)
}

fn dispatch(origin: RuntimeOrigin, call: crate::Call<Test>) -> DispatchResult {
    RuntimeCall::Outbox(call).dispatch(origin).map(|_| ()).map_err(|refusal| refusal.error)
}

pub fn events() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet::<crate::Event<Test>>()
}

/// Runs `test` in block 1 of a chain with these connectors, and checks the pallet's state after.
pub fn run(connectors: Vec<Terms>, test: impl FnOnce()) {
    let outbox = pallet_outbox::GenesisConfig { connectors, ..Default::default() };
    let storage = RuntimeGenesisConfig { system: Default::default(), outbox }
        .build_storage()
        .expect("the genesis is sound");
    TIME.set(1_000_000);
    WORK.set(0);
    TestState::new(storage).execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(1);
        test();
        Outbox::do_try_state().expect("the state is sound");
    });
}

//! A runtime of this contract alone, hashed with SM3; the other contracts are
//! tables that a test may change.

use crate as pallet_allotment;
use billchain_primitives::{
    AccountId, Bill, BillCode, BillKey, BillNumber, BillStatus, BillSummary, Did, Header, Role,
    RoleSet, Sm3Hasher,
    history::Entry,
    seams::{ActiveParticipant, BillLedger, ParticipantProblem, SummaryProblem},
};
use billchain_test_support::{Cast, Seeded};
use core::cell::RefCell;
use frame::{
    arithmetic::ArithmeticError, deps::sp_runtime::generic, testing_prelude::*,
    traits::IdentityLookup,
};
use std::collections::BTreeSet;

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Allotment: pallet_allotment,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_allotment::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type Participants = Seeded<World>;
    type Ledger = World;
    type WeightInfo = pallet_allotment::weights::SubstrateWeight<Test>;
}

pub const HOSPITAL: u8 = 1;
pub const CLINIC: u8 = 2;
pub const ADMIN: u8 = 3;
pub const INSURER: u8 = 4;
pub const FROZEN: u8 = 5;
pub const CANCELLED: u8 = 6;
pub const STRANGER: u8 = 9;

/// The other contracts.
pub struct World;

thread_local! {
    /// The bills on the chain.
    static BILLS: RefCell<BTreeSet<BillKey>> = RefCell::default();
}

impl Cast for World {
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem> {
        let role = match seed {
            HOSPITAL | CLINIC => Role::Issuer,
            ADMIN => Role::Admin,
            INSURER => Role::User,
            FROZEN => return Err(ParticipantProblem::Frozen),
            CANCELLED => return Err(ParticipantProblem::Cancelled),
            _ => return Err(ParticipantProblem::NotFound),
        };
        Ok(ActiveParticipant { did: did(seed), roles: RoleSet::of(&[role]) })
    }

    fn did_of(seed: u8) -> Option<Did> {
        (1..=STRANGER).contains(&seed).then(|| did(seed))
    }
}

impl BillLedger for World {
    fn bill(_: &BillKey) -> Option<Bill> {
        None
    }

    fn contains(key: &BillKey) -> bool {
        BILLS.with_borrow(|bills| bills.contains(key))
    }

    fn open(_: BillSummary, _: BillStatus, _: Entry) -> Result<(), SummaryProblem> {
        Err(SummaryProblem::KindNotAllowed)
    }

    fn advance(bill: Bill, _: Entry) -> Result<Bill, ArithmeticError> {
        Ok(bill)
    }
}

pub fn did(seed: u8) -> Did {
    format!("did:bill:participant-{seed}").parse().expect("test names are plain")
}

pub fn code(text: &str) -> BillCode {
    text.parse().expect("8 digits")
}

pub fn number(value: u64) -> BillNumber {
    format!("{value:010}").parse().expect("10 digits")
}

/// As the ledger does for a bill that it takes.
pub fn register(
    seed: u8,
    of: &str,
    value: u64,
) -> Result<(), billchain_primitives::seams::AllotmentProblem> {
    let key = BillKey { code: code(of), number: number(value) };
    <Allotment as billchain_primitives::seams::Allotments>::use_number(&did(seed), &key)?;
    BILLS.with_borrow_mut(|bills| assert!(bills.insert(key), "no bill is taken twice"));
    Ok(())
}

/// Dispatches as a block does: in its own storage layer.
pub fn send(seed: u8, call: crate::Call<Test>) -> DispatchResult {
    dispatch(RuntimeOrigin::signed(AccountId::new([seed; 32])), call)
}

/// Sends as the council.
pub fn council(call: crate::Call<Test>) -> DispatchResult {
    dispatch(RuntimeOrigin::root(), call)
}

fn dispatch(origin: RuntimeOrigin, call: crate::Call<Test>) -> DispatchResult {
    RuntimeCall::Allotment(call).dispatch(origin).map(|_| ()).map_err(|refusal| refusal.error)
}

/// Runs `test` in block 1 and checks the pallet's state after it.
pub fn run(test: impl FnOnce()) {
    BILLS.with_borrow_mut(BTreeSet::clear);
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut state = TestState::new(storage.expect("the genesis is sound"));
    state.execute_with(|| {
        System::set_block_number(1);
        test();
        Allotment::do_try_state().expect("the state is sound");
    });
}

pub fn events() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet::<crate::Event<Test>>()
}

//! A runtime of this pallet alone, hashed with SM3, over a ledger that a test
//! writes.

use crate as pallet_totals;
use billchain_primitives::{
    AccountId, Bill, BillKey, BillState, BillStatus, BillSummary, Header, Operation, Receipt,
    Sm3Hasher, SummaryFields,
    seams::{Census, Totals as _},
};
use core::cell::RefCell;
use frame::{deps::sp_runtime::generic, testing_prelude::*, traits::IdentityLookup};
use std::collections::{BTreeMap, BTreeSet};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
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

impl pallet_totals::Config for Test {
    type Bills = World;
}

/// The ledger.
pub struct World;

thread_local! {
    static BILLS: RefCell<BTreeMap<BillKey, Bill>> = RefCell::default();
    static COLD: RefCell<BTreeSet<BillKey>> = RefCell::default();
}

impl Census for World {
    fn hot() -> impl Iterator<Item = Bill> {
        let cold = COLD.with_borrow(BTreeSet::clone);
        bills().into_iter().filter(move |bill| !cold.contains(&bill.summary.key))
    }

    fn find(key: &BillKey) -> Option<Bill> {
        BILLS.with_borrow(|bills| bills.get(key).cloned())
    }
}

/// Lets the bill of a number cool: it is found, and no longer gone through.
pub fn cool(key: BillKey) {
    COLD.with_borrow_mut(|cold| cold.insert(key));
}

/// Takes a bill away behind the pallet's back.
pub fn lose(key: BillKey) {
    BILLS.with_borrow_mut(|bills| bills.remove(&key));
}

/// The bills of the ledger.
pub fn bills() -> Vec<Bill> {
    BILLS.with_borrow(|bills| bills.values().cloned().collect())
}

/// A bill as the ledger would hold it.
pub fn bill(summary: BillSummary, status: BillStatus) -> Bill {
    let state = BillState {
        status,
        version: 1,
        version_hash: [1; 32],
        lock: None,
        reimbursements: Default::default(),
        updated: 0,
    };
    let receipt = Receipt {
        operation: Operation::Register,
        block: 1,
        extrinsic: 1,
        filled_in: SummaryFields::NONE,
    };
    Bill { summary, state, receipt }
}

/// Writes a bill as the ledger does.
pub fn write(summary: BillSummary, status: BillStatus) {
    let after = bill(summary, status);
    let before = BILLS.with_borrow_mut(|bills| bills.insert(after.summary.key, after.clone()));
    Totals::changed(before.as_ref(), &after);
}

/// Writes a bill behind the pallet's back.
pub fn write_unsaid(summary: BillSummary, status: BillStatus) {
    let after = bill(summary, status);
    BILLS.with_borrow_mut(|bills| bills.insert(after.summary.key, after));
}

/// Runs `test` over an empty ledger and checks the pallet's state after it.
pub fn run(test: impl FnOnce()) {
    run_without_check(|| {
        test();
        Totals::do_try_state().expect("the state is sound");
    });
}

/// Runs `test` over an empty ledger.
pub fn run_without_check(test: impl FnOnce()) {
    BILLS.with_borrow_mut(BTreeMap::clear);
    COLD.with_borrow_mut(BTreeSet::clear);
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    TestState::new(storage.expect("the genesis is sound")).execute_with(test);
}

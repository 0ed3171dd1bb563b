//! A runtime of this contract alone, hashed with SM3, over a ledger of two
//! bills.

use crate::{self as pallet_bill_verify};
use billchain_primitives::{
    AccountId, Bill, BillKey, BillState, BillStatus, BillSummary, Header, Operation, Receipt,
    RoleSet, Sm3Hasher, SummaryFields,
    history::Entry,
    seams::{ActiveParticipant, BillLedger, ParticipantProblem, SummaryProblem},
};
use billchain_test_support::{Cast, Seeded, blue_bill, fen};
pub use billchain_test_support::{did, key};
use frame::{
    deps::sp_runtime::{ArithmeticError, generic},
    testing_prelude::*,
    traits::{IdentityLookup, Time},
};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        BillVerify: pallet_bill_verify,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_bill_verify::Config for Test {
    type Ledger = World;
    type Participants = Seeded<World>;
    type Time = World;
    type WeightInfo = pallet_bill_verify::weights::SubstrateWeight<Test>;
}

pub const INSURER: u8 = 1;
pub const FROZEN: u8 = 2;
pub const CANCELLED: u8 = 3;
pub const STRANGER: u8 = 4;

/// 2026-11-24T00:30:00Z.
pub const NOW: u64 = 1_795_480_200_000;

/// The other contracts: bill 1 has no PDF hash, bill 2 has one.
pub struct World;

impl BillLedger for World {
    fn bill(key: &BillKey) -> Option<Bill> {
        [(1, [0; 32]), (2, [4; 32])]
            .map(|(number, pdf_hash)| bill(number, pdf_hash))
            .into_iter()
            .find(|bill| bill.summary.key == *key)
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

impl Cast for World {
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem> {
        match seed {
            INSURER => Ok(ActiveParticipant { did: did("insurer"), roles: RoleSet::EMPTY }),
            FROZEN => Err(ParticipantProblem::Frozen),
            CANCELLED => Err(ParticipantProblem::Cancelled),
            _ => Err(ParticipantProblem::NotFound),
        }
    }
}

impl Time for World {
    type Moment = u64;

    fn now() -> u64 {
        NOW
    }
}

fn bill(number: u32, pdf_hash: [u8; 32]) -> Bill {
    Bill {
        summary: BillSummary { total: fen(12_345), pdf_hash, ..blue_bill(number) },
        state: BillState {
            status: BillStatus::Normal,
            version: 1,
            version_hash: [0; 32],
            lock: None,
            reimbursements: Default::default(),
            updated: NOW,
        },
        receipt: Receipt {
            operation: Operation::Register,
            block: 1,
            extrinsic: 1,
            filled_in: SummaryFields::NONE,
        },
    }
}

/// Runs `test` in transaction 3 of block 1 and checks the state after it.
pub fn run(test: impl FnOnce()) -> TestState {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut state = TestState::new(storage.expect("the genesis is sound"));
    state.execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(3);
        test();
        BillVerify::do_try_state().expect("the state is sound");
    });
    state.persist_offchain_overlay();
    state
}

//! The participation pallet. A commit is at its dearest when as many validators as may
//! be have signed, none of them stands as before, and the rest has come late.

use crate::{benchmarks::Config, setup};
use billchain_crypto::sm2::DEFAULT_ID;
use billchain_primitives::{
    AccountId, ConsensusDomain, Hash, LatePrecommit, ParentCommit, Precommit, PublicKey, Statement,
    StatementContext,
};
use billchain_runtime::{Runtime, RuntimeOrigin, System};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use pallet_participation::{Call, Record, Records, Seat, Seats};
use pallet_validators::{MAX_VALIDATORS, PeerIdBytes, Tenure, Tenures, Validator, Validators};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

/// The block that brings the commit.
const BLOCK: u32 = 30;

fn consensus_key(number: u32) -> [u8; 33] {
    match setup::key(number) {
        PublicKey::Sm2(key) => key,
        _ => [0; 33],
    }
}

fn account(number: u32) -> AccountId {
    setup::key(number).account_id()
}

fn hash(height: u32) -> Hash {
    Hash::from_low_u64_be(u64::from(height))
}

fn sign(number: u32, height: u32) -> [u8; 64] {
    let context = StatementContext {
        height: u64::from(height),
        round: Some(0),
        signer: *AsRef::<[u8; 32]>::as_ref(&account(number)),
    };
    let domain = ConsensusDomain::new(System::block_hash(0));
    let bytes =
        domain.statement_bytes(&context, &Statement::Precommit { block: Some(hash(height)) });
    setup::secret(number).sign(DEFAULT_ID, &bytes).to_bytes()
}

/// As many validators as may be vote from now on; `signers` decided the parent, and all
/// have missed blocks.
fn fill(signers: u32) {
    setup::begin();
    System::set_block_number(BLOCK);
    System::set_parent_hash(hash(BLOCK - 1));
    let all = 1..=MAX_VALIDATORS;
    let validator = |number: u32| Validator {
        operator: account(number),
        name: setup::name(number),
        consensus_key: consensus_key(number),
        peer_id: PeerIdBytes::truncate_from([&[0, 36][..], &setup::hash(number)].concat()),
        power: 1,
    };
    Validators::<Runtime>::put(BoundedVec::truncate_from(all.clone().map(validator).collect()));
    for number in all.clone() {
        let (key, operator) = (consensus_key(number), account(number));
        Tenures::<Runtime>::insert(account(number), Tenure { key, operator, from: 0, until: None });
        frame_system::BlockHash::<Runtime>::insert(number % BLOCK, hash(number % BLOCK));
    }
    let seat = |number| Seat {
        validator: account(number),
        key: consensus_key(number),
        power: 1,
        takes_turns: true,
    };
    let mut seats: Vec<Seat> = (1..=signers).map(seat).collect();
    seats.sort_by(|a, b| a.validator.cmp(&b.validator));
    Seats::<Runtime>::put(BoundedVec::truncate_from(seats));
    let record = |number| Record { missed: 100, ..Record::new(account(number)) };
    let mut records: Vec<Record> = all.map(record).collect();
    records.sort_by(|a, b| a.validator.cmp(&b.validator));
    Records::<Runtime>::put(BoundedVec::truncate_from(records));
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn note_commit(
        p: Linear<1, MAX_VALIDATORS>,
        l: Linear<0, MAX_VALIDATORS>,
    ) -> Result<(), BenchmarkError> {
        fill(p);
        let parent = BLOCK - 1;
        let mut precommits: Vec<Precommit> = (1..=p)
            .map(|number| Precommit { signer: account(number), signature: sign(number, parent) })
            .collect();
        precommits.sort_by(|a, b| a.signer.cmp(&b.signer));
        let height = parent - 1;
        let late = |number| LatePrecommit {
            signer: account(number),
            height,
            round: 0,
            signature: sign(number, height),
        };
        let mut late: Vec<LatePrecommit> = (1..=l).map(late).collect();
        late.sort_by(|a, b| a.signer.cmp(&b.signer));
        let commit = ParentCommit {
            round: 0,
            precommits: BoundedVec::truncate_from(precommits),
            late: BoundedVec::truncate_from(late),
        };
        #[extrinsic_call]
        _(RuntimeOrigin::none(), commit);
        assert_eq!(Seats::<Runtime>::get().len(), MAX_VALIDATORS as usize);
        Ok(())
    }
}

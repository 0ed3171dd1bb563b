//! The validators pallet. Its lists are one value each, so a call is at its
//! worst when the list is full.

use crate::{benchmarks::Config, setup};
use billchain_crypto::sm2::DEFAULT_ID;
use billchain_primitives::{
    ConsensusDomain, Equivocation, Hash, PublicKey, SignedStatement, Stamp, Statement,
    StatementContext,
};
use billchain_runtime::{Runtime, RuntimeOrigin, System};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use pallet_validators::{
    Addresses, Call, EquivocationRecord, Equivocations, FormerKeys, Host, MAX_FORMER_KEYS,
    MAX_OBSERVERS, MAX_RECORDS, MAX_REPORTS, MAX_VALIDATORS, NodeAddress, Observer, Observers,
    PeerIdBytes, RECORD_PERIOD_MS, Tenure, Tenures, Validator, Validators,
};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

/// An identity multihash of 36 bytes, as Ed25519 keys have.
fn peer_id(number: u32) -> PeerIdBytes {
    let start = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    BoundedVec::truncate_from([&start[..], &setup::hash(number)].concat())
}

fn consensus_key(number: u32) -> [u8; 33] {
    match setup::key(number) {
        PublicKey::Sm2(key) => key,
        _ => [0; 33],
    }
}

fn validator(number: u32) -> Validator {
    Validator {
        operator: setup::key(number).account_id(),
        name: setup::name(number),
        consensus_key: consensus_key(number),
        peer_id: peer_id(number),
        power: 1,
    }
}

fn observer(number: u32) -> Observer {
    Observer { name: setup::name(number), peer_id: peer_id(1_000 + number) }
}

/// Fills both lists but for `room` places, and the list of former keys.
fn fill(room: u32) {
    setup::begin();
    let validators: Vec<_> = (1..=MAX_VALIDATORS - room).map(validator).collect();
    for one in &validators {
        let account = PublicKey::Sm2(one.consensus_key).account_id();
        let (key, operator) = (one.consensus_key, one.operator.clone());
        Tenures::<Runtime>::insert(account, Tenure { key, operator, from: 0, until: None });
    }
    Validators::<Runtime>::put(BoundedVec::truncate_from(validators));
    let former = (1..=MAX_FORMER_KEYS).map(|number| setup::key(2_000 + number).account_id());
    let former: Vec<_> = former.collect();
    // The first gives way, with a record of its own.
    fill_record(2_001);
    FormerKeys::<Runtime>::put(BoundedVec::truncate_from(former));
    let observers = (1..=MAX_OBSERVERS - room).map(observer).collect();
    Observers::<Runtime>::put(BoundedVec::truncate_from(observers));
}

/// The chain says where this node is reached, at greatest length.
fn reach(peer_id: PeerIdBytes) -> NodeAddress {
    let name = BoundedVec::truncate_from(vec![b'a'; 63]);
    let address = NodeAddress { host: Host::Name(name), port: 30_333 };
    Addresses::<Runtime>::insert(peer_id, address.clone());
    address
}

/// Two votes of the key `number` that exclude each other, at this height.
fn equivocation(number: u32, height: u64) -> Equivocation {
    let offender = setup::key(number).account_id();
    let signer = *AsRef::<[u8; 32]>::as_ref(&offender);
    let context = StatementContext { height, round: Some(0), signer };
    let domain = ConsensusDomain::new(System::block_hash(0));
    let says = |block: u8| {
        let statement = Statement::Precommit { block: Some(Hash::repeat_byte(block)) };
        let bytes = domain.statement_bytes(&context, &statement);
        let signature = setup::secret(number).sign(DEFAULT_ID, &bytes).to_bytes();
        SignedStatement { statement, signature }
    };
    Equivocation::new(offender, height, 0, [says(1), says(2)])
}

/// Fills the record of a key. All of it may give way.
fn fill_record(number: u32) {
    let first = u64::from(number) * 1_000;
    let record = |height| EquivocationRecord {
        equivocation: equivocation(number, height),
        operator: setup::key(number).account_id(),
        at: Stamp { moment: setup::NOW - RECORD_PERIOD_MS, ..Stamp::default() },
    };
    let records = (first..first + u64::from(MAX_RECORDS)).map(record).collect();
    let account = setup::key(number).account_id();
    Equivocations::<Runtime>::insert(account, BoundedVec::truncate_from(records));
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn add_validator() -> Result<(), BenchmarkError> {
        fill(1);
        #[extrinsic_call]
        _(setup::council(), validator(MAX_VALIDATORS));
        assert_eq!(Validators::<Runtime>::get().len(), MAX_VALIDATORS as usize);
        Ok(())
    }

    #[benchmark]
    fn remove_validator() -> Result<(), BenchmarkError> {
        fill(0);
        fill_record(MAX_VALIDATORS);
        let Validator { operator, peer_id, .. } = validator(MAX_VALIDATORS);
        reach(peer_id);
        let last = Equivocations::<Runtime>::get(&operator).pop();
        let cited = last.map(|record| record.equivocation.offence());
        #[extrinsic_call]
        _(setup::council(), operator, cited);
        assert_eq!(Validators::<Runtime>::get().len(), MAX_VALIDATORS as usize - 1);
        Ok(())
    }

    #[benchmark]
    fn rotate_validator_key() -> Result<(), BenchmarkError> {
        fill(0);
        let (operator, key) = (validator(MAX_VALIDATORS).operator, consensus_key(5_000));
        #[extrinsic_call]
        _(setup::council(), operator, key);
        let rotated = Validators::<Runtime>::get().iter().any(|one| one.consensus_key == key);
        assert!(rotated);
        Ok(())
    }

    #[benchmark]
    fn set_power() -> Result<(), BenchmarkError> {
        fill(0);
        let operator = validator(MAX_VALIDATORS).operator;
        #[extrinsic_call]
        _(setup::council(), operator, 2);
        assert_eq!(Validators::<Runtime>::get().last().map(|one| one.power), Some(2));
        Ok(())
    }

    #[benchmark]
    fn set_peer_id() -> Result<(), BenchmarkError> {
        fill(0);
        let Validator { operator, peer_id: old, .. } = validator(MAX_VALIDATORS);
        let (new, address) = (peer_id(5_000), reach(old));
        #[extrinsic_call]
        _(setup::council(), operator, new.clone());
        let renamed = Validators::<Runtime>::get().last().map(|one| one.peer_id.clone());
        assert_eq!(renamed, Some(new.clone()));
        assert_eq!(Addresses::<Runtime>::get(new), Some(address));
        Ok(())
    }

    #[benchmark]
    fn set_address() -> Result<(), BenchmarkError> {
        fill(0);
        let of = observer(MAX_OBSERVERS).peer_id;
        let address = NodeAddress { port: 1, ..reach(of.clone()) };
        #[extrinsic_call]
        _(setup::council(), of.clone(), Some(address.clone()));
        assert_eq!(Addresses::<Runtime>::get(of), Some(address));
        Ok(())
    }

    #[benchmark]
    fn set_operator() -> Result<(), BenchmarkError> {
        fill(0);
        let (operator, new) = (validator(MAX_VALIDATORS).operator, setup::key(5_000).account_id());
        #[extrinsic_call]
        _(setup::council(), operator, new.clone());
        assert_eq!(Validators::<Runtime>::get().last().map(|one| one.operator.clone()), Some(new));
        Ok(())
    }

    #[benchmark]
    fn report_equivocations(e: Linear<1, MAX_REPORTS>) -> Result<(), BenchmarkError> {
        fill(0);
        System::set_block_number(2);
        let reported: Vec<_> = (1..=e).map(|number| equivocation(number, 1)).collect();
        for number in 1..=e {
            fill_record(number);
        }
        let newest = reported[0].offence();
        #[extrinsic_call]
        _(RuntimeOrigin::none(), BoundedVec::truncate_from(reported));
        let records = Equivocations::<Runtime>::get(&newest.offender);
        assert_eq!(records.last().map(|record| record.equivocation.offence()), Some(newest));
        Ok(())
    }

    #[benchmark]
    fn add_observer() -> Result<(), BenchmarkError> {
        fill(1);
        #[extrinsic_call]
        _(setup::council(), observer(MAX_OBSERVERS));
        assert_eq!(Observers::<Runtime>::get().len(), MAX_OBSERVERS as usize);
        Ok(())
    }

    #[benchmark]
    fn remove_observer() -> Result<(), BenchmarkError> {
        fill(0);
        let peer_id = observer(MAX_OBSERVERS).peer_id;
        reach(peer_id.clone());
        #[extrinsic_call]
        _(setup::council(), peer_id.clone());
        assert_eq!(Addresses::<Runtime>::get(peer_id), None);
        assert_eq!(Observers::<Runtime>::get().len(), MAX_OBSERVERS as usize - 1);
        Ok(())
    }
}

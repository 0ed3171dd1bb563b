//! The validators pallet. Its lists are one value each, so a call is at its
//! worst when the list is full.

use crate::{benchmarks::Config, setup};
use billchain_primitives::PublicKey;
use billchain_runtime::Runtime;
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use pallet_validators::{
    Call, MAX_OBSERVERS, MAX_VALIDATORS, Observer, Observers, PeerIdBytes, Validator, Validators,
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

/// Fills both lists but for `room` places.
fn fill(room: u32) {
    setup::begin();
    let validators = (1..=MAX_VALIDATORS - room).map(validator).collect();
    Validators::<Runtime>::put(BoundedVec::truncate_from(validators));
    let observers = (1..=MAX_OBSERVERS - room).map(observer).collect();
    Observers::<Runtime>::put(BoundedVec::truncate_from(observers));
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
        #[extrinsic_call]
        _(setup::council(), validator(MAX_VALIDATORS).operator);
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
        #[extrinsic_call]
        _(setup::council(), observer(MAX_OBSERVERS).peer_id);
        assert_eq!(Observers::<Runtime>::get().len(), MAX_OBSERVERS as usize - 1);
        Ok(())
    }
}

//! The upgrade contract. Its lists are one value each, so a call is at its worst when
//! there are as many validators as may be and all of them have confirmed.

use crate::{benchmarks::Config, setup};
use billchain_primitives::{AccountId, Hash, PublicKey};
use billchain_runtime::{Runtime, RuntimeOrigin, System, Upgrade, VERSION};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::{BoundedVec, traits::Hooks};
use pallet_upgrade::{Call, Plan, Ready, Release, Scheduled};
use pallet_validators::{MAX_VALIDATORS, Validator, Validators};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

const RELEASE: Release = Release { rules: u32::MAX, height: 1_000, manifest: Hash::zero() };

fn operator(number: u32) -> AccountId {
    setup::key(number).account_id()
}

/// As many validators as may be.
pub(super) fn fill() {
    setup::begin();
    System::set_block_number(1);
    let validator = |number| Validator {
        operator: operator(number),
        name: setup::name(number),
        consensus_key: match setup::key(number) {
            PublicKey::Sm2(key) => key,
            _ => [0; 33],
        },
        peer_id: BoundedVec::truncate_from(setup::hash(number).to_vec()),
        power: 1,
    };
    let validators = (1..=MAX_VALIDATORS).map(validator).collect();
    Validators::<Runtime>::put(BoundedVec::truncate_from(validators));
}

/// A release that all operators but the first `missing` have confirmed.
fn schedule(missing: u32) {
    fill();
    let plan = Plan { release: RELEASE, rules: 0, encoding: VERSION.transaction_version };
    Scheduled::<Runtime>::put(plan);
    let mut ready: Vec<_> = (missing + 1..=MAX_VALIDATORS).map(operator).collect();
    ready.sort();
    Ready::<Runtime>::put(BoundedVec::truncate_from(ready));
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn schedule() -> Result<(), BenchmarkError> {
        fill();
        #[extrinsic_call]
        _(setup::council(), RELEASE);
        assert!(Scheduled::<Runtime>::exists());
        Ok(())
    }

    #[benchmark]
    fn cancel() -> Result<(), BenchmarkError> {
        super::schedule(0);
        #[extrinsic_call]
        _(setup::council());
        assert!(!Scheduled::<Runtime>::exists());
        Ok(())
    }

    #[benchmark]
    fn confirm() -> Result<(), BenchmarkError> {
        super::schedule(1);
        let origin = RuntimeOrigin::signed(operator(1));
        #[extrinsic_call]
        _(origin, RELEASE.rules, RELEASE.manifest);
        assert_eq!(Ready::<Runtime>::get().len(), MAX_VALIDATORS as usize);
        Ok(())
    }

    #[benchmark]
    fn withdraw() -> Result<(), BenchmarkError> {
        super::schedule(0);
        let origin = RuntimeOrigin::signed(operator(1));
        #[extrinsic_call]
        _(origin);
        assert_eq!(Ready::<Runtime>::get().len(), MAX_VALIDATORS as usize - 1);
        Ok(())
    }

    #[benchmark]
    fn conclude() -> Result<(), BenchmarkError> {
        super::schedule(0);
        #[block]
        {
            Upgrade::on_initialize(RELEASE.height);
        }
        assert!(!Scheduled::<Runtime>::exists());
        Ok(())
    }
}

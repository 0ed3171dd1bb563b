//! The cooling contract. A walk is at its worst where every group has ten bills that have been
//! claimed as often as may be, and all of them are cold. What the storage does with a group that
//! cools is not measured here: it is weighed by the keys that are deleted and written.

use crate::{benchmarks::Config, setup};
use billchain_primitives::cooling::{CoolingPolicy, SharedBytes};
use billchain_runtime::{Cooling, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::traits::Hooks;
use pallet_bill_register::Bills;
use pallet_cooling::{Call, CurrentLap, Lap, Policy};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

/// Bills of a group.
const BILLS: u32 = 10;

fn policy(groups_per_block: u32) -> CoolingPolicy {
    CoolingPolicy { after_days: 1, groups_per_block, ..CoolingPolicy::default() }
}

/// So many groups of cold bills, with a lap that comes to the first of them next.
fn fill(groups: u32) {
    setup::begin();
    let key = setup::claimed_bill(0, &setup::issuer(1), setup::scene());
    let mut bill = Bills::<Runtime>::get(key).expect("the bill was just made; qed");
    bill.state.updated = 0;
    for number in 0..groups * BILLS {
        bill.summary.key = setup::bill_key(number);
        Bills::<Runtime>::insert(bill.summary.key, &bill);
    }
    // Prefix of the map, and the code before that of these bills, which no bill has.
    let first = Bills::<Runtime>::hashed_key_for(key);
    let mut before = first[..40].to_vec();
    if let Some(last) = before.last_mut() {
        *last -= 1;
    }
    let at = Some(SharedBytes::truncate_from(before));
    CurrentLap::<Runtime>::put(Lap { number: 1, began: setup::NOW, at, seen: 0, cold: 0 });
    Policy::<Runtime>::put(policy(groups));
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_policy() -> Result<(), BenchmarkError> {
        setup::begin();
        Policy::<Runtime>::put(policy(1));
        #[extrinsic_call]
        _(setup::council(), policy(2));
        assert_eq!(Cooling::policy(), policy(2));
        Ok(())
    }

    #[benchmark]
    fn walk(g: Linear<1, 500>) -> Result<(), BenchmarkError> {
        fill(g);
        #[block]
        {
            Cooling::on_initialize(1);
        }
        let ordered = Cooling::orders().map_or(0, |orders| orders.groups.len());
        assert_eq!(ordered, g as usize);
        Ok(())
    }
}

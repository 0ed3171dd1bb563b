//! Anchors of logs of access. The call is at its worst when there are as many validators as
//! may be, and the operator has as many anchors as are kept.

use crate::{benchmarks::Config, setup};
use billchain_primitives::Hash;
use billchain_runtime::{Runtime, RuntimeOrigin, Timestamp};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use pallet_access_log::{Anchor, Anchors, Call, DAY_MS, MAX_ANCHORS};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn anchor() -> Result<(), BenchmarkError> {
        super::super::upgrade::fill();
        let operator = setup::key(1).account_id();
        let of = |day| Anchor { day, number: 1, hash: Hash::zero() };
        let anchors = (0..MAX_ANCHORS).map(of).collect();
        Anchors::<Runtime>::insert(&operator, BoundedVec::<_, _>::truncate_from(anchors));
        Timestamp::set_timestamp(u64::from(MAX_ANCHORS) * DAY_MS);
        let origin = RuntimeOrigin::signed(operator.clone());
        #[extrinsic_call]
        _(origin, u64::MAX, Hash::repeat_byte(7));
        assert_eq!(Anchors::<Runtime>::get(operator)[0].day, 1);
        Ok(())
    }
}

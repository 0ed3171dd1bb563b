//! The allotment contract: an issuer and a code with as many ranges as may be.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{BillCode, Role};
use billchain_runtime::{Allotment, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use pallet_allotment::{
    Call, MAX_RANGES_OF_CODE, MAX_VOIDED_AMONG_USED, RangesOfCode, Span, number_of,
};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

/// Most numbers that a call of `void` looks up.
const MOST_LOOKED_UP: u32 = MAX_VOIDED_AMONG_USED as u32;

struct World {
    admin: Member,
    issuer: Member,
    code: BillCode,
}

impl World {
    /// An issuer with a full holding, but for one range.
    fn new() -> Self {
        setup::begin();
        let (admin, issuer) = (setup::member(1, &[Role::Admin]), setup::issuer(2));
        let code = setup::bill_key(0).code;
        setup::allot(&issuer, 1);
        // All other ranges of the code are of others, behind the issuer's.
        let own = RangesOfCode::<Runtime>::get(code).into_inner();
        let others = (own.len() as u64..u64::from(MAX_RANGES_OF_CODE) - 1)
            .map(|at| 5_000_000_000 + at * 10)
            .filter_map(|first| Span::new(first, first + 1));
        let all = own.into_iter().chain(others).collect();
        RangesOfCode::<Runtime>::insert(code, BoundedVec::truncate_from(all));
        Self { admin, issuer, code }
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    // The last for which issuer and code have room.
    #[benchmark]
    fn allot() -> Result<(), BenchmarkError> {
        let World { admin, issuer, code } = World::new();
        let (first, last) = (number_of(4_000_000_000), number_of(4_000_000_999));
        #[extrinsic_call]
        _(setup::signed(&admin), issuer.did.clone(), code, first, last);
        let owner = Allotment::owner(&code, &last).map(|(owner, _)| owner);
        assert_eq!(owner, Some(issuer.did));
        Ok(())
    }

    #[benchmark]
    fn give_back() -> Result<(), BenchmarkError> {
        let World { admin, issuer, code } = World::new();
        let first = number_of(0);
        #[extrinsic_call]
        _(setup::signed(&admin), issuer.did, code, first);
        assert_eq!(Allotment::owner(&code, &first), None);
        Ok(())
    }

    // Below the highest used number, so that each is looked up.
    #[benchmark]
    fn void(n: Linear<1, MOST_LOOKED_UP>) -> Result<(), BenchmarkError> {
        let World { admin, issuer, code } = World::new();
        setup::use_number(&issuer, 1_000);
        let (first, last) = (number_of(1), number_of(n.into()));
        #[extrinsic_call]
        _(setup::signed(&admin), issuer.did.clone(), code, first, last, setup::reason());
        let range = Allotment::owner(&code, &first).map(|(_, range)| range);
        assert!(range.is_some_and(|range| range.is_voided(1)));
        Ok(())
    }
}

//! The bill-verify contract.

use crate::{benchmarks::Config, setup};
use billchain_primitives::{BillStatus, Role};
use billchain_runtime::Runtime;
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_bill_verify::{Call, Observation, Reports};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn report_mismatch() -> Result<(), BenchmarkError> {
        setup::begin();
        let (issuer, scene) = (setup::issuer(1), setup::scene());
        let key = setup::bill(1, &issuer, scene, BillStatus::Normal);
        let reporter = setup::member(2, &[Role::User]);
        #[extrinsic_call]
        _(setup::signed(&reporter), key, Observation::XmlHash(setup::hash(9)));
        assert_eq!(Reports::<Runtime>::get(key), 1);
        Ok(())
    }
}

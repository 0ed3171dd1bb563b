//! The bill-register contract: an issuer with as many access nodes as may be,
//! in a scene with as many policies and steps as may be.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{BillKind, BillStatus, SceneId, rule::Guarded};
use billchain_runtime::Runtime;
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_bill_register::{Batch, BatchMode, Bills, Call, MAX_BATCH};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

fn world() -> (Member, SceneId) {
    setup::begin();
    let (issuer, scene) = (setup::issuer(1), setup::scene());
    for operation in [Guarded::Register, Guarded::PreIssue] {
        setup::policies(scene, operation);
    }
    (issuer, scene)
}

fn status(number: u32) -> Option<BillStatus> {
    Bills::<Runtime>::get(setup::bill_key(number)).map(|bill| bill.state.status)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let summary = setup::summary(1, &issuer, scene);
        #[extrinsic_call]
        _(setup::signed(&issuer), summary);
        assert_eq!(status(1), Some(BillStatus::Normal));
        Ok(())
    }

    #[benchmark]
    fn register_batch(n: Linear<1, MAX_BATCH>) -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let bills = (1..=n).map(|number| setup::summary(number, &issuer, scene)).collect();
        #[extrinsic_call]
        _(setup::signed(&issuer), Batch::truncate_from(bills), BatchMode::PerItem);
        assert_eq!((status(1), status(n)), (Some(BillStatus::Normal), Some(BillStatus::Normal)));
        Ok(())
    }

    #[benchmark]
    fn pre_issue() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let mut notice = setup::summary(1, &issuer, scene);
        notice.kind = BillKind::PaymentNotice;
        #[extrinsic_call]
        _(setup::signed(&issuer), notice);
        assert_eq!(status(1), Some(BillStatus::PreIssued));
        Ok(())
    }

    #[benchmark]
    fn confirm() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let key = setup::bill(1, &issuer, scene, BillStatus::PreIssued);
        #[extrinsic_call]
        _(setup::signed(&issuer), key);
        assert_eq!(status(1), Some(BillStatus::Normal));
        Ok(())
    }

    #[benchmark]
    fn void() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let key = setup::bill(1, &issuer, scene, BillStatus::PreIssued);
        #[extrinsic_call]
        _(setup::signed(&issuer), key, setup::reason());
        assert_eq!(status(1), Some(BillStatus::Voided));
        Ok(())
    }
}

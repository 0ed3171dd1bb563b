//! The dispute contract, and what contention costs before and after a lock.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{BillKey, BillStatus, Did, Hash, Role};
use billchain_runtime::{Dispute, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::{
    BoundedVec,
    traits::{Get, Hooks},
};
use pallet_bill_register::Bills;
use pallet_dispute::{Call, CaseId, Cases, Contests, LockRequest, OpenCases, Outcome};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

/// Most parties of a case.
const MOST_PARTIES: u32 = 16;
/// Locks of one transaction that are measured; what one costs does not depend
/// on their number.
const LOCKS: u32 = 32;

struct World {
    admin: Member,
    bill: BillKey,
}

impl World {
    /// A bill whose lock is over but not released.
    fn new() -> Self {
        setup::begin();
        let (admin, issuer) = (setup::member(1, &[Role::Admin]), setup::issuer(2));
        let scene = setup::scene();
        let bill = setup::claimed_bill(1, &issuer, scene);
        setup::lock(bill, &admin, scene, setup::NOW - 1);
        Self { admin, bill }
    }

    /// Opens a case with as many parties as one may have.
    fn case(&self) -> CaseId {
        let (reason, evidence) = (setup::reason(), setup::hash(1));
        let parties = parties(MOST_PARTIES);
        Dispute::open_case(setup::signed(&self.admin), self.bill, parties, reason, evidence)
            .expect("no case is open; qed");
        1
    }
}

fn parties(count: u32) -> BoundedVec<Did, <Runtime as pallet_dispute::Config>::MaxParties> {
    let members = (0..count).map(|number| setup::member(100 + number, &[Role::User]).did);
    BoundedVec::truncate_from(members.collect())
}

fn acts(case: CaseId) -> Option<u32> {
    Cases::<Runtime>::get(case).map(|case| case.acts)
}

fn status(key: BillKey) -> Option<BillStatus> {
    Bills::<Runtime>::get(key).map(|bill| bill.state.status)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    // Each lock is the last for which its contest has room, and resolves it.
    #[benchmark]
    fn announce(n: Linear<1, LOCKS>) -> Result<(), BenchmarkError> {
        setup::begin();
        let (platform, scene) = (setup::member(1, &[Role::Platform]), setup::scene());
        let requests: Vec<LockRequest> = (1..=n)
            .map(|number| {
                let user = setup::member(100 + number, &[Role::User]).did;
                let key = setup::bill_key(number);
                setup::contest(key, Some(&user));
                LockRequest { key, scene, on_behalf_of: Some(user), signed_at: setup::NOW }
            })
            .collect();
        let announced;
        #[block]
        {
            announced = Dispute::announce(&platform.account, Hash::repeat_byte(0xff), requests);
            Dispute::on_finalize(1);
        }
        assert!(announced.is_ok());
        assert_eq!(Contests::<Runtime>::iter_keys().count(), 0);
        Ok(())
    }

    #[benchmark]
    fn open_case(n: Linear<1, MOST_PARTIES>) -> Result<(), BenchmarkError> {
        let most: u32 = <Runtime as pallet_dispute::Config>::MaxParties::get();
        assert_eq!(most, MOST_PARTIES, "the longest list is measured");
        let World { admin, bill } = World::new();
        let parties = BoundedVec::truncate_from(parties(n).into_inner());
        #[extrinsic_call]
        _(setup::signed(&admin), bill, parties, setup::reason(), setup::hash(1));
        assert!(OpenCases::<Runtime>::contains_key(bill));
        Ok(())
    }

    #[benchmark]
    fn close_case() -> Result<(), BenchmarkError> {
        let world = World::new();
        let case = world.case();
        let outcome = Outcome::InFavourOf(setup::did("member", 100 + MOST_PARTIES - 1));
        #[extrinsic_call]
        _(setup::signed(&world.admin), case, outcome, setup::reason(), setup::hash(2));
        assert!(!OpenCases::<Runtime>::contains_key(world.bill));
        Ok(())
    }

    #[benchmark]
    fn admin_lock() -> Result<(), BenchmarkError> {
        let world = World::new();
        let case = world.case();
        #[extrinsic_call]
        _(setup::signed(&world.admin), case, setup::reason(), setup::hash(2));
        assert_eq!((status(world.bill), acts(case)), (Some(BillStatus::Locked), Some(2)));
        Ok(())
    }

    #[benchmark]
    fn admin_unlock() -> Result<(), BenchmarkError> {
        let world = World::new();
        let case = world.case();
        Dispute::admin_lock(setup::signed(&world.admin), case, setup::reason(), setup::hash(2))?;
        #[extrinsic_call]
        _(setup::signed(&world.admin), case, setup::reason(), setup::hash(3));
        let expected = (Some(BillStatus::PartlyReimbursed), Some(3));
        assert_eq!((status(world.bill), acts(case)), expected);
        Ok(())
    }
}

//! The authorization contract: grants for as many bills as one may be for.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{BillKey, BillStatus, GrantId, Hash, SceneId};
use billchain_runtime::{Authorization, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_authorization::{Call, GrantStatus, GrantsById, MAX_GRANT_BILLS};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

struct World {
    holder: Member,
    subject: Member,
    scene: SceneId,
    bill: BillKey,
}

impl World {
    fn new() -> Self {
        setup::begin();
        let (issuer, scene) = (setup::issuer(1), setup::scene());
        let bill = setup::bill(1, &issuer, scene, BillStatus::Normal);
        let (holder, subject) = (setup::member(2, &setup::ROLES), setup::member(3, &setup::ROLES));
        Self { holder, subject, scene, bill }
    }

    fn grant(&self, status: GrantStatus) -> GrantId {
        setup::grant(&self.holder, &self.subject, self.scene, self.bill, status)
    }
}

fn status(grant: &GrantId) -> Option<GrantStatus> {
    Authorization::grant(grant).map(|grant| grant.status)
}

fn records(grant: &GrantId) -> Option<u32> {
    Authorization::grant(grant).map(|grant| grant.version)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register_grant(n: Linear<0, MAX_GRANT_BILLS>) -> Result<(), BenchmarkError> {
        let World { holder, subject, scene, bill } = World::new();
        // None is a condition, which costs as much as one bill.
        let terms = setup::terms(1, &holder, &subject, scene, bill, n.max(1));
        let grant = GrantId(terms.credential_hash);
        #[extrinsic_call]
        _(setup::signed(&holder), terms);
        assert!(GrantsById::<Runtime>::contains_key(grant));
        Ok(())
    }

    #[benchmark]
    fn revoke() -> Result<(), BenchmarkError> {
        let world = World::new();
        let grant = world.grant(GrantStatus::Active);
        #[extrinsic_call]
        _(setup::signed(&world.holder), grant, setup::reason());
        assert_eq!(status(&grant), Some(GrantStatus::Revoked));
        Ok(())
    }

    #[benchmark]
    fn freeze() -> Result<(), BenchmarkError> {
        let world = World::new();
        let grant = world.grant(GrantStatus::Active);
        #[extrinsic_call]
        _(setup::signed(&world.holder), grant, setup::reason());
        assert_eq!(status(&grant), Some(GrantStatus::Frozen));
        Ok(())
    }

    #[benchmark]
    fn activate() -> Result<(), BenchmarkError> {
        let world = World::new();
        let grant = world.grant(GrantStatus::Frozen);
        #[extrinsic_call]
        _(setup::signed(&world.holder), grant, setup::reason());
        assert_eq!(status(&grant), Some(GrantStatus::Active));
        Ok(())
    }

    #[benchmark]
    fn record_use() -> Result<(), BenchmarkError> {
        let world = World::new();
        let grant = world.grant(GrantStatus::Active);
        #[extrinsic_call]
        _(setup::signed(&world.subject), grant, world.bill);
        assert_eq!(records(&grant), Some(2));
        Ok(())
    }

    #[benchmark]
    fn record_transfer() -> Result<(), BenchmarkError> {
        let world = World::new();
        let grant = world.grant(GrantStatus::Active);
        #[extrinsic_call]
        _(setup::signed(&world.subject), grant, Hash::from(setup::hash(7)));
        assert_eq!(records(&grant), Some(2));
        Ok(())
    }
}

//! The bill-update contract. Of all changes of a status a platform's lock is
//! the longest: an expired lock is released first, claimant, whitelist and
//! contest are looked up, and every policy is asked.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{
    BillKey, BillKind, BillStatus, Elements, Fen, GrantId, Hash, Role, SceneId, ThreeCodes,
    condition::Guarded,
};
use billchain_runtime::{BillUpdate, Permissions, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_authorization::GrantStatus;
use pallet_bill_register::Bills;
use pallet_bill_update::{Adjustments, Call, StatusChange};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

struct World {
    issuer: Member,
    platform: Member,
    user: Member,
    scene: SceneId,
}

impl World {
    fn new() -> Self {
        setup::begin();
        let (issuer, scene) = (setup::issuer(1), setup::scene());
        let platform = setup::member(2, &[Role::Platform]);
        let user = setup::member(3, &setup::ROLES);
        setup::policies(scene, Guarded::Lock);
        Self { issuer, platform, user, scene }
    }

    /// A bill that was claimed as often as leaves room for one more claim, and
    /// whose lock is over but not released; others contend for it.
    fn contested_bill(&self) -> BillKey {
        let key = setup::claimed_bill(1, &self.issuer, self.scene);
        setup::lock(key, &self.user, self.scene, setup::NOW - 1);
        setup::contest(key, None);
        key
    }

    fn lock_for_user(&self, grant: Option<GrantId>) -> StatusChange {
        StatusChange::Lock {
            scene: self.scene,
            claim_no: setup::claim_no(),
            on_behalf_of: Some(self.user.did.clone()),
            grant,
            signed_at: setup::NOW,
        }
    }

    /// What an administrator says of [`Self::contested_bill`].
    fn elements(&self) -> Elements {
        let summary = setup::summary(1, &self.issuer, self.scene);
        let codes = ThreeCodes { key: summary.key, check_code: summary.check_code };
        Elements { codes, issue_date: summary.issue_date, total: summary.total }
    }

    /// An adjustment of [`Self::contested_bill`] that waits.
    fn adjustment(&self) -> Result<(BillKey, Hash), BenchmarkError> {
        let key = self.contested_bill();
        let proposer = setup::signed(&setup::member(5, &[Role::Admin]));
        let (elements, to) = (self.elements(), BillStatus::Normal);
        let (reason, evidence) = (setup::reason(), setup::hash(4));
        BillUpdate::propose_adjustment(proposer, elements, None, to, reason, evidence)?;
        let proposal = BillUpdate::adjustment(&key).map(|adjustment| adjustment.hash());
        Ok((key, proposal.expect("the adjustment was just proposed; qed")))
    }
}

fn status(key: BillKey) -> Option<BillStatus> {
    Bills::<Runtime>::get(key).map(|bill| bill.state.status)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn change_status() -> Result<(), BenchmarkError> {
        let world = World::new();
        let key = world.contested_bill();
        Permissions::set_whitelist(setup::council(), world.scene, world.user.did.clone())?;
        #[extrinsic_call]
        _(setup::signed(&world.platform), key, None, world.lock_for_user(None));
        let holder = BillUpdate::lock_in_force(&key).map(|lock| lock.holder);
        assert_eq!(holder, Some(world.user.did));
        Ok(())
    }

    #[benchmark]
    fn lock_with_grant() -> Result<(), BenchmarkError> {
        let world = World::new();
        let key = world.contested_bill();
        let holder = setup::member(4, &[Role::User]);
        let grant = setup::grant(&holder, &world.user, world.scene, key, GrantStatus::Active);
        #[extrinsic_call]
        change_status(setup::signed(&world.platform), key, None, world.lock_for_user(Some(grant)));
        assert_eq!(status(key), Some(BillStatus::Locked));
        Ok(())
    }

    // The three bills count in hundreds and ten thousands of their own.
    #[benchmark]
    fn red_reverse() -> Result<(), BenchmarkError> {
        let World { issuer, user, scene, .. } = World::new();
        setup::fill_field_rules(scene);
        setup::allot(&issuer, 0);
        let key = setup::bill(1, &issuer, scene, BillStatus::Normal);
        setup::lock(key, &user, scene, setup::NOW - 1);
        let blue = setup::summary(1, &issuer, scene);
        let mut red = setup::summary(setup::apart(1), &issuer, scene);
        (red.kind, red.total, red.related) = (BillKind::Red, blue.total.negated(), Some(key));
        let mut balance = setup::summary(setup::apart(2), &issuer, scene);
        (balance.total, balance.related) = (Fen::ZERO, Some(key));
        #[extrinsic_call]
        _(setup::signed(&issuer), key, None, red, Some(balance), setup::reason());
        assert_eq!(status(key), Some(BillStatus::RedReversed));
        Ok(())
    }

    #[benchmark]
    fn update_summary() -> Result<(), BenchmarkError> {
        let World { issuer, scene, .. } = World::new();
        let key = setup::claimed_bill(1, &issuer, scene);
        let (pdf, location) = (Some(setup::hash(7)), Some(setup::hash(8)));
        #[extrinsic_call]
        _(setup::signed(&issuer), key, None, pdf, location);
        let filled = Bills::<Runtime>::get(key).map(|bill| bill.summary.location_hash);
        assert_eq!(filled, location);
        Ok(())
    }

    #[benchmark]
    fn propose_adjustment() -> Result<(), BenchmarkError> {
        let world = World::new();
        let (key, elements) = (world.contested_bill(), world.elements());
        let proposer = setup::signed(&setup::member(5, &[Role::Admin]));
        let (to, reason, evidence) = (BillStatus::Normal, setup::reason(), setup::hash(4));
        #[extrinsic_call]
        _(proposer, elements, None, to, reason, evidence);
        assert!(Adjustments::<Runtime>::contains_key(key));
        Ok(())
    }

    // The bill's lock is over and is released first, which is a version more.
    #[benchmark]
    fn approve_adjustment() -> Result<(), BenchmarkError> {
        let (key, proposal) = World::new().adjustment()?;
        let approver = setup::signed(&setup::member(6, &[Role::Admin]));
        #[extrinsic_call]
        _(approver, key, proposal);
        assert_eq!(status(key), Some(BillStatus::Normal));
        Ok(())
    }

    #[benchmark]
    fn withdraw_adjustment() -> Result<(), BenchmarkError> {
        let (key, proposal) = World::new().adjustment()?;
        let administrator = setup::signed(&setup::member(6, &[Role::Admin]));
        #[extrinsic_call]
        _(administrator, key, proposal, setup::reason());
        assert!(!Adjustments::<Runtime>::contains_key(key));
        Ok(())
    }
}

//! The permissions contract.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{
    AdminRole, BillStatus, Operation, Role, RoleSet, Target, seams::TransitionRules,
};
use billchain_runtime::{Permissions, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_permissions::{Call, Rules, TransitionRuleKey};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

const KEY: TransitionRuleKey =
    TransitionRuleKey::general(Some(BillStatus::Normal), Operation::RedReverse);

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_transition_rule() -> Result<(), BenchmarkError> {
        setup::begin();
        let key = KEY.in_scene(setup::scene());
        #[extrinsic_call]
        _(setup::council(), key, RoleSet::ALL, Target::Named);
        let rule = Rules::<Runtime>::get(key).map(|rule| rule.target);
        assert_eq!(rule, Some(Target::Named));
        Ok(())
    }

    #[benchmark]
    fn remove_transition_rule() -> Result<(), BenchmarkError> {
        setup::begin();
        #[extrinsic_call]
        _(setup::council(), KEY);
        assert!(!Rules::<Runtime>::contains_key(KEY));
        Ok(())
    }

    #[benchmark]
    fn set_admin() -> Result<(), BenchmarkError> {
        setup::begin();
        let Member { did, account } = setup::member(1, &[Role::User]);
        #[extrinsic_call]
        _(setup::council(), did, AdminRole::Auditor);
        assert_eq!(Permissions::admin_role(&account), Some(AdminRole::Auditor));
        Ok(())
    }

    #[benchmark]
    fn remove_admin() -> Result<(), BenchmarkError> {
        setup::begin();
        let Member { did, account } = setup::administrator(1, AdminRole::Auditor);
        #[extrinsic_call]
        _(setup::council(), did);
        assert_eq!(Permissions::admin_role(&account), None);
        Ok(())
    }

    #[benchmark]
    fn set_whitelist() -> Result<(), BenchmarkError> {
        setup::begin();
        let (did, scene) = (setup::member(1, &[Role::User]).did, setup::scene());
        #[extrinsic_call]
        _(setup::council(), scene, did.clone());
        assert!(Permissions::is_whitelisted(scene, &did));
        Ok(())
    }

    #[benchmark]
    fn remove_whitelist() -> Result<(), BenchmarkError> {
        setup::begin();
        let (did, scene) = (setup::member(1, &[Role::User]).did, setup::scene());
        Permissions::set_whitelist(setup::council(), scene, did.clone())?;
        #[extrinsic_call]
        _(setup::council(), scene, did.clone());
        assert!(!Permissions::is_whitelisted(scene, &did));
        Ok(())
    }
}

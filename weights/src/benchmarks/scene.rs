//! The scene contract.

use crate::{benchmarks::Config, setup};
use billchain_primitives::{
    SceneId,
    traits::{AccessNodePolicy, ReimbursementMode, SceneRules, VoidPolicy},
};
use billchain_runtime::Runtime;
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_scene::{Call, SceneStatus, Scenes};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

const RULES: SceneRules = SceneRules {
    mode: ReimbursementMode::Exclusive,
    weight: 7,
    lock_period_ms: 1,
    void: VoidPolicy::Refused,
    access_node: AccessNodePolicy::NotRequired,
};

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        setup::begin();
        let scene = SceneId(u16::MAX);
        #[extrinsic_call]
        _(setup::council(), scene, setup::name(1), RULES);
        assert!(Scenes::<Runtime>::contains_key(scene));
        Ok(())
    }

    #[benchmark]
    fn configure() -> Result<(), BenchmarkError> {
        setup::begin();
        let scene = setup::scene();
        #[extrinsic_call]
        _(setup::council(), scene, RULES);
        assert_eq!(Scenes::<Runtime>::get(scene).map(|found| found.rules), Some(RULES));
        Ok(())
    }

    #[benchmark]
    fn set_weight() -> Result<(), BenchmarkError> {
        setup::begin();
        let scene = setup::scene();
        #[extrinsic_call]
        _(setup::council(), scene, 9);
        assert_eq!(Scenes::<Runtime>::get(scene).map(|found| found.rules.weight), Some(9));
        Ok(())
    }

    #[benchmark]
    fn set_status() -> Result<(), BenchmarkError> {
        setup::begin();
        let scene = setup::scene();
        #[extrinsic_call]
        _(setup::council(), scene, SceneStatus::Disabled);
        let status = Scenes::<Runtime>::get(scene).map(|found| found.status);
        assert_eq!(status, Some(SceneStatus::Disabled));
        Ok(())
    }
}

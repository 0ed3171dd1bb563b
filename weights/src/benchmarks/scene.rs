//! The scene contract: proposals of system administrators, about scenes with
//! the longest texts.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{
    AdminRole, SceneId, SummaryFields,
    seams::{AccessNodePolicy, ReimbursementMode, SceneTerms, VoidPolicy},
};
use billchain_runtime::{Runtime, Scene};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_scene::{
    Call, Decision, ProposalId, Proposals, SceneChange, SceneStatus, Scenes, Trails,
};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

const RULES: SceneTerms = SceneTerms {
    mode: ReimbursementMode::Exclusive,
    weight: 7,
    lock_period_ms: 1,
    void: VoidPolicy::Refused,
    access_node: AccessNodePolicy::NotRequired,
    required: SummaryFields::NONE,
};
/// A scene that is not on the chain.
const NEW: SceneId = SceneId(u16::MAX);

fn administrator(number: u32) -> Member {
    setup::administrator(number, AdminRole::SystemAdmin)
}

fn proposed(scene: SceneId) -> Option<SceneChange> {
    Proposals::<Runtime>::get(scene).map(|open| open.change)
}

/// A scene's registration that awaits approval, which makes more than any
/// other change does, and who proposed it.
fn registration() -> Result<(Member, ProposalId), BenchmarkError> {
    setup::begin();
    let proposer = administrator(1);
    let (name, related, reason) = (setup::name(1), setup::related_data(), setup::reason());
    Scene::register(setup::signed(&proposer), NEW, name, RULES, related, reason)?;
    let open = Proposals::<Runtime>::get(NEW).expect("the scene was just proposed; qed");
    Ok((proposer, open.id))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        setup::begin();
        let proposer = setup::signed(&administrator(1));
        let (name, related) = (setup::name(1), setup::related_data());
        #[extrinsic_call]
        _(proposer, NEW, name, RULES, related, setup::reason());
        assert!(matches!(proposed(NEW), Some(SceneChange::Register { .. })));
        Ok(())
    }

    #[benchmark]
    fn configure() -> Result<(), BenchmarkError> {
        setup::begin();
        let (scene, related) = (setup::scene(), setup::related_data());
        let proposer = setup::signed(&administrator(1));
        #[extrinsic_call]
        _(proposer, scene, RULES, related, setup::reason());
        assert!(matches!(proposed(scene), Some(SceneChange::Configure { .. })));
        Ok(())
    }

    #[benchmark]
    fn set_weight() -> Result<(), BenchmarkError> {
        setup::begin();
        let (scene, proposer) = (setup::scene(), setup::signed(&administrator(1)));
        #[extrinsic_call]
        _(proposer, scene, 9, setup::reason());
        assert_eq!(proposed(scene), Some(SceneChange::Weight(9)));
        Ok(())
    }

    #[benchmark]
    fn set_status() -> Result<(), BenchmarkError> {
        setup::begin();
        let (scene, proposer) = (setup::scene(), setup::signed(&administrator(1)));
        #[extrinsic_call]
        _(proposer, scene, SceneStatus::Disabled, setup::reason());
        assert_eq!(proposed(scene), Some(SceneChange::Status(SceneStatus::Disabled)));
        Ok(())
    }

    #[benchmark]
    fn submit_approval() -> Result<(), BenchmarkError> {
        let (_, proposal) = registration()?;
        let approver = setup::signed(&administrator(2));
        #[extrinsic_call]
        _(approver, NEW, proposal, Decision::Approved, setup::reason());
        assert_eq!(Scenes::<Runtime>::get(NEW).map(|scene| scene.rules), Some(RULES));
        Ok(())
    }

    #[benchmark]
    fn withdraw() -> Result<(), BenchmarkError> {
        let (proposer, proposal) = registration()?;
        #[extrinsic_call]
        _(setup::signed(&proposer), NEW, proposal, setup::reason());
        assert_eq!((proposed(NEW), Trails::<Runtime>::get(NEW).records), (None, 1));
        Ok(())
    }
}

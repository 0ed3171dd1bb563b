//! What can be asked about scenes, and what always holds of them.

use crate::{
    Config, Pallet, Proposal, ProposalCount, Proposals, Scene, SceneChange, Scenes, Trails,
    approval::are_distinct,
};
use billchain_primitives::SceneId;
use frame::{prelude::*, try_runtime::TryRuntimeError};

impl<T: Config> Pallet<T> {
    /// The scene with this number, whatever its status; not one that
    /// awaits approval.
    pub fn scene(scene: SceneId) -> Option<Scene> {
        Scenes::<T>::get(scene)
    }

    /// At most `limit` scenes after `after` in the order of the state, from
    /// the first without it.
    pub fn scenes(after: Option<SceneId>, limit: usize) -> Vec<(SceneId, Scene)> {
        let scenes = match after {
            Some(after) => Scenes::<T>::iter_from(Scenes::<T>::hashed_key_for(after)),
            None => Scenes::<T>::iter(),
        };
        scenes.take(limit).collect()
    }

    /// The proposal of the scene that awaits approval.
    pub fn proposal(scene: SceneId) -> Option<Proposal> {
        Proposals::<T>::get(scene)
    }

    /// Every proposal that awaits approval, the oldest first.
    pub fn proposals() -> Vec<(SceneId, Proposal)> {
        let mut open: Vec<_> = Proposals::<T>::iter().collect();
        open.sort_by_key(|(_, proposal)| proposal.id);
        open
    }

    /// Checks that
    /// 1. every scene can be used as its rules say, and has a version;
    /// 2. a registration awaits approval only of a scene that is not there,
    ///    and another change only of one that is;
    /// 3. proposals are numbered, and no more end than there were;
    /// 4. the bounds hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        ensure!(Scenes::<T>::count() <= T::MaxScenes::get(), "too many scenes");
        for scene in Scenes::<T>::iter_values() {
            ensure!(scene.rules.lock_period_ms > 0, "a lock period is 0");
            ensure!(are_distinct(&scene.related_data), "a kind of related data stands twice");
            ensure!(scene.version > 0, "a scene without a version");
        }
        let most = T::MaxOpenProposals::get();
        ensure!(Proposals::<T>::count() <= most, "too many open proposals");
        for (scene, proposal) in Proposals::<T>::iter() {
            let begins = matches!(proposal.change, SceneChange::Register { .. });
            let there = Scenes::<T>::contains_key(scene);
            ensure!(begins != there, "a proposal does not fit its scene");
            let known = (1..=ProposalCount::<T>::get()).contains(&proposal.id);
            ensure!(known, "a proposal without a number");
        }
        let ended = Trails::<T>::iter_values()
            .fold(0_u64, |sum, trail| sum.saturating_add(trail.records.into()));
        let open = u64::from(Proposals::<T>::count());
        let all = u64::from(ProposalCount::<T>::get());
        ensure!(ended.saturating_add(open) == all, "a proposal is open or ended");
        Ok(())
    }
}

//! What can be asked, and whether the state admits a document.

use crate::{
    Bodies, Body, Config, Error, Flow, Flows, Head, Heads, Keywords, Names, Pallet, Policy,
    PolicyStatus, Statuses, Versions, document::Document,
};
use billchain_primitives::{
    Keyword, SceneId,
    condition::Value,
    seams::{Participants, Policies, PolicyId, PolicyProblem, SceneProblem, Scenes},
};
use frame::prelude::*;

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// One version of a policy.
    pub fn policy(policy: PolicyId, version: u32) -> Option<Policy> {
        Versions::<T>::get(policy, version)
    }

    /// The document of a version.
    pub fn body(policy: PolicyId, version: u32) -> Option<Body> {
        Bodies::<T>::get(policy, version)
    }

    /// Where a policy stands: its newest and its effective version.
    pub fn head(policy: PolicyId) -> Option<Head> {
        Heads::<T>::get(policy)
    }

    /// The approval flow of a version; its `hash` is the flow's.
    pub fn flow(policy: PolicyId, version: u32) -> Option<Flow> {
        Flows::<T>::try_get(policy, version).ok()
    }

    /// The versions with a keyword, in the order of their submission.
    pub fn by_keyword(keyword: &Keyword) -> Vec<(PolicyId, u32)> {
        Keywords::<T>::get(keyword).into_inner()
    }

    /// At most `limit` versions of a status, those that follow `after` if it is
    /// given, in an order that says nothing but does not change.
    pub fn by_status(
        status: PolicyStatus,
        after: Option<(PolicyId, u32)>,
        limit: usize,
    ) -> Vec<(PolicyId, u32)> {
        let keys = match after {
            None => Statuses::<T>::iter_key_prefix(status),
            Some(last) => {
                let from = Statuses::<T>::hashed_key_for(status, last);
                Statuses::<T>::iter_key_prefix_from(status, from)
            }
        };
        keys.take(limit).collect()
    }

    /// Whether the state admits the document as the next version of its
    /// policy; where the policy stands then is returned.
    pub fn ensure_fits(document: &Document) -> Result<Head, Error<T>> {
        let Document { id, version, name, .. } = document;
        let head = match Heads::<T>::get(id) {
            Some(head) => head,
            None => {
                let room = Heads::<T>::count() < T::MaxPolicies::get();
                ensure!(room, Error::TooManyPolicies);
                Head::default()
            }
        };
        ensure!(*version > head.newest, Error::VersionConflict);
        ensure!(version - head.newest == 1, Error::VersionGap);
        ensure!(*version <= T::MaxVersions::get(), Error::TooManyVersions);
        if let Some(by) = Names::<T>::get(name).filter(|by| by != id) {
            return Err(Error::NameTaken { by });
        }
        document.scenes.iter().try_for_each(|scene| Self::ensure_scene(*scene))?;
        for (node, value) in document.conditions.values() {
            match value {
                Value::Scene(scene) => Self::ensure_scene(*scene)?,
                Value::Did(did) => {
                    let known = T::Participants::account_of(did).is_some();
                    ensure!(known, Error::UnknownParticipant { node });
                }
                _ => {}
            }
        }
        Self::ensure_references(&document.references)?;
        for keyword in &document.keywords {
            let full = Keywords::<T>::decode_len(keyword).unwrap_or(0);
            ensure!(full < T::MaxPerKeyword::get() as usize, Error::KeywordFull);
        }
        Ok(head)
    }

    pub(crate) fn ensure_scene(scene: SceneId) -> Result<(), Error<T>> {
        let known = T::Scenes::active(scene) != Err(SceneProblem::NotFound);
        ensure!(known, Error::UnknownScene { scene: scene.0 });
        Ok(())
    }

    pub(crate) fn ensure_references(references: &[PolicyId]) -> Result<(), Error<T>> {
        references.iter().try_for_each(|policy| {
            <Self as Policies>::effective(*policy).map(drop).map_err(|problem| match problem {
                PolicyProblem::NotFound => Error::UnknownPolicy(*policy),
                PolicyProblem::NotEffective => Error::NotEffective(*policy),
            })
        })
    }
}

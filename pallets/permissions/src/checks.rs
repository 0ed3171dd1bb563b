//! What the calls check and write, and what always holds.

use crate::{
    Admins, Config, Error, Pallet, RuleChanges, Rules, RulesVersion, TransitionRule,
    TransitionRuleChange, TransitionRuleKey, Whitelist,
};
use billchain_primitives::{
    AdminRole, BillStatus, Did, RoleSet, SceneId, Stamp,
    seams::{Participants, SceneProblem, Scenes},
};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};
use std::collections::BTreeMap;

/// Checks and writes behind the calls.
impl<T: Config> Pallet<T> {
    /// Whether the participant, which is active, may get the office.
    pub(crate) fn ensure_may_hold(did: &Did, office: AdminRole) -> Result<(), Error<T>> {
        let roles = Self::active_roles(did)?;
        ensure!(!Admins::<T>::contains_key(did), Error::<T>::HoldsAnotherRole);
        ensure!(office.goes_with(roles), Error::<T>::RolesConflict);
        Ok(())
    }

    pub(crate) fn active_roles(did: &Did) -> Result<RoleSet, Error<T>> {
        T::Participants::active_by_did(did)
            .map(|participant| participant.roles)
            .map_err(Error::Participant)
    }

    /// Whether there is such a scene, active or not.
    pub(crate) fn ensure_scene(scene: SceneId) -> Result<(), Error<T>> {
        let known = T::Scenes::active(scene) != Err(SceneProblem::NotFound);
        ensure!(known, Error::<T>::SceneNotFound);
        Ok(())
    }

    pub(crate) fn next_version() -> Result<u32, Error<T>> {
        let version = RulesVersion::<T>::get();
        ensure!(version < T::MaxRuleVersions::get(), Error::<T>::TooManyVersions);
        let next = version.saturating_add(1);
        RulesVersion::<T>::put(next);
        Ok(next)
    }

    pub(crate) fn record(
        version: u32,
        key: TransitionRuleKey,
        before: Option<TransitionRule>,
        after: Option<TransitionRule>,
    ) {
        let at = Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        };
        RuleChanges::<T>::insert(version, TransitionRuleChange { key, before, after, at });
    }

    /// Checks that
    /// 1. no final status has a rule, every general rule lets somebody, a
    ///    scene's rule is of a scene that exists, and none is newer than the
    ///    rules;
    /// 2. every version but the first has its change, and they lead back to
    ///    the first one;
    /// 3. no active participant holds an office that its roles rule out;
    /// 4. the bounds hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let newest = RulesVersion::<T>::get();
        ensure!(newest <= T::MaxRuleVersions::get(), "too many versions of the rules");
        let mut table: BTreeMap<TransitionRuleKey, TransitionRule> = Rules::<T>::iter().collect();
        for (key, rule) in &table {
            ensure!(!key.from.is_some_and(BillStatus::is_final), "a final status has a rule");
            ensure!(!rule.roles.is_empty() || key.scene.is_some(), "a rule lets nobody");
            let known = key.scene.is_none_or(|scene| Self::ensure_scene(scene).is_ok());
            ensure!(known, "a rule is of no scene");
            ensure!(rule.version <= newest, "a rule is newer than the rules");
        }
        for version in (2..=newest).rev() {
            let change = RuleChanges::<T>::get(version).ok_or("a version without its change")?;
            ensure!(table.get(&change.key).copied() == change.after, "a change left no trace");
            change.undo(&mut table);
        }
        ensure!(table.values().all(|rule| rule.version == 1), "the first version is all of 1");
        let changes = u32::try_from(RuleChanges::<T>::iter_keys().count());
        ensure!(changes == Ok(newest.saturating_sub(1)), "a change of no version");
        let counted = u32::try_from(Rules::<T>::iter_keys().count()) == Ok(Rules::<T>::count());
        ensure!(counted, "rules are counted");
        ensure!(Rules::<T>::count() <= T::MaxRules::get(), "too many rules");
        for (did, office) in Admins::<T>::iter() {
            let roles = Self::active_roles(&did).unwrap_or(RoleSet::EMPTY);
            ensure!(office.goes_with(roles), "an administrator audits");
        }
        ensure!(Admins::<T>::count() <= T::MaxAdmins::get(), "too many administrators");
        ensure!(Whitelist::<T>::count() <= T::MaxWhitelist::get(), "whitelist too long");
        Ok(())
    }
}

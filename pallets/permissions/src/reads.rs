//! What can be asked about permissions.

use crate::{
    Admins, CheckProblem, Config, Pallet, RuleChanges, Rules, RulesVersion, TransitionRule,
    TransitionRuleChange, TransitionRuleKey, Whitelist,
};
use billchain_primitives::{
    AccountId, AdminRole, BillStatus, Did, Operation, RoleSet, SceneId, Target,
    seams::{Participants, Scenes, TransitionRules, VoidPolicy},
};
use std::collections::BTreeMap;

impl<T: Config> Pallet<T> {
    /// The office of the active participant whose current key belongs to
    /// `account`.
    pub fn admin_role(account: &AccountId) -> Option<AdminRole> {
        let participant = T::Participants::active_by_account(account).ok()?;
        Admins::<T>::get(&participant.did)
    }

    /// The administrators, by DID.
    pub fn admins() -> Vec<(Did, AdminRole)> {
        let mut admins: Vec<_> = Admins::<T>::iter().collect();
        admins.sort_by(|(a, _), (b, _)| a.cmp(b));
        admins
    }

    /// The rules as they were in `version`, by status, operation and scene; `None`
    /// if there is no such version. Goes back over every change since: who asks for
    /// it bounds them.
    pub fn rules_at(version: u32) -> Option<Vec<(TransitionRuleKey, TransitionRule)>> {
        let newest = RulesVersion::<T>::get();
        if !(1..=newest).contains(&version) {
            return None;
        }
        let mut table: BTreeMap<TransitionRuleKey, TransitionRule> = Rules::<T>::iter().collect();
        for later in (version.saturating_add(1)..=newest).rev() {
            RuleChanges::<T>::get(later)?.undo(&mut table);
        }
        Some(table.into_iter().collect())
    }

    /// What made `version` of the rules; `None` for the first, which the
    /// genesis made, and for one that does not exist.
    pub fn rule_change(version: u32) -> Option<TransitionRuleChange> {
        RuleChanges::<T>::get(version)
    }

    /// Where `operation` by someone with `roles` leads from `from` in a scene:
    /// what its rules say, and whether the scene lets it happen. The scene is
    /// the claim's for what acts on a claim (see
    /// [`Bill::scene_of`](billchain_primitives::Bill::scene_of)), the
    /// bill's otherwise.
    pub fn check_in_scene(
        from: Option<BillStatus>,
        operation: Operation,
        roles: RoleSet,
        scene: SceneId,
    ) -> Result<Target, CheckProblem> {
        let target = Self::check(from, operation, roles, scene)?;
        let voids = operation == Operation::Void && from == Some(BillStatus::Normal);
        let asks = match operation {
            Operation::Register | Operation::PreIssue | Operation::Lock | Operation::Reimburse => {
                true
            }
            // The red and the balance bill are new bills of the scene.
            Operation::RedReverse => from.is_none(),
            _ => voids,
        };
        if asks {
            let rules = T::Scenes::active(scene)?;
            if voids && rules.void == VoidPolicy::Refused {
                return Err(CheckProblem::VoidNotAllowed);
            }
        }
        Ok(target)
    }

    /// At most `limit` entries of the whitelist after `after` in the order of
    /// the state, from the first without it; only those of `scene`, if one is
    /// given.
    pub fn whitelist(
        scene: Option<SceneId>,
        after: Option<&(SceneId, Did)>,
        limit: usize,
    ) -> Vec<(SceneId, Did)> {
        let entries = match after {
            Some(after) => Whitelist::<T>::iter_from(Whitelist::<T>::hashed_key_for(after)),
            None => Whitelist::<T>::iter(),
        };
        let wanted = |entry: &(SceneId, Did)| scene.is_none_or(|scene| scene == entry.0);
        entries.map(|(entry, ())| entry).filter(wanted).take(limit).collect()
    }
}

//! What always holds.

use crate::{
    Act, Bodies, Config, Decision, Flow, Flows, Heads, InForce, Keywords, NO_STEP, Names, Pallet,
    Policy, PolicyStatus, Statuses, Versions, document::Document,
};
use billchain_primitives::{seams::PolicyId, sm3};
use frame::{prelude::*, try_runtime::TryRuntimeError};
use std::collections::BTreeSet;

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. a policy has exactly the versions 1 to its newest, and the one its
    ///    head names is the only effective one;
    /// 2. a version says what its document says, and its name is its policy's;
    /// 3. a flow is chained without a gap, begins with the submission of this
    ///    document, and an effective version has approvals enough, none by its
    ///    submitter, none twice, and no rejection;
    /// 4. the lists in force hold exactly the effective versions, in order and
    ///    within the bounds;
    /// 5. the indices by keyword and status hold exactly the versions.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        ensure!(Heads::<T>::count() <= T::MaxPolicies::get(), "too many policies");
        ensure!(Heads::<T>::count() as usize == Heads::<T>::iter().count(), "counter is wrong");
        let (mut versions, mut newest) = (0_usize, 0_usize);
        for (id, head) in Heads::<T>::iter() {
            newest = newest.saturating_add(head.newest as usize);
            ensure!((1..=T::MaxVersions::get()).contains(&head.newest), "versions out of bounds");
            ensure!(head.newest_effective <= head.newest, "an effective version is missing");
            if let Some(effective) = head.effective {
                ensure!(effective == head.newest_effective, "an older version is effective");
            }
            for version in 1..=head.newest {
                let policy = Versions::<T>::get(id, version).ok_or("a version is missing")?;
                let effective = policy.status == PolicyStatus::Effective;
                ensure!(effective == (head.effective == Some(version)), "head and status differ");
                Self::check_version(id, version, &policy)?;
                versions += 1;
            }
        }
        ensure!(versions == newest && Versions::<T>::iter().count() == versions, "stray version");
        ensure!(Bodies::<T>::iter().count() == versions, "stray document");
        ensure!(Flows::<T>::iter().count() == versions, "stray flow");
        ensure!(Statuses::<T>::iter().count() == versions, "stray status");
        Self::check_lists()?;
        Self::check_keywords()
    }

    fn check_version(id: PolicyId, version: u32, policy: &Policy) -> Result<(), TryRuntimeError> {
        let body = Bodies::<T>::get(id, version).ok_or("a document is missing")?;
        ensure!(policy.body_hash == sm3(&body), "the document has another hash");
        let document =
            Document::read(policy.format, &body).map_err(|_| "a document is not sound")?;
        let same = (document.id, document.version) == (id, version)
            && document.name == policy.name
            && document.conditions == policy.conditions
            && (document.effect, document.priority) == (policy.effect, policy.priority)
            && document.scenes == policy.scenes
            && document.operations == policy.operations
            && document.keywords == policy.keywords
            && document.references == policy.references;
        ensure!(same, "a version differs from its document");
        ensure!(Names::<T>::get(&policy.name) == Some(id), "a name is another policy's");
        ensure!(
            Statuses::<T>::contains_key(policy.status, (id, version)),
            "a version is missing in the index of its status"
        );
        let in_index = |keyword| Keywords::<T>::get(keyword).contains(&(id, version));
        ensure!(policy.keywords.iter().all(in_index), "a keyword does not lead to its version");
        Self::check_flow(policy, &Flows::<T>::get(id, version))
    }

    fn check_flow(policy: &Policy, flow: &Flow) -> Result<(), TryRuntimeError> {
        let (mut hash, mut finalised) = (NO_STEP, None);
        for step in &flow.steps {
            hash = Flow::chain(&hash, step);
            if step.act == Act::Finalised {
                ensure!(finalised.is_none(), "a flow is finalised twice");
                finalised = Some(hash);
            }
        }
        ensure!(hash == flow.hash, "a flow's chain is broken");
        ensure!(finalised == policy.approval_hash, "the approval hash is not the flow's");
        let begins = flow.steps.first().is_some_and(|step| {
            step.actor.as_ref() == Some(&policy.submitter)
                && step.act == Act::Submitted { body_hash: policy.body_hash }
        });
        ensure!(begins, "a flow does not begin with its submission");
        let approvers: BTreeSet<_> = flow.decisions().map(|(did, _)| did).collect();
        ensure!(approvers.len() == flow.decisions().count(), "an approver decided twice");
        ensure!(!approvers.contains(&policy.submitter), "a submitter decided");
        if policy.status == PolicyStatus::Effective {
            ensure!(finalised.is_some(), "an effective policy without a final flow");
            let rejected = flow.decisions().any(|(_, one)| one == Decision::Rejected);
            let enough = approvers.len() as u32 >= T::MinApprovals::get();
            ensure!(enough && !rejected, "an effective policy without its approvals");
        }
        Ok(())
    }

    fn check_lists() -> Result<(), TryRuntimeError> {
        let mut listed = 0_usize;
        for (scene, operation, list) in InForce::<T>::iter() {
            ensure!(!list.is_empty(), "an empty list is stored");
            ensure!(list.is_sorted_by_key(|one| one.rank()), "a list is not in order");
            let steps: u32 = list.iter().map(|one| one.conditions.steps()).sum();
            ensure!(steps <= T::MaxStepsPerScene::get(), "a list takes too many steps");
            for one in &list {
                let policy =
                    Versions::<T>::get(one.policy, one.version).ok_or("a list names nothing")?;
                let same = policy.status == PolicyStatus::Effective
                    && policy.scenes.contains(&scene)
                    && policy.operations.contains(&operation)
                    && (policy.priority, policy.effect) == (one.priority, one.effect)
                    && policy.conditions == one.conditions;
                ensure!(same, "a list differs from its policy");
                listed += 1;
            }
        }
        // Each effective version stands on each of its lists once.
        let wanted: usize = Versions::<T>::iter_values()
            .filter(|policy| policy.status == PolicyStatus::Effective)
            .map(|policy| policy.scenes.len() * policy.operations.len())
            .sum();
        ensure!(listed == wanted, "a policy is missing on a list");
        Ok(())
    }

    fn check_keywords() -> Result<(), TryRuntimeError> {
        for (keyword, versions) in Keywords::<T>::iter() {
            for (id, version) in &versions {
                let policy = Versions::<T>::get(id, version).ok_or("a keyword leads nowhere")?;
                ensure!(policy.keywords.contains(&keyword), "a keyword leads to another version");
            }
            let distinct: BTreeSet<_> = versions.iter().collect();
            ensure!(distinct.len() == versions.len(), "a keyword leads to a version twice");
        }
        Ok(())
    }
}

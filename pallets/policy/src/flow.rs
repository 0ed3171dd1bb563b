//! Versions and their approval flows: what the calls write.

use crate::{
    Act, Bodies, Body, Config, Error, Event, Flow, Flows, Format, Head, Heads, IndexedStep,
    Keywords, Names, Pallet, Policy, PolicyStatus, Statuses, Step, Versions, by_actor_key,
    by_time_key, document::Document,
};
use billchain_primitives::{Did, Reason, Stamp, seams::PolicyId, sm3};
use codec::Encode;
use frame::{deps::sp_io::offchain_index, prelude::*, traits::Time};

impl<T: Config> Pallet<T> {
    /// Writes a version that fits.
    pub(crate) fn insert(
        document: Document,
        head: Head,
        format: Format,
        body: Body,
        submitter: Did,
    ) {
        let Document { id, version, name, keywords, .. } = document;
        let body_hash = sm3(&body);
        for keyword in &keywords {
            // There is room: the caller looked.
            Keywords::<T>::mutate(keyword, |versions| {
                let _ = versions.try_push((id, version));
            });
        }
        Heads::<T>::insert(id, head);
        Names::<T>::insert(&name, id);
        Statuses::<T>::insert(PolicyStatus::Draft, (id, version), ());
        Bodies::<T>::insert(id, version, body);
        let now = Self::stamp();
        let policy = Policy {
            name: name.clone(),
            status: PolicyStatus::Draft,
            effect: document.effect,
            priority: document.priority,
            scenes: document.scenes,
            operations: document.operations,
            keywords,
            references: document.references,
            conditions: document.conditions,
            format,
            body_hash,
            submitter: submitter.clone(),
            approval_hash: None,
            submitted: now,
            updated: now,
        };
        Versions::<T>::insert(id, version, policy);
        Self::record(id, version, Some(submitter.clone()), Act::Submitted { body_hash });
        Self::deposit_event(Event::PolicySubmitted {
            policy: id,
            version,
            name,
            submitter,
            format,
            body_hash,
            at: now.moment,
        });
    }

    /// A draft whose flow is open.
    pub(crate) fn open_draft(policy: PolicyId, version: u32) -> Result<Policy, Error<T>> {
        let draft = Versions::<T>::get(policy, version).ok_or(Error::NotFound)?;
        ensure!(draft.status == PolicyStatus::Draft, Error::NotDraft);
        ensure!(draft.approval_hash.is_none(), Error::AlreadyFinalized);
        Ok(draft)
    }

    /// Makes a version effective and revokes the one that was.
    pub(crate) fn make_effective(
        policy: PolicyId,
        version: u32,
        entry: Policy,
        operator: Option<Did>,
        reason: Reason,
    ) -> DispatchResult {
        ensure!(entry.status == PolicyStatus::Draft, Error::<T>::NotDraft);
        ensure!(entry.approval_hash.is_some(), Error::<T>::ApprovalIncomplete);
        let mut head = Heads::<T>::get(policy).ok_or(Error::<T>::NotFound)?;
        ensure!(version > head.newest_effective, Error::<T>::Superseded);
        Self::ensure_references(&entry.references)?;

        if let Some(earlier) = head.effective
            && let Some(replaced) = Versions::<T>::get(policy, earlier)
        {
            Self::leave_force(policy, &replaced);
            Self::record(policy, earlier, operator.clone(), Act::Replaced { by: version });
            let by = (operator.clone(), None);
            Self::change_status(policy, earlier, replaced, PolicyStatus::Revoked, by);
        }
        Self::enter_force(policy, version, &entry)?;
        head.effective = Some(version);
        head.newest_effective = version;
        Heads::<T>::insert(policy, head);
        let act = Act::MadeEffective { reason: reason.clone() };
        Self::record(policy, version, operator.clone(), act);
        let by = (operator, Some(reason));
        Self::change_status(policy, version, entry, PolicyStatus::Effective, by);
        Ok(())
    }

    /// Revokes a version that is not revoked.
    pub(crate) fn revoke(
        policy: PolicyId,
        version: u32,
        entry: Policy,
        operator: Option<Did>,
        reason: Reason,
    ) {
        if entry.status == PolicyStatus::Effective {
            Self::leave_force(policy, &entry);
            Heads::<T>::mutate(policy, |head| {
                if let Some(head) = head {
                    head.effective = None;
                }
            });
        }
        let act = Act::Revoked { reason: reason.clone() };
        Self::record(policy, version, operator.clone(), act);
        let by = (operator, Some(reason));
        Self::change_status(policy, version, entry, PolicyStatus::Revoked, by);
    }

    fn change_status(
        policy: PolicyId,
        version: u32,
        mut entry: Policy,
        to: PolicyStatus,
        (operator, reason): (Option<Did>, Option<Reason>),
    ) {
        let from = core::mem::replace(&mut entry.status, to);
        entry.updated = Self::stamp();
        let at = entry.updated.moment;
        Statuses::<T>::remove(from, (policy, version));
        Statuses::<T>::insert(to, (policy, version), ());
        Versions::<T>::insert(policy, version, entry);
        Self::deposit_event(Event::StatusChanged {
            policy,
            version,
            from,
            to,
            operator,
            reason,
            at,
        });
    }

    /// Adds a step to a flow, in the state and in the node-local index, and
    /// returns the flow's hash. There is room: decisions leave as much as the
    /// other steps need.
    pub(crate) fn record(policy: PolicyId, version: u32, actor: Option<Did>, act: Act) -> [u8; 32] {
        let step = Step { at: Self::stamp(), actor: actor.clone(), act };
        let (index, hash) = Flows::<T>::mutate(policy, version, |flow| {
            let index = flow.steps.len() as u32;
            if flow.steps.try_push(step.clone()).is_ok() {
                flow.hash = Flow::chain(&flow.hash, &step);
            }
            (index, flow.hash)
        });
        let at = step.at.moment;
        let indexed = IndexedStep { policy, version, index, hash, step }.encode();
        offchain_index::set(&by_time_key(at, policy, version, index), &indexed);
        if let Some(actor) = actor {
            offchain_index::set(&by_actor_key(&actor, at, policy, version, index), &indexed);
        }
        hash
    }

    fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }
}

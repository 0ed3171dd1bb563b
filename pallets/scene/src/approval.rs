//! From a proposal to its end: the second administrator, and what takes
//! effect.

use crate::{
    Config, Decision, Error, Event, Outcome, Pallet, Proposal, ProposalCount, ProposalId,
    Proposals, RelatedData, Scene, SceneChange, SceneStatus, Scenes, TrailRecord, Trails,
    trail_key,
};
use billchain_primitives::{
    AdminRole, Did, Reason, SceneId, Stamp,
    seams::{Administrators, Participants, SceneTerms},
};
use codec::Encode;
use frame::{arithmetic::ArithmeticError, deps::sp_io::offchain_index, prelude::*, traits::Time};

impl<T: Config> Pallet<T> {
    /// The active participant that signed, if it is a system administrator.
    pub(crate) fn administrator(origin: OriginFor<T>) -> Result<Did, DispatchError> {
        let sender = T::Participants::signer::<Error<T>>(origin)?;
        let office = T::Administrators::office(&sender.did);
        ensure!(office == Some(AdminRole::SystemAdmin), Error::<T>::NotAdministrator);
        Ok(sender.did)
    }

    /// Puts a change up for approval.
    pub(crate) fn propose(
        origin: OriginFor<T>,
        scene: SceneId,
        change: SceneChange,
        reason: Reason,
    ) -> DispatchResult {
        let proposer = Self::administrator(origin)?;
        match Proposals::<T>::get(scene).map(|open| open.change) {
            None => {}
            Some(SceneChange::Register { .. }) => return Err(Error::<T>::NotApproved.into()),
            Some(_) => return Err(Error::<T>::ProposalOpen.into()),
        }
        let room = Proposals::<T>::count() < T::MaxOpenProposals::get();
        ensure!(room, Error::<T>::TooManyProposals);
        Self::changed(scene, &change)?;

        let id = ProposalCount::<T>::get().checked_add(1).ok_or(ArithmeticError::Overflow)?;
        ProposalCount::<T>::put(id);
        let proposed = Self::stamp();
        let proposal = Proposal {
            id,
            change: change.clone(),
            proposer: proposer.clone(),
            proposed,
            reason: reason.clone(),
        };
        Proposals::<T>::insert(scene, proposal);
        let at = proposed.moment;
        Self::deposit_event(Event::ChangeProposed {
            proposal: id,
            scene,
            change,
            proposer,
            reason,
            at,
        });
        Ok(())
    }

    /// The open proposal of the scene, if it is this one: who decides says on
    /// what, so that nobody approves what replaced it meanwhile.
    pub(crate) fn open(scene: SceneId, proposal: ProposalId) -> Result<Proposal, Error<T>> {
        let open = Proposals::<T>::get(scene).ok_or(Error::<T>::NoProposal)?;
        ensure!(open.id == proposal, Error::<T>::OtherProposal);
        Ok(open)
    }

    /// The scene as the change leaves it, if it is one that can be made.
    fn changed(scene: SceneId, change: &SceneChange) -> Result<Scene, Error<T>> {
        let stored = Scenes::<T>::get(scene);
        if let SceneChange::Register { name, rules, related_data } = change {
            ensure!(stored.is_none(), Error::<T>::AlreadyRegistered);
            ensure!(Scenes::<T>::count() < T::MaxScenes::get(), Error::<T>::TooManyScenes);
            ensure_sound::<T>(rules, related_data)?;
            return Ok(Scene {
                name: name.clone(),
                status: SceneStatus::Active,
                rules: *rules,
                related_data: related_data.clone(),
                version: 1,
                updated: Self::stamp(),
            });
        }
        let before = stored.ok_or(Error::<T>::NotFound)?;
        let mut after = before.clone();
        match change {
            SceneChange::Register { .. } => {}
            SceneChange::Configure { rules, related_data } => {
                ensure_sound::<T>(rules, related_data)?;
                after.rules = *rules;
                after.related_data = related_data.clone();
            }
            SceneChange::Weight(weight) => {
                ensure!(before.status == SceneStatus::Active, Error::<T>::SceneInactive);
                after.rules.weight = *weight;
            }
            SceneChange::Status(status) => after.status = *status,
        }
        ensure!(after != before, Error::<T>::Unchanged);
        after.version = before.version.saturating_add(1);
        after.updated = Self::stamp();
        Ok(after)
    }

    /// Makes an approved change.
    pub(crate) fn take_effect(scene: SceneId, change: SceneChange) -> Result<(), Error<T>> {
        let after = Self::changed(scene, &change)?;
        let before = Scenes::<T>::get(scene);
        Scenes::<T>::insert(scene, &after);
        Self::deposit_event(match change {
            SceneChange::Register { name, rules, related_data } => {
                Event::SceneRegistered { scene, name, rules, related_data }
            }
            SceneChange::Configure { rules, related_data } => {
                Event::SceneConfigured { scene, rules, related_data }
            }
            SceneChange::Weight(to) => {
                let from = before.map_or(to, |before| before.rules.weight);
                Event::WeightSet { scene, from, to }
            }
            SceneChange::Status(status) => Event::StatusSet { scene, status },
        });
        Ok(())
    }

    /// Ends a proposal and puts it on the scene's trail.
    pub(crate) fn end(scene: SceneId, proposal: Proposal, outcome: Outcome) {
        Proposals::<T>::remove(scene);
        let ended = Self::stamp();
        let (id, proposer) = (proposal.id, proposal.proposer.clone());
        let record = TrailRecord { proposal, outcome: outcome.clone(), ended };
        let encoded = record.encode();
        let trail = Trails::<T>::mutate(scene, |trail| {
            *trail = trail.with(&encoded);
            *trail
        });
        offchain_index::set(&trail_key(scene, trail.records), &encoded);
        let at = ended.moment;
        Self::deposit_event(match outcome {
            Outcome::Decided { decision, approver, comment } => Event::ProposalDecided {
                proposal: id,
                scene,
                proposer,
                approver,
                decision,
                comment,
                at,
            },
            Outcome::Withdrawn { reason } => {
                Event::ProposalWithdrawn { proposal: id, scene, proposer, reason, at }
            }
        });
    }

    /// Ends the open proposal by the decision of a second administrator.
    pub(crate) fn decide(
        approver: Did,
        scene: SceneId,
        proposal: ProposalId,
        decision: Decision,
        comment: Reason,
    ) -> Result<(), Error<T>> {
        let open = Self::open(scene, proposal)?;
        ensure!(open.proposer != approver, Error::<T>::OwnProposal);
        if decision == Decision::Approved {
            Self::take_effect(scene, open.change.clone())?;
        }
        Self::end(scene, open, Outcome::Decided { decision, approver, comment });
        Ok(())
    }

    pub(crate) fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }
}

fn ensure_sound<T: Config>(rules: &SceneTerms, related_data: &RelatedData) -> Result<(), Error<T>> {
    ensure!(rules.lock_period_ms > 0, Error::<T>::LockPeriodZero);
    ensure!(are_distinct(related_data), Error::<T>::RelatedDataRepeated);
    Ok(())
}

/// Whether each kind of related data stands once.
pub(crate) fn are_distinct(related_data: &RelatedData) -> bool {
    related_data.iter().enumerate().all(|(at, kind)| !related_data[..at].contains(kind))
}

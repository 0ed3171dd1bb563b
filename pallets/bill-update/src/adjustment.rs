//! Adjustment by hand, which takes two administrators: one proposes, another
//! approves.

use crate::{Adjustment, Adjustments, Config, Error, Event, Pallet};
use billchain_primitives::{
    Bill, BillKey, BillKind, BillStatus, Elements, Hash, Operation, Reason, Role, Target,
    history::{Cause, Entry},
    seams::{ActiveParticipant, BillLedger, TransitionProblem},
};
use frame::{prelude::*, try_runtime::TryRuntimeError};

const OPERATION: Operation = Operation::Adjust;

impl<T: Config> Pallet<T> {
    /// The adjustment of a bill that waits for its second administrator.
    pub fn adjustment(key: &BillKey) -> Option<Adjustment> {
        Adjustments::<T>::get(key)
    }

    pub(crate) fn propose(
        sender: ActiveParticipant,
        elements: Elements,
        expected_version: Option<u32>,
        to: BillStatus,
        reason: Reason,
        evidence: [u8; 32],
    ) -> DispatchResult {
        let key = elements.codes.key;
        let bill = Self::bill_in_force(&key).ok_or(Error::<T>::BillNotFound)?;
        let (from, version) = (bill.state.status, bill.state.version);
        let target = Self::rule(Some(from), OPERATION, sender.roles, bill.scene_of(OPERATION))?;
        ensure!(evidence != [0; 32], Error::<T>::EvidenceMissing);
        if let Some(element) = elements.differences(&bill.summary).first() {
            return Err(Error::<T>::ElementMismatch(*element).into());
        }
        Self::ensure_version(&bill, expected_version)?;
        Self::adjusted(bill, to, target)?;
        match Adjustments::<T>::get(key) {
            // What waits of an older version can no longer be approved.
            Some(waiting) => ensure!(waiting.version != version, Error::<T>::AdjustmentPending),
            None => ensure!(
                Adjustments::<T>::count() < T::MaxAdjustments::get(),
                Error::<T>::TooManyAdjustments
            ),
        }
        let proposer = sender.did.clone();
        let at = Self::stamp();
        let adjustment =
            Adjustment { key, proposer, at, version, to, reason: reason.clone(), evidence };
        let proposal = adjustment.hash();
        Adjustments::<T>::insert(key, adjustment);
        Self::deposit_event(Event::AdjustmentProposed {
            key,
            operator: sender.did,
            proposal,
            from,
            to,
            reason,
            evidence,
            version,
        });
        Ok(())
    }

    pub(crate) fn approve(
        sender: ActiveParticipant,
        key: BillKey,
        proposal: Hash,
    ) -> DispatchResult {
        let Adjustment { proposer, version: proposed, to, reason, evidence, .. } =
            Self::waiting(&key, proposal)?;
        let bill = T::Ledger::bill(&key).ok_or(Error::<T>::BillNotFound)?;
        let unchanged = bill.state.version == proposed;
        let (bill, released) = Self::settle(bill, &sender.did)?;
        Self::note_expiry(&bill, released, &sender.did);
        let from = bill.state.status;
        let target = Self::rule(Some(from), OPERATION, sender.roles, bill.scene_of(OPERATION))?;
        ensure!(proposer != sender.did, Error::<T>::SameAdministrator);
        ensure!(unchanged, Error::<T>::StaleVersion);
        let bill = Self::adjusted(bill, to, target)?;
        let entry = Entry {
            cause: Cause::Operation(OPERATION),
            operator: sender.did.clone(),
            reason: Some(reason.clone()),
            evidence: Some(evidence),
            proposer: Some(proposer.clone()),
        };
        let bill = T::Ledger::advance(bill, entry)?;
        Adjustments::<T>::remove(key);
        Self::deposit_event(Event::Adjusted {
            key,
            proposer,
            operator: sender.did,
            proposal,
            from,
            status: bill.state.status,
            reason,
            evidence,
            version: bill.state.version,
        });
        Ok(())
    }

    pub(crate) fn withdraw(
        sender: ActiveParticipant,
        key: BillKey,
        proposal: Hash,
        reason: Reason,
    ) -> DispatchResult {
        // The bill may be final by now, so the rules are not asked.
        ensure!(
            sender.roles.contains(Role::Admin),
            Error::<T>::Transition(TransitionProblem::RoleForbidden)
        );
        let Adjustment { proposer, .. } = Self::waiting(&key, proposal)?;
        Adjustments::<T>::remove(key);
        let operator = sender.did;
        Self::deposit_event(Event::AdjustmentWithdrawn {
            key,
            operator,
            proposer,
            proposal,
            reason,
        });
        Ok(())
    }

    fn waiting(key: &BillKey, proposal: Hash) -> Result<Adjustment, Error<T>> {
        let waiting = Adjustments::<T>::get(key).ok_or(Error::AdjustmentNotFound)?;
        ensure!(waiting.hash() == proposal, Error::AdjustmentChanged);
        Ok(waiting)
    }

    /// The bill in the status `to`.
    fn adjusted(mut bill: Bill, to: BillStatus, target: Target) -> Result<Bill, Error<T>> {
        ensure!(bill.summary.kind != BillKind::Red, Error::RedBillFixed);
        ensure!(
            matches!(target, Target::Named) || target == Target::Status(to),
            Error::RuleUnusable
        );
        ensure!(bill.state.status != to, Error::NothingToAdjust);
        ensure!(
            to != BillStatus::PreIssued || bill.summary.kind == BillKind::PaymentNotice,
            Error::AdjustmentImpossible
        );
        bill.state.status = to;
        bill.state.lock = None;
        if matches!(to, BillStatus::PreIssued | BillStatus::Normal) {
            bill.state.reimbursements.clear();
        }
        ensure!(bill.inconsistency().is_none(), Error::AdjustmentImpossible);
        Ok(bill)
    }

    /// Checks what always holds: each adjustment that waits is of a bill that
    /// exists, of a version it has had, and lies under the bill's key; and no
    /// more wait than may.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut count = 0_u32;
        for (key, adjustment) in Adjustments::<T>::iter() {
            count = count.saturating_add(1);
            ensure!(key == adjustment.key, "an adjustment lies under its bill's key");
            let bill = T::Ledger::bill(&key).ok_or("an adjusted bill exists")?;
            ensure!(
                (1..=bill.state.version).contains(&adjustment.version),
                "an adjustment is of a version that the bill has had"
            );
            ensure!(adjustment.to != BillStatus::Locked, "nothing is adjusted to a lock");
        }
        ensure!(count == Adjustments::<T>::count(), "adjustments are counted");
        ensure!(count <= T::MaxAdjustments::get(), "no more adjustments wait than may");
        Ok(())
    }
}

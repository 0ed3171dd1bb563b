//! Payment notices (电子缴款书) that were pre-issued: paid, or voided unpaid.

use crate::{Config, Error, Event, Pallet};
use billchain_primitives::{
    Bill, BillKey, BillStatus, Operation, Reason, Target,
    history::{Cause, Entry},
    seams::{ActiveParticipant, BillLedger, TransitionRules},
};
use frame::prelude::*;

impl<T: Config> Pallet<T> {
    pub(crate) fn confirm_notice(sender: &ActiveParticipant, key: BillKey) -> DispatchResult {
        let bill = Self::advance_notice(sender, key, Operation::Confirm, None)?;
        Self::deposit_event(Event::NoticeConfirmed {
            key,
            operator: sender.did.clone(),
            status: bill.state.status,
            version: bill.state.version,
        });
        Ok(())
    }

    pub(crate) fn void_notice(
        sender: &ActiveParticipant,
        key: BillKey,
        reason: Reason,
    ) -> DispatchResult {
        let bill = Self::advance_notice(sender, key, Operation::Void, Some(reason.clone()))?;
        Self::deposit_event(Event::NoticeVoided {
            key,
            operator: sender.did.clone(),
            reason,
            status: bill.state.status,
            version: bill.state.version,
        });
        Ok(())
    }

    fn advance_notice(
        sender: &ActiveParticipant,
        key: BillKey,
        operation: Operation,
        reason: Option<Reason>,
    ) -> Result<Bill, DispatchError> {
        let mut bill = Self::bill(&key).ok_or(Error::<T>::BillNotFound)?;
        let status = Self::next_status(&bill, operation, sender)?;
        // A normal bill is voided under its scene's policy, which is the
        // bill-update contract's affair.
        ensure!(bill.state.status == BillStatus::PreIssued, Error::<T>::NotPreIssued);
        ensure!(bill.summary.issuer == sender.did, Error::<T>::NotIssuer);
        bill.state.status = status;
        ensure!(bill.inconsistency().is_none(), Error::<T>::RuleUnusable);
        let entry =
            Entry { reason, ..Entry::plain(Cause::Operation(operation), sender.did.clone()) };
        Ok(Self::advance(bill, entry)?)
    }

    /// The status to which `operation` leads a bill, by the rules of its scene.
    fn next_status(
        bill: &Bill,
        operation: Operation,
        sender: &ActiveParticipant,
    ) -> Result<BillStatus, Error<T>> {
        let (from, scene) = (Some(bill.state.status), bill.scene_of(operation));
        match T::Rules::check(from, operation, sender.roles, scene) {
            Ok(Target::Status(status)) => Ok(status),
            Ok(_) => Err(Error::RuleUnusable),
            Err(problem) => Err(Error::Transition(problem)),
        }
    }
}

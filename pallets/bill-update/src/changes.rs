//! What the calls do: changes of status, reversals in red, hashes that come
//! later; and bills as others see them.

use crate::{Config, Error, Event, Pallet, StatusChange, SummaryItem};
use billchain_primitives::{
    Bill, BillKey, BillKind, BillStatus, BillSummary, Did, Lock, LockPurpose, Operation, Reason,
    Role,
    history::{Cause, Entry},
    seams::{
        ActiveParticipant, BillLedger, BillLocks, BillsInForce, Contention, TransitionProblem,
    },
};
use frame::{prelude::*, traits::Time};

impl<T: Config> Pallet<T> {
    /// The lock of a bill, unless it is expired: who holds it, for what
    /// and until when. What an RPC shows to a claimant that was refused.
    pub fn lock_in_force(key: &BillKey) -> Option<Lock> {
        Self::bill_in_force(key)?.state.lock
    }

    /// The bill as the next transaction finds it: an expired lock counts as
    /// released, though the version is still the stored one.
    pub fn bill_in_force(key: &BillKey) -> Option<Bill> {
        let bill = T::Ledger::bill(key)?;
        Some(match Self::settled(&bill, T::Time::now()) {
            Some((settled, _)) => settled,
            None => bill,
        })
    }

    /// Does `change`: the one way in which a bill's status changes.
    pub(crate) fn apply(
        sender: &ActiveParticipant,
        key: BillKey,
        expected_version: Option<u32>,
        change: StatusChange,
    ) -> DispatchResult {
        let bill = T::Ledger::bill(&key).ok_or(Error::<T>::BillNotFound)?;
        if let StatusChange::Lock { on_behalf_of, signed_at, .. } = &change {
            let claimant = on_behalf_of.as_ref().unwrap_or(&sender.did);
            T::Contention::admit(&key, claimant, *signed_at)?;
        }
        let seen = bill.state.version;
        let (bill, released) = Self::settle(bill, &sender.did)?;
        let expired = Self::note_expiry(&bill, released, &sender.did);
        if expired && change == StatusChange::ExpireLock {
            ensure!(expected_version.is_none_or(|v| v == seen), Error::<T>::StaleVersion);
            return Ok(());
        }
        // Who saw the version before the release saw all there was to see.
        let expected =
            expected_version.map(|v| if expired && v == seen { bill.state.version } else { v });
        let before = bill.state.lock.clone();
        let Some(bill) = Self::transition(bill, &change, sender, expected)? else {
            Self::repeat(key, sender.did.clone(), before);
            return Ok(());
        };
        let entry = Entry {
            cause: Cause::Operation(change.operation()),
            operator: sender.did.clone(),
            reason: change.reason().cloned(),
            evidence: change.evidence(),
            proposer: None,
        };
        let bill = T::Ledger::advance(bill, entry)?;
        // A refusal takes back what was written: the call has its own
        // storage layer.
        if change.grant().is_some() {
            Self::use_grant(&bill)?;
        }
        if let (StatusChange::Lock { .. }, Some(lock)) = (&change, &bill.state.lock) {
            T::Contention::won(&key, &lock.holder);
        }
        Self::announce(&bill, change, sender.did.clone(), before);
        Ok(())
    }

    pub(crate) fn note_expiry(bill: &Bill, released: Option<Lock>, operator: &Did) -> bool {
        let Some(Lock { holder, .. }) = released else { return false };
        Self::deposit_event(Event::LockExpired {
            key: bill.summary.key,
            operator: operator.clone(),
            holder,
            status: bill.state.status,
            version: bill.state.version,
        });
        true
    }

    /// Answers a lock that stands with the receipt of the first.
    fn repeat(key: BillKey, operator: Did, lock: Option<Lock>) {
        let Some(Lock {
            holder,
            purpose: LockPurpose::Claim { scene, claim_no, .. },
            version,
            at: locked,
            expires,
            ..
        }) = lock
        else {
            return;
        };
        Self::deposit_event(Event::LockRepeated {
            key,
            operator,
            holder,
            scene,
            claim_no,
            locked,
            expires,
            version,
        });
    }

    fn announce(bill: &Bill, change: StatusChange, operator: Did, before: Option<Lock>) {
        let key = bill.summary.key;
        let (status, version) = (bill.state.status, bill.state.version);
        let event = match change {
            StatusChange::Confirm => Event::Confirmed { key, operator, version },
            StatusChange::Void { reason } => Event::Voided { key, operator, reason, version },
            StatusChange::Lock { .. } => {
                let Some(Lock {
                    holder,
                    purpose: LockPurpose::Claim { scene, claim_no, grant },
                    expires,
                    ..
                }) = bill.state.lock.clone()
                else {
                    return;
                };
                Event::Locked { key, operator, holder, scene, claim_no, grant, expires, version }
            }
            StatusChange::Unlock { reason } => {
                Event::Unlocked { key, operator, reason, status, version }
            }
            // Announced when the bill was settled.
            StatusChange::ExpireLock => return,
            StatusChange::AdminLock { reason, evidence } => {
                Event::AdminLocked { key, operator, reason, evidence, version }
            }
            StatusChange::AdminUnlock { reason, evidence } => {
                let holder = before.map(|lock| lock.holder);
                Event::AdminUnlocked { key, operator, holder, reason, evidence, status, version }
            }
            StatusChange::Reimburse { amount } => {
                let reimbursed = bill.reimbursed();
                Event::Reimbursed { key, payer: operator, amount, reimbursed, status, version }
            }
            StatusChange::ReverseUse { reason, approval } => {
                let reimbursed = bill.reimbursed();
                Event::UseReversed {
                    key,
                    payer: operator,
                    reason,
                    approval,
                    reimbursed,
                    status,
                    version,
                }
            }
        };
        Self::deposit_event(event);
    }

    /// Reverses a bill in red: the one way in which red and balance bills come
    /// onto the chain.
    pub(crate) fn reverse_in_red(
        sender: ActiveParticipant,
        key: BillKey,
        expected_version: Option<u32>,
        red: BillSummary,
        balance: Option<BillSummary>,
        reason: Reason,
    ) -> DispatchResult {
        const OPERATION: Operation = Operation::RedReverse;
        let bill = T::Ledger::bill(&key).ok_or(Error::<T>::BillNotFound)?;
        let seen = bill.state.version;
        let (mut blue, released) = Self::settle(bill, &sender.did)?;
        let expired = Self::note_expiry(&blue, released, &sender.did);

        let scene = blue.scene_of(OPERATION);
        let target = Self::rule(Some(blue.state.status), OPERATION, sender.roles, scene)?;
        ensure!(blue.summary.kind != BillKind::Red, Error::<T>::RedBillFixed);
        ensure!(blue.summary.issuer == sender.did, Error::<T>::NotIssuer);
        let current = if expired { seen } else { blue.state.version };
        ensure!(expected_version.is_none_or(|v| v == current), Error::<T>::StaleVersion);
        Self::ensure_reversal_fits(&blue.summary, &red, balance.as_ref())?;
        blue.state.status = Self::named(target)?;
        ensure!(blue.state.status == BillStatus::RedReversed, Error::<T>::RuleUnusable);
        ensure!(blue.inconsistency().is_none(), Error::<T>::RuleUnusable);
        let opening = Self::named(Self::rule(None, OPERATION, sender.roles, scene)?)?;
        ensure!(opening == BillStatus::Normal, Error::<T>::RuleUnusable);

        let entry = Entry::reasoned(OPERATION, sender.did.clone(), reason.clone());
        let (red_key, balance_key) = (red.key, balance.as_ref().map(|balance| balance.key));
        T::Ledger::open(red, opening, entry.clone()).map_err(Error::<T>::RedBill)?;
        if let Some(balance) = balance {
            T::Ledger::open(balance, opening, entry.clone()).map_err(Error::<T>::BalanceBill)?;
        }
        let version = T::Ledger::advance(blue, entry)?.state.version;
        Self::deposit_event(Event::RedReversed {
            key,
            operator: sender.did,
            red: red_key,
            balance: balance_key,
            reason,
            version,
        });
        Ok(())
    }

    /// Fills in hashes of one bill.
    pub(crate) fn fill(sender: &ActiveParticipant, item: SummaryItem) -> DispatchResult {
        let SummaryItem { key, expected_version, pdf_hash, location_hash } = item;
        let mut bill = T::Ledger::bill(&key).ok_or(Error::<T>::BillNotFound)?;
        ensure!(
            !bill.state.status.is_final(),
            Error::<T>::Transition(TransitionProblem::FinalStatus)
        );
        ensure!(
            sender.roles.contains(Role::Issuer),
            Error::<T>::Transition(TransitionProblem::RoleForbidden)
        );
        ensure!(bill.summary.issuer == sender.did, Error::<T>::NotIssuer);
        Self::ensure_version(&bill, expected_version)?;
        ensure!(pdf_hash.is_some() || location_hash.is_some(), Error::<T>::NothingToUpdate);
        for (field, given) in [
            (&mut bill.summary.pdf_hash, pdf_hash),
            (&mut bill.summary.location_hash, location_hash),
        ] {
            let Some(hash) = given else { continue };
            ensure!(hash != [0; 32], Error::<T>::HashZero);
            ensure!(*field == [0; 32], Error::<T>::AlreadyFilled);
            *field = hash;
        }
        let entry = Entry::plain(Cause::Summary, sender.did.clone());
        let version = T::Ledger::advance(bill, entry)?.state.version;
        Self::deposit_event(Event::SummaryUpdated {
            key,
            operator: sender.did.clone(),
            pdf_hash,
            location_hash,
            version,
        });
        Ok(())
    }
}

impl<T: Config> BillsInForce for Pallet<T> {
    fn bill_in_force(key: &BillKey) -> Option<Bill> {
        Self::bill_in_force(key)
    }
}

impl<T: Config> BillLocks for Pallet<T> {
    fn claimant(sender: &ActiveParticipant, user: Option<&Did>) -> Result<Did, DispatchError> {
        Ok(Self::claimant(sender, user)?)
    }

    fn admin_lock(
        sender: ActiveParticipant,
        key: BillKey,
        reason: Reason,
        evidence: [u8; 32],
    ) -> DispatchResult {
        Self::apply(&sender, key, None, StatusChange::AdminLock { reason, evidence })
    }

    fn admin_unlock(
        sender: ActiveParticipant,
        key: BillKey,
        reason: Reason,
        evidence: [u8; 32],
    ) -> DispatchResult {
        Self::apply(&sender, key, None, StatusChange::AdminUnlock { reason, evidence })
    }
}

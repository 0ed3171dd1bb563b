//! Tenures of keys, and the record of equivocations.
//!
//! A validator that signs two statements where it may sign one proves it by these
//! statements. A proposer that holds such a pair brings it into its block as an
//! inherent ([`Call::report_equivocations`]); a block whose inherent proves
//! nothing, or says what is on record, is not valid. The record is there for the
//! council: [`Call::remove_validator`] may cite it. Nobody is removed by itself.
//!
//! A record stays [`RECORD_PERIOD_MS`] at least. Of one key [`crate::MAX_RECORDS`] are
//! kept; when there are as many, the oldest gives way if its time is over, and
//! else the new one is refused: a validator that goes on equivocating cannot push
//! out what a motion cites. Keys that vote no more are remembered, the last
//! [`crate::MAX_FORMER_KEYS`] of them; an older one is forgotten with its record, which
//! blocks and events keep.

use crate::{
    Call, Config, EquivocationRecord, Equivocations, Error, Event, FormerKeys, MAX_REPORT_AGE,
    MAX_REPORTS, Pallet, RECORD_PERIOD_MS, Tenure, Tenures, Validator,
};
use billchain_primitives::{
    AccountId, BlockNumber, ConsensusDomain, Equivocation, Offence, Stamp, sm3,
};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The account of a consensus key.
pub(crate) fn account_of(key: &[u8; 33]) -> AccountId {
    AccountId::new(sm3(key))
}

impl<T: Config> Pallet<T> {
    /// The equivocations on record of one key, oldest first.
    pub fn equivocations_of(offender: &AccountId) -> Vec<EquivocationRecord> {
        Equivocations::<T>::get(offender).into_inner()
    }

    /// The equivocations on record of all keys: of those that vote, in the order
    /// of the validators, and of those that vote no more.
    pub fn equivocations() -> Vec<EquivocationRecord> {
        let voting = Self::validators().into_iter().map(|v| account_of(&v.consensus_key));
        let former = FormerKeys::<T>::get();
        voting.chain(former).flat_map(|key| Self::equivocations_of(&key)).collect()
    }

    /// Whether this equivocation of the operator's is on record.
    pub fn is_on_record(operator: &AccountId, offence: &Offence) -> bool {
        Equivocations::<T>::get(&offence.offender)
            .iter()
            .any(|record| record.operator == *operator && record.equivocation.offence() == *offence)
    }

    /// Whose equivocation this is, if the block at hand may record it. It writes
    /// nothing, so that a proposer asks before it reports; signatures come last.
    pub fn judge(equivocation: &Equivocation) -> Result<AccountId, Error<T>> {
        let tenure = Self::ensure_open(equivocation)?;
        // The genesis' hash stays on the chain for good.
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        equivocation
            .verify(&ConsensusDomain::new(genesis), &tenure.key)
            .map_err(|_| Error::<T>::NotProven)?;
        Ok(tenure.operator)
    }

    /// Whether the block at hand may record this equivocation, if it is proven:
    /// for what was judged once already.
    pub fn is_open(equivocation: &Equivocation) -> bool {
        Self::ensure_open(equivocation).is_ok()
    }

    fn ensure_open(equivocation: &Equivocation) -> Result<Tenure, Error<T>> {
        let height = equivocation.height;
        let tenure = Tenures::<T>::get(&equivocation.offender)
            .filter(|tenure| tenure.covers(height))
            .ok_or(Error::<T>::NotValidatorThen)?;
        let block = u64::from(Self::block());
        ensure!(height < block, Error::<T>::NotDecidedYet);
        ensure!(block - height <= MAX_REPORT_AGE, Error::<T>::ReportTooOld);
        let records = Equivocations::<T>::get(&equivocation.offender);
        let offence = equivocation.offence();
        let is_known = records.iter().any(|record| record.equivocation.offence() == offence);
        ensure!(!is_known, Error::<T>::AlreadyRecorded);
        let has_room = !records.is_full() || records.first().is_some_and(Self::may_give_way);
        ensure!(has_room, Error::<T>::RecordFull);
        Ok(tenure)
    }

    fn may_give_way(record: &EquivocationRecord) -> bool {
        record.at.moment.saturating_add(RECORD_PERIOD_MS) <= T::Time::now()
    }

    /// The inherent that reports what may be recorded of `held`, in its order;
    /// none if there is nothing.
    pub fn report_of(held: &[Equivocation]) -> Option<Call<T>> {
        let mut equivocations = BoundedVec::<Equivocation, ConstU32<MAX_REPORTS>>::new();
        for equivocation in held {
            let offence = equivocation.offence();
            let is_twice = equivocations.iter().any(|other| other.offence() == offence);
            if !is_twice
                && Self::judge(equivocation).is_ok()
                && equivocations.try_push(equivocation.clone()).is_err()
            {
                break;
            }
        }
        (!equivocations.is_empty()).then_some(Call::report_equivocations { equivocations })
    }

    /// Records an equivocation, if it is one that may be recorded.
    pub(crate) fn record(equivocation: Equivocation) -> DispatchResult {
        let operator = Self::judge(&equivocation)?;
        let (offence, round) = (equivocation.offence(), equivocation.round);
        let at = Stamp {
            block: Self::block(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        };
        let record = EquivocationRecord { equivocation, operator: operator.clone(), at };
        Equivocations::<T>::try_mutate(&offence.offender, |records| {
            // The oldest may give way: that was asked above.
            if records.is_full() {
                records.remove(0);
            }
            records.try_push(record).map_err(|_| Error::<T>::RecordFull)
        })?;
        Self::deposit_event(Event::EquivocationRecorded { operator, offence, round });
        Ok(())
    }

    fn block() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// A key votes from the next block on. A key that comes back begins anew.
    pub(crate) fn begin_tenure(key: [u8; 33], operator: &AccountId) {
        let account = account_of(&key);
        FormerKeys::<T>::mutate(|former| former.retain(|known| *known != account));
        let from = Self::block().saturating_add(1);
        let tenure = Tenure { key, operator: operator.clone(), from, until: None };
        Tenures::<T>::insert(&account, tenure);
    }

    /// A key votes no more from the next block on.
    pub(crate) fn end_tenure(key: &[u8; 33]) {
        let account = account_of(key);
        Tenures::<T>::mutate(&account, |tenure| {
            if let Some(tenure) = tenure {
                tenure.until = Some(Self::block());
            }
        });
        FormerKeys::<T>::mutate(|former| {
            if former.is_full() {
                let forgotten = former.remove(0);
                Tenures::<T>::remove(&forgotten);
                Equivocations::<T>::remove(&forgotten);
            }
            // There is room now.
            let _ = former.try_push(account);
        });
    }

    /// That the keys that vote have tenures that go on, the former ones such that
    /// have ended, and no other key has one.
    pub(crate) fn check_tenures(validators: &[Validator]) -> Result<(), TryRuntimeError> {
        for validator in validators {
            let tenure = Tenures::<T>::get(account_of(&validator.consensus_key))
                .ok_or("a key that votes has no tenure")?;
            ensure!(tenure.key == validator.consensus_key, "a tenure is of another key");
            ensure!(tenure.operator == validator.operator, "a tenure is of another operator");
            ensure!(tenure.until.is_none(), "the tenure of a key that votes has ended");
        }
        let former = FormerKeys::<T>::get();
        for key in &former {
            let tenure = Tenures::<T>::get(key).ok_or("a former key has no tenure")?;
            ensure!(tenure.until.is_some(), "the tenure of a former key goes on");
        }
        let known = validators.len().saturating_add(former.len());
        ensure!(Tenures::<T>::iter_keys().count() == known, "a tenure is of no known key");
        Ok(())
    }

    /// That what is on record is of keys that are known, covered by their tenures,
    /// each offence once, in the order of recording.
    pub(crate) fn check_records() -> Result<(), TryRuntimeError> {
        for (offender, records) in Equivocations::<T>::iter() {
            let tenure = Tenures::<T>::get(&offender).ok_or("a record is of no known key")?;
            let mut offences = Vec::new();
            for EquivocationRecord { equivocation, .. } in &records {
                ensure!(equivocation.offender == offender, "a record is of another key");
                let height = equivocation.height;
                // A key that came back has a tenure that begins later.
                let is_covered = tenure.until.is_none_or(|until| height <= u64::from(until));
                ensure!(is_covered, "a record is of a height after the key's tenure");
                offences.push(equivocation.offence());
            }
            ensure!(records.is_sorted_by_key(|record| record.at.block), "records out of order");
            offences.sort();
            ensure!(offences.is_sorted_by(|a, b| a < b), "an offence is on record twice");
        }
        Ok(())
    }
}

//! The sets: what goes into them and what always holds of them.

use crate::{
    Config, Error, MAX_POWER, Observer, Observers, Pallet, PeerIdBytes, Tenures, Validator,
    Validators, equivocation::account_of, is_peer_id,
};
use billchain_primitives::{AccountId, PublicKey, seams::Electorate};
use frame::{prelude::*, try_runtime::TryRuntimeError};

impl<T: Config> Pallet<T> {
    /// The validators of the next block.
    pub fn validators() -> Vec<Validator> {
        Validators::<T>::get().into_inner()
    }

    /// The observers.
    pub fn observers() -> Vec<Observer> {
        Observers::<T>::get().into_inner()
    }

    /// Whether the council has put the key of the account `to` in the place of that of
    /// `from`, which votes no more.
    pub fn succeeds(from: &AccountId, to: &AccountId) -> bool {
        match (Tenures::<T>::get(from), Tenures::<T>::get(to)) {
            (Some(from), Some(to)) => {
                from.until.is_some() && to.until.is_none() && from.operator == to.operator
            }
            _ => false,
        }
    }

    /// Whether `account` operates a validator.
    pub fn is_operator(account: &AccountId) -> bool {
        Validators::<T>::get().iter().any(|validator| validator.operator == *account)
    }

    pub(crate) fn position(
        validators: &[Validator],
        operator: &AccountId,
    ) -> Result<usize, Error<T>> {
        validators.iter().position(|v| v.operator == *operator).ok_or(Error::<T>::NotFound)
    }

    pub(crate) fn ensure_peer_id_free(peer_id: &PeerIdBytes) -> Result<(), Error<T>> {
        ensure!(is_peer_id(peer_id), Error::<T>::InvalidPeerId);
        let used = Validators::<T>::get().iter().any(|v| v.peer_id == *peer_id)
            || Observers::<T>::get().iter().any(|o| o.peer_id == *peer_id);
        ensure!(!used, Error::<T>::PeerIdInUse);
        Ok(())
    }

    pub(crate) fn insert_validator(validator: Validator) -> Result<(), Error<T>> {
        Self::ensure_power(validator.power)?;
        ensure!(PublicKey::Sm2(validator.consensus_key).is_well_formed(), Error::<T>::InvalidKey);
        Self::ensure_peer_id_free(&validator.peer_id)?;
        let mut validators = Validators::<T>::get();
        for known in &validators {
            ensure!(known.operator != validator.operator, Error::<T>::OperatorInUse);
            ensure!(known.consensus_key != validator.consensus_key, Error::<T>::KeyInUse);
        }
        let operator = validator.operator.clone();
        let key = validator.consensus_key;
        validators.try_push(validator).map_err(|_| Error::<T>::TooMany)?;
        Validators::<T>::put(validators);
        Self::begin_tenure(key, &operator);
        frame_system::Pallet::<T>::inc_providers(&operator);
        Ok(())
    }

    pub(crate) fn insert_observer(observer: Observer) -> Result<(), Error<T>> {
        Self::ensure_peer_id_free(&observer.peer_id)?;
        Observers::<T>::try_mutate(|observers| {
            observers.try_push(observer).map_err(|_| Error::<T>::TooMany)
        })
    }

    /// Checks what always holds: powers within bounds, operators' accounts alive, nothing
    /// stands twice; every key that votes has a tenure that goes on, and what is on record is
    /// of keys whose tenures are known and cover it.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let validators = Validators::<T>::get();
        let powers = 1..=MAX_POWER;
        ensure!(validators.iter().all(|v| powers.contains(&v.power)), "a power is out of bounds");
        let alive = |v: &Validator| frame_system::Pallet::<T>::providers(&v.operator) > 0;
        ensure!(validators.iter().all(alive), "an operator's account does not exist");
        let mut peers: Vec<_> = validators.iter().map(|v| v.peer_id.clone()).collect();
        peers.extend(Observers::<T>::get().iter().map(|o| o.peer_id.clone()));
        let mut operators: Vec<_> = validators.iter().map(|v| v.operator.clone()).collect();
        let mut keys: Vec<_> = validators.iter().map(|v| v.consensus_key).collect();
        let (p, o, k) = (peers.len(), operators.len(), keys.len());
        peers.sort();
        peers.dedup();
        operators.sort();
        operators.dedup();
        keys.sort();
        keys.dedup();
        ensure!(peers.len() == p, "a peer identity stands twice");
        ensure!(operators.len() == o, "an operator stands twice");
        ensure!(keys.len() == k, "a consensus key stands twice");
        Self::check_tenures(&validators)?;
        Self::check_records()
    }

    pub(crate) fn ensure_power(power: u64) -> Result<(), Error<T>> {
        ensure!(power > 0, Error::<T>::NoPower);
        ensure!(power <= MAX_POWER, Error::<T>::PowerTooHigh);
        Ok(())
    }

    /// Changes the validator of an operator; what `change` gives.
    pub(crate) fn change<R>(
        operator: &AccountId,
        change: impl FnOnce(&mut Validator) -> R,
    ) -> Result<R, Error<T>> {
        Validators::<T>::try_mutate(|validators| {
            let at = Self::position(validators, operator)?;
            Ok(change(validators.get_mut(at).ok_or(Error::<T>::NotFound)?))
        })
    }

    /// Gives the validator another operator, whose account lives from now on.
    pub(crate) fn change_operator(from: &AccountId, to: &AccountId) -> Result<(), Error<T>> {
        let key = Validators::<T>::try_mutate(|validators| {
            let at = Self::position(validators, from)?;
            ensure!(validators.iter().all(|v| v.operator != *to), Error::<T>::OperatorInUse);
            let entry = validators.get_mut(at).ok_or(Error::<T>::NotFound)?;
            entry.operator = to.clone();
            Ok::<_, Error<T>>(entry.consensus_key)
        })?;
        Tenures::<T>::mutate(account_of(&key), |tenure| {
            if let Some(tenure) = tenure {
                tenure.operator = to.clone();
            }
        });
        // The account before stays, as a removed operator's does.
        frame_system::Pallet::<T>::inc_providers(to);
        Ok(())
    }
}

impl<T: Config> Electorate for Pallet<T> {
    fn voters() -> Vec<(AccountId, u64)> {
        let validators = Validators::<T>::get().into_iter();
        validators.map(|validator| (validator.operator, validator.power)).collect()
    }
}

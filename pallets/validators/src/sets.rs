//! The sets: what goes into them and what always holds of them.

use crate::{
    Addresses, Config, Error, MAX_POWER, Observer, Observers, Pallet, PeerIdBytes, Tenure, Tenures,
    Validator, Validators, equivocation::account_of, is_peer_id,
};
use billchain_primitives::{
    AccountId, BlockNumber, PublicKey,
    seams::{ConsensusKeys, Electorate},
};
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

    /// Which heights a consensus key decides; none of a key that the chain does not know.
    pub fn tenure(key: &[u8; 33]) -> Option<Tenure> {
        Tenures::<T>::get(account_of(key))
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
    /// stands twice, addresses are members'; every key that votes has a tenure that goes on,
    /// and what is on record is of keys whose tenures are known and cover it.
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
        Self::check_addresses()?;
        Self::check_records()
    }

    /// Gives the validator of an operator another key; the one before.
    pub(crate) fn replace_key(operator: &AccountId, key: [u8; 33]) -> Result<[u8; 33], Error<T>> {
        ensure!(PublicKey::Sm2(key).is_well_formed(), Error::<T>::InvalidKey);
        Validators::<T>::try_mutate(|validators| {
            let at = Self::position(validators, operator)?;
            ensure!(validators.iter().all(|v| v.consensus_key != key), Error::<T>::KeyInUse);
            let entry = validators.get_mut(at).ok_or(Error::<T>::NotFound)?;
            Ok(core::mem::replace(&mut entry.consensus_key, key))
        })
    }

    /// Takes the validator of an operator out, with its address.
    pub(crate) fn take_validator(operator: &AccountId) -> Result<Validator, Error<T>> {
        let removed = Validators::<T>::try_mutate(|validators| {
            let at = Self::position(validators, operator)?;
            ensure!(validators.len() > 1, Error::<T>::LastValidator);
            // The account stays: were it reaped, its nonce would begin again and its old
            // transactions be valid once more.
            Ok::<_, Error<T>>(validators.remove(at))
        })?;
        Addresses::<T>::remove(&removed.peer_id);
        Ok(removed)
    }

    /// Takes an observer out, with its address.
    pub(crate) fn take_observer(peer_id: &PeerIdBytes) -> Result<(), Error<T>> {
        Observers::<T>::try_mutate(|observers| {
            let mut known = observers.iter();
            let at = known.position(|one| one.peer_id == *peer_id).ok_or(Error::<T>::NotFound)?;
            observers.remove(at);
            Ok::<_, Error<T>>(())
        })?;
        Addresses::<T>::remove(peer_id);
        Ok(())
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

impl<T: Config> ConsensusKeys for Pallet<T> {
    fn keys() -> Vec<([u8; 33], u64)> {
        let validators = Validators::<T>::get().into_iter();
        validators.map(|validator| (validator.consensus_key, validator.power)).collect()
    }

    fn key_at(account: &AccountId, height: BlockNumber) -> Option<[u8; 33]> {
        let tenure = Tenures::<T>::get(account)?;
        tenure.covers(u64::from(height)).then_some(tenure.key)
    }
}

impl<T: Config> Electorate for Pallet<T> {
    fn voters() -> Vec<(AccountId, u64)> {
        let validators = Validators::<T>::get().into_iter();
        validators.map(|validator| (validator.operator, validator.power)).collect()
    }
}

//! Checks and writes behind the calls, and what always holds.

use crate::{
    AccountToDid, Change, Config, Error, Event, HistoryRecord, Pallet, Participant,
    ParticipantKind, Participants, Registration, UsccToDid, history_key,
};
use billchain_primitives::{
    AccountId, Did, Hash, PublicKey, RoleSet, Stamp,
    outbox::{Fact, Subject, Topic},
    seams::{Administrators, Outbox, ParticipantStatus},
    sm3,
};
use codec::Encode;
use frame::{deps::sp_io, prelude::*, traits::Time, try_runtime::TryRuntimeError};

impl<T: Config> Pallet<T> {
    /// The signer, if the administrator's origin has one.
    pub(crate) fn ensure_admin(origin: OriginFor<T>) -> Result<Option<AccountId>, DispatchError> {
        T::AdminOrigin::ensure_origin(origin.clone())?;
        Ok(ensure_signed(origin).ok())
    }

    /// As [`Self::ensure_admin`], for what may not wait.
    pub(crate) fn ensure_security(
        origin: OriginFor<T>,
    ) -> Result<Option<AccountId>, DispatchError> {
        if T::SecurityOrigin::ensure_origin(origin.clone()).is_ok() {
            return Ok(ensure_signed(origin).ok());
        }
        Self::ensure_admin(origin)
    }

    pub(crate) fn check_roles(did: &Did, roles: RoleSet) -> Result<(), Error<T>> {
        ensure!(roles.is_separate(), Error::<T>::RolesConflict);
        let office = T::Administrators::office(did);
        ensure!(office.is_none_or(|office| office.goes_with(roles)), Error::<T>::OfficeConflict);
        Ok(())
    }

    pub(crate) fn not_cancelled(did: &Did) -> Result<Participant, Error<T>> {
        let participant = Participants::<T>::get(did).ok_or(Error::<T>::NotFound)?;
        ensure!(participant.status != ParticipantStatus::Cancelled, Error::<T>::Cancelled);
        Ok(participant)
    }

    pub(crate) fn check_registration(registration: &Registration) -> Result<(), Error<T>> {
        let known = Participants::<T>::contains_key(&registration.did);
        ensure!(!known, Error::<T>::AlreadyRegistered);
        let room = Participants::<T>::count() < T::MaxParticipants::get();
        ensure!(room, Error::<T>::TooManyParticipants);
        ensure!(registration.roles.is_separate(), Error::<T>::RolesConflict);
        Self::check_key(&registration.public_key)?;
        Self::check_uscc(registration.kind, registration.uscc_hash)
    }

    pub(crate) fn check_key(key: &PublicKey) -> Result<(), Error<T>> {
        ensure!(Self::is_scheme_admitted(key.scheme()), Error::<T>::SchemeNotAdmitted);
        ensure!(key.is_well_formed(), Error::<T>::InvalidPublicKey);
        let account = key.account_id();
        let Some(owner) = AccountToDid::<T>::get(&account) else { return Ok(()) };
        let current = Participants::<T>::get(owner).is_some_and(|participant| {
            participant.account == account && participant.status != ParticipantStatus::Cancelled
        });
        Err(if current { Error::<T>::AccountInUse } else { Error::<T>::AccountRetired })
    }

    pub(crate) fn check_uscc(
        kind: ParticipantKind,
        uscc_hash: Option<Hash>,
    ) -> Result<(), Error<T>> {
        let Some(hash) = uscc_hash else { return Ok(()) };
        ensure!(kind == ParticipantKind::Organisation, Error::<T>::UsccOfPerson);
        ensure!(!hash.is_zero(), Error::<T>::ZeroUsccHash);
        ensure!(!UsccToDid::<T>::contains_key(hash), Error::<T>::UsccInUse);
        Ok(())
    }

    /// Writes a checked registration.
    pub(crate) fn insert(registration: Registration, operator: Option<AccountId>) {
        let Registration { did, name, kind, public_key, roles, uscc_hash } = registration.clone();
        let account = public_key.account_id();
        let participant = Participant {
            name,
            kind,
            public_key,
            account: account.clone(),
            roles,
            status: ParticipantStatus::Active,
            uscc_hash,
            rotations: 0,
            version: 0,
            history_hash: Hash::zero(),
            registered: Self::stamp(),
            updated: Self::stamp(),
        };
        Self::link(&account, &did);
        uscc_hash.into_iter().for_each(|hash| UsccToDid::<T>::insert(hash, &did));
        Self::store(&did, participant, operator.clone(), Change::Registered(registration));
        Self::deposit_event(Event::Registered { did, account, kind, roles, operator });
    }

    /// Gives a new account to a participant and lets it have a nonce. The
    /// reference is never dropped: the nonce must outlive the key.
    pub(crate) fn link(account: &AccountId, did: &Did) {
        AccountToDid::<T>::insert(account, did);
        frame_system::Pallet::<T>::inc_providers(account);
    }

    /// Writes a changed participant and the record of the change.
    pub(crate) fn store(
        did: &Did,
        mut participant: Participant,
        operator: Option<AccountId>,
        change: Change,
    ) {
        participant.version = participant.version.saturating_add(1);
        participant.updated = Self::stamp();
        let version = participant.version;
        let topic = match &change {
            Change::Registered(_) => Topic::ParticipantRegistered,
            _ => Topic::ParticipantChanged,
        };
        let record = HistoryRecord { version, stamp: participant.updated, operator, change };
        let encoded = record.encode();
        let chained = [participant.history_hash.as_bytes(), &encoded].concat();
        participant.history_hash = sm3(&chained).into();
        sp_io::offchain_index::set(&history_key(did, version), &encoded);
        T::Outbox::tell(|| Fact {
            topic,
            subject: Subject::Participant(did.clone()),
            version,
            scene: None,
            claim: None,
            digest: participant.history_hash.0,
        });
        Participants::<T>::insert(did, participant);
    }

    fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }

    /// Checks that
    /// 1. every participant's account is its key's and leads back to it, and
    ///    its system record is kept alive;
    /// 2. every account known belongs to a participant, and there is one for
    ///    every registration and rotation;
    /// 3. the USCC hashes known are exactly those of the organisations that are
    ///    not cancelled;
    /// 4. the bounds hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let (mut with_uscc, mut keys, mut count) = (0, 0u64, 0u32);
        for (did, participant) in Participants::<T>::iter() {
            count = count.saturating_add(1);
            keys = keys.saturating_add(1).saturating_add(participant.rotations.into());
            let account = &participant.account;
            ensure!(*account == participant.public_key.account_id(), "account is not the key's");
            let owner = AccountToDid::<T>::get(account);
            ensure!(owner.as_ref() == Some(&did), "account leads to another participant");
            ensure!(participant.version > 0, "participant without a version");
            ensure!(participant.roles.is_separate(), "a participant administers and audits");
            ensure!(participant.rotations <= T::MaxRotations::get(), "too many rotations");
            if let Some(hash) = participant.uscc_hash {
                let organisation = participant.kind == ParticipantKind::Organisation;
                ensure!(organisation, "person with a USCC");
                if participant.status != ParticipantStatus::Cancelled {
                    with_uscc += 1;
                    ensure!(UsccToDid::<T>::get(hash).as_ref() == Some(&did), "USCC hash lost");
                }
            }
        }
        ensure!(count == Participants::<T>::count(), "participant counter is wrong");
        ensure!(count <= T::MaxParticipants::get(), "too many participants");
        ensure!(UsccToDid::<T>::iter().count() == with_uscc, "USCC hash of nobody");
        let mut accounts = 0u64;
        for (account, did) in AccountToDid::<T>::iter() {
            accounts = accounts.saturating_add(1);
            ensure!(Participants::<T>::contains_key(did), "account of nobody");
            let alive = frame_system::Pallet::<T>::providers(&account) > 0;
            ensure!(alive, "account without a system record");
        }
        ensure!(accounts == keys, "accounts do not match registrations and rotations");
        Ok(())
    }
}

//! Who may do what to a grant and when it may be used; the writes behind the
//! calls.

use crate::{
    BY_HOLDER, BY_SUBJECT, Change, Condition, Config, Error, Event, Grant, GrantStatus, GrantsById,
    GrantsOfHolder, HistoryRecord, Pallet, Scope, Terms, UseKind, history_key, party_key,
};
use billchain_primitives::{
    AccountId, BillKey, BillSummary, Did, Fen, GrantId, Hash, Role, SceneId, Stamp,
    outbox::{Fact, Topic},
    seams::{
        ActiveParticipant, ColdReads, GrantProblem, GrantUse, Grants, Outbox, ParticipantProblem,
        Participants, Scenes,
    },
    sm3,
};
use codec::Encode;
use frame::{deps::sp_io::offchain_index, prelude::*, traits::Time, try_runtime::TryRuntimeError};
use std::collections::{BTreeMap, BTreeSet};

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// The grant `id`, whatever its state.
    pub fn grant(id: &GrantId) -> Option<Grant> {
        let grant = GrantsById::<T>::get(id)?;
        T::ColdReads::charge(grant.updated.moment);
        Some(grant)
    }

    /// Whether `subject` may use the grant `id` for `bill` in `scene` now. The
    /// states of subject and scene are another matter.
    pub fn check(
        id: &GrantId,
        subject: &Did,
        bill: &BillSummary,
        scene: SceneId,
    ) -> Result<(), GrantProblem> {
        let grant = Self::grant(id).ok_or(GrantProblem::NotFound)?;
        Self::ensure_usable(&grant, subject, bill, scene)
    }
}

impl<T: Config> Grants for Pallet<T> {
    fn use_for_lock(grant: &GrantId, usage: GrantUse<'_>) -> Result<(), GrantProblem> {
        let GrantUse { subject, bill, version, scene } = usage;
        let entry = Self::grant(grant).ok_or(GrantProblem::NotFound)?;
        Self::ensure_usable(&entry, subject, bill, scene)?;
        Self::record_use_of(entry, bill.key, version, UseKind::Lock);
        Ok(())
    }
}

impl<T> From<GrantProblem> for Error<T> {
    fn from(problem: GrantProblem) -> Self {
        Self::Grant(problem)
    }
}

/// Who may do what.
impl<T: Config> Pallet<T> {
    pub(crate) fn ensure_may_register(
        sender: &ActiveParticipant,
        terms: &Terms,
    ) -> Result<(), Error<T>> {
        let in_its_name = sender.did == terms.holder || sender.roles.contains(Role::Platform);
        ensure!(in_its_name, Error::NotHolder);
        Ok(())
    }

    /// The grant `id`, which is not revoked, if `sender` may freeze, activate
    /// and revoke it.
    pub(crate) fn in_charge(id: &GrantId, sender: &ActiveParticipant) -> Result<Grant, Error<T>> {
        let grant = Self::grant(id).ok_or(GrantProblem::NotFound)?;
        let as_platform = sender.did == grant.registrar && sender.roles.contains(Role::Platform);
        ensure!(sender.did == grant.terms.holder || as_platform, Error::NotInCharge);
        ensure!(grant.status != GrantStatus::Revoked, Error::Grant(GrantProblem::Revoked));
        Ok(grant)
    }

    pub(crate) fn ensure_party(grant: &Grant, sender: &ActiveParticipant) -> Result<(), Error<T>> {
        let Terms { holder, subject, .. } = &grant.terms;
        let party = sender.did == *holder || sender.did == *subject;
        ensure!(party || sender.roles.contains(Role::Platform), Error::NotParty);
        Ok(())
    }

    pub(crate) fn ensure_room(grant: &Grant) -> Result<(), Error<T>> {
        ensure!(grant.version < T::MaxRecords::get(), Error::Grant(GrantProblem::Exhausted));
        Ok(())
    }

    pub(crate) fn ensure_scene(scene: SceneId) -> Result<(), Error<T>> {
        T::Scenes::active(scene).map(drop).map_err(Error::Scene)
    }
}

/// The rules of a new grant and of its use.
impl<T: Config> Pallet<T> {
    pub(crate) fn ensure_sound(terms: &Terms) -> Result<(), Error<T>> {
        ensure!(!terms.credential_hash.is_zero(), Error::CredentialMissing);
        ensure!(terms.holder != terms.subject, Error::SubjectIsHolder);
        ensure!(terms.valid_from <= terms.valid_until, Error::ValidityEmpty);
        ensure!(T::Time::now() <= terms.valid_until, Error::Grant(GrantProblem::Expired));
        match &terms.scope {
            Scope::Bills(keys) => {
                ensure!(!keys.is_empty(), Error::NoBills);
                let different: BTreeSet<_> = keys.iter().collect();
                ensure!(different.len() == keys.len(), Error::DuplicateBill);
            }
            Scope::Matching(condition) => ensure!(is_sound(condition), Error::ConditionEmpty),
        }
        Self::ensure_scene(terms.scene)
    }

    pub(crate) fn ensure_usable(
        grant: &Grant,
        subject: &Did,
        bill: &BillSummary,
        scene: SceneId,
    ) -> Result<(), GrantProblem> {
        let Grant { terms, holder_account, subject_account, .. } = grant;
        let now = T::Time::now();
        let unless = |holds: bool, problem| if holds { Ok(()) } else { Err(problem) };
        let has_key = |did: &Did, account: &AccountId| {
            T::Participants::account_of(did).as_ref() == Some(account)
        };
        unless(terms.subject == *subject, GrantProblem::WrongSubject)?;
        match grant.status {
            GrantStatus::Active => {}
            GrantStatus::Frozen => return Err(GrantProblem::Frozen),
            GrantStatus::Revoked => return Err(GrantProblem::Revoked),
        }
        unless(terms.valid_from <= now, GrantProblem::NotYetValid)?;
        unless(now <= terms.valid_until, GrantProblem::Expired)?;
        T::Participants::active_by_did(&terms.holder).map_err(|_| GrantProblem::HolderNotActive)?;
        unless(has_key(&terms.holder, holder_account), GrantProblem::HolderKeyChanged)?;
        unless(has_key(subject, subject_account), GrantProblem::SubjectKeyChanged)?;
        unless(terms.scene == scene && terms.scope.covers(bill), GrantProblem::OutOfScope)?;
        unless(grant.version < T::MaxRecords::get(), GrantProblem::Exhausted)
    }
}

fn is_sound(condition: &Condition) -> bool {
    !condition.payer_ref.is_zero()
        && condition.issued_from <= condition.issued_until
        && condition.max_total.is_none_or(|most| most >= Fen::ZERO)
}

/// Writes.
impl<T: Config> Pallet<T> {
    /// Writes a grant whose terms are sound.
    pub(crate) fn insert(terms: Terms, registrar: Did) -> Result<(), Error<T>> {
        let grant = GrantId(terms.credential_hash);
        ensure!(Self::grant(&grant).is_none(), Error::AlreadyRegistered);
        T::ColdReads::charge_missing();
        let account = |did: &Did| {
            T::Participants::active_by_did(did)?;
            T::Participants::account_of(did).ok_or(ParticipantProblem::NotFound)
        };
        let holder_account = account(&terms.holder).map_err(Error::Holder)?;
        let subject_account = account(&terms.subject).map_err(Error::Subject)?;
        ensure!(GrantsById::<T>::count() < T::MaxGrants::get(), Error::TooManyGrants);
        let held = GrantsOfHolder::<T>::get(&terms.holder);
        ensure!(held < T::MaxGrantsPerHolder::get(), Error::TooManyGrantsOfHolder);
        GrantsOfHolder::<T>::insert(&terms.holder, held.saturating_add(1));

        let registered = Self::stamp();
        let Terms { holder, subject, scene, valid_from, valid_until, .. } = terms.clone();
        for (list, party) in [(BY_HOLDER, &holder), (BY_SUBJECT, &subject)] {
            offchain_index::set(&party_key(list, party, &registered, &grant), &grant.encode());
        }
        let entry = Grant {
            terms: terms.clone(),
            registrar: registrar.clone(),
            holder_account,
            subject_account,
            status: GrantStatus::Active,
            uses: 0,
            version: 0,
            history_hash: Hash::zero(),
            registered,
            updated: registered,
        };
        Self::record(entry, registrar.clone(), Change::Registered(terms));
        Self::deposit_event(Event::GrantRegistered {
            grant,
            holder,
            subject,
            scene,
            valid_from,
            valid_until,
            operator: registrar,
        });
        Ok(())
    }

    /// Writes a use by the subject, which was checked.
    pub(crate) fn record_use_of(mut entry: Grant, bill: BillKey, version: u32, kind: UseKind) {
        entry.uses = entry.uses.saturating_add(1);
        let (grant, subject) = (entry.id(), entry.terms.subject.clone());
        Self::record(entry, subject.clone(), Change::Used { bill, version, kind });
        Self::deposit_event(Event::GrantUsed { grant, subject, bill, version, kind });
    }

    /// Writes a changed grant and the record of the change.
    pub(crate) fn record(mut entry: Grant, operator: Did, change: Change) {
        entry.version = entry.version.saturating_add(1);
        entry.updated = Self::stamp();
        let (id, version) = (entry.id(), entry.version);
        let topic = match &change {
            Change::Registered(_) => Topic::GrantRegistered,
            Change::Frozen { .. } | Change::Activated { .. } | Change::Revoked { .. } => {
                Topic::GrantChanged
            }
            Change::Used { .. } | Change::Transferred { .. } => Topic::GrantUsed,
        };
        let record = HistoryRecord { version, stamp: entry.updated, operator, change };
        let encoded = record.encode();
        let chained = [entry.history_hash.as_bytes(), &encoded].concat();
        entry.history_hash = sm3(&chained).into();
        offchain_index::set(&history_key(&id, version), &encoded);
        T::Outbox::tell(|| Fact {
            topic,
            subject: id.into(),
            version,
            scene: Some(entry.terms.scene),
            claim: None,
            digest: entry.history_hash.0,
        });
        GrantsById::<T>::insert(id, entry);
    }

    fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }

    /// Checks that
    /// 1. a grant lies under its own id and its terms are such as are taken;
    /// 2. its uses are some of its records, and those are no more than there
    ///    may be, one revocation excepted;
    /// 3. the grants of each holder are counted;
    /// 4. the bounds hold.
    ///
    /// Cold grants are counted and not gone through: those of the holders are as many as
    /// there are in all, beside the hot ones.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let (mut count, mut held) = (0_u32, BTreeMap::<Did, u32>::new());
        for (id, grant) in GrantsById::<T>::iter() {
            count = count.saturating_add(1);
            let terms = &grant.terms;
            ensure!(grant.id() == id, "a grant lies under its own id");
            ensure!(terms.holder != terms.subject, "nobody authorises itself");
            ensure!(terms.valid_from <= terms.valid_until, "a grant has a time");
            let scope_is_sound = match &terms.scope {
                Scope::Bills(keys) => !keys.is_empty(),
                Scope::Matching(condition) => is_sound(condition),
            };
            ensure!(scope_is_sound, "a grant is for some bills");
            ensure!(grant.version > grant.uses, "uses are records beside the registration");
            let revocation = u32::from(grant.status == GrantStatus::Revoked);
            let most = T::MaxRecords::get().saturating_add(revocation);
            ensure!(grant.version <= most, "a grant with too many records");
            let of_holder = held.entry(terms.holder.clone()).or_default();
            *of_holder = of_holder.saturating_add(1);
        }
        let all = GrantsById::<T>::count();
        ensure!(count <= all, "grant counter is wrong");
        ensure!(all <= T::MaxGrants::get(), "too many grants");
        let mut cold = u64::from(all - count);
        for (holder, counted) in GrantsOfHolder::<T>::iter() {
            let hot = held.remove(&holder).unwrap_or_default();
            let of_holder = counted.checked_sub(hot).map(u64::from);
            let left = of_holder.and_then(|of_holder| cold.checked_sub(of_holder));
            cold = left.ok_or("grants of a holder are counted wrongly")?;
            ensure!(counted <= T::MaxGrantsPerHolder::get(), "a holder with too many grants");
        }
        ensure!(cold == 0 && held.is_empty(), "grants of a holder are counted wrongly");
        Ok(())
    }
}

//! Connectors and leases: who may do what, what terms must be, the writes behind the calls,
//! and what always holds.

use crate::{
    Config, Connector, ConnectorStatus, Connectors, Entries, Error, Event, GenesisConfig,
    LEASE_BLOCKS, LEASE_MS, Lane, Lanes, Lease, Leases, MAX_LANE, MAX_REFUSALS, MAX_WAITING,
    Pallet, Route, Routes, SceneFilter, Tallies, Tally, Terms, Trails,
};
use billchain_primitives::{
    Did, Stamp,
    outbox::{ConnectorId, EntryStatus, Subject},
    seams::Participants,
};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};
use std::collections::{BTreeMap, BTreeSet};

impl<T: Config> GenesisConfig<T> {
    /// Everything that is wrong with the configuration; empty if it can be built.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut endpoints = BTreeSet::new();
        for (at, terms) in self.connectors.iter().enumerate() {
            if let Some(problem) = unsound::<T>(terms) {
                problems.push(format!("connectors[{at}]: {problem:?}"));
            }
            if !endpoints.insert(&terms.endpoint) {
                let endpoint = &terms.endpoint;
                problems.push(format!("connectors[{at}].endpoint: {endpoint} is named twice"));
            }
        }
        let most = u32::from(T::MaxConnectors::get()).min(crate::MAX_ROUTES) as usize;
        if self.connectors.len() > most {
            let found = self.connectors.len();
            problems.push(format!("connectors: expected at most {most}, found {found}"));
        }
        problems
    }
}

/// What is wrong with terms in themselves.
fn unsound<T: Config>(terms: &Terms) -> Option<Error<T>> {
    let is_once = |count: usize, different: usize| count > 0 && count == different;
    if terms.topics.is_empty() {
        return Some(Error::NoTopics);
    }
    if let SceneFilter::Only(scenes) = &terms.scenes {
        let different: BTreeSet<_> = scenes.iter().collect();
        if !is_once(scenes.len(), different.len()) {
            return Some(Error::ScenesUnsound);
        }
    }
    let different: BTreeSet<_> = terms.acknowledgers.iter().collect();
    if !is_once(terms.acknowledgers.len(), different.len()) {
        return Some(Error::AcknowledgersUnsound);
    }
    if !(1..=MAX_REFUSALS).contains(&terms.max_refusals) {
        return Some(Error::MaxRefusalsOutOfBounds);
    }
    if !(1..=MAX_WAITING).contains(&terms.max_waiting) {
        return Some(Error::MaxWaitingOutOfBounds);
    }
    None
}

/// Who sends a call.
impl<T: Config> Pallet<T> {
    /// The sender and the connector, if it acknowledges for it.
    pub(crate) fn acknowledger(
        origin: OriginFor<T>,
        connector: ConnectorId,
    ) -> Result<(Did, Connector), DispatchError> {
        let sender = T::Participants::signer::<Error<T>>(origin)?;
        let found = Connectors::<T>::get(connector).ok_or(Error::<T>::ConnectorNotFound)?;
        let may = found.terms.acknowledgers.contains(&sender.did);
        ensure!(may, Error::<T>::NotAcknowledger);
        Ok((sender.did, found))
    }

    /// The sender, if it acknowledges for the connector; none for the council.
    pub(crate) fn council_or_acknowledger(
        origin: OriginFor<T>,
        connector: ConnectorId,
    ) -> Result<Option<Did>, DispatchError> {
        if T::AdminOrigin::ensure_origin(origin.clone()).is_ok() {
            let known = Connectors::<T>::contains_key(connector);
            ensure!(known, Error::<T>::ConnectorNotFound);
            return Ok(None);
        }
        Self::acknowledger(origin, connector).map(|(by, _)| Some(by))
    }
}

/// Connectors.
impl<T: Config> Pallet<T> {
    /// Writes a new connector; its number.
    pub(crate) fn add(terms: Terms) -> Result<ConnectorId, Error<T>> {
        Self::check_terms(&terms, None)?;
        let count = u16::try_from(Connectors::<T>::count()).unwrap_or(u16::MAX);
        ensure!(count < T::MaxConnectors::get(), Error::TooManyConnectors);
        let connector = ConnectorId(count.saturating_add(1));
        Routes::<T>::try_mutate(|routes| routes.try_push(route(connector, &terms)))
            .map_err(|_| Error::TooManyRoutes)?;
        let registered = Self::stamp();
        let status = ConnectorStatus::Active;
        let entry = Connector { terms, status, registered, updated: registered };
        Connectors::<T>::insert(connector, entry);
        Ok(connector)
    }

    /// Writes other terms of a connector.
    pub(crate) fn change_terms(connector: ConnectorId, terms: Terms) -> Result<(), Error<T>> {
        let mut found = Self::not_retired(connector)?;
        ensure!(found.terms != terms, Error::TermsUnchanged);
        Self::check_terms(&terms, Some(connector))?;
        Routes::<T>::mutate(|routes| {
            for known in routes.iter_mut().filter(|known| known.connector == connector) {
                *known = route(connector, &terms);
            }
        });
        // Who does not acknowledge any more works no more.
        if Leases::<T>::get(connector).is_some_and(|it| !terms.acknowledgers.contains(&it.holder)) {
            Leases::<T>::remove(connector);
        }
        found.terms = terms;
        found.updated = Self::stamp();
        Connectors::<T>::insert(connector, found);
        Ok(())
    }

    /// Writes another state of a connector; the one before.
    pub(crate) fn change_status(
        connector: ConnectorId,
        status: ConnectorStatus,
    ) -> Result<ConnectorStatus, Error<T>> {
        let mut found = Self::not_retired(connector)?;
        let from = found.status;
        ensure!(from != status, Error::StatusUnchanged);
        if status == ConnectorStatus::Retired {
            Routes::<T>::mutate(|routes| routes.retain(|known| known.connector != connector));
        }
        Leases::<T>::remove(connector);
        found.status = status;
        found.updated = Self::stamp();
        Connectors::<T>::insert(connector, found);
        Ok(from)
    }

    pub(crate) fn not_retired(connector: ConnectorId) -> Result<Connector, Error<T>> {
        let found = Connectors::<T>::get(connector).ok_or(Error::ConnectorNotFound)?;
        ensure!(found.status != ConnectorStatus::Retired, Error::ConnectorRetired);
        Ok(found)
    }

    /// Checks terms, of a new connector or of `own`.
    fn check_terms(terms: &Terms, own: Option<ConnectorId>) -> Result<(), Error<T>> {
        unsound(terms).map_or(Ok(()), Err)?;
        let others = Routes::<T>::get().into_iter().map(|route| route.connector);
        for other in others.filter(|other| Some(*other) != own) {
            let known = Connectors::<T>::get(other);
            let is_its = known.is_some_and(|known| known.terms.endpoint == terms.endpoint);
            ensure!(!is_its, Error::EndpointInUse);
        }
        Ok(())
    }

    /// The transaction at hand.
    pub(crate) fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }
}

fn route(connector: ConnectorId, terms: &Terms) -> Route {
    let Terms { topics, ref scenes, max_waiting, .. } = *terms;
    Route { connector, topics, scenes: scenes.clone(), max_waiting }
}

/// Leases.
impl<T: Config> Pallet<T> {
    /// Gives the lease to `by`, or lets it hold it longer.
    pub(crate) fn take_lease(connector: ConnectorId, by: Did) -> Result<(), Error<T>> {
        let at = Self::stamp();
        let before = Leases::<T>::get(connector);
        let is_own = before.as_ref().is_some_and(|lease| lease.holder == by);
        let is_over = before.as_ref().is_none_or(|lease| lease.is_over(at.block, at.moment));
        ensure!(is_own || is_over, Error::LeaseHeld);
        if is_own {
            Self::hold_longer(connector, &by);
            return Ok(());
        }
        Leases::<T>::insert(connector, lease(by.clone(), at, at));
        let from = before.map(|lease| lease.holder);
        Self::deposit_event(Event::LeaseTaken { connector, holder: by, from });
        Ok(())
    }

    /// Lets `by` hold the lease longer, if it is its: it showed up.
    pub(crate) fn hold_longer(connector: ConnectorId, by: &Did) {
        let Some(held) = Leases::<T>::get(connector).filter(|lease| lease.holder == *by) else {
            return;
        };
        Leases::<T>::insert(connector, lease(held.holder, held.since, Self::stamp()));
    }
}

fn lease(holder: Did, since: Stamp, now: Stamp) -> Lease {
    let until = now.moment.saturating_add(LEASE_MS);
    let until_block = now.block.saturating_add(LEASE_BLOCKS);
    Lease { holder, since, until, until_block }
}

/// What always holds.
impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. connectors are numbered from 1 on without gaps, their terms are sound, and there is a
    ///    route for each that is not retired, which says the same;
    /// 2. each connector's tally counts its entries, and its trail has a leaf for each that
    ///    ended;
    /// 3. entries have numbers that were given, and those about one subject are the lane's: as
    ///    many, the last of them, each behind an earlier one;
    /// 4. a lease is held by who acknowledges for an active connector.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let routes = Routes::<T>::get();
        let mut routed = 0;
        let count = Connectors::<T>::count();
        ensure!(count <= u32::from(T::MaxConnectors::get()), "too many connectors");
        for number in 1..=u16::try_from(count).map_err(|_| "too many connectors")? {
            let connector = ConnectorId(number);
            let found = Connectors::<T>::get(connector).ok_or("a connector's number is missing")?;
            ensure!(unsound::<T>(&found.terms).is_none(), "a connector's terms are unsound");
            let expected = route(connector, &found.terms);
            let known = routes.iter().find(|route| route.connector == connector);
            if found.status == ConnectorStatus::Retired {
                ensure!(known.is_none(), "a retired connector has a route");
            } else {
                routed += 1;
                ensure!(known == Some(&expected), "a route is not its connector's");
            }
            if let Some(lease) = Leases::<T>::get(connector) {
                let is_active = found.status == ConnectorStatus::Active;
                ensure!(is_active, "somebody works for a connector that is not active");
                let may = found.terms.acknowledgers.contains(&lease.holder);
                ensure!(may, "somebody works who does not acknowledge");
            }
            Self::try_entries(connector)?;
        }
        ensure!(routes.len() == routed, "a route of no connector");
        let known = |connector: ConnectorId| (1..=count).contains(&u32::from(connector.0));
        ensure!(Entries::<T>::iter_keys().all(|(of, _)| known(of)), "an entry of no connector");
        ensure!(Lanes::<T>::iter_keys().all(|(of, _)| known(of)), "a lane of no connector");
        ensure!(Tallies::<T>::iter_keys().all(known), "a tally of no connector");
        ensure!(Trails::<T>::iter_keys().all(known), "a trail of no connector");
        ensure!(Leases::<T>::iter_keys().all(known), "a lease of no connector");
        Ok(())
    }

    fn try_entries(connector: ConnectorId) -> Result<(), TryRuntimeError> {
        let tally = Tallies::<T>::get(connector);
        let mut lanes = BTreeMap::<Subject, Lane>::new();
        let (mut waiting, mut dead) = (0_u32, 0_u32);
        let mut entries: Vec<_> = Entries::<T>::iter_prefix(connector).collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        for (key, entry) in entries {
            let seq = u64::from_be_bytes(key);
            ensure!((1..=tally.last).contains(&seq), "an entry with a number that was not given");
            match entry.status {
                EntryStatus::Waiting => waiting = waiting.saturating_add(1),
                EntryStatus::Dead => dead = dead.saturating_add(1),
            }
            let before = lanes.get(&entry.subject).map(|lane| lane.last);
            // One that was acknowledged since may be named, a later one never.
            let goes_first = before.is_none() || entry.previous == before;
            ensure!(goes_first && entry.previous < Some(seq), "an entry is behind the one before");
            let lane = lanes.entry(entry.subject).or_insert(Lane { last: 0, entries: 0 });
            *lane = Lane { last: seq, entries: lane.entries.saturating_add(1) };
            ensure!(lane.entries <= MAX_LANE, "too many entries about one subject");
        }
        let Tally { last, acknowledged, discarded, .. } = tally;
        ensure!((waiting, dead) == (tally.waiting, tally.dead), "entries are counted wrongly");
        let ended = acknowledged.checked_add(discarded).ok_or("entries are counted wrongly")?;
        let all = ended.checked_add(u64::from(waiting) + u64::from(dead));
        ensure!(all == Some(last), "an entry is neither there nor ended");
        ensure!(Trails::<T>::get(connector).leaves() == ended, "a trace is missing or too many");
        let kept: BTreeMap<_, _> = Lanes::<T>::iter_prefix(connector).collect();
        ensure!(kept == lanes, "a lane is not its entries'");
        Ok(())
    }
}

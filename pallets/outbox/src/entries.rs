//! Entries: how facts become some, and what becomes of them.

use crate::{
    Answer, Config, ConnectorStatus, Connectors, Entries, Error, Event, Lane, Lanes, Lease, Leases,
    MAX_LANE, Outcome, Pallet, Route, Routes, Tallies, Tally, Terms, Trails, WeightInfo,
};
use billchain_primitives::{
    BillKey, Did, Reason,
    index::{outbox_node_key, outbox_place_key, outbox_trace_key},
    outbox::{ConnectorId, Ending, Entry, EntryStatus, Fact, Subject, Topic, Trace, Trail, leaf},
    seams::{BillLedger, ExtraWork, Outbox},
};
use codec::Encode;
use frame::{deps::sp_io::offchain_index, prelude::*};

impl<T: Config> Outbox for Pallet<T> {
    fn tell(fact: impl FnOnce() -> Fact) {
        let routes = Routes::<T>::get();
        if routes.is_empty() {
            return;
        }
        let fact = fact();
        for Route { connector, max_waiting, .. } in routes.iter().filter(|it| it.takes(&fact)) {
            Self::enter(*connector, *max_waiting, fact.clone());
        }
    }
}

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// An entry that was not acknowledged.
    pub fn entry(connector: ConnectorId, seq: u64) -> Option<Entry> {
        Entries::<T>::get(connector, seq.to_be_bytes())
    }

    /// The entries that a connector has, by their numbers, after one of these.
    pub fn pending(
        connector: ConnectorId,
        after: Option<u64>,
    ) -> impl Iterator<Item = (u64, Entry)> {
        let entries = match after {
            Some(seq) => {
                let from = Entries::<T>::hashed_key_for(connector, seq.to_be_bytes());
                Entries::<T>::iter_prefix_from(connector, from)
            }
            None => Entries::<T>::iter_prefix(connector),
        };
        entries.map(|(key, entry)| (u64::from_be_bytes(key), entry))
    }

    /// What is counted of a connector.
    pub fn tally(connector: ConnectorId) -> Tally {
        Tallies::<T>::get(connector)
    }

    /// Who does a connector's work; none: nobody, or the lease is over in the block at hand.
    pub fn lease(connector: ConnectorId) -> Option<Lease> {
        let at = Self::stamp();
        Leases::<T>::get(connector).filter(|lease| !lease.is_over(at.block, at.moment))
    }

    /// What became of a connector's entries.
    pub fn trail(connector: ConnectorId) -> Trail {
        Trails::<T>::get(connector)
    }

    /// The entries about a subject that a connector has, the first one first, with their
    /// numbers: at most [`MAX_LANE`].
    pub fn lane(connector: ConnectorId, subject: &Subject) -> Vec<(u64, Entry)> {
        let mut next = Lanes::<T>::get(connector, subject).map(|lane| lane.last);
        let mut found = Vec::new();
        while let Some(seq) = next {
            let Some(entry) = Self::entry(connector, seq) else { break };
            next = entry.previous;
            found.push((seq, entry));
        }
        found.reverse();
        found
    }
}

/// How entries come.
impl<T: Config> Pallet<T> {
    /// Writes an entry for a fact, or counts it as omitted.
    fn enter(connector: ConnectorId, max_waiting: u32, fact: Fact) {
        T::ExtraWork::add(T::WeightInfo::tell());
        let mut tally = Tallies::<T>::get(connector);
        let lane = Lanes::<T>::get(connector, &fact.subject);
        let at = Self::stamp();
        let held = tally.waiting.saturating_add(tally.dead);
        let in_lane = lane.map_or(0, |lane| lane.entries);
        if held >= max_waiting || in_lane >= MAX_LANE {
            tally.omitted = tally.omitted.saturating_add(1);
            tally.omitted_at = at.block;
            Tallies::<T>::insert(connector, tally);
            let Fact { subject, version, .. } = fact;
            Self::deposit_event(Event::Omitted { connector, subject, version });
            return;
        }
        tally.last = tally.last.saturating_add(1);
        tally.waiting = tally.waiting.saturating_add(1);
        let seq = tally.last;
        let Fact { topic, subject, version, scene, digest, .. } = fact;
        let next = Lane { last: seq, entries: in_lane.saturating_add(1) };
        Lanes::<T>::insert(connector, &subject, next);
        let entry = Entry {
            topic,
            subject,
            version,
            scene,
            digest,
            previous: lane.map(|lane| lane.last),
            block: at.block,
            extrinsic: at.extrinsic,
            moment: at.moment,
            status: EntryStatus::Waiting,
            attempts: 0,
            refusals: 0,
            refusal: [0; 32],
        };
        Entries::<T>::insert(connector, seq.to_be_bytes(), entry);
        Tallies::<T>::insert(connector, tally);
    }

    /// Has a bill's present version told again.
    pub(crate) fn tell_again(connector: ConnectorId, key: BillKey) -> Result<(), Error<T>> {
        let terms = Self::not_retired(connector)?.terms;
        let bill = T::Ledger::bill(&key).ok_or(Error::BillNotFound)?;
        let fact = Fact {
            topic: Topic::BillRetold,
            subject: Subject::Bill(key),
            version: bill.state.version,
            scene: Some(bill.summary.scene),
            claim: None,
            digest: bill.state.version_hash,
        };
        Self::enter(connector, terms.max_waiting, fact);
        Ok(())
    }
}

/// What becomes of entries.
impl<T: Config> Pallet<T> {
    /// Writes what a worker reports.
    pub(crate) fn note_outcomes(
        connector: ConnectorId,
        terms: &Terms,
        by: &Did,
        outcomes: &[Outcome],
    ) -> Result<(), Error<T>> {
        let mut tally = Tallies::<T>::get(connector);
        let mut trail = Trails::<T>::get(connector);
        for Outcome { seq, attempts, answer } in outcomes {
            ensure!((1..=tally.last).contains(seq), Error::EntryUnknown);
            let Some(mut entry) = Self::entry(connector, *seq) else { continue };
            Self::ensure_first(connector, &entry)?;
            entry.attempts = entry.attempts.saturating_add(*attempts);
            match *answer {
                Answer::Told { answer } => {
                    // What was done is done, whatever others heard before.
                    let of = match entry.status {
                        EntryStatus::Waiting => &mut tally.waiting,
                        EntryStatus::Dead => &mut tally.dead,
                    };
                    *of = of.saturating_sub(1);
                    tally.acknowledged = tally.acknowledged.saturating_add(1);
                    let (subject, version) = (entry.subject.clone(), entry.version);
                    let ending = Ending::Acknowledged { answer };
                    let trace = Self::trace(connector, *seq, entry, ending, Some(by.clone()));
                    Self::end(&mut trail, trace);
                    let (seq, by) = (*seq, by.clone());
                    Self::deposit_event(Event::Acknowledged {
                        connector,
                        seq,
                        subject,
                        version,
                        answer,
                        by,
                    });
                }
                Answer::Refused { .. } if entry.status == EntryStatus::Dead => {}
                Answer::Refused { answer } => {
                    entry.refusals = entry.refusals.saturating_add(1);
                    entry.refusal = answer;
                    if entry.refusals >= terms.max_refusals {
                        entry.status = EntryStatus::Dead;
                        tally.waiting = tally.waiting.saturating_sub(1);
                        tally.dead = tally.dead.saturating_add(1);
                        let (seq, by) = (*seq, by.clone());
                        Self::deposit_event(Event::DeadLetter { connector, seq, answer, by });
                    }
                    Entries::<T>::insert(connector, seq.to_be_bytes(), entry);
                }
            }
        }
        Tallies::<T>::insert(connector, tally);
        Trails::<T>::insert(connector, trail);
        Ok(())
    }

    /// Lets a dead letter wait again.
    pub(crate) fn wake(connector: ConnectorId, seq: u64) -> Result<(), Error<T>> {
        let mut entry = Self::entry(connector, seq).ok_or(Error::EntryNotFound)?;
        ensure!(entry.status == EntryStatus::Dead, Error::NotDead);
        entry.status = EntryStatus::Waiting;
        entry.refusals = 0;
        Entries::<T>::insert(connector, seq.to_be_bytes(), entry);
        Tallies::<T>::mutate(connector, |tally| {
            tally.dead = tally.dead.saturating_sub(1);
            tally.waiting = tally.waiting.saturating_add(1);
        });
        Ok(())
    }

    /// Ends an entry that nobody tells any more.
    pub(crate) fn give_up(
        connector: ConnectorId,
        seq: u64,
        reason: Reason,
    ) -> Result<(), Error<T>> {
        let found = Connectors::<T>::get(connector).ok_or(Error::ConnectorNotFound)?;
        let entry = Self::entry(connector, seq).ok_or(Error::EntryNotFound)?;
        let is_dead = entry.status == EntryStatus::Dead;
        ensure!(is_dead || found.status == ConnectorStatus::Retired, Error::NotDead);
        Self::ensure_first(connector, &entry)?;
        Tallies::<T>::mutate(connector, |tally| {
            let of = if is_dead { &mut tally.dead } else { &mut tally.waiting };
            *of = of.saturating_sub(1);
            tally.discarded = tally.discarded.saturating_add(1);
        });
        let trace = Self::trace(connector, seq, entry, Ending::Discarded { reason }, None);
        Trails::<T>::mutate(connector, |trail| Self::end(trail, trace));
        Ok(())
    }

    /// Whether no entry about the same subject goes first.
    fn ensure_first(connector: ConnectorId, entry: &Entry) -> Result<(), Error<T>> {
        let is_first = entry
            .previous
            .is_none_or(|seq| !Entries::<T>::contains_key(connector, seq.to_be_bytes()));
        ensure!(is_first, Error::OutOfOrder);
        Ok(())
    }

    fn trace(
        connector: ConnectorId,
        seq: u64,
        entry: Entry,
        ending: Ending,
        by: Option<Did>,
    ) -> Trace {
        Trace { connector, seq, entry, ending, by, at: Self::stamp() }
    }

    /// Takes an entry out of the state and appends its trace to the trail.
    fn end(trail: &mut Trail, trace: Trace) {
        let Trace { connector, seq, ref entry, .. } = trace;
        Entries::<T>::remove(connector, seq.to_be_bytes());
        Lanes::<T>::mutate_exists(connector, &entry.subject, |lane| {
            let left = lane.map_or(0, |lane| lane.entries.saturating_sub(1));
            *lane = lane.filter(|_| left > 0).map(|lane| Lane { entries: left, ..lane });
        });
        let key = outbox_trace_key(&entry.subject, entry.version, connector, seq);
        let encoded = trace.encode();
        let place = (trail.leaves(), &key).encode();
        trail.append(leaf(&encoded), |height, place, hash| {
            offchain_index::set(&outbox_node_key(connector, height, place), hash);
        });
        offchain_index::set(&outbox_place_key(connector, seq), &place);
        offchain_index::set(&key, &encoded);
    }
}

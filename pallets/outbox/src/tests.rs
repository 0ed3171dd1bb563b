//! Connectors, entries, leases, reports: every call's success and each of its refusals.

use crate::{
    Answer, Call, ConnectorStatus, Connectors, Entries, Error, Event, LEASE_MS, Lanes, Leases,
    MAX_LANE, MAX_ROUTES, Outcome, Routes, SceneFilter, Tally, Terms,
    mock::{
        BILLS, FROZEN, Outbox, SECOND, SECURITY, STRANGER, Test, WORKER, after, council, events,
        fact, run, send, tell, terms, work, worker,
    },
};
use billchain_primitives::{
    Reason, SceneId,
    outbox::{ConnectorId, EntryStatus, Fact, Subject, Topic, Topics},
    seams::ParticipantProblem,
};
use billchain_test_support::{did, key, reason};
use frame::testing_prelude::*;

const ONE: ConnectorId = ConnectorId(1);
const NONE: ConnectorId = ConnectorId(9);

fn register(terms: Terms) -> Call<Test> {
    Call::register { terms }
}

fn status(status: ConnectorStatus) -> Call<Test> {
    Call::set_status { connector: ONE, status, reason: reason() }
}

fn told(seq: u64) -> Outcome {
    Outcome { seq, attempts: 1, answer: Answer::Told { answer: [1; 32] } }
}

fn refused(seq: u64) -> Outcome {
    Outcome { seq, attempts: 3, answer: Answer::Refused { answer: [2; 32] } }
}

fn report(outcomes: Vec<Outcome>) -> Call<Test> {
    Call::report { connector: ONE, outcomes: outcomes.try_into().expect("few") }
}

fn claim() -> Call<Test> {
    Call::claim { connector: ONE }
}

fn waiting() -> (u64, u32, u32) {
    let Tally { last, waiting, dead, .. } = Outbox::tally(ONE);
    (last, waiting, dead)
}

#[test]
fn a_connector_is_registered_by_the_council_with_sound_terms() {
    run(vec![], || {
        assert_ok!(council(register(terms(1))));
        let endpoint = terms(1).endpoint;
        assert_eq!(events(), [Event::ConnectorRegistered { connector: ONE, endpoint }]);
        let found = Connectors::<Test>::get(ONE).expect("it is there");
        assert_eq!((found.terms, found.status), (terms(1), ConnectorStatus::Active));
        assert_noop!(send(WORKER, register(terms(2))), DispatchError::BadOrigin);
        let with = |change: fn(&mut Terms)| {
            let mut terms = terms(2);
            change(&mut terms);
            register(terms)
        };
        let cases: [(Call<Test>, Error<Test>); 11] = [
            (with(|it| it.topics = Topics::default()), Error::NoTopics),
            (with(|it| it.scenes = SceneFilter::Only(Default::default())), Error::ScenesUnsound),
            (
                with(|it| {
                    let twice = vec![SceneId(1), SceneId(1)];
                    it.scenes = SceneFilter::Only(twice.try_into().expect("two"));
                }),
                Error::ScenesUnsound,
            ),
            (with(|it| it.acknowledgers = Default::default()), Error::AcknowledgersUnsound),
            (
                with(|it| {
                    it.acknowledgers = vec![worker(1), worker(1)].try_into().expect("two");
                }),
                Error::AcknowledgersUnsound,
            ),
            (with(|it| it.max_refusals = 0), Error::MaxRefusalsOutOfBounds),
            (with(|it| it.max_refusals = 101), Error::MaxRefusalsOutOfBounds),
            (with(|it| it.max_waiting = 0), Error::MaxWaitingOutOfBounds),
            (with(|it| it.max_waiting = 2_000_001), Error::MaxWaitingOutOfBounds),
            (register(terms(1)), Error::EndpointInUse),
            (
                Call::update { connector: ONE, terms: Terms { max_refusals: 0, ..terms(1) } },
                Error::MaxRefusalsOutOfBounds,
            ),
        ];
        for (call, error) in cases {
            assert_noop!(council(call.clone()), error);
        }
    });
}

#[test]
fn connectors_and_routes_are_bounded() {
    run((1..=MAX_ROUTES).map(terms).collect(), || {
        assert_eq!(Routes::<Test>::get().len(), MAX_ROUTES as usize);
        assert_noop!(council(register(terms(99))), Error::<Test>::TooManyRoutes);
        // A retired one makes room, two more connectors may be there in all.
        assert_ok!(council(status(ConnectorStatus::Retired)));
        assert_ok!(council(register(terms(99))));
        let retire = |connector| Call::set_status {
            connector,
            status: ConnectorStatus::Retired,
            reason: reason(),
        };
        assert_ok!(council(retire(ConnectorId(2))));
        assert_ok!(council(register(terms(1))));
        assert_ok!(council(retire(ConnectorId(3))));
        assert_noop!(council(register(terms(100))), Error::<Test>::TooManyConnectors);
    });
}

#[test]
fn a_genesis_with_unsound_connectors_names_every_problem() {
    let connectors = vec![terms(1), Terms { max_waiting: 0, ..terms(1) }];
    let config = crate::GenesisConfig::<Test> { connectors, ..Default::default() };
    let problems = config.problems();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("connectors[1]: MaxWaitingOutOfBounds"), "{problems:?}");
    assert!(problems[1].contains("named twice"), "{problems:?}");
}

#[test]
fn terms_change_and_whoever_is_not_named_any_more_loses_the_lease() {
    run(vec![terms(1)], || {
        let update = |terms| Call::<Test>::update { connector: ONE, terms };
        assert_noop!(council(update(terms(1))), Error::<Test>::TermsUnchanged);
        assert_noop!(send(WORKER, update(terms(2))), DispatchError::BadOrigin);
        let unknown = Call::update { connector: NONE, terms: terms(2) };
        assert_noop!(council(unknown), Error::<Test>::ConnectorNotFound);
        assert_ok!(send(WORKER, claim()));
        let other = Terms {
            acknowledgers: vec![worker(SECOND)].try_into().expect("one"),
            topics: Topics::of(&[Topic::BillLocked]),
            ..terms(1)
        };
        assert_ok!(council(update(other)));
        assert!(events().contains(&Event::ConnectorUpdated { connector: ONE }));
        assert_eq!(Outbox::lease(ONE), None);
        tell(fact(1, 2));
        assert_eq!(waiting(), (0, 0, 0), "reimbursements are no longer told");
        assert_ok!(council(status(ConnectorStatus::Retired)));
        assert_noop!(council(update(terms(3))), Error::<Test>::ConnectorRetired);
    });
}

#[test]
fn a_security_administrator_pauses_and_only_the_council_retires() {
    run(vec![terms(1)], || {
        assert_noop!(send(WORKER, status(ConnectorStatus::Paused)), DispatchError::BadOrigin);
        assert_ok!(send(WORKER, claim()));
        assert_ok!(send(SECURITY, status(ConnectorStatus::Paused)));
        let changed =
            |from, to| Event::ConnectorStatusChanged { connector: ONE, from, to, reason: reason() };
        let event = changed(ConnectorStatus::Active, ConnectorStatus::Paused);
        assert_eq!(events().last(), Some(&event));
        assert_eq!(Outbox::lease(ONE), None);
        assert_noop!(council(status(ConnectorStatus::Paused)), Error::<Test>::StatusUnchanged);
        assert_noop!(send(WORKER, claim()), Error::<Test>::ConnectorPaused);
        tell(fact(1, 1));
        assert_eq!(waiting(), (1, 1, 0), "what is decided meanwhile waits");
        assert_noop!(send(SECURITY, status(ConnectorStatus::Retired)), DispatchError::BadOrigin);
        assert_ok!(council(status(ConnectorStatus::Active)));
        assert_ok!(council(status(ConnectorStatus::Retired)));
        assert_noop!(council(status(ConnectorStatus::Active)), Error::<Test>::ConnectorRetired);
        assert_noop!(send(WORKER, claim()), Error::<Test>::ConnectorRetired);
        tell(fact(1, 2));
        assert_eq!(waiting(), (1, 1, 0), "a retired one is told nothing more");
        let unknown =
            Call::set_status { connector: NONE, status: ConnectorStatus::Paused, reason: reason() };
        assert_noop!(council(unknown), Error::<Test>::ConnectorNotFound);
    });
}

#[test]
fn a_fact_becomes_one_entry_of_each_connector_that_wants_it() {
    let all = Terms { scenes: SceneFilter::All, ..terms(2) };
    let locks = Terms { topics: Topics::of(&[Topic::BillLocked]), ..terms(3) };
    run(vec![terms(1), all, locks], || {
        let counts = || (1..=3).map(|n| Outbox::tally(ConnectorId(n)).last).collect::<Vec<_>>();
        tell(fact(1, 1));
        assert_eq!(counts(), [1, 1, 0]);
        tell(Fact { scene: Some(SceneId(7)), ..fact(1, 2) });
        assert_eq!(counts(), [1, 2, 0], "another scene");
        tell(Fact { scene: Some(SceneId(7)), claim: Some(SceneId(1)), ..fact(1, 3) });
        assert_eq!(counts(), [2, 3, 0], "claimed in scene 1");
        tell(Fact { topic: Topic::BillLocked, ..fact(1, 4) });
        assert_eq!(counts(), [3, 4, 1]);
        let participant = Fact {
            topic: Topic::ParticipantRegistered,
            subject: Subject::Participant(did("clinic")),
            scene: None,
            ..fact(1, 1)
        };
        tell(participant);
        assert_eq!(counts(), [4, 5, 1], "participants belong to no scene");
        let entry = Outbox::entry(ONE, 2).expect("it waits");
        assert_eq!((entry.previous, entry.version, entry.block), (Some(1), 3, 1));
        assert_eq!(entry.status, EntryStatus::Waiting);
        let lane = Outbox::lane(ONE, &Subject::Bill(key(1)));
        assert_eq!(lane.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 2, 3]);
    });
}

#[test]
fn a_fact_without_a_connector_writes_and_weighs_nothing() {
    run(vec![], || {
        assert_storage_noop!(tell(fact(1, 1)));
        assert_eq!(work(), 0);
    });
    run(vec![terms(1)], || {
        assert_storage_noop!(tell(Fact { scene: Some(SceneId(2)), ..fact(1, 1) }));
        assert_eq!(work(), 0);
        tell(fact(1, 1));
        assert!(work() > 0, "an entry weighs in its block");
    });
}

#[test]
fn what_is_rolled_back_is_told_to_nobody() {
    run(vec![terms(1)], || {
        let failed = frame::deps::frame_support::storage::with_storage_layer(|| {
            tell(fact(1, 1));
            Err::<(), _>(DispatchError::Other("a later step"))
        });
        assert!(failed.is_err());
        assert_eq!(waiting(), (0, 0, 0));
    });
}

#[test]
fn what_waits_is_bounded_and_what_is_left_out_is_counted() {
    run(vec![Terms { max_waiting: 3, ..terms(1) }], || {
        (1..=3).for_each(|number| tell(fact(number, 1)));
        after(1_000);
        tell(fact(4, 1));
        let subject = Subject::Bill(key(4));
        assert_eq!(events(), [Event::Omitted { connector: ONE, subject, version: 1 }]);
        let tally = Outbox::tally(ONE);
        assert_eq!((tally.last, tally.waiting, tally.omitted, tally.omitted_at), (3, 3, 1, 2));
        // Dead letters count, too.
        assert_ok!(send(WORKER, report(vec![refused(1)])));
        assert_ok!(send(WORKER, report(vec![refused(1)])));
        tell(fact(5, 1));
        assert_eq!(Outbox::tally(ONE).omitted, 2);
        assert_ok!(send(WORKER, report(vec![told(2)])));
        tell(fact(6, 1));
        assert_eq!(waiting(), (4, 2, 1));
    });
    run(vec![terms(1)], || {
        (1..=MAX_LANE + 2).for_each(|version| tell(fact(1, version)));
        tell(fact(2, 1));
        let tally = Outbox::tally(ONE);
        let lane = u64::from(MAX_LANE);
        assert_eq!((tally.last, tally.omitted), (lane + 1, 2), "about one subject");
    });
}

#[test]
fn an_entry_is_acknowledged_once_and_its_trace_stays() {
    run(vec![terms(1)], || {
        (1..=3).for_each(|number| tell(fact(number, number)));
        assert_ok!(send(WORKER, report(vec![told(2), told(1)])));
        let acknowledged = |seq: u32| Event::Acknowledged {
            connector: ONE,
            seq: seq.into(),
            subject: Subject::Bill(key(seq)),
            version: seq,
            answer: [1; 32],
            by: worker(WORKER),
        };
        assert_eq!(events(), [acknowledged(2), acknowledged(1)]);
        let tally = Outbox::tally(ONE);
        assert_eq!((tally.last, tally.waiting, tally.acknowledged), (3, 1, 2));
        assert_eq!(Outbox::trail(ONE).leaves(), 2);
        assert_eq!(Entries::<Test>::iter_prefix(ONE).count(), 1, "it left the state");
        assert_eq!(Lanes::<Test>::iter_prefix(ONE).count(), 1);
        // It comes again, from the same worker or another.
        assert_ok!(send(SECOND, report(vec![told(1), told(2)])));
        assert_eq!((Outbox::tally(ONE), Outbox::trail(ONE).leaves()), (tally, 2));
        assert_noop!(send(WORKER, report(vec![told(4)])), Error::<Test>::EntryUnknown);
        assert_noop!(send(WORKER, report(vec![told(0)])), Error::<Test>::EntryUnknown);
        assert_noop!(send(WORKER, report(vec![])), Error::<Test>::NothingGiven);
        assert_noop!(send(STRANGER, report(vec![told(3)])), Error::<Test>::NotAcknowledger);
        let frozen = Error::<Test>::Sender(ParticipantProblem::Frozen);
        assert_noop!(send(FROZEN, report(vec![told(3)])), frozen);
        let unknown = Call::report { connector: NONE, outcomes: Default::default() };
        assert_noop!(send(WORKER, unknown), Error::<Test>::ConnectorNotFound);
    });
}

#[test]
fn facts_about_one_subject_are_acknowledged_in_their_order() {
    run(vec![terms(1)], || {
        (1..=3).for_each(|version| tell(fact(1, version)));
        assert_noop!(send(WORKER, report(vec![told(2)])), Error::<Test>::OutOfOrder);
        assert_noop!(send(WORKER, report(vec![refused(3)])), Error::<Test>::OutOfOrder);
        assert_ok!(send(WORKER, report(vec![told(1), told(2)])));
        tell(fact(1, 4));
        assert_eq!(Outbox::entry(ONE, 4).and_then(|entry| entry.previous), Some(3));
        assert_ok!(send(WORKER, report(vec![told(3), told(4)])));
        tell(fact(1, 5));
        assert_eq!(Outbox::entry(ONE, 5).and_then(|entry| entry.previous), None);
    });
}

#[test]
fn what_is_refused_too_often_is_a_dead_letter_that_holds_those_behind_it() {
    run(vec![terms(1)], || {
        tell(fact(1, 1));
        tell(fact(1, 2));
        assert_ok!(send(WORKER, report(vec![refused(1)])));
        let entry = Outbox::entry(ONE, 1).expect("it waits");
        assert_eq!((entry.attempts, entry.refusals, entry.refusal), (3, 1, [2; 32]));
        assert_ok!(send(WORKER, report(vec![refused(1)])));
        let dead =
            Event::DeadLetter { connector: ONE, seq: 1, answer: [2; 32], by: worker(WORKER) };
        assert_eq!(events(), [dead]);
        assert_eq!(waiting(), (2, 1, 1));
        assert_storage_noop!(assert_ok!(send(WORKER, report(vec![refused(1)]))));
        assert_noop!(send(WORKER, report(vec![told(2)])), Error::<Test>::OutOfOrder);

        let revive = |connector, seq| Call::<Test>::revive { connector, seq };
        assert_noop!(send(STRANGER, revive(ONE, 1)), Error::<Test>::NotAcknowledger);
        assert_noop!(send(WORKER, revive(ONE, 2)), Error::<Test>::NotDead);
        assert_noop!(send(WORKER, revive(ONE, 3)), Error::<Test>::EntryNotFound);
        assert_noop!(council(revive(NONE, 1)), Error::<Test>::ConnectorNotFound);
        after(1);
        assert_ok!(council(revive(ONE, 1)));
        assert_eq!(events(), [Event::Revived { connector: ONE, seq: 1, by: None }]);
        assert_eq!(waiting(), (2, 2, 0));
        assert_ok!(send(WORKER, report(vec![refused(1)])));
        assert_eq!(waiting(), (2, 2, 0), "it is counted from the beginning");
        assert_ok!(send(WORKER, report(vec![refused(1)])));
        assert_eq!(waiting(), (2, 1, 1));
        // Another worker had told it all the same.
        assert_ok!(send(SECOND, report(vec![told(1), told(2)])));
        assert_eq!(waiting(), (2, 0, 0));
        tell(fact(1, 3));
        for _ in 0..2 {
            assert_ok!(send(WORKER, report(vec![refused(3)])));
        }
        assert_ok!(send(SECOND, revive(ONE, 3)));
        assert_eq!(waiting(), (3, 1, 0));
    });
}

#[test]
fn the_council_gives_up_dead_letters_and_what_a_retired_connector_has() {
    run(vec![terms(1)], || {
        let discard = |connector, seq| Call::<Test>::discard { connector, seq, reason: reason() };
        tell(fact(1, 1));
        tell(fact(1, 2));
        assert_noop!(send(WORKER, discard(ONE, 1)), DispatchError::BadOrigin);
        assert_noop!(council(discard(ONE, 1)), Error::<Test>::NotDead);
        assert_noop!(council(discard(ONE, 9)), Error::<Test>::EntryNotFound);
        assert_noop!(council(discard(NONE, 1)), Error::<Test>::ConnectorNotFound);
        assert_ok!(send(WORKER, report(vec![refused(1)])));
        assert_ok!(send(WORKER, report(vec![refused(1)])));
        after(1);
        assert_ok!(council(discard(ONE, 1)));
        assert_eq!(events(), [Event::Discarded { connector: ONE, seq: 1, reason: reason() }]);
        tell(fact(1, 3));
        assert_ok!(council(status(ConnectorStatus::Retired)));
        assert_noop!(council(discard(ONE, 3)), Error::<Test>::OutOfOrder);
        assert_ok!(council(discard(ONE, 2)));
        // What was on its way when the connector was retired is acknowledged all the same.
        assert_ok!(send(WORKER, report(vec![told(3)])));
        let tally = Outbox::tally(ONE);
        assert_eq!((tally.discarded, tally.acknowledged, tally.waiting), (2, 1, 0));
        assert_eq!(Outbox::trail(ONE).leaves(), 3);
    });
}

#[test]
fn one_worker_has_the_lease_until_its_time_and_its_blocks_are_over() {
    run(vec![terms(1)], || {
        assert_noop!(send(STRANGER, claim()), Error::<Test>::NotAcknowledger);
        assert_ok!(send(WORKER, claim()));
        let taken = |holder, from| Event::LeaseTaken { connector: ONE, holder, from };
        assert_eq!(events(), [taken(worker(WORKER), None)]);
        assert_noop!(send(SECOND, claim()), Error::<Test>::LeaseHeld);
        // A block whose time jumps takes it from nobody.
        after(60_000);
        assert_noop!(send(SECOND, claim()), Error::<Test>::LeaseHeld);
        assert_ok!(send(WORKER, claim()));
        assert_eq!(events(), [], "held longer");
        let lease = Outbox::lease(ONE).expect("it is held");
        assert_eq!((lease.since.block, lease.until), (1, 1_060_000 + LEASE_MS));
        // A report is a sign of life of who has it, and of nobody else.
        tell(fact(1, 1));
        tell(fact(2, 1));
        after(2_000);
        assert_ok!(send(WORKER, report(vec![told(1)])));
        after(3_000);
        assert_ok!(send(SECOND, report(vec![told(2)])));
        after(1_000);
        assert_noop!(send(SECOND, claim()), Error::<Test>::LeaseHeld);
        after(1_001);
        assert_eq!(Outbox::lease(ONE), None, "5 s and 2 blocks after the report");
        assert_ok!(send(SECOND, claim()));
        assert_eq!(events(), [taken(worker(SECOND), Some(worker(WORKER)))]);
        assert_noop!(send(WORKER, claim()), Error::<Test>::LeaseHeld);
    });
}

#[test]
fn a_lease_is_given_back_by_who_has_it() {
    run(vec![terms(1)], || {
        let release = || Call::<Test>::release { connector: ONE };
        assert_noop!(send(WORKER, release()), Error::<Test>::LeaseNotHeld);
        assert_ok!(send(WORKER, claim()));
        assert_noop!(send(SECOND, release()), Error::<Test>::LeaseNotHeld);
        assert_noop!(send(STRANGER, release()), Error::<Test>::NotAcknowledger);
        let unknown = Call::release { connector: NONE };
        assert_noop!(send(WORKER, unknown), Error::<Test>::ConnectorNotFound);
        assert_ok!(send(WORKER, release()));
        let holder = worker(WORKER);
        assert_eq!(events().last(), Some(&Event::LeaseReleased { connector: ONE, holder }));
        assert!(!Leases::<Test>::contains_key(ONE));
        assert_ok!(send(SECOND, claim()));
    });
}

#[test]
fn bills_are_told_again_with_a_reason() {
    let locks = Terms { topics: Topics::of(&[Topic::BillLocked]), ..terms(1) };
    run(vec![locks], || {
        let retell = |connector, bills: Vec<u32>| Call::<Test>::retell {
            connector,
            bills: bills.into_iter().map(key).collect::<Vec<_>>().try_into().expect("few"),
            reason: Reason::new("对账不符").expect("a reason"),
        };
        assert_ok!(send(WORKER, retell(ONE, vec![7, 8])));
        let entry = Outbox::entry(ONE, 2).expect("it waits");
        assert_eq!((entry.topic, entry.version), (Topic::BillRetold, 3));
        assert_eq!(entry.subject, Subject::Bill(key(8)));
        let retold = Event::Retold {
            connector: ONE,
            bill: key(8),
            reason: Reason::new("对账不符").expect("a reason"),
            by: Some(worker(WORKER)),
        };
        assert_eq!(events().last(), Some(&retold));
        assert_ok!(council(retell(ONE, vec![9])));
        assert_noop!(send(WORKER, retell(ONE, vec![])), Error::<Test>::NothingGiven);
        assert_noop!(send(STRANGER, retell(ONE, vec![1])), Error::<Test>::NotAcknowledger);
        let missing = retell(ONE, vec![1, BILLS + 1]);
        assert_noop!(send(WORKER, missing), Error::<Test>::BillNotFound);
        assert_noop!(council(retell(NONE, vec![1])), Error::<Test>::ConnectorNotFound);
        assert_ok!(council(status(ConnectorStatus::Retired)));
        assert_noop!(send(WORKER, retell(ONE, vec![1])), Error::<Test>::ConnectorRetired);
    });
}

#[test]
fn what_never_holds_is_found() {
    run(vec![terms(1)], || {
        tell(fact(1, 1));
        let sound = || Outbox::do_try_state();
        let entry = Outbox::entry(ONE, 1).expect("it waits");
        assert_ok!(sound());
        Entries::<Test>::remove(ONE, 1_u64.to_be_bytes());
        assert!(sound().is_err(), "an entry is lost");
        Entries::<Test>::insert(ONE, 2_u64.to_be_bytes(), entry.clone());
        assert!(sound().is_err(), "a number that was not given");
        Entries::<Test>::remove(ONE, 2_u64.to_be_bytes());
        Entries::<Test>::insert(ONE, 1_u64.to_be_bytes(), entry.clone());
        assert_ok!(sound());
        Lanes::<Test>::remove(ONE, &entry.subject);
        assert!(sound().is_err(), "a lane is lost");
        Lanes::<Test>::insert(ONE, &entry.subject, crate::Lane { last: 1, entries: 1 });
        let routes = Routes::<Test>::take();
        assert!(sound().is_err(), "a route is lost");
        Routes::<Test>::put(routes);
        Entries::<Test>::insert(NONE, 1_u64.to_be_bytes(), entry);
        assert!(sound().is_err(), "an entry of no connector");
        Entries::<Test>::remove(NONE, 1_u64.to_be_bytes());
    });
}

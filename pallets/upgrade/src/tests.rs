//! Every call for success and for every error, and what becomes of a release at its
//! height.

use crate::{
    Error, Event, GRACE_MS, MIN_NOTICE, Ready, Release, Scheduled, is_enough,
    mock::{
        Clock, RuntimeEvent, RuntimeOrigin, System, Test, Upgrade, Voters, go_to, operator,
        put_in_force, run,
    },
};
use billchain_primitives::Hash;
use frame::testing_prelude::*;

const MANIFEST: Hash = Hash::repeat_byte(7);
const RELEASE: Release = Release { rules: 3, height: 1 + MIN_NOTICE, manifest: MANIFEST };

fn schedule() {
    assert_ok!(Upgrade::schedule(RuntimeOrigin::root(), RELEASE));
}

fn confirm(number: u8) -> DispatchResult {
    Upgrade::confirm(RuntimeOrigin::signed(operator(number)), RELEASE.rules, MANIFEST)
}

fn last_event() -> Event<Test> {
    match System::events().pop().map(|record| record.event) {
        Some(RuntimeEvent::Upgrade(event)) => event,
        other => panic!("the last event is {other:?}"),
    }
}

#[test]
fn the_council_schedules_a_release() {
    run(|| {
        schedule();
        assert_eq!(Upgrade::scheduled(), Some(RELEASE));
        assert_eq!(last_event(), Event::ReleaseScheduled { release: RELEASE });
        assert_eq!(Upgrade::rules_of(RELEASE.height), 2, "nobody is ready");
    });
}

#[test]
fn what_cannot_be_scheduled_is_refused_and_changes_nothing() {
    run(|| {
        let root = RuntimeOrigin::root;
        let signed = RuntimeOrigin::signed(operator(1));
        assert_noop!(Upgrade::schedule(signed, RELEASE), DispatchError::BadOrigin);
        let old = Release { rules: 2, ..RELEASE };
        assert_noop!(Upgrade::schedule(root(), old), Error::<Test>::RulesNotNewer);
        let soon = Release { height: RELEASE.height - 1, ..RELEASE };
        assert_noop!(Upgrade::schedule(root(), soon), Error::<Test>::HeightTooSoon);
        schedule();
        assert_noop!(Upgrade::schedule(root(), RELEASE), Error::<Test>::AlreadyScheduled);
    });
}

#[test]
fn a_release_is_cancelled_with_its_confirmations() {
    run(|| {
        assert_noop!(Upgrade::cancel(RuntimeOrigin::root()), Error::<Test>::NothingScheduled);
        schedule();
        assert_ok!(confirm(1));
        let signed = RuntimeOrigin::signed(operator(1));
        assert_noop!(Upgrade::cancel(signed), DispatchError::BadOrigin);
        assert_ok!(Upgrade::cancel(RuntimeOrigin::root()));
        assert_eq!(last_event(), Event::ReleaseCancelled { release: RELEASE });
        assert!(Ready::<Test>::get().is_empty());
        schedule();
        assert_eq!(Upgrade::readiness(), (0, 4), "of another motion's release");
    });
}

#[test]
fn operators_confirm_once_and_the_scheduled_release_only() {
    run(|| {
        assert_noop!(confirm(1), Error::<Test>::NothingScheduled);
        schedule();
        for (rules, manifest) in [(4, MANIFEST), (3, Hash::zero())] {
            let signed = RuntimeOrigin::signed(operator(1));
            let result = Upgrade::confirm(signed, rules, manifest);
            assert_noop!(result, Error::<Test>::AnotherRelease);
        }
        assert_noop!(confirm(5), Error::<Test>::NotAnOperator);
        assert_noop!(
            Upgrade::confirm(RuntimeOrigin::root(), 3, MANIFEST),
            DispatchError::BadOrigin
        );
        assert_ok!(confirm(2));
        let operator = operator(2);
        assert_eq!(last_event(), Event::ReadinessConfirmed { operator, rules: 3 });
        assert_noop!(confirm(2), Error::<Test>::AlreadyConfirmed);
        assert_eq!(Upgrade::readiness(), (1, 4));
    });
}

#[test]
fn a_confirmation_is_withdrawn() {
    run(|| {
        let withdraw = |number| Upgrade::withdraw(RuntimeOrigin::signed(operator(number)));
        assert_noop!(withdraw(1), Error::<Test>::NothingScheduled);
        schedule();
        assert_ok!(confirm(1));
        assert_noop!(withdraw(2), Error::<Test>::NotConfirmed);
        assert_ok!(withdraw(1));
        let operator = operator(1);
        assert_eq!(last_event(), Event::ReadinessWithdrawn { operator, rules: 3 });
        assert_eq!(Upgrade::readiness(), (0, 4));
    });
}

#[test]
fn those_that_operate_no_more_give_their_places_up() {
    run(|| {
        Voters::set(&[1; 5]);
        schedule();
        for number in 1..=5 {
            assert_ok!(confirm(number));
        }
        // The pallet's bound is five. Operator 6 comes for those that have left.
        Voters::set(&[1; 6]);
        assert_noop!(confirm(6), Error::<Test>::TooManyConfirmed);
        Voters::set(&[1; 2]);
        assert_noop!(confirm(1), Error::<Test>::AlreadyConfirmed);
        assert_eq!(Upgrade::readiness(), (2, 2), "power of those that left counts no more");
    });
}

#[test]
fn rules_change_at_the_height_when_more_than_two_thirds_are_ready() {
    run(|| {
        schedule();
        for number in 1..=3 {
            assert_eq!(Upgrade::rules_of(RELEASE.height), 2, "{} are ready", number - 1);
            assert_ok!(confirm(number));
        }
        assert_eq!(Upgrade::rules_of(RELEASE.height), 3);
        assert_eq!(Upgrade::rules_of(RELEASE.height - 1), 2);
        go_to(RELEASE.height - 1);
        assert!(Scheduled::<Test>::exists());
        put_in_force(3, 1);
        go_to(RELEASE.height);
        assert_eq!(last_event(), Event::RulesChanged { release: RELEASE });
        assert_eq!((Upgrade::scheduled(), Upgrade::rules_in_force()), (None, 3));
        assert_eq!(Upgrade::rules_of(RELEASE.height + 1), 3);
    });
}

#[test]
fn a_release_lapses_when_too_few_are_ready() {
    run(|| {
        schedule();
        assert_ok!(confirm(1));
        assert_ok!(confirm(2));
        go_to(RELEASE.height);
        assert_eq!(last_event(), Event::ReleaseLapsed { release: RELEASE, ready: 2, of: 4 });
        assert_eq!((Upgrade::scheduled(), Upgrade::rules_in_force()), (None, 2));
        assert_eq!(Upgrade::admitted_before(), None);
        assert!(Ready::<Test>::get().is_empty());
        let later = Release { height: RELEASE.height + MIN_NOTICE, ..RELEASE };
        assert_ok!(Upgrade::schedule(RuntimeOrigin::root(), later));
    });
}

#[test]
fn what_was_signed_for_the_rules_before_is_admitted_for_a_while() {
    for (encoding, admitted) in [(1, Some(2)), (2, None)] {
        run(|| {
            schedule();
            for number in 1..=4 {
                assert_ok!(confirm(number));
            }
            assert_eq!(Upgrade::admitted_before(), None, "the old release");
            put_in_force(3, encoding);
            assert_eq!(Upgrade::admitted_before(), admitted, "the new one, before its height");
            go_to(RELEASE.height);
            assert_eq!(Upgrade::admitted_before(), admitted, "encoding {encoding}");
            Clock::set(1_000 + GRACE_MS - 1);
            assert_eq!(Upgrade::admitted_before(), admitted);
            Clock::set(1_000 + GRACE_MS);
            assert_eq!(Upgrade::admitted_before(), None);
        });
    }
}

#[test]
fn two_thirds_are_not_enough_and_powers_count() {
    assert!(!is_enough(0, 0));
    assert!(is_enough(u64::MAX, u64::MAX));
    run(|| {
        Voters::set(&[7, 1, 1, 1]);
        schedule();
        assert_ok!(confirm(1));
        assert!(Upgrade::is_ready(), "7 of 10");
        Voters::set(&[2, 1]);
        assert!(!Upgrade::is_ready(), "2 of 3");
    });
}

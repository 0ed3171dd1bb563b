//! Ranges of numbers: allotted, used, given back, voided.

use crate::{
    Call, Error, Event, Holding, Holdings, MAX_RANGES, MAX_RANGES_OF_CODE, MAX_VOIDED, Owners,
    Range, RangesOfCode, Span,
    mock::{
        ADMIN, Allotment, CANCELLED, CLINIC, FROZEN, HOSPITAL, INSURER, RuntimeOrigin, STRANGER,
        Test, code, council, did, events, number, register, run, send,
    },
    number_of, value_of,
};
use billchain_primitives::{
    Reason,
    seams::{AllotmentProblem, ParticipantProblem},
};
use codec::{Decode, Encode};
use frame::testing_prelude::*;

const CODE: &str = "31060126";
const OTHER: &str = "31060226";

fn allot(seed: u8, of: &str, first: u64, last: u64) -> Call<Test> {
    Call::allot { issuer: did(seed), code: code(of), first: number(first), last: number(last) }
}

fn give_back(seed: u8, first: u64) -> Call<Test> {
    Call::give_back { issuer: did(seed), code: code(CODE), first: number(first) }
}

fn void(seed: u8, first: u64, last: u64) -> Call<Test> {
    let (first, last) = (number(first), number(last));
    Call::void { issuer: did(seed), code: code(CODE), first, last, reason: reason() }
}

fn reason() -> Reason {
    Reason::new("a reason").expect("a short text")
}

fn span(first: u64, last: u64) -> Span {
    Span::new(first, last).expect("in order")
}

/// The ranges of the hospital's numbers of [`CODE`].
fn ranges() -> Vec<Range> {
    Allotment::holding(&did(HOSPITAL), &code(CODE)).0.into_inner()
}

#[test]
fn numbers_have_ten_digits() {
    for value in [0, 1, 42, 9_999_999_999] {
        assert_eq!(value_of(&number(value)), value);
        assert_eq!(number_of(value), number(value));
    }
    assert_eq!(Span::new(0, 10_000_000_000), None);
    assert_eq!(Span::new(2, 1), None);
    assert_eq!(span(0, 9_999_999_999).count(), 10_000_000_000);
    assert!(Span::decode(&mut &(2_u64, 1_u64).encode()[..]).is_err());
    assert!(Span::decode(&mut &(0_u64, u64::MAX).encode()[..]).is_err());
}

#[test]
fn an_issuer_uses_its_own_numbers_and_nobody_elses() {
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 1, 100)));
        let event = Event::Allotted {
            issuer: did(HOSPITAL),
            code: code(CODE),
            first: number(1),
            last: number(100),
            operator: Some(did(ADMIN)),
        };
        assert_eq!(events(), [event]);
        for value in [1, 100, 7] {
            assert_eq!(register(HOSPITAL, CODE, value), Ok(()));
        }
        let refused = Err(AllotmentProblem::NotAllotted);
        for (who, of, value) in [
            (HOSPITAL, CODE, 0),
            (HOSPITAL, CODE, 101),
            (HOSPITAL, OTHER, 1),
            (CLINIC, CODE, 2),
            (CLINIC, CODE, 1),
        ] {
            assert_storage_noop!(assert_eq!(
                register(who, of, value),
                refused,
                "{who} {of} {value}"
            ));
        }
        let range = &ranges()[0];
        assert_eq!((range.used, range.highest, range.unused()), (3, Some(100), 97));
        assert_eq!(range.missing(), 97);
        let (owner, found) = Allotment::owner(&code(CODE), &number(50)).expect("it is allotted");
        assert_eq!((owner, found), (did(HOSPITAL), range.clone()));
        assert_eq!(Allotment::owner(&code(CODE), &number(101)), None);
        assert_eq!(Allotment::owner(&code(CODE), &number(0)), None);
    });
}

#[test]
fn ranges_of_a_code_never_overlap() {
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 100, 199)));
        assert_ok!(council(allot(CLINIC, CODE, 300, 399)));
        for (first, last) in
            [(100, 199), (50, 100), (199, 250), (150, 160), (1, 1_000), (200, 300), (399, 500)]
        {
            for who in [HOSPITAL, CLINIC] {
                assert_noop!(
                    send(ADMIN, allot(who, CODE, first, last)),
                    Error::<Test>::Overlapping
                );
            }
        }
        // Another code's numbers are others; the gap between two ranges is free.
        assert_ok!(send(ADMIN, allot(CLINIC, OTHER, 100, 199)));
        assert_ok!(send(ADMIN, allot(CLINIC, CODE, 200, 299)));
        assert_ok!(send(ADMIN, allot(CLINIC, CODE, 0, 99)));
        assert_eq!(register(CLINIC, CODE, 250), Ok(()));
        assert_eq!(register(HOSPITAL, CODE, 250), Err(AllotmentProblem::NotAllotted));
    });
}

#[test]
fn numbers_that_follow_a_range_extend_it() {
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 1, 10)));
        assert_eq!(register(HOSPITAL, CODE, 10), Ok(()));
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 11, 20)));
        let [range] = &ranges()[..] else { panic!("one range") };
        assert_eq!((range.span, range.used), (span(1, 20), 1));
        // Another issuer's neighbour is a range of its own.
        assert_ok!(send(ADMIN, allot(CLINIC, CODE, 21, 30)));
        assert_eq!(Owners::<Test>::get(code(CODE), number(21)), Some(did(CLINIC)));
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 31, 40)));
        assert_eq!(ranges().len(), 2);
        assert_eq!(register(HOSPITAL, CODE, 25), Err(AllotmentProblem::NotAllotted));
    });
}

#[test]
fn what_is_allotted_has_room_for_so_many_ranges() {
    run(|| {
        let first = |at: u32| u64::from(at) * 10;
        for at in 0..MAX_RANGES {
            assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, first(at), first(at) + 1)));
        }
        let next = first(MAX_RANGES);
        assert_noop!(send(ADMIN, allot(HOSPITAL, CODE, next, next)), Error::<Test>::TooManyRanges);
        // What follows a range needs no room, and another issuer has its own.
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 2, 3)));
        assert_ok!(send(ADMIN, allot(CLINIC, CODE, next, next)));
    });
    run(|| {
        let full: Vec<_> =
            (0..u64::from(MAX_RANGES_OF_CODE)).map(|at| span(at * 10, at * 10 + 1)).collect();
        RangesOfCode::<Test>::insert(code(CODE), BoundedVec::truncate_from(full));
        assert_noop!(send(ADMIN, allot(HOSPITAL, CODE, 5, 5)), Error::<Test>::TooManyRangesOfCode);
        RangesOfCode::<Test>::remove(code(CODE));
    });
}

#[test]
fn senders_that_may_not_act_are_told_why() {
    run(|| {
        let rows = [
            (STRANGER, Error::<Test>::Sender(ParticipantProblem::NotFound)),
            (FROZEN, Error::Sender(ParticipantProblem::Frozen)),
            (CANCELLED, Error::Sender(ParticipantProblem::Cancelled)),
            (INSURER, Error::NotAdministrator),
            (CLINIC, Error::NotAdministrator),
        ];
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 1, 10)));
        for (who, expected) in rows {
            let expected: DispatchError = expected.into();
            assert_noop!(send(who, allot(HOSPITAL, CODE, 20, 30)), expected);
            assert_noop!(send(who, give_back(HOSPITAL, 5)), expected);
            assert_noop!(send(who, void(HOSPITAL, 5, 6)), expected);
        }
        // Its own numbers an issuer gives back, and does not void or allot.
        assert_noop!(
            send(HOSPITAL, allot(HOSPITAL, CODE, 20, 30)),
            Error::<Test>::NotAdministrator
        );
        assert_noop!(send(HOSPITAL, void(HOSPITAL, 5, 6)), Error::<Test>::NotAdministrator);
        let none = RuntimeOrigin::none();
        let reason = reason();
        assert_noop!(
            Allotment::void(none, did(HOSPITAL), code(CODE), number(1), number(1), reason),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn only_active_issuers_get_numbers() {
    run(|| {
        for (who, expected) in [
            (STRANGER, Error::<Test>::Issuer(ParticipantProblem::NotFound)),
            (FROZEN, Error::Issuer(ParticipantProblem::Frozen)),
            (CANCELLED, Error::Issuer(ParticipantProblem::Cancelled)),
            (INSURER, Error::NotIssuer),
        ] {
            assert_noop!(send(ADMIN, allot(who, CODE, 1, 2)), expected);
        }
        assert_noop!(send(ADMIN, allot(HOSPITAL, CODE, 2, 1)), Error::<Test>::RangeEmpty);
    });
}

#[test]
fn the_unused_end_of_a_range_goes_back_and_is_allotted_again() {
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 1, 100)));
        assert_eq!(register(HOSPITAL, CODE, 10), Ok(()));
        assert_noop!(send(HOSPITAL, give_back(HOSPITAL, 10)), Error::<Test>::NumberUsed);
        assert_noop!(send(HOSPITAL, give_back(HOSPITAL, 2)), Error::<Test>::NumberUsed);
        assert_noop!(send(HOSPITAL, give_back(HOSPITAL, 101)), Error::<Test>::NotAllotted);
        assert_noop!(send(CLINIC, give_back(CLINIC, 50)), Error::<Test>::NotAllotted);
        assert_ok!(send(HOSPITAL, give_back(HOSPITAL, 51)));
        let event = Event::GivenBack {
            issuer: did(HOSPITAL),
            code: code(CODE),
            first: number(51),
            last: number(100),
            operator: Some(did(HOSPITAL)),
        };
        assert_eq!(events().last(), Some(&event));
        assert_eq!(register(HOSPITAL, CODE, 51), Err(AllotmentProblem::NotAllotted));
        assert_ok!(send(ADMIN, allot(CLINIC, CODE, 51, 60)));
        assert_eq!(register(CLINIC, CODE, 51), Ok(()));

        // What was voided does not go back.
        assert_ok!(send(ADMIN, void(HOSPITAL, 40, 41)));
        assert_noop!(send(HOSPITAL, give_back(HOSPITAL, 40)), Error::<Test>::AlreadyVoided);
        assert_noop!(send(HOSPITAL, give_back(HOSPITAL, 20)), Error::<Test>::AlreadyVoided);
        assert_ok!(send(ADMIN, give_back(HOSPITAL, 42)));
        assert_eq!(ranges()[0].span, span(1, 41));
    });
}

#[test]
fn a_range_that_goes_back_whole_leaves_nothing() {
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 1, 10)));
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 21, 30)));
        assert_ok!(council(give_back(HOSPITAL, 1)));
        assert_eq!(ranges().len(), 1);
        assert_ok!(send(HOSPITAL, give_back(HOSPITAL, 21)));
        assert!(!Holdings::<Test>::contains_key(did(HOSPITAL), code(CODE)));
        assert!(!RangesOfCode::<Test>::contains_key(code(CODE)));
        assert_eq!(Owners::<Test>::iter().count(), 0);
    });
}

#[test]
fn voided_numbers_are_used_by_nobody_and_are_not_missing() {
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 1, 1_000)));
        for value in [1, 2, 5] {
            assert_eq!(register(HOSPITAL, CODE, value), Ok(()));
        }
        assert_eq!(ranges()[0].missing(), 2, "3 and 4");
        for (first, last) in [(2, 3), (4, 5), (5, 900)] {
            assert_noop!(send(ADMIN, void(HOSPITAL, first, last)), Error::<Test>::NumberUsed);
        }
        assert_ok!(send(ADMIN, void(HOSPITAL, 3, 4)));
        let event = Event::NumbersVoided {
            issuer: did(HOSPITAL),
            code: code(CODE),
            first: number(3),
            last: number(4),
            reason: reason(),
            operator: Some(did(ADMIN)),
        };
        assert_eq!(events().last(), Some(&event));
        assert_eq!(ranges()[0].missing(), 0);
        assert_eq!(register(HOSPITAL, CODE, 3), Err(AllotmentProblem::Voided));
        // The end of the range in one call, however long it is.
        assert_ok!(council(void(HOSPITAL, 6, 1_000)));
        let range = &ranges()[0];
        assert_eq!((range.missing(), range.unused(), range.voided_count()), (0, 0, 997));
        assert_noop!(send(ADMIN, void(HOSPITAL, 3, 3)), Error::<Test>::AlreadyVoided);
        assert_noop!(send(ADMIN, void(HOSPITAL, 1_001, 1_001)), Error::<Test>::NotAllotted);
        assert_noop!(send(ADMIN, void(HOSPITAL, 1_000, 1_001)), Error::<Test>::NotAllotted);
        assert_noop!(send(ADMIN, void(HOSPITAL, 2, 1)), Error::<Test>::RangeEmpty);
    });
}

#[test]
fn what_one_call_voids_is_bounded() {
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 1, 1_000)));
        assert_eq!(register(HOSPITAL, CODE, 500), Ok(()));
        assert_noop!(send(ADMIN, void(HOSPITAL, 1, 101)), Error::<Test>::SpanTooLong);
        assert_ok!(send(ADMIN, void(HOSPITAL, 1, 100)));
        for at in 1..u64::from(MAX_VOIDED) {
            assert_ok!(send(ADMIN, void(HOSPITAL, 100 + at * 10, 100 + at * 10)));
        }
        assert_noop!(send(ADMIN, void(HOSPITAL, 300, 300)), Error::<Test>::TooManyVoided);
        // Spans that meet are one.
        assert_ok!(send(ADMIN, void(HOSPITAL, 101, 109)));
        assert_eq!(ranges()[0].voided[0], span(1, 110));
        assert_ok!(send(ADMIN, void(HOSPITAL, 300, 300)));
    });
}

/// The completeness of a range against a set of numbers, over random use.
#[test]
fn the_counts_of_a_range_are_those_of_its_numbers() {
    use std::collections::BTreeSet;
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 10, 109)));
        let (mut used, mut voided) = (BTreeSet::new(), BTreeSet::new());
        for step in 0..400 {
            let value = random(120);
            if random(8) == 0 {
                let done = send(ADMIN, void(HOSPITAL, value, value)).is_ok();
                let free = !used.contains(&value) && !voided.contains(&value);
                assert!(!done || (free && (10..110).contains(&value)), "step {step}: {value}");
                if done {
                    voided.insert(value);
                }
            } else if !used.contains(&value) {
                let done = register(HOSPITAL, CODE, value).is_ok();
                let own = (10..110).contains(&value) && !voided.contains(&value);
                assert_eq!(done, own, "step {step}: {value}");
                if done {
                    used.insert(value);
                }
            }
            let range = &ranges()[0];
            let highest = used.last().copied();
            let missing = (10..=highest.unwrap_or(0))
                .filter(|value| !used.contains(value) && !voided.contains(value))
                .count();
            assert_eq!((range.used, range.highest), (used.len() as u64, highest));
            assert_eq!(range.voided_count(), voided.len() as u64);
            assert_eq!(range.missing(), missing as u64, "step {step}");
        }
        assert!(used.len() > 50 && voided.len() > 4, "{} {}", used.len(), voided.len());
    });
}

#[test]
fn codes_of_an_issuer_come_in_pages() {
    run(|| {
        for of in [CODE, OTHER, "31060326"] {
            assert_ok!(send(ADMIN, allot(HOSPITAL, of, 1, 2)));
        }
        let all = Allotment::holdings(&did(HOSPITAL), None, 10);
        let codes: Vec<_> = all.iter().map(|(of, _)| of.to_string()).collect();
        assert_eq!(codes, [CODE, OTHER, "31060326"]);
        let after = Allotment::holdings(&did(HOSPITAL), Some(&code(CODE)), 1);
        assert_eq!(after, all[1..2]);
        assert_eq!(Allotment::holding(&did(CLINIC), &code(CODE)), Holding::default());
    });
}

#[test]
fn a_state_that_is_not_sound_is_found() {
    run(|| {
        assert_ok!(send(ADMIN, allot(HOSPITAL, CODE, 1, 10)));
        let sound = Allotment::holding(&did(HOSPITAL), &code(CODE));
        let with = |change: fn(&mut Range)| {
            let mut holding = sound.clone();
            change(&mut holding.0[0]);
            Holdings::<Test>::insert(did(HOSPITAL), code(CODE), holding);
            Allotment::do_try_state()
        };
        assert!(with(|range| range.used = 11).is_err());
        assert!(with(|range| range.used = 1).is_err());
        assert!(with(|range| range.highest = Some(5)).is_err());
        assert!(with(|range| range.span.last = 9).is_err());
        assert!(with(|range| range.voided = vec![span(10, 11)].try_into().unwrap()).is_err());
        assert!(with(|_| {}).is_ok());
        Owners::<Test>::insert(code(CODE), number(5), did(CLINIC));
        assert!(Allotment::do_try_state().is_err());
        Owners::<Test>::remove(code(CODE), number(5));
    });
}

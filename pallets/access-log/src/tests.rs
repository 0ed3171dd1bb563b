//! What may be anchored, by whom and how often.

use crate::{Anchor, Anchors, Error, Event, MAX_ANCHORS, mock::*};
use billchain_primitives::Hash;
use frame::testing_prelude::*;

fn anchor(who: u8, number: u64) -> DispatchResult {
    AccessLog::anchor(RuntimeOrigin::signed(operator(who)), number, Hash::repeat_byte(7))
}

#[test]
fn an_operator_anchors_once_a_day_and_the_event_tells() {
    run(|| {
        assert_ok!(anchor(1, 12));
        let first = Anchor { day: 1, number: 12, hash: Hash::repeat_byte(7) };
        System::assert_last_event(Event::Anchored { operator: operator(1), anchor: first }.into());
        assert_noop!(anchor(1, 13), Error::<Test>::AlreadyAnchored);
        assert_ok!(anchor(2, 1));
        Clock::set_day(2);
        // A log that was begun anew.
        assert_ok!(anchor(1, 3));
        assert_eq!(AccessLog::anchors(&operator(1)).len(), 2);
        Clock::set_day(1);
        assert_noop!(anchor(1, 4), Error::<Test>::AlreadyAnchored);
    });
}

#[test]
fn who_operates_no_validator_anchors_nothing() {
    run(|| {
        assert_noop!(anchor(3, 1), Error::<Test>::NotAnOperator);
        assert_noop!(
            AccessLog::anchor(RuntimeOrigin::root(), 1, Hash::zero()),
            DispatchError::BadOrigin
        );
        assert!(AccessLog::anchors(&operator(3)).is_empty());
    });
}

#[test]
fn the_oldest_anchors_give_way() {
    run(|| {
        for day in 1..=u64::from(MAX_ANCHORS) + 3 {
            Clock::set_day(day);
            assert_ok!(anchor(1, day));
        }
        let kept = AccessLog::anchors(&operator(1));
        assert_eq!((kept.len(), kept[0].day), (MAX_ANCHORS as usize, 4));
    });
}

#[test]
fn what_is_out_of_order_is_found() {
    run(|| {
        let of = |day| Anchor { day, number: 1, hash: Hash::zero() };
        Anchors::<Test>::insert(operator(1), BoundedVec::truncate_from(vec![of(2), of(2)]));
        assert!(AccessLog::do_try_state().is_err());
        Anchors::<Test>::remove(operator(1));
    });
}

//! Who gets a bill that several want in one block.

use crate::{
    Contender, Contests, Error, Event, LockRequest, OutOfOrder, Precedence, Resolution,
    Resolutions, mock::*, types::resolution_key,
};
use billchain_primitives::seams::SceneProblem;
use billchain_primitives::{BillStatus, Did, Fen, Hash, SceneId, seams::Contention};
use codec::Decode;
use core::cmp::Ordering;
use frame::testing_prelude::*;
use pallet_bill_update::StatusChange;
use proptest::prelude::*;

const ORDER: Result<(), OutOfOrder> = Ok(());

fn status(number: u32) -> BillStatus {
    pallet_bill_register::Bills::<Test>::get(key(number)).expect("it exists").state.status
}

fn holder(number: u32) -> Option<Did> {
    let bill = pallet_bill_register::Bills::<Test>::get(key(number)).expect("it exists");
    bill.state.lock.map(|lock| lock.holder)
}

fn unlock() -> StatusChange {
    StatusChange::Unlock { reason: reason() }
}

fn claimants(resolution: &Resolution<ConstU32<4>>) -> Vec<Did> {
    resolution.contenders.iter().map(|contender| contender.claimant.clone()).collect()
}

#[test]
fn earlier_then_heavier_then_smaller_comes_first() {
    let precedence = |signed_at, weight, hash| Precedence {
        signed_at,
        weight,
        transaction: Hash::repeat_byte(hash),
    };
    for (first, second, why) in [
        (precedence(1, 1, 9), precedence(2, 9, 1), "the earlier time outranks weight and hash"),
        (precedence(1, 9, 9), precedence(1, 1, 1), "the higher weight outranks the hash"),
        (precedence(1, 1, 1), precedence(1, 1, 2), "the smaller hash"),
    ] {
        assert_eq!(first.cmp(&second), Ordering::Less, "{why}");
        assert_eq!(second.cmp(&first), Ordering::Greater, "{why}");
    }
    assert_eq!(precedence(1, 1, 1).cmp(&precedence(1, 1, 1)), Ordering::Equal);
}

#[test]
fn the_first_gets_the_bill_and_the_others_hear_of_it() {
    let state = run(|| {
        System::reset_events();
        let asks = [Ask::of(3, -9), Ask::of(1, 0), Ask::of(2, 5)];
        assert_ok!(asks[0].run());
        for loser in &asks[1..] {
            let refused = loser.run();
            assert_eq!(refused, Err(Error::<Test>::DisputeLost.into()));
        }
        next_block();
        let resolution = Dispute::resolution(&key(1)).expect("there was contention");
        assert_eq!((resolution.block, resolution.moment), (1, NOW));
        assert_eq!(resolution.winner, user(3));
        assert_eq!(holder(1), Some(user(3)));
        assert_eq!(claimants(&resolution), [user(3), user(1), user(2)]);
        let first = &resolution.contenders[0];
        let transaction = asks[0].transaction();
        let precedence = Precedence { signed_at: NOW - 9, weight: 10, transaction };
        let scene = LIGHT;
        assert_eq!(*first, Contender { claimant: user(3), scene, precedence });
        // Across blocks the lock itself is the reason.
        let late = Ask::of(4, 0).run();
        assert_eq!(late, Err(pallet_bill_update::Error::<Test>::LockedByOther.into()));
    });
    let bytes = state.offchain_db().get(&resolution_key(&key(1), 1)).expect("it is there");
    let noted = Resolution::<ConstU32<4>>::decode(&mut &bytes[..]).expect("it is one");
    assert_eq!(noted.winner, user(3));
}

#[test]
fn the_event_names_all_contenders() {
    run(|| {
        System::reset_events();
        assert_ok!(Ask::of(1, 0).run());
        assert!(Ask { scene: LIGHT, ..Ask::of(2, 0) }.run().is_err());
        Dispute::on_finalize(1);
        let resolution = Dispute::resolution(&key(1)).expect("there was contention");
        assert_eq!(
            events(),
            [Event::DisputeResolved {
                key: key(1),
                winner: user(1),
                contenders: resolution.contenders,
                unnamed: 0,
            }]
        );
    });
}

#[test]
fn a_lock_that_precedes_an_announced_one_cannot_stand_after_it() {
    let base = Ask { scene: HEAVY, ..Ask::of(5, 0) };
    for (second, expected, why) in [
        (Ask::of(6, 1), ORDER, "later"),
        (Ask { scene: HEAVY, ..Ask::of(1, 1) }, ORDER, "later with a smaller hash"),
        (Ask::of(1, 0), ORDER, "as early and lighter"),
        (Ask { scene: HEAVY, ..Ask::of(6, 0) }, ORDER, "as early and heavy, a greater hash"),
        (Ask::of(6, -1), Err(OutOfOrder { key: key(1) }), "earlier"),
        (Ask { scene: SceneId(21), ..Ask::of(6, 0) }, Err(OutOfOrder { key: key(1) }), "heavier"),
        (Ask { scene: HEAVY, ..Ask::of(4, 0) }, Err(OutOfOrder { key: key(1) }), "smaller hash"),
        (Ask { number: 2, ..Ask::of(6, -1) }, ORDER, "another bill"),
    ] {
        run(|| {
            assert_eq!(base.announce(), ORDER);
            assert_eq!(second.announce(), expected, "{why}");
        });
    }
}

#[test]
fn what_a_later_transaction_may_not_precede_is_the_latest() {
    run(|| {
        for ask in [Ask::of(1, 0), Ask::of(2, 4), Ask::of(1, 6)] {
            assert_eq!(ask.announce(), ORDER);
        }
        assert_eq!(Ask::of(3, 5).announce(), Err(OutOfOrder { key: key(1) }));
        assert_eq!(Ask::of(3, 6).announce(), ORDER);
    });
}

#[test]
fn a_transaction_is_in_order_with_itself() {
    run(|| {
        let ask = |n: u32, at: i64| Ask { number: n, ..Ask::of(1, at) }.request();
        let requests = vec![ask(1, 3), ask(2, 2), ask(1, 1)];
        assert_eq!(Dispute::announce(&account(USER + 1), Hash::zero(), requests), ORDER);
        assert_eq!(Ask::of(2, 2).announce(), Err(OutOfOrder { key: key(1) }));
        assert_eq!(Ask { number: 2, ..Ask::of(2, 2) }.announce(), ORDER);
    });
}

#[test]
fn a_signed_time_out_of_bounds_is_refused_and_takes_no_part() {
    let (before, after) = (BEFORE as i64, AFTER as i64);
    run(|| {
        for at in [-before - 1, after + 1, i64::MIN / 2, i64::MAX] {
            let ask = Ask { number: 2, ..Ask::of(1, at) };
            let refused: DispatchError = Error::<Test>::SignedTimeOutOfBounds.into();
            assert_eq!(ask.run(), Err(refused), "{at}");
        }
        assert_eq!(Contests::<Test>::iter_keys().count(), 0);
        // Both ends are in bounds; the one too early precedes nobody.
        assert_ok!(Ask::of(1, -before).run());
        assert!(Ask::of(3, -before - 1).run().is_err());
        assert_eq!(Ask::of(2, after).run(), Err(Error::<Test>::DisputeLost.into()));
        next_block();
        let resolution = Dispute::resolution(&key(1)).expect("there was contention");
        assert_eq!(claimants(&resolution), [user(1), user(2)]);
    });
}

#[test]
fn a_claimant_that_nobody_may_act_for_takes_no_part() {
    run(|| {
        let request =
            |who: Option<Did>| LockRequest { on_behalf_of: who, ..Ask::of(1, 0).request() };
        for (seed, who) in [
            (STRANGER, None),
            (FROZEN, None),
            (HOSPITAL, None),
            (PLATFORM, None),
            (PLATFORM, Some(did("nobody"))),
            (PLATFORM, Some(did("hospital"))),
            (USER + 1, Some(user(2))),
        ] {
            let requests = vec![request(who.clone())];
            assert_eq!(Dispute::announce(&account(seed), Hash::zero(), requests), ORDER);
            assert_eq!(Contests::<Test>::iter_keys().count(), 0, "{seed} for {who:?}");
        }
        let requests = vec![request(Some(user(2)))];
        assert_eq!(Dispute::announce(&account(PLATFORM), Hash::zero(), requests), ORDER);
        let contest = Contests::<Test>::get(key(1)).expect("the platform acts for a user");
        assert_eq!(contest.contenders[0].claimant, user(2));
    });
}

#[test]
fn one_that_cannot_have_the_bill_leaves_it_to_the_next() {
    run(|| {
        let unlisted = Ask { seed: UNLISTED, ..Ask::of(1, -3) };
        assert_eq!(unlisted.run(), Err(pallet_bill_update::Error::<Test>::GrantRequired.into()));
        assert_ok!(Ask::of(2, 0).run());
        assert_eq!(Ask::of(3, 1).run(), Err(Error::<Test>::DisputeLost.into()));
        next_block();
        let resolution = Dispute::resolution(&key(1)).expect("there was contention");
        assert_eq!(resolution.winner, user(2));
        assert_eq!(claimants(&resolution), [did("unlisted"), user(2), user(3)]);
    });
}

#[test]
fn a_claim_in_no_scene_weighs_nothing_and_is_refused() {
    run(|| {
        assert_ok!(Ask::of(1, 0).run());
        let nowhere = Ask { scene: NO_SCENE, ..Ask::of(2, 0) };
        assert_eq!(nowhere.run(), Err(Error::<Test>::DisputeLost.into()));
        let contest = Contests::<Test>::get(key(1)).expect("both were announced");
        assert_eq!(contest.contenders[1].precedence.weight, 0);
        let alone = Ask { number: 2, ..nowhere };
        assert_eq!(
            alone.run(),
            Err(pallet_bill_update::Error::<Test>::Scene(SceneProblem::NotFound).into())
        );
    });
}

#[test]
fn who_won_keeps_the_others_out_for_the_block_whatever_follows() {
    run(|| {
        // Given back, and reimbursed, in the same block.
        for (number, then) in [
            (1, unlock()),
            (2, StatusChange::Reimburse { amount: Fen::new(1).expect("in bounds") }),
        ] {
            assert_ok!(Ask { number, ..Ask::of(1, 0) }.run());
            assert_ok!(change(USER + 1, number, then));
            let other = Ask { number, ..Ask::of(2, 0) };
            assert_eq!(other.run(), Err(Error::<Test>::DisputeLost.into()));
        }
        // The winner itself may come again.
        assert_ok!(Ask::of(1, 9).run());
        assert_ok!(change(USER + 1, 1, unlock()));
        next_block();
        assert_eq!(Dispute::resolution(&key(1)).map(|r| r.winner), Some(user(1)));
        assert_eq!(status(2), BillStatus::Reimbursed);
        assert_ok!(Ask::of(2, 0).run());
        assert_eq!(holder(1), Some(user(2)));
    });
}

#[test]
fn the_same_claimant_contends_with_nobody() {
    run(|| {
        System::reset_events();
        assert_ok!(Ask::of(1, 0).run());
        assert_ok!(Ask::of(1, 1).run());
        let contest = Contests::<Test>::get(key(1)).expect("both were announced");
        assert_eq!((contest.contenders.len(), contest.unnamed), (1, 0));
        Dispute::on_finalize(1);
        assert_eq!(events(), []);
        assert_eq!(Dispute::resolution(&key(1)), None);
    });
}

#[test]
fn where_nobody_got_the_bill_nothing_was_resolved() {
    run(|| {
        let lock = StatusChange::AdminLock { reason: reason(), evidence: [6; 32] };
        assert_ok!(change(ADMIN, 1, lock));
        System::reset_events();
        for n in [1, 2] {
            let refused: DispatchError =
                pallet_bill_update::Error::<Test>::LockedByAdministrator.into();
            assert_eq!(Ask::of(n, 0).run(), Err(refused));
        }
        Dispute::on_finalize(1);
        assert_eq!(events(), []);
        assert_eq!(Resolutions::<Test>::iter_keys().count(), 0);
        assert_eq!(Contests::<Test>::iter_keys().count(), 0, "contests end with the block");
    });
}

#[test]
fn contenders_beyond_the_bound_are_counted_and_lose_all_the_same() {
    run(|| {
        assert_ok!(Ask::of(1, 0).run());
        for n in 2..=7 {
            assert_eq!(Ask::of(n, 0).run(), Err(Error::<Test>::DisputeLost.into()));
        }
        // Somebody who is named is not counted again.
        assert_eq!(Ask::of(2, 1).run(), Err(Error::<Test>::DisputeLost.into()));
        next_block();
        let resolution = Dispute::resolution(&key(1)).expect("there was contention");
        assert_eq!(claimants(&resolution), [user(1), user(2), user(3), user(4)]);
        assert_eq!(resolution.unnamed, 3);
    });
}

#[test]
fn every_resolution_is_in_the_index_and_the_last_one_in_the_state() {
    let state = run(|| {
        for _ in 0..2 {
            assert_ok!(Ask::of(1, 3_000).run());
            assert!(Ask::of(2, 3_000).run().is_err());
            assert_ok!(change(USER + 1, 1, unlock()));
            next_block();
        }
        assert_eq!(Dispute::resolution(&key(1)).map(|r| r.block), Some(2));
    });
    for block in [1, 2] {
        assert!(state.offchain_db().get(&resolution_key(&key(1), block)).is_some(), "{block}");
    }
}

#[test]
fn a_lock_that_was_not_announced_contends_with_nobody() {
    run(|| {
        // Nothing to note it with; the ledger decides.
        Dispute::won(&key(1), &user(1));
        assert_ok!(Dispute::admit(&key(1), &user(2), NOW));
        assert_eq!(Contests::<Test>::iter_keys().count(), 0);
    });
}

#[test]
fn a_broken_resolution_is_noticed() {
    run(|| {
        assert_ok!(Ask::of(1, 0).run());
        assert!(Ask::of(2, 1).run().is_err());
        next_block();
        let good = Dispute::resolution(&key(1)).expect("there was contention");
        let breaks: [(&str, fn(&mut Resolution<ConstU32<4>>)); 4] = [
            ("one contender", |r| r.contenders.truncate(1)),
            ("the wrong order", |r| r.contenders[0].precedence.signed_at = u64::MAX),
            ("one twice", |r| r.contenders[1] = r.contenders[0].clone()),
            ("a winner from nowhere", |r| r.winner = did("nobody")),
        ];
        for (what, break_it) in breaks {
            let mut bad = good.clone();
            break_it(&mut bad);
            Resolutions::<Test>::insert(key(1), bad);
            assert!(Dispute::do_try_state().is_err(), "{what}");
        }
        Resolutions::<Test>::remove(key(1));
        Resolutions::<Test>::insert(key(9), &good);
        assert!(Dispute::do_try_state().is_err(), "of no bill");
        Resolutions::<Test>::remove(key(9));
        assert_eq!(Ask::of(3, 3_000).announce(), ORDER);
        assert!(Dispute::do_try_state().is_err(), "a contest is left over");
    });
}

/// Time, scene, hash byte: the rule restated on plain numbers.
fn rank(ask: &Ask) -> (i64, i32, u8) {
    (ask.at, -i32::from(ask.scene.0), ask.hash)
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = (0_i64..3, 10_u16..13).prop_map(|(at, scene)| (at, SceneId(scene)));
    proptest::collection::vec(ask, 1..8).prop_flat_map(|list| {
        let asks: Vec<Ask> = list
            .into_iter()
            .zip(1_u8..)
            .map(|((at, scene), n)| Ask { scene, ..Ask::of(n, at) })
            .collect();
        Just(asks).prop_shuffle()
    })
}

proptest! {
    #[test]
    fn a_block_is_in_order_exactly_if_its_locks_are(asks in asks()) {
        run(|| {
            let sorted = asks.windows(2).all(|two| rank(&two[0]) < rank(&two[1]));
            let accepted = asks.iter().all(|ask| ask.announce().is_ok());
            assert_eq!(accepted, sorted);
        });
    }

    #[test]
    fn sorted_by_precedence_the_best_claimant_wins(asks in asks()) {
        run(|| {
            let mut ordered = asks.clone();
            ordered.sort_by_key(|ask| {
                Dispute::precedence(&ask.request(), ask.transaction()).expect("it is timely")
            });
            let best = asks.iter().min_by_key(|ask| rank(ask)).expect("one at least");
            for ask in &ordered {
                assert_eq!(ask.run().is_ok(), ask.hash == best.hash);
            }
            assert_eq!(holder(1), Some(user(best.hash)));
        });
    }
}

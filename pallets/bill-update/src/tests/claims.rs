//! Locks, reimbursements and what contends for them.

use crate::{Call, Error, Event, StatusChange, mock::*};
use billchain_primitives::{
    BillStatus, ConditionText, Fen, GrantId, LockPurpose, SceneId, Stamp,
    condition::{Field, Guarded, Value},
    history::{self, VersionRecord},
    index,
    seams::{GrantProblem, ParticipantProblem, PolicyId, SceneProblem, TransitionProblem},
};
use codec::Decode;
use frame::testing_prelude::*;

#[test]
fn a_lock_says_who_what_for_and_until_when() {
    run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "CLM-1")));
        let lock = stored(1).state.lock.expect("it was locked");
        let claim_no: billchain_primitives::ClaimNo = "CLM-1".parse().expect("a plain text");
        assert_eq!(lock.holder, did("insurer-a"));
        let claim = LockPurpose::Claim { scene: SHARED, claim_no: claim_no.clone(), grant: None };
        assert_eq!(lock.purpose, claim);
        let at = Stamp { block: 1, extrinsic: Some(0), moment: NOW };
        assert_eq!((lock.at, lock.version, lock.expires), (at, 2, Some(NOW + PERIOD)));
        assert_eq!(lock.before, BillStatus::Normal);
        assert_eq!(
            last_event(),
            Event::Locked {
                key: key(1),
                operator: did("insurer-a"),
                holder: did("insurer-a"),
                scene: SHARED,
                claim_no,
                grant: None,
                expires: Some(NOW + PERIOD),
                version: 2,
            }
        );
    });
}

#[test]
fn the_second_claimant_is_refused_and_can_learn_who_holds_the_lock() {
    run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        let refused: DispatchError = Error::<Test>::LockedByOther.into();
        assert_noop!(change(INSURER_B, 1, lock(SHARED, "c")), refused);
        assert_noop!(change(INSURER_B, 1, unlock()), refused);
        assert_noop!(change(INSURER_B, 1, reimburse(1)), refused);
        // The lock is the reason, not the version it made.
        let expected_version = Some(1);
        let (key, change) = (key(1), lock(SHARED, "c"));
        let call = Call::<Test>::change_status { key, expected_version, change };
        assert_noop!(send(INSURER_B, call), refused);
        let lock = BillUpdate::lock_in_force(&key).expect("it is locked");
        assert_eq!(lock.holder, did("insurer-a"));
    });
}

#[test]
fn repeating_a_lock_changes_nothing_and_succeeds() {
    run(|| {
        register(bill(1));
        let call = Call::<Test>::change_status {
            key: key(1),
            expected_version: Some(1),
            change: lock(SHARED, "c"),
        };
        assert_ok!(send(INSURER_A, call.clone()));
        // A version in between does not hide which one the lock made.
        let update = crate::Call::<Test>::update_summary {
            key: key(1),
            expected_version: None,
            pdf_hash: Some([1; 32]),
            location_hash: None,
        };
        assert_ok!(send(HOSPITAL, update));
        let before = stored(1);
        pass(5);
        System::set_extrinsic_index(7);
        assert_ok!(send(INSURER_A, call));
        assert_eq!(stored(1), before);
        assert_eq!(
            last_event(),
            Event::LockRepeated {
                key: key(1),
                operator: did("insurer-a"),
                holder: did("insurer-a"),
                scene: SHARED,
                claim_no: "c".parse().expect("a plain text"),
                locked: Stamp { block: 1, extrinsic: Some(0), moment: NOW },
                expires: Some(NOW + PERIOD),
                version: 2,
            }
        );
        let refused: DispatchError = Error::<Test>::LockedForOtherClaim.into();
        assert_noop!(change(INSURER_A, 1, lock(SHARED, "d")), refused);
        assert_noop!(change(INSURER_A, 1, lock(SHARED_TOO, "c")), refused);
        // In the holder's name a platform may repeat it, another user not.
        let mut in_its_name = lock(SHARED, "c");
        if let StatusChange::Lock { on_behalf_of, .. } = &mut in_its_name {
            *on_behalf_of = Some(did("insurer-a"));
        }
        assert_ok!(change(PLATFORM, 1, in_its_name.clone()));
        assert_noop!(change(INSURER_B, 1, in_its_name), Error::<Test>::NotPlatform);
        assert_eq!(stored(1), before);
    });
}

#[test]
fn conditions_of_a_lock() {
    run(|| {
        register(bill(1));
        for (sender, scene, expected) in [
            (INSURER_A, SceneId(77), Error::<Test>::Scene(SceneProblem::NotFound)),
            (INSURER_A, CLOSED, Error::Scene(SceneProblem::Inactive)),
            (UNLISTED, SHARED, Error::GrantRequired),
            (PLATFORM, SHARED, Error::HolderNotUser),
        ] {
            assert_noop!(change(sender, 1, lock(scene, "c")), expected);
        }
    });
}

#[test]
fn a_policy_refuses_a_lock_and_a_reimbursement() {
    let deny = |operation, values| {
        with_world(|world| world.denied = Some((operation, values)));
    };
    let refused: DispatchError = Error::<Test>::PolicyDenied(PolicyId(7)).into();
    run(|| {
        register(bill(1));
        let who = |name: &str| Value::Did(did(name));
        let mut facts = vec![
            (Field::Scene, Value::Scene(SHARED)),
            (Field::BillScene, Value::Scene(EXCLUSIVE)),
            (Field::Claimant, who("insurer-a")),
            (Field::Operator, who("platform")),
            (Field::ClaimNo, Value::Text(ConditionText::new("c").expect("a plain text"))),
            (Field::Reimbursed, Value::Fen(Fen::ZERO)),
            (Field::Now, Value::Moment(NOW)),
        ];
        deny(Guarded::Lock, facts.clone());
        let by_platform = StatusChange::Lock {
            scene: SHARED,
            claim_no: "c".parse().expect("a plain text"),
            on_behalf_of: Some(did("insurer-a")),
            grant: None,
            signed_at: NOW,
        };
        assert_noop!(change(PLATFORM, 1, by_platform), refused);
        assert_eq!(status(1), BillStatus::Normal);
        // The same lock by the claimant itself is another operator's.
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));

        facts[3].1 = who("insurer-a");
        let amount = |fen: Fen| (Field::Amount, Value::Fen(fen));
        deny(Guarded::Reimburse, [&facts[..], &[amount(fen(300))]].concat());
        assert_noop!(change(INSURER_A, 1, reimburse(300)), refused);
        assert_ok!(change(INSURER_A, 1, reimburse(301)));
        assert_ok!(change(INSURER_B, 1, lock(SHARED_TOO, "d")));
        deny(Guarded::Reimburse, vec![(Field::Remaining, Value::Fen(fen(9_699)))]);
        assert_noop!(change(INSURER_B, 1, reimburse(5)), refused);
        with_world(|world| world.denied = None);
        assert_ok!(change(INSURER_B, 1, reimburse(5)));
    });
}

#[test]
fn a_platform_locks_for_an_active_user() {
    run(|| {
        register(bill(1));
        let on_behalf = |name: &str| StatusChange::Lock {
            scene: SHARED,
            claim_no: "c".parse().expect("a plain text"),
            on_behalf_of: Some(did(name)),
            grant: None,
            signed_at: NOW,
        };
        for (sender, name, expected) in [
            (PLATFORM, "nobody", Error::<Test>::Holder(ParticipantProblem::NotFound)),
            (PLATFORM, "hospital", Error::HolderNotUser),
            (PLATFORM, "unlisted", Error::GrantRequired),
            (INSURER_B, "insurer-a", Error::NotPlatform),
        ] {
            assert_noop!(change(sender, 1, on_behalf(name)), expected);
        }
        assert_ok!(change(PLATFORM, 1, on_behalf("insurer-a")));
        assert_ok!(change(PLATFORM, 1, on_behalf("insurer-a")));
        assert_ok!(change(INSURER_A, 1, on_behalf("insurer-a")));
        assert_eq!(stored(1).state.version, 2);
        // The lock is the user's.
        assert_noop!(change(PLATFORM, 1, reimburse(1)), Error::<Test>::LockedByOther);
        assert_ok!(change(INSURER_A, 1, reimburse(10_000)));
    });
}

#[test]
fn a_valid_grant_lets_a_claimant_lock_that_no_whitelist_names() {
    run(|| {
        register(bill(1));
        assert_noop!(change(UNLISTED, 1, lock(SHARED, "c")), Error::<Test>::GrantRequired);
        assert_ok!(change(UNLISTED, 1, lock_with(grant(), SHARED, "c")));
        let used = (did("unlisted"), key(1), 2, SHARED);
        assert_eq!(with_world(|world| world.uses.clone()), [used]);
        let purpose = stored(1).state.lock.expect("it was locked").purpose;
        assert!(matches!(purpose, LockPurpose::Claim { grant: Some(id), .. } if id == grant()));
        assert!(matches!(
            last_event(),
            Event::Locked { grant: Some(id), version: 2, .. } if id == grant()
        ));
        // Repeated, it stands and is not used again; with another grant, or
        // none, it is another claim.
        assert_ok!(change(UNLISTED, 1, lock_with(grant(), SHARED, "c")));
        assert_eq!(with_world(|world| world.uses.len()), 1);
        let other = GrantId([1; 32].into());
        for again in [lock_with(other, SHARED, "c"), lock(SHARED, "c")] {
            assert_noop!(change(UNLISTED, 1, again), Error::<Test>::LockedForOtherClaim);
        }
        assert_ok!(change(UNLISTED, 1, reimburse(10_000)));
    });
}

#[test]
fn each_problem_of_a_grant_refuses_the_lock_by_name() {
    run(|| {
        register(bill(1));
        let unknown = lock_with(GrantId([1; 32].into()), SHARED, "c");
        assert_noop!(change(UNLISTED, 1, unknown), Error::<Test>::Grant(GrantProblem::NotFound));
        for (problem, refused) in [
            (GrantProblem::NotFound, Error::<Test>::Grant(GrantProblem::NotFound)),
            (GrantProblem::WrongSubject, Error::Grant(GrantProblem::WrongSubject)),
            (GrantProblem::Revoked, Error::Grant(GrantProblem::Revoked)),
            (GrantProblem::Frozen, Error::Grant(GrantProblem::Frozen)),
            (GrantProblem::NotYetValid, Error::Grant(GrantProblem::NotYetValid)),
            (GrantProblem::Expired, Error::Grant(GrantProblem::Expired)),
            (GrantProblem::HolderNotActive, Error::Grant(GrantProblem::HolderNotActive)),
            (GrantProblem::HolderKeyChanged, Error::Grant(GrantProblem::HolderKeyChanged)),
            (GrantProblem::SubjectKeyChanged, Error::Grant(GrantProblem::SubjectKeyChanged)),
            (GrantProblem::OutOfScope, Error::Grant(GrantProblem::OutOfScope)),
            (GrantProblem::Exhausted, Error::Grant(GrantProblem::Exhausted)),
        ] {
            let refused: DispatchError = refused.into();
            with_world(|world| world.grant = Err(problem));
            // The whitelist does not save a lock that names a grant.
            for sender in [UNLISTED, INSURER_A] {
                let lock = lock_with(grant(), SHARED, "c");
                assert_noop!(change(sender, 1, lock), refused);
            }
        }
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
    });
}

#[test]
fn a_grant_does_not_lift_the_other_conditions() {
    run(|| {
        register(bill(1));
        for (sender, scene, expected) in [
            (UNLISTED, SceneId(77), Error::<Test>::Scene(SceneProblem::NotFound)),
            (UNLISTED, CLOSED, Error::Scene(SceneProblem::Inactive)),
            (PLATFORM, SHARED, Error::HolderNotUser),
            (HOSPITAL, SHARED, Error::Transition(TransitionProblem::RoleForbidden)),
        ] {
            assert_noop!(change(sender, 1, lock_with(grant(), scene, "c")), expected);
        }
        let on_behalf = StatusChange::Lock {
            scene: SHARED,
            claim_no: "c".parse().expect("a plain text"),
            on_behalf_of: Some(did("unlisted")),
            grant: Some(grant()),
            signed_at: NOW,
        };
        assert_ok!(change(PLATFORM, 1, on_behalf));
        // The user the platform acts for is the one who uses the grant.
        let used = (did("unlisted"), key(1), 2, SHARED);
        assert_eq!(with_world(|world| world.uses.clone()), [used]);
    });
}

#[test]
fn unlocking_goes_back_to_the_status_before() {
    run(|| {
        register(bill(1));
        assert_noop!(change(INSURER_A, 1, unlock()), Error::<Test>::NotLocked);
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_ok!(change(INSURER_A, 1, unlock()));
        assert_eq!(status(1), BillStatus::Normal);
        assert!(matches!(
            last_event(),
            Event::Unlocked { status: BillStatus::Normal, version: 3, .. }
        ));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_ok!(change(INSURER_A, 1, reimburse(1)));
        assert_ok!(change(INSURER_B, 1, lock(SHARED_TOO, "d")));
        assert_ok!(change(INSURER_B, 1, unlock()));
        assert_eq!(status(1), BillStatus::PartlyReimbursed);
    });
}

#[test]
fn an_expired_lock_counts_as_released() {
    let mut head = None;
    let state = run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_noop!(change(AUDITOR, 1, StatusChange::ExpireLock), Error::<Test>::LockNotExpired);
        pass(PERIOD);
        // The last moment belongs to the lock.
        assert_noop!(change(INSURER_B, 1, lock(SHARED, "d")), Error::<Test>::LockedByOther);
        pass(1);
        assert_eq!(BillUpdate::lock_in_force(&key(1)), None);
        let seen = BillUpdate::bill_in_force(&key(1)).expect("the bill exists");
        assert_eq!((seen.state.status, seen.state.version), (BillStatus::Normal, 2));
        assert_noop!(change(INSURER_A, 1, reimburse(1)), Error::<Test>::NotLocked);

        let call = Call::<Test>::change_status {
            key: key(1),
            expected_version: Some(2),
            change: lock(SHARED, "d"),
        };
        assert_ok!(send(INSURER_B, call));
        assert_eq!(stored(1).state.version, 4);
        assert_eq!(stored(1).state.lock.expect("it is locked").holder, did("insurer-b"));
        head = Some(stored(1));
    });
    let records: Vec<_> = (1..=4)
        .filter_map(|version| state.offchain_db().get(&index::history_key(&key(1), version)))
        .map(|bytes| VersionRecord::decode(&mut &bytes[..]).expect("it is a record"))
        .collect();
    assert_eq!(history::verify(&head.expect("it ran"), &records), Ok(()));
}

#[test]
fn anyone_expires_a_lock_whose_time_is_over() {
    run(|| {
        register(bill(1));
        assert_noop!(change(AUDITOR, 1, StatusChange::ExpireLock), Error::<Test>::NotLocked);
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        pass(PERIOD + 1);
        let call = |expected_version| Call::<Test>::change_status {
            key: key(1),
            expected_version,
            change: StatusChange::ExpireLock,
        };
        assert_noop!(send(AUDITOR, call(Some(1))), Error::<Test>::StaleVersion);
        assert_ok!(send(AUDITOR, call(Some(2))));
        assert_eq!(
            last_event(),
            Event::LockExpired {
                key: key(1),
                operator: did("auditor"),
                holder: did("insurer-a"),
                status: BillStatus::Normal,
                version: 3,
            }
        );
    });
}

#[test]
fn an_exclusive_scene_reimburses_once() {
    run(|| {
        register(bill(1));
        assert_noop!(change(INSURER_A, 1, reimburse(1)), Error::<Test>::NotLocked);
        assert_ok!(change(INSURER_A, 1, lock(EXCLUSIVE, "c")));
        for (amount, expected) in [
            (0, Error::<Test>::AmountNotPositive),
            (-1, Error::AmountNotPositive),
            (10_001, Error::AmountExceeded),
        ] {
            assert_noop!(change(INSURER_A, 1, reimburse(amount)), expected);
        }
        assert_ok!(change(INSURER_A, 1, reimburse(6_000)));
        assert_eq!(
            last_event(),
            Event::Reimbursed {
                key: key(1),
                payer: did("insurer-a"),
                amount: fen(6_000),
                reimbursed: fen(6_000),
                status: BillStatus::Reimbursed,
                version: 3,
            }
        );
        let again = change(INSURER_B, 1, lock(SHARED, "d"));
        assert_noop!(again, Error::<Test>::Transition(TransitionProblem::IllegalTransition));
    });
}

#[test]
fn shared_scenes_reimburse_once_each_up_to_the_total() {
    run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_ok!(change(INSURER_A, 1, reimburse(6_000)));
        assert_eq!(status(1), BillStatus::PartlyReimbursed);
        let (claimed, alone) = (Error::<Test>::SceneClaimed, Error::<Test>::SceneExclusive);
        assert_noop!(change(INSURER_B, 1, lock(SHARED, "d")), claimed);
        assert_noop!(change(INSURER_B, 1, lock(EXCLUSIVE, "d")), alone);
        assert_ok!(change(INSURER_B, 1, lock(SHARED_TOO, "d")));
        assert_noop!(change(INSURER_B, 1, reimburse(4_001)), Error::<Test>::AmountExceeded);
        assert_ok!(change(INSURER_B, 1, reimburse(4_000)));
        assert_eq!((status(1), stored(1).reimbursed()), (BillStatus::Reimbursed, fen(10_000)));
    });
}

#[test]
fn a_scene_that_was_closed_after_the_lock_does_not_reimburse() {
    run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        with_world(|world| world.closed.push(SHARED));
        assert_noop!(
            change(INSURER_A, 1, reimburse(1)),
            Error::<Test>::Scene(SceneProblem::Inactive)
        );
        assert_ok!(change(INSURER_A, 1, unlock()));
    });
}

#[test]
fn a_bill_holds_so_many_reimbursements_and_no_more() {
    run(|| {
        register(bill(1));
        for scene in 100..108 {
            assert_ok!(change(INSURER_A, 1, lock(SceneId(scene), "c")));
            assert_ok!(change(INSURER_A, 1, reimburse(1)));
        }
        let ninth = change(INSURER_A, 1, lock(SceneId(108), "c"));
        assert_noop!(ninth, Error::<Test>::TooManyReimbursements);
    });
}

#[test]
fn the_last_payer_takes_its_reimbursement_back() {
    run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_ok!(change(INSURER_A, 1, reimburse(6_000)));
        assert_ok!(change(INSURER_B, 1, lock(SHARED_TOO, "d")));
        assert_ok!(change(INSURER_B, 1, reimburse(4_000)));

        assert_noop!(change(INSURER_A, 1, reverse_use()), Error::<Test>::NotLastPayer);
        let unapproved = StatusChange::ReverseUse { reason: reason(), approval: [0; 32] };
        assert_noop!(change(INSURER_B, 1, unapproved), Error::<Test>::EvidenceMissing);
        assert_ok!(change(INSURER_B, 1, reverse_use()));
        assert_eq!(status(1), BillStatus::PartlyReimbursed);
        assert!(matches!(
            last_event(),
            Event::UseReversed { reimbursed, version: 6, .. } if reimbursed == fen(6_000)
        ));
        assert_ok!(change(INSURER_A, 1, reverse_use()));
        assert_eq!((status(1), stored(1).reimbursed()), (BillStatus::Normal, Fen::ZERO));
        // The scene is free again.
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "e")));
    });
}

#[test]
fn a_bill_over_nothing_cannot_be_reimbursed() {
    run(|| {
        let mut free = bill(1);
        free.total = Fen::ZERO;
        register(free);
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_noop!(change(INSURER_A, 1, reimburse(1)), Error::<Test>::AmountExceeded);
        assert_noop!(change(INSURER_A, 1, reimburse(0)), Error::<Test>::AmountNotPositive);
    });
}

#[test]
fn contention_decides_who_may_lock_and_learns_who_did() {
    run(|| {
        register(bill(1));
        let claim_no: billchain_primitives::ClaimNo = "c".parse().expect("a plain text");
        let lock_at = |signed_at| StatusChange::Lock {
            scene: SHARED,
            claim_no: claim_no.clone(),
            on_behalf_of: None,
            grant: None,
            signed_at,
        };
        assert_noop!(change(INSURER_A, 1, lock_at(NOW - 1)), UNTIMELY);
        with_world(|world| world.beaten = Some(did("insurer-b")));
        assert_noop!(change(INSURER_B, 1, lock(SHARED, "d")), BEATEN);
        assert_eq!(with_world(|world| world.won.len()), 0);

        assert_ok!(change(INSURER_A, 1, lock_at(NOW)));
        let won = [(key(1), did("insurer-a"))];
        assert_eq!(with_world(|world| world.won.clone()), won);
        // Who was kept out in this block hears of that, not of the lock.
        assert_noop!(change(INSURER_B, 1, lock(SHARED, "d")), BEATEN);
        // A repeated lock is no new one, and other changes are no locks.
        assert_ok!(change(INSURER_A, 1, lock_at(NOW + 1)));
        assert_ok!(change(INSURER_A, 1, unlock()));
        assert_ok!(change(ADMIN, 1, admin_lock()));
        assert_eq!(with_world(|world| world.won.clone()), won);
    });
}

#[test]
fn contention_is_asked_about_the_user_of_a_platform() {
    run(|| {
        register(bill(1));
        let on_behalf = StatusChange::Lock {
            scene: SHARED,
            claim_no: "c".parse().expect("a plain text"),
            on_behalf_of: Some(did("insurer-a")),
            grant: None,
            signed_at: NOW,
        };
        with_world(|world| world.beaten = Some(did("insurer-a")));
        assert_noop!(change(PLATFORM, 1, on_behalf.clone()), BEATEN);
        with_world(|world| world.beaten = Some(did("platform")));
        assert_ok!(change(PLATFORM, 1, on_behalf));
        assert_eq!(with_world(|world| world.won.clone()), [(key(1), did("insurer-a"))]);
    });
}

#[test]
fn the_dispute_contract_locks_and_unlocks_through_the_same_rules() {
    use billchain_primitives::seams::{ActiveParticipant, BillLocks, Participants};
    use billchain_test_support::{Seeded, account};
    run(|| {
        register(bill(1));
        let sender = |seed| -> ActiveParticipant {
            Seeded::<World>::active_by_account(&account(seed)).expect("it is active")
        };
        let (reason, evidence) = (reason(), [6; 32]);
        let lock = |seed| BillUpdate::admin_lock(sender(seed), key(1), reason.clone(), evidence);
        let unlock =
            |seed| BillUpdate::admin_unlock(sender(seed), key(1), reason.clone(), evidence);
        assert_noop!(lock(INSURER_A), Error::<Test>::Transition(TransitionProblem::RoleForbidden));
        assert_noop!(unlock(ADMIN), Error::<Test>::NotLocked);
        assert_ok!(lock(ADMIN));
        assert!(matches!(last_event(), Event::AdminLocked { version: 2, .. }));
        assert_noop!(lock(ADMIN), Error::<Test>::Transition(TransitionProblem::IllegalTransition));
        assert_ok!(unlock(ADMIN));
        assert!(matches!(last_event(), Event::AdminUnlocked { version: 3, .. }));

        let user = did("insurer-a");
        let claimant = |seed, user| <BillUpdate as BillLocks>::claimant(&sender(seed), user);
        assert_eq!(claimant(INSURER_A, None), Ok(user.clone()));
        assert_eq!(claimant(PLATFORM, Some(&user)), Ok(user.clone()));
        assert_noop!(claimant(HOSPITAL, None), Error::<Test>::HolderNotUser);
        assert_noop!(claimant(INSURER_B, Some(&user)), Error::<Test>::NotPlatform);
    });
}

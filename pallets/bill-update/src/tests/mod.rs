//! Every change and every refusal; the model test is in [`model`].

mod adjustment;
mod batch;
mod claims;
mod model;
mod required;
mod summary;

use crate::{Call, Error, Event, StatusChange, mock::*};
use billchain_primitives::{
    BillStatus, Operation, Role, RoleSet, SceneId, Target,
    seams::{ParticipantProblem, SceneProblem, TransitionProblem},
};
use frame::testing_prelude::*;

#[test]
fn senders_that_may_not_act_are_told_why() {
    let rows: [(u8, Error<Test>); 3] = [
        (STRANGER, Error::Sender(ParticipantProblem::NotFound)),
        (FROZEN, Error::Sender(ParticipantProblem::Frozen)),
        (CANCELLED, Error::Sender(ParticipantProblem::Cancelled)),
    ];
    run(|| {
        register(bill(1));
        for (sender, expected) in rows {
            assert_eq!(change(sender, 1, lock(SHARED, "c")), Err(expected.into()), "{sender}");
        }
        let unsigned =
            BillUpdate::change_status(RuntimeOrigin::none(), key(1), None, StatusChange::Confirm);
        assert_noop!(unsigned, DispatchError::BadOrigin);
        assert_noop!(change(INSURER_A, 7, lock(SHARED, "c")), Error::<Test>::BillNotFound);
    });
}

#[test]
fn a_change_that_expects_another_version_is_stale() {
    run(|| {
        register(bill(1));
        let call = |expected_version| Call::<Test>::change_status {
            key: key(1),
            expected_version,
            change: lock(SHARED, "c"),
        };
        assert_noop!(send(INSURER_A, call(Some(2))), Error::<Test>::StaleVersion);
        assert_ok!(send(INSURER_A, call(Some(1))));
        assert_eq!(stored(1).state.version, 2);
    });
}

#[test]
fn the_roles_of_the_rules_decide() {
    run(|| {
        register(bill(1));
        for (sender, refused) in [
            (HOSPITAL, lock(SHARED, "c")),
            (AUDITOR, lock(SHARED, "c")),
            (INSURER_A, void()),
            (INSURER_A, admin_lock()),
        ] {
            assert_noop!(
                change(sender, 1, refused),
                Error::<Test>::Transition(TransitionProblem::RoleForbidden)
            );
        }
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_noop!(
            change(INSURER_A, 1, admin_unlock()),
            Error::<Test>::Transition(TransitionProblem::RoleForbidden)
        );
    });
}

#[test]
fn an_operation_without_a_rule_is_refused() {
    run(|| {
        register(bill(1));
        assert_noop!(
            change(HOSPITAL, 1, StatusChange::Confirm),
            Error::<Test>::Transition(TransitionProblem::IllegalTransition)
        );
        assert_noop!(
            change(INSURER_A, 1, reverse_use()),
            Error::<Test>::Transition(TransitionProblem::IllegalTransition)
        );
        assert_ok!(change(ADMIN, 1, admin_lock()));
        assert_noop!(
            change(ADMIN, 1, admin_lock()),
            Error::<Test>::Transition(TransitionProblem::IllegalTransition)
        );
        // The table is data: without its row, nobody can lock.
        assert_ok!(change(ADMIN, 1, admin_unlock()));
        with_world(|world| world.rules.remove(&(Some(BillStatus::Normal), Operation::Lock)));
        assert_noop!(
            change(INSURER_A, 1, lock(SHARED, "c")),
            Error::<Test>::Transition(TransitionProblem::IllegalTransition)
        );
    });
}

/// In scene `scene`, nobody but an auditor may do `operation`.
fn reserve(scene: SceneId, from: BillStatus, operation: Operation, target: Target) {
    let auditors = RoleSet::of(&[Role::Auditor]);
    let key = (scene, Some(from), operation);
    with_world(|world| world.scene_rules.insert(key, (auditors, target)));
}

#[test]
fn a_claim_is_judged_by_the_rules_of_its_scene_from_the_lock_to_its_reversal() {
    use BillStatus::{Locked, Normal, PartlyReimbursed};
    let to = Target::Status(Locked);
    let before = Target::BeforeLock;
    let free = || with_world(|world| world.scene_rules.clear());
    let forbidden: DispatchError =
        Error::<Test>::Transition(TransitionProblem::RoleForbidden).into();
    run(|| {
        register(bill(1));
        reserve(SHARED, Normal, Operation::Lock, to);
        assert_noop!(change(INSURER_A, 1, lock(SHARED, "c")), forbidden);
        assert_ok!(change(INSURER_A, 1, lock(SHARED_TOO, "c")));
        // The lock that stands is of another scene.
        reserve(SHARED, Locked, Operation::Unlock, before);
        reserve(EXCLUSIVE, Locked, Operation::Unlock, before);
        assert_ok!(change(INSURER_A, 1, unlock()));
        free();

        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        for (operation, target, sender, refused) in [
            (Operation::Unlock, before, INSURER_A, unlock()),
            (Operation::AdminUnlock, before, ADMIN, admin_unlock()),
            (Operation::Reimburse, Target::Reimbursement, INSURER_A, reimburse(1)),
            (Operation::Lock, to, INSURER_A, lock(SHARED, "c")),
        ] {
            // The bill's own scene has no say.
            reserve(EXCLUSIVE, Locked, operation, target);
            hypothetically_ok!(change(sender, 1, refused.clone()));
            reserve(SHARED, Locked, operation, target);
            assert_noop!(change(sender, 1, refused), forbidden);
        }
        free();
        assert_ok!(change(INSURER_A, 1, reimburse(1)));
        reserve(SHARED, PartlyReimbursed, Operation::ReverseUse, Target::BeforeReimbursement);
        assert_noop!(change(INSURER_A, 1, reverse_use()), forbidden);
        free();
        assert_ok!(change(INSURER_A, 1, reverse_use()));
    });
}

#[test]
fn what_is_no_claim_is_judged_by_the_rules_of_the_bills_scene() {
    use BillStatus::{Normal, RedReversed};
    let forbidden: DispatchError =
        Error::<Test>::Transition(TransitionProblem::RoleForbidden).into();
    run(|| {
        register(bill(1));
        let reversal = || Call::<Test>::red_reverse {
            key: key(1),
            expected_version: None,
            red: red(2, &bill(1)),
            balance: None,
            reason: reason(),
        };
        let locked = Target::Status(BillStatus::Locked);
        for scene in [SHARED, EXCLUSIVE] {
            reserve(scene, Normal, Operation::AdminLock, locked);
            reserve(scene, Normal, Operation::RedReverse, Target::Status(RedReversed));
            if scene == SHARED {
                hypothetically_ok!(change(ADMIN, 1, admin_lock()));
                hypothetically_ok!(send(HOSPITAL, reversal()));
            }
        }
        assert_noop!(change(ADMIN, 1, admin_lock()), forbidden);
        assert_noop!(send(HOSPITAL, reversal()), forbidden);
    });
}

#[test]
fn a_lock_expires_by_the_rules_of_its_scene() {
    use BillStatus::{Locked, Normal};
    run(|| {
        for number in [1, 2] {
            register(bill(number));
        }
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_ok!(change(INSURER_A, 2, lock(SHARED_TOO, "c")));
        // No rule in the scene of the first: it stands until it is unlocked.
        let key = (SHARED, Some(Locked), Operation::ExpireLock);
        with_world(|world| world.scene_rules.insert(key, (RoleSet::EMPTY, Target::BeforeLock)));
        pass(PERIOD + 1);
        let seen = [1, 2].map(|number| {
            BillUpdate::bill_in_force(&crate::mock::key(number)).map(|bill| bill.state.status)
        });
        assert_eq!(seen, [Some(Locked), Some(Normal)]);
    });
}

#[test]
fn a_rule_that_leads_to_an_impossible_state_is_refused() {
    run(|| {
        register(bill(1));
        let retarget = |from, operation, target| {
            with_world(|world| {
                world.rules.get_mut(&(Some(from), operation)).expect("it is there").1 = target;
            });
        };
        let locked = Target::Status(BillStatus::Locked);
        retarget(BillStatus::Normal, Operation::Lock, Target::Status(BillStatus::Normal));
        assert_noop!(change(INSURER_A, 1, lock(SHARED, "c")), Error::<Test>::RuleUnusable);
        retarget(BillStatus::Normal, Operation::Lock, Target::Named);
        assert_noop!(change(INSURER_A, 1, lock(SHARED, "c")), Error::<Test>::RuleUnusable);
        retarget(BillStatus::Normal, Operation::Lock, locked);
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        retarget(BillStatus::Locked, Operation::Unlock, locked);
        assert_noop!(change(INSURER_A, 1, unlock()), Error::<Test>::RuleUnusable);
    });
}

#[test]
fn a_pre_issued_notice_is_confirmed_or_voided_by_its_issuer() {
    run(|| {
        for number in [1, 2] {
            let kind = billchain_primitives::BillKind::PaymentNotice;
            let notice = billchain_primitives::BillSummary { kind, ..bill(number) };
            assert_ok!(send(HOSPITAL, pallet_bill_register::Call::<Test>::pre_issue { notice }));
        }
        assert_noop!(change(CLINIC, 1, StatusChange::Confirm), Error::<Test>::NotIssuer);
        assert_ok!(change(HOSPITAL, 1, StatusChange::Confirm));
        let operator = did("hospital");
        assert_eq!(last_event(), Event::Confirmed { key: key(1), operator, version: 2 });
        // Its scene allows no voiding, but an unpaid notice needs no leave.
        assert_ok!(change(HOSPITAL, 2, void()));
        assert_eq!((status(1), status(2)), (BillStatus::Normal, BillStatus::Voided));
    });
}

#[test]
fn a_normal_bill_is_voided_only_where_its_scene_allows_it() {
    run(|| {
        register(bill(1));
        let mut lenient = bill(2);
        lenient.scene = SHARED;
        register(lenient);
        assert_noop!(change(HOSPITAL, 1, void()), Error::<Test>::VoidNotAllowed);
        assert_noop!(change(CLINIC, 2, void()), Error::<Test>::NotIssuer);
        with_world(|world| world.closed.push(SHARED));
        assert_noop!(change(HOSPITAL, 2, void()), Error::<Test>::Scene(SceneProblem::Inactive));
        with_world(|world| world.closed.clear());
        assert_ok!(change(HOSPITAL, 2, void()));
        let (operator, reason) = (did("hospital"), reason());
        assert_eq!(last_event(), Event::Voided { key: key(2), operator, reason, version: 2 });
        assert_noop!(
            change(HOSPITAL, 2, void()),
            Error::<Test>::Transition(TransitionProblem::FinalStatus)
        );
        assert_noop!(
            change(INSURER_A, 2, lock(SHARED, "c")),
            Error::<Test>::Transition(TransitionProblem::FinalStatus)
        );
        assert_noop!(
            change(INSURER_A, 2, reimburse(1)),
            Error::<Test>::Transition(TransitionProblem::FinalStatus)
        );
    });
}

#[test]
fn an_administrator_locks_and_unlocks_with_evidence() {
    run(|| {
        register(bill(1));
        let evidence = [0; 32];
        let bare = StatusChange::AdminLock { reason: reason(), evidence };
        assert_noop!(change(ADMIN, 1, bare), Error::<Test>::EvidenceMissing);
        assert_ok!(change(ADMIN, 1, admin_lock()));
        assert!(matches!(last_event(), Event::AdminLocked { version: 2, .. }));
        let refused: DispatchError = Error::<Test>::LockedByAdministrator.into();
        assert_noop!(change(INSURER_A, 1, lock(SHARED, "c")), refused);
        assert_noop!(change(INSURER_A, 1, unlock()), refused);
        assert_noop!(change(INSURER_A, 1, reimburse(1)), refused);
        pass(100 * PERIOD);
        assert_noop!(change(AUDITOR, 1, StatusChange::ExpireLock), Error::<Test>::LockNotExpired);

        assert_ok!(change(ADMIN, 1, admin_unlock()));
        let holder = Some(did("admin"));
        assert!(matches!(last_event(), Event::AdminUnlocked { holder: h, .. } if h == holder));
        assert_eq!(status(1), BillStatus::Normal);
        assert_noop!(change(ADMIN, 1, admin_unlock()), Error::<Test>::NotLocked);
    });
}

#[test]
fn an_administrator_releases_a_claimants_lock() {
    run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_ok!(change(ADMIN, 1, admin_unlock()));
        let holder = Some(did("insurer-a"));
        assert!(matches!(last_event(), Event::AdminUnlocked { holder: h, .. } if h == holder));
        assert_ok!(change(INSURER_B, 1, lock(SHARED, "d")));
    });
}

#[test]
fn integrity_holds() {
    use frame::traits::Hooks;
    BillUpdate::integrity_test();
}

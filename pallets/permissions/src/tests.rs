//! Every call, its success and each of its refusals; the table of the genesis,
//! restated.

use crate::{
    Admins, Auditor, CheckProblem, EnsureAdministrator, Error, Event, GenesisConfig, RuleChanges,
    Rules, RulesVersion, SecurityAdmin, SystemAdmin, TransitionRule, TransitionRuleChange,
    TransitionRuleKey, mock::*,
};
use billchain_primitives::{
    AccountId, AdminRole, BillStatus, Operation, Role, RoleSet, SceneId, Stamp, Target,
    seams::{Administrators, ParticipantProblem, TransitionProblem, TransitionRules},
};
use frame::{deps::sp_runtime::traits::BadOrigin, testing_prelude::*};

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

fn default_genesis() -> GenesisConfig<Test> {
    GenesisConfig::default()
}

fn lock_normal() -> TransitionRuleKey {
    TransitionRuleKey::general(Some(BillStatus::Normal), Operation::Lock)
}

fn last_event() -> Event<Test> {
    match System::events().pop().expect("an event").event {
        RuntimeEvent::Permissions(event) => event,
        other => panic!("another contract's event: {other:?}"),
    }
}

const OPERATIONS: [Operation; 13] = [
    Operation::Register,
    Operation::PreIssue,
    Operation::Confirm,
    Operation::Void,
    Operation::Lock,
    Operation::Unlock,
    Operation::ExpireLock,
    Operation::AdminLock,
    Operation::AdminUnlock,
    Operation::Reimburse,
    Operation::ReverseUse,
    Operation::RedReverse,
    Operation::Adjust,
];

/// The status machine in other words than the table: who may, and where it
/// leads.
fn expected(from: Option<BillStatus>, operation: Operation) -> Option<(&'static str, Target)> {
    use BillStatus::*;
    use Operation::*;
    let reached = match (operation, from?) {
        (Confirm, PreIssued) => ("I", Target::Status(Normal)),
        (Void, PreIssued | Normal) => ("I", Target::Status(Voided)),
        (RedReverse, Normal) => ("I", Target::Status(RedReversed)),
        (Lock, Normal | PartlyReimbursed | Locked) => ("UP", Target::Status(Locked)),
        (AdminLock, Normal | PartlyReimbursed) => ("A", Target::Status(Locked)),
        (Unlock, Locked) => ("UP", Target::BeforeLock),
        (AdminUnlock, Locked) => ("A", Target::BeforeLock),
        (ExpireLock, Locked) => ("IUPAR", Target::BeforeLock),
        (Reimburse, Locked) => ("UP", Target::Reimbursement),
        (ReverseUse, PartlyReimbursed | Reimbursed) => ("UP", Target::BeforeReimbursement),
        (Adjust, RedReversed | Voided) => return None,
        (Adjust, _) => ("A", Target::Named),
        _ => return None,
    };
    Some(reached)
}

fn letter(role: Role) -> char {
    match role {
        Role::Issuer => 'I',
        Role::User => 'U',
        Role::Platform => 'P',
        Role::Admin => 'A',
        Role::Auditor => 'R',
    }
}

#[test]
fn the_genesis_table_is_the_status_machine_for_every_status_operation_and_role() {
    run(default_genesis(), || {
        for from in BillStatus::ALL {
            for operation in OPERATIONS {
                for role in Role::ALL {
                    let verdict =
                        Permissions::check(Some(from), operation, RoleSet::of(&[role]), SCENE);
                    let wanted = match expected(Some(from), operation) {
                        _ if from.is_final() => Err(TransitionProblem::FinalStatus),
                        None => Err(TransitionProblem::IllegalTransition),
                        Some((roles, target)) if roles.contains(letter(role)) => Ok(target),
                        Some(_) => Err(TransitionProblem::RoleForbidden),
                    };
                    assert_eq!(verdict, wanted, "{from:?} {operation:?} {role:?}");
                }
            }
        }
    });
}

#[test]
fn new_bills_come_from_issuers_by_three_operations_only() {
    run(default_genesis(), || {
        let issuer = RoleSet::of(&[Role::Issuer]);
        let others = RoleSet::of(&[Role::User, Role::Platform, Role::Admin, Role::Auditor]);
        for operation in OPERATIONS {
            let wanted = match operation {
                Operation::Register | Operation::RedReverse => {
                    Ok(Target::Status(BillStatus::Normal))
                }
                Operation::PreIssue => Ok(Target::Status(BillStatus::PreIssued)),
                _ => Err(TransitionProblem::IllegalTransition),
            };
            assert_eq!(Permissions::check(None, operation, issuer, SCENE), wanted, "{operation:?}");
            if wanted.is_ok() {
                let refused = Err(TransitionProblem::RoleForbidden);
                assert_eq!(
                    Permissions::check(None, operation, others, SCENE),
                    refused,
                    "{operation:?}"
                );
            }
        }
    });
}

#[test]
fn a_changed_rule_decides_from_then_on_and_raises_the_version() {
    run(default_genesis(), || {
        let auditor = RoleSet::of(&[Role::Auditor]);
        let refused = Err(TransitionProblem::RoleForbidden);
        let check =
            |roles| Permissions::check(Some(BillStatus::Normal), Operation::Lock, roles, SCENE);
        assert_eq!(check(auditor), refused);
        let target = Target::Status(BillStatus::Locked);
        assert_ok!(Permissions::set_transition_rule(root(), lock_normal(), auditor, target));
        let rule = TransitionRule { roles: auditor, target, version: 2 };
        assert_eq!(last_event(), Event::RuleSet { key: lock_normal(), rule });
        assert_eq!(Rules::<Test>::get(lock_normal()), Some(rule));
        assert_eq!(check(auditor), Ok(target));
        assert_eq!(check(RoleSet::of(&[Role::User])), refused);
    });
}

#[test]
fn a_scenes_own_rule_decides_there_until_it_is_removed() {
    run(default_genesis(), || {
        let from = Some(BillStatus::Normal);
        let check =
            |role, scene| Permissions::check(from, Operation::Lock, RoleSet::of(&[role]), scene);
        let (locked, named) = (Target::Status(BillStatus::Locked), Target::Named);
        let own = lock_normal().in_scene(SCENE);
        let roles = RoleSet::of(&[Role::Auditor]);
        assert_ok!(Permissions::set_transition_rule(root(), own, roles, named));
        let rule = TransitionRule { roles, target: named, version: 2 };
        assert_eq!(last_event(), Event::RuleSet { key: own, rule });
        let forbidden = Err(TransitionProblem::RoleForbidden);
        assert_eq!([check(Role::Auditor, SCENE), check(Role::User, SCENE)], [Ok(named), forbidden]);
        let others = [check(Role::Auditor, VOIDING), check(Role::User, VOIDING)];
        assert_eq!(others, [forbidden, Ok(locked)]);

        // Without roles it closes the operation, whatever the general rule says.
        assert_ok!(Permissions::set_transition_rule(root(), own, RoleSet::EMPTY, named));
        let closed = Err(TransitionProblem::IllegalTransition);
        assert_eq!([check(Role::Auditor, SCENE), check(Role::User, SCENE)], [closed; 2]);

        assert_ok!(Permissions::remove_transition_rule(root(), own));
        assert_eq!(last_event(), Event::RuleRemoved { key: own, version: 4 });
        assert_eq!(
            [check(Role::Auditor, SCENE), check(Role::User, SCENE)],
            [forbidden, Ok(locked)]
        );
        let again = Permissions::remove_transition_rule(root(), own);
        assert_noop!(again, Error::<Test>::RuleNotFound);
        let found = |version| {
            let rules = Permissions::rules_at(version).expect("a version");
            rules.into_iter().find(|(key, _)| *key == own).map(|(_, rule)| rule)
        };
        let closing = TransitionRule { roles: RoleSet::EMPTY, target: named, version: 3 };
        assert_eq!([1, 2, 3, 4].map(found), [None, Some(rule), Some(closing), None]);
        assert_eq!(Permissions::rule_change(4).and_then(|change| change.before), Some(closing));
    });
}

#[test]
fn a_scenes_rule_stands_without_a_general_one() {
    run(default_genesis(), || {
        let own = lock_normal().in_scene(SCENE);
        let target = Target::Status(BillStatus::Locked);
        assert_ok!(Permissions::set_transition_rule(root(), own, RoleSet::ALL, target));
        assert_ok!(Permissions::remove_transition_rule(root(), lock_normal()));
        let check =
            |scene| Permissions::check(own.from, own.operation, RoleSet::of(&[Role::User]), scene);
        assert_eq!(check(SCENE), Ok(target));
        assert_eq!(check(VOIDING), Err(TransitionProblem::IllegalTransition));
    });
}

#[test]
fn a_scenes_rule_is_of_a_scene_that_exists_and_out_of_no_final_status() {
    run(default_genesis(), || {
        let set = |key| Permissions::set_transition_rule(root(), key, RoleSet::ALL, Target::Named);
        let unknown = lock_normal().in_scene(SceneId(99));
        assert_noop!(set(unknown), Error::<Test>::SceneNotFound);
        let last =
            TransitionRuleKey::general(Some(BillStatus::Voided), Operation::Adjust).in_scene(SCENE);
        assert_noop!(set(last), Error::<Test>::FinalStatus);
        // One that is disabled may be prepared.
        assert_ok!(set(lock_normal().in_scene(DISABLED)));
    });
}

#[test]
fn the_number_of_rules_is_bounded() {
    run(default_genesis(), || {
        let set = |key: TransitionRuleKey, roles| {
            Permissions::set_transition_rule(root(), key, roles, Target::Named)
        };
        for scene in [SCENE, VOIDING] {
            assert_ok!(set(lock_normal().in_scene(scene), RoleSet::ALL));
        }
        let one_more = lock_normal().in_scene(DISABLED);
        assert_noop!(set(one_more, RoleSet::ALL), Error::<Test>::TooManyRules);
        // One that is there is changed all the same.
        assert_ok!(set(lock_normal().in_scene(SCENE), RoleSet::EMPTY));
    });
}

#[test]
fn no_rule_leads_out_of_a_final_status_and_none_is_for_nobody() {
    run(default_genesis(), || {
        for from in [BillStatus::RedReversed, BillStatus::Voided] {
            let key = TransitionRuleKey::general(Some(from), Operation::Adjust);
            let result = Permissions::set_transition_rule(root(), key, RoleSet::ALL, Target::Named);
            assert_noop!(result, Error::<Test>::FinalStatus);
        }
        let target = Target::Status(BillStatus::Locked);
        let result =
            Permissions::set_transition_rule(root(), lock_normal(), RoleSet::EMPTY, target);
        assert_noop!(result, Error::<Test>::NoRoles);
    });
}

#[test]
fn the_versions_of_the_rules_are_bounded() {
    run(default_genesis(), || {
        for role in [Role::Auditor, Role::User, Role::Platform] {
            let (key, target) = (lock_normal(), Target::Status(BillStatus::Locked));
            let roles = RoleSet::of(&[role]);
            assert_ok!(Permissions::set_transition_rule(root(), key, roles, target));
        }
        let result =
            Permissions::set_transition_rule(root(), lock_normal(), RoleSet::ALL, Target::Named);
        assert_noop!(result, Error::<Test>::TooManyVersions);
        let result = Permissions::remove_transition_rule(root(), lock_normal());
        assert_noop!(result, Error::<Test>::TooManyVersions);
    });
}

#[test]
fn every_version_of_the_rules_stays_readable() {
    run(default_genesis(), || {
        let key = lock_normal();
        let rule = |version| {
            let rules = Permissions::rules_at(version).expect("a version");
            rules.into_iter().find(|(found, _)| *found == key).map(|(_, rule)| rule)
        };
        let (roles, target) = (RoleSet::of(&[Role::Auditor]), Target::Named);
        let first = Rules::<Test>::get(key);
        let whole = Permissions::rules_at(1);
        assert_ok!(Permissions::set_transition_rule(root(), key, roles, target));
        System::set_block_number(5);
        System::set_extrinsic_index(2);
        assert_ok!(Permissions::remove_transition_rule(root(), key));
        let fresh = TransitionRuleKey::general(Some(BillStatus::Reimbursed), Operation::Lock);
        assert_ok!(Permissions::set_transition_rule(root(), fresh, roles, target));

        let second = Some(TransitionRule { roles, target, version: 2 });
        assert_eq!([rule(1), rule(2), rule(3), rule(4)], [first, second, None, None]);
        assert_eq!(Permissions::rules_at(1), whole);
        assert_eq!(Permissions::rules_at(4).unwrap(), {
            let mut now: Vec<_> = Rules::<Test>::iter().collect();
            now.sort_by_key(|(key, _)| *key);
            now
        });
        for version in [0, 5, u32::MAX] {
            assert_eq!(Permissions::rules_at(version), None, "{version}");
        }
        let at = Stamp { block: 5, extrinsic: Some(2), moment: 5_000 };
        let removed = TransitionRuleChange { key, before: second, after: None, at };
        assert_eq!(Permissions::rule_change(3), Some(removed));
        assert_eq!((Permissions::rule_change(1), Permissions::rule_change(5)), (None, None));
    });
}

#[test]
fn a_rule_that_says_the_same_is_no_change() {
    run(default_genesis(), || {
        let TransitionRule { roles, target, .. } = Rules::<Test>::get(lock_normal()).unwrap();
        let result = Permissions::set_transition_rule(root(), lock_normal(), roles, target);
        assert_noop!(result, Error::<Test>::RuleUnchanged);
    });
}

#[test]
fn a_check_in_a_scene_asks_the_rules_and_the_scene() {
    use BillStatus::{Locked, Normal, PreIssued, RedReversed};
    use Operation::*;
    let (issuer, user) = (RoleSet::of(&[Role::Issuer]), RoleSet::of(&[Role::User]));
    let unknown = SceneId(99);
    run(default_genesis(), || {
        for (from, operation, roles, scene, expected) in [
            (None, Register, issuer, SCENE, Ok(Target::Status(Normal))),
            (None, Register, user, SCENE, Err(CheckProblem::RoleForbidden)),
            (None, Register, issuer, DISABLED, Err(CheckProblem::SceneInactive)),
            (None, PreIssue, issuer, unknown, Err(CheckProblem::SceneNotFound)),
            (None, RedReverse, issuer, DISABLED, Err(CheckProblem::SceneInactive)),
            (Some(Normal), RedReverse, issuer, DISABLED, Ok(Target::Status(RedReversed))),
            (Some(Normal), Lock, user, SCENE, Ok(Target::Status(Locked))),
            (Some(Normal), Lock, user, DISABLED, Err(CheckProblem::SceneInactive)),
            (Some(Locked), Reimburse, user, DISABLED, Err(CheckProblem::SceneInactive)),
            (Some(Locked), Unlock, user, DISABLED, Ok(Target::BeforeLock)),
            (Some(Normal), Void, issuer, SCENE, Err(CheckProblem::VoidNotAllowed)),
            (Some(Normal), Void, issuer, VOIDING, Ok(Target::Status(BillStatus::Voided))),
            (Some(PreIssued), Void, issuer, SCENE, Ok(Target::Status(BillStatus::Voided))),
            (Some(RedReversed), Lock, user, SCENE, Err(CheckProblem::FinalStatus)),
            (Some(Normal), Unlock, user, SCENE, Err(CheckProblem::IllegalTransition)),
        ] {
            let found = Permissions::check_in_scene(from, operation, roles, scene);
            assert_eq!(found, expected, "{from:?} {operation:?} {roles:?} {scene:?}");
        }
    });
}

#[test]
fn a_removed_rule_makes_the_operation_illegal() {
    run(default_genesis(), || {
        assert_ok!(Permissions::remove_transition_rule(root(), lock_normal()));
        assert_eq!(last_event(), Event::RuleRemoved { key: lock_normal(), version: 2 });
        assert_eq!(
            Permissions::check(Some(BillStatus::Normal), Operation::Lock, RoleSet::ALL, SCENE),
            Err(TransitionProblem::IllegalTransition)
        );
        let again = Permissions::remove_transition_rule(root(), lock_normal());
        assert_noop!(again, Error::<Test>::RuleNotFound);
    });
}

#[test]
fn a_participant_holds_one_office() {
    run(default_genesis(), || {
        let system = AdminRole::SystemAdmin;
        assert_ok!(Permissions::set_admin(root(), person(ADMIN), system));
        assert_eq!(last_event(), Event::AdminSet { did: person(ADMIN), role: system });
        assert_eq!(Permissions::office(&person(ADMIN)), Some(system));
        for role in [AdminRole::SystemAdmin, AdminRole::SecurityAdmin, AdminRole::Auditor] {
            let result = Permissions::set_admin(root(), person(ADMIN), role);
            assert_noop!(result, Error::<Test>::HoldsAnotherRole);
        }
        assert_ok!(Permissions::set_admin(root(), person(3), AdminRole::SecurityAdmin));
        assert_ok!(Permissions::set_admin(root(), person(AUDITOR), AdminRole::Auditor));
        let all = [
            (person(ADMIN), system),
            (person(AUDITOR), AdminRole::Auditor),
            (person(3), AdminRole::SecurityAdmin),
        ];
        assert_eq!(Permissions::admins(), all);
        let result = Permissions::set_admin(root(), person(4), system);
        assert_noop!(result, Error::<Test>::TooManyAdmins);
        assert_ok!(Permissions::remove_admin(root(), person(3)));
        let removed = Event::AdminRemoved { did: person(3), role: AdminRole::SecurityAdmin };
        assert_eq!(last_event(), removed);
        assert_noop!(Permissions::remove_admin(root(), person(3)), Error::<Test>::NotAdmin);
        assert_ok!(Permissions::set_admin(root(), person(3), AdminRole::Auditor));
    });
}

#[test]
fn an_office_goes_to_an_active_participant_whose_roles_admit_it() {
    let rows: [(u8, AdminRole, Error<Test>); 5] = [
        (9, AdminRole::SystemAdmin, Error::Participant(ParticipantProblem::NotFound)),
        (FROZEN, AdminRole::SystemAdmin, Error::Participant(ParticipantProblem::Frozen)),
        (AUDITOR, AdminRole::SystemAdmin, Error::RolesConflict),
        (AUDITOR, AdminRole::SecurityAdmin, Error::RolesConflict),
        (ADMIN, AdminRole::Auditor, Error::RolesConflict),
    ];
    run(default_genesis(), || {
        for (seed, office, expected) in rows {
            assert_noop!(Permissions::set_admin(root(), person(seed), office), expected);
        }
    });
}

#[test]
fn an_administrators_origin_is_a_signature_by_the_holder_of_that_office() {
    let admins = vec![(person(1), AdminRole::SystemAdmin), (person(2), AdminRole::Auditor)];
    run(GenesisConfig { admins, ..default_genesis() }, || {
        let signed = |seed| RuntimeOrigin::signed(account(seed));
        let system = |o| EnsureAdministrator::<Test, SystemAdmin>::try_origin(o).ok();
        assert_eq!(system(signed(1)), Some(account(1)));
        for origin in [signed(2), signed(3), RuntimeOrigin::none(), root()] {
            assert_eq!(system(origin), None);
        }
        let auditor = EnsureAdministrator::<Test, Auditor>::try_origin(signed(2)).ok();
        assert_eq!(auditor, Some(account(2)));
        let security = EnsureAdministrator::<Test, SecurityAdmin>::try_origin(signed(1)).ok();
        assert_eq!(security, None);
        hypothetically!({
            // Frozen after it got the office.
            Admins::<Test>::insert(person(FROZEN), AdminRole::SystemAdmin);
            assert_eq!(system(signed(FROZEN)), None);
        });
        assert_ok!(Permissions::remove_admin(root(), person(1)));
        assert_eq!(system(signed(1)), None);
    });
}

#[test]
fn the_whitelist_is_by_scene_and_bounded() {
    run(default_genesis(), || {
        let insurer = person(3);
        assert!(!Permissions::is_whitelisted(SCENE, &insurer));
        assert_ok!(Permissions::set_whitelist(root(), SCENE, insurer.clone()));
        assert_eq!(last_event(), Event::WhitelistSet { scene: SCENE, did: insurer.clone() });
        assert!(Permissions::is_whitelisted(SCENE, &insurer));
        assert!(!Permissions::is_whitelisted(VOIDING, &insurer));
        let again = Permissions::set_whitelist(root(), SCENE, insurer.clone());
        assert_noop!(again, Error::<Test>::AlreadyWhitelisted);
        assert_ok!(Permissions::set_whitelist(root(), DISABLED, insurer.clone()));
        let result = Permissions::set_whitelist(root(), VOIDING, insurer.clone());
        assert_noop!(result, Error::<Test>::WhitelistFull);

        let page = Permissions::whitelist(None, None, 1);
        let rest = Permissions::whitelist(None, Some(&page[0]), 2);
        let mut scenes: Vec<_> = page.iter().chain(&rest).map(|(scene, _)| *scene).collect();
        scenes.sort();
        assert_eq!((page.len(), scenes), (1, vec![SCENE, DISABLED]));
        let of_scene = Permissions::whitelist(Some(SCENE), None, 9);
        assert_eq!(of_scene, [(SCENE, insurer.clone())]);

        assert_ok!(Permissions::remove_whitelist(root(), SCENE, insurer.clone()));
        assert_eq!(last_event(), Event::WhitelistRemoved { scene: SCENE, did: insurer.clone() });
        assert!(!Permissions::is_whitelisted(SCENE, &insurer));
        let again = Permissions::remove_whitelist(root(), SCENE, insurer);
        assert_noop!(again, Error::<Test>::NotWhitelisted);
    });
}

#[test]
fn the_whitelist_takes_participants_and_scenes_that_exist() {
    run(default_genesis(), || {
        let result = Permissions::set_whitelist(root(), SCENE, person(9));
        assert_noop!(result, Error::<Test>::Participant(ParticipantProblem::NotFound));
        assert_ok!(Permissions::set_whitelist(root(), SCENE, person(FROZEN)));
        let result = Permissions::set_whitelist(root(), SceneId(99), person(3));
        assert_noop!(result, Error::<Test>::SceneNotFound);
    });
}

#[test]
fn every_call_refuses_other_origins() {
    run(default_genesis(), || {
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::signed(account(1))] {
            let o = || origin.clone();
            let target = Target::Status(BillStatus::Locked);
            let key = lock_normal();
            let result = Permissions::set_transition_rule(o(), key, RoleSet::ALL, target);
            assert_noop!(result, BadOrigin);
            assert_noop!(Permissions::remove_transition_rule(o(), key), BadOrigin);
            let role = AdminRole::Auditor;
            assert_noop!(Permissions::set_admin(o(), person(3), role), BadOrigin);
            assert_noop!(Permissions::remove_admin(o(), person(3)), BadOrigin);
            assert_noop!(Permissions::set_whitelist(o(), SCENE, person(3)), BadOrigin);
            assert_noop!(Permissions::remove_whitelist(o(), SCENE, person(3)), BadOrigin);
        }
    });
}

#[test]
fn genesis_writes_rules_whitelist_and_administrators() {
    let config = GenesisConfig {
        whitelist: vec![(SCENE, person(3))],
        admins: vec![(person(3), AdminRole::Auditor)],
        ..default_genesis()
    };
    run(config, || {
        assert_eq!(RulesVersion::<Test>::get(), 1);
        assert_eq!(Rules::<Test>::iter().count(), crate::default_rules().len());
        assert!(Permissions::is_whitelisted(SCENE, &person(3)));
        assert_noop!(
            Permissions::set_admin(root(), person(3), AdminRole::SystemAdmin),
            Error::<Test>::HoldsAnotherRole
        );
    });
}

#[test]
#[should_panic(expected = "the status is final")]
fn genesis_refuses_a_rule_out_of_a_final_status() {
    let key = TransitionRuleKey::general(Some(BillStatus::Voided), Operation::Adjust);
    let rules = vec![(key, RoleSet::ALL, Target::Named)];
    run(GenesisConfig { rules, ..default_genesis() }, || ());
}

#[test]
#[should_panic(expected = "stands twice")]
fn genesis_refuses_a_rule_that_stands_twice() {
    let mut config = default_genesis();
    config.rules.push(config.rules[0]);
    run(config, || ());
}

#[test]
#[should_panic(expected = "too many rules")]
fn genesis_refuses_more_rules_than_there_may_be() {
    let mut config = default_genesis();
    let (key, roles, target) = config.rules[0];
    config.rules.extend((1..4).map(|scene| (key.in_scene(SceneId(scene)), roles, target)));
    run(config, || ());
}

#[test]
#[should_panic(expected = "HoldsAnotherRole")]
fn genesis_refuses_a_participant_with_two_offices() {
    let admins = vec![(person(3), AdminRole::Auditor), (person(3), AdminRole::SecurityAdmin)];
    run(GenesisConfig { admins, ..default_genesis() }, || ());
}

#[test]
#[should_panic(expected = "RolesConflict")]
fn genesis_refuses_an_administrator_that_audits() {
    let admins = vec![(person(AUDITOR), AdminRole::SystemAdmin)];
    run(GenesisConfig { admins, ..default_genesis() }, || ());
}

#[test]
fn broken_invariants_are_found() {
    run(default_genesis(), || {
        let rule = TransitionRule { roles: RoleSet::ALL, target: Target::Named, version: 1 };
        for (key, rule) in [
            (TransitionRuleKey::general(Some(BillStatus::Voided), Operation::Adjust), rule),
            (lock_normal(), TransitionRule { roles: RoleSet::EMPTY, ..rule }),
            (lock_normal(), TransitionRule { version: 2, ..rule }),
            (lock_normal().in_scene(SceneId(99)), rule),
        ] {
            hypothetically!({
                Rules::<Test>::insert(key, rule);
                assert!(Permissions::do_try_state().is_err(), "{key:?} {rule:?}");
            });
        }
        hypothetically!({
            for scene in [SCENE, VOIDING, DISABLED] {
                Rules::<Test>::insert(lock_normal().in_scene(scene), rule);
            }
            assert!(Permissions::do_try_state().is_err(), "more rules than there may be");
        });
        let change = TransitionRuleChange {
            key: lock_normal(),
            before: None,
            after: None,
            at: Stamp::default(),
        };
        hypothetically!({
            RulesVersion::<Test>::put(2);
            assert!(Permissions::do_try_state().is_err(), "a version without its change");
            RuleChanges::<Test>::insert(2, change);
            assert!(Permissions::do_try_state().is_err(), "a change that left no trace");
        });
        hypothetically!({
            RuleChanges::<Test>::insert(2, change);
            assert!(Permissions::do_try_state().is_err(), "a change of no version");
        });
        hypothetically!({
            Admins::<Test>::insert(person(AUDITOR), AdminRole::SystemAdmin);
            assert!(Permissions::do_try_state().is_err(), "an administrator that audits");
        });
    });
}

//! Every call, its success and each of its refusals; the table of the genesis,
//! restated.

use crate::{
    Auditor, EnsureAdministrator, Error, Event, GenesisConfig, Rule, RuleKey, Rules, RulesVersion,
    SecurityAdmin, SystemAdmin, mock::*,
};
use billchain_primitives::{
    AccountId, AdminRole, BillStatus, Did, Operation, Role, RoleSet, SceneId, Target,
    traits::{RuleProblem, TransitionRules},
};
use frame::{deps::sp_runtime::traits::BadOrigin, testing_prelude::*};

const SCENE: SceneId = SceneId(1);

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

fn did(name: &str) -> Did {
    format!("did:bill:{name}").parse().unwrap()
}

fn default_genesis() -> GenesisConfig<Test> {
    GenesisConfig::default()
}

fn lock_normal() -> RuleKey {
    RuleKey { from: Some(BillStatus::Normal), operation: Operation::Lock }
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
                    let verdict = Permissions::check(Some(from), operation, RoleSet::of(&[role]));
                    let wanted = match expected(Some(from), operation) {
                        _ if from.is_final() => Err(RuleProblem::FinalStatus),
                        None => Err(RuleProblem::IllegalTransition),
                        Some((roles, target)) if roles.contains(letter(role)) => Ok(target),
                        Some(_) => Err(RuleProblem::RoleForbidden),
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
                _ => Err(RuleProblem::IllegalTransition),
            };
            assert_eq!(Permissions::check(None, operation, issuer), wanted, "{operation:?}");
            if wanted.is_ok() {
                let refused = Err(RuleProblem::RoleForbidden);
                assert_eq!(Permissions::check(None, operation, others), refused, "{operation:?}");
            }
        }
    });
}

#[test]
fn a_changed_rule_decides_from_then_on_and_raises_the_version() {
    run(default_genesis(), || {
        let auditor = RoleSet::of(&[Role::Auditor]);
        let refused = Err(RuleProblem::RoleForbidden);
        assert_eq!(Permissions::check(Some(BillStatus::Normal), Operation::Lock, auditor), refused);
        let target = Target::Status(BillStatus::Locked);
        assert_ok!(Permissions::set_transition_rule(root(), lock_normal(), auditor, target));
        let rule = Rule { roles: auditor, target, version: 2 };
        assert_eq!(last_event(), Event::RuleSet { key: lock_normal(), rule });
        assert_eq!(Rules::<Test>::get(lock_normal()), Some(rule));
        let from = Some(BillStatus::Normal);
        assert_eq!(Permissions::check(from, Operation::Lock, auditor), Ok(target));
        let user = RoleSet::of(&[Role::User]);
        assert_eq!(Permissions::check(from, Operation::Lock, user), refused);
    });
}

#[test]
fn no_rule_leads_out_of_a_final_status_and_none_is_for_nobody() {
    run(default_genesis(), || {
        for from in [BillStatus::RedReversed, BillStatus::Voided] {
            let key = RuleKey { from: Some(from), operation: Operation::Adjust };
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
fn the_version_of_the_rules_does_not_wrap() {
    run(default_genesis(), || {
        hypothetically!({
            RulesVersion::<Test>::put(u32::MAX);
            let target = Target::Status(BillStatus::Locked);
            let result =
                Permissions::set_transition_rule(root(), lock_normal(), RoleSet::ALL, target);
            assert_noop!(result, DispatchError::Arithmetic(ArithmeticError::Overflow));
        });
    });
}

#[test]
fn a_removed_rule_makes_the_operation_illegal() {
    run(default_genesis(), || {
        assert_ok!(Permissions::remove_transition_rule(root(), lock_normal()));
        assert_eq!(last_event(), Event::RuleRemoved { key: lock_normal(), version: 2 });
        assert_eq!(
            Permissions::check(Some(BillStatus::Normal), Operation::Lock, RoleSet::ALL),
            Err(RuleProblem::IllegalTransition)
        );
        let again = Permissions::remove_transition_rule(root(), lock_normal());
        assert_noop!(again, Error::<Test>::RuleNotFound);
    });
}

#[test]
fn an_account_holds_one_administrators_role() {
    run(default_genesis(), || {
        let system = AdminRole::SystemAdmin;
        assert_ok!(Permissions::set_admin(root(), account(1), system));
        assert_eq!(last_event(), Event::AdminSet { account: account(1), role: system });
        for role in [AdminRole::SystemAdmin, AdminRole::SecurityAdmin, AdminRole::Auditor] {
            let result = Permissions::set_admin(root(), account(1), role);
            assert_noop!(result, Error::<Test>::HoldsAnotherRole);
        }
        assert_ok!(Permissions::set_admin(root(), account(2), AdminRole::SecurityAdmin));
        assert_ok!(Permissions::set_admin(root(), account(3), AdminRole::Auditor));
        let result = Permissions::set_admin(root(), account(4), system);
        assert_noop!(result, Error::<Test>::TooManyAdmins);
        assert_ok!(Permissions::remove_admin(root(), account(1)));
        assert_eq!(last_event(), Event::AdminRemoved { account: account(1), role: system });
        assert_noop!(Permissions::remove_admin(root(), account(1)), Error::<Test>::NotAdmin);
        assert_ok!(Permissions::set_admin(root(), account(1), AdminRole::Auditor));
    });
}

#[test]
fn an_administrators_origin_is_a_signature_by_the_holder_of_that_role() {
    let admins = vec![(account(1), AdminRole::SystemAdmin), (account(2), AdminRole::Auditor)];
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
        assert_ok!(Permissions::remove_admin(root(), account(1)));
        assert_eq!(system(signed(1)), None);
    });
}

#[test]
fn the_whitelist_is_by_scene_and_bounded() {
    run(default_genesis(), || {
        let insurer = did("insurer");
        assert!(!Permissions::is_whitelisted(SCENE, &insurer));
        assert_ok!(Permissions::set_whitelist(root(), SCENE, insurer.clone()));
        assert_eq!(last_event(), Event::WhitelistSet { scene: SCENE, did: insurer.clone() });
        assert!(Permissions::is_whitelisted(SCENE, &insurer));
        assert!(!Permissions::is_whitelisted(SceneId(2), &insurer));
        let again = Permissions::set_whitelist(root(), SCENE, insurer.clone());
        assert_noop!(again, Error::<Test>::AlreadyWhitelisted);
        assert_ok!(Permissions::set_whitelist(root(), SceneId(2), insurer.clone()));
        let result = Permissions::set_whitelist(root(), SceneId(3), insurer.clone());
        assert_noop!(result, Error::<Test>::WhitelistFull);
        assert_ok!(Permissions::remove_whitelist(root(), SCENE, insurer.clone()));
        assert_eq!(last_event(), Event::WhitelistRemoved { scene: SCENE, did: insurer.clone() });
        assert!(!Permissions::is_whitelisted(SCENE, &insurer));
        let again = Permissions::remove_whitelist(root(), SCENE, insurer);
        assert_noop!(again, Error::<Test>::NotWhitelisted);
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
            assert_noop!(Permissions::set_admin(o(), account(1), role), BadOrigin);
            assert_noop!(Permissions::remove_admin(o(), account(1)), BadOrigin);
            assert_noop!(Permissions::set_whitelist(o(), SCENE, did("x")), BadOrigin);
            assert_noop!(Permissions::remove_whitelist(o(), SCENE, did("x")), BadOrigin);
        }
    });
}

#[test]
fn genesis_writes_rules_whitelist_and_administrators() {
    let config = GenesisConfig {
        whitelist: vec![(SCENE, did("insurer"))],
        admins: vec![(account(1), AdminRole::Auditor)],
        ..default_genesis()
    };
    run(config, || {
        assert_eq!(RulesVersion::<Test>::get(), 1);
        assert_eq!(Rules::<Test>::iter().count(), crate::default_rules().len());
        assert!(Permissions::is_whitelisted(SCENE, &did("insurer")));
        assert_noop!(
            Permissions::set_admin(root(), account(1), AdminRole::SystemAdmin),
            Error::<Test>::HoldsAnotherRole
        );
    });
}

#[test]
#[should_panic(expected = "the status is final")]
fn genesis_refuses_a_rule_out_of_a_final_status() {
    let key = RuleKey { from: Some(BillStatus::Voided), operation: Operation::Adjust };
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
#[should_panic(expected = "holds two roles")]
fn genesis_refuses_an_account_with_two_roles() {
    let admins = vec![(account(1), AdminRole::Auditor), (account(1), AdminRole::SecurityAdmin)];
    run(GenesisConfig { admins, ..default_genesis() }, || ());
}

#[test]
fn broken_invariants_are_found() {
    run(default_genesis(), || {
        let rule = Rule { roles: RoleSet::ALL, target: Target::Named, version: 1 };
        for (key, rule) in [
            (RuleKey { from: Some(BillStatus::Voided), operation: Operation::Adjust }, rule),
            (lock_normal(), Rule { roles: RoleSet::EMPTY, ..rule }),
            (lock_normal(), Rule { version: 2, ..rule }),
        ] {
            hypothetically!({
                Rules::<Test>::insert(key, rule);
                assert!(Permissions::do_try_state().is_err(), "{key:?} {rule:?}");
            });
        }
    });
}

//! The three administrators and the council.

use super::*;
use billchain_primitives::{
    Operation, Target,
    seams::{ParticipantStatus, SceneProblem, Scenes as _},
};
use billchain_runtime::{Participant, Permissions, Runtime, Scene};
use pallet_permissions::TransitionRuleKey;
use pallet_scene::Decision;

type ParticipantCall = pallet_participant::Call<Runtime>;
type PermissionsCall = pallet_permissions::Call<Runtime>;
type SceneCall = pallet_scene::Call<Runtime>;

const SCHOOL: SceneId = SceneId(2);

fn propose() -> SceneCall {
    SceneCall::register {
        scene: SCHOOL,
        name: "教育".parse().expect("a plain name"),
        rules: rules(),
        related_data: Default::default(),
        reason: reason(),
    }
}

fn decide(decision: Decision) -> SceneCall {
    SceneCall::submit_approval { scene: SCHOOL, proposal: 1, decision, comment: reason() }
}

fn set_status(name: &str, status: ParticipantStatus) -> ParticipantCall {
    ParticipantCall::set_status { did: did(name), status, reason: reason() }
}

fn set_roles(name: &str, role: Role) -> ParticipantCall {
    ParticipantCall::set_roles { did: did(name), roles: RoleSet::of(&[role]) }
}

#[test]
fn a_scene_needs_two_system_administrators_and_the_council_is_none() {
    run(|| {
        for name in ["clerk", "security", "auditor", "hospital"] {
            assert_eq!(send(name, propose()), Err("NotAdministrator".into()), "{name}");
        }
        assert_eq!(council(propose()), Err("BadOrigin".into()));
        assert_eq!(send("admin", propose()), Ok(()));
        let approve = || decide(Decision::Approved);
        assert_eq!(send("admin", approve()), Err("OwnProposal".into()));
        assert_eq!(send("security", approve()), Err("NotAdministrator".into()));
        assert_eq!(Scene::active(SCHOOL), Err(SceneProblem::NotFound));
        assert_eq!(send("admin-2", approve()), Ok(()));
        assert_eq!(Scene::active(SCHOOL), Ok(rules()));
    });
}

#[test]
fn an_office_is_of_the_participant_and_not_of_its_key() {
    run(|| {
        assert_eq!(send("admin", propose()), Ok(()));
        let rotate =
            ParticipantCall::rotate_key { did: did("admin"), new_public_key: key("admin-new") };
        assert_eq!(send("admin", rotate), Ok(()));
        // The new key is the same administrator's: it cannot approve either.
        let approve = || decide(Decision::Approved);
        assert_eq!(send("admin-new", approve()), Err("OwnProposal".into()));
        assert_eq!(send("admin", approve()), Err("Sender.NotFound".into()));
        assert_eq!(Permissions::admin_role(&key("admin").account_id()), None);
        let office = Permissions::admin_role(&key("admin-new").account_id());
        assert_eq!(office, Some(AdminRole::SystemAdmin));
    });
}

#[test]
fn a_frozen_administrator_administers_nothing() {
    run(|| {
        assert_eq!(send("admin", propose()), Ok(()));
        assert_eq!(send("security", set_status("admin-2", ParticipantStatus::Frozen)), Ok(()));
        let approve = || decide(Decision::Approved);
        assert_eq!(send("admin-2", approve()), Err("Sender.Frozen".into()));
        assert_eq!(send("security", set_status("security", ParticipantStatus::Frozen)), Ok(()));
        let thaw = || set_status("admin-2", ParticipantStatus::Active);
        assert_eq!(send("security", thaw()), Err("BadOrigin".into()));
        assert_eq!(council(thaw()), Ok(()));
        assert_eq!(send("admin-2", approve()), Ok(()));
    });
}

#[test]
fn security_administrators_freeze_and_the_council_alone_cancels() {
    run(|| {
        let frozen = || set_status("hospital", ParticipantStatus::Frozen);
        for name in ["admin", "auditor", "clerk", "insurer"] {
            assert_eq!(send(name, frozen()), Err("BadOrigin".into()), "{name}");
        }
        assert_eq!(send("security", frozen()), Ok(()));
        let cancelled = || set_status("hospital", ParticipantStatus::Cancelled);
        assert_eq!(send("security", cancelled()), Err("BadOrigin".into()));
        assert_eq!(council(cancelled()), Ok(()));
        assert_eq!(council(frozen()), Err("Cancelled".into()));
    });
}

#[test]
fn rules_roles_offices_and_whitelists_are_the_councils() {
    let calls = || -> [RuntimeCall; 4] {
        let key = TransitionRuleKey::general(None, Operation::Register);
        let roles = RoleSet::of(&[Role::Issuer, Role::Platform]);
        let target = Target::Status(billchain_primitives::BillStatus::Normal);
        [
            PermissionsCall::set_transition_rule { key, roles, target }.into(),
            set_roles("hospital", Role::User).into(),
            PermissionsCall::set_admin { did: did("clerk"), role: AdminRole::SystemAdmin }.into(),
            PermissionsCall::set_whitelist { scene: SCENE, did: did("insurer") }.into(),
        ]
    };
    run(|| {
        for name in ["admin", "security", "auditor", "clerk"] {
            for call in calls() {
                assert_eq!(send(name, call), Err("BadOrigin".into()), "{name}");
            }
        }
        for call in calls() {
            assert_eq!(council(call), Ok(()));
        }
    });
}

#[test]
fn duties_stay_separate_whichever_way_they_would_meet() {
    run(|| {
        let office = |name: &str, role| PermissionsCall::set_admin { did: did(name), role };
        let held = council(office("admin", AdminRole::Auditor));
        assert_eq!(held, Err("HoldsAnotherRole".into()));
        let audits = council(office("clerk", AdminRole::Auditor));
        assert_eq!(audits, Err("RolesConflict".into()));
        assert_eq!(council(set_roles("admin", Role::Auditor)), Err("OfficeConflict".into()));
        assert_eq!(council(set_roles("auditor", Role::Admin)), Err("OfficeConflict".into()));
        let both = RoleSet::of(&[Role::Admin, Role::Auditor]);
        let call = ParticipantCall::set_roles { did: did("clerk"), roles: both };
        assert_eq!(council(call), Err("RolesConflict".into()));
        let registration = Registration {
            did: did("both"),
            public_key: key("both"),
            roles: both,
            ..registration_of("clerk")
        };
        let result = council(ParticipantCall::register { registration });
        assert_eq!(result, Err("RolesConflict".into()));
        // A frozen administrator keeps its office, and what that rules out.
        assert_eq!(send("security", set_status("admin", ParticipantStatus::Frozen)), Ok(()));
        assert_eq!(council(set_roles("admin", Role::Auditor)), Err("OfficeConflict".into()));
    });
}

fn registration_of(name: &str) -> Registration {
    let found = Participant::resolve(&did(name)).expect("it is registered");
    Registration {
        did: did(name),
        name: found.name,
        kind: found.kind,
        public_key: found.public_key,
        roles: found.roles,
        uscc_hash: found.uscc_hash,
    }
}

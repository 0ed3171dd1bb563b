//! Every call, its success and each of its refusals.

mod documents;
mod force;
mod trail;

use crate::{
    Act, Bodies, Call, Decision, Error, Event, Flows, Format, Head, Heads, InForce, Keywords,
    MAX_STEPS, Names, PolicyStatus, RESERVED_STEPS, Statuses, Versions, mock::*,
};
use billchain_primitives::{
    Did, Keyword, Name,
    condition::{Fault, Guarded},
    seams::{ParticipantProblem, Policies, PolicyId, PolicyProblem},
    sm3,
};
use frame::{deps::sp_runtime::traits::BadOrigin, testing_prelude::*, traits::Hooks};
use serde_json::json;

type Refusal = Error<Test>;

const ID: PolicyId = PolicyId(7);

fn keyword(text: &str) -> Keyword {
    Keyword::new(text).expect("a plain text")
}

fn status(version: u32) -> PolicyStatus {
    Policy::policy(ID, version).expect("the version exists").status
}

#[test]
fn a_submitted_version_is_a_draft_that_says_what_its_document_says() {
    run(|| {
        let written = with(
            document(7, 1),
            json!({"keywords": ["限额", "医保"], "scenes": [2, 1], "priority": 9,
                   "operations": ["reimburse", "lock"], "effect": "require",
                   "conditions": {"=": ["claimant", "did:bill:hospital"]}}),
        );
        assert_ok!(submit(&written));
        let policy = Policy::policy(ID, 1).expect("it was submitted");
        assert_eq!(policy.status, PolicyStatus::Draft);
        assert_eq!(policy.scenes.to_vec(), [CLINIC, INSURANCE]);
        assert_eq!(policy.operations.to_vec(), [Guarded::Lock, Guarded::Reimburse]);
        assert_eq!((policy.priority, policy.submitter), (9, did("platform")));
        let bytes = body(&written);
        assert_eq!(policy.body_hash, sm3(&bytes));
        assert_eq!(Policy::body(ID, 1), Some(bytes));
        assert_eq!(Policy::head(ID), Some(Head { newest: 1, ..Head::default() }));
        for text in ["限额", "医保"] {
            assert_eq!(Policy::by_keyword(&keyword(text)), [(ID, 1)], "{text}");
        }
        assert_eq!(Policy::by_keyword(&keyword("无")), []);
        assert_eq!(Policy::by_status(PolicyStatus::Draft, None, 9), [(ID, 1)]);
        assert_eq!(Policy::effective(ID), Err(PolicyProblem::NotEffective));
        assert_eq!(Policy::effective(PolicyId(8)), Err(PolicyProblem::NotFound));
        assert!(in_force(CLINIC, Guarded::Lock).is_empty());
        assert_eq!(
            events(),
            [Event::PolicySubmitted {
                policy: ID,
                version: 1,
                name: Name::new("限额 7").expect("a plain text"),
                submitter: did("platform"),
                format: Format::Json,
                body_hash: policy.body_hash,
                at: NOW,
            }]
        );
    });
}

#[test]
fn both_formats_make_the_same_policy() {
    run(|| {
        let first = document(7, 1);
        assert_ok!(submit(&first));
        let second = with(document(8, 1), json!({"name": "other"}));
        let (format, body) = (Format::Protobuf, protobuf(&second).try_into().expect("short"));
        assert_ok!(send(signed(PLATFORM), Call::submit { format, body }));
        let (one, two) = (Policy::policy(ID, 1), Policy::policy(PolicyId(8), 1));
        let (one, two) = (one.expect("submitted"), two.expect("submitted"));
        assert_eq!(one.conditions, two.conditions);
        assert_eq!((two.format, two.name.as_str()), (Format::Protobuf, "other"));
    });
}

#[test]
fn senders_that_may_not_act_are_told_why() {
    let rows = [
        (STRANGER, Refusal::Sender(ParticipantProblem::NotFound)),
        (FROZEN, Refusal::Sender(ParticipantProblem::Frozen)),
        (CANCELLED, Refusal::Sender(ParticipantProblem::Cancelled)),
        (HOSPITAL, Refusal::RoleForbidden),
    ];
    run(|| {
        approved(&document(7, 1));
        assert_ok!(submit(&document(8, 1)));
        for (sender, expected) in rows {
            let expected: DispatchError = expected.into();
            assert_noop!(submit_by(sender, &document(9, 1)), expected);
            assert_noop!(approve(sender, 8, 1), expected);
            assert_noop!(finalize(sender, 8, 1), expected);
            let effective = PolicyStatus::Effective;
            assert_noop!(set_status(signed(sender), 7, 1, effective), expected);
            assert_noop!(set_status(signed(sender), 7, 1, PolicyStatus::Revoked), expected);
        }
        // The platform submits, and approves nothing.
        assert_noop!(approve(PLATFORM, 8, 1), Refusal::RoleForbidden);
        let by_platform = set_status(signed(PLATFORM), 7, 1, PolicyStatus::Effective);
        assert_noop!(by_platform, Refusal::RoleForbidden);
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
            let (format, bytes) = (Format::Json, body(&document(9, 1)));
            let call = Call::submit { format, body: bytes };
            assert_noop!(send(origin.clone(), call), BadOrigin);
            let call = Call::finalize_approval { policy: PolicyId(8), version: 1 };
            assert_noop!(send(origin.clone(), call), BadOrigin);
            let call = Call::submit_approval {
                policy: PolicyId(8),
                version: 1,
                decision: Decision::Approved,
                comment_hash: [1; 32],
            };
            assert_noop!(send(origin, call), BadOrigin);
        }
        let unsigned = set_status(RuntimeOrigin::none(), 7, 1, PolicyStatus::Effective);
        assert_noop!(unsigned, BadOrigin);
    });
}

#[test]
fn versions_follow_one_another() {
    run(|| {
        assert_noop!(submit(&document(7, 2)), Refusal::VersionGap);
        assert_ok!(submit(&document(7, 1)));
        assert_noop!(submit(&document(7, 1)), Refusal::VersionConflict);
        assert_noop!(submit(&document(7, 3)), Refusal::VersionGap);
        for version in 2..=4 {
            assert_ok!(submit(&document(7, version)));
        }
        assert_noop!(submit(&document(7, 2)), Refusal::VersionConflict);
        assert_noop!(submit(&document(7, 5)), Refusal::TooManyVersions);
    });
}

#[test]
fn a_name_belongs_to_one_policy() {
    run(|| {
        assert_ok!(submit(&document(7, 1)));
        let same = with(document(8, 1), json!({"name": "限额 7"}));
        assert_noop!(submit(&same), Refusal::NameTaken { by: ID });
        // A policy may take another name, and keeps the old one.
        assert_ok!(submit(&with(document(7, 2), json!({"name": "新限额"}))));
        assert_noop!(submit(&same), Refusal::NameTaken { by: ID });
        assert_ok!(submit(&with(document(7, 3), json!({"name": "限额 7"}))));
    });
}

#[test]
fn what_a_document_names_must_exist() {
    run(|| {
        let base = document(7, 1);
        let rows = [
            (json!({"scenes": [1, 77]}), Refusal::UnknownScene { scene: 77 }),
            (
                json!({"conditions": {"in": ["bill_scene", [1, 78]]}}),
                Refusal::UnknownScene { scene: 78 },
            ),
            (
                json!({"conditions": {"and": [{">": ["total", 1]},
                    {"in": ["issuer", ["did:bill:hospital", "did:bill:nobody"]]}]}}),
                Refusal::UnknownParticipant { node: 2 },
            ),
            (json!({"references": [8]}), Refusal::UnknownPolicy(PolicyId(8))),
            (
                json!({"conditions": {"not": {"=": ["colour", "red"]}}}),
                Refusal::InvalidConditions { node: 1, fault: Fault::UnknownField },
            ),
            (
                json!({"conditions": {"<": ["issue_date", {"field": "total"}]}}),
                Refusal::InvalidConditions { node: 0, fault: Fault::TypeMismatch },
            ),
            (
                json!({"conditions": {"<": ["amount", 5]}}),
                Refusal::InvalidConditions { node: 0, fault: Fault::NotAvailable },
            ),
        ];
        for (changes, expected) in rows {
            assert_noop!(submit(&with(base.clone(), changes)), expected);
        }
        // A scene that is closed still is one.
        assert_ok!(submit(&with(base, json!({"scenes": [3]}))));
    });
}

#[test]
fn only_effective_policies_are_referred_to() {
    run(|| {
        approved(&document(8, 1));
        let refers = with(document(7, 1), json!({"references": [8]}));
        assert_noop!(submit(&refers), Refusal::NotEffective(PolicyId(8)));
        assert_ok!(set_status(signed(ADMIN), 8, 1, PolicyStatus::Effective));
        assert_eq!(Policy::effective(PolicyId(8)), Ok(1));
        approved(&refers);
        assert_ok!(set_status(RuntimeOrigin::root(), 8, 1, PolicyStatus::Revoked));
        let late = set_status(signed(ADMIN), 7, 1, PolicyStatus::Effective);
        assert_noop!(late, Refusal::NotEffective(PolicyId(8)));
    });
}

#[test]
fn policies_and_keywords_are_bounded() {
    run(|| {
        for id in 1..=6 {
            assert_ok!(submit(&document(id, 1)));
        }
        assert_noop!(submit(&document(7, 1)), Refusal::TooManyPolicies);
        for version in 2..=4 {
            assert_ok!(submit(&with(document(1, version), json!({"keywords": ["k"]}))));
        }
        assert_eq!(Policy::by_keyword(&keyword("k")).len(), 3);
        let one_more = with(document(2, 2), json!({"keywords": ["j", "k"]}));
        assert_noop!(submit(&one_more), Refusal::KeywordFull);
    });
}

#[test]
fn approval_is_by_other_people_once_each() {
    run(|| {
        assert_ok!(submit_by(ADMIN, &document(7, 1)));
        assert_noop!(approve(ADMIN, 7, 1), Refusal::OwnPolicy);
        assert_noop!(approve(ADMIN + 1, 7, 2), Refusal::NotFound);
        assert_noop!(approve(ADMIN + 1, 8, 1), Refusal::NotFound);
        assert_ok!(approve(ADMIN + 1, 7, 1));
        assert_noop!(approve(ADMIN + 1, 7, 1), Refusal::AlreadyDecided);
        let rejected = Decision::Rejected;
        assert_noop!(decide(ADMIN + 1, 7, 1, rejected), Refusal::AlreadyDecided);
        let bare = Call::submit_approval {
            policy: ID,
            version: 1,
            decision: Decision::Approved,
            comment_hash: [0; 32],
        };
        assert_noop!(send(signed(ADMIN + 2), bare), Refusal::CommentMissing);
        assert_noop!(finalize(ADMIN, 7, 1), Refusal::ApprovalIncomplete);
        assert_ok!(approve(ADMIN + 2, 7, 1));
        let flow_hash = Flows::<Test>::get(ID, 1).hash;
        let expected = Event::ApprovalSubmitted {
            policy: ID,
            version: 1,
            approver: did("admin-12"),
            decision: Decision::Approved,
            comment_hash: [ADMIN + 2; 32],
            flow_hash,
            at: NOW,
        };
        assert_eq!(events().last(), Some(&expected));
        assert_noop!(finalize(ADMIN, 8, 1), Refusal::NotFound);
        assert_ok!(finalize(ADMIN, 7, 1));
        let approval_hash = Policy::policy(ID, 1).expect("submitted").approval_hash;
        let expected = Event::ApprovalFinalized {
            policy: ID,
            version: 1,
            operator: did("admin-10"),
            approvals: 2,
            approval_hash: approval_hash.expect("it was finalised"),
            at: NOW,
        };
        assert_eq!(events().last(), Some(&expected));
        assert_eq!(approval_hash, Some(Flows::<Test>::get(ID, 1).hash));
        assert_noop!(approve(ADMIN + 3, 7, 1), Refusal::AlreadyFinalized);
        assert_noop!(finalize(ADMIN, 7, 1), Refusal::AlreadyFinalized);
    });
}

#[test]
fn a_rejection_ends_a_version() {
    run(|| {
        assert_ok!(submit(&document(7, 1)));
        assert_ok!(approve(ADMIN, 7, 1));
        assert_ok!(approve(ADMIN + 1, 7, 1));
        assert_ok!(decide(ADMIN + 2, 7, 1, Decision::Rejected));
        assert_noop!(finalize(PLATFORM, 7, 1), Refusal::ApprovalRejected);
        let unapproved = set_status(RuntimeOrigin::root(), 7, 1, PolicyStatus::Effective);
        assert_noop!(unapproved, Refusal::ApprovalIncomplete);
        enact(&document(7, 2));
        assert_eq!(Policy::effective(ID), Ok(2));
    });
}

#[test]
fn a_flow_takes_so_many_decisions_and_still_ends() {
    run(|| {
        assert_ok!(submit(&document(7, 1)));
        let room = (MAX_STEPS - RESERVED_STEPS - 1) as u8;
        for seed in ADMIN..ADMIN + room {
            assert_ok!(approve(seed, 7, 1));
        }
        assert_noop!(approve(ADMIN + room, 7, 1), Refusal::FlowFull);
        assert_ok!(finalize(PLATFORM, 7, 1));
        assert_ok!(set_status(signed(ADMIN), 7, 1, PolicyStatus::Effective));
        assert_ok!(set_status(RuntimeOrigin::root(), 7, 1, PolicyStatus::Revoked));
        assert_eq!(Flows::<Test>::get(ID, 1).steps.len() as u32, MAX_STEPS);
    });
}

#[test]
fn nothing_is_effective_before_its_approval_is_final() {
    run(|| {
        assert_ok!(submit(&document(7, 1)));
        let make = |origin| set_status(origin, 7, 1, PolicyStatus::Effective);
        assert_noop!(make(RuntimeOrigin::root()), Refusal::ApprovalIncomplete);
        assert_ok!(approve(ADMIN, 7, 1));
        assert_ok!(approve(ADMIN + 1, 7, 1));
        assert_noop!(make(signed(ADMIN)), Refusal::ApprovalIncomplete);
        assert_ok!(finalize(PLATFORM, 7, 1));
        assert_ok!(make(signed(ADMIN)));
        let expected = Event::StatusChanged {
            policy: ID,
            version: 1,
            from: PolicyStatus::Draft,
            to: PolicyStatus::Effective,
            operator: Some(did("admin-10")),
            reason: Some(reason()),
            at: NOW,
        };
        assert_eq!(events().last(), Some(&expected));
        assert_eq!(Policy::effective(ID), Ok(1));
        assert_eq!(Policy::by_status(PolicyStatus::Effective, None, 9), [(ID, 1)]);
        assert_eq!(Policy::by_status(PolicyStatus::Draft, None, 9), []);
        assert_noop!(make(signed(ADMIN)), Refusal::NotDraft);
        assert_noop!(approve(ADMIN + 2, 7, 1), Refusal::NotDraft);
        let back = set_status(RuntimeOrigin::root(), 7, 1, PolicyStatus::Draft);
        assert_noop!(back, Refusal::NoWayBack);
        assert_noop!(
            set_status(RuntimeOrigin::root(), 9, 1, PolicyStatus::Effective),
            Refusal::NotFound
        );
    });
}

#[test]
fn a_later_version_replaces_the_effective_one() {
    run(|| {
        enact(&document(7, 1));
        approved(&document(7, 2));
        enact(&document(7, 3));
        assert_eq!((status(1), status(3)), (PolicyStatus::Revoked, PolicyStatus::Effective));
        assert_eq!(Policy::effective(ID), Ok(3));
        assert_eq!(in_force(CLINIC, Guarded::Register), [(7, 3)]);
        let replaced = Event::StatusChanged {
            policy: ID,
            version: 1,
            from: PolicyStatus::Effective,
            to: PolicyStatus::Revoked,
            operator: Some(did("admin-10")),
            reason: None,
            at: NOW,
        };
        assert!(events().contains(&replaced));
        let last = Flows::<Test>::get(ID, 1).steps.last().expect("steps").act.clone();
        assert_eq!(last, Act::Replaced { by: 3 });
        let older = set_status(signed(ADMIN), 7, 2, PolicyStatus::Effective);
        assert_noop!(older, Refusal::Superseded);
        assert_ok!(set_status(RuntimeOrigin::root(), 7, 3, PolicyStatus::Revoked));
        let older = set_status(signed(ADMIN), 7, 2, PolicyStatus::Effective);
        assert_noop!(older, Refusal::Superseded);
    });
}

#[test]
fn who_revokes_what() {
    run(|| {
        enact(&document(7, 1));
        for seed in [PLATFORM, ADMIN] {
            let alone = set_status(signed(seed), 7, 1, PolicyStatus::Revoked);
            assert_noop!(alone, Refusal::RoleForbidden);
        }
        assert_ok!(set_status(RuntimeOrigin::root(), 7, 1, PolicyStatus::Revoked));
        let expected = Event::StatusChanged {
            policy: ID,
            version: 1,
            from: PolicyStatus::Effective,
            to: PolicyStatus::Revoked,
            operator: None,
            reason: Some(reason()),
            at: NOW,
        };
        assert_eq!(events().last(), Some(&expected));
        assert_eq!(Policy::effective(ID), Err(PolicyProblem::NotEffective));
        assert!(in_force(CLINIC, Guarded::Register).is_empty());
        assert!(!InForce::<Test>::contains_key(CLINIC, Guarded::Register));
        for to in [PolicyStatus::Draft, PolicyStatus::Effective, PolicyStatus::Revoked] {
            let again = set_status(RuntimeOrigin::root(), 7, 1, to);
            assert_noop!(again, Refusal::AlreadyRevoked);
        }
        // Drafts: by the submitter, or by an approver.
        for (version, seed) in [(2, PLATFORM), (3, ADMIN)] {
            assert_ok!(submit(&document(7, version)));
            assert_ok!(set_status(signed(seed), 7, version, PolicyStatus::Revoked));
            assert_noop!(approve(ADMIN, 7, version), Refusal::NotDraft);
        }
        assert_ok!(submit_by(ADMIN, &document(7, 4)));
        let foreign = set_status(signed(PLATFORM), 7, 4, PolicyStatus::Revoked);
        assert_noop!(foreign, Refusal::RoleForbidden);
    });
}

#[test]
fn lists_by_status_come_in_pages_without_gaps() {
    run(|| {
        for id in 1..=6 {
            assert_ok!(submit(&document(id, 1)));
        }
        let all = Policy::by_status(PolicyStatus::Draft, None, 10);
        assert_eq!(all.len(), 6);
        let first = Policy::by_status(PolicyStatus::Draft, None, 4);
        let rest = Policy::by_status(PolicyStatus::Draft, first.last().copied(), 4);
        assert_eq!([first, rest].concat(), all);
    });
}

#[test]
fn broken_invariants_are_found() {
    fn change(version: u32, f: impl FnOnce(&mut crate::Policy)) {
        Versions::<Test>::mutate(ID, version, |policy| f(policy.as_mut().expect("it exists")));
    }
    type Breakage = fn();
    let cases: [(&str, Breakage); 13] = [
        ("counter", || Heads::<Test>::insert(PolicyId(99), Head::default())),
        ("version", || Versions::<Test>::remove(ID, 1)),
        ("document", || Bodies::<Test>::insert(ID, 1, body(&document(7, 2)))),
        ("status", || change(1, |policy| policy.status = PolicyStatus::Draft)),
        ("effect", || change(1, |policy| policy.priority = 5)),
        ("name", || Names::<Test>::insert(Name::new("限额 7").expect("plain"), PolicyId(1))),
        ("keyword", || Keywords::<Test>::remove(keyword("k"))),
        ("stray keyword", || {
            Keywords::<Test>::insert(keyword("x"), BoundedVec::truncate_from(vec![(ID, 1)]));
        }),
        ("index", || Statuses::<Test>::remove(PolicyStatus::Effective, (ID, 1))),
        ("chain", || Flows::<Test>::mutate(ID, 1, |flow| flow.hash = [1; 32])),
        ("approval hash", || change(1, |policy| policy.approval_hash = None)),
        ("list", || InForce::<Test>::remove(CLINIC, Guarded::Register)),
        ("list order", || {
            InForce::<Test>::mutate(CLINIC, Guarded::Register, |list| {
                list[0].priority = 1;
            });
        }),
    ];
    run(|| {
        enact(&with(document(7, 1), json!({"keywords": ["k"]})));
        assert_ok!(Policy::do_try_state());
        for (what, break_it) in cases {
            hypothetically!({
                break_it();
                assert!(Policy::do_try_state().is_err(), "{what}");
            });
        }
    });
}

#[test]
fn integrity_holds() {
    Policy::integrity_test();
}

/// The formats are durable: a flow's hash is bound into policies for ever.
#[test]
fn formats_are_fixed() {
    run(|| {
        approved(&document(7, 1));
        let approval: Did = did("platform");
        assert_eq!(Flows::<Test>::get(ID, 1).steps[0].actor, Some(approval));
        let hash = Policy::policy(ID, 1).expect("submitted").approval_hash.expect("final");
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "6bc20635c410da255eda568317f8acd6a802bc2d09bb28b0927bbcc929941e6e");
        let conditions = Policy::policy(ID, 1).expect("submitted").conditions;
        use codec::Encode;
        let hex: String = conditions.encode().iter().map(|byte| format!("{byte:02x}")).collect();
        // One node: a comparison of field 16, `>`, with the amount 10,000.
        assert_eq!(hex, "040310030001".to_owned() + "1027000000000000");
    });
}

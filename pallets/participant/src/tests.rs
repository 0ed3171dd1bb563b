//! Every call, its success and each of its refusals.

use crate::{
    AccountToDid, Change, Error, Event, HistoryRecord, IDENTITY_CHALLENGE, ParticipantKind,
    Participants, Registration, UsccToDid, history_key, mock::*, types::history_prefix,
};
use billchain_primitives::{
    AccountId, Did, Hash, Name, PublicKey, Reason, Role, RoleSet, Signature, SignatureScheme,
    seams::{ParticipantProblem, ParticipantStatus, Participants as _},
    sm3,
};
use codec::{Decode, Encode};
use frame::deps::{
    sp_core::{Pair, sr25519},
    sp_runtime::traits::BadOrigin,
};
use frame::testing_prelude::*;

type Fault = Error<Test>;
/// What is spoilt, how, and the refusal it earns.
type Spoilt = (&'static str, fn(&mut Registration), Fault);

fn reason() -> Reason {
    Reason::new("例行核查").unwrap()
}

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn account(seed: u8) -> AccountId {
    key(seed).account_id()
}

fn set_status(did: &Did, status: ParticipantStatus) {
    assert_ok!(Participant::set_status(root(), did.clone(), status, reason()));
}

fn last_event() -> Event<Test> {
    match System::events().pop().expect("an event").event {
        RuntimeEvent::Participant(event) => event,
        other => panic!("another contract's event: {other:?}"),
    }
}

/// Every role that goes with the others.
fn every_role() -> RoleSet {
    RoleSet::of(&[Role::Issuer, Role::User, Role::Platform, Role::Admin])
}

#[test]
fn a_registered_participant_is_active_and_found_every_way() {
    run(vec![], || {
        assert_ok!(Participant::register(RuntimeOrigin::signed(operator()), hospital()));
        let (id, record) = Participant::resolve_account(&account(1)).unwrap();
        assert_eq!(id, did("hospital"));
        assert_eq!(record.status, ParticipantStatus::Active);
        assert_eq!(record.registered.moment, 1_000);
        assert_eq!(record.version, 1);
        assert_eq!(Participant::resolve(&id), Some(record.clone()));
        assert_eq!(Participant::resolve_uscc(&[1; 32].into()), Some((id.clone(), record)));
        assert_eq!(Participant::account_of(&id), Some(account(1)));
        let active = Participant::active_by_account(&account(1)).unwrap();
        assert_eq!((active.did, active.roles), (id.clone(), RoleSet::of(&[Role::Issuer])));
        assert_eq!(System::providers(&account(1)), 1);
        let expected = Event::Registered {
            did: id,
            account: account(1),
            kind: ParticipantKind::Organisation,
            roles: RoleSet::of(&[Role::Issuer]),
            operator: Some(operator()),
        };
        assert_eq!(last_event(), expected);
    });
}

#[test]
fn registration_refuses_what_is_taken_or_wrong() {
    let cases: Vec<Spoilt> = vec![
        ("DID", |r| r.did = did("hospital"), Fault::AlreadyRegistered),
        ("account", |r| r.public_key = key(1), Fault::AccountInUse),
        ("USCC hash", |r| r.uscc_hash = Some([1; 32].into()), Fault::UsccInUse),
        ("zero USCC hash", |r| r.uscc_hash = Some(Hash::zero()), Fault::ZeroUsccHash),
        ("person with a USCC", |r| r.kind = ParticipantKind::Person, Fault::UsccOfPerson),
        ("scheme", |r| r.public_key = PublicKey::Ed25519([9; 32]), Fault::SchemeNotAdmitted),
        ("roles", |r| r.roles = RoleSet::ALL, Fault::RolesConflict),
        ("no point", |r| r.public_key = PublicKey::Sm2([0; 33]), Fault::InvalidPublicKey),
    ];
    for (what, spoil, fault) in cases {
        run(vec![hospital()], || {
            let mut registration = Registration {
                did: did("insurer"),
                public_key: key(9),
                uscc_hash: Some([9; 32].into()),
                ..hospital()
            };
            spoil(&mut registration);
            let result = Participant::register(root(), registration);
            assert_noop!(result.map_err(|error| (what, error)), (what, fault.into()));
        });
    }
}

#[test]
fn registration_stops_at_the_bound() {
    run(vec![], || {
        for seed in 1..=4 {
            let did = did(&format!("p{seed}"));
            let registration = Registration { did, public_key: key(seed), ..patient() };
            assert_ok!(Participant::register(root(), registration));
        }
        let one_more = Registration { public_key: key(5), ..patient() };
        assert_noop!(Participant::register(root(), one_more), Fault::TooManyParticipants);
    });
}

#[test]
fn administrative_calls_refuse_other_origins() {
    run(vec![hospital()], || {
        let id = did("hospital");
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::signed(account(1))] {
            assert_noop!(Participant::register(origin.clone(), patient()), BadOrigin);
            let frozen = ParticipantStatus::Frozen;
            let result = Participant::set_status(origin.clone(), id.clone(), frozen, reason());
            assert_noop!(result, BadOrigin);
            let name = Name::new("x").unwrap();
            let result = Participant::update_info(origin.clone(), id.clone(), name, None);
            assert_noop!(result, BadOrigin);
            assert_noop!(Participant::set_roles(origin, id.clone(), every_role()), BadOrigin);
        }
        assert_noop!(Participant::rotate_key(RuntimeOrigin::none(), id, key(9)), BadOrigin);
    });
}

#[test]
fn every_call_names_an_unknown_participant() {
    run(vec![], || {
        let id = did("nobody");
        let frozen = ParticipantStatus::Frozen;
        let name = Name::new("x").unwrap();
        assert_noop!(
            Participant::set_status(root(), id.clone(), frozen, reason()),
            Fault::NotFound
        );
        assert_noop!(Participant::rotate_key(root(), id.clone(), key(9)), Fault::NotFound);
        assert_noop!(Participant::update_info(root(), id.clone(), name, None), Fault::NotFound);
        assert_noop!(Participant::set_roles(root(), id.clone(), every_role()), Fault::NotFound);
        let problem = ParticipantProblem::NotFound;
        assert_eq!(Participant::active_by_did(&id), Err(problem));
        assert_eq!(Participant::active_by_account(&account(9)), Err(problem));
    });
}

#[test]
fn a_frozen_participant_does_not_act_until_it_is_active_again() {
    run(vec![hospital()], || {
        let id = did("hospital");
        set_status(&id, ParticipantStatus::Frozen);
        let expected = Event::StatusChanged {
            did: id.clone(),
            from: ParticipantStatus::Active,
            to: ParticipantStatus::Frozen,
            reason: reason(),
            operator: None,
        };
        assert_eq!(last_event(), expected);
        let problem = ParticipantProblem::Frozen;
        assert_eq!(Participant::active_by_account(&account(1)), Err(problem));
        assert_eq!(Participant::active_by_did(&id), Err(problem));
        let own = RuntimeOrigin::signed(account(1));
        assert_noop!(Participant::rotate_key(own, id.clone(), key(9)), Fault::Frozen);
        let again =
            Participant::set_status(root(), id.clone(), ParticipantStatus::Frozen, reason());
        assert_noop!(again, Fault::StatusUnchanged);
        set_status(&id, ParticipantStatus::Active);
        assert_ok!(Participant::active_by_account(&account(1)));
    });
}

#[test]
fn cancelled_is_final_and_gives_back_only_the_uscc() {
    run(vec![hospital()], || {
        let id = did("hospital");
        set_status(&id, ParticipantStatus::Cancelled);
        let problem = ParticipantProblem::Cancelled;
        assert_eq!(Participant::active_by_account(&account(1)), Err(problem));
        for status in
            [ParticipantStatus::Active, ParticipantStatus::Frozen, ParticipantStatus::Cancelled]
        {
            let result = Participant::set_status(root(), id.clone(), status, reason());
            assert_noop!(result, Fault::Cancelled);
        }
        assert_noop!(Participant::rotate_key(root(), id.clone(), key(9)), Fault::Cancelled);
        let name = Name::new("x").unwrap();
        let result = Participant::update_info(root(), id.clone(), name, None);
        assert_noop!(result, Fault::Cancelled);
        assert_noop!(Participant::set_roles(root(), id.clone(), every_role()), Fault::Cancelled);
        assert_noop!(Participant::register(root(), hospital()), Fault::AlreadyRegistered);
        let successor = Registration { did: did("hospital-2"), ..hospital() };
        let result = Participant::register(root(), successor.clone());
        assert_noop!(result, Fault::AccountRetired);
        let fresh = Registration { public_key: key(9), ..successor };
        assert_ok!(Participant::register(root(), fresh));
        assert_eq!(UsccToDid::<Test>::get(Hash::from([1; 32])), Some(did("hospital-2")));
    });
}

#[test]
fn rotation_keeps_the_did_and_retires_the_old_account() {
    run(vec![hospital(), patient()], || {
        let id = did("hospital");
        let own = || RuntimeOrigin::signed(account(1));
        System::inc_account_nonce(account(1));
        assert_ok!(Participant::rotate_key(own(), id.clone(), key(9)));
        let expected = Event::KeyRotated {
            did: id.clone(),
            old_account: account(1),
            new_account: account(9),
            operator: Some(account(1)),
        };
        assert_eq!(last_event(), expected);
        assert_eq!(Participant::account_of(&id), Some(account(9)));
        assert_eq!(Participant::active_by_account(&account(9)).unwrap().did, id);
        let problem = ParticipantProblem::NotFound;
        assert_eq!(Participant::active_by_account(&account(1)), Err(problem));
        assert_eq!(Participant::resolve_account(&account(1)), None);
        assert_eq!(AccountToDid::<Test>::get(account(1)), Some(id.clone()));
        assert_eq!(System::account_nonce(account(1)), 1, "the nonce outlives the key");

        let result = Participant::rotate_key(own(), id.clone(), key(8));
        assert_noop!(result, Fault::NotTheParticipant);
        assert_noop!(Participant::rotate_key(root(), id.clone(), key(9)), Fault::KeyUnchanged);
        assert_noop!(Participant::rotate_key(root(), id.clone(), key(1)), Fault::AccountRetired);
        assert_noop!(Participant::rotate_key(root(), id.clone(), key(2)), Fault::AccountInUse);
        let foreign = PublicKey::Ecdsa([2; 33]);
        assert_noop!(
            Participant::rotate_key(root(), id.clone(), foreign),
            Fault::SchemeNotAdmitted
        );
        let no_point = PublicKey::Sm2([7; 33]);
        assert_noop!(
            Participant::rotate_key(root(), id.clone(), no_point),
            Fault::InvalidPublicKey
        );

        set_status(&id, ParticipantStatus::Frozen);
        assert_ok!(Participant::rotate_key(root(), id.clone(), key(8)));
        assert_noop!(Participant::rotate_key(root(), id, key(7)), Fault::TooManyRotations);
    });
}

#[test]
fn info_and_roles_are_replaced() {
    run(vec![hospital(), patient()], || {
        let id = did("hospital");
        let name = Name::new("市第一人民医院").unwrap();
        let hash = Some(Hash::from([5; 32]));
        assert_ok!(Participant::update_info(root(), id.clone(), name.clone(), hash));
        let expected = Event::InfoUpdated {
            did: id.clone(),
            name: name.clone(),
            uscc_hash: hash,
            operator: None,
        };
        assert_eq!(last_event(), expected);
        assert_eq!(Participant::resolve_uscc(&[1; 32].into()), None);
        assert_eq!(Participant::resolve_uscc(&[5; 32].into()).unwrap().0, id);
        let same = Participant::update_info(root(), id.clone(), name.clone(), hash);
        assert_noop!(same, Fault::InfoUnchanged);
        let zero = Participant::update_info(root(), id.clone(), name.clone(), Some(Hash::zero()));
        assert_noop!(zero, Fault::ZeroUsccHash);
        let person = Participant::update_info(root(), did("patient"), name, hash);
        assert_noop!(person, Fault::UsccOfPerson);

        let roles = RoleSet::of(&[Role::Issuer, Role::User]);
        assert_ok!(Participant::set_roles(root(), id.clone(), roles));
        let expected = Event::RolesChanged {
            did: id.clone(),
            from: RoleSet::of(&[Role::Issuer]),
            to: roles,
            operator: None,
        };
        assert_eq!(last_event(), expected);
        assert_eq!(Participant::active_by_did(&id).unwrap().roles, roles);
        assert_noop!(Participant::set_roles(root(), id, roles), Fault::RolesUnchanged);
    });
}

#[test]
fn another_participants_uscc_is_refused_on_update() {
    let other = Registration { did: did("b"), public_key: key(3), uscc_hash: None, ..hospital() };
    run(vec![hospital(), other.clone()], || {
        let taken = Some(Hash::from([1; 32]));
        let result = Participant::update_info(root(), did("b"), other.name, taken);
        assert_noop!(result, Fault::UsccInUse);
    });
}

#[test]
fn history_records_chain_into_the_state() {
    let id = did("patient");
    let mut state = run(vec![], || {
        assert_ok!(Participant::register(root(), patient()));
        System::set_block_number(2);
        set_status(&did("patient"), ParticipantStatus::Frozen);
        System::set_block_number(3);
        assert_ok!(Participant::rotate_key(root(), did("patient"), key(9)));
    });
    state.persist_offchain_overlay();
    let index = state.offchain_db();
    let mut hash = Hash::zero();
    for version in 1..=3 {
        let key = history_key(&id, version);
        assert!(key.starts_with(&history_prefix(&id)));
        let bytes = index.get(&key).expect("a record of every version");
        let record = HistoryRecord::decode(&mut &bytes[..]).unwrap();
        assert_eq!((record.version, record.stamp.block), (version, version));
        assert_eq!(matches!(record.change, Change::Registered(_)), version == 1);
        hash = sm3(&[hash.as_bytes(), &record.encode()].concat()).into();
    }
    state.execute_with(|| {
        assert_eq!(Participants::<Test>::get(&id).unwrap().history_hash, hash);
    });
}

#[test]
fn identity_is_proved_by_the_current_key_over_a_marked_challenge() {
    let pair = sr25519::Pair::from_seed(&[3; 32]);
    let public_key = PublicKey::Sr25519(pair.public().0);
    run(vec![Registration { public_key, ..patient() }], || {
        let id = did("patient");
        let sign = |message: &[u8]| Signature::Sr25519(pair.sign(message));
        let marked = [IDENTITY_CHALLENGE, b"nonce-1"].concat();
        let answer = sign(&marked);
        assert_eq!(Participant::verify_identity(&id, b"nonce-1", &answer), Ok(true));
        assert_eq!(Participant::verify_identity(&id, b"nonce-2", &answer), Ok(false));
        let unmarked = sign(b"nonce-1");
        assert_eq!(Participant::verify_identity(&id, b"nonce-1", &unmarked), Ok(false));
        set_status(&id, ParticipantStatus::Frozen);
        let problem = ParticipantProblem::Frozen;
        assert_eq!(Participant::verify_identity(&id, b"nonce-1", &answer), Err(problem));
    });
}

#[test]
fn genesis_participants_are_active_and_schemes_hold() {
    run(vec![hospital(), patient()], || {
        assert_eq!(Participants::<Test>::count(), 2);
        assert_ok!(Participant::active_by_account(&account(1)));
        assert!(Participant::is_scheme_admitted(SignatureScheme::Sm2));
        assert!(!Participant::is_scheme_admitted(SignatureScheme::Ed25519));
        assert_eq!(crate::GenesisConfig::<Test>::default().schemes, [SignatureScheme::Sm2]);
    });
}

#[test]
fn genesis_reports_every_problem_at_once() {
    let person = Registration { uscc_hash: Some(Hash::zero()), ..patient() };
    let mut config = genesis(vec![hospital(), hospital(), person]);
    config.schemes = vec![SignatureScheme::Sm2];
    let problems = config.problems();
    for part in [
        "stands twice",
        "not among the admitted",
        "another participant's",
        "no usccHash",
        "all zero",
    ] {
        assert!(problems.iter().any(|p| p.contains(part)), "{part}: {problems:?}");
    }
    config.schemes.clear();
    assert!(config.problems().iter().any(|p| p.starts_with("schemes: ")));
    let crowd = genesis(vec![hospital(); 5]);
    assert!(crowd.problems().iter().any(|p| p.contains("at most 4, found 5")));
    assert!(genesis(vec![hospital(), patient()]).problems().is_empty());
}

#[test]
#[should_panic(expected = "participants[1] (did:bill:hospital): the DID stands twice")]
fn genesis_with_a_problem_is_not_built() {
    run(vec![hospital(), hospital()], || ());
}

#[test]
fn genesis_is_read_from_json() {
    let key = key(1);
    let json = format!(
        r#"{{"participants":[{{"did":"did:bill:h","name":"医院","kind":"organisation",
        "publicKey":"{key}","roles":["issuer"]}}],"schemes":["sm2","sr25519"]}}"#
    );
    let config: crate::GenesisConfig<Test> = serde_json::from_str(&json).unwrap();
    assert_eq!(config.problems(), Vec::<String>::new());
    let without: crate::GenesisConfig<Test> =
        serde_json::from_str(&json.replace(r#""sm2","#, "")).unwrap();
    assert_eq!(without.problems(), ["schemes: expected SM2 among the signature schemes"]);
    assert_eq!(config.participants[0].roles, RoleSet::of(&[Role::Issuer]));
    let misspelt = json.replace("roles", "rolls");
    assert!(serde_json::from_str::<crate::GenesisConfig<Test>>(&misspelt).is_err());
}

#[test]
fn broken_invariants_are_found() {
    let cases: Vec<(&str, fn())> = vec![
        ("account leads to another", || AccountToDid::<Test>::insert(account(1), did("patient"))),
        ("account of nobody", || AccountToDid::<Test>::insert(account(77), did("nobody"))),
        ("USCC hash lost", || UsccToDid::<Test>::remove(Hash::from([1; 32]))),
        ("USCC hash of nobody", || UsccToDid::<Test>::insert(Hash::from([8; 32]), did("x"))),
        ("account is not the key's", || {
            Participants::<Test>::mutate(did("patient"), |p| {
                p.as_mut().unwrap().public_key = key(9);
            });
        }),
    ];
    for (what, break_it) in cases {
        run(vec![hospital(), patient()], || {
            hypothetically!({
                break_it();
                let found = Participant::do_try_state();
                assert!(found.is_err(), "{what}");
            });
        });
    }
}

#[test]
fn the_security_administrator_freezes_and_thaws_and_does_not_cancel() {
    run(vec![hospital()], || {
        let id = did("hospital");
        let set = |status| {
            let origin = RuntimeOrigin::signed(security());
            Participant::set_status(origin, id.clone(), status, reason())
        };
        assert_ok!(set(ParticipantStatus::Frozen));
        let expected = Event::StatusChanged {
            did: id.clone(),
            from: ParticipantStatus::Active,
            to: ParticipantStatus::Frozen,
            reason: reason(),
            operator: Some(security()),
        };
        assert_eq!(last_event(), expected);
        assert_noop!(set(ParticipantStatus::Cancelled), BadOrigin);
        assert_ok!(set(ParticipantStatus::Active));
        let origin = RuntimeOrigin::signed(security());
        assert_noop!(Participant::register(origin, patient()), BadOrigin);
    });
}

#[test]
fn nobody_administers_and_audits() {
    let chief = Registration { did: did("chief"), uscc_hash: None, ..hospital() };
    run(vec![chief], || {
        let id = did("chief");
        let both = RoleSet::of(&[Role::Admin, Role::Auditor]);
        assert_noop!(Participant::set_roles(root(), id.clone(), both), Fault::RolesConflict);
        // It is a system administrator.
        let auditor = RoleSet::of(&[Role::Auditor]);
        assert_noop!(Participant::set_roles(root(), id.clone(), auditor), Fault::OfficeConflict);
        assert_ok!(Participant::set_roles(root(), id.clone(), RoleSet::of(&[Role::Admin])));
        hypothetically!({
            Participants::<Test>::mutate(&id, |entry| entry.as_mut().unwrap().roles = both);
            assert!(Participant::do_try_state().is_err());
        });
    });
}

#[test]
fn participants_are_listed_page_by_page() {
    run(vec![hospital(), patient()], || {
        let first = Participant::participants(None, 1);
        let rest = Participant::participants(Some(&first[0].0), 9);
        let mut dids: Vec<_> = first.iter().chain(&rest).map(|(did, _)| did.clone()).collect();
        dids.sort();
        assert_eq!((first.len(), dids), (1, vec![did("hospital"), did("patient")]));
    });
}

//! Every call, its success and each of its refusals, and the use of grants.

use crate::{
    BY_HOLDER, BY_SUBJECT, Call, Change, Condition, Error, Event, Grant, GrantStatus, GrantsById,
    GrantsOfHolder, HistoryRecord, MAX_GRANT_BILLS, Scope, Terms, UseKind, history_key, mock::*,
    party_key, party_prefix,
};
use billchain_primitives::{
    BillSummary, Fen, Hash, SceneId, Stamp,
    seams::{GrantProblem, GrantUse, Grants, ParticipantProblem, ParticipantStatus, SceneProblem},
    sm3,
};
use codec::{Decode, Encode};
use frame::{testing_prelude::*, traits::Hooks};

fn with(change: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = terms(1);
    change(&mut terms);
    terms
}

fn registered(terms: Terms) {
    assert_ok!(register(terms));
}

fn revoke(sender: &str, number: u8) -> DispatchResult {
    send(sender, Call::revoke { grant: id(number), reason: reason() })
}

fn freeze(sender: &str, number: u8) -> DispatchResult {
    send(sender, Call::freeze { grant: id(number), reason: reason() })
}

fn activate(sender: &str, number: u8) -> DispatchResult {
    send(sender, Call::activate { grant: id(number), reason: reason() })
}

fn record_use(sender: &str, number: u8, bill: u32) -> DispatchResult {
    send(sender, Call::record_use { grant: id(number), bill: key(bill) })
}

fn transfer(sender: &str, number: u8) -> DispatchResult {
    send(sender, Call::record_transfer { grant: id(number), hash: [0x7f; 32].into() })
}

/// Insurer A locks bill `number`, which makes its version 5.
fn lock(bill: &BillSummary) -> Result<(), GrantProblem> {
    let subject = &did("insurer-a");
    Authorization::use_for_lock(&id(1), GrantUse { subject, bill, version: 5, scene: CLAIMS })
}

fn grant() -> Grant {
    Authorization::grant(&id(1)).expect("it was registered")
}

#[test]
fn a_holder_registers_a_grant_and_it_is_active() {
    run(|| {
        assert_ok!(register(terms(1)));
        let grant = grant();
        assert_eq!((&grant.terms, grant.status), (&terms(1), GrantStatus::Active));
        assert_eq!((grant.registrar, grant.uses, grant.version), (did("patient"), 0, 1));
        let accounts = (grant.holder_account, grant.subject_account);
        assert_eq!(accounts, (account(1), account(3)));
        assert_eq!(
            last_event(),
            Event::GrantRegistered {
                grant: id(1),
                holder: did("patient"),
                subject: did("insurer-a"),
                scene: CLAIMS,
                valid_from: NOW,
                valid_until: NOW + TERM,
                operator: did("patient"),
            }
        );
        assert_noop!(register(terms(1)), Error::<Test>::AlreadyRegistered);
        // Another holder cannot take the credential either.
        let taken = with(|t| t.holder = did("company"));
        let call = Call::register_grant { terms: taken };
        assert_noop!(send("company", call), Error::<Test>::AlreadyRegistered);
    });
}

#[test]
fn a_platform_registers_in_the_holders_name_and_others_do_not() {
    run(|| {
        let call = || Call::register_grant { terms: terms(1) };
        for sender in ["insurer-a", "company"] {
            assert_noop!(send(sender, call()), Error::<Test>::NotHolder);
        }
        assert_ok!(send("platform", call()));
        assert_eq!(grant().registrar, did("platform"));
    });
}

#[test]
fn terms_that_cannot_be_kept_are_refused_by_name() {
    let rows: [(&str, Terms, Error<Test>); 12] = [
        ("no hash", with(|t| t.credential_hash = Hash::zero()), Error::CredentialMissing),
        ("itself", with(|t| t.subject = did("patient")), Error::SubjectIsHolder),
        (
            "no subject",
            with(|t| t.subject = did("nobody")),
            Error::Subject(ParticipantProblem::NotFound),
        ),
        (
            "frozen subject",
            with(|t| t.subject = did("frozen")),
            Error::Subject(ParticipantProblem::Frozen),
        ),
        ("no bills", with(|t| t.scope = Scope::Bills(Default::default())), Error::NoBills),
        (
            "a bill twice",
            with(|t| t.scope = Scope::Bills(vec![key(1), key(1)].try_into().expect("two"))),
            Error::DuplicateBill,
        ),
        ("ends before it begins", with(|t| t.valid_from = NOW + TERM + 1), Error::ValidityEmpty),
        (
            "over",
            with(|t| (t.valid_from, t.valid_until) = (0, NOW - 1)),
            Error::Grant(GrantProblem::Expired),
        ),
        ("no such scene", with(|t| t.scene = SceneId(77)), Error::Scene(SceneProblem::NotFound)),
        ("no payer", conditional(|c| c.payer_ref = Hash::zero()), Error::ConditionEmpty),
        ("no day", conditional(|c| c.issued_until = date(20_261_031)), Error::ConditionEmpty),
        ("no amount", conditional(|c| c.max_total = Some(fen(-1))), Error::ConditionEmpty),
    ];
    run(|| {
        for (row, terms, expected) in rows {
            assert_eq!(register(terms), Err(expected.into()), "{row}");
        }
        with_world(|world| world.closed.push(CLAIMS));
        assert_noop!(register(terms(1)), Error::<Test>::Scene(SceneProblem::Inactive));
        assert_eq!(GrantsById::<Test>::count(), 0);
    });
}

fn conditional(change: impl FnOnce(&mut Condition)) -> Terms {
    let mut condition = condition();
    change(&mut condition);
    with(|terms| terms.scope = Scope::Matching(condition))
}

#[test]
fn the_holder_in_whose_name_a_platform_registers_is_active() {
    run(|| {
        for (holder, problem) in [
            ("nobody", ParticipantProblem::NotFound),
            ("frozen", ParticipantProblem::Frozen),
            ("cancelled", ParticipantProblem::Cancelled),
        ] {
            let call = Call::register_grant { terms: with(|t| t.holder = did(holder)) };
            assert_noop!(send("platform", call), Error::<Test>::Holder(problem));
        }
    });
}

#[test]
fn senders_that_may_not_act_are_told_why() {
    run(|| {
        registered(terms(1));
        for (sender, expected) in [
            ("nobody", Error::<Test>::Sender(ParticipantProblem::NotFound)),
            ("frozen", Error::Sender(ParticipantProblem::Frozen)),
            ("cancelled", Error::Sender(ParticipantProblem::Cancelled)),
        ] {
            let expected: DispatchError = expected.into();
            for result in [
                send(sender, Call::register_grant { terms: terms(2) }),
                revoke(sender, 1),
                freeze(sender, 1),
                activate(sender, 1),
                record_use(sender, 1, 1),
                transfer(sender, 1),
            ] {
                assert_eq!(result, Err(expected), "{sender}");
            }
        }
        let unsigned = Authorization::register_grant(RuntimeOrigin::none(), terms(2));
        assert_noop!(unsigned, DispatchError::BadOrigin);
        let unsigned = Authorization::revoke(RuntimeOrigin::none(), id(1), reason());
        assert_noop!(unsigned, DispatchError::BadOrigin);
    });
}

#[test]
fn grants_are_bounded_by_holder_and_in_all() {
    run(|| {
        for number in 1..=3 {
            registered(terms(number));
        }
        assert_noop!(register(terms(4)), Error::<Test>::TooManyGrantsOfHolder);
        let of_company = |number| Call::register_grant {
            terms: Terms { holder: did("company"), ..terms(number) },
        };
        assert_ok!(send("company", of_company(4)));
        assert_ok!(send("company", of_company(5)));
        assert_noop!(send("company", of_company(6)), Error::<Test>::TooManyGrants);
        assert_eq!(GrantsOfHolder::<Test>::get(did("company")), 2);
        let bills = (0..=MAX_GRANT_BILLS).map(key).collect::<Vec<_>>();
        let encoded = (0_u8, bills).encode();
        assert!(Scope::decode(&mut &encoded[..]).is_err(), "{MAX_GRANT_BILLS} bills and one");
    });
}

#[test]
fn the_holder_freezes_activates_and_revokes() {
    run(|| {
        registered(terms(1));
        assert_noop!(activate("patient", 1), Error::<Test>::NotFrozen);
        let (grant_id, operator) = (id(1), did("patient"));
        let reason = reason();
        assert_ok!(freeze("patient", 1));
        let expected = Event::GrantFrozen {
            grant: grant_id,
            reason: reason.clone(),
            operator: operator.clone(),
        };
        assert_eq!((last_event(), grant().status), (expected, GrantStatus::Frozen));
        assert_noop!(freeze("patient", 1), Error::<Test>::Grant(GrantProblem::Frozen));
        assert_ok!(activate("patient", 1));
        let expected = Event::GrantActivated {
            grant: grant_id,
            reason: reason.clone(),
            operator: operator.clone(),
        };
        assert_eq!((last_event(), grant().status), (expected, GrantStatus::Active));
        assert_ok!(freeze("patient", 1));
        assert_ok!(revoke("patient", 1));
        let expected = Event::GrantRevoked { grant: grant_id, reason, operator };
        assert_eq!((last_event(), grant().status), (expected, GrantStatus::Revoked));
        for again in [freeze("patient", 1), activate("patient", 1), revoke("patient", 1)] {
            assert_noop!(again, Error::<Test>::Grant(GrantProblem::Revoked));
        }
        for unknown in [freeze("patient", 9), activate("patient", 9), revoke("patient", 9)] {
            assert_noop!(unknown, Error::<Test>::Grant(GrantProblem::NotFound));
        }
    });
}

#[test]
fn the_platform_that_registered_is_in_charge_too_and_nobody_else() {
    run(|| {
        assert_ok!(send("platform", Call::register_grant { terms: terms(1) }));
        for sender in ["insurer-a", "company", "platform-too"] {
            for result in [freeze(sender, 1), activate(sender, 1), revoke(sender, 1)] {
                assert_noop!(result, Error::<Test>::NotInCharge);
            }
        }
        assert_ok!(freeze("platform", 1));
        assert_ok!(activate("patient", 1));
        // One that is a platform no more is not.
        with_world(|world| {
            world.participants.get_mut("platform").expect("it is known").2 = Default::default();
        });
        assert_noop!(revoke("platform", 1), Error::<Test>::NotInCharge);
        assert_ok!(revoke("patient", 1));
    });
}

#[test]
fn a_lock_uses_a_grant_and_the_use_is_recorded() {
    let state = run(|| {
        registered(terms(1));
        assert_eq!(lock(&bill(2)), Ok(()));
        let grant = grant();
        assert_eq!((grant.uses, grant.version), (1, 2));
        let (subject, bill, kind) = (did("insurer-a"), key(2), UseKind::Lock);
        let expected = Event::GrantUsed { grant: id(1), subject, bill, version: 5, kind };
        assert_eq!(last_event(), expected);
    });
    let record = state.offchain_db().get(&history_key(&id(1), 2)).expect("it was recorded");
    let record = HistoryRecord::decode(&mut &record[..]).expect("it is a record");
    assert_eq!(record.operator, did("insurer-a"));
    assert_eq!(record.change, Change::Used { bill: key(2), version: 5, kind: UseKind::Lock });
}

#[test]
fn each_reason_against_a_use_has_its_own_name() {
    type Change = fn();
    let rows: [(&str, Change, GrantProblem); 10] = [
        ("revoked", || revoke("patient", 1).unwrap(), GrantProblem::Revoked),
        ("frozen", || freeze("patient", 1).unwrap(), GrantProblem::Frozen),
        ("too early", || set_now(NOW - 1), GrantProblem::NotYetValid),
        ("too late", || set_now(NOW + TERM + 1), GrantProblem::Expired),
        (
            "holder frozen",
            || set_status("patient", ParticipantStatus::Frozen),
            GrantProblem::HolderNotActive,
        ),
        (
            "holder cancelled",
            || set_status("patient", ParticipantStatus::Cancelled),
            GrantProblem::HolderNotActive,
        ),
        ("holder's key", || rotate_key("patient", 41), GrantProblem::HolderKeyChanged),
        ("subject's key", || rotate_key("insurer-a", 43), GrantProblem::SubjectKeyChanged),
        (
            "another scene",
            || {
                GrantsById::<Test>::mutate(id(1), |grant| {
                    grant.as_mut().expect("it exists").terms.scene = OTHER_CLAIMS;
                })
            },
            GrantProblem::OutOfScope,
        ),
        (
            "another bill",
            || {
                GrantsById::<Test>::mutate(id(1), |grant| {
                    let bills = vec![key(3)].try_into().expect("one");
                    grant.as_mut().expect("it exists").terms.scope = Scope::Bills(bills);
                })
            },
            GrantProblem::OutOfScope,
        ),
    ];
    for (row, change, problem) in rows {
        run(|| {
            registered(terms(1));
            change();
            let before = grant();
            assert_eq!(lock(&bill(1)), Err(problem), "{row}");
            let checked = Authorization::check(&id(1), &did("insurer-a"), &bill(1), CLAIMS);
            assert_eq!(checked, Err(problem), "{row}");
            let called = record_use("insurer-a", 1, 1);
            if row != "another scene" {
                assert_eq!(called, Err(Error::<Test>::from(problem).into()), "{row}");
                assert_eq!(grant(), before, "{row}: nothing was written");
            }
        });
    }
    run(|| {
        assert_eq!(lock(&bill(1)), Err(GrantProblem::NotFound));
        registered(terms(1));
        let checked = Authorization::check(&id(1), &did("insurer-b"), &bill(1), CLAIMS);
        assert_eq!(checked, Err(GrantProblem::WrongSubject));
        assert_noop!(
            record_use("insurer-b", 1, 1),
            Error::<Test>::Grant(GrantProblem::WrongSubject)
        );
        let checked = Authorization::check(&id(1), &did("insurer-a"), &bill(1), OTHER_CLAIMS);
        assert_eq!(checked, Err(GrantProblem::OutOfScope));
    });
}

#[test]
fn both_ends_of_a_grants_time_belong_to_it() {
    run(|| {
        registered(terms(1));
        assert_eq!(lock(&bill(1)), Ok(()));
        set_now(NOW + TERM);
        assert_eq!(lock(&bill(1)), Ok(()));
    });
}

#[test]
fn a_condition_takes_the_bills_that_meet_all_of_it() {
    let with = |change: fn(&mut BillSummary)| {
        let mut bill = bill(5);
        change(&mut bill);
        bill
    };
    let rows: [(&str, BillSummary, bool); 9] = [
        ("such a bill", with(|_| ()), true),
        ("the first day", with(|b| b.issue_date = date(20_261_101)), true),
        ("the last day", with(|b| b.issue_date = date(20_261_130)), true),
        ("a day early", with(|b| b.issue_date = date(20_261_031)), false),
        ("a day late", with(|b| b.issue_date = date(20_261_201)), false),
        ("a fen too much", with(|b| b.total = fen(10_001)), false),
        ("another payer", with(|b| b.payer_ref = [6; 32]), false),
        ("another issuer", with(|b| b.issuer = did("clinic")), false),
        ("another scene", with(|b| b.scene = SceneId(2)), false),
    ];
    run(|| {
        registered(conditional(|_| ()));
        for (row, bill, met) in &rows {
            let checked = Authorization::check(&id(1), &did("insurer-a"), bill, CLAIMS);
            let expected = if *met { Ok(()) } else { Err(GrantProblem::OutOfScope) };
            assert_eq!(checked, expected, "{row}");
        }
        // What does not matter is left out; the payer and the days matter.
        let wide = Condition { issuer: None, max_total: None, bill_scene: None, ..condition() };
        for (row, bill, _) in rows {
            let dates = (date(20_261_101)..=date(20_261_130)).contains(&bill.issue_date);
            assert_eq!(wide.is_met_by(&bill), dates && bill.payer_ref == [7; 32], "{row}");
        }
    });
}

#[test]
fn a_subject_records_that_it_called_for_a_bill() {
    run(|| {
        registered(terms(1));
        assert_noop!(record_use("insurer-a", 9, 1), Error::<Test>::Grant(GrantProblem::NotFound));
        assert_noop!(record_use("insurer-a", 1, 10), Error::<Test>::BillNotFound);
        assert_noop!(record_use("insurer-a", 1, 3), Error::<Test>::Grant(GrantProblem::OutOfScope));
        assert_ok!(record_use("insurer-a", 1, 1));
        let (subject, bill, kind) = (did("insurer-a"), key(1), UseKind::Access);
        let expected = Event::GrantUsed { grant: id(1), subject, bill, version: 4, kind };
        assert_eq!((last_event(), grant().uses), (expected, 1));
        with_world(|world| world.closed.push(CLAIMS));
        assert_noop!(record_use("insurer-a", 1, 1), Error::<Test>::Scene(SceneProblem::Inactive));
    });
}

#[test]
fn parties_and_platforms_record_transfers_whatever_the_grants_state() {
    run(|| {
        registered(terms(1));
        assert_noop!(transfer("company", 1), Error::<Test>::NotParty);
        assert_noop!(transfer("insurer-b", 1), Error::<Test>::NotParty);
        assert_noop!(transfer("patient", 9), Error::<Test>::Grant(GrantProblem::NotFound));
        let empty = Call::record_transfer { grant: id(1), hash: Hash::zero() };
        assert_noop!(send("patient", empty), Error::<Test>::TransferHashMissing);
        assert_ok!(revoke("patient", 1));
        for sender in ["patient", "insurer-a", "platform-too"] {
            assert_ok!(transfer(sender, 1));
            let (hash, operator) = ([0x7f; 32].into(), did(sender));
            let expected = Event::TransferRecorded { grant: id(1), hash, operator };
            assert_eq!(last_event(), expected);
        }
    });
}

#[test]
fn a_full_history_takes_nothing_but_the_revocation() {
    run(|| {
        registered(terms(1));
        for _ in 0..5 {
            assert_eq!(lock(&bill(1)), Ok(()));
        }
        assert_eq!(lock(&bill(1)), Err(GrantProblem::Exhausted));
        assert_noop!(record_use("insurer-a", 1, 1), Error::<Test>::Grant(GrantProblem::Exhausted));
        assert_noop!(transfer("patient", 1), Error::<Test>::Grant(GrantProblem::Exhausted));
        assert_noop!(freeze("patient", 1), Error::<Test>::Grant(GrantProblem::Exhausted));
        assert_ok!(revoke("patient", 1));
        assert_eq!(grant().version, 7);
    });
    run(|| {
        registered(terms(1));
        assert_ok!(freeze("patient", 1));
        for _ in 0..4 {
            assert_ok!(transfer("patient", 1));
        }
        assert_noop!(activate("patient", 1), Error::<Test>::Grant(GrantProblem::Exhausted));
    });
}

#[test]
fn every_record_is_indexed_and_chained() {
    let mut head = None;
    let state = run(|| {
        registered(terms(1));
        assert_ok!(freeze("patient", 1));
        assert_ok!(activate("patient", 1));
        assert_ok!(record_use("insurer-a", 1, 2));
        assert_ok!(transfer("platform", 1));
        assert_ok!(revoke("patient", 1));
        head = Some(grant());
    });
    let reason = reason();
    let expected = [
        ("patient", Change::Registered(terms(1))),
        ("patient", Change::Frozen { reason: reason.clone() }),
        ("patient", Change::Activated { reason: reason.clone() }),
        ("insurer-a", Change::Used { bill: key(2), version: 4, kind: UseKind::Access }),
        ("platform", Change::Transferred { hash: [0x7f; 32].into() }),
        ("patient", Change::Revoked { reason }),
    ];
    let mut hash = Hash::zero();
    for (version, (operator, change)) in (1..).zip(expected) {
        let bytes = state.offchain_db().get(&history_key(&id(1), version)).expect("recorded");
        let record = HistoryRecord::decode(&mut &bytes[..]).expect("it is a record");
        assert_eq!((record.version, record.operator), (version, did(operator)));
        assert_eq!(record.change, change);
        assert_eq!((record.stamp.block, record.stamp.extrinsic), (1, Some(2)));
        hash = sm3(&[hash.as_bytes(), &bytes].concat()).into();
    }
    let head = head.expect("it was registered");
    assert_eq!((head.version, head.history_hash), (6, hash));
}

#[test]
fn grants_are_listed_by_holder_and_by_subject_in_the_order_of_registration() {
    let state = run(|| {
        registered(terms(2));
        System::set_extrinsic_index(3);
        registered(terms(1));
    });
    let at = |extrinsic| Stamp { block: 1, extrinsic: Some(extrinsic), moment: NOW };
    for (list, party) in [(BY_HOLDER, did("patient")), (BY_SUBJECT, did("insurer-a"))] {
        let keys = [(id(2), 2), (id(1), 3)].map(|(grant, extrinsic)| {
            let key = party_key(list, &party, &at(extrinsic), &grant);
            assert_eq!(state.offchain_db().get(&key), Some(grant.encode()));
            assert!(key.starts_with(&party_prefix(list, &party)));
            key
        });
        assert!(keys[0] < keys[1]);
    }
}

#[test]
fn broken_invariants_are_found() {
    fn broken(change: fn(&mut Grant)) -> bool {
        let mut found = false;
        run(|| {
            registered(terms(1));
            hypothetically!({
                GrantsById::<Test>::mutate(id(1), |grant| {
                    change(grant.as_mut().expect("it exists"));
                });
                found = Authorization::do_try_state().is_err();
            });
        });
        found
    }
    type Breakage = fn(&mut Grant);
    let changes: [(&str, Breakage); 8] = [
        ("id", |g| g.terms.credential_hash = id(9).0),
        ("subject", |g| g.terms.subject = g.terms.holder.clone()),
        ("time", |g| g.terms.valid_until = 0),
        ("bills", |g| g.terms.scope = Scope::Bills(Default::default())),
        ("condition", |g| {
            let max_total = Some(Fen::new(-1).expect("in bounds"));
            g.terms.scope = Scope::Matching(Condition { max_total, ..condition() });
        }),
        ("uses", |g| g.uses = 1),
        ("records", |g| g.version = 7),
        ("holder", |g| g.terms.holder = did("company")),
    ];
    for (name, change) in changes {
        assert!(broken(change), "{name}");
    }
    assert!(!broken(|_| ()));
}

#[test]
fn integrity_holds() {
    Authorization::integrity_test();
}

/// The format of keys and hashes is durable: explorers and proofs rely on it.
#[test]
fn formats_are_fixed() {
    run(|| {
        registered(terms(1));
        assert_eq!(lock(&bill(1)), Ok(()));
        let hash = format!("{:?}", grant().history_hash);
        assert_eq!(hash, "0xa227d35024afc37f688953a4e34a0550cdb9994d3f91ec2ffbf10094b332ee46");
    });
    assert_eq!(history_key(&id(1), 2), [&b"g/"[..], &[1; 32], &[0, 0, 0, 2]].concat());
    let at = Stamp { block: 1, extrinsic: Some(2), moment: NOW };
    let key = party_key(BY_HOLDER, &did("patient"), &at, &id(1));
    let party = [&b"gh/"[..], &[16 << 2], b"did:bill:patient"].concat();
    assert_eq!(key, [&party[..], &[0, 0, 0, 1], &[0, 0, 0, 2], &[1; 32]].concat());
}

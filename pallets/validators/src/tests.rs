//! Every call, its success and each of its refusals.

mod address;
mod equivocation;

use crate::{
    Error, Event, GenesisConfig, MAX_OBSERVERS, MAX_POWER, MAX_VALIDATORS, Observer, PeerIdBytes,
    Validator, Validators, mock::*,
};
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::{AccountId, Name, PublicKey};
use frame::{deps::sp_runtime::traits::BadOrigin, testing_prelude::*};

/// What is spoilt, how, and the refusal it earns.
type Spoilt = (&'static str, fn(&mut Validator), Error<Test>);

/// What is broken, and how.
type Broken = (&'static str, fn(&mut Validator));

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn operator(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

fn key(seed: u8) -> [u8; 33] {
    SecretKey::from_seed(&[seed]).public().to_compressed()
}

fn peer_id(seed: u8) -> PeerIdBytes {
    PeerIdBytes::truncate_from([&[0, 36, 8, 1, 18, 32][..], &[seed; 32]].concat())
}

fn validator(seed: u8) -> Validator {
    Validator {
        operator: operator(seed),
        name: Name::new(&format!("节点{seed}")).unwrap(),
        consensus_key: key(seed),
        peer_id: peer_id(seed),
        power: 1,
    }
}

fn observer(seed: u8) -> Observer {
    Observer { name: Name::new(&format!("观察{seed}")).unwrap(), peer_id: peer_id(seed) }
}

fn genesis(validators: Vec<Validator>) -> GenesisConfig<Test> {
    GenesisConfig { validators, observers: vec![observer(200)], ..Default::default() }
}

fn last_event() -> Event<Test> {
    match System::events().pop().expect("an event").event {
        RuntimeEvent::ValidatorSet(event) => event,
        other => panic!("another pallet's event: {other:?}"),
    }
}

#[test]
fn the_genesis_set_is_readable_and_its_operators_exist() {
    run(genesis(vec![validator(1), validator(2)]), || {
        assert_eq!(ValidatorSet::validators(), [validator(1), validator(2)]);
        assert_eq!(ValidatorSet::observers(), [observer(200)]);
        assert!(ValidatorSet::is_operator(&operator(1)));
        assert!(!ValidatorSet::is_operator(&operator(3)));
        assert_eq!(System::providers(&operator(2)), 1);
    });
}

#[test]
fn an_added_validator_joins_the_set() {
    run(genesis(vec![validator(1)]), || {
        assert_ok!(ValidatorSet::add_validator(root(), validator(2)));
        assert_eq!(last_event(), Event::ValidatorAdded { validator: validator(2) });
        assert_eq!(ValidatorSet::validators(), [validator(1), validator(2)]);
        assert_eq!(System::providers(&operator(2)), 1);
    });
}

#[test]
fn a_validator_that_is_wrong_or_not_unique_is_refused() {
    let cases: Vec<Spoilt> = vec![
        ("operator", |v| v.operator = operator(1), Error::OperatorInUse),
        ("consensus key", |v| v.consensus_key = key(1), Error::KeyInUse),
        ("a validator's peer", |v| v.peer_id = peer_id(1), Error::PeerIdInUse),
        ("an observer's peer", |v| v.peer_id = peer_id(200), Error::PeerIdInUse),
        ("no peer", |v| v.peer_id = PeerIdBytes::default(), Error::InvalidPeerId),
        ("no point", |v| v.consensus_key = [0; 33], Error::InvalidKey),
        ("cut peer", |v| v.peer_id.truncate(37), Error::InvalidPeerId),
        ("no power", |v| v.power = 0, Error::NoPower),
        ("power", |v| v.power = crate::MAX_POWER + 1, Error::PowerTooHigh),
    ];
    run(genesis(vec![validator(1)]), || {
        for (what, spoil, error) in cases {
            let mut candidate = validator(2);
            spoil(&mut candidate);
            let result = ValidatorSet::add_validator(root(), candidate);
            assert_noop!(result.map_err(|e| (what, e)), (what, error.into()));
        }
    });
}

#[test]
fn the_sets_are_bounded() {
    run(genesis((1..=MAX_VALIDATORS as u8).map(validator).collect()), || {
        let result = ValidatorSet::add_validator(root(), validator(100));
        assert_noop!(result, Error::<Test>::TooMany);
        for seed in 1..MAX_OBSERVERS {
            let digest = [&[18, 32][..], &[0; 28], &seed.to_be_bytes()].concat();
            let peer_id = PeerIdBytes::truncate_from(digest);
            let added = Observer { peer_id, ..observer(1) };
            assert_ok!(ValidatorSet::add_observer(root(), added));
        }
        let result = ValidatorSet::add_observer(root(), observer(201));
        assert_noop!(result, Error::<Test>::TooMany);
    });
}

#[test]
fn a_removed_operator_leaves_the_set_and_keeps_its_nonce() {
    run(genesis(vec![validator(1), validator(2)]), || {
        System::inc_account_nonce(operator(1));
        assert_ok!(ValidatorSet::remove_validator(root(), operator(1), None));
        let removed = Event::ValidatorRemoved { operator: operator(1), evidence: None };
        assert_eq!(last_event(), removed);
        assert_eq!(ValidatorSet::validators(), [validator(2)]);
        assert!(!ValidatorSet::is_operator(&operator(1)));
        let again = ValidatorSet::remove_validator(root(), operator(1), None);
        assert_noop!(again, Error::<Test>::NotFound);
        assert_ok!(ValidatorSet::add_validator(root(), validator(1)));
        assert_eq!(System::account_nonce(operator(1)), 1, "old transactions stay spent");
    });
}

#[test]
fn the_last_validator_stays() {
    run(genesis(vec![validator(1)]), || {
        let result = ValidatorSet::remove_validator(root(), operator(1), None);
        assert_noop!(result, Error::<Test>::LastValidator);
    });
}

#[test]
fn a_rotated_key_votes_instead_of_the_old_one() {
    run(genesis(vec![validator(1), validator(2)]), || {
        assert_ok!(ValidatorSet::rotate_validator_key(root(), operator(1), key(9)));
        let expected =
            Event::ValidatorKeyRotated { operator: operator(1), from: key(1), to: key(9) };
        assert_eq!(last_event(), expected);
        let account = |seed| PublicKey::Sm2(key(seed)).account_id();
        assert!(ValidatorSet::succeeds(&account(1), &account(9)));
        for (from, to) in [(9, 1), (1, 2), (2, 9), (1, 7)] {
            assert!(!ValidatorSet::succeeds(&account(from), &account(to)), "{from} to {to}");
        }
        let tenure = |seed| {
            let tenure = ValidatorSet::tenure(&key(seed));
            tenure.map(|tenure| (tenure.from, tenure.until))
        };
        // The genesis' keys decide from the first block on, the new one from the next.
        assert_eq!((tenure(1), tenure(2)), (Some((1, Some(1))), Some((1, None))));
        assert_eq!((tenure(9), tenure(7)), (Some((2, None)), None));
        let rotated = Validator { consensus_key: key(9), ..validator(1) };
        assert_eq!(ValidatorSet::validators(), [rotated, validator(2)]);
        for (who, with, error) in [
            (1, key(2), Error::<Test>::KeyInUse),
            (1, key(9), Error::<Test>::KeyInUse),
            (1, [0; 33], Error::<Test>::InvalidKey),
            (7, key(7), Error::<Test>::NotFound),
        ] {
            let result = ValidatorSet::rotate_validator_key(root(), operator(who), with);
            assert_noop!(result, error);
        }
    });
}

#[test]
fn a_validators_power_changes() {
    run(genesis(vec![validator(1), validator(2)]), || {
        assert_ok!(ValidatorSet::set_power(root(), operator(2), 7));
        let changed = Event::ValidatorPowerChanged { operator: operator(2), from: 1, to: 7 };
        assert_eq!(last_event(), changed);
        assert_eq!(ValidatorSet::validators()[1].power, 7);
        for (who, power, error) in [
            (3, 1, Error::NotFound),
            (1, 0, Error::NoPower),
            (1, MAX_POWER + 1, Error::<Test>::PowerTooHigh),
        ] {
            assert_noop!(ValidatorSet::set_power(root(), operator(who), power), error);
        }
    });
}

#[test]
fn a_validators_node_gets_another_identity() {
    run(genesis(vec![validator(1), validator(2)]), || {
        assert_ok!(ValidatorSet::set_peer_id(root(), operator(1), peer_id(9)));
        let changed = Event::ValidatorPeerIdChanged {
            operator: operator(1),
            from: peer_id(1),
            to: peer_id(9),
        };
        assert_eq!(last_event(), changed);
        assert_eq!(ValidatorSet::validators()[0].peer_id, peer_id(9));
        for (who, id, error) in [
            (3, peer_id(3), Error::NotFound),
            (1, peer_id(2), Error::PeerIdInUse),
            (1, peer_id(200), Error::PeerIdInUse),
            (1, PeerIdBytes::default(), Error::<Test>::InvalidPeerId),
        ] {
            assert_noop!(ValidatorSet::set_peer_id(root(), operator(who), id), error);
        }
    });
}

#[test]
fn a_validator_gets_another_operator_and_the_one_before_keeps_its_nonce() {
    run(genesis(vec![validator(1), validator(2)]), || {
        System::inc_account_nonce(operator(1));
        assert_ok!(ValidatorSet::set_operator(root(), operator(1), operator(9)));
        let changed = Event::ValidatorOperatorChanged { from: operator(1), to: operator(9) };
        assert_eq!(last_event(), changed);
        assert!(ValidatorSet::is_operator(&operator(9)));
        assert!(!ValidatorSet::is_operator(&operator(1)));
        assert_eq!((System::account_nonce(operator(1)), System::providers(&operator(9))), (1, 1));
        for (from, to, error) in [(1, 3, Error::NotFound), (9, 2, Error::<Test>::OperatorInUse)] {
            let result = ValidatorSet::set_operator(root(), operator(from), operator(to));
            assert_noop!(result, error);
        }
    });
}

#[test]
fn observers_come_and_go() {
    run(genesis(vec![validator(1)]), || {
        assert_ok!(ValidatorSet::add_observer(root(), observer(5)));
        assert_eq!(last_event(), Event::ObserverAdded { observer: observer(5) });
        for taken in [1, 5, 200] {
            let result = ValidatorSet::add_observer(root(), observer(taken));
            assert_noop!(result, Error::<Test>::PeerIdInUse);
        }
        let nameless = Observer { peer_id: PeerIdBytes::default(), ..observer(6) };
        let result = ValidatorSet::add_observer(root(), nameless);
        assert_noop!(result, Error::<Test>::InvalidPeerId);
        assert_ok!(ValidatorSet::remove_observer(root(), peer_id(5)));
        assert_eq!(last_event(), Event::ObserverRemoved { peer_id: peer_id(5) });
        assert_eq!(ValidatorSet::observers(), [observer(200)]);
        let again = ValidatorSet::remove_observer(root(), peer_id(5));
        assert_noop!(again, Error::<Test>::NotFound);
    });
}

#[test]
fn every_call_refuses_other_origins() {
    run(genesis(vec![validator(1)]), || {
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::signed(operator(1))] {
            let o = || origin.clone();
            assert_noop!(ValidatorSet::add_validator(o(), validator(2)), BadOrigin);
            assert_noop!(ValidatorSet::remove_validator(o(), operator(1), None), BadOrigin);
            let result = ValidatorSet::rotate_validator_key(o(), operator(1), key(2));
            assert_noop!(result, BadOrigin);
            assert_noop!(ValidatorSet::add_observer(o(), observer(5)), BadOrigin);
            assert_noop!(ValidatorSet::remove_observer(o(), peer_id(200)), BadOrigin);
        }
    });
}

#[test]
#[should_panic(expected = "OperatorInUse")]
fn genesis_refuses_an_operator_that_stands_twice() {
    let twin = Validator { consensus_key: key(2), peer_id: peer_id(2), ..validator(1) };
    run(genesis(vec![validator(1), twin]), || ());
}

#[test]
#[should_panic(expected = "PeerIdInUse")]
fn genesis_refuses_an_observer_with_a_validators_peer_identity() {
    run(genesis(vec![validator(200)]), || ());
}

#[test]
fn validators_are_read_from_json_with_their_keys_as_text() {
    let json = serde_json::to_string(&validator(1)).unwrap();
    assert!(json.contains("\"sm2:"), "{json}");
    assert_eq!(serde_json::from_str::<Validator>(&json).unwrap(), validator(1));
    let foreign = format!("sr25519:{}", "01".repeat(32));
    let sm2 = format!("sm2:{}", key(1).iter().map(|b| format!("{b:02x}")).collect::<String>());
    let error = serde_json::from_str::<Validator>(&json.replace(&sm2, &foreign)).unwrap_err();
    assert!(error.to_string().contains("expected an SM2 key"), "{error}");
}

#[test]
fn broken_invariants_are_found() {
    let cases: Vec<Broken> = vec![
        ("power", |v| v.power = 0),
        ("operator", |v| v.operator = operator(1)),
        ("key", |v| v.consensus_key = key(1)),
        ("peer", |v| v.peer_id = peer_id(200)),
    ];
    for (what, break_it) in cases {
        run(genesis(vec![validator(1), validator(2)]), || {
            hypothetically!({
                Validators::<Test>::mutate(|set| break_it(&mut set[1]));
                assert!(ValidatorSet::do_try_state().is_err(), "{what}");
            });
        });
    }
}

//! Documents good and bad.

use billchain_chain_spec::*;
use billchain_primitives::{
    AdminRole, PublicKey, SummaryField, SummaryFields, seams::AccessNodePolicy,
};
use sp_keyring::Sr25519Keyring;

/// A production input with keys nobody else has.
fn production_input() -> ProductionInput {
    let key = |seed: &str| dev::public(&format!("//secret//{seed}"));
    let operators = (1..=4)
        .map(|n| Operator {
            name: format!("Operator {n}").parse().unwrap(),
            account: key(&format!("{n}")),
            consensus_key: key(&format!("{n}//consensus")),
            peer_id: dev::NodeKeys::of(n).peer_id(),
            power: 1,
        })
        .collect();
    let development = ChainSpec::development();
    // The hospital, and the administrators with their offices.
    let mut participants = development.participants.clone();
    participants.retain(|participant| {
        let own = development.admins.iter().any(|admin| admin.account == participant.public_key);
        own || participant.did.as_str() == "did:bill:hospital"
    });
    let mut admins = development.admins.clone();
    for participant in &mut participants {
        let fresh = key(participant.did.as_str());
        let held = admins.iter_mut().filter(|admin| admin.account == participant.public_key);
        held.for_each(|admin| admin.account = fresh.clone());
        participant.public_key = fresh;
    }
    ProductionInput {
        name: "Bills of a city".parse().unwrap(),
        id: "city-bills".into(),
        timestamp_ms: 1_800_000_000_000,
        operators,
        participants,
        whitelist: Vec::new(),
        admins,
        field_rules: Vec::new(),
        unallotted_numbers: UnallottedNumbers::Admitted,
        scenes: Scene::standard(),
        observers: Vec::new(),
        performance: Performance::default(),
        cooling: Default::default(),
        connectors: Vec::new(),
    }
}

/// One field rule of a scene, as a document has it.
fn field_rules(scene: u16, check: &str) -> SceneFieldRules {
    let json = format!("{{\"scene\": {scene}, \"rules\": [{{\"check\": {check}}}]}}");
    serde_json::from_str(&json).unwrap()
}

fn problems(change: impl FnOnce(&mut ChainSpec)) -> Vec<String> {
    let mut spec = ChainSpec::production(production_input()).unwrap();
    change(&mut spec);
    spec.problems()
}

#[test]
fn a_production_chain_takes_no_unallotted_numbers_unless_its_input_says_so() {
    let rules = |input| {
        let spec = ChainSpec::production(input).unwrap();
        let general: Vec<_> = spec.field_rules.iter().filter(|set| set.scene.is_none()).collect();
        serde_json::to_value(general.iter().map(|set| &set.rules).collect::<Vec<_>>()).unwrap()
    };
    let allotted = serde_json::json!({ "kind": null, "check": { "allotted": "all" } });
    let digit = serde_json::json!({ "kind": null, "check": "uscc_check_digit" });

    let mut written = serde_json::to_value(production_input()).unwrap();
    assert_eq!(rules(production_input()), serde_json::json!([]));
    // Left out: refused, beside whatever other rules there are.
    written.as_object_mut().unwrap().remove("unallottedNumbers").unwrap();
    let closed = |written: &serde_json::Value| serde_json::from_value(written.clone()).unwrap();
    assert_eq!(rules(closed(&written)), serde_json::json!([[allotted]]));
    for given in [vec![&digit], vec![&allotted], vec![&allotted, &digit]] {
        written["fieldRules"] = serde_json::json!([{ "scene": null, "rules": given }]);
        let mut expected = given.clone();
        if !expected.contains(&&allotted) {
            expected.push(&allotted);
        }
        assert_eq!(rules(closed(&written)), serde_json::json!([expected]));
    }
    written["fieldRules"] = serde_json::json!([{ "rules": vec![&digit; 32] }]);
    let full = ChainSpec::production(closed(&written)).unwrap_err().to_string();
    assert!(full.contains("as many as may be"), "{full}");
}

#[test]
fn equal_documents_give_equal_states_also_through_json() {
    for spec in [ChainSpec::development(), ChainSpec::production(production_input()).unwrap()] {
        assert_eq!(spec.problems(), Vec::<String>::new());
        let again = ChainSpec::from_json(&spec.to_json().unwrap()).unwrap();
        assert_eq!(again, spec);
        assert_eq!(again.genesis_state().unwrap(), spec.genesis_state().unwrap());
    }
}

#[test]
fn a_document_is_known_by_what_it_says_and_not_by_its_form() {
    let text = ChainSpec::development().to_json().unwrap();
    let document = Document::from_json(&text).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for form in [value.to_string(), text.replace('\n', "\r\n\t")] {
        assert_eq!(Document::from_json(&form).unwrap().digest, document.digest);
    }
    let mut other = value.clone();
    other["name"] = "Another".into();
    assert_ne!(Document::from_json(&other.to_string()).unwrap().digest, document.digest);
    // What a release writes and an earlier one left out is another text.
    let mut shorter = value;
    shorter.as_object_mut().unwrap().remove("observers");
    assert_ne!(Document::from_json(&shorter.to_string()).unwrap().digest, document.digest);
}

#[test]
fn only_a_release_with_the_rules_of_the_document_makes_the_first_state() {
    let mut spec = ChainSpec::development();
    spec.rules += 1;
    let error = spec.genesis_state().unwrap_err();
    let SpecError::OtherRules { needed, own } = error else { panic!("{error}") };
    assert_eq!((needed, own), (spec.rules, spec.rules - 1));
}

#[test]
fn every_part_of_the_document_is_part_of_the_state() {
    let base = ChainSpec::development();
    let state = base.genesis_state().unwrap();
    let changes: [(&str, fn(&mut ChainSpec)); 13] = [
        ("timestamp", |s| s.timestamp_ms += 1),
        ("an operator's power", |s| s.operators[0].power = 2),
        ("the council", |s| s.council.truncate(3)),
        ("a participant's name", |s| s.participants[0].name = "x".parse().unwrap()),
        ("a scene's weight", |s| s.scenes[0].rules.weight += 1),
        ("a scene's access nodes", |s| {
            s.scenes[0].rules.access_node = AccessNodePolicy::Required;
        }),
        ("what a scene requires", |s| {
            s.scenes[0].rules.required = SummaryFields::of(&[SummaryField::PdfHash]);
        }),
        ("a scene's related data", |s| s.scenes[0].related_data = Default::default()),
        ("a transition rule", |s| s.transition_rules.truncate(s.transition_rules.len() - 1)),
        ("a field rule", |s| s.field_rules.push(field_rules(1, "{\"required\": \"pdf_hash\"}"))),
        ("the whitelist", |s| drop(s.whitelist.pop())),
        ("what becomes cold", |s| s.cooling.after_days = 90),
        ("an administrator", |s| {
            let hospital = s.participants[0].public_key.clone();
            s.admins.push(Admin { account: hospital, role: AdminRole::SystemAdmin });
        }),
    ];
    for (what, change) in changes {
        let mut spec = base.clone();
        change(&mut spec);
        assert_ne!(spec.genesis_state().unwrap(), state, "{what}");
    }
}

#[test]
fn what_becomes_cold_may_be_left_out_and_is_within_bounds() {
    let mut written = serde_json::to_value(production_input()).unwrap();
    written.as_object_mut().unwrap().remove("cooling").unwrap();
    let input = serde_json::from_value(written.clone()).unwrap();
    assert!(!ChainSpec::production(input).unwrap().cooling.is_on());
    written["cooling"] = serde_json::json!({ "afterDays": 90 });
    let input = serde_json::from_value(written).unwrap();
    assert_eq!(ChainSpec::production(input).unwrap().cooling.after_days, 90);
    let found = problems(|spec| spec.cooling.lap_days = 0);
    assert_eq!(found, ["cooling.lapDays: expected 1 to 3650, found 0"]);
}

#[test]
fn a_production_chain_refuses_other_schemes_and_well_known_keys() {
    let alice = dev::substrate(Sr25519Keyring::Alice);
    let found = problems(|spec| {
        spec.operators[0].account = alice.clone();
        spec.council[0] = dev::substrate(Sr25519Keyring::Bob);
        spec.council[1] = dev::public("//node-1");
        spec.participants[0].public_key = dev::public("//hospital");
    });
    for expected in [
        "operators[0].account: this chain admits SM2 keys only",
        "operators[0].account: a well-known development key",
        "council[0]: this chain admits SM2 keys only",
        "council[1]: a well-known development key",
        "participants[0].publicKey: a well-known development key",
    ] {
        assert!(found.iter().any(|p| p.starts_with(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let found = problems(|spec| {
        spec.id = "No Such Id".into();
        spec.timestamp_ms = 0;
        spec.operators[0].power = 0;
        spec.operators[1].peer_id = "x".into();
        spec.operators[2].peer_id = spec.operators[3].peer_id.clone();
        spec.operators[2].consensus_key = spec.operators[2].account.clone();
        spec.scenes[0].rules.lock_period_ms = 0;
        spec.scenes[1].id = spec.scenes[0].id;
        let twice = spec.participants[0].clone();
        spec.participants.push(twice);
        spec.transition_rules.push(TransitionRule::standard().remove(0));
        let scene = Some(billchain_primitives::SceneId(999));
        spec.transition_rules
            .push(TransitionRule { scene, ..TransitionRule::standard().remove(0) });
        let bounds = "{\"total\": {\"least_fen\": 2, \"most_fen\": 1}}";
        spec.field_rules.push(field_rules(999, bounds));
        spec.field_rules.push(field_rules(999, "\"uscc_check_digit\""));
        spec.whitelist.push(Whitelisted {
            did: "did:bill:nobody".parse().unwrap(),
            scenes: vec![billchain_primitives::SceneId(999)],
        });
    });
    for expected in [
        "id: ",
        "timestampMs: ",
        "operators[0].power: ",
        "operators[1].peerId: expected a libp2p peer id",
        "operators[3].peerId: the same peer id as operators[2].peerId",
        "operators[2].consensusKey: the same key as operators[2].account",
        "scenes[0]: the lock period",
        "scenes[1]: the same as scenes[0]",
        "participants[5] (did:bill:hospital): the DID stands twice",
        "transitionRules[23]: the same as transitionRules[0]",
        "transitionRules[24]: there is no scene 999",
        "fieldRules[0].rules[0]: no bill can keep it",
        "fieldRules[0]: there is no scene 999",
        "fieldRules[1]: the same as fieldRules[0]",
        "whitelist[0]: no participant",
        "whitelist[0]: there is no scene 999",
    ] {
        assert!(found.iter().any(|p| p.starts_with(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn administrators_are_participants_separate_and_enough() {
    let development = ChainSpec::development();
    for spec in [development, ChainSpec::production(production_input()).unwrap()] {
        let holders = |office| spec.admins.iter().filter(|admin| admin.role == office).count();
        let offices = [AdminRole::SystemAdmin, AdminRole::SecurityAdmin, AdminRole::Auditor];
        assert_eq!(offices.map(holders), [2, 1, 1]);
    }
    let found = problems(|spec| {
        spec.admins.retain(|admin| admin.role == AdminRole::SystemAdmin);
        spec.admins[0].account = dev::public("//secret//nobody");
        spec.admins[1].role = AdminRole::Auditor;
    });
    for expected in [
        "admins[0].account: no participant has the key",
        "admins[1].role: who administers does not audit",
        "admins: expected at least 2 system administrators, found 1",
        "admins: expected at least 1 security administrators, found 0",
    ] {
        assert!(found.iter().any(|p| p.starts_with(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn related_data_that_stand_twice_are_refused() {
    let found = problems(|spec| {
        let kinds = vec!["病历".parse().unwrap(), "病历".parse().unwrap()];
        spec.scenes[0].related_data = kinds.try_into().unwrap();
    });
    assert_eq!(found, ["scenes[0].relatedData[1]: the same as scenes[0].relatedData[0]"]);
}

#[test]
fn fewer_than_four_operators_are_no_production_chain() {
    let mut input = production_input();
    input.operators.pop();
    let error = ChainSpec::production(input).unwrap_err();
    assert!(error.to_string().contains("operators: expected 4 to"), "{error}");
}

#[test]
fn a_council_larger_than_the_runtime_holds_is_refused_and_not_dropped() {
    let members = |count: u32| {
        problems(|spec| {
            spec.council = (0..count).map(|n| dev::public(&format!("//member//{n}"))).collect();
        })
    };
    assert_eq!(members(100), Vec::<String>::new());
    assert_eq!(members(101), ["council: expected at most 100 members, found 101"]);
}

#[test]
fn json_with_unknown_or_missing_fields_is_refused_by_name() {
    let json = ChainSpec::development().to_json().unwrap();
    let more = json.replacen("\"id\"", "\"color\": 1,\n  \"id\"", 1);
    let error = ChainSpec::from_json(&more).unwrap_err();
    assert!(error.to_string().contains("unknown field `color`"), "{error}");
    let less = json.replacen("\"id\"", "\"idd\"", 1);
    assert!(ChainSpec::from_json(&less).is_err());
    assert!(ChainSpec::from_json("{").is_err());
}

#[test]
fn an_account_in_the_place_of_its_key_is_refused_with_the_form_that_is_expected() {
    let written = serde_json::to_value(production_input()).unwrap();
    for place in ["/operators/0/account", "/admins/0/account"] {
        let key = written.pointer(place).unwrap().as_str().unwrap().to_owned();
        let public: PublicKey = key.parse().unwrap();
        let account = format!("0x{}", hex::encode(public.account_id()));
        let digits = key.strip_prefix("sm2:").unwrap();
        for (wrong, found) in [
            (serde_json::Value::from(account.as_str()), account.as_str()),
            // Its digits alone, one too few, and no text.
            (serde_json::Value::from(digits), digits),
            (serde_json::Value::from(&key[..key.len() - 1]), "invalid value: string \"sm2:"),
            (serde_json::Value::from(7), "invalid type: integer `7`"),
            (serde_json::Value::Null, "invalid type: null"),
        ] {
            let mut input = written.clone();
            *input.pointer_mut(place).unwrap() = wrong;
            let error = serde_json::from_str::<ProductionInput>(&input.to_string()).unwrap_err();
            let said = error.to_string();
            for words in [found, "expected in the field `account` a public key, sm2: and"] {
                assert!(said.contains(words), "{place}: {words}: {said}");
            }
        }
        // What was right is read as before.
        let again: ProductionInput = serde_json::from_str(&written.to_string()).unwrap();
        assert_eq!(again, production_input());
    }
}

#[test]
fn a_scene_that_says_nothing_of_nodes_and_fields_asks_for_none() {
    let spec = ChainSpec::development();
    let mut json: serde_json::Value = serde_json::from_str(&spec.to_json().unwrap()).unwrap();
    for scene in json["scenes"].as_array_mut().unwrap() {
        let rules = scene["rules"].as_object_mut().unwrap();
        assert_eq!(rules.remove("access_node"), Some("not_required".into()));
        assert_eq!(rules.remove("required"), Some(serde_json::json!([])));
    }
    assert_eq!(ChainSpec::from_json(&json.to_string()).unwrap(), spec);
}

#[test]
fn development_keys_come_from_their_seeds() {
    let spec = ChainSpec::development();
    assert_eq!(spec.operators[0].account, dev::public("//node-1"));
    assert_eq!(spec.operators[0].consensus_key, dev::public("//node-1//consensus"));
    let alice = spec.participants.iter().find(|p| p.did.as_str() == "did:bill:alice").unwrap();
    assert_eq!(
        alice.public_key,
        PublicKey::Sr25519(hex_literal(
            "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
        )),
        "what every Substrate tool derives for //Alice"
    );
}

fn hex_literal(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn connectors_of_a_document_are_in_its_first_state_and_unsound_ones_are_named() {
    let mut written = serde_json::to_value(production_input()).unwrap();
    written.as_object_mut().unwrap().remove("connectors").unwrap();
    let without: ProductionInput = serde_json::from_value(written.clone()).unwrap();
    let without = ChainSpec::production(without).unwrap().genesis_state().unwrap();
    written["connectors"] = serde_json::json!([{
        "kind": "old_bill_system", "endpoint": "old-system", "scenes": { "only": [1] },
        "topics": ["bill_reimbursed"], "format": "mof-public-service/1",
        "acknowledgers": ["did:bill:worker-1"], "maxRefusals": 5, "maxWaiting": 1000,
    }]);
    let input: ProductionInput = serde_json::from_value(written).unwrap();
    let spec = ChainSpec::production(input).unwrap();
    assert_eq!(ChainSpec::from_json(&spec.to_json().unwrap()).unwrap(), spec);
    let state = spec.genesis_state().unwrap();
    // The connector, how many there are, and what facts are compared with.
    assert_eq!(state.len(), without.len() + 3);
    let found = problems(|unsound| {
        unsound.connectors = spec.connectors.clone();
        unsound.connectors[0].max_waiting = 0;
    });
    assert_eq!(found, ["connectors[0]: MaxWaitingOutOfBounds"]);
}

//! Links between bills and parties, and field rules, from the call to the
//! answers.

use super::{access::resolve, *};
use pallet_bill_register::{LinkChange, OptionalField, Relation};

type RegisterCall = pallet_bill_register::Call<Runtime>;

fn call(call: RegisterCall) -> RuntimeCall {
    RuntimeCall::BillRegister(call)
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_of_a_bill_and_bills_of_a_party_are_listed_with_their_history() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let (registration, invoice) = register();
    node.execute(&client, "//hospital", registration).await;
    let key = invoice.key;
    let insurer = || "did:bill:insurer-a".parse().unwrap();
    for (relation, who) in [(Relation::Insurer, "//hospital"), (Relation::Claimant, "//admin")] {
        let link = RegisterCall::link_party { key, party: insurer(), relation };
        let done = node.execute(&client, who, call(link)).await;
        assert_eq!(done.success, Some(true), "{done:?}");
    }
    let foreign = RegisterCall::link_party { key, party: insurer(), relation: Relation::Other };
    let refused = node.execute(&client, "//insurer-b", call(foreign)).await;
    assert_eq!(refused.error.unwrap().name, "LinkForbidden");
    let ended = RegisterCall::update_link {
        key,
        party: insurer(),
        relation: Relation::Claimant,
        change: LinkChange::Ended,
        reason: Reason::new("理赔已撤回").unwrap(),
    };
    let done = node.execute(&client, "//hospital", call(ended)).await;
    assert_eq!(done.success, Some(true), "{done:?}");

    let (code, number) = (key.code.to_string(), key.number.to_string());
    let all = ask(&ws, "bill_parties", json!([code, number])).await;
    assert_eq!(all["items"][0], json!({ "relation": "issuer", "party": "did:bill:hospital" }));
    let linked = &all["items"][1];
    assert_eq!(
        (&linked["relation"], &linked["party"], &linked["operator"]),
        (&json!("insurer"), &json!("did:bill:insurer-a"), &json!("did:bill:hospital"))
    );
    assert_eq!(linked["since"]["block"], 2);
    assert_eq!((all["items"].as_array().unwrap().len(), &all["next"]), (2, &Value::Null));
    let typed = client.parties(&code, &number).await.unwrap().unwrap();
    assert_eq!(json!(typed), all);
    let first = ask(&ws, "bill_parties", json!([code, number, null, 1])).await;
    assert_eq!((&first["items"][0], &first["next"]), (&all["items"][0], &json!("1")));
    let rest = ask(&ws, "bill_parties", json!([code, number, "1", 1])).await;
    assert_eq!((&rest["items"][0], &rest["next"]), (linked, &Value::Null));
    let unknown = ask(&ws, "bill_parties", json!([code, "9999999999"])).await;
    assert_eq!(unknown, Value::Null);

    let issued = ask(&ws, "bill_byIssuer", json!(["did:bill:hospital"])).await;
    assert_eq!(issued["items"][0]["number"], json!(number));
    let linked = ask(&ws, "bill_byParty", json!(["did:bill:hospital"])).await;
    assert_eq!(linked["items"], json!([]), "an issuer is no linked party");
    let insured = ask(&ws, "bill_byParty", json!(["did:bill:insurer-a"])).await;
    let relations: Vec<_> =
        insured["items"].as_array().unwrap().iter().map(|item| &item["relation"]).collect();
    assert_eq!(relations, ["insurer"], "what ended is no longer there");

    let history = ask(&ws, "bill_linkHistory", json!([code, number])).await;
    let acts: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|item| &item["act"]).collect();
    assert_eq!(acts, ["linked", "linked", "ended"]);
    let last = &history["items"][2];
    assert_eq!((&last["from"], &last["to"]), (&json!("claimant"), &Value::Null));
    assert_eq!(last["reason"], "理赔已撤回");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversed_bill_and_its_red_bill_name_each_other() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let (registration, invoice) = register();
    let RuntimeCall::BillRegister(RegisterCall::register { summary }) = &registration else {
        panic!("not a registration")
    };
    let mut red = billchain_primitives::BillSummary {
        kind: billchain_primitives::BillKind::Red,
        total: summary.total.negated(),
        related: Some(summary.key),
        ..summary.clone()
    };
    red.key.number = "0000000999".parse().unwrap();
    node.execute(&client, "//hospital", registration).await;
    let reverse = pallet_bill_update::Call::<Runtime>::red_reverse {
        key: invoice.key,
        expected_version: None,
        red,
        balance: None,
        reason: Reason::new("退费").unwrap(),
    };
    let done = node.execute(&client, "//hospital", RuntimeCall::BillUpdate(reverse)).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    let code = invoice.key.code.to_string();
    for (number, relation, other) in [
        (invoice.key.number.to_string(), "red", "0000000999".to_owned()),
        ("0000000999".to_owned(), "original", invoice.key.number.to_string()),
    ] {
        let parties = ask(&ws, "bill_parties", json!([code, number])).await;
        let related = json!({ "relation": relation, "bill": { "code": code, "number": other } });
        assert_eq!(parties["items"][1], related);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn field_rules_are_set_by_the_council_enforced_and_read() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    assert_eq!(ask(&ws, "bill_fieldRules", json!([1])).await, Value::Null);
    let written = json!([
        { "kind": null, "check": { "required": "pdf_hash" } },
        { "kind": "blue", "check": { "total": { "least_fen": 0, "most_fen": 10_000_000 } } },
        { "kind": null, "check": { "regions": ["31"] } },
        { "kind": null, "check": { "issued_within": { "days": 3_650 } } },
        { "kind": null, "check": { "payer_type": "person" } },
    ]);
    let rules: pallet_bill_register::FieldRules = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(rules[0].check, pallet_bill_register::FieldCheck::Required(OptionalField::PdfHash));
    let set =
        |scene, rules| call(RegisterCall::set_field_rules { scene, expected_version: None, rules });
    resolve(&node, &client, vec![set(Some(SceneId(1)), rules)]).await;
    let refused = node.execute(&client, "//hospital", register().0).await;
    let error = refused.error.clone().expect("the sample has no PDF");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillRegister", "FieldRule"));
    assert_eq!(error.details.as_deref(), Some("field: PdfHash"));
    assert_eq!(refused.items[0].error, Some(error));

    let in_force = ask(&ws, "bill_fieldRules", json!([1])).await;
    assert_eq!((&in_force["version"], &in_force["rules"]), (&json!(1), &written));
    assert_eq!((&in_force["scene"], &in_force["operator"]), (&json!(1), &Value::Null));
    resolve(&node, &client, vec![set(Some(SceneId(1)), Default::default())]).await;
    let now = ask(&ws, "bill_fieldRules", json!([1])).await;
    assert_eq!((&now["version"], &now["rules"]), (&json!(2), &json!([])));
    assert_eq!(ask(&ws, "bill_fieldRules", json!([1, 1])).await, in_force);
    assert_eq!(ask(&ws, "bill_fieldRules", json!([1, 3])).await, Value::Null);
    assert_eq!(ask(&ws, "bill_fieldRules", json!([])).await, Value::Null, "none for all scenes");
    let done = node.execute(&client, "//hospital", register().0).await;
    assert_eq!(done.success, Some(true), "{done:?}");

    for (method, params, words) in [
        ("bill_fieldRules", rpc_params![70_000], "0 to 65535"),
        ("bill_fieldRules", rpc_params![1, "x"], "version"),
        ("bill_parties", rpc_params!["31060125", "0000000001", "x"], "cursor"),
        ("bill_byParty", rpc_params!["insurer"], "did:"),
    ] {
        let (found, message) = refusal(ws.request::<Value, _>(method, params).await.unwrap_err());
        assert_eq!(found, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
}

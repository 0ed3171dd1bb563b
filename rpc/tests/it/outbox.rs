//! What systems outside have to be told, who was told, and what can be followed from a height
//! on: over a chain with a connector whose worker is this test.

use super::*;
use billchain_primitives::{PublicKey, outbox::ConnectorId, sm3};
use pallet_outbox::{Answer, Call, Outcome};

const WORKER: &str = "//worker-1";

/// A node of a chain with one connector.
async fn start() -> (Node, Connection, WsClient) {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
    let mut document = serde_json::to_value(ChainSpec::development()).unwrap();
    let PublicKey::Sm2(key) = Signer::development(WORKER).public() else { unreachable!() };
    document["participants"].as_array_mut().unwrap().push(json!({
        "did": "did:bill:worker-1", "name": "worker", "kind": "organisation",
        "publicKey": format!("sm2:{}", hex::encode(key)), "roles": ["platform"],
    }));
    document["connectors"] = json!([{
        "kind": "webhook", "endpoint": "platform", "topics": ["bill_registered", "bill_locked"],
        "scenes": { "only": [1] }, "format": "webhook/1", "acknowledgers": ["did:bill:worker-1"],
        "maxRefusals": 1, "maxWaiting": 1_000,
    }]);
    let spec: ChainSpec = serde_json::from_value(document).unwrap();
    let state = spec.genesis_state().unwrap();
    let chain = Chain::with_genesis(Arc::new(storage), &state).unwrap();
    let node = Node::over(chain, RpcConfig::default(), directory).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    (node, client, ws)
}

async fn report(node: &Node, client: &Connection, outcomes: Vec<Outcome>) {
    let outcomes = outcomes.try_into().unwrap();
    let call = Call::<Runtime>::report { connector: ConnectorId(1), outcomes };
    let done = node.execute(client, WORKER, call.into()).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
}

fn told(seq: u64) -> Outcome {
    Outcome { seq, attempts: 2, answer: Answer::Told { answer: sm3(b"ok") } }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_followed_from_the_decision_to_the_proof_of_its_acknowledgement() {
    let (node, client, ws) = start().await;
    let status = ask(&ws, "connector_status", json!([])).await;
    assert_eq!(status[0]["endpoint"], "platform");
    assert_eq!((&status[0]["entries"]["last"], &status[0]["lease"]), (&json!(0), &Value::Null));
    assert_eq!(ask(&ws, "outbox_pending", json!([1])).await, json!([]));

    let done = node.execute(&client, "//hospital", register_many(1..4)).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
    let status = ask(&ws, "connector_status", json!([1])).await;
    assert_eq!(status[0]["entries"]["waiting"], 3);
    assert_eq!(
        (&status[0]["oldest"]["seq"], &status[0]["oldest"]["block"]),
        (&json!(1), &json!(1))
    );
    let pending = ask(&ws, "outbox_pending", json!([1, 1, 1])).await;
    assert_eq!(pending.as_array().unwrap().len(), 1);
    let notice = &pending[0];
    assert_eq!(
        (&notice["entry"]["seq"], &notice["entry"]["topic"]),
        (&json!(2), &json!("bill_registered"))
    );
    assert_eq!(notice["bill"]["bill"]["number"], "0000000002");
    assert_eq!(notice["bill"]["hash"], notice["entry"]["digest"]);
    let key = billchain_primitives::outbox::idempotency_key(&client.genesis(), ConnectorId(1), 2);
    assert_eq!(notice["idempotency_key"], format!("0x{}", hex::encode(key)));

    let claim = Call::<Runtime>::claim { connector: ConnectorId(1) };
    assert_eq!(node.execute(&client, WORKER, claim.into()).await.success, Some(true));
    let status = ask(&ws, "connector_status", json!([1])).await;
    assert_eq!(status[0]["lease"]["holder"], "did:bill:worker-1");
    let refused = Outcome { seq: 1, attempts: 1, answer: Answer::Refused { answer: [2; 32] } };
    report(&node, &client, vec![refused, told(2), told(3)]).await;

    let code = register().1.key.code;
    let of_bill = |number: &str| json!([code.as_str(), number]);
    let dead = ask(&ws, "outbox_ofBill", of_bill("0000000001")).await;
    assert_eq!((&dead["items"][0]["status"], &dead["next"]), (&json!("dead"), &Value::Null));
    let told = ask(&ws, "outbox_ofBill", of_bill("0000000003")).await;
    let entry = &told["items"][0];
    assert_eq!(
        (&entry["status"], &entry["by"]),
        (&json!("acknowledged"), &json!("did:bill:worker-1"))
    );
    assert_eq!(entry["answer"], format!("0x{}", hex::encode(sm3(b"ok"))));
    assert_eq!((&entry["attempts"], &entry["ended"]["block"]), (&json!(2), &json!(3)));
    assert_eq!(&ask(&ws, "outbox_entry", json!([1, 3])).await, entry);
    assert_eq!(ask(&ws, "outbox_entry", json!([1, 4])).await, Value::Null);
    let history = ask(&ws, "outbox_history", json!([1, null, 1])).await;
    assert_eq!(history["items"][0]["seq"], 2);
    let rest = ask(&ws, "outbox_history", json!([1, history["next"], 1])).await;
    assert_eq!((&rest["items"][0], &rest["next"]), (entry, &Value::Null));

    let proof = ask(&ws, "outbox_proof", json!([1, 3])).await;
    assert_eq!((&proof["entry"], &proof["place"]), (entry, &json!(1)));
    let bytes = |value: &Value| hex::decode(&value.as_str().unwrap()[2..]).unwrap();
    let leaf = sm3(&[&[8], &bytes(&proof["trace"])[..]].concat());
    let node_hash = sm3(&[&[9], &bytes(&proof["siblings"][0])[..], &leaf].concat());
    let trail = [&2_u64.to_le_bytes()[..], &[1 << 2], &node_hash].concat();
    assert_eq!(bytes(&proof["trail"]), trail);
    let stored = ask(&ws, "state_getStorage", json!([proof["key"]])).await;
    assert_eq!(stored, proof["trail"], "the state holds it");
    assert_eq!(ask(&ws, "outbox_proof", json!([1, 1])).await, Value::Null);
    node.server.stop().await;
}

/// All pages from a place on, until there is nothing more.
async fn pages(ws: &WsClient, filter: &Value, mut after: Value) -> (Vec<Value>, Value) {
    let mut items = Vec::new();
    loop {
        let page = ask(ws, "subscription_read", json!([filter, after])).await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        after = page["next"].clone();
        if after["block"].as_u64() > page["head"].as_u64() {
            return (items, after);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_read_from_any_height_with_a_checksum_that_tells_of_gaps() {
    let (node, client, ws) = start().await;
    node.execute(&client, "//hospital", register_many(1..151)).await;
    node.make_block();
    node.execute(&client, "//hospital", register_many(151..160)).await;
    let filter = json!({ "topics": ["bill_registered"], "pallets": ["BillRegister"] });
    let (items, end) = pages(&ws, &filter, Value::Null).await;
    let bills = items.iter().filter(|item| item["bill"].is_object()).count();
    assert_eq!((bills, items.len()), (159, 318), "each bill and its event");

    // The checksum follows from what was told alone.
    let mut checksum = sm3(&[b"billchain subscription", client.genesis().as_bytes()].concat());
    for item in &items {
        let number = |name: &str| item[name].as_u64().map_or(u32::MAX, |number| number as u32);
        let digest = hex::decode(&item["digest"].as_str().unwrap()[2..]).unwrap();
        let said = [
            &checksum[..],
            &number("block").to_le_bytes(),
            &number("extrinsic").to_le_bytes(),
            &number("item").to_le_bytes(),
            &digest,
        ];
        checksum = sm3(&said.concat());
        assert_eq!(item["checksum"], format!("0x{}", hex::encode(checksum)));
        if let Some(data) = item["data"].as_str() {
            assert_eq!(sm3(&hex::decode(&data[2..]).unwrap())[..], digest);
        }
    }
    assert_eq!(end["checksum"], format!("0x{}", hex::encode(checksum)));

    // Cut in the middle of a block, and gone on with.
    let first = ask(&ws, "subscription_read", json!([filter])).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 100);
    assert_eq!(first["next"]["block"], 1);
    let (rest, again) = pages(&ws, &filter, first["next"].clone()).await;
    assert_eq!((&rest[..], again), (&items[100..], end.clone()));
    // From a height on.
    let (later, _) =
        pages(&ws, &json!({ "topics": ["bill_registered"] }), json!({ "block": 3 })).await;
    assert_eq!(later.len(), 9);
    // Conditions.
    for (condition, count) in [
        (json!({ "topics": ["bill_locked"] }), 0),
        (json!({ "topics": ["bill_registered"], "issuers": ["did:bill:hospital"] }), 159),
        (json!({ "topics": ["bill_registered"], "issuers": ["did:bill:hospital-1"] }), 0),
        (json!({ "topics": ["bill_registered"], "scenes": [2] }), 0),
        (json!({ "topics": ["bill_registered"], "statuses": ["locked"] }), 0),
        (json!({ "topics": ["bill_registered"], "kinds": ["red"] }), 0),
        (json!({ "topics": ["bill_registered"], "min_total_fen": 100_000_000 }), 0),
    ] {
        assert_eq!(pages(&ws, &condition, Value::Null).await.0.len(), count, "{condition}");
    }
    for (wrong, words) in [
        (json!({}), "topics or pallets"),
        (json!({ "topics": ["bill_eaten"] }), "filter"),
        (json!({ "topic": [] }), "unknown field"),
        (json!({ "topics": ["bill_locked"], "scenes": vec![1; 65] }), "at most 64"),
    ] {
        let error = ws.request::<Value, _>("subscription_read", rpc_params![wrong]).await;
        let (found, message) = refusal(error.unwrap_err());
        assert_eq!(found, code::INVALID_PARAMS);
        assert!(message.contains(words), "{message}");
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_is_told_what_was_and_what_comes() {
    let (node, client, ws) = start().await;
    node.execute(&client, "//hospital", register_many(1..151)).await;
    let filter = json!({ "topics": ["bill_registered"] });
    let mut followed: Subscription<Value> = ws
        .subscribe("subscription_follow", rpc_params![&filter], "subscription_unfollow")
        .await
        .unwrap();
    let mut items = Vec::new();
    while items.len() < 150 {
        let page = followed.next().await.unwrap().unwrap();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
    }
    node.execute(&client, "//hospital", register_many(151..153)).await;
    let page = followed.next().await.unwrap().unwrap();
    items.extend(page["items"].as_array().unwrap().iter().cloned());
    let (read, end) = pages(&ws, &filter, Value::Null).await;
    assert_eq!((items, &page["next"]), (read, &end));
    followed.unsubscribe().await.unwrap();
    node.server.stop().await;
}

//! Transactions that are watched, and those that are sent on.

use super::*;

async fn watch(ws: &WsClient, bytes: &[u8]) -> Subscription<Value> {
    let bytes = format!("0x{}", hex::encode(bytes));
    ws.subscribe(
        "transactionWatch_v1_submitAndWatch",
        rpc_params![bytes],
        "transactionWatch_v1_unwatch",
    )
    .await
    .unwrap()
}

fn registration(node: &Node, nonce: u32) -> Vec<u8> {
    Signer::development("//hospital").transaction(register().0, nonce, node.chain.genesis_hash())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_transaction_is_validated_then_included_then_final() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let bytes = registration(&node, 0);
    let mut feed = watch(&ws, &bytes).await;
    assert_eq!(next(&mut feed).await, json!({ "event": "validated" }));
    node.make_block();
    // After the timestamp.
    let block = json!({ "hash": node.chain.head().hash, "index": 1 });
    let included = json!({ "event": "bestChainBlockIncluded", "block": block });
    let last = json!({ "event": "finalized", "block": block });
    assert_eq!(next(&mut feed).await, included);
    assert_eq!(next(&mut feed).await, last);
    // Sent again it is final already.
    let mut again = watch(&ws, &bytes).await;
    assert_eq!(next(&mut again).await, last);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_waits_for_an_earlier_nonce_is_valid() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut later = watch(&ws, &registration(&node, 1)).await;
    assert_eq!(next(&mut later).await["event"], "validated");
    let mut first = watch(&ws, &registration(&node, 0)).await;
    assert_eq!(next(&mut first).await["event"], "validated");
    node.make_block();
    for feed in [&mut first, &mut later] {
        assert_eq!(next(feed).await["event"], "bestChainBlockIncluded");
        assert_eq!(next(feed).await["event"], "finalized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_valid_transaction_is_told_as_an_event() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut wrong = registration(&node, 0);
    let last = wrong.len() - 1;
    wrong[last] ^= 1;
    for bytes in [&b"no transaction"[..], &wrong, &[]] {
        let event = next(&mut watch(&ws, bytes).await).await;
        assert_eq!(event["event"], "invalid", "{event}");
        assert!(event["error"].as_str().unwrap().len() > 5, "{event}");
    }
    // Another with its nonce is in the pool.
    let mut first = watch(&ws, &registration(&node, 0)).await;
    assert_eq!(next(&mut first).await["event"], "validated");
    let void = change(&register().1, StatusChange::Void { reason: Reason::new("a").unwrap() });
    let genesis = node.chain.genesis_hash();
    let other = Signer::development("//hospital").transaction(void, 0, genesis);
    let event = next(&mut watch(&ws, &other).await).await;
    assert_eq!(event["event"], "dropped", "{event}");
    for params in [json!(["00"]), json!([7]), json!([])] {
        let asked: Result<Subscription<Value>, _> = ws
            .subscribe(
                "transactionWatch_v1_submitAndWatch",
                array(&params),
                "transactionWatch_v1_unwatch",
            )
            .await;
        assert_eq!(refusal(asked.unwrap_err()).0, code::INVALID_PARAMS, "{params}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_unwatches_what_it_does_not_watch_is_told() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let bytes = registration(&node, 0);
    let feed = watch(&ws, &bytes).await;
    let id = match feed.kind() {
        jsonrpsee::core::client::SubscriptionKind::Subscription(id) => json!(id),
        other => panic!("{other:?}"),
    };
    assert_eq!(ask(&ws, "transactionWatch_v1_unwatch", json!([id])).await, Value::Null);
    let (code, words) = refused(&ws, "transactionWatch_v1_unwatch", json!([id])).await;
    assert_eq!(code, code::INVALID_PARAMS, "{words}");
    // It goes its way all the same.
    node.make_block();
    let hash = billchain_primitives::transaction_hash(&bytes);
    assert_eq!(node.chain.storage().tx(&hash).unwrap(), Some((1, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_sent_on_comes_into_a_block_and_nobody_is_told() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let bytes = registration(&node, 0);
    let id =
        ask(&ws, "transaction_v1_broadcast", json!([format!("0x{}", hex::encode(&bytes))])).await;
    assert!(id.is_string(), "{id}");
    let until = Instant::now() + Duration::from_secs(10);
    while node.pool.stats().ready == 0 {
        assert!(Instant::now() < until, "it did not come into the pool");
        tokio::task::yield_now().await;
    }
    node.make_block();
    let hash = billchain_primitives::transaction_hash(&bytes);
    assert_eq!(node.chain.storage().tx(&hash).unwrap(), Some((1, 1)));
    assert_eq!(ask(&ws, "transaction_v1_stop", json!([id])).await, Value::Null);
    let (code, words) = refused(&ws, "transaction_v1_stop", json!([id])).await;
    assert_eq!(code, code::INVALID_PARAMS, "{words}");
    let (code, _) = refused(&ws, "transaction_v1_broadcast", json!(["no hex"])).await;
    assert_eq!(code, code::INVALID_PARAMS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_sends_sixteen_on_invalid_ones_too() {
    let node = Node::start(RpcConfig::default()).await;
    let (ws, other) = (node.ws().await, node.ws().await);
    let mut ids = Vec::new();
    for _ in 0..16 {
        let id = ask(&ws, "transaction_v1_broadcast", json!(["0x00"])).await;
        assert!(id.is_string(), "{id}");
        ids.push(id);
    }
    assert_eq!(ask(&ws, "transaction_v1_broadcast", json!(["0x00"])).await, Value::Null);
    assert!(ask(&other, "transaction_v1_broadcast", json!(["0x00"])).await.is_string());
    // Another connection cannot stop it.
    assert_eq!(
        refused(&other, "transaction_v1_stop", json!([ids[0]])).await.0,
        code::INVALID_PARAMS
    );
    assert_eq!(ask(&ws, "transaction_v1_stop", json!([ids[0]])).await, Value::Null);
    assert!(ask(&ws, "transaction_v1_broadcast", json!(["0x00"])).await.is_string());
}

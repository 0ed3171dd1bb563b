//! Floods: what one connection may have is bounded, others are not disturbed, and places
//! come back.

use super::*;
use jsonrpsee::core::params::BatchRequestBuilder;

/// Answers to many requests of one batch.
async fn many(ws: &WsClient, method: &str, params: &Value, count: usize) -> Vec<Value> {
    let mut batch = BatchRequestBuilder::new();
    (0..count).for_each(|_| batch.insert(method, array(params)).unwrap());
    let answers = ws.batch_request::<Value>(batch).await.unwrap();
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_follows_four_times() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(Head::follow(&ws, false).await);
    }
    let fifth = || async {
        ws.subscribe::<Value, _>("chainHead_v1_follow", rpc_params![true], "chainHead_v1_unfollow")
            .await
    };
    assert_eq!(refusal(fifth().await.unwrap_err()).0, code::TOO_MANY_FOLLOWED);
    // Another connection has its own, and one that ends makes room.
    Head::follow(&node.ws().await, false).await;
    let head = open.pop().unwrap();
    ask(&ws, "chainHead_v1_unfollow", head.with(json!([]))).await;
    fifth().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_of_a_subscription_are_bounded_and_their_places_come_back() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let client = Connection::open(&node.url()).await.unwrap();
    for part in 0..8_u32 {
        node.execute(&client, "//hospital", register_many(part * 100..part * 100 + 100)).await;
    }
    let mut head = Head::follow(&ws, false).await;
    // Each waits for the client after its first page.
    let all = json!([{ "key": "0x", "type": "descendantsHashes" }]);
    let params = head.with(json!([head.newest(), all, null]));
    let begun = many(&ws, "chainHead_v1_storage", &params, 70).await;
    let (started, refused): (Vec<_>, Vec<_>) =
        begun.into_iter().partition(|answer| answer["result"] == "started");
    assert_eq!((started.len(), refused.len()), (64, 6));
    assert!(refused.iter().all(|answer| *answer == limit_reached()), "{refused:?}");
    assert_eq!(
        ask(&ws, "chainHead_v1_body", head.with(json!([head.newest()]))).await,
        limit_reached()
    );
    // Each tells its first page, beside the others.
    let mut waiting = 0;
    while waiting < 64 {
        waiting += usize::from(head.next().await["event"] == "operationWaitingForContinue");
    }
    // Others are answered meanwhile.
    let other = node.ws().await;
    let mut theirs = Head::follow(&other, false).await;
    let id = theirs.begin(&other, "chainHead_v1_body", json!([theirs.newest()])).await;
    assert_eq!(theirs.told(&other, &id).await[0]["event"], "operationBodyDone");
    for one in &started {
        ask(&ws, "chainHead_v1_stopOperation", head.with(json!([one["operationId"]]))).await;
    }
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let begun = ask(&ws, "chainHead_v1_body", head.with(json!([head.newest()]))).await;
        if begun["result"] == "started" {
            break;
        }
        assert!(Instant::now() < until, "no place came back");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_beyond_those_that_may_be_under_way_are_left_out_and_counted() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let client = Connection::open(&node.url()).await.unwrap();
    for part in 0..8_u32 {
        node.execute(&client, "//hospital", register_many(part * 100..part * 100 + 100)).await;
    }
    let mut head = Head::follow(&ws, false).await;
    let descendants = json!({ "key": "0x", "type": "descendantsHashes" });
    let items = json!(vec![&descendants; 999]);
    let begun =
        ask(&ws, "chainHead_v1_storage", head.with(json!([head.newest(), items, null]))).await;
    assert_eq!(begun["discardedItems"], 0);
    while head.next().await["event"] != "operationWaitingForContinue" {}
    let items = json!([
        { "key": NUMBER, "type": "value" },
        { "key": NUMBER, "type": "hash" },
        { "key": NUMBER, "type": "value" },
    ]);
    let begun =
        ask(&ws, "chainHead_v1_storage", head.with(json!([head.newest(), items, null]))).await;
    assert_eq!((&begun["result"], &begun["discardedItems"]), (&json!("started"), &json!(2)));
    let told = head.told(&ws, &begun["operationId"]).await;
    assert_eq!(told[0]["items"].as_array().unwrap().len(), 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_connection_has_ends_with_it() {
    let node = Node::start(RpcConfig::default()).await;
    let metrics = || {
        let mut registry = prometheus_client::registry::Registry::default();
        node.server.metrics().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let value = |name: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        (value("rpc_subscriptions "), value("rpc_held_bytes "))
    };
    for _ in 0..20 {
        let ws = node.ws().await;
        let head = Head::follow(&ws, true).await;
        let call = head.with(json!([head.newest(), "Metadata_metadata", "0x"]));
        many(&ws, "chainHead_v1_call", &call, 80).await;
        let bytes = json!([format!("0x{}", "00".repeat(1_000))]);
        many(&ws, "transaction_v1_broadcast", &bytes, 20).await;
    }
    let until = Instant::now() + Duration::from_secs(20);
    while metrics() != (0, 0) {
        assert!(Instant::now() < until, "{:?} is still held", metrics());
        tokio::task::yield_now().await;
    }
}

//! Bodies, calls and entries of pinned blocks.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_the_archives() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let client = Connection::open(&node.url()).await.unwrap();
    let done = node.execute(&client, "//hospital", register_many(0..20)).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
    let mut head = Head::follow(&ws, false).await;
    for hash in head.first.clone() {
        let id = head.begin(&ws, "chainHead_v1_body", json!([hash])).await;
        let expected = ask(&ws, "archive_v1_body", json!([hash])).await;
        let told = head.told(&ws, &id).await;
        let event = json!({ "event": "operationBodyDone", "operationId": id, "value": expected });
        assert_eq!(told, [event]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_answer_on_the_state_of_their_block_and_fail_in_words() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    node.make_block();
    let mut head = Head::follow(&ws, true).await;
    let hash = head.newest();
    let fifteen = format!("0x{}", hex::encode(15_u32.encode()));
    for (function, data) in [
        ("Core_version", "0x"),
        ("Core_version", ""),
        ("Metadata_metadata", "0x"),
        ("Metadata_metadata_versions", "0x"),
        ("Metadata_metadata_at_version", &*fifteen),
        ("TransactionPaymentApi_query_length_to_fee", "0x05000000"),
    ] {
        let id = head.begin(&ws, "chainHead_v1_call", json!([hash, function, data])).await;
        let told = head.told(&ws, &id).await;
        // No arguments may be written as an empty text, here and in the archive.
        let archived = ask(&ws, "archive_v1_call", json!([hash, function, data])).await;
        let data = if data.is_empty() { "0x" } else { data };
        let expected = ask(&ws, "state_call", json!([function, data, hash])).await;
        assert_eq!(archived["value"], expected, "{function}");
        let event = json!({ "event": "operationCallDone", "operationId": id, "output": expected });
        assert_eq!(told, [event], "{function}");
    }
    for function in ["No_such", "Core_initialize_block"] {
        let id = head.begin(&ws, "chainHead_v1_call", json!([hash, function, "0x"])).await;
        let told = head.told(&ws, &id).await;
        assert_eq!((told.len(), &told[0]["event"]), (1, &json!("operationError")), "{told:?}");
        assert!(told[0]["error"].as_str().unwrap().len() > 5, "{told:?}");
    }
}

/// Keys and values that pages told, and how often they waited.
fn joined(told: &[Value]) -> (Vec<(String, String)>, usize) {
    let of = |event: &Value| event["items"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = told.iter().flat_map(of);
    let items = items.map(|item| (text(&item["key"]), text(&item["value"]))).collect();
    let waits = told.iter().filter(|event| event["event"] == "operationWaitingForContinue").count();
    (items, waits)
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_told_by_their_keys_and_by_what_keys_begin_with() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    node.make_block();
    let mut head = Head::follow(&ws, false).await;
    let hash = head.newest();
    node.make_block();
    let items = json!([
        { "key": NUMBER, "type": "value" },
        { "key": "0x77", "type": "value" },
        { "key": NUMBER, "type": "hash" },
        { "key": SYSTEM, "type": "descendantsValues" },
    ]);
    let id = head.begin(&ws, "chainHead_v1_storage", json!([hash, items, null])).await;
    let told = head.told(&ws, &id).await;
    let found: Vec<Value> = told
        .iter()
        .flat_map(|event| event["items"].as_array().cloned().unwrap_or_default())
        .collect();
    assert_eq!(found[0], json!({ "key": NUMBER, "value": "0x01000000" }));
    let number = hex::encode(sm3(&1_u32.to_le_bytes()));
    assert_eq!(found[1], json!({ "key": NUMBER, "hash": format!("0x{number}") }));
    let keys = ask(&ws, "state_getKeysPaged", json!([SYSTEM, 1000, null, hash])).await;
    let told_keys: Vec<_> = found[2..].iter().map(|item| item["key"].clone()).collect();
    assert_eq!(json!(told_keys), keys);
    assert_eq!(told.last().unwrap()["event"], "operationStorageDone");
    // Of no item nothing is told.
    let begun = ask(&ws, "chainHead_v1_storage", head.with(json!([hash, [], null]))).await;
    assert_eq!(begun["discardedItems"], 0);
    let told = head.told(&ws, &begun["operationId"]).await;
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_descendants_come_in_pages_between_which_the_client_says_go_on() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let client = Connection::open(&node.url()).await.unwrap();
    for part in 0..8_u32 {
        let call = register_many(part * 100..part * 100 + 100);
        let done = node.execute(&client, "//hospital", call).await;
        assert_eq!(done.success, Some(true), "{:?}", done.error);
    }
    let mut head = Head::follow(&ws, false).await;
    let hash = head.newest();
    let all = json!([hash, [{ "key": "0x", "type": "descendantsValues" }], null]);
    let id = head.begin(&ws, "chainHead_v1_storage", all.clone()).await;
    // Before it waits there is nothing to go on with.
    let told = head.told(&ws, &id).await;
    let (items, waits) = joined(&told);
    assert!(items.len() > 800 && waits > 0, "{} entries, {waits} waits", items.len());
    let state = node.chain.storage().state_at(&node.chain.head().hash).unwrap();
    let pairs = state.pairs_paged(&[], None, 1 << 20).unwrap();
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let expected: Vec<_> = pairs.iter().map(|(key, value)| (hex(key), hex(value))).collect();
    assert_eq!(items, expected);

    // What waits can be stopped, and tells nothing after.
    let id = head.begin(&ws, "chainHead_v1_storage", all).await;
    loop {
        let event = head.next().await;
        if event["event"] == "operationWaitingForContinue" {
            break;
        }
    }
    assert_eq!(ask(&ws, "chainHead_v1_stopOperation", head.with(json!([id]))).await, Value::Null);
    assert_eq!(ask(&ws, "chainHead_v1_continue", head.with(json!([id]))).await, Value::Null);
    node.make_block();
    assert_eq!(head.next().await["event"], "newBlock");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_waits_can_go_on() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let client = Connection::open(&node.url()).await.unwrap();
    for part in 0..8_u32 {
        node.execute(&client, "//hospital", register_many(part * 100..part * 100 + 100)).await;
    }
    let mut head = Head::follow(&ws, false).await;
    let all = json!([head.newest(), [{ "key": "0x", "type": "descendantsHashes" }], null]);
    let id = head.begin(&ws, "chainHead_v1_storage", all).await;
    loop {
        let event = head.next().await;
        if event["event"] == "operationWaitingForContinue" {
            break;
        }
        assert!(event["items"][0]["hash"].is_string() && event["items"][0].get("value").is_none());
    }
    // Twice at once: one of them finds nothing that waits, whichever comes first.
    let go_on = || ws.request::<Value, _>("chainHead_v1_continue", array(&head.with(json!([id]))));
    let (one, two) = tokio::join!(go_on(), go_on());
    let refusals: Vec<_> = [one, two].into_iter().filter_map(Result::err).map(refusal).collect();
    for (code, words) in &refusals {
        assert_eq!(*code, code::NOT_WAITING, "{words}");
    }
    assert!(refusals.len() <= 1, "{refusals:?}");
    assert_eq!(ask(&ws, "chainHead_v1_continue", head.with(json!(["none"]))).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_on_a_block_goes_on_when_it_is_unpinned() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut head = Head::follow(&ws, true).await;
    let call = json!([head.newest(), "Metadata_metadata", "0x"]);
    let id = head.begin(&ws, "chainHead_v1_call", call).await;
    ask(&ws, "chainHead_v1_unpin", head.with(json!([head.newest()]))).await;
    assert_eq!(head.told(&ws, &id).await[0]["event"], "operationCallDone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_goes_while_an_operation_waits_is_told() {
    let options = StorageOptions { history_blocks: 4, ..StorageOptions::default() };
    let node = Node::with_storage(options, RpcConfig::default()).await;
    let ws = node.ws().await;
    let client = Connection::open(&node.url()).await.unwrap();
    for part in 0..8_u32 {
        node.execute(&client, "//hospital", register_many(part * 100..part * 100 + 100)).await;
    }
    let mut head = Head::follow(&ws, false).await;
    let all = json!([head.newest(), [{ "key": "0x", "type": "descendantsValues" }], null]);
    let id = head.begin(&ws, "chainHead_v1_storage", all).await;
    while head.next().await["event"] != "operationWaitingForContinue" {}
    for _ in 0..6 {
        ask(&ws, "chainHead_v1_unpin", head.with(json!([head.first]))).await;
        node.make_block();
        head.next().await;
        head.next().await;
        head.first = head.next().await["finalizedBlockHashes"].as_array().unwrap().clone();
    }
    ask(&ws, "chainHead_v1_continue", head.with(json!([id]))).await;
    let event = head.next().await;
    assert_eq!(event, json!({ "event": "operationInaccessible", "operationId": id }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_for_the_code_says_which_runtime_a_block_has() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut head = Head::follow(&ws, true).await;
    let hash = head.newest();
    // `:code`, of which the state has nothing.
    let item = |kind: &str| json!([{ "key": "0x3a636f6465", "type": kind }]);
    assert_eq!(ask(&ws, "state_getStorage", json!(["0x3a636f6465"])).await, Value::Null);
    let id = head.begin(&ws, "chainHead_v1_storage", json!([hash, item("value"), null])).await;
    assert_eq!(head.told(&ws, &id).await.len(), 1);
    let id = head.begin(&ws, "chainHead_v1_storage", json!([hash, item("hash"), null])).await;
    let told = head.told(&ws, &id).await;
    let code = told[0]["items"][0]["hash"].clone();
    assert_eq!(code.as_str().unwrap().len(), 66, "{told:?}");
    let mut archive: Subscription<Value> = ws
        .subscribe(
            "archive_v1_storage",
            rpc_params![hash, item("hash"), Value::Null],
            "archive_v1_stopStorage",
        )
        .await
        .unwrap();
    assert_eq!(next(&mut archive).await["hash"], code);
}

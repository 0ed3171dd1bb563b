//! Following, pinning, unpinning, and why a subscription stops.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_block_is_new_then_best_then_final() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    (0..3).for_each(|_| node.make_block());
    let mut head = Head::follow(&ws, true).await;
    let hashes = ask(&ws, "chain_getBlockHash", json!([[0, 1, 2, 3]])).await;
    assert_eq!(json!(head.first), hashes);
    let mut parent = head.newest();
    for number in 4..7 {
        node.make_block();
        let hash = json!(node.chain.head().hash);
        let new = json!({
            "event": "newBlock", "blockHash": hash, "parentBlockHash": parent, "newRuntime": null,
        });
        assert_eq!(head.next().await, new, "block {number}");
        let best = json!({ "event": "bestBlockChanged", "bestBlockHash": hash });
        assert_eq!(head.next().await, best);
        let last = json!({
            "event": "finalized", "finalizedBlockHashes": [hash], "prunedBlockHashes": [],
        });
        assert_eq!(head.next().await, last);
        let header = ask(&ws, "chainHead_v1_header", head.with(json!([hash]))).await;
        assert_eq!(header, ask(&ws, "archive_v1_header", json!([hash])).await);
        parent = hash;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_is_told_to_who_asks_for_it() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut feed: Subscription<Value> = ws
        .subscribe("chainHead_v1_follow", rpc_params![true], "chainHead_v1_unfollow")
        .await
        .unwrap();
    let runtime = next(&mut feed).await["finalizedBlockRuntime"].clone();
    assert_eq!(runtime["type"], "valid");
    let version = ask(&ws, "state_getRuntimeVersion", json!([])).await;
    for field in ["specName", "implName", "specVersion", "implVersion", "transactionVersion"] {
        assert_eq!(runtime["spec"][field], version[field], "{field}");
    }
    let apis = version["apis"].as_array().unwrap();
    assert_eq!(runtime["spec"]["apis"].as_object().unwrap().len(), apis.len());
    for api in apis {
        assert_eq!(runtime["spec"]["apis"][api[0].as_str().unwrap()], api[1]);
    }
    let mut head = Head::follow(&ws, false).await;
    node.make_block();
    let new = head.next().await;
    assert_eq!((&new["event"], new.get("newRuntime")), (&json!("newBlock"), None));
    let call = json!([head.newest(), "Core_version", "0x"]);
    let (code, words) = refused(&ws, "chainHead_v1_call", head.with(call)).await;
    assert_eq!(code, code::WITHOUT_RUNTIME, "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_sixteen_blocks_are_told_at_first() {
    let node = Node::start(RpcConfig::default()).await;
    (0..40).for_each(|_| node.make_block());
    let ws = node.ws().await;
    let head = Head::follow(&ws, false).await;
    let newest: Vec<u32> = (25..=40).collect();
    assert_eq!(json!(head.first), ask(&ws, "chain_getBlockHash", json!([newest])).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_unpinned_all_or_none_and_are_not_readable_then() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    (0..3).for_each(|_| node.make_block());
    let head = Head::follow(&ws, false).await;
    let [zero, one, two, three] = &head.first[..] else { panic!("{:?}", head.first) };
    let unpin = |what: Value| refused(&ws, "chainHead_v1_unpin", head.with(json!([what])));
    for (what, code) in [
        (json!([zero, UNKNOWN]), code::NOT_PINNED),
        (json!(UNKNOWN), code::NOT_PINNED),
        (json!([zero, one, zero]), code::NAMED_TWICE),
        (json!("0x11"), code::INVALID_PARAMS),
        (json!([7]), code::INVALID_PARAMS),
        (json!(vec![zero; 513]), code::INVALID_PARAMS),
    ] {
        let (found, words) = unpin(what.clone()).await;
        assert_eq!(found, code, "{what}: {words}");
    }
    // None of them was.
    for hash in [zero, one] {
        assert!(ask(&ws, "chainHead_v1_header", head.with(json!([hash]))).await.is_string());
    }
    let done = ask(&ws, "chainHead_v1_unpin", head.with(json!([[zero, one]]))).await;
    assert_eq!(done, Value::Null);
    assert_eq!(ask(&ws, "chainHead_v1_unpin", head.with(json!([two]))).await, Value::Null);
    for (method, more) in [
        ("chainHead_v1_header", json!([one])),
        ("chainHead_v1_body", json!([two])),
        ("chainHead_v1_storage", json!([zero, [{ "key": NUMBER, "type": "value" }], null])),
        ("chainHead_v1_call", json!([zero, "Core_version", "0x"])),
        ("chainHead_v1_unpin", json!([two])),
    ] {
        let (code, words) = refused(&ws, method, head.with(more)).await;
        assert_eq!(code, code::NOT_PINNED, "{method}: {words}");
    }
    assert!(ask(&ws, "chainHead_v1_header", head.with(json!([three]))).await.is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_gone_or_anothers_is_answered_as_the_specification_has_it() {
    let node = Node::start(RpcConfig::default()).await;
    let (ws, other) = (node.ws().await, node.ws().await);
    let mut head = Head::follow(&ws, true).await;
    let hash = head.newest();
    let item = json!([{ "key": NUMBER, "type": "value" }]);
    let answers = [
        ("chainHead_v1_header", json!([hash]), Value::Null),
        ("chainHead_v1_body", json!([hash]), limit_reached()),
        ("chainHead_v1_call", json!([hash, "Core_version", "0x"]), limit_reached()),
        ("chainHead_v1_storage", json!([hash, item, null]), limit_reached()),
        ("chainHead_v1_unpin", json!([hash]), Value::Null),
        ("chainHead_v1_continue", json!(["none"]), Value::Null),
        ("chainHead_v1_stopOperation", json!(["none"]), Value::Null),
        ("chainHead_v1_unfollow", json!([]), Value::Null),
    ];
    // Another connection's is none, and that one goes on.
    for (method, more, expected) in &answers {
        assert_eq!(ask(&other, method, head.with(more.clone())).await, *expected, "{method}");
    }
    node.make_block();
    assert_eq!(head.next().await["event"], "newBlock");
    assert_eq!(ask(&ws, "chainHead_v1_unfollow", head.with(json!([]))).await, Value::Null);
    for (method, more, expected) in &answers {
        assert_eq!(ask(&ws, method, head.with(more.clone())).await, *expected, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_unpins_nothing_is_stopped_before_a_pinned_state_goes() {
    let options = StorageOptions { history_blocks: 8, ..StorageOptions::default() };
    let node = Node::with_storage(options, RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut head = Head::follow(&ws, true).await;
    let genesis = head.newest();
    let mut told = 0;
    let stopped_at = loop {
        node.make_block();
        // What is pinned is readable until the subscription stops.
        match head.next().await["event"].as_str().unwrap() {
            "newBlock" => {
                head.next().await;
                head.next().await;
                told += 1;
            }
            "stop" => break told,
            other => panic!("{other}"),
        }
        assert!(told < 20, "it never stops");
        let call = json!([genesis, "Core_version", "0x"]);
        let id = head.begin(&ws, "chainHead_v1_call", call).await;
        assert_eq!(head.told(&ws, &id).await[0]["event"], "operationCallDone", "after {told}");
    };
    assert_eq!(stopped_at, 7);
    let header = head.with(json!([genesis]));
    soon(&ws, "chainHead_v1_header", header, Value::Null).await;
    // Who unpins goes on for as long as it likes.
    let mut head = Head::follow(&ws, false).await;
    let mut pinned = head.first.clone();
    for _ in 0..30 {
        ask(&ws, "chainHead_v1_unpin", head.with(json!([pinned]))).await;
        node.make_block();
        assert_eq!(head.next().await["event"], "newBlock");
        assert_eq!(head.next().await["event"], "bestBlockChanged");
        pinned = head.next().await["finalizedBlockHashes"].as_array().unwrap().clone();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_wrong_are_refused() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let head = Head::follow(&ws, true).await;
    let (id, hash) = (head.id.clone(), head.newest());
    for (method, params) in [
        ("chainHead_v1_header", json!([7, hash])),
        ("chainHead_v1_header", json!([id, "0x00"])),
        ("chainHead_v1_body", json!([id])),
        ("chainHead_v1_call", json!([id, hash, 7, "0x"])),
        ("chainHead_v1_call", json!([id, hash, "Core_version", "7"])),
        ("chainHead_v1_storage", json!([id, hash, [{ "key": "0x" }], null])),
        ("chainHead_v1_storage", json!([id, hash, [], "0x00"])),
        (
            "chainHead_v1_storage",
            json!([id, hash, [{ "key": "0x", "type": "closestDescendantMerkleValue" }], null]),
        ),
        ("chainHead_v1_continue", json!([id, null])),
        ("chainHead_v1_stopOperation", json!([null, "a"])),
    ] {
        let (code, words) = refused(&ws, method, params.clone()).await;
        assert_eq!(code, code::INVALID_PARAMS, "{method} {params}: {words}");
    }
    for wrong in [json!([]), json!(["true"]), json!([1])] {
        let asked: Result<Subscription<Value>, _> =
            ws.subscribe("chainHead_v1_follow", array(&wrong), "chainHead_v1_unfollow").await;
        assert_eq!(refusal(asked.unwrap_err()).0, code::INVALID_PARAMS, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_specification_of_the_chain_is_told() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    for (method, same) in [
        ("chainSpec_v1_chainName", "system_chain"),
        ("chainSpec_v1_genesisHash", "archive_v1_genesisHash"),
        ("chainSpec_v1_properties", "system_properties"),
    ] {
        assert_eq!(ask(&ws, method, json!([])).await, ask(&ws, same, json!([])).await, "{method}");
    }
}

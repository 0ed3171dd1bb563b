//! Entries of the state after a block.

use super::*;

const METHOD: &str = "archive_v1_storage";

fn done() -> Value {
    json!({ "event": "storageDone" })
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_every_state_are_those_that_state_methods_give() {
    let node = grown(StorageOptions::default()).await;
    let ws = patient(&node).await;
    let mut numbers = std::collections::BTreeSet::new();
    for hash in hashes(&ws).await {
        let items = json!([
            { "key": NUMBER, "type": "value" },
            { "key": "0x1234567890", "type": "value" },
            { "key": NUMBER, "type": "hash" },
        ]);
        let (all, last) = told(&ws, METHOD, json!([hash, items, null])).await;
        let value = ask(&ws, "state_getStorage", json!([NUMBER, hash])).await;
        let of_value = ask(&ws, "state_getStorageHash", json!([NUMBER, hash])).await;
        let mut expected = vec![
            json!({ "event": "storage", "key": NUMBER, "value": value }),
            json!({ "event": "storage", "key": NUMBER, "hash": of_value }),
        ];
        // Of what there is not nothing is told; the genesis may have no number.
        expected.retain(|_| !value.is_null());
        assert_eq!((all, last), (expected, done()));
        numbers.insert(value.to_string());

        let keys = ask(&ws, "state_getKeysPaged", json!([SYSTEM, 1_000, null, hash])).await;
        let found = ask(&ws, "state_queryStorageAt", json!([keys, hash])).await;
        let changes = found[0]["changes"].as_array().unwrap();
        assert!(changes.len() > 2);
        let items = json!([{ "key": SYSTEM, "type": "descendantsValues" }]);
        let (all, last) = told(&ws, METHOD, json!([hash, items])).await;
        let pairs: Vec<_> = all.iter().map(|one| json!([one["key"], one["value"]])).collect();
        assert_eq!((&pairs, last), (changes, done()));
        // From the third key on, by their hashes.
        let items = json!([
            { "key": SYSTEM, "type": "descendantsHashes", "paginationStartKey": changes[1][0] },
        ]);
        let (rest, last) = told(&ws, METHOD, json!([hash, items])).await;
        assert_eq!((rest.len(), last), (changes.len() - 2, done()));
        let of_value = ask(&ws, "state_getStorageHash", json!([changes[2][0], hash])).await;
        let third = json!({ "event": "storage", "key": changes[2][0], "hash": of_value });
        assert_eq!(rest[0], third);
    }
    assert_eq!(numbers.len(), 6, "each state has its own number: {numbers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_unknown_or_not_kept_is_told_at_once() {
    let node = grown(StorageOptions { history_blocks: 2, ..StorageOptions::default() }).await;
    let ws = node.ws().await;
    let hashes = hashes(&ws).await;
    let items = json!([{ "key": NUMBER, "type": "value" }]);
    let words = failed(&ws, METHOD, json!([UNKNOWN, items])).await;
    assert!(words.starts_with("unknown block"), "{words}");
    let words = failed(&ws, METHOD, json!([hashes[2], items])).await;
    assert!(words.starts_with("the state of block 2 "), "{words}");
    assert!(words.ends_with("the oldest kept is that of block 3"), "{words}");
    let (_, last) = told(&ws, METHOD, json!([hashes[3], items])).await;
    assert_eq!(last, done());
    // Nothing is asked of it: it is gone all the same.
    for (hash, words) in [(json!(UNKNOWN), "unknown block"), (hashes[2].clone(), "the state of")] {
        assert!(failed(&ws, METHOD, json!([hash, []])).await.starts_with(words));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_read_at_every_height() {
    let node = grown(StorageOptions { history_blocks: 2, ..StorageOptions::default() }).await;
    let ws = node.ws().await;
    let hashes = hashes(&ws).await;
    let key = format!("0x{}", hex::encode(events_key()));
    let items = json!([{ "key": key, "type": "value" }, { "key": key, "type": "hash" }]);
    for hash in &hashes[1..] {
        let (all, last) = told(&ws, METHOD, json!([hash, items])).await;
        let value = ask(&ws, "state_getStorage", json!([key, hash])).await;
        let of_value = ask(&ws, "state_getStorageHash", json!([key, hash])).await;
        assert!(value.is_string());
        assert_eq!(last, done());
        assert_eq!((&all[0]["value"], &all[1]["hash"]), (&value, &of_value));
    }
    // Together with what is gone there is no answer.
    let more = json!([{ "key": key, "type": "value" }, { "key": NUMBER, "type": "value" }]);
    assert!(failed(&ws, METHOD, json!([hashes[1], more])).await.contains("no longer kept"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused_and_named() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let item = |key: &str, kind: &str| json!({ "key": key, "type": kind });
    let merkle = item("0x00", "closestDescendantMerkleValue");
    let start = json!({ "key": "0x00", "type": "value", "paginationStartKey": "0x00" });
    let bad_start =
        json!({ "key": "0x00", "type": "descendantsHashes", "paginationStartKey": "00" });
    let other = json!({ "key": "0x00", "type": "hash", "size": true });
    let many = vec![item("0x00", "hash"); 1_001];
    for (params, words) in [
        (json!([UNKNOWN]), "items: expected a list of items, found \"null\""),
        (json!([UNKNOWN, item("0x00", "hash")]), "items: expected a list of items"),
        (json!([UNKNOWN, many]), "items: expected at most 1000, found \"1001\""),
        (json!([UNKNOWN, [item("0x00", "hash"), merkle]]), "items[1]: expected key, type"),
        (json!([UNKNOWN, [{ "key": "0x00" }]]), "missing field `type`"),
        (json!([UNKNOWN, [{ "type": "hash" }]]), "missing field `key`"),
        (json!([UNKNOWN, [item("00", "hash")]]), "items[0].key: expected bytes as 0x hex"),
        (json!([UNKNOWN, [start]]), "items[0].paginationStartKey: expected null"),
        (json!([UNKNOWN, [bad_start]]), "items[0].paginationStartKey: expected bytes"),
        (json!([UNKNOWN, [other]]), "unknown field `size`"),
        (json!([UNKNOWN, [7]]), "items[0]: expected key, type"),
        (json!([UNKNOWN, [], "0x00"]), "childTrie: expected null"),
        (json!(["0x11", []]), "hash: expected 32 bytes"),
    ] {
        let (code, message) = not_begun(&ws, METHOD, params).await;
        assert_eq!(code, code::INVALID_PARAMS, "{message}");
        assert!(message.contains(words), "{message}");
    }
    let ended = ask(&ws, "archive_v1_stopStorage", json!(["no such subscription"])).await;
    assert_eq!(ended, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_tells_so_many_entries_and_where_to_go_on() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = patient(&node).await;
    let genesis = json!(node.chain.genesis_hash());
    let mut keys: Vec<Value> = Vec::new();
    loop {
        let page = json!(["0x", 1_000, keys.last()]);
        let page = ask(&ws, "state_getKeysPaged", page).await;
        let page = page.as_array().unwrap();
        keys.extend_from_slice(page);
        if page.len() < 1_000 {
            break;
        }
    }
    assert!((20..5_000).contains(&keys.len()), "{}", keys.len());
    let item = json!({ "key": "0x", "type": "descendantsHashes" });
    let (all, last) = told(&ws, METHOD, json!([genesis, vec![item.clone(); 1_000]])).await;
    assert!(all.len() <= 10_000, "{}", all.len());
    assert!(all.len() >= 9_000, "what is no entry is little: {}", all.len());
    for (at, one) in all.iter().enumerate() {
        assert_eq!(one["key"], keys[at % keys.len()], "entry {at}");
    }
    assert_eq!(last["event"], "storageError");
    let words = last["error"].as_str().unwrap();
    assert!(words.starts_with("more than 10000 entries: ask again from items["), "{words}");
    // Where it ended in the middle of an item, it says after which key.
    let (place, rest) = (all.len() / keys.len(), all.len() % keys.len());
    if rest > 0 {
        let key = keys[rest - 1].as_str().unwrap();
        let expected = format!("items[{place}] on, with paginationStartKey {key}");
        assert!(words.ends_with(&expected), "{words}");
        let item = json!({ "key": "0x", "type": "descendantsHashes", "paginationStartKey": key });
        let (others, last) = told(&ws, METHOD, json!([genesis, [item]])).await;
        assert_eq!((others[0]["key"].clone(), last), (keys[rest].clone(), done()));
    }
    // The most items that there may be are no error.
    let fits = vec![json!({ "key": keys[0], "type": "hash" }); 1_000];
    let (all, last) = told(&ws, METHOD, json!([genesis, fits])).await;
    assert_eq!((all.len(), last), (1_000, done()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_longer_than_a_step_is_told_unless_no_answer_may_be_so_long() {
    let node = Node::start(RpcConfig::default()).await;
    let signer = Signer::development("//hospital");
    let client = Connection::open(&node.url()).await.unwrap();
    for nonce in 0..4 {
        let call = register_many(nonce * 500 + 1..nonce * 500 + 501);
        let bytes = signer.transaction(call, nonce, node.chain.genesis_hash());
        client.submit(&bytes).await.unwrap();
    }
    node.make_block();
    let ws = node.ws().await;
    let key = format!("0x{}", hex::encode(events_key()));
    let head = json!(node.chain.head().hash);
    let value = ask(&ws, "state_getStorage", json!([key, head])).await;
    assert!(value.as_str().unwrap().len() > 256 << 10, "longer than a step's notifications");
    let number = json!({ "key": NUMBER, "type": "value" });
    let items = json!([number, { "key": key, "type": "value" }, number]);
    let (all, last) = told(&ws, METHOD, json!([head, items])).await;
    let told_keys: Vec<_> = all.iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(told_keys, [NUMBER, key.as_str(), NUMBER]);
    assert_eq!((&all[1]["value"], last), (&value, done()));

    let narrow = RpcConfig { max_response_bytes: 64 << 10, ..RpcConfig::default() };
    let directory = tempfile::tempdir().unwrap();
    let narrow = Node::over(node.chain.clone(), narrow, directory).await;
    let (all, last) = told(&narrow.ws().await, METHOD, json!([head, items])).await;
    assert_eq!(all.len(), 1);
    let words = last["error"].as_str().unwrap();
    assert!(words.starts_with("a notification of 262144 bytes (rpc.max_resp"), "{words}");
    assert!(words.ends_with("ask again from items[1] on"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_holds_nothing_and_http_has_no_subscriptions() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = patient(&node).await;
    let item = json!({ "key": "0x", "type": "descendantsValues" });
    let params = json!([node.chain.genesis_hash(), vec![item; 1_000]]);
    let mut feed = subscribe(&ws, METHOD, &params).await.unwrap();
    assert_eq!(feed.next().await.unwrap().unwrap()["event"], "storage");
    feed.unsubscribe().await.unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while unread::metric(&node, "rpc_subscriptions") > 0 {
        assert!(Instant::now() < until, "the subscription goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Over HTTP there is none to begin or to end.
    for (method, params) in
        [(METHOD, json!([UNKNOWN, []])), ("archive_v1_stopStorage", json!(["1"]))]
    {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (_, text) = requests::post(&node, "application/json", &request.to_string()).await;
        assert!(text.contains("subscriptions need a WebSocket"), "{method}: {text}");
    }
}

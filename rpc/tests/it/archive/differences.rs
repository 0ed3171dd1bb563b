//! What blocks changed of the state.

use super::*;
use std::collections::BTreeMap;

const METHOD: &str = "archive_v1_storageDiff";

type State = BTreeMap<String, String>;

/// All entries of the state after a block.
async fn state(ws: &WsClient, hash: &Value) -> State {
    let items = json!([{ "key": "0x", "type": "descendantsValues" }]);
    let (all, last) = told(ws, "archive_v1_storage", json!([hash, items])).await;
    assert_eq!(last, json!({ "event": "storageDone" }));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.iter().map(|one| (text(&one["key"]), text(&one["value"]))).collect()
}

/// The events that tell how `after` differs from `before`.
fn expected(before: &State, after: &State) -> Vec<Value> {
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let event = |key: &String| {
        let (kind, value) = match (before.get(key), after.get(key)) {
            (was, is) if was == is => return None,
            (None, is) => ("added", is),
            (was, None) => ("deleted", was),
            (_, is) => ("modified", is),
        };
        let event = "storageDiff";
        Some(json!({ "event": event, "key": key, "value": value, "type": kind }))
    };
    keys.into_iter().filter_map(event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_differences_of_any_two_states_are_told() {
    let node = grown(StorageOptions::default()).await;
    let ws = patient(&node).await;
    let hashes = hashes(&ws).await;
    let mut states = Vec::new();
    for hash in &hashes {
        states.push(state(&ws, hash).await);
    }
    let done = json!({ "event": "storageDiffDone" });
    let mut kinds = std::collections::BTreeSet::new();
    for (older, newer) in [(0, 1), (1, 2), (4, 5), (0, 5), (1, 4)] {
        let expected = expected(&states[older], &states[newer]);
        assert!(!expected.is_empty());
        let params = json!([hashes[newer], null, hashes[older]]);
        let (all, last) = told(&ws, METHOD, params).await;
        assert_eq!((&all, &last), (&expected, &done), "{older} to {newer}");
        kinds.extend(all.iter().map(|one| one["type"].as_str().unwrap().to_owned()));
        if newer == older + 1 {
            assert_eq!(told(&ws, METHOD, json!([hashes[newer]])).await, (all, last));
        }
    }
    assert!(kinds.contains("added") && kinds.contains("modified"), "{kinds:?}");

    // Of some keys, by their hashes.
    let items = json!([{ "key": NUMBER, "returnType": "hash" }, { "returnType": "hash" }]);
    let (all, last) = told(&ws, METHOD, json!([hashes[5], items])).await;
    let hash = ask(&ws, "state_getStorageHash", json!([NUMBER, hashes[5]])).await;
    let number = json!({ "event": "storageDiff", "key": NUMBER, "hash": hash, "type": "modified" });
    assert_eq!((&all[0], last), (&number, done));
    assert_eq!(all.len(), 1 + expected(&states[4], &states[5]).len());
    assert_eq!(all.iter().filter(|one| **one == number).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn states_that_are_no_two_in_order_or_not_kept_are_told_at_once() {
    let node = grown(StorageOptions { history_blocks: 3, ..StorageOptions::default() }).await;
    let ws = node.ws().await;
    let hashes = hashes(&ws).await;
    for (params, words) in [
        (json!([UNKNOWN]), "unknown block"),
        (json!([hashes[5], null, UNKNOWN]), "unknown block"),
        (json!([hashes[0]]), "hash: expected a block that has one before it"),
        (json!([hashes[4], null, hashes[5]]), "previousHash: expected one of the 256 blocks"),
        (json!([hashes[4], null, hashes[4]]), "found \"block 4\""),
        (json!([hashes[4], null, hashes[1]]), "the state of block 1 "),
        (json!([hashes[2]]), "the state of block 1 "),
    ] {
        let found = failed(&ws, METHOD, params).await;
        assert!(found.contains(words), "{found}");
    }
    let (all, _) = told(&ws, METHOD, json!([hashes[3]])).await;
    assert!(!all.is_empty(), "the oldest two that are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_256_blocks_are_between_the_states() {
    let options = StorageOptions { history_blocks: 1_000, ..StorageOptions::default() };
    let node = Node::with_storage(options, RpcConfig::default()).await;
    (0..257).for_each(|_| node.make_block());
    let ws = node.ws().await;
    let hashes = hashes(&ws).await;
    let items = json!([{ "key": NUMBER, "returnType": "value" }]);
    let (all, _) = told(&ws, METHOD, json!([hashes[257], items, hashes[1]])).await;
    assert_eq!(all.len(), 1);
    let words = failed(&ws, METHOD, json!([hashes[257], items, hashes[0]])).await;
    assert!(words.contains("expected one of the 256 blocks before block 257"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_form_is_refused_and_named() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let item = json!({ "returnType": "value" });
    let child = json!({ "returnType": "value", "childTrieKey": "0x00" });
    for (params, words) in [
        (json!([]), "hash: expected bytes"),
        (json!([UNKNOWN, 7]), "items: expected a list of items"),
        (json!([UNKNOWN, vec![item; 1_001]]), "items: expected at most 1000"),
        (json!([UNKNOWN, [{ "key": "0x00" }]]), "missing field `returnType`"),
        (json!([UNKNOWN, [{ "key": "00", "returnType": "hash" }]]), "items[0].key: expected"),
        (json!([UNKNOWN, [{ "returnType": "size" }]]), "items[0]: expected key, returnType"),
        (json!([UNKNOWN, [child]]), "items[0].childTrieKey: expected null"),
        (json!([UNKNOWN, null, "0x00"]), "previousHash: expected 32 bytes"),
    ] {
        let (code, message) = not_begun(&ws, METHOD, params).await;
        assert_eq!(code, code::INVALID_PARAMS, "{message}");
        assert!(message.contains(words), "{message}");
    }
    let ended = ask(&ws, "archive_v1_stopStorageDiff", json!(["no such subscription"])).await;
    assert_eq!(ended, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_differences_than_a_subscription_looks_at_end_it() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let done = node.execute(&client, "//hospital", register_many(1..501)).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
    let ws = patient(&node).await;
    let head = json!(node.chain.head().hash);
    let item = json!({ "returnType": "hash" });
    let (all, last) = told(&ws, METHOD, json!([head, vec![item; 100]])).await;
    assert!((9_000..=10_000).contains(&all.len()), "{}", all.len());
    let words = last["error"].as_str().unwrap();
    assert!(words.starts_with("more than 10000 entries: ask for keys with a longer"), "{words}");
}

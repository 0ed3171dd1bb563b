//! Blocks by height and hash, and calls on their states.

use super::*;
use billchain_executor::StoredBlock;

#[tokio::test(flavor = "multi_thread")]
async fn every_block_is_read_as_chain_methods_give_it() {
    let node = grown(StorageOptions::default()).await;
    let ws = node.ws().await;
    let hashes = hashes(&ws).await;
    assert_eq!(hashes.len(), 6);
    assert_eq!(ask(&ws, "archive_v1_genesisHash", json!([])).await, hashes[0]);
    for (height, hash) in hashes.iter().enumerate() {
        assert_eq!(ask(&ws, "archive_v1_hashByHeight", json!([height])).await, json!([hash]));
        let block = ask(&ws, "chain_getBlock", json!([hash])).await;
        let body = ask(&ws, "archive_v1_body", json!([hash])).await;
        assert_eq!(body, block["block"]["extrinsics"], "block {height}");
        assert_eq!(body.as_array().unwrap().is_empty(), height == 0);
        let header = ask(&ws, "archive_v1_header", json!([hash])).await;
        let header = hex::decode(&header.as_str().unwrap()[2..]).unwrap();
        assert_eq!(*hash, format!("0x{}", hex::encode(sm3(&header))));
        let header: billchain_primitives::Header =
            codec::DecodeAll::decode_all(&mut header.as_slice()).unwrap();
        assert_eq!(json!(header), block["block"]["header"]);
    }
    // Beyond the head there is none, which is no error.
    for height in [6, u32::MAX] {
        assert_eq!(ask(&ws, "archive_v1_hashByHeight", json!([height])).await, json!([]));
    }
    for method in ["archive_v1_header", "archive_v1_body"] {
        assert_eq!(ask(&ws, method, json!([UNKNOWN])).await, Value::Null, "{method}");
    }
    node.make_block();
    assert_eq!(ask(&ws, "archive_v1_finalizedHeight", json!([])).await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_height_and_no_hash_is_refused() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    for (method, params, words) in [
        ("archive_v1_hashByHeight", json!([]), "height: expected a number"),
        ("archive_v1_hashByHeight", json!([-1]), "height: expected a number"),
        ("archive_v1_hashByHeight", json!([4_294_967_296_u64]), "height: expected a number"),
        ("archive_v1_header", json!([]), "hash: expected bytes"),
        ("archive_v1_header", json!(["0x11"]), "hash: expected 32 bytes"),
        ("archive_v1_body", json!([1]), "hash: expected bytes"),
        ("archive_v1_call", json!([UNKNOWN]), "function: expected a string"),
        ("archive_v1_call", json!([UNKNOWN, "Core_version"]), "callParameters: expected bytes"),
        ("archive_v1_stopStorage", json!([]), "subscription: expected a string"),
    ] {
        let (code, message) = refused(&ws, method, params).await;
        assert_eq!(code, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_whose_body_went_keeps_its_hash_and_header() {
    let node = grown(StorageOptions::default()).await;
    let ws = node.ws().await;
    let hashes = hashes(&ws).await;
    let read = |ws: WsClient, hash: Value| async move {
        ask(&ws, "archive_v1_header", json!([hash])).await
    };
    let header = read(node.ws().await, hashes[2].clone()).await;
    let store = node.chain.storage();
    store.note_held(3).unwrap();
    let pruned = store.prune_bodies(3, |bytes| {
        let block = StoredBlock::open(bytes.to_vec().into()).ok()?;
        Some((block.header_bytes(), block.tx_hashes))
    });
    assert_eq!(pruned.unwrap(), 2);
    // Of a server that has no header in memory, too.
    for client in [node.ws().await, node.again().await.ws().await] {
        assert_eq!(read(client, hashes[2].clone()).await, header);
    }
    assert_eq!(ask(&ws, "archive_v1_hashByHeight", json!([2])).await, json!([hashes[2]]));
    for number in [1, 2] {
        let (code, message) = refused(&ws, "archive_v1_body", json!([hashes[number]])).await;
        assert_eq!(code, code::BLOCK_NOT_KEPT);
        let words = format!("block {number} is not kept here; the oldest kept whole is block 3");
        assert_eq!(message, words);
    }
    // The genesis stays, and so do the later ones.
    for number in [0, 3] {
        let body = ask(&ws, "archive_v1_body", json!([hashes[number]])).await;
        assert!(body.is_array(), "block {number}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_on_every_state_gives_what_state_call_gives() {
    let node = grown(StorageOptions::default()).await;
    let ws = node.ws().await;
    let account = Signer::development("//hospital").account();
    let account = format!("0x{}", hex::encode(codec::Encode::encode(&account)));
    let mut nonces = std::collections::BTreeSet::new();
    for hash in hashes(&ws).await {
        for (function, data) in
            [("AccountNonceApi_account_nonce", account.as_str()), ("Core_version", "0x")]
        {
            let value = ask(&ws, "state_call", json!([function, data, hash])).await;
            let called = ask(&ws, "archive_v1_call", json!([hash, function, data])).await;
            assert_eq!(called, json!({ "success": true, "value": value }), "{function}");
            if data != "0x" {
                nonces.insert(value.to_string());
            }
        }
    }
    assert_eq!(nonces.len(), 2, "before the hospital's transaction, and after it: {nonces:?}");
    let known = json!(node.chain.head().hash);
    let unknown = json!([UNKNOWN, "Core_version", "0x"]);
    assert_eq!(ask(&ws, "archive_v1_call", unknown).await, Value::Null);
    // What the runtime does not do is told as the specification has it.
    for (function, data, words) in
        [("No_such", "0x", "No_such"), ("Core_initialize_block", "0x", "runtime API")]
    {
        let called = ask(&ws, "archive_v1_call", json!([known, function, data])).await;
        assert_eq!(called["success"], false, "{called}");
        assert!(called["error"].as_str().unwrap().contains(words), "{called}");
        assert_eq!(called.get("value"), None);
    }
    let long = json!([known, "x".repeat(4_000), "0x"]);
    let called = ask(&ws, "archive_v1_call", long).await;
    assert!(called["error"].as_str().unwrap().len() <= 1_024, "{called}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_on_a_state_that_is_not_kept_says_which_is_the_oldest() {
    let node = grown(StorageOptions { history_blocks: 2, ..StorageOptions::default() }).await;
    let ws = node.ws().await;
    let hashes = hashes(&ws).await;
    for (number, hash) in hashes.iter().enumerate() {
        let called = ask(&ws, "archive_v1_call", json!([hash, "Core_version", "0x"])).await;
        if number >= 3 {
            assert_eq!(called["success"], true, "block {number}: {called}");
            continue;
        }
        assert_eq!(called["success"], false, "block {number}: {called}");
        let words = called["error"].as_str().unwrap();
        assert!(words.starts_with(&format!("the state of block {number} ")), "{words}");
        assert!(words.ends_with("the oldest kept is that of block 3"), "{words}");
        let state = refused(&ws, "state_call", json!(["Core_version", "0x", hash])).await;
        assert_eq!(state, (code::STATE_NOT_KEPT, words.to_owned()));
    }
}

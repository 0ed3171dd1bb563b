//! Substrate's methods in Substrate's shapes, and subscriptions.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn methods_answer_in_substrates_shapes() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    node.make_block();
    let head = ask(&ws, "chain_getFinalizedHead", json!([])).await;
    assert_eq!(head, ask(&ws, "chain_getBlockHash", json!([])).await);
    assert_eq!(head, ask(&ws, "chain_getBlockHash", json!([1])).await);
    assert_eq!(ask(&ws, "chain_getBlockHash", json!([[1, 99]])).await, json!([head, null]));
    let header = ask(&ws, "chain_getHeader", json!([head])).await;
    assert_eq!(header["number"], "0x1");
    assert_eq!(header["digest"]["logs"], json!([]));
    let block = ask(&ws, "chain_getBlock", json!([head])).await;
    assert_eq!(block["block"]["header"], header);
    assert_eq!(block["block"]["extrinsics"].as_array().unwrap().len(), 1);
    assert_eq!(block["justifications"], Value::Null);
    let unknown = format!("0x{}", "11".repeat(32));
    assert_eq!(ask(&ws, "chain_getBlock", json!([unknown])).await, Value::Null);
    let certificate = ask(&ws, "chain_getCertificate", json!([1])).await;
    assert_eq!(certificate["certificate"], format!("0x{}", hex::encode("certificate")));

    let version = ask(&ws, "state_getRuntimeVersion", json!([])).await;
    assert_eq!(version["specName"], "billchain");
    assert!(version["apis"][0][0].as_str().unwrap().starts_with("0x"));
    let metadata = ask(&ws, "state_getMetadata", json!([])).await;
    assert!(metadata.as_str().unwrap().starts_with("0x6d657461"));
    assert_eq!(ask(&ws, "system_chainType", json!([])).await, "Development");
    assert_eq!(ask(&ws, "system_health", json!([])).await["peers"], 0);
    assert_eq!(ask(&ws, "system_properties", json!([])).await["ss58Format"], 42);
    let versions = ask(&ws, "state_call", json!(["Metadata_metadata_versions", "0x"])).await;
    assert!(versions.as_str().unwrap().starts_with("0x"));

    // The prefix of System; keys come in order, pages join without a gap.
    let prefix = "0x26aa394eea5630e07c48ae0c9558cef7";
    let keys = ask(&ws, "state_getKeysPaged", json!([prefix, 1000, null])).await;
    let keys = keys.as_array().unwrap();
    let first = ask(&ws, "state_getKeysPaged", json!([prefix, 1, null])).await;
    let second = ask(&ws, "state_getKeysPaged", json!([prefix, 1, first[0]])).await;
    assert_eq!((&first[0], &second[0]), (&keys[0], &keys[1]));
    let value = ask(&ws, "state_getStorage", json!([keys[0]])).await;
    let bytes = hex::decode(&value.as_str().unwrap()[2..]).unwrap();
    assert_eq!(ask(&ws, "state_getStorageSize", json!([keys[0]])).await, bytes.len());
    let hash = ask(&ws, "state_getStorageHash", json!([keys[0]])).await;
    assert_eq!(hash, format!("0x{}", hex::encode(sm3(&bytes))));
    let changes = ask(&ws, "state_queryStorageAt", json!([[keys[0]], head])).await;
    assert_eq!(changes, json!([{ "block": head, "changes": [[keys[0], value]] }]));
    assert_eq!(ask(&ws, "author_pendingExtrinsics", json!([])).await, json!([]));
    let methods = ask(&ws, "rpc_methods", json!([])).await;
    for name in
        ["author_submitAndWatchExtrinsic", "chain_subscribeNewHead", "rpc_methods", "bill_get"]
    {
        assert!(methods["methods"].as_array().unwrap().contains(&json!(name)), "{name}");
    }
    for account in ["//Alice", "0x12"] {
        let error = ws.request::<Value, _>("system_accountNextIndex", rpc_params![account]).await;
        assert_eq!(refusal(error.unwrap_err()).0, code::INVALID_PARAMS, "{account}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_follow_the_chain_and_a_transaction() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut heads: Subscription<Value> = ws
        .subscribe("chain_subscribeNewHead", rpc_params![], "chain_unsubscribeNewHead")
        .await
        .unwrap();
    let mut finalized: Subscription<Value> = ws
        .subscribe(
            "chain_subscribeFinalizedHeads",
            rpc_params![],
            "chain_unsubscribeFinalizedHeads",
        )
        .await
        .unwrap();
    // Storage of System.Number.
    let key = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";
    let mut number: Subscription<Value> = ws
        .subscribe("state_subscribeStorage", rpc_params![[key]], "state_unsubscribeStorage")
        .await
        .unwrap();
    assert_eq!(heads.next().await.unwrap().unwrap()["number"], "0x0");
    assert_eq!(finalized.next().await.unwrap().unwrap()["number"], "0x0");
    number.next().await.unwrap().unwrap();

    let signer = Signer::development("//hospital");
    let bytes = signer.transaction(register().0, 0, node.chain.genesis_hash());
    let mut states: Subscription<Value> = ws
        .subscribe(
            "author_submitAndWatchExtrinsic",
            rpc_params![format!("0x{}", hex::encode(&bytes))],
            "author_unwatchExtrinsic",
        )
        .await
        .unwrap();
    assert_eq!(states.next().await.unwrap().unwrap(), "ready");
    node.make_block();
    let hash = json!(node.chain.head().hash);
    assert_eq!(states.next().await.unwrap().unwrap(), json!({ "inBlock": hash }));
    assert_eq!(states.next().await.unwrap().unwrap(), json!({ "finalized": hash }));
    assert_eq!(heads.next().await.unwrap().unwrap()["number"], "0x1");
    assert_eq!(finalized.next().await.unwrap().unwrap()["number"], "0x1");
    let changes = number.next().await.unwrap().unwrap();
    assert_eq!(changes, json!({ "block": hash, "changes": [[key, "0x01000000"]] }));
}

//! Bad requests, and what a configuration may say.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_in_words_and_limits_hold() {
    let config = RpcConfig {
        max_request_bytes: 4_096,
        max_batch: 2,
        max_subscriptions_per_connection: 1,
        ..RpcConfig::default()
    };
    let node = Node::start(config).await;
    let ws = node.ws().await;
    let unknown = format!("0x{}", "11".repeat(32));
    for (method, params, expected, words) in [
        ("bill_get", rpc_params!["3106", "0000000001"], code::INVALID_PARAMS, "8 digits"),
        ("bill_get", rpc_params!["31060125"], code::INVALID_PARAMS, "number"),
        ("participant_resolve", rpc_params!["hospital"], code::INVALID_PARAMS, "did:"),
        (
            "bill_verifyHash",
            rpc_params!["31060125", "0000000001", "a1B2c3", "doc", &unknown],
            code::INVALID_PARAMS,
            "\"pdf\"",
        ),
        (
            "bill_verifyElements",
            rpc_params!["31060125", "0000000001", "a1B2c3", 20_261_301, 1],
            code::INVALID_PARAMS,
            "issue_date",
        ),
        (
            "bill_verifyElements",
            rpc_params!["31060125", "0000000001", "a1B2c3", 20_261_124, "1.00"],
            code::INVALID_PARAMS,
            "total_fen",
        ),
        (
            "bill_mismatches",
            rpc_params!["31060125", "0000000001", "0x", 101],
            code::INVALID_PARAMS,
            "1 to 100",
        ),
        (
            "bill_mismatches",
            rpc_params!["31060125", "0000000001", 0],
            code::INVALID_PARAMS,
            "cursor: expected bytes as 0x hex",
        ),
        ("dispute_acts", rpc_params![1, Value::Null, 0], code::INVALID_PARAMS, "1 to 100"),
        ("dispute_case", rpc_params!["x"], code::INVALID_PARAMS, "case"),
        ("state_getStorage", rpc_params!["xyz"], code::INVALID_PARAMS, "0x hex"),
        ("state_getStorage", rpc_params!["0x00", &unknown], code::UNKNOWN_BLOCK, "block"),
        ("state_getKeysPaged", rpc_params!["0x", 1001], code::INVALID_PARAMS, "at most 1000"),
        ("state_call", rpc_params!["No_such", "0x"], code::RUNTIME_CALL, "No_such"),
        ("state_call", rpc_params!["Core_initialize_block", "0x"], code::RUNTIME_CALL, ""),
        ("author_submitExtrinsic", rpc_params!["0x1234"], 1001, "not a transaction"),
        ("no_method", rpc_params![], -32601, "not found"),
    ] {
        let error = ws.request::<Value, _>(method, params).await.unwrap_err();
        let (code, message) = refusal(error);
        assert_eq!(code, expected, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
    let long = "0".repeat(5_000);
    let error = ws.request::<Value, _>("author_submitExtrinsic", rpc_params![long]).await;
    assert!(error.is_err(), "an oversized request is refused");

    let ws = node.ws().await;
    let first: Result<Subscription<Value>, _> =
        ws.subscribe("chain_subscribeNewHeads", rpc_params![], "chain_unsubscribeNewHeads").await;
    let second: Result<Subscription<Value>, _> =
        ws.subscribe("chain_subscribeAllHeads", rpc_params![], "chain_unsubscribeAllHeads").await;
    assert!(first.is_ok() && second.is_err());
    let mut batch = jsonrpsee::core::params::BatchRequestBuilder::new();
    for _ in 0..3 {
        batch.insert("system_name", rpc_params![]).unwrap();
    }
    assert!(ws.batch_request::<String>(batch).await.is_err(), "a batch of 3, where 2 are allowed");
}

#[tokio::test]
async fn every_problem_of_a_configuration_is_reported_at_once() {
    let config = RpcConfig { max_batch: 0, max_connections: 0, ..RpcConfig::default() };
    let problems = config.check().unwrap_err().problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
}

//! Batches of requests: answers stand in the order of the questions, and one
//! that fails does not touch the others.

use super::Node;
use billchain_client::Signer;
use billchain_primitives::transaction_hash;
use billchain_rpc::RpcConfig;
use billchain_runtime::RuntimeCall;
use jsonrpsee::{
    core::{client::ClientT, params::BatchRequestBuilder},
    http_client::HttpClientBuilder,
    rpc_params,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_submissions_is_taken_in_order_and_answered_in_order() {
    let node = Node::start(RpcConfig::default()).await;
    let client = node.ws().await;
    let hospital = Signer::development("//hospital");
    let remark = || RuntimeCall::Utility(pallet_utility::Call::batch { calls: Vec::new() });
    let transactions: Vec<Vec<u8>> = (0..40)
        .map(|nonce| hospital.transaction(remark(), nonce, node.chain.genesis_hash()))
        .collect();

    let mut batch = BatchRequestBuilder::new();
    for bytes in &transactions {
        let bytes = format!("0x{}", hex::encode(bytes));
        batch.insert("author_submitExtrinsic", rpc_params![bytes]).unwrap();
        batch.insert("no_such_method", rpc_params![]).unwrap();
    }
    let answers = client.batch_request::<String>(batch).await.unwrap();
    assert_eq!((answers.num_successful_calls(), answers.num_failed_calls()), (40, 40));
    let hashes = answers.iter().flatten();
    let expected = transactions.iter().map(|bytes| format!("{:?}", transaction_hash(bytes)));
    assert!(hashes.cloned().eq(expected));
    let ready: Vec<u32> = node.pool.pending().iter().map(|transaction| transaction.nonce).collect();
    assert_eq!(ready, (0..40).collect::<Vec<_>>());
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_answer_is_too_long_is_refused_whole() {
    let config = RpcConfig { max_response_bytes: 20_000, ..RpcConfig::default() };
    let node = Node::start(config).await;
    let client = HttpClientBuilder::default().build(node.url()).unwrap();
    let mut batch = BatchRequestBuilder::new();
    for _ in 0..20 {
        batch.insert("rpc_methods", rpc_params![]).unwrap();
    }
    assert!(client.batch_request::<serde_json::Value>(batch).await.is_err());
    assert!(client.request::<String, _>("system_name", rpc_params![]).await.is_ok(), "goes on");
    node.server.stop().await;
}

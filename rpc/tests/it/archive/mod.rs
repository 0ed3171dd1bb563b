//! `archive_v1_*`: reads at any height that the node keeps, equal to those of
//! `chain_*` and `state_*`.

mod blocks;
mod differences;
mod entries;

use super::*;
use billchain_executor::events_key;

/// Storage of System.Number.
const NUMBER: &str = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";
/// What the keys of System begin with.
const SYSTEM: &str = "0x26aa394eea5630e07c48ae0c9558cef7";
/// A hash that no block has.
const UNKNOWN: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

/// A node with a few blocks, of which the first registers a bill.
async fn grown(options: StorageOptions) -> Node {
    let node = Node::with_storage(options, RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let (call, invoice) = register();
    let done = node.execute(&client, "//hospital", call).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
    let lock = StatusChange::Lock {
        scene: SceneId(1),
        claim_no: ClaimNo::new("A-1").unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at: NOW,
    };
    let done = node.execute(&client, "//insurer-a", change(&invoice, lock)).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
    (0..3).for_each(|_| node.make_block());
    node
}

/// A client that may be behind by all that a subscription tells.
async fn patient(node: &Node) -> WsClient {
    WsClientBuilder::default()
        .max_buffer_capacity_per_subscription(16_384)
        .build(format!("ws://{}", node.server.address()))
        .await
        .unwrap()
}

/// The hash of each block, from the genesis on.
async fn hashes(ws: &WsClient) -> Vec<Value> {
    let head = ask(ws, "archive_v1_finalizedHeight", json!([])).await.as_u64().unwrap();
    let numbers: Vec<u64> = (0..=head).collect();
    ask(ws, "chain_getBlockHash", json!([numbers])).await.as_array().unwrap().clone()
}

async fn refused(ws: &WsClient, method: &str, params: Value) -> (i32, String) {
    refusal(ws.request::<Value, _>(method, array(&params)).await.unwrap_err())
}

async fn subscribe(
    ws: &WsClient,
    method: &str,
    params: &Value,
) -> Result<Subscription<Value>, Error> {
    let stop = method.replace("storage", "stopStorage");
    ws.subscribe(method, array(params), &stop).await
}

/// All that a subscription tells, and its last event.
async fn told(ws: &WsClient, method: &str, params: Value) -> (Vec<Value>, Value) {
    let mut feed = subscribe(ws, method, &params).await.unwrap();
    let mut all = Vec::new();
    loop {
        let event = feed.next().await.unwrap().unwrap();
        let name = event["event"].as_str().unwrap();
        if name.ends_with("Done") || name.ends_with("Error") {
            return (all, event);
        }
        all.push(event);
    }
}

/// The words of a subscription that tells nothing but its error.
async fn failed(ws: &WsClient, method: &str, params: Value) -> String {
    let (all, last) = told(ws, method, params).await;
    assert_eq!(all, Vec::<Value>::new());
    assert!(last["event"].as_str().unwrap().ends_with("Error"), "{last}");
    last["error"].as_str().unwrap().to_owned()
}

/// Why a subscription is refused.
async fn not_begun(ws: &WsClient, method: &str, params: Value) -> (i32, String) {
    refusal(subscribe(ws, method, &params).await.unwrap_err())
}

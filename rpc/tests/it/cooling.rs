//! What becomes cold, and what is, as the node shows it.

use super::*;
use billchain_primitives::{CoolingPolicy, cooling::DAY_MS};

/// A node of a chain on which bills are cold after a day.
async fn start() -> Node {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
    let cooling = CoolingPolicy { after_days: 1, lap_days: 1, ..CoolingPolicy::default() };
    let spec = ChainSpec { cooling, ..ChainSpec::development() };
    let state = spec.genesis_state().unwrap();
    let chain = Chain::with_genesis(Arc::new(storage), &state).unwrap();
    Node::over(chain, RpcConfig::default(), directory).await
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_lap_and_what_is_cold_are_shown() {
    let node = start().await;
    let (ws, client) = (node.ws().await, Connection::open(&node.url()).await.unwrap());
    let status = || ask(&ws, "cooling_status", json!([]));
    let before = status().await;
    let policy = json!({
        "after_days": 1, "groups_per_block": 20, "lap_days": 1, "segment_groups": 1 << 21,
        "merge_groups": 200,
    });
    assert_eq!(before["policy"], policy);
    let lap = json!({
        "number": 0, "began": 0, "under_way": false, "map": null, "position": null, "seen": 0,
        "cold": 0,
    });
    assert_eq!(before["lap"], lap);
    assert_eq!((&before["cold_before"], &before["cold_groups"]), (&json!(0), &json!(0)));
    assert_eq!((&before["runs"], &before["runs_at_most"]), (&json!([]), &json!(0)));
    assert!(before["hot_keys"].is_u64());

    let (call, invoice) = register();
    assert_eq!(node.execute(&client, "//hospital", call).await.success, Some(true));
    // Two days later: the block after sees it.
    node.make_block_at(NOW + 2 * DAY_MS);
    node.make_block_at(NOW + 2 * DAY_MS);
    let after = status().await;
    assert_eq!((&after["lap"]["seen"], &after["lap"]["cold"]), (&json!(1), &json!(1)));
    assert_eq!(after["cold_before"], json!(NOW + DAY_MS));
    assert_eq!((&after["cold_groups"], &after["runs_at_most"]), (&json!(1), &json!(1)));
    let runs = after["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!((&runs[0]["segments"], &runs[0]["groups"]), (&json!(1), &json!(1)));

    // It is read as any other, and comes back when it changes.
    let key = json!([invoice.key.code.as_str(), invoice.key.number.as_str()]);
    assert_eq!(ask(&ws, "bill_get", key.clone()).await["status"], "normal");
    let lock = StatusChange::Lock {
        scene: SceneId(1),
        claim_no: ClaimNo::new("claim").unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at: NOW + 2 * DAY_MS,
    };
    let lock = change(&invoice, lock);
    assert_eq!(node.execute(&client, "//insurer-a", lock).await.success, Some(true));
    assert_eq!(ask(&ws, "bill_get", key).await["status"], "locked");
    assert_eq!(status().await["cold_groups"], json!(0));
    node.server.stop().await;
}

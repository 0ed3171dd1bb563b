//! What became of a transaction, asked long after its block: by an insurer that
//! was offline, by a client that reads old events.

use super::*;
use billchain_executor::events_key;
use billchain_primitives::BatchMode;
use billchain_rpc_types::{ItemOutcome, TransactionView};
use pallet_bill_update::types::StatusItem;

/// A node that keeps the states of the last two blocks only.
async fn forgetful() -> Node {
    let options = StorageOptions { history_blocks: 2, ..StorageOptions::default() };
    Node::with_storage(options, RpcConfig::default()).await
}

fn lock(claim: &str) -> StatusChange {
    StatusChange::Lock {
        scene: SceneId(1),
        claim_no: ClaimNo::new(claim).unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at: NOW,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_told_alike_before_and_after_the_state_is_gone() {
    let node = forgetful().await;
    let client = Connection::open(&node.url()).await.unwrap();
    let (call, invoice) = register();
    let mut told: Vec<TransactionView> = Vec::new();
    told.push(node.execute(&client, "//hospital", call.clone()).await);
    told.push(node.execute(&client, "//hospital", call).await);
    told.push(node.execute(&client, "//insurer-a", change(&invoice, lock("A-1"))).await);
    told.push(node.execute(&client, "//insurer-b", change(&invoice, lock("B-1"))).await);
    let item = StatusItem { key: invoice.key, expected_version: None, change: lock("B-2") };
    let batch = pallet_bill_update::Call::<Runtime>::change_status_batch {
        changes: vec![item].try_into().unwrap(),
        mode: BatchMode::PerItem,
    };
    told.push(node.execute(&client, "//insurer-b", batch.into()).await);
    (0..5).for_each(|_| node.make_block());

    let outcomes: Vec<_> = told.iter().map(|view| view.success).collect();
    assert_eq!(outcomes, [Some(true), Some(true), Some(true), Some(false), Some(true)]);
    assert_eq!(told[0].items[0].outcome, ItemOutcome::Registered);
    assert_eq!(told[1].items[0].outcome, ItemOutcome::Repeated);
    assert_eq!(told[3].error.as_ref().unwrap().name, "LockedByOther");
    assert!(told[4].events.iter().any(|event| event.item == Some(0) && event.error.is_some()));
    let ws = node.ws().await;
    for view in told {
        let block = view.block.unwrap();
        let error = ws
            .request::<Value, _>("state_getStorage", rpc_params!["0x00", block.hash])
            .await
            .unwrap_err();
        let (code, words) = refusal(error);
        assert_eq!(code, billchain_rpc_types::code::STATE_NOT_KEPT);
        assert!(words.contains(&format!("block {}", block.number)), "{words}");
        assert_eq!(client.transaction(view.hash).await.unwrap(), view);
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_old_blocks_are_read_where_stock_clients_look() {
    let node = forgetful().await;
    let client = Connection::open(&node.url()).await.unwrap();
    let done = node.execute(&client, "//hospital", register().0).await;
    let (ws, block) = (node.ws().await, done.block.unwrap().hash);
    let key = format!("0x{}", hex::encode(events_key()));
    let fresh = ask(&ws, "state_getStorage", json!([key, block])).await;
    assert!(fresh.as_str().unwrap().len() > 100);
    (0..5).for_each(|_| node.make_block());
    assert_eq!(ask(&ws, "state_getStorage", json!([key, block])).await, fresh);
    let queried = ask(&ws, "state_queryStorageAt", json!([[key], block])).await;
    assert_eq!(queried, json!([{ "block": block, "changes": [[key, fresh]] }]));
    let size = ask(&ws, "state_getStorageSize", json!([key, block])).await;
    assert_eq!(size, json!(fresh.as_str().unwrap().len() / 2 - 1));
    // Together with what is gone there is no answer.
    let keys = json!([key, "0x00"]);
    let error = ws.request::<Value, _>("state_queryStorageAt", rpc_params![keys, block]).await;
    assert_eq!(refusal(error.unwrap_err()).0, code::STATE_NOT_KEPT);
    node.server.stop().await;
}

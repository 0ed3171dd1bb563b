//! A node that joins by the state that members serve, and one that lets old blocks go.

use crate::{
    command::{BINARY, Outcome, billchain},
    load::{Bills, Load, assert_kept},
    network::{ALL, Network, PATIENCE, report},
};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::Value;
use std::{
    fs,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Many copies; a devnet's configuration ends with `[storage]`.
const COPIES: &str =
    "\ncopy_interval = 64\nkeep_blocks = 256\n[consensus]\nempty_block_interval_ms = 500\n";
/// Blocks until something can be let go.
const ENOUGH: u32 = 420;

fn join(network: &Network, node: usize, more: &[&str]) -> Outcome {
    let config = network.config(node);
    let words = ["join", "--config", config.to_str().unwrap()];
    billchain(words.iter().chain(more))
}

async fn block_and_header(network: &mut Network, node: usize, number: u32) -> (Value, Value) {
    let client = network.client(node).await;
    let client = client.raw();
    let hash: Value = client.request("chain_getBlockHash", rpc_params![number]).await.unwrap();
    let block = client.request("chain_getBlock", rpc_params![hash.clone()]).await.unwrap();
    (block, client.request("chain_getHeader", rpc_params![hash]).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_joins_by_the_state_that_members_serve_and_old_blocks_go() {
    let mut network = Network::new(COPIES).await;
    // Node 1 alone lets blocks go.
    for node in [2, 3, 4] {
        crate::network::edit(&network.config(node), "keep_blocks = 256\n", "");
    }
    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    let load = Load::start(&network, 4, &Arc::new(Bills::new()));
    network.reach(&ALL, ENOUGH, PATIENCE).await;
    let finals = load.end().await;

    // It lost everything but configuration and keys.
    network.stop(&[4]).await;
    let data = network.home(4).join("data");
    fs::remove_dir_all(&data).unwrap();
    join(&network, 4, &[]).refused(1, &["signing-memory", "--abstain-up-to"]);
    let kept_until = network.top(&[1, 2, 3]).await + 5;
    // A memory that was written where no database is stands when the node has joined.
    network.abstain(4, kept_until);
    assert!(!data.join("chain").exists(), "the command has made a database");
    join(&network, 4, &["--abstain-up-to", "1"]).refused(1, &["--abstain-up-to 1 is below block"]);
    let said = join(&network, 4, &[]).succeeded();
    let kept = format!("signing-memory was kept: the node signs nothing up to block {kept_until}");
    assert!(said.contains(&kept), "{said}");
    // It lost that, too.
    fs::remove_dir_all(&data).unwrap();
    let above = (network.top(&[1, 2, 3]).await + 5).to_string();
    let abstain = ["--abstain-up-to", above.as_str()];
    // Cut short: nothing is taken for a node's data, and the next one begins again.
    for after in [30, 120, 300] {
        let mut child = Command::new(BINARY)
            .args(["join", "--config"])
            .arg(network.config(4))
            .args(abstain)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(after)).await;
        // It may have ended.
        let _ = child.kill();
        child.wait().unwrap();
        if data.join("chain").exists() {
            fs::remove_dir_all(&data).unwrap();
        }
    }
    let began = Instant::now();
    let said = join(&network, 4, &abstain).succeeded();
    report(&format!("a node joined in {:?}", began.elapsed()));
    assert!(said.contains("each compared with the state root"), "{said}");
    assert!(said.contains("served by     3 of 3 members"), "{said}");
    join(&network, 4, &abstain).refused(1, &["exists", "where no database is"]);

    network.start(&[4]);
    network.go_on(&ALL, 12, PATIENCE).await;
    network.agree(&ALL).await;
    network.until_whole(4, PATIENCE).await;
    let client = network.client(4).await;
    assert_kept(&client, &finals, "node 4 after it joined").await;
    let (block, _) = block_and_header(&mut network, 4, 3).await;
    assert_eq!(block, block_and_header(&mut network, 2, 3).await.0);

    // A body goes when a snapshot holds it, and the header stays.
    assert_eq!(network.metric(1, "billchain_state_sync_first_block").await, 1);
    let out = network.directory().join("snapshot");
    let config = network.config(1);
    let create = ["snapshot", "create", "--config", config.to_str().unwrap(), "--out"];
    billchain(create.into_iter().chain([out.to_str().unwrap()])).succeeded();
    network
        .until_metric(1, "billchain_state_sync_first_block", PATIENCE, |first| first > 100)
        .await;
    let (gone, header) = block_and_header(&mut network, 1, 3).await;
    assert_eq!((gone, header["number"].as_str()), (Value::Null, Some("0x3")));

    // It votes: the others are too few without it.
    network.stop(&[2]).await;
    network.go_on(&[1, 3, 4], 3, PATIENCE).await;
    network.stop(&[4]).await;
    let config = network.config(4);
    let said = billchain(["check-state", "--config", config.to_str().unwrap()]).succeeded();
    assert!(said.contains("every version chain verifies"), "{said}");
    let config = network.config(1);
    network.stop(&[1]).await;
    billchain(["check-state", "--config", config.to_str().unwrap()]).succeeded();
    billchain(["reindex", "--config", config.to_str().unwrap()])
        .refused(1, &["are not kept here", "billchain join"]);
    assert!(fs::read_dir(network.home(1).join("data/copies")).unwrap().count() <= 2);
    network.finish().await;
}

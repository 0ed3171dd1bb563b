//! A validator whose key two machines have: it signs twice, and the chain keeps
//! what proves it.

use crate::network::{ALL, FAST, Network, PATIENCE};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::Value;
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// What a node says is on record.
async fn on_record(network: &mut Network, node: usize) -> Vec<Value> {
    let client = network.client(node).await;
    let page: Value = client.raw().request("validator_equivocations", rpc_params![]).await.unwrap();
    page["items"].as_array().expect("a page has items").clone()
}

/// The fourth machine has the third validator's key. Where it is that key's turn,
/// both propose, and each votes for its own block.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_signs_twice_is_on_every_nodes_record() {
    let mut network = Network::new(FAST).await;
    let key = |network: &Network, node: usize| network.home(node).join("consensus.pem");
    fs::copy(key(&network, 3), key(&network, 4)).unwrap();
    network.start(&ALL);
    let deadline = Instant::now() + 2 * PATIENCE;
    while on_record(&mut network, 1).await.is_empty() {
        assert!(Instant::now() < deadline, "nothing was recorded");
        sleep(Duration::from_millis(500)).await;
    }
    // One of the two may have seen the other's signature, and ended.
    let (gone, left) = if network.has_ended(3) { (3, 4) } else { (4, 3) };
    if network.has_ended(gone) {
        let (_, log) = network.ended(gone, PATIENCE).await;
        assert!(log.contains("carries this validator's signature"), "{log}");
    } else {
        network.kill(&[gone]);
    }
    // Who is left with the key is a validator like any other.
    let others = [1, 2, left];
    network.go_on(&others, 6, 2 * PATIENCE).await;
    network.agree(&others).await;

    let records = on_record(&mut network, 1).await;
    let offender = &records[0]["offender"];
    for record in &records {
        assert_eq!(&record["offender"], offender, "one key alone has signed twice");
        assert_ne!(record["first"]["block"], record["second"]["block"], "{record}");
        assert_ne!(record["first"]["signature"], record["second"]["signature"], "{record}");
    }
    for node in others {
        assert_eq!(on_record(&mut network, node).await, records, "node {node}");
        let recorded = network.metric(node, "billchain_equivocations_recorded").await;
        assert_eq!(recorded, records.len() as u64, "node {node}");
        assert_eq!(network.metric(node, "billchain_equivocations_held").await, 0, "node {node}");
    }
    // It was seen by those that it lied to.
    let mut seen = 0;
    for node in [1, 2] {
        let metrics = network.exposition(node).await;
        let name = "billchain_consensus_equivocations_total{";
        let line = metrics.lines().find(|line| line.starts_with(name)).expect("it is counted");
        seen += line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a number");
    }
    assert!(seen > 0, "neither has seen it");
    network.finish().await;
}

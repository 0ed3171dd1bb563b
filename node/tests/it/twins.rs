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

/// The node whose turn it is to propose the first block, as one that runs alone says.
async fn first_proposer(network: &mut Network) -> usize {
    network.start(&[1]);
    let client = network.client(1).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status: Value = client.raw().request("consensus_status", rpc_params![]).await.unwrap();
        let proposer = &status["votes"]["proposer"];
        let validators = status["validators"].as_array().expect("there are validators");
        if let Some(found) = validators.iter().find(|validator| &validator["key"] == proposer) {
            network.kill(&[1]);
            let number = found["name"].as_str().and_then(|name| name.strip_prefix("Node "));
            return number.and_then(|number| number.parse().ok()).expect("nodes have numbers");
        }
        assert!(Instant::now() < deadline, "the first height does not begin: {status}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Whether a node has heard two votes of one validator for one round of the first height.
/// Its engine says so; votes are sent again and again, proposals once.
fn heard_both(network: &Network, node: usize) -> bool {
    let log = fs::read_to_string(network.log(node)).unwrap_or_default();
    log.lines().any(|line| line.contains("Received equivocating vote"))
}

/// Two machines have the key of the first proposer: both propose, and each votes for
/// its own block.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_signs_twice_is_on_every_nodes_record() {
    let mut network = Network::new(FAST).await;
    let honest = first_proposer(&mut network).await;
    let rest: Vec<usize> = ALL.into_iter().filter(|node| *node != honest).collect();
    // Not the first node, which remembers that it signed with its own key.
    let [witness, late, twin] = rest[..] else { panic!("four nodes") };
    let key = |network: &Network, node: usize| network.home(node).join("consensus.pem");
    fs::copy(key(&network, honest), key(&network, twin)).unwrap();
    // Two keys of four decide nothing, so no commit tells one machine of the other's
    // signatures, and neither ends before the witness has heard both.
    network.start(&[honest, twin, witness]);
    let deadline = Instant::now() + 2 * PATIENCE;
    while !heard_both(&network, witness) {
        assert!(Instant::now() < deadline, "one voted, or none");
        network.assert_running();
        sleep(Duration::from_millis(100)).await;
    }
    network.kill(&[twin]);
    network.start(&[late]);
    // Who is left with the key is a validator like any other.
    let others = [honest, witness, late];
    network.go_on(&others, 6, 2 * PATIENCE).await;
    while on_record(&mut network, witness).await.is_empty() {
        assert!(Instant::now() < deadline, "nothing was recorded");
        sleep(Duration::from_millis(200)).await;
    }
    network.agree(&others).await;

    let records = on_record(&mut network, witness).await;
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
    network.finish().await;
}

//! A node whose disk has less room than it wants: it says so, takes no work and votes.
//! With a small disk that fills and empties: `tests/disk`.

use crate::{
    bad_requests::refused_transaction,
    http,
    load::{Bills, Issuer, register},
    network::{ALL, FAST, Network, PATIENCE},
};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::{Value, json};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// More than any disk has. The last section of a configuration is `[storage]`.
const NO_DISK: &str = "min_free_mib = 16777216\n";

/// Counts the blocks that node 4 proposed.
const PROPOSED: &str = "billchain_consensus_proposed_blocks_total{moniker=\"node-4\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_room_takes_no_work_says_why_and_votes() {
    let mut network = Network::new("").await;
    network.configure(4, NO_DISK);
    ALL.iter().for_each(|node| network.configure(*node, FAST));
    network.start(&ALL);
    network.reach(&ALL, 2, PATIENCE).await;

    let (status, answer) = http::get(network.metrics_port(4), "/health").await;
    let words = answer.lines().last().unwrap_or_default();
    assert!(status == 503 && words.contains("disk low: the disk of data_dir has "), "{answer}");
    assert_eq!(network.metric(4, "billchain_disk_low").await, 1);
    assert_eq!(network.metric(1, "billchain_disk_low").await, 0);
    let log = fs::read_to_string(network.log(4)).unwrap();
    assert_eq!(log.matches("no work is taken: the disk of data_dir has").count(), 1, "{log}");

    let (full, other) = (network.client(4).await, network.client(1).await);
    let (bills, issuer) = (Bills::new(), Issuer::new("hospital-1"));
    let sign =
        |nonce| issuer.signer.transaction(register(bills.next(&issuer)), nonce, other.genesis());
    let first = sign(0);
    let refusal = refused_transaction(&full, &first).await;
    assert_eq!(refusal.code, 1016, "{refusal:?}");
    assert_eq!(refusal.data, json!({ "code": 2020, "temporary": true }), "{refusal:?}");
    assert!(refusal.message.contains("takes them from 16777216 MiB on"), "{refusal:?}");

    // The others take it, and it commits and votes for their blocks.
    let proposed = network.metric(4, PROPOSED).await;
    for nonce in 0..8 {
        let bytes = if nonce == 0 { first.clone() } else { sign(nonce) };
        let hash = other.submit(&bytes).await.unwrap();
        assert_eq!(full.wait_final(hash, PATIENCE).await.unwrap().success, Some(true));
    }
    let deadline = Instant::now() + PATIENCE;
    while network.metric(4, PROPOSED).await < proposed + 2 {
        assert!(Instant::now() < deadline, "node 4 proposes nothing");
        sleep(Duration::from_millis(200)).await;
    }
    for name in ["references", "transactions_in_full"] {
        let own = network.metric(4, &format!("billchain_proposal_{name}_total")).await;
        assert_eq!(own, 0, "{name}: node 4 proposes others' transactions");
    }
    let status: Value = full.raw().request("consensus_status", rpc_params![]).await.unwrap();
    let disk = &status["machine"]["disk"];
    assert_eq!((&disk["is_low"], &status["node"]["votes"]), (&true.into(), &true.into()));
    let seen: Value = other.raw().request("consensus_status", rpc_params![]).await.unwrap();
    let of = |one: &&Value| one["key"] == status["node"]["key"];
    let last = &seen["validators"].as_array().unwrap().iter().find(of).unwrap()["last"];
    let ago = seen["node"]["time"].as_u64().unwrap() - last["at"].as_u64().unwrap();
    assert!(ago < 5_000, "the last vote of node 4 came {ago} ms ago");
    network.agree(&ALL).await;
    network.finish().await;
}

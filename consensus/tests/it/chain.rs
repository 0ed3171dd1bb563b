//! A network in good health.

use std::time::{Duration, Instant};

use billchain_consensus::{ChainDomain, ConsensusConfig, Round};
use billchain_primitives::Hash;

use crate::net::Net;

const PATIENCE: Duration = Duration::from_secs(30);

fn slow_when_idle(config: &mut ConsensusConfig) {
    config.empty_interval = Duration::from_secs(60);
}

fn three_seconds(config: &mut ConsensusConfig) {
    config.empty_interval = Duration::from_secs(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_decide_one_chain_with_certificates() {
    let mut net = Net::new("four", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 6, PATIENCE).await;
    net.assert_one_chain();
    let certificate = net.nodes[0].chain.block(3).expect("committed").certificate;
    let other = ChainDomain::new(Hash::repeat_byte(8));
    assert!(certificate.verify(&other, &net.validators).is_err(), "certificates are of one chain");
    assert!(!net.nodes[0].handle.as_ref().expect("runs").peers().await.is_empty());
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_chain_keeps_its_beat_without_failed_rounds() {
    let mut net = Net::new("idle", 4, three_seconds).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 2, PATIENCE).await;
    let (begin, first) = (Instant::now(), net.nodes[0].chain.height());
    net.reach(&[0, 1, 2, 3], first + 5, PATIENCE).await;
    let each = begin.elapsed() / 5;
    assert!(
        (Duration::from_millis(800)..Duration::from_millis(1300)).contains(&each),
        "{each:?} an empty block, configured is one second"
    );
    for height in first + 1..=first + 5 {
        let certificate = net.nodes[0].chain.block(height).expect("committed").certificate;
        assert_eq!(certificate.round, Round::FIRST, "height {height} needed another round");
    }
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_comes_as_soon_as_there_is_work() {
    let mut net = Net::new("work", 4, slow_when_idle).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 1, PATIENCE).await;
    for number in 0u8..5 {
        let begin = Instant::now();
        for node in &net.nodes {
            node.chain.submit(vec![number]);
        }
        // Not the next block: one that has just caught up may propose an empty one.
        while !net.nodes.iter().all(|node| node.chain.included().contains(&vec![number])) {
            let waited = begin.elapsed();
            assert!(waited < Duration::from_secs(3), "block {number} waited for the interval");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(net.nodes[3].chain.included(), (0u8..5).map(|n| vec![n]).collect::<Vec<_>>());
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_known_to_one_node_only_gets_the_others_going() {
    let mut net = Net::new("lonely", 4, slow_when_idle).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 1, PATIENCE).await;
    net.nodes[2].chain.submit(b"seen by one".to_vec());
    let begin = Instant::now();
    while net.nodes[0].chain.included().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20), "heights {}", net.top());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_blocks_travel_in_parts() {
    let mut net = Net::new("large", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 1, PATIENCE).await;
    let large = vec![0x5a; 4 * 1024 * 1024];
    for node in &net.nodes {
        node.chain.submit(large.clone());
    }
    let begin = Instant::now();
    while !net.nodes.iter().all(|node| node.chain.included().contains(&large)) {
        assert!(begin.elapsed() < PATIENCE, "the large block did not arrive everywhere");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_network_goes_on_where_it_was() {
    let mut net = Net::new("again", 4, |_| ()).await;
    for _ in 0..3 {
        let height = net.top();
        net.start_all().await;
        net.reach(&[0, 1, 2, 3], height + 3, PATIENCE).await;
        net.stop_all().await;
    }
    net.assert_one_chain();
}

/// Who is dialled may join the mesh of who dialled it, however full that is. Gossipsub
/// looks at it each second, from five seconds after its start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_relays_for_three_that_know_only_it() {
    let mut net = Net::new("star", 4, three_seconds).await.into_star();
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 9, PATIENCE).await;
    assert_eq!(net.nodes[0].handle.as_ref().expect("runs").peers().await.len(), 3);
    for leaf in &net.nodes[1..] {
        assert_eq!(leaf.handle.as_ref().expect("runs").peers().await.len(), 1);
    }
    net.assert_one_chain();
    net.stop_all().await;
}

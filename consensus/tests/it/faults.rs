//! Nodes that stop, lie, fail, or do not belong.

use std::sync::atomic::Ordering;
use std::time::Duration;

use billchain_consensus::ConsensusError;

use crate::net::{Net, validator_key};

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_of_four_go_on_two_wait_and_resume_when_one_returns() {
    let mut net = Net::new("stops", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 3, PATIENCE).await;

    net.stop(3).await;
    net.reach(&[0, 1, 2], net.top() + 5, PATIENCE).await;

    net.stop(2).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stalled = net.top();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(net.top() <= stalled + 1, "two of four decided blocks");

    net.start(3).await;
    net.reach(&[0, 1, 3], stalled + 2, Duration::from_secs(10)).await;
    net.start(2).await;
    net.reach(&[0, 1, 2, 3], net.top() + 3, PATIENCE).await;
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_node_catches_up_and_takes_part() {
    let mut net = Net::new("fresh", 4, |_| ()).await;
    for index in 0..3 {
        net.start(index).await;
    }
    net.reach(&[0, 1, 2], 25, PATIENCE).await;
    net.start(3).await;
    net.reach(&[3], net.top(), PATIENCE).await;
    // It has caught up when a block carries its signature.
    let own = billchain_consensus::Address::from_public_key(&validator_key(4).public());
    let begin = std::time::Instant::now();
    let signed = |net: &Net| {
        (1..=net.top()).filter_map(|height| net.nodes[3].chain.block(height)).any(|block| {
            block.certificate.signatures.iter().any(|signature| signature.address == own)
        })
    };
    while !signed(&net) {
        assert!(begin.elapsed() < PATIENCE, "the fresh node never voted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_peer_alone_brings_a_fresh_node_to_its_height() {
    let mut net = Net::new("alone", 4, |_| ()).await;
    for index in 0..3 {
        net.start(index).await;
    }
    net.reach(&[0, 1, 2], 40, PATIENCE).await;
    net.stop(1).await;
    net.stop(2).await;
    // Nobody bears out what the only peer claims, and two of four decide nothing.
    let top = net.nodes[0].chain.height();
    net.start(3).await;
    net.reach(&[3], top, Duration::from_secs(20)).await;
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_follows_without_voting() {
    let mut net = Net::new("observer", 4, |_| ()).await;
    let observer = net.add(77, None);
    let peers: Vec<_> = net.nodes.iter().map(|node| node.address.clone()).collect();
    for node in &net.nodes {
        node.chain.set_peers(peers.clone());
    }
    net.start_all().await;
    net.reach(&[0, 1, 2, 3, observer], 6, PATIENCE).await;
    let handle = net.nodes[observer].handle.as_ref().expect("runs");
    assert!(!handle.status().borrow().is_validator);
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_until_the_state_allows_it() {
    let mut net = Net::new("stranger", 4, |_| ()).await;
    for index in 0..4 {
        net.start(index).await;
    }
    net.reach(&[0, 1, 2, 3], 2, PATIENCE).await;
    let stranger = net.add(99, None);
    net.start(stranger).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(net.nodes[stranger].chain.height(), 0, "a stranger got blocks");
    let peer = net.nodes[stranger].network_key.public().to_peer_id();
    for index in 0..4 {
        // It knocks again and again, and is let in until it has said who it is.
        let begin = std::time::Instant::now();
        let handle = net.nodes[index].handle.as_ref().expect("runs");
        while handle.peers().await.iter().any(|state| state.peer == peer) {
            assert!(begin.elapsed() < PATIENCE, "node {index} kept a stranger");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    let peers: Vec<_> = net.nodes.iter().map(|node| node.address.clone()).collect();
    for node in &net.nodes {
        node.chain.set_peers(peers.clone());
    }
    net.reach(&[stranger], 5, PATIENCE).await;

    // And out again: from then on it gets no more.
    for node in &net.nodes[..4] {
        node.chain.set_peers(peers[..4].to_vec());
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let left = net.nodes[stranger].chain.height();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(net.nodes[stranger].chain.height(), left, "a removed peer got blocks");
    assert!(net.nodes[0].chain.height() > left);
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_proposals_cost_a_round_and_nothing_else() {
    let mut net = Net::new("liar", 4, |_| ()).await;
    net.nodes[1].chain.faults.propose_invalid.store(true, Ordering::Relaxed);
    net.start_all().await;
    net.reach(&[0, 2, 3], 8, PATIENCE).await;
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_stops_the_node_with_the_reason() {
    let mut net = Net::new("failing", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 2, PATIENCE).await;
    net.nodes[0].chain.faults.fail_commit.store(true, Ordering::Relaxed);
    let mut handle = net.nodes[0].handle.take().expect("runs");
    let ended = tokio::time::timeout(PATIENCE, handle.ended()).await.expect("it ends");
    let Err(ConsensusError::Application { action: "commit", .. }) = ended else {
        panic!("expected a failed commit, got {ended:?}");
    };
    // The others go on; after a repair the node is back, with the block it
    // could not commit.
    net.reach(&[1, 2, 3], net.top() + 3, PATIENCE).await;
    net.nodes[0].chain.faults.fail_commit.store(false, Ordering::Relaxed);
    net.start(0).await;
    net.reach(&[0, 1, 2, 3], net.top() + 3, PATIENCE).await;
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_its_undecided_blocks_gets_the_decided_one_from_its_peers() {
    let mut net = Net::new("lost", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 2, PATIENCE).await;
    net.nodes[0].chain.faults.fail_commit.store(true, Ordering::Relaxed);
    let mut handle = net.nodes[0].handle.take().expect("runs");
    let ended = tokio::time::timeout(PATIENCE, handle.ended()).await.expect("it ends");
    assert!(matches!(ended, Err(ConsensusError::Application { action: "commit", .. })));
    net.reach(&[1, 2, 3], net.top() + 3, PATIENCE).await;
    // Its log says what was decided; the block itself is gone.
    let lost = net.nodes[0].directory.join("undecided");
    let files = std::fs::read_dir(&lost).expect("the directory is there").count();
    assert!(files > 0, "the block that was not committed is on disk");
    std::fs::remove_dir_all(&lost).expect("removed");
    net.nodes[0].chain.faults.fail_commit.store(false, Ordering::Relaxed);
    net.start(0).await;
    net.reach(&[0, 1, 2, 3], net.top() + 3, PATIENCE).await;
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_files_for_its_peers_does_not_start() {
    // Room for no peer at all.
    let mut net = Net::new("few", 4, |config| config.max_connections = 15).await;
    let error = net.try_start(0).await.expect_err("three peers do not fit").to_string();
    for words in ["max_connections", "room for 0 peers", "names 3", "LimitNOFILE="] {
        assert!(error.contains(words), "{error}");
    }
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_validator_set_follows_the_state() {
    let mut net = Net::new("rotation", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 2, PATIENCE).await;
    // Node 3 leaves at a height all agree on, as a change in the state would,
    // and comes back at another.
    let four = net.validators.clone();
    let three = billchain_consensus::ValidatorSet::new(
        (1..=3).map(|seed| billchain_consensus::Validator::new(validator_key(seed).public(), 1)),
    )
    .expect("three keys");
    let leaves = net.top() + 5;
    let returns = leaves + 5;
    for node in &net.nodes {
        node.chain.set_validators(leaves, three.clone());
        node.chain.set_validators(returns, four.clone());
    }
    net.reach(&[0, 1, 2, 3], returns + 3, PATIENCE).await;
    net.assert_one_chain();
    let own = billchain_consensus::Address::from_public_key(&validator_key(4).public());
    for height in leaves..returns {
        let certificate = net.nodes[0].chain.block(height).expect("committed").certificate;
        assert_eq!(certificate.signatures.len(), 3, "all three are needed at height {height}");
        assert!(certificate.signatures.iter().all(|signature| signature.address != own));
    }

    // The node that left decides nothing meanwhile, the others need no restart.
    net.stop(1).await;
    net.reach(&[0, 2, 3], net.top() + 3, PATIENCE).await;
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_or_directory_is_a_clear_error() {
    use billchain_consensus::{ConsensusConfig, HeldKeys, NodeIdentity, spawn};

    let net = Net::new("taken", 1, |_| ()).await;
    let node = &net.nodes[0];
    let text = node.address.to_string();
    let listen = text.split_once("/p2p/").expect("addresses name a peer").0.parse();
    let directory = tempfile::tempdir().expect("a directory");
    let config = ConsensusConfig {
        name: "taken".into(),
        directory: directory.path().to_owned(),
        listen: listen.expect("an address without a peer"),
        ..ConsensusConfig::default()
    };
    let identity = NodeIdentity {
        domain: crate::net::domain(),
        network_key: node.network_key.clone(),
        keys: HeldKeys::fixed(node.validator_key.clone()),
    };
    let app = || std::sync::Arc::new(crate::app::Shared(node.chain.clone()));
    let first = spawn(config.clone(), identity.clone(), app()).await.expect("starts");
    tokio::time::sleep(Duration::from_millis(500)).await;

    let error = spawn(config.clone(), identity.clone(), app()).await.err().expect("port taken");
    assert!(error.to_string().contains("cannot listen"), "{error}");

    let elsewhere = "/ip4/127.0.0.1/tcp/0".parse().expect("a literal address");
    let config = ConsensusConfig { listen: elsewhere, ..config };
    let error = spawn(config, identity, app()).await.err().expect("directory taken");
    assert!(error.to_string().contains("lock"), "{error}");
    first.stop().await.expect("stops");
}

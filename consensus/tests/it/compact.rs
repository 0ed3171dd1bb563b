//! Proposals in compact block.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use billchain_consensus::{Address, ConsensusConfig, Height, Round};

use crate::net::{Net, validator_key};

const PATIENCE: Duration = Duration::from_secs(40);

/// Blocks are made for transactions only, each of which all nodes know.
fn on_demand(config: &mut ConsensusConfig) {
    config.empty_interval = Duration::from_secs(60);
}

async fn network(name: &str) -> Net {
    let mut net = Net::new(name, 4, on_demand).await;
    for node in &net.nodes {
        node.chain.proposes_compact.store(true, Ordering::Relaxed);
    }
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 1, PATIENCE).await;
    net
}

/// Has the network decide `count` transactions one after the other.
async fn decide(net: &Net, count: u8) {
    for number in 0..count {
        let transaction = vec![number; 300];
        for node in &net.nodes {
            node.chain.submit(transaction.clone());
        }
        let begin = Instant::now();
        while !net.nodes.iter().all(|node| node.chain.included().contains(&transaction)) {
            assert!(begin.elapsed() < PATIENCE, "transaction {number} was not decided");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    net.assert_one_chain();
}

fn expanded(net: &Net, index: usize) -> u64 {
    net.nodes[index].chain.expanded.load(Ordering::Relaxed)
}

/// Whether the validator's vote is in a certificate that node 0 has.
fn has_voted(net: &Net, index: u8, from: u64) -> bool {
    let own = Address::from_public_key(&validator_key(index + 1).public());
    (from..=net.nodes[0].chain.height())
        .filter_map(|height| net.nodes[0].chain.block(height))
        .any(|block| block.certificate.signatures.iter().any(|vote| vote.address == own))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_of_known_transactions_are_decided_in_the_first_round() {
    let mut net = network("compact").await;
    let first = net.top() + 1;
    decide(&net, 8).await;
    for height in first..=net.nodes[0].chain.height() {
        let certificate = net.nodes[0].chain.block(height).expect("committed").certificate;
        assert_eq!(certificate.round, Round::FIRST, "height {height} needed another round");
    }
    for index in 0..4 {
        assert!(expanded(&net, index) >= 4, "node {index} expanded {}", expanded(&net, index));
        assert!(has_voted(&net, index as u8, first), "node {index} never voted");
    }
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_expands_nothing_costs_the_others_nothing() {
    let mut net = network("unable").await;
    net.nodes[3].chain.faults.cannot_expand.store(true, Ordering::Relaxed);
    let first = net.top() + 1;
    decide(&net, 6).await;
    assert_eq!(expanded(&net, 3), 0, "it followed by value sync");
    for height in first..=net.nodes[0].chain.height() {
        let certificate = net.nodes[0].chain.block(height).expect("committed").certificate;
        assert_eq!(certificate.round, Round::FIRST, "height {height} needed another round");
    }

    // A expansion that hangs is no different.
    net.nodes[3].chain.faults.cannot_expand.store(false, Ordering::Relaxed);
    net.nodes[3].chain.faults.never_expands.store(true, Ordering::Relaxed);
    decide(&net, 3).await;
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lying_compact_block_costs_its_proposer_the_round_and_nothing_else() {
    let mut net = network("lying").await;
    net.nodes[1].chain.faults.send_other_compact.store(true, Ordering::Relaxed);
    let first = net.top() + 1;
    decide(&net, 8).await;
    let liar = Address::from_public_key(&validator_key(2).public());
    let mut lost = 0;
    for height in first..=net.nodes[0].chain.height() {
        let round = net.nodes[0].chain.block(height).expect("committed").certificate.round;
        let proposer = *net.validators.proposer(Height::new(height), Round::FIRST).address();
        assert_eq!(
            round > Round::FIRST,
            proposer == liar,
            "height {height} was decided in round {round}"
        );
        lost += u32::from(proposer == liar);
    }
    assert!(lost > 0, "the liar had no turn");
    net.stop_all().await;
}

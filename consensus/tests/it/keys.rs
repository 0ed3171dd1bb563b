//! A node that holds two keys signs with the one that the state names, without a restart.

use std::time::Duration;

use billchain_consensus::{Address, Validator, ValidatorSet};

use crate::net::{Net, validator_key};

const PATIENCE: Duration = Duration::from_secs(60);

/// The last node of four; the seed of its second key.
const LAST: usize = 3;
const SECOND: u8 = 9;

fn address(seed: u8) -> Address {
    Address::from_public_key(&validator_key(seed).public())
}

/// From some blocks on, the last validator's key is this one.
async fn rotate(net: &Net, seed: u8) {
    let keys = [1, 2, 3, seed].map(|seed| Validator::new(validator_key(seed).public(), 1));
    let next = ValidatorSet::new(keys).expect("four keys");
    let from = net.top() + 5;
    for node in &net.nodes {
        node.chain.set_validators(from, next.clone());
    }
    net.reach(&[0, 1, 2, LAST], from + 3, PATIENCE).await;
}

/// Without the first node the chain needs the last one's votes, which are of this key.
async fn signs_with(net: &mut Net, seed: u8) {
    net.stop(0).await;
    let height = net.top() + 3;
    net.reach(&[1, 2, LAST], height, PATIENCE).await;
    let certificate = net.nodes[1].chain.block(height).expect("committed").certificate;
    let signed = |seed| certificate.signatures.iter().any(|entry| entry.address == address(seed));
    assert!(signed(seed), "{certificate:?}");
    net.start(0).await;
    net.reach(&[0], height, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_goes_over_to_the_key_that_the_state_names_and_back() {
    let mut net = Net::new("keys", 4, |_| ()).await;
    net.nodes[LAST].more_keys = vec![validator_key(SECOND)];
    net.start_all().await;
    net.reach(&[0, 1, 2, LAST], 2, PATIENCE).await;
    signs_with(&mut net, 4).await;

    rotate(&net, SECOND).await;
    signs_with(&mut net, SECOND).await;
    let aside = |seed| {
        let name = format!("signing-memory-of-{}", address(seed));
        net.nodes[LAST].directory.join(name).is_file()
    };
    assert!(aside(4) && !aside(SECOND), "the memory of the key before is kept beside");

    rotate(&net, 4).await;
    signs_with(&mut net, 4).await;
    net.assert_one_chain();

    // A restart comes to the same key.
    net.stop(LAST).await;
    net.start(LAST).await;
    signs_with(&mut net, 4).await;
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_the_new_key_follows_and_says_why_it_does_not_start() {
    let mut net = Net::new("no-key", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, LAST], 2, PATIENCE).await;
    rotate(&net, SECOND).await;
    net.reach(&[LAST], net.top() + 2, PATIENCE).await;

    // With the key of another validator that votes beside it, the memory is foreign.
    net.stop(LAST).await;
    rotate_back(&net).await;
    net.nodes[LAST].validator_key = Some(validator_key(1));
    let Err(refused) = net.try_start(LAST).await else { panic!("it starts") };
    let refused = refused.to_string();
    assert!(refused.contains("signing memory"), "{refused}");
    net.stop_all().await;
}

/// As [`rotate`], to the key of before, while the last node is away.
async fn rotate_back(net: &Net) {
    let from = net.top() + 5;
    for node in &net.nodes {
        node.chain.set_validators(from, net.validators.clone());
    }
    net.reach(&[0, 1, 2], from + 1, PATIENCE).await;
}

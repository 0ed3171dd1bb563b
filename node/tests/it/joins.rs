//! A node that lost its data fetches the chain and takes part again.

use crate::{
    load::{Bills, Final, Load, assert_kept},
    network::{ALL, FAST, Network, PATIENCE},
};
use std::{fs, sync::Arc};

/// Starts a node that has no database, sees it catch up, and sees it vote: the
/// chain goes on without one of the others only if it does.
async fn joins(network: &mut Network, node: usize, other: usize, finals: &[Final]) {
    let others: Vec<usize> = ALL.into_iter().filter(|one| *one != node).collect();
    network.go_on(&others, 2, PATIENCE).await;
    let before = network.agree(&others).await;

    network.start(&[node]);
    let top = network.top(&others).await;
    network.reach(&[node], top, PATIENCE).await;
    let after = network.agree(&ALL).await;
    assert!(after.height >= before.height, "{after:?}, before {before:?}");
    let client = network.client(node).await;
    assert_kept(&client, finals, &format!("node {node} after it joined")).await;

    network.stop(&[other]).await;
    let three: Vec<usize> = ALL.into_iter().filter(|one| *one != other).collect();
    network.go_on(&three, 3, PATIENCE).await;
    network.start(&[other]);
    network.go_on(&ALL, 1, PATIENCE).await;
    network.agree(&ALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_an_empty_directory_reaches_the_head_and_votes() {
    let mut network = Network::started(FAST).await;
    let load = Load::start(&network, 4, &Arc::new(Bills::new()));
    load.wait_finals(60, PATIENCE).await;
    let finals = load.end().await;

    // Everything but configuration and keys is lost, what it has signed among it.
    network.stop(&[4]).await;
    fs::remove_dir_all(network.home(4).join("data")).unwrap();
    network.start(&[4]);
    let (code, log) = network.ended(4, PATIENCE).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("carries this validator's signature"), "{log}");
    let above = network.top(&[1, 2, 3]).await + 2;
    network.abstain(4, above);
    joins(&mut network, 4, 1, &finals).await;

    // The database is lost, what consensus remembers is not: it speaks of
    // heights far above those the node begins with.
    network.stop(&[3]).await;
    let data = network.home(3).join("data");
    assert!(data.join("consensus").is_dir());
    fs::remove_dir_all(data.join("chain")).unwrap();
    joins(&mut network, 3, 2, &finals).await;
    network.finish().await;
}

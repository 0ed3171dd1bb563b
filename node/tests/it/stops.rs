//! Too few nodes to decide: nothing happens, nothing breaks, and it goes on.

use crate::{
    bad_requests::refused_transaction,
    http,
    load::{Bills, Issuer, Load, assert_kept, register},
    network::{ALL, FAST, Network, PATIENCE, report},
};
use billchain_primitives::Hash;
use billchain_rpc_types::TransactionState;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How long nothing may happen: 16 empty intervals of [`FAST`].
const STALL: Duration = Duration::from_secs(8);
/// In which time blocks go on when there are enough nodes again.
const RESUME: Duration = Duration::from_secs(10);

/// Lets blocks under way end; the height at which the nodes stand.
async fn standstill(network: &mut Network, nodes: &[usize]) -> u32 {
    sleep(Duration::from_secs(2)).await;
    network.top(nodes).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_four_make_no_block_and_go_on_when_one_returns() {
    let mut network = Network::started(FAST).await;
    let bills = Arc::new(Bills::new());
    let load = Load::start(&network, 8, &bills);
    load.wait_finals(40, PATIENCE).await;
    let finals = load.end().await;

    network.stop(&[3, 4]).await;
    let stalled = standstill(&mut network, &[1, 2]).await;
    let node = network.client(1).await;
    let issuer = Issuer::new("hospital");
    let call = register(bills.next(&issuer));
    let transaction = issuer.signer.transaction(call, 0, node.genesis());
    let hash = node.submit(&transaction).await.unwrap();
    sleep(STALL).await;
    assert_eq!(network.top(&[1, 2]).await, stalled, "two of four made a block");
    let view = node.transaction(hash).await.unwrap();
    assert_eq!(view.state, TransactionState::Ready, "two of four decided a transaction");

    network.start(&[3]);
    // It has returned when it answers.
    network.client(3).await;
    let returned = Instant::now();
    network.reach(&[1, 2, 3], stalled + 1, RESUME).await;
    report(&format!(
        "blocks went on {:.1} s after the third of four was back",
        returned.elapsed().as_secs_f64()
    ));
    network.go_on(&[1, 2, 3], 2, PATIENCE).await;
    let view = node.wait_final(hash, PATIENCE).await.unwrap();
    assert_eq!(view.success, Some(true), "{view:?}");

    network.start(&[4]);
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    for number in ALL {
        let node = network.client(number).await;
        assert_kept(&node, &finals, &format!("node {number}")).await;
        let view = node.transaction(hash).await.unwrap();
        assert_eq!(view.state, TransactionState::Final, "at node {number}");
    }
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_pool_refuses_and_has_room_again_when_blocks_are_made() {
    const ROOM: usize = 8;
    let mut network = Network::new(FAST).await;
    network
        .configure(1, &format!("\n[pool]\nmax_transactions = {ROOM}\nmax_per_sender = {ROOM}\n"));
    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    // Without blocks nothing leaves the pool.
    network.stop(&[3, 4]).await;
    let stalled = standstill(&mut network, &[1, 2]).await;

    let (bills, issuer) = (Bills::new(), Issuer::new("hospital-1"));
    let node = network.client(1).await;
    let sign =
        |nonce| issuer.signer.transaction(register(bills.next(&issuer)), nonce, node.genesis());
    let mut taken: Vec<Hash> = Vec::new();
    for nonce in 0..ROOM as u32 {
        taken.push(node.submit(&sign(nonce)).await.unwrap());
    }
    // Another sender takes half of the room from the one that has all of it.
    let other = Issuer::new("hospital-2");
    let sign_other =
        |nonce| other.signer.transaction(register(bills.next(&other)), nonce, node.genesis());
    let gave_way = taken.split_off(ROOM / 2);
    for nonce in 0..ROOM as u32 / 2 {
        taken.push(node.submit(&sign_other(nonce)).await.unwrap());
    }
    for hash in gave_way {
        assert_eq!(node.transaction(hash).await.unwrap().state, TransactionState::Unknown);
    }
    // Its share is as large as the other's now, so that nobody gives way to it.
    let late = sign_other(ROOM as u32 / 2);
    let refusal = refused_transaction(&node, &late).await;
    assert_eq!(refusal.code, 1016, "{refusal:?}");
    assert_eq!(refusal.data, json!({ "code": 2003, "temporary": true }), "{refusal:?}");
    assert!(refusal.message.starts_with("the pool is full"), "{refusal:?}");

    network.start(&[3]);
    network.reach(&[1, 2, 3], stalled + 1, PATIENCE).await;
    for hash in taken {
        assert_eq!(node.wait_final(hash, PATIENCE).await.unwrap().success, Some(true));
    }
    let hash = node.submit(&late).await.unwrap();
    assert_eq!(node.wait_final(hash, PATIENCE).await.unwrap().success, Some(true));
    network.start(&[4]);
    network.go_on(&ALL, 1, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_says_when_no_block_comes() {
    let mut network = Network::started(FAST).await;
    let port = network.metrics_port(1);
    let (status, answer) = http::get(port, "/health").await;
    assert!(status == 200 && answer.ends_with("ok\n"), "{answer}");

    network.stop(&[3, 4]).await;
    let stopped = Instant::now();
    // Three empty intervals and a failed round, 5 s, and some of them before the stop.
    let soon = stopped + Duration::from_secs(2);
    let answer = loop {
        let (status, answer) = http::get(port, "/health").await;
        if status == 503 {
            assert!(Instant::now() > soon, "too soon: {answer}");
            break answer;
        }
        assert!(stopped.elapsed() < PATIENCE, "still healthy: {answer}");
        sleep(Duration::from_millis(200)).await;
    };
    let words = answer.lines().last().unwrap_or_default();
    assert!(words.starts_with("stalled: no block for 5") && words.ends_with(" s"), "{answer}");

    network.start(&[3, 4]);
    // The first block may have been proposed before the stop: its time is as old.
    network.go_on(&ALL, 2, PATIENCE).await;
    let (status, answer) = http::get(port, "/health").await;
    assert_eq!(status, 200, "{answer}");
    network.finish().await;
}

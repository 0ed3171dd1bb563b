//! A validator that is away costs its turn once, and is back soon after it returns.

use crate::network::{ALL, Network, PATIENCE, report};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Settings that make an empty block ten times a second.
const QUICK: &str = "\n[consensus]\nempty_block_interval_ms = 100\n";
/// Longest time of a turn that fails: the proposal's timeout, both of votes, and a busy
/// machine.
const TURN: Duration = Duration::from_secs(6);
/// Blocks after which a validator that votes again must take turns.
const BACK_WITHIN: u32 = 100;

/// How each validator takes part, as node 1 has it.
async fn participation(network: &mut Network) -> Vec<Value> {
    let node = network.client(1).await;
    node.raw().request("validator_participation", rpc_params![]).await.unwrap()
}

/// The one that takes no turns, when there is one.
async fn left_out(network: &mut Network) -> Value {
    let began = Instant::now();
    loop {
        let all = participation(network).await;
        let out: Vec<&Value> = all.iter().filter(|one| one["takes_turns"] == false).collect();
        assert!(out.len() <= 1, "more than one of four is left out: {all:?}");
        if let [one] = out[..] {
            return one.clone();
        }
        assert!(began.elapsed() < PATIENCE, "nobody is left out: {all:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Longest time without a new block at node 1 while it makes `blocks`.
async fn longest_gap(network: &mut Network, blocks: u32) -> Duration {
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    let first = network.height(1).await;
    let mut height = first;
    while height < first + blocks {
        let now = network.height(1).await;
        if now > height {
            longest = longest.max(last.elapsed());
            (height, last) = (now, Instant::now());
        }
        assert!(last.elapsed() < PATIENCE, "no block after {height}");
        sleep(Duration::from_millis(5)).await;
    }
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_validator_costs_its_turn_once_and_is_back_soon_after_it_returns() {
    let mut network = Network::started(QUICK).await;
    network.go_on(&ALL, 20, PATIENCE).await;
    let before = participation(&mut network).await;
    assert!(before.iter().all(|one| one["takes_turns"] == true), "{before:?}");

    network.kill(&[4]);
    let dying = longest_gap(&mut network, 10).await;
    let out = left_out(&mut network).await;
    // It has no turn now, so nobody waits for it.
    let dead = longest_gap(&mut network, 60).await;
    assert!(dead < Duration::from_secs(1), "a turn was waited for: {dead:?}");
    assert!(dying < TURN, "{dying:?}");
    let name = out["name"].clone();
    let of_dead = |all: &[Value]| all.iter().find(|one| one["name"] == name).cloned().unwrap();
    let still = of_dead(&participation(&mut network).await);
    assert_eq!(still["takes_turns"], false);
    assert!(still["missed"].as_u64() >= Some(60), "{still}");
    assert_eq!(still["last_seen"], out["last_seen"], "the last block that it signed stays");

    network.start(&[4]);
    network.reach(&[4], 1, PATIENCE).await;
    let top = network.top(&[1]).await;
    network.reach(&[4], top, PATIENCE).await;
    let caught_up = network.top(&[1]).await;
    let began = Instant::now();
    while of_dead(&participation(&mut network).await)["takes_turns"] == false {
        assert!(began.elapsed() < PATIENCE, "it never came back");
        sleep(Duration::from_millis(20)).await;
    }
    let back = network.top(&[1]).await - caught_up;
    assert!(back <= BACK_WITHIN, "{back} blocks");
    network.go_on(&ALL, 10, PATIENCE).await;
    network.agree(&ALL).await;
    report(&format!(
        "one killed: longest gap {:.2} s, then {:.2} s; back {back} blocks after it caught up",
        dying.as_secs_f64(),
        dead.as_secs_f64()
    ));
    network.finish().await;
}

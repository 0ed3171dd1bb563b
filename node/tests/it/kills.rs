//! Power fails everywhere at once, again and again.

use crate::{
    command::billchain,
    load::{Bills, Load, assert_kept},
    network::{ALL, FAST, Network, PATIENCE, report, seed},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{ffi::OsStr, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const ROUNDS: usize = 10;
/// Issuers that send, two at each node.
const ISSUERS: usize = 8;
/// Registrations that must be final before the power fails.
const FINALS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_reported_final_survives_ten_kills_of_all_four_under_load() {
    let mut random = StdRng::seed_from_u64(seed());
    let mut network = Network::started(FAST).await;
    let bills = Arc::new(Bills::new());
    let began = Instant::now();
    let mut finals = Vec::new();
    for round in 1..=ROUNDS {
        let load = Load::start(&network, ISSUERS, &bills);
        load.wait_finals(FINALS, PATIENCE).await;
        // At another moment of a block each time.
        sleep(Duration::from_millis(random.random_range(0..700))).await;
        network.kill(&ALL);
        let reported = load.end().await;
        assert!(reported.len() >= FINALS, "round {round}: {} were final", reported.len());
        println!("round {round}: {} were final before the kill", reported.len());

        network.start(&ALL);
        // Whoever was behind the others fetches what it missed.
        network.go_on(&ALL, 2, PATIENCE).await;
        network.agree(&ALL).await;
        for number in ALL {
            let node = network.client(number).await;
            assert_kept(&node, &reported, &format!("round {round}, node {number}")).await;
        }
        finals.extend(reported);
    }
    for number in ALL {
        let node = network.client(number).await;
        assert_kept(&node, &finals, &format!("at the end, node {number}")).await;
    }
    let agreed = network.agree(&ALL).await;
    report(&format!(
        "{ROUNDS} kills of all four: {} registrations that were final are on every node, up to \
         block {}, in {:.0} s",
        finals.len(),
        agreed.height,
        began.elapsed().as_secs_f64()
    ));
    network.stop(&ALL).await;
    for number in ALL {
        let config = network.config(number);
        let checked = billchain([OsStr::new("check-state"), "--config".as_ref(), config.as_ref()]);
        let counted = checked.succeeded();
        assert!(counted.contains("every version chain verifies"), "{counted}");
    }
    network.finish().await;
}

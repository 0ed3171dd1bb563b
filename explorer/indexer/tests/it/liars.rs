//! Nodes that lie are found out and named, and others are used.

use crate::{
    dump::assert_equal,
    network::{Network, PATIENCE},
    proxy,
    story::Story,
};
use billchain_client::Connection;
use billchain_explorer_indexer::{Indexer, Settings, Status, Tables, recount::recount};
use serde_json::{Value, json};
use std::time::Instant;

fn is(question: &Value, method: &str) -> bool {
    question["method"] == method
}

/// Changes a digit in the middle of the longest transaction: an amount, or whatever stands there.
fn changes_a_transaction(question: &Value, answer: &mut Value) {
    if !is(question, "archive_v1_body") {
        return;
    }
    let Some(body) = answer["result"].as_array_mut() else { return };
    let longest = body.iter_mut().max_by_key(|text| text.as_str().map_or(0, str::len));
    let Some(text) = longest else { return };
    let mut digits = text.as_str().unwrap_or_default().to_owned();
    if digits.len() < 400 {
        return;
    }
    let at = digits.len() / 2;
    let other = if digits.as_bytes()[at] == b'0' { "1" } else { "0" };
    digits.replace_range(at..=at, other);
    *text = json!(digits);
}

/// Hides a transaction.
fn hides_a_transaction(question: &Value, answer: &mut Value) {
    if is(question, "archive_v1_body")
        && let Some(body) = answer["result"].as_array_mut()
        && body.len() > 2
    {
        body.pop();
    }
}

/// Tells of another reimbursement, or another hash: a byte of the longest list of events.
fn changes_an_event(question: &Value, answer: &mut Value) {
    if !is(question, "state_getStorage") {
        return;
    }
    let Some(text) = answer["result"].as_str() else { return };
    if text.len() < 1_000 {
        return;
    }
    let mut digits = text.to_owned();
    let at = digits.len() - 40;
    let other = if digits.as_bytes()[at] == b'0' { "1" } else { "0" };
    digits.replace_range(at..=at, other);
    answer["result"] = json!(digits);
}

/// Gives the header of the block before.
fn gives_other_headers(question: &Value, answer: &mut Value) {
    if is(question, "chain_decidedHeader") && question["params"][0].is_number() {
        answer["result"]["decided"] = json!("0x00");
    }
}

/// Says that nothing came after block 3.
fn shows_an_old_head(question: &Value, answer: &mut Value) {
    if is(question, "archive_v1_finalizedHeight") {
        answer["result"] = json!(3);
    }
}

async fn height(client: &Connection) -> u32 {
    let height = client.read("archive_v1_finalizedHeight", vec![]).await.unwrap();
    u32::try_from(height.as_u64().unwrap()).unwrap()
}

async fn index(settings: &Settings, head: u32) -> (Tables, Status) {
    let mut indexer = Indexer::open(settings).await.unwrap();
    let status = indexer.status();
    let deadline = Instant::now() + PATIENCE;
    while status.borrow().indexed < head {
        indexer.step().await.unwrap();
        let now = status.borrow().clone();
        assert!(Instant::now() < deadline, "{now:?}");
    }
    let now = status.borrow().clone();
    (indexer.tables().clone(), now)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lies_is_named_and_what_it_says_is_not_kept() {
    let mut network = Network::started().await;
    Story::play(&network).await;
    let client = network.client(1).await;
    // An old head is one that is more than 16 blocks behind.
    let deadline = Instant::now() + PATIENCE;
    while height(&client).await < 24 {
        assert!(Instant::now() < deadline, "the chain stands still");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    network.kill(3);
    network.kill(4);
    let head = height(&client).await;
    let honest = vec![network.url(1), network.url(2)];
    let settings = network.settings(network.sqlite("honest"), honest.clone());
    let (expected, status) = index(&settings, head).await;
    assert_eq!(status.liars, Vec::<String>::new());
    let lies: [(&str, proxy::Change, &str); 4] = [
        ("changed", changes_a_transaction, "the transactions that it gave of block"),
        ("hidden", hides_a_transaction, "the transactions that it gave of block"),
        ("events", changes_an_event, "events"),
        ("headers", gives_other_headers, "cannot be read"),
    ];
    for (name, lie, words) in lies {
        // The liar is asked for every third block, until it is found out.
        let liar = proxy::before(network.port(1), lie);
        let nodes = [vec![liar.clone()], honest.clone()].concat();
        let settings = network.settings(network.sqlite(name), nodes);
        let (tables, status) = index(&settings, head).await;
        assert_eq!(status.liars, std::slice::from_ref(&liar), "{name}: {status:?}");
        let told = status.nodes[0].lie.clone().unwrap();
        assert!(told.contains(words), "{name}: {told}");
        assert_equal(&expected, &tables).await;
        let incidents: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM incidents WHERE sort = 'lie' AND node = $1")
                .bind(liar)
                .fetch_one(tables.pool())
                .await
                .unwrap();
        assert!(incidents > 0, "{name}: the lie is on record");
        let counted = recount(&settings).await.unwrap();
        assert!(counted.is_right(), "{name}: {counted}");
    }
    old_head(&network, &honest, head).await;
    alone(&network, head).await;
}

/// A node that shows an old head is told apart from one that is only behind, and not waited for.
async fn old_head(network: &Network, honest: &[String], head: u32) {
    let liar = proxy::before(network.port(2), shows_an_old_head);
    let nodes = vec![liar.clone(), honest[0].clone()];
    let settings = network.settings(network.sqlite("old"), nodes);
    let mut indexer = Indexer::open(&settings).await.unwrap();
    let status = indexer.status();
    let deadline = Instant::now() + PATIENCE;
    loop {
        indexer.step().await.unwrap();
        let now = status.borrow().clone();
        if now.indexed >= head && now.liars == std::slice::from_ref(&liar) {
            assert!(now.nodes[0].lie.clone().unwrap().contains("it shows block 3 as its newest"));
            break;
        }
        assert!(Instant::now() < deadline, "{now:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// With the liar alone the index stands still and says why; nothing of the lie is in it.
async fn alone(network: &Network, head: u32) {
    let liar = proxy::before(network.port(1), changes_a_transaction);
    let settings = network.settings(network.sqlite("alone"), vec![liar]);
    let mut indexer = Indexer::open(&settings).await.unwrap();
    let status = indexer.status();
    for _ in 0..3 {
        indexer.step().await.unwrap();
    }
    let now = status.borrow().clone();
    assert!(now.indexed < head && !now.is_healthy(), "{now:?}");
    assert!(now.problem.unwrap().contains("no node gives block"));
}

//! Webhooks: signed, once, replayed from a height.

use crate::kit::*;
use billchain_connectors::signed;
use billchain_crypto::sm2::SecretKey;
use billchain_mocks::{faults::Faults, systems::Kind};
use billchain_primitives::outbox::{ConnectorKind, idempotency_key};
use billchain_workers::{
    Clock, Connector, Content, Notice, SystemClock, Tended, Tools,
    tools::{Answer, Http, HttpSettings, Request},
};
use serde_json::{Value, json};
use std::sync::Arc;

fn connector(bench: &Bench) -> Box<dyn Connector> {
    let text = format!("url = \"{}/hook\"\n", bench.url());
    bench.connector("webhook/1", ConnectorKind::Webhook, &text, bench.tools("store"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_verified_and_taken_once_on_a_bad_day() {
    let bench = Bench::new(Kind::Receiver).await;
    let connector = connector(&bench);
    bench.faults(bad_day());
    let notices = life(25);
    tell_all(&*connector, &notices).await;
    let counts = bench.running().effects().counts();
    assert_eq!((counts.effects, counts.twice, counts.out_of_order, counts.refused), (50, 0, 0, 0));
    let first = &bench.running().effects().after(0, 1)[0];
    assert_eq!(first.body["topic"], "bill_locked");
    assert_eq!(
        first.key,
        hex::encode(idempotency_key(&GENESIS, CONNECTOR, first.body["seq"].as_u64().unwrap()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_not_believed_by_the_receiver() {
    let bench = Bench::new(Kind::Receiver).await;
    let tools = bench.tools("store");
    let stranger = std::sync::Arc::new(billchain_workers::Tools {
        http: tools.http.clone(),
        store: tools.store.clone(),
        chain: tools.chain.clone(),
        key: billchain_crypto::sm2::SecretKey::from_seed(b"a stranger"),
        clock: tools.clock.clone(),
    });
    let text = format!("url = \"{}/hook\"\n", bench.url());
    let connector = bench.connector("webhook/1", ConnectorKind::Webhook, &text, stranger);
    assert!(connector.deliver(&life(1)[..1]).await[0].is_err());
    let counts = bench.running().effects().counts();
    assert_eq!((counts.effects, counts.refused), (0, 1));
}

/// The trace of a notice, as the node's JSON-RPC has it.
fn entry_view(notice: &Notice) -> Value {
    let entry = &notice.entry;
    let stamp = json!({"block": entry.block, "extrinsic": 1, "time": entry.moment});
    json!({
        "connector": CONNECTOR, "seq": notice.seq, "topic": entry.topic, "subject": entry.subject,
        "version": entry.version, "scene": null, "digest": format!("0x{}", hex::encode(entry.digest)),
        "previous": null, "at": stamp, "status": "acknowledged", "attempts": 1, "refusals": 0,
        "refusal": null, "answer": format!("0x{}", "01".repeat(32)), "reason": null, "by": null, "ended": stamp,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_platform_lost_comes_again_from_the_height_that_it_names() {
    let bench = Bench::new(Kind::Receiver).await;
    let tools = bench.tools("store");
    let text = format!("url = \"{}/hook\"\n", bench.url());
    let connector = bench.connector("webhook/1", ConnectorKind::Webhook, &text, tools.clone());
    let notices = life(60);
    let kept = notices.clone();
    *bench.chain.answers.lock() = Some(Box::new(move |method, params| match method {
        "outbox_entry" => {
            let seq = params[1].as_u64().unwrap();
            Some(kept.iter().find(|notice| notice.seq == seq).map_or(Value::Null, entry_view))
        }
        "bill_history" => {
            let find = |notice: &&Notice| match &notice.content {
                Content::Bill(view) => {
                    json!(view.bill.number) == params[1] && json!(view.version) == params[2]
                }
                _ => false,
            };
            let Content::Bill(view) = &kept.iter().find(find)?.content else { return None };
            Some(json!([view]))
        }
        _ => None,
    }));
    // Entry 31 is of height 41: the platform has lost what came from there on.
    tools.store.put(b"replay", br#"{"height": 41, "next": 0, "last": 120}"#).unwrap();
    bench.faults(Faults { lost: 200, error: 200, ..Faults::default() });
    for _ in 0..500 {
        if connector.tend(0).await == Ok(Tended::Rested) {
            break;
        }
    }
    let effects = bench.running().effects().after(0, 200);
    let seqs: Vec<u64> =
        effects.iter().map(|effect| effect.body["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (31..=120).collect::<Vec<u64>>(), "all from that height on, in order");
    assert_eq!(connector.tend(0).await, Ok(Tended::Rested), "once");
}

#[test]
fn only_a_height_asks_for_a_replay() {
    let answer = |value: &str| Answer {
        status: 200,
        headers: vec![("x-billchain-replay-from".to_owned(), value.to_owned())],
        body: Vec::new(),
    };
    for (value, expected) in
        [("17", Some(17)), (" 17 ", Some(17)), ("-1", None), ("", None), ("99999999999", None)]
    {
        assert_eq!(
            billchain_connectors::webhook::wanted_again(&answer(value)),
            expected,
            "{value:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a receiver: scripts/connectors webhooks starts it"]
async fn a_receiver_in_another_language_believes_what_is_signed_once() {
    let url = std::env::var("BILLCHAIN_TEST_RECEIVER").expect("BILLCHAIN_TEST_RECEIVER=URL");
    let bench = Bench::new(Kind::Receiver).await;
    let http = Http::new(HttpSettings { plain: true, ..HttpSettings::default() }).unwrap();
    let with_key = |key: SecretKey, name: &str| {
        let tools = bench.tools(name);
        let (store, chain, clock) = (tools.store.clone(), tools.chain.clone(), tools.clock.clone());
        let tools = Arc::new(Tools { http: http.clone(), store, chain, key, clock });
        bench.connector("webhook/1", ConnectorKind::Webhook, &format!("url = {url:?}\n"), tools)
    };
    let connector = with_key(worker_key(), "good");
    let notices = life(10);
    for _ in 0..2 {
        tell_all(&*connector, &notices).await;
    }
    let count = async || {
        let now = SystemClock.now();
        let request = signed::sign(Request::get(&url), &"0".repeat(64), now, &worker_key());
        let answer = http.send(request).await.unwrap();
        serde_json::from_slice::<Value>(&answer.body).unwrap()["events"].as_u64().unwrap()
    };
    assert_eq!(count().await, 20, "each event is taken once");
    let stranger = with_key(SecretKey::from_seed(b"a stranger"), "stranger");
    assert!(stranger.deliver(&life(11)[..1]).await[0].is_err(), "a stranger");
    let body = b"{}".to_vec();
    let post = || Request::post(&url, "application/json", body.clone());
    let id = "ab".repeat(32);
    let now = SystemClock.now();
    let mut damaged = signed::sign(post(), &id, now, &worker_key());
    damaged.body = b"{ }".to_vec();
    for (what, request, status) in [
        ("a changed body", damaged, 401),
        ("an old request", signed::sign(post(), &id, now - 400_000, &worker_key()), 401),
        ("no event", signed::sign(post(), &id, now, &worker_key()), 422),
        ("unsigned", post(), 401),
    ] {
        assert_eq!(http.send(request).await.unwrap().status, status, "{what}");
    }
    assert_eq!(count().await, 20);
    println!("seen: 20 events once each, and four that are not believed");
}

#[test]
fn receivers_know_the_key_of_these_tests() {
    let kept = include_str!("../../receivers/test-key").trim();
    assert_eq!(kept, hex::encode(worker_key().public().to_compressed()));
}

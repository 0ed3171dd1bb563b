//! The evidence chain: hashes, originals, batches, receipts.

use crate::kit::*;
use billchain_connectors::{
    evidence::{Evidence, Receipt, Settings, verify},
    settings,
};
use billchain_crypto::sm3::sm3;
use billchain_mocks::systems::Kind;
use billchain_primitives::{
    Hash,
    outbox::{ConnectorKind, Topic},
};
use billchain_workers::{Connector, Tended, Tools};
use serde_json::{Value, json};
use std::sync::Arc;

fn text(bench: &Bench, batch: usize) -> String {
    format!(
        "url = \"{}\"\npublic_key = \"{}\"\nbatch = {batch}\noriginals_dir = {:?}\n",
        bench.url(),
        bench.public_key(),
        bench.directory.path()
    )
}

fn connector(bench: &Bench, batch: usize, tools: Arc<Tools>) -> Box<dyn Connector> {
    bench.connector("evidence/1", ConnectorKind::EvidenceChain, &text(bench, batch), tools)
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_put_each_digest_down_once_on_a_bad_day_and_receipts_are_kept() {
    let mut bench = Bench::new(Kind::Evidence).await;
    let tools = bench.tools("store");
    let connector = connector(&bench, 16, tools.clone());
    bench.faults(bad_day());
    let notices = life(40);
    tell_all(&*connector, &notices).await;
    // A stand-in that starts again knows the same receipts.
    bench.running = None;
    bench.start().await;
    for _ in 0..100 {
        if connector.tend(0).await == Ok(Tended::Rested)
            && tools.store.entries(b"pending/", None, 1).unwrap().is_empty()
        {
            break;
        }
    }
    let counts = bench.running().effects().counts();
    assert_eq!((counts.effects, counts.twice, counts.out_of_order), (80, 0, 0), "{counts:?}");
    let evidence = Evidence::new(toml::from_str(&text(&bench, 16)).unwrap(), tools).unwrap();
    for notice in &notices {
        let kept = evidence.kept(&notice.key_hex()).unwrap().expect("a receipt is kept");
        let receipt: Value = serde_json::from_slice(&kept).unwrap();
        assert_eq!(receipt["state"], "final");
        let found = evidence.verify_digest(notice.entry.digest).await.unwrap();
        assert_eq!(found.unwrap().request_id, notice.key_hex());
    }
    assert_eq!(evidence.verify_digest([0xee; 32]).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_goes_where_the_operator_has_it_and_its_hash_where_not() {
    let bench = Bench::new(Kind::Evidence).await;
    let connector = connector(&bench, 1, bench.tools("store"));
    let credential = b"header.payload.signature";
    let grant = Hash::from(sm3(credential));
    std::fs::write(bench.directory.path().join(format!("{}.jwt", hex::encode(grant))), credential)
        .unwrap();
    let other = Hash::repeat_byte(9);
    let notices = [
        grant_notice(1, grant, Topic::GrantRegistered, 1, "active", "did:bill:insurer-a"),
        grant_notice(2, other, Topic::GrantRegistered, 1, "active", "did:bill:insurer-a"),
    ];
    tell_all(&*connector, &notices).await;
    let effects = bench.running().effects().after(0, 10);
    let kinds: Vec<&str> = effects.iter().map(|effect| effect.kind.as_str()).collect();
    assert_eq!(kinds, ["original", "hash"]);
    assert_eq!(effects[0].body["digest"], hex::encode(grant));
    // A file that is not what its name says is not sent.
    let forged = Hash::repeat_byte(8);
    std::fs::write(bench.directory.path().join(format!("{}.jwt", hex::encode(forged))), b"forged")
        .unwrap();
    let forged = grant_notice(3, forged, Topic::GrantRegistered, 1, "active", "did:bill:insurer-a");
    assert!(connector.deliver(&[forged]).await[0].is_err());
    assert_eq!(bench.running().effects().counts().effects, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_changed_receipt_is_believed() {
    let bench = Bench::new(Kind::Evidence).await;
    let connector = connector(&bench, 4, bench.tools("store"));
    let notices = life(2);
    let told = tell_all(&*connector, &notices).await;
    let key = settings::public_key("public_key", &bench.public_key()).unwrap();
    let notice = &notices[0];
    let good: Receipt = serde_json::from_slice(&told[&notice.seq].answer).unwrap();
    let expected = [(notice.key_hex(), notice.entry.digest)];
    let answer =
        |receipt: &Value| json!({"code": "0", "items": [receipt]}).to_string().into_bytes();
    let good = serde_json::to_value(&good).unwrap();
    verify(&answer(&good), &expected, &key).expect("the receipt as it came");
    for (field, other) in [
        ("request_id", json!("00")),
        ("receipt_id", json!("E000000000009")),
        ("kind", json!("hash")),
        ("digest", json!("00".repeat(32))),
        ("block", json!(99)),
        ("time", json!(1)),
        ("state", json!("final")),
        ("path", json!([])),
        ("signature", json!("00".repeat(64))),
    ] {
        let mut bad = good.clone();
        bad[field] = other;
        assert!(verify(&answer(&bad), &expected, &key).is_err(), "{field}");
    }
    let another = [(notice.key_hex(), [1; 32])];
    assert!(verify(&answer(&good), &another, &key).is_err(), "another digest");
    let other_key = worker_key().public().to_compressed();
    assert!(verify(&answer(&good), &expected, &other_key).is_err(), "another key");
    let _: Settings = toml::from_str(&text(&bench, 4)).unwrap();
}

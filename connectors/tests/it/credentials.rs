//! Insurers: credentials are pushed to whom they are for.

use crate::kit::*;
use billchain_mocks::systems::Kind;
use billchain_primitives::{
    Hash,
    outbox::{ConnectorKind, Topic},
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn each_word_about_a_grant_arrives_once_at_its_subject_on_a_bad_day() {
    let bench = Bench::new(Kind::Insurance).await;
    let text = format!(
        "[receivers.\"did:bill:insurer-a\"]\nurl = \"{}\"\npublic_key = \"{}\"\n",
        bench.url(),
        bench.public_key()
    );
    let connector =
        bench.connector("credential-push/1", ConnectorKind::Insurer, &text, bench.tools("store"));
    bench.faults(bad_day());
    let mut notices = Vec::new();
    for n in 1..=20u8 {
        let grant = Hash::repeat_byte(n);
        let subject = if n % 4 == 0 { "did:bill:insurer-b" } else { "did:bill:insurer-a" };
        for (version, topic, status) in
            [(1, Topic::GrantRegistered, "active"), (2, Topic::GrantChanged, "revoked")]
        {
            notices.push(grant_notice(
                notices.len() as u64 + 1,
                grant,
                topic,
                version,
                status,
                subject,
            ));
        }
    }
    let told = tell_all(&*connector, &notices).await;
    let counts = bench.running().effects().counts();
    assert_eq!((counts.effects, counts.twice, counts.out_of_order, counts.refused), (30, 0, 0, 0));
    let not_told = told.values().filter(|told| {
        serde_json::from_slice::<Value>(&told.answer).unwrap()["told"] == json!(false)
    });
    assert_eq!(not_told.count(), 10, "grants for another are acknowledged as not for it");
}

#[test]
fn an_answer_of_another_or_to_another_is_none() {
    use billchain_connectors::credentials::check;
    let key = worker_key();
    let public = key.public().to_compressed();
    let sign = |text: &str| {
        hex::encode(key.sign(billchain_crypto::sm2::DEFAULT_ID, text.as_bytes()).to_bytes())
    };
    let id = "ab".repeat(32);
    let good = json!({"code": "0", "request_id": id, "number": 4, "signature": sign(&format!("credential-receipt/1\n{id}\n4"))});
    check(good.to_string().as_bytes(), &id, &public).unwrap();
    for (field, other) in [
        ("code", json!("1")),
        ("request_id", json!("cd")),
        ("number", json!(5)),
        ("signature", json!("00")),
    ] {
        let mut bad = good.clone();
        bad[field] = other;
        assert!(check(bad.to_string().as_bytes(), &id, &public).is_err(), "{field}");
    }
}

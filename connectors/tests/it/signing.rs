//! The signing chain: start, sign, file, report, replay, cancel.

use crate::kit::*;
use billchain_connectors::{
    settings,
    signing::{Report, Settings, Signing, replay},
};
use billchain_mocks::systems::Kind;
use billchain_primitives::{
    Hash,
    outbox::{ConnectorKind, Topic},
};
use serde_json::{Value, json};

fn text(bench: &Bench) -> String {
    format!(
        "url = \"{}\"\npublic_key = \"{}\"\ntemplate = \"authorization/1\"\n",
        bench.url(),
        bench.public_key()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_signed_fetched_replayed_and_kept_on_a_bad_day() {
    let bench = Bench::new(Kind::Signing).await;
    let tools = bench.tools("store");
    let connector =
        bench.connector("signing/1", ConnectorKind::SigningChain, &text(&bench), tools.clone());
    bench.faults(bad_day());
    let grants: Vec<Hash> = (1..=8).map(Hash::repeat_byte).collect();
    let notices: Vec<_> = (1u64..)
        .zip(&grants)
        .map(|(seq, grant)| {
            grant_notice(seq, *grant, Topic::GrantRegistered, 1, "active", "did:bill:insurer-a")
        })
        .collect();
    tell_all(&*connector, &notices).await;
    for _ in 0..2_000 {
        let _ = connector.tend(0).await;
        if tools.store.entries(b"open/", None, 1).unwrap().is_empty() {
            break;
        }
    }
    let counts = bench.running().effects().counts();
    assert_eq!((counts.effects, counts.twice), (8, 0), "{counts:?}");
    let key = settings::public_key("public_key", &bench.public_key()).unwrap();
    for grant in &grants {
        let of = |what: &str| {
            tools.store.get(format!("{what}/{}", hex::encode(grant)).as_bytes()).unwrap().unwrap()
        };
        assert_eq!(of("state"), b"signed");
        let (file, body) = (of("file"), of("report"));
        let report: Report = serde_json::from_slice(&body).unwrap();
        let acts: Vec<&str> = report.trace.iter().map(|step| step.act.as_str()).collect();
        assert_eq!(acts, ["start", "sign"]);
        replay(&body, &report.process_id, &file, &key).unwrap();
    }
    no_changed_report_is_believed(
        &tools.store.get(format!("report/{}", hex::encode(grants[0])).as_bytes()).unwrap().unwrap(),
        &tools.store.get(format!("file/{}", hex::encode(grants[0])).as_bytes()).unwrap().unwrap(),
        &key,
    );
}

fn no_changed_report_is_believed(body: &[u8], file: &[u8], key: &[u8; 33]) {
    let good: Value = serde_json::from_slice(body).unwrap();
    let id = good["process_id"].as_str().unwrap().to_owned();
    let refused = |what: &str, report: Value, file: &[u8]| {
        let body = report.to_string().into_bytes();
        assert!(replay(&body, &id, file, key).is_err(), "{what}");
    };
    refused("another file", good.clone(), b"another");
    for (what, change) in [
        ("no step", json!([])),
        ("a step left out", json!([good["trace"][1]])),
        ("the signature left out", json!([good["trace"][0]])),
    ] {
        let mut bad = good.clone();
        bad["trace"] = change;
        refused(what, bad, file);
    }
    for field in ["act", "who", "time", "file", "previous", "hash", "n"] {
        let mut bad = good.clone();
        let before = bad["trace"][0][field].clone();
        bad["trace"][0][field] = if before.is_number() { json!(77) } else { json!("other") };
        refused(field, bad, file);
    }
    let mut bad = good.clone();
    bad["signature"] = json!("00".repeat(64));
    refused("its signature", bad, file);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_grant_cancels_its_process() {
    let bench = Bench::new(Kind::Signing).await;
    let tools = bench.tools("store");
    let connector =
        bench.connector("signing/1", ConnectorKind::SigningChain, &text(&bench), tools.clone());
    let grant = Hash::repeat_byte(5);
    let start = grant_notice(1, grant, Topic::GrantRegistered, 1, "active", "did:bill:insurer-a");
    let frozen = grant_notice(2, grant, Topic::GrantChanged, 2, "frozen", "did:bill:insurer-a");
    let revoked = grant_notice(3, grant, Topic::GrantChanged, 3, "revoked", "did:bill:insurer-a");
    tell_all(&*connector, &[start, frozen, revoked]).await;
    assert_eq!(bench.running().effects().counts().effects, 2, "a freeze changes nothing there");
    assert!(tools.store.entries(b"open/", None, 1).unwrap().is_empty());
    let settings: Settings = toml::from_str(&text(&bench)).unwrap();
    let signing = Signing::new(settings, tools).unwrap();
    assert_eq!(signing.templates().await.unwrap(), ["authorization/1"]);
}

//! The gateway: older bills with their origin, credentials by dynamic code.

use crate::kit::*;
use billchain_connectors::{
    gateway::{self, Gateway},
    signed,
};
use billchain_crypto::{sm2::SecretKey, sm3::sm3};
use billchain_mocks::systems::Kind;
use billchain_primitives::Hash;
use billchain_workers::tools::{Http, HttpSettings, Request};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

struct Client {
    http: Http,
    base: String,
}

impl Client {
    /// A signed POST: status and JSON.
    async fn post(&self, path: &str, body: Value, key: &SecretKey) -> (u16, Value) {
        let id = hex::encode(sm3(format!("{path} {body} {}", rand_text()).as_bytes()));
        let request = Request::post(
            format!("{}{path}", self.base),
            "application/json",
            body.to_string().into_bytes(),
        );
        let answer = self.http.send(signed::sign(request, &id, now(), key)).await.unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }
}

/// Text that was never there before.
fn rand_text() -> String {
    hex::encode(SecretKey::generate().to_bytes().as_slice())
}

fn participant(did: &str, key: &SecretKey) -> Value {
    let stamp = json!({"block": 1, "extrinsic": null, "time": 0});
    let public = key.public().to_compressed();
    json!({
        "did": did, "name": did, "kind": "organisation", "public_key": format!("sm2:{}", hex::encode(public)),
        "account": format!("0x{}", hex::encode(sm3(&public))), "roles": ["user"], "status": "active",
        "uscc_hash": null, "version": 1, "history_hash": format!("0x{}", "01".repeat(32)),
        "registered": stamp, "updated": stamp,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_a_bill_is_from_and_gives_credentials_for_codes() {
    let bench = Bench::new(Kind::OldBills).await;
    let app_key = bench.secret("app_key", "a key of a test");
    let (holder, insurer, other) = (
        SecretKey::from_seed(b"a holder"),
        SecretKey::from_seed(b"an insurer"),
        SecretKey::from_seed(b"another"),
    );
    let credential = b"header.payload.signature";
    let grant = Hash::from(sm3(credential));
    std::fs::write(bench.directory.path().join(format!("{}.jwt", hex::encode(grant))), credential)
        .unwrap();
    bench.chain.bills.lock().insert(bill_name(1), bill_view(1, "locked", 2, 0));
    let people = [
        participant("did:bill:patient", &holder),
        participant("did:bill:insurer-a", &insurer),
        participant("did:bill:insurer-b", &other),
    ];
    let chain = bench.chain.clone();
    let stamp = json!({"block": 1, "extrinsic": 0, "time": 0});
    *bench.chain.answers.lock() = Some(Box::new(move |method, params| match method {
        "participant_byAccount" => Some(
            people.iter().find(|one| one["account"] == params[0]).cloned().unwrap_or(Value::Null),
        ),
        "bill_byCodes" | "bill_get" => {
            let key = format!("{}-{}", params[0].as_str()?, params[1].as_str()?);
            let bills = chain.bills.lock();
            let is_right = params.get(2).is_none_or(|check| check == "a1B2c3");
            Some(json!(bills.get(&key).filter(|_| is_right)))
        }
        "authorization_get" => Some(json!({
            "grant": grant, "holder": "did:bill:patient", "subject": "did:bill:insurer-a",
            "registrar": "did:bill:patient", "bills": [], "condition": null, "scene": 3,
            "valid_from": 0, "valid_until": u64::MAX, "status": "active", "uses": 0, "version": 1,
            "history_hash": format!("0x{}", "02".repeat(32)), "registered": stamp, "updated": stamp,
        })),
        _ => None,
    }));
    let settings: gateway::Settings = toml::from_str(&format!(
        "listen = \"127.0.0.1:0\"\nnode = \"http://unused\"\nstore = \"unused\"\ncredentials_dir = {:?}\n\
         [old_system]\nurl = \"{}/public\"\napp_id = \"billchain\"\napp_key_file = {app_key:?}\n",
        bench.directory.path(), bench.url(),
    ))
    .unwrap();
    let gateway = Gateway::new(&settings, bench.tools("gateway")).unwrap();
    let running = gateway::start(Arc::new(gateway), settings.listen).await.unwrap();
    let client = Client {
        http: Http::new(HttpSettings { plain: true, ..HttpSettings::default() }).unwrap(),
        base: format!("http://{}", running.listen),
    };
    queries(&client, &bench, &insurer).await;
    codes(&client, &holder, &insurer, &other, grant).await;
    strangers(&client, &holder).await;
}

async fn queries(client: &Client, bench: &Bench, insurer: &SecretKey) {
    let old = json!([{
        "bill_code": "31060119", "bill_number": "0000000002", "check_code": "zzzzzz", "status": "reimbursed",
    }]);
    let request = Request::post(
        format!("http://{}/bills", bench.running().admin),
        "application/json",
        old.to_string().into_bytes(),
    );
    client.http.send(request).await.unwrap();
    for (code, number, check, origin) in [
        ("31060125", "0000000001", "a1B2c3", json!("chain")),
        ("31060119", "0000000002", "zzzzzz", json!("old_system")),
        ("31060119", "0000000002", "yyyyyy", Value::Null),
        ("31060125", "0000000001", "yyyyyy", Value::Null),
        ("31060119", "0000000003", "zzzzzz", Value::Null),
    ] {
        let body = json!({"bill_code": code, "bill_number": number, "check_code": check});
        let (status, answer) = client.post("/query", body, insurer).await;
        assert_eq!((status, &answer["origin"]), (200, &origin), "{number} {check}: {answer}");
    }
}

async fn codes(
    client: &Client,
    holder: &SecretKey,
    insurer: &SecretKey,
    other: &SecretKey,
    grant: Hash,
) {
    let (status, _) = client.post("/codes", json!({"grant": grant}), other).await;
    assert_eq!(status, 403, "only the holder gets a code");
    let (status, answer) = client.post("/codes", json!({"grant": grant}), holder).await;
    assert_eq!(status, 200, "{answer}");
    let code = json!({"code": answer["code"]});
    assert_eq!(client.post("/credentials", code.clone(), other).await.0, 403, "for somebody else");
    let (status, answer) = client.post("/credentials", code.clone(), insurer).await;
    assert_eq!(
        (status, answer["credential"].as_str()),
        (200, Some("aGVhZGVyLnBheWxvYWQuc2lnbmF0dXJl"))
    );
    assert_eq!(client.post("/credentials", code, insurer).await.0, 404, "once");
}

async fn strangers(client: &Client, holder: &SecretKey) {
    let body = json!({"bill_code": "1", "bill_number": "2", "check_code": "3"});
    assert_eq!(client.post("/query", body.clone(), &SecretKey::from_seed(b"nobody")).await.0, 403);
    let request = Request::post(
        format!("{}/query", client.base),
        "application/json",
        body.to_string().into_bytes(),
    );
    assert_eq!(client.http.send(request.clone()).await.unwrap().status, 401, "unsigned");
    let id = hex::encode(sm3(rand_text().as_bytes()));
    let old = signed::sign(request.clone(), &id, now() - 400_000, holder);
    assert_eq!(client.http.send(old).await.unwrap().status, 401, "an old request");
    let once = signed::sign(request, &id, now(), holder);
    assert_ne!(client.http.send(once.clone()).await.unwrap().status, 409);
    assert_eq!(
        client.http.send(once).await.unwrap().status,
        409,
        "a request that was there before"
    );
}

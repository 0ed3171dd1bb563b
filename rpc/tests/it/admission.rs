//! Who may call what: every method by every class of caller, what a member sees, and how each
//! attack on the door is refused.

use super::*;
use billchain_access::{Access, code as access_code};
use billchain_rpc::serve_with;
use hyper_util::rt::TokioIo;
use std::path::PathBuf;

/// Keys of the callers, whose SM3 the configuration has.
fn key(who: &str) -> String {
    format!("bck_{who:0>60}")
}

fn identity(who: &str, did: Option<&str>, classes: &str, extra: &str) -> String {
    let sm3 = hex::encode(sm3(key(who).as_bytes()));
    let did = did.map_or(String::new(), |did| format!("participant = \"{did}\"\n"));
    format!(
        "[[identity]]\nname = \"{who}\"\n{did}classes = [{classes}]\nkeys = [{{ sm3 = \"{sm3}\" }}]\n{extra}\n"
    )
}

/// Configuration of a listener for all classes that are not unsafe.
fn configuration(extra: &str) -> String {
    let members = r#""verify", "read", "write""#;
    [
        "[[listener]]\nname = \"members\"\nlisten = \"127.0.0.1:0\"\n\
         classes = [\"verify\", \"read\", \"write\", \"operator\"]\n\
         origins = [\"https://portal.example\"]\n\
         connections_per_address = 200\n"
            .to_owned(),
        identity("hospital", Some("did:bill:hospital"), members, ""),
        identity("insurer", Some("did:bill:insurer-a"), members, ""),
        identity("auditor", Some("did:bill:auditor"), members, ""),
        identity("ghost", Some("did:bill:nobody"), members, ""),
        identity("reader", Some("did:bill:hospital"), r#""read""#, ""),
        identity("operator", None, r#""verify", "read", "operator""#, ""),
        extra.to_owned(),
    ]
    .concat()
}

/// Writes it where the node reads it.
pub(crate) fn write_configuration(directory: &Path, extra: &str) {
    std::fs::write(directory.join("access.toml"), configuration(extra)).unwrap();
}

pub(crate) struct Guarded {
    pub(crate) node: Node,
    pub(crate) server: RpcServer,
    directory: PathBuf,
    _kept: tempfile::TempDir,
}

impl Guarded {
    pub(crate) async fn start(extra: &str) -> Self {
        let node = Node::start(RpcConfig::default()).await;
        let kept = tempfile::tempdir().unwrap();
        let directory = kept.path().to_path_buf();
        let file = directory.join("access.toml");
        write_configuration(&directory, extra);
        let config = RpcConfig { listen: ([127, 0, 0, 1], 0).into(), ..RpcConfig::default() };
        let check = |text: &str| {
            text.parse::<billchain_primitives::Did>().map(drop).map_err(|error| error.to_string())
        };
        let local = (config.listen, config.max_connections);
        let access = Access::open(file, check, local, "node-1").unwrap();
        let server = serve_with(config, node.context(), access).await.unwrap();
        Self { node, server, directory, _kept: kept }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.address_of("members").unwrap()
    }

    /// Asks with these headers: the status, the headers and the answer.
    pub(crate) async fn send(
        &self,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, hyper::HeaderMap, Vec<u8>) {
        send(self.address(), "POST", "/", headers, body).await
    }

    /// What a caller is answered, or the code that it is refused with.
    pub(crate) async fn ask(
        &self,
        who: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, i64> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let key = who.map(key);
        let headers: Vec<_> = key.iter().map(|key| ("x-api-key", key.as_str())).collect();
        let (_, _, text) = self.send(&headers, &body.to_string()).await;
        let answer: Value = serde_json::from_slice(&text).unwrap();
        match answer.get("error") {
            Some(error) => Err(error["code"].as_i64().unwrap()),
            None => Ok(answer["result"].clone()),
        }
    }
}

pub(crate) async fn send(
    address: std::net::SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, hyper::HeaderMap, Vec<u8>) {
    use http_body_util::{BodyExt, Full};
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = hyper::Request::builder()
        .method(method)
        .uri(target)
        .header("host", "node")
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let (head, body) = answer.into_parts();
    (head.status.as_u16(), head.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

/// Whether a code is one of access.
fn is_access(code: i64) -> bool {
    access_code::ALL.iter().any(|one| i64::from(*one) == code)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_is_refused_to_every_caller_that_may_not_call_it_and_to_no_other() {
    let guarded = Guarded::start("").await;
    let document = guarded.ask(Some("operator"), "rpc.discover", json!([])).await.unwrap();
    let methods = document["methods"].as_array().unwrap();
    assert!(methods.len() > 100);
    let callers = [
        (None, &["verify"][..], access_code::NO_IDENTITY),
        (Some("reader"), &["read"], access_code::CLASS_REFUSED),
        (Some("insurer"), &["verify", "read", "write"], access_code::CLASS_REFUSED),
        (Some("operator"), &["verify", "read", "operator"], access_code::CLASS_REFUSED),
    ];
    for method in methods {
        let name = method["name"].as_str().unwrap();
        let class = method["x-class"].as_str().unwrap();
        for (who, classes, refused) in callers {
            let told = guarded.ask(who, name, Value::Null).await;
            match classes.contains(&class) {
                true => assert!(
                    !matches!(told, Err(code) if code == i64::from(access_code::NO_IDENTITY)
                        || code == i64::from(access_code::CLASS_REFUSED)),
                    "{name} ({class}) by {who:?}: {told:?}"
                ),
                false => assert_eq!(told, Err(refused.into()), "{name} ({class}) by {who:?}"),
            }
        }
        // Who is no active participant calls nothing.
        let ghost = guarded.ask(Some("ghost"), name, Value::Null).await;
        assert_eq!(ghost, Err(access_code::PARTICIPANT_INACTIVE.into()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_its_bills_an_auditor_all_and_the_public_none() {
    let guarded = Guarded::start("").await;
    let client = Connection::open(&guarded.node.url()).await.unwrap();
    let (call, invoice) = register();
    let done = guarded.node.execute(&client, "//hospital", call).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    let (code, number) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    let check = invoice.check_code.to_string();
    let key = json!([code, number]);
    let own = guarded.ask(Some("hospital"), "bill_get", key.clone()).await.unwrap();
    assert_eq!(own["number"], number.as_str());
    let payer = own["payer_ref"].clone();
    assert_ne!(payer, json!(format!("0x{}", "00".repeat(32))));
    assert_eq!(guarded.ask(Some("operator"), "bill_get", key.clone()).await.unwrap(), own);
    let seen = guarded.ask(Some("insurer"), "bill_get", key.clone()).await.unwrap();
    // It may use the scene's bills, or see nothing; who paid it never learns.
    assert!(seen.is_null() || seen["payer_ref"] != payer, "{seen}");
    for method in ["bill_history", "bill_certificate", "bill_proveField", "bill_verifyHistory"] {
        let params = match method {
            "bill_proveField" => json!([code, number, 1, "status"]),
            _ => key.clone(),
        };
        let told = guarded.ask(Some("insurer"), method, params).await;
        assert_eq!(told, Err(access_code::NOT_VISIBLE.into()), "{method}");
    }
    // A bill that is not is refused in the same way.
    let none = guarded.ask(Some("insurer"), "bill_history", json!([code, "9999999999"])).await;
    assert_eq!(none, Err(access_code::NOT_VISIBLE.into()));
    let mine = guarded.ask(Some("hospital"), "bill_byIssuer", json!(["did:bill:hospital"])).await;
    assert_eq!(mine.unwrap()["items"].as_array().unwrap().len(), 1);
    let others = guarded.ask(Some("insurer"), "bill_byIssuer", json!(["did:bill:hospital"])).await;
    assert_eq!(others, Err(access_code::NOT_VISIBLE.into()));
    let by_payer = guarded.ask(Some("insurer"), "bill_byPayer", json!([payer])).await.unwrap();
    assert_eq!(by_payer["items"], json!([]));
    let by_payer = guarded.ask(Some("hospital"), "bill_byPayer", json!([payer])).await.unwrap();
    assert_eq!(by_payer["items"].as_array().unwrap().len(), 1);
    for (method, params) in [
        ("chain_getBlock", json!([])),
        (
            "state_getStorage",
            json!(["0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"]),
        ),
        ("bill_numbersCertificate", json!([code, number, number])),
    ] {
        let told = guarded.ask(Some("insurer"), method, params.clone()).await;
        assert_eq!(told, Err(access_code::NOT_VISIBLE.into()), "{method}");
        let told = guarded.ask(Some("operator"), method, params).await;
        assert!(!matches!(told, Err(code) if is_access(code)), "{method}: {told:?}");
    }
    let wrong = if check == "000000" { "000001" } else { "000000" };
    for (given, genuine) in [(check.as_str(), true), (wrong, false)] {
        let told = guarded.ask(None, "bill_verifyCodes", json!([code, number, given])).await;
        assert_eq!(told, Ok(json!({ "genuine": genuine })));
    }
    let date = own["issue_date"].clone();
    let elements = |check: &str| json!([code, number, check, date, own["total_fen"]]);
    let told = guarded.ask(None, "bill_verifyElements", elements(&check)).await.unwrap();
    assert_eq!(told, json!({ "result": "match", "elements": null }));
    // The public is not told which element is wrong, nor whether there is such a bill.
    let told = guarded.ask(None, "bill_verifyElements", elements(wrong)).await.unwrap();
    assert_eq!(told, json!({ "result": "element_mismatch", "elements": null }));
    let told = guarded.ask(Some("hospital"), "bill_verifyElements", elements(wrong)).await.unwrap();
    assert_eq!(told["elements"]["check_code"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_a_check_code_are_slowed_and_a_right_one_is_not_told_either() {
    let guarded =
        Guarded::start("[limits.verify]\nwork_per_minute = 100000\nburst = 100000\n").await;
    let client = Connection::open(&guarded.node.url()).await.unwrap();
    let (call, invoice) = register();
    guarded.node.execute(&client, "//hospital", call).await;
    let (code, number) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    let (mut told, mut slowed) = (0, 0);
    for guess in 0..200 {
        let check = format!("{guess:06}");
        match guarded.ask(None, "bill_verifyCodes", json!([code, number, check])).await {
            Ok(_) => told += 1,
            Err(code) => {
                assert_eq!(code, i64::from(access_code::GUESSING));
                slowed += 1;
            }
        }
    }
    assert!((5..=8).contains(&told), "{told} of 200 guesses were answered, {slowed} slowed");
    let right = json!([code, number, invoice.check_code.to_string()]);
    let refused = guarded.ask(None, "bill_verifyCodes", right.clone()).await;
    assert_eq!(refused, Err(access_code::GUESSING.into()));
    // A member is known, and is not slowed for it.
    let member = guarded.ask(Some("hospital"), "bill_verifyCodes", right).await;
    assert_eq!(member, Ok(json!({ "genuine": true })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_told_when_to_come_back_and_others_are_served() {
    let guarded = Guarded::start("[limits.read]\nwork_per_minute = 60\nburst = 5\n").await;
    let ask = || guarded.ask(Some("insurer"), "scene_list", json!([]));
    for _ in 0..5 {
        ask().await.unwrap();
    }
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"scene_list","params":[]}"#;
    let insurer = key("insurer");
    let (_, _, text) = guarded.send(&[("x-api-key", &insurer)], body).await;
    let answer: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(answer["error"]["code"], access_code::TOO_MANY);
    let wait = answer["error"]["data"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1_001).contains(&wait), "{wait}");
    guarded.ask(Some("hospital"), "scene_list", json!([])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_origins_may_call_and_others_may_not() {
    let guarded = Guarded::start("").await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"system_name"}"#;
    let (status, headers, _) = guarded.send(&[("origin", "https://portal.example")], body).await;
    assert_eq!(status, 200);
    assert_eq!(headers["access-control-allow-origin"], "https://portal.example");
    let (status, headers, text) = guarded.send(&[("origin", "https://evil.example")], body).await;
    assert_eq!(status, 403);
    assert!(!headers.contains_key("access-control-allow-origin"));
    let refused: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(refused["error"]["code"], access_code::ORIGIN_REFUSED);
    let asks = [("origin", "https://portal.example"), ("access-control-request-method", "POST")];
    let (status, headers, _) = send(guarded.address(), "OPTIONS", "/", &asks, "").await;
    assert_eq!(status, 204);
    assert!(headers["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
    let upgrade = [
        ("origin", "https://evil.example"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    let local = guarded.server.address();
    let (status, ..) = send(local, "GET", "/", &upgrade, "").await;
    assert_eq!(status, 403, "a page of elsewhere reads the node's own listener");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_to_everybody_and_answers_are_compressed_for_who_asks() {
    let guarded = Guarded::start("").await;
    let (status, _, text) = send(guarded.address(), "GET", "/health", &[], "").await;
    assert_eq!(status, 200);
    let health: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(health, json!({ "status": "ok", "height": 0 }));
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"#;
    let (_, _, plain) = guarded.send(&[], body).await;
    let (_, headers, packed) = guarded.send(&[("accept-encoding", "br, gzip")], body).await;
    assert_eq!(headers["content-encoding"], "gzip");
    assert!(packed.len() * 4 < plain.len(), "{} of {}", packed.len(), plain.len());
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut read).unwrap();
    assert_eq!(read, plain);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_whoever_opened_it_until_its_key_is_revoked() {
    let guarded = Guarded::start("").await;
    let mut headers = hyper::HeaderMap::new();
    headers.insert("x-api-key", key("hospital").parse().unwrap());
    let url = format!("ws://{}", guarded.address());
    let open = |headers| WsClientBuilder::default().set_headers(headers).build(&url);
    let ws = open(headers.clone()).await.unwrap();
    let _: Value = ws.request("scene_list", rpc_params![]).await.unwrap();
    write_configuration(guarded.directory(), "surprise = 1\n");
    assert!(guarded.server.reloader().reload().await.is_err());
    let _: Value = ws.request("scene_list", rpc_params![]).await.unwrap();
    let text = configuration("").replacen("\" }]", "\", revoked = true }]", 1);
    std::fs::write(guarded.directory.join("access.toml"), text).unwrap();
    guarded.server.reloader().reload().await.unwrap();
    let refused = ws.request::<Value, _>("scene_list", rpc_params![]).await.unwrap_err();
    assert_eq!(refusal(refused).0, access_code::KEY_REVOKED);
    let told = guarded.ask(Some("hospital"), "scene_list", json!([])).await;
    assert_eq!(told, Err(access_code::KEY_REVOKED.into()));
    assert!(open(headers).await.is_err());
    guarded.ask(Some("insurer"), "scene_list", json!([])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_in_the_log_and_the_log_is_for_who_sees_all() {
    let guarded = Guarded::start("[log]\ndirectory = \"log\"\n").await;
    let params = json!(["31060125", "0000000101"]);
    guarded.ask(Some("hospital"), "bill_get", params.clone()).await.unwrap();
    let refused = guarded.ask(None, "bill_get", params).await;
    assert_eq!(refused, Err(access_code::NO_IDENTITY.into()));
    let payer = format!("0x{}", "ab".repeat(32));
    guarded.ask(Some("hospital"), "bill_byPayer", json!([payer])).await.unwrap();
    let told = guarded.ask(Some("hospital"), "access_log", json!([{}])).await;
    assert_eq!(told, Err(access_code::NOT_VISIBLE.into()));
    let lines = loop {
        let found = guarded.ask(Some("operator"), "access_log", json!([{}])).await.unwrap();
        let lines = found["items"].as_array().unwrap().clone();
        if lines.len() >= 4 {
            break lines;
        }
    };
    let of = |who: &str, method: &str| {
        let is = |line: &&Value| line["who"] == who && line["method"] == method;
        lines.iter().find(is).unwrap_or_else(|| panic!("{who} {method} in {lines:?}")).clone()
    };
    let get = of("hospital", "bill_get");
    assert_eq!(get["about"], "31060125/0000000101");
    assert_eq!((&get["did"], &get["code"]), (&json!("did:bill:hospital"), &json!(0)));
    assert_eq!(of("-", "bill_get")["code"], access_code::NO_IDENTITY);
    assert_eq!(of("hospital", "bill_byPayer")["about"], "ababab…");
    let head = guarded.ask(Some("operator"), "access_logHead", json!([])).await.unwrap();
    assert!(head["number"].as_u64().unwrap() >= 4);
    billchain_access::log::verify(&guarded.directory.join("log"), &[]).unwrap();
}

//! The log of a real node, as a program reads it: JSON, and the way of a
//! transaction from a client's request into its block.

use crate::{
    http,
    load::{Bills, Issuer, register},
    network::{ALL, FAST, Network, PATIENCE},
};
use billchain_client::Connection;
use billchain_primitives::Hash;
use jsonrpsee::{
    core::client::{ClientT, Subscription, SubscriptionClientT},
    rpc_params,
    ws_client::WsClientBuilder,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::KeyValue,
    trace::v1::{Span, span::Event},
};
use prost::Message;
use serde_json::{Value, json};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

/// What a node writes of transactions when it is asked to.
const TRANSACTIONS: &str = "billchain::transactions";

/// The lines of a node's log, each of them JSON.
fn lines(network: &Network, node: usize) -> Vec<Value> {
    let text = fs::read_to_string(network.log(node)).unwrap();
    // The last one may be half written.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let read = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    whole.lines().map(read).collect()
}

/// The lines of a transaction, accepted and included, as soon as both are there.
async fn way_of(network: &Network, transaction: Hash) -> [Value; 2] {
    let deadline = Instant::now() + PATIENCE;
    let hash = format!("{transaction:?}");
    loop {
        let mut all = lines(network, 1);
        all.retain(|line| line["target"] == TRANSACTIONS && line["fields"]["hash"] == hash);
        all.sort_by_key(|line| line["fields"]["message"].to_string());
        match <[Value; 2]>::try_from(all) {
            Ok(both) => {
                assert_eq!(both[0]["fields"]["message"], "accepted");
                assert_eq!(both[1]["fields"]["message"], "included");
                return both;
            }
            Err(others) => assert!(Instant::now() < deadline, "lines of {hash}: {others:?}"),
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// That both lines of a transaction have these spans, and the second its block.
async fn assert_way(network: &Network, client: &Connection, transaction: Hash, spans: &Value) {
    let [accepted, included] = way_of(network, transaction).await;
    assert_eq!(&accepted["spans"], spans, "{accepted}");
    assert_eq!(&included["spans"], spans, "{included}");
    let block = client.transaction(transaction).await.unwrap().block.expect("it is final");
    assert_eq!(included["fields"]["number"], block.number);
    assert_eq!(included["fields"]["block"], format!("{:?}", block.hash));
}

/// Posts JSON with a request id, and sees that the answer has `expected` as its
/// id: the answer's body.
async fn post(port: u16, id: &str, expected: Option<&str>, body: &Value) -> Value {
    let body = body.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n\
         X-Request-Id: {id}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = http::exchange(port, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let given = head.lines().find_map(|line| line.strip_prefix("x-request-id: "));
    let given = given.unwrap_or_else(|| panic!("no id in {head}"));
    match expected {
        Some(expected) => assert_eq!(given, expected),
        None => assert!(given.len() == 16 && given != id, "{given}"),
    }
    serde_json::from_str(body).unwrap()
}

fn submit(id: u32, transaction: &[u8]) -> Value {
    let bytes = format!("0x{}", hex::encode(transaction));
    json!({ "jsonrpc": "2.0", "id": id, "method": "author_submitExtrinsic", "params": [bytes] })
}

fn hash_in(answer: &Value) -> Hash {
    answer["result"].as_str().unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
}

/// A collector: what comes to `/v1/traces`, decoded by OpenTelemetry's own types.
async fn collector() -> (String, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let take = move |body: axum::body::Bytes| {
        let read = ExportTraceServiceRequest::decode(body).expect("an export of spans");
        sender.send(read).expect("the test listens");
        std::future::ready("")
    };
    let app = axum::Router::new().route("/v1/traces", axum::routing::post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, receiver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_of_a_transaction_is_exported_as_a_span() {
    let (address, mut exported) = collector().await;
    let mut network = Network::new(FAST).await;
    network.start_with_options(1, &["--otlp-endpoint", &address]);
    // A collector that is away keeps a node from nothing.
    network.start_with_options(2, &["--otlp-endpoint", "http://127.0.0.1:9"]);
    network.start(&[3, 4]);
    network.reach(&ALL, 1, PATIENCE).await;
    let client = network.client(1).await;
    let (issuer, bills) = (Issuer::new("hospital"), Bills::new());
    let signed = issuer.signer.transaction(register(bills.next(&issuer)), 0, client.genesis());
    let id = Some("platform-42");
    let hash = hash_in(&post(network.rpc_port(1), "platform-42", id, &submit(1, &signed)).await);
    client.wait_final(hash, PATIENCE).await.unwrap();

    let is_it = |span: &Span| {
        let named = |one: &KeyValue| one.key == "id" && format!("{one:?}").contains("platform-42");
        span.name == "request" && span.attributes.iter().any(named)
    };
    let span = timeout(PATIENCE, async {
        loop {
            let export = exported.recv().await.expect("the collector serves");
            let resources = export.resource_spans.into_iter();
            let mut spans = resources.flat_map(|one| one.scope_spans).flat_map(|one| one.spans);
            if let Some(span) = spans.find(is_it) {
                return span;
            }
        }
    });
    let span = span.await.expect("the span of the request comes");
    let events: Vec<&str> = span.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(events, ["accepted", "included"]);
    let with_hash = |event: &Event| format!("{event:?}").contains(&format!("{hash:?}"));
    assert!(span.events.iter().all(with_hash), "{span:?}");
    assert!(span.end_time_unix_nano >= span.events[1].time_unix_nano);
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_id_of_a_request_follows_its_transactions_into_their_blocks() {
    let mut network = Network::new(FAST).await;
    network.start_with_options(1, &["--log-format", "json", "--log-transactions"]);
    network.start(&[2, 3, 4]);
    network.reach(&ALL, 1, PATIENCE).await;
    let client = network.client(1).await;
    let (issuer, bills, port) = (Issuer::new("hospital"), Bills::new(), network.rpc_port(1));
    let signed = |nonce| {
        let call = register(bills.next(&issuer));
        issuer.signer.transaction(call, nonce, client.genesis())
    };

    // Over HTTP: alone, in a batch, with an id that is none.
    let span = |id: &str| json!([{ "name": "request", "id": id }]);
    let body = submit(1, &signed(0));
    let alone = hash_in(&post(port, "platform-42", Some("platform-42"), &body).await);
    client.wait_final(alone, PATIENCE).await.unwrap();
    assert_way(&network, &client, alone, &span("platform-42")).await;

    let both = json!([submit(1, &signed(1)), submit(2, &signed(2))]);
    let answers = post(port, "batch:7", Some("batch:7"), &both).await;
    for answer in answers.as_array().unwrap() {
        let hash = hash_in(answer);
        client.wait_final(hash, PATIENCE).await.unwrap();
        assert_way(&network, &client, hash, &span("batch:7")).await;
    }
    let refused = post(port, "two words", None, &submit(1, &[0])).await;
    assert!(refused["error"].is_object(), "{refused}");

    // On a WebSocket: the connection's id, and the message's number.
    let socket = WsClientBuilder::default().build(format!("ws://127.0.0.1:{port}")).await.unwrap();
    let _: String = socket.request("system_name", rpc_params![]).await.unwrap();
    let bytes = format!("0x{}", hex::encode(signed(3)));
    let mut states: Subscription<Value> = socket
        .subscribe("author_submitAndWatchExtrinsic", rpc_params![bytes], "author_unwatchExtrinsic")
        .await
        .unwrap();
    while !states.next().await.expect("it becomes final").unwrap().is_object() {}
    let watched = lines(&network, 1)
        .into_iter()
        .rev()
        .find(|line| line["target"] == TRANSACTIONS && line["fields"]["message"] == "accepted");
    let watched = watched.expect("it was accepted");
    let connection = &watched["spans"][0]["id"];
    assert_eq!(connection.as_str().map(str::len), Some(16), "{watched}");
    let spans = json!([
        { "name": "request", "id": connection },
        { "name": "message", "number": 2 },
    ]);
    let hash: Hash = watched["fields"]["hash"].as_str().unwrap().parse().unwrap();
    client.wait_final(hash, PATIENCE).await.unwrap();
    assert_way(&network, &client, hash, &spans).await;

    // Nobody asked the others for such lines; theirs are text.
    for node in [2, 3, 4] {
        let text = fs::read_to_string(network.log(node)).unwrap();
        assert!(!text.contains(TRANSACTIONS) && text.contains(" INFO "), "node {node}: {text}");
    }
    network.finish().await;
}

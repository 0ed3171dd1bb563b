//! Room: clients that take as much as they can deny others nothing, and honest
//! ones get theirs in time.

use super::{
    requests::post,
    unread::{frame, metric, websocket, websocket_at},
    *,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GET: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"bill_get","params":["31060125","0000000001"]}"#;

/// The header of a frame of so many bytes, and the first of them.
fn announced(bytes: u64) -> Vec<u8> {
    [&[0x81, 0xff][..], &bytes.to_be_bytes(), &[0; 4], b"["].concat()
}

/// The text of the next frame that the node sends; pings are left out.
async fn next_text(stream: &mut tokio::net::TcpStream) -> String {
    loop {
        let (first, length) = (stream.read_u8().await.unwrap(), stream.read_u8().await.unwrap());
        let length = match length {
            126 => u64::from(stream.read_u16().await.unwrap()),
            127 => stream.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut text = vec![0; length as usize];
        stream.read_exact(&mut text).await.unwrap();
        if first == 0x81 {
            return String::from_utf8(text).unwrap();
        }
        assert_eq!(first, 0x89, "the node closed the connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_announced_and_do_not_come_deny_nobody_a_light_read() {
    // Small answers have 4 MiB.
    let node = Node::start(RpcConfig { max_bytes_held: 32 << 20, ..RpcConfig::default() }).await;
    let mut sockets = Vec::new();
    for _ in 0..40 {
        let mut socket = websocket(&node).await;
        socket.write_all(&announced(250_000)).await.unwrap();
        sockets.push(socket);
    }
    let began = Instant::now();
    while metric(&node, "rpc_held_bytes") < 3 << 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(5), "they take room");
    }
    for _ in 0..3 {
        let asked = Instant::now();
        let (status, answer) = post(&node, "application/json", GET).await;
        assert_eq!((status, answer.contains("\"result\":null")), (200, true), "{answer}");
        assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_short_reads_needs_no_room_for_long_answers() {
    let node = Node::start(RpcConfig { max_bytes_held: 32 << 20, ..RpcConfig::default() }).await;
    // Of the 24 MiB for large answers, 4 are left.
    let mut sockets = Vec::new();
    for _ in 0..4 {
        let mut socket = websocket(&node).await;
        socket.write_all(&announced(5 << 20)).await.unwrap();
        sockets.push(socket);
    }
    let began = Instant::now();
    while metric(&node, "rpc_held_bytes") < 20 << 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(5), "they take room");
    }
    let history = GET.replace("bill_get", "bill_history");
    let batch = format!("[{}]", [GET, &history].repeat(32).join(","));
    let asked = Instant::now();
    let (status, answer) = post(&node, "application/json", &batch).await;
    assert_eq!((status, answer.matches("\"result\":null").count()), (200, 64), "{answer}");
    assert!(asked.elapsed() < Duration::from_millis(700), "{:?}", asked.elapsed());
    assert_eq!(metric(&node, "rpc_closed_connections_total"), 0);
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_a_mixed_batch_stand_in_the_order_of_its_requests() {
    let node = Node::start(RpcConfig::default()).await;
    let bytes =
        Signer::development("//hospital").transaction(register().0, 0, node.chain.genesis_hash());
    let sent = format!("0x{}", hex::encode(bytes));
    let mut asked = Vec::new();
    for round in 0..3 {
        for (name, params) in [
            ("state_getMetadata", json!([])),
            ("bill_get", json!(["31060125", "0000000001"])),
            ("no_method", json!([])),
            ("author_submitExtrinsic", json!([sent])),
            ("chain_getBlock", json!([])),
            ("bill_get", json!(["3106"])),
            ("system_name", json!([])),
            ("chain_getHeader", json!([])),
        ] {
            let id = format!("{round} {name} {}", asked.len());
            asked.push(json!({ "jsonrpc": "2.0", "id": id, "method": name, "params": params }));
        }
        asked.push(json!({ "jsonrpc": "2.0", "method": "system_name" }));
    }
    let (status, text) = post(&node, "application/json", &json!(asked).to_string()).await;
    assert_eq!(status, 200);
    let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    let ids = |all: &[Value]| -> Vec<String> {
        all.iter().filter_map(|one| Some(one["id"].as_str()?.to_owned())).collect()
    };
    assert_eq!(ids(&answers), ids(&asked));
    for answer in &answers {
        let id = answer["id"].as_str().unwrap();
        let (code, result) = (&answer["error"]["code"], &answer["result"]);
        match id.split(' ').nth(1).unwrap() {
            "no_method" => assert_eq!(code, -32601),
            "state_getMetadata" => assert!(result.as_str().unwrap().len() > 200_000),
            "author_submitExtrinsic" => assert!(result.is_string(), "{answer}"),
            "chain_getBlock" => assert!(result["block"]["header"].is_object(), "{answer}"),
            "chain_getHeader" => assert!(result["stateRoot"].is_string(), "{answer}"),
            "system_name" => assert_eq!(result, "billchain"),
            _ => assert!(result.is_null(), "{answer}"),
        }
    }
    assert_eq!(node.pool.stats().ready, 1);
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_cut_leaves_no_subscription() {
    let config = RpcConfig { max_response_bytes: 20_000, ..RpcConfig::default() };
    let node = Node::start(config).await;
    let mut stream = websocket(&node).await;
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads"}"#;
    let methods = r#"{"jsonrpc":"2.0","id":2,"method":"rpc_methods"}"#;
    let batch = format!("[{subscribe},{}]", [methods; 20].join(","));
    stream.write_all(&frame(&batch)).await.unwrap();
    let answer = next_text(&mut stream).await;
    assert!(answer.contains("-32011"), "{answer}");
    let deadline = Instant::now() + Duration::from_secs(3);
    while metric(&node, "rpc_subscriptions") > 0 {
        assert!(Instant::now() < deadline, "nobody knows the subscription");
        node.make_block();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Nothing came of it.
    stream.write_all(&frame(GET)).await.unwrap();
    assert!(next_text(&mut stream).await.contains("\"result\":null"));
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_answers_wait_for_room_may_go_on_sending() {
    // A connection holds 6 MiB.
    let config = RpcConfig {
        max_request_bytes: 1 << 20,
        max_response_bytes: 4 << 20,
        ..RpcConfig::default()
    };
    let node = Node::start(config).await;
    let mut stream = websocket(&node).await;
    let dear = r#"{"jsonrpc":"2.0","id":1,"method":"state_getMetadata","params":[]}"#;
    stream.write_all(&frame(dear).repeat(60)).await.unwrap();
    // Its own answers fill what it may hold.
    let began = Instant::now();
    while metric(&node, "rpc_held_bytes") < 1 << 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(10), "it holds much");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let long = dear.replace("[]", &format!("[\"{}\"]", "0".repeat(30_000)));
    stream.write_all(&frame(&long)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..61 {
        let text = next_text(&mut stream).await;
        assert!(!text.contains("-32009"), "{text}");
        if text.contains("-32602") { refused += 1 } else { answered += 1 }
    }
    assert_eq!((answered, refused), (60, 1));
    node.server.stop().await;
}

/// Fills the room for large answers by answers that nobody reads, and that for
/// small ones by messages that do not come; who is closed comes again.
async fn filled(node: &Node, bytes: u64) -> tokio::task::JoinSet<()> {
    let dear = r#"{"jsonrpc":"2.0","id":1,"method":"state_getMetadata","params":[]}"#;
    let mut clients = tokio::task::JoinSet::new();
    let address = node.server.address();
    // 63 of them leave 16 bytes of the 4 MiB for small answers.
    let begun = vec![announced(66_576 + 1_024); 70];
    for message in vec![frame(dear).repeat(60); 24].into_iter().chain(begun) {
        clients.spawn(async move {
            loop {
                let mut socket = websocket_at(address).await;
                // It goes on with pongs until it is closed, and reads nothing.
                let mut sent = socket.write_all(&message).await;
                while sent.is_ok() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    sent = socket.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await;
                }
            }
        });
    }
    let began = Instant::now();
    while metric(node, "rpc_held_bytes") < bytes {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(20), "{}", metric(node, "rpc_held_bytes"));
    }
    clients
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_lookups_is_answered_however_much_others_leave_unread() {
    let node = Node::start(RpcConfig { max_bytes_held: 32 << 20, ..RpcConfig::default() }).await;
    let clients = filled(&node, 20 << 20).await;
    let batch = format!("[{}]", [GET; 130].join(","));
    assert!((10 << 10..16 << 10).contains(&batch.len()), "{}", batch.len());
    for _ in 0..3 {
        let asked = Instant::now();
        let (status, answer) = post(&node, "application/json", &batch).await;
        assert_eq!((status, answer.matches("\"result\":null").count()), (200, 130), "{answer}");
        assert!(asked.elapsed() < Duration::from_secs(9), "{:?}", asked.elapsed());
    }
    drop(clients);
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_of_a_byte_takes_the_room_of_its_bytes() {
    let node = Node::start(RpcConfig::default()).await;
    let mut stream = tokio::net::TcpStream::connect(node.server.address()).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\
        Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    const LENGTH: usize = 20_000;
    let body = GET.to_owned() + &" ".repeat(LENGTH - GET.len());
    let chunks: String = body.chars().map(|byte| format!("1\r\n{byte}\r\n")).collect();
    stream.write_all(chunks.as_bytes()).await.unwrap();
    // In steps of 4 KiB.
    let began = Instant::now();
    while metric(&node, "rpc_held_bytes") < LENGTH as u64 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(10), "it is read");
    }
    let held = metric(&node, "rpc_held_bytes");
    assert!(held <= LENGTH.next_multiple_of(4 << 10) as u64, "{held}");
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"result\":null"), "{answer}");
    assert_eq!(metric(&node, "rpc_busy_refusals_total"), 0);
    node.server.stop().await;
}

//! Clients that send and do not read, announce and do not send, or fall
//! silent: what they make the node hold is bounded, they are closed in time,
//! and others are served quickly meanwhile.

use super::*;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// A dear method whose answer is some hundred kilobytes.
const DEAR: &str = r#"{"jsonrpc":"2.0","id":1,"method":"state_getMetadata","params":[]}"#;

fn strict() -> RpcConfig {
    RpcConfig {
        transfer_timeout: Duration::from_secs(2),
        ping_interval: Duration::from_millis(300),
        ..RpcConfig::default()
    }
}

/// A connection with a small receive buffer, so that what is not read waits in
/// the node.
async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    socket.connect(address).await.unwrap()
}

pub(crate) async fn websocket(node: &Node) -> TcpStream {
    websocket_at(node.server.address()).await
}

pub(crate) async fn websocket_at(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address).await;
    let request = "GET / HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// A masked text frame.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x81];
    match text.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        long => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    // A mask of zeros changes nothing.
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

/// Sends as much as the node takes until it closes; how much, and after what
/// time.
async fn send_until_closed(mut stream: TcpStream, message: Vec<u8>) -> (usize, Duration) {
    let (began, mut sent) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(20) {
        match tokio::time::timeout(Duration::from_millis(100), stream.write(&message)).await {
            Ok(Ok(written)) => sent += written,
            Ok(Err(_)) => return (sent, began.elapsed()),
            Err(_) => {}
        }
    }
    panic!("the node did not close the connection; it took {sent} bytes");
}

pub(crate) fn metric(node: &Node, name: &str) -> u64 {
    let mut registry = prometheus_client::registry::Registry::default();
    node.server.metrics().register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64).sum()
}

/// The longest that an honest client waits for an answer until `until` ends.
async fn served_meanwhile<T>(node: &Node, until: impl Future<Output = T>) -> (T, Duration, u64) {
    let client = jsonrpsee::http_client::HttpClientBuilder::default().build(node.url()).unwrap();
    let (mut slowest, mut held) = (Duration::ZERO, 0);
    let mut until = std::pin::pin!(until);
    loop {
        let asked = Instant::now();
        client
            .request::<Value, _>("bill_get", rpc_params!["31060125", "0000000001"])
            .await
            .unwrap();
        slowest = slowest.max(asked.elapsed());
        held = held.max(metric(node, "rpc_held_bytes"));
        if let Ok(done) = tokio::time::timeout(Duration::from_millis(20), &mut until).await {
            return (done, slowest, held);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_client_that_never_reads_holds_bounded_bytes_and_is_closed() {
    let config = strict();
    let node = Node::start(config.clone()).await;
    let silent = async {
        let mut all = Vec::new();
        for _ in 0..8 {
            let stream = websocket(&node).await;
            all.push(send_until_closed(stream, frame(DEAR).repeat(100)));
        }
        futures::future::join_all(all).await
    };
    let (closed, slowest, held) = served_meanwhile(&node, silent).await;
    for (sent, after) in closed {
        // A few requests, and what the kernel takes; not one after the other.
        assert!(sent < 8 << 20, "{sent}");
        assert!(after < config.transfer_timeout + Duration::from_secs(3), "{after:?}");
    }
    assert!(held > 0 && held <= u64::from(config.max_bytes_held), "{held}");
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    assert!(metric(&node, "rpc_closed_connections_total") >= 8);
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_nonsense_and_never_reads_is_closed() {
    let node = Node::start(strict()).await;
    let stream = websocket(&node).await;
    let (sent, after) = send_until_closed(stream, frame("{x").repeat(1_000)).await;
    assert!(sent < 16 << 20, "{sent}");
    assert!(after < Duration::from_secs(6), "{after:?}");
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_client_that_does_not_take_its_answers_is_closed() {
    let node = Node::start(strict()).await;
    let request = format!(
        "POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{DEAR}",
        DEAR.len()
    );
    let stream = connect(node.server.address()).await;
    let silent = send_until_closed(stream, request.repeat(50).into_bytes());
    let ((sent, after), slowest, _) = served_meanwhile(&node, silent).await;
    assert!(sent < 8 << 20, "{sent}");
    assert!(after < Duration::from_secs(6), "{after:?}");
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_announced_and_does_not_come_is_not_waited_for() {
    let node = Node::start(strict()).await;
    let body = "POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n\
        Content-Length: 1000000\r\n\r\n[";
    let mut http = connect(node.server.address()).await;
    http.write_all(body.as_bytes()).await.unwrap();
    // Five megabytes, of which one byte comes; each takes its room at once.
    let announced = [&[0x81, 0xff][..], &5_000_000_u64.to_be_bytes(), &[0; 4], b"["].concat();
    let mut sockets = Vec::new();
    for _ in 0..40 {
        let mut socket = websocket(&node).await;
        socket.write_all(&announced).await.unwrap();
        sockets.push(socket);
    }
    let began = Instant::now();
    sockets.push(http);
    for mut socket in sockets {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(6), socket.read_to_end(&mut rest));
        // Closed, in whatever way.
        let _ = read.await.expect("it is closed");
    }
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_client_that_answers_no_ping_is_closed_and_one_that_does_stays() {
    let node = Node::start(strict()).await;
    let alive = node.ws().await;
    let mut silent = websocket(&node).await;
    let began = Instant::now();
    let mut read = Vec::new();
    // It reads, and says nothing.
    let closed = tokio::time::timeout(Duration::from_secs(5), silent.read_to_end(&mut read));
    let _ = closed.await.expect("it is closed");
    assert!(read.windows(2).any(|frame| frame == [0x89, 0]), "it was pinged");
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(600) && waited < Duration::from_secs(3), "{waited:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ask(&alive, "system_name", json!([])).await, "billchain");
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_does_not_read_holds_bounded_bytes_and_is_closed() {
    let config = strict();
    let node = Node::start(config.clone()).await;
    let mut stream = websocket(&node).await;
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads"}"#;
    stream.write_all(&frame(subscribe).repeat(1_000)).await.unwrap();
    let began = Instant::now();
    while metric(&node, "rpc_closed_connections_total") == 0 {
        node.make_block();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let held = metric(&node, "rpc_held_bytes");
        assert!(held <= u64::from(config.max_bytes_held), "{held}");
        assert!(began.elapsed() < Duration::from_secs(30), "it is closed");
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while metric(&node, "rpc_subscriptions") > 0 {
        assert!(Instant::now() < deadline, "subscriptions end with their connection");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_that_one_connection_watches_are_bounded() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let keys =
        |from: u32| -> Vec<String> { (from..from + 1_000).map(|n| format!("0x{n:08x}")).collect() };
    let mut open = Vec::new();
    for from in [0, 1_000] {
        let watched: Result<Subscription<Value>, _> = ws
            .subscribe(
                "state_subscribeStorage",
                rpc_params![keys(from)],
                "state_unsubscribeStorage",
            )
            .await;
        open.push(watched.unwrap());
    }
    let more: Result<Subscription<Value>, _> = ws
        .subscribe("state_subscribeStorage", rpc_params![keys(2_000)], "state_unsubscribeStorage")
        .await;
    let (found, words) = refusal(more.unwrap_err());
    assert_eq!(found, code::BUSY, "{words}");
    // Another connection's are its own.
    let other = node.ws().await;
    let watched: Result<Subscription<Value>, _> = other
        .subscribe("state_subscribeStorage", rpc_params![keys(0)], "state_unsubscribeStorage")
        .await;
    assert!(watched.is_ok());
    node.server.stop().await;
}

//! A peer that sends garbage, to every port at once, while the network works.
//!
//! Oversized blocks cannot come from outside the allow-list; the assembler of
//! consensus and the executor refuse them in their own tests.

use crate::{
    load::{Bills, Load, assert_kept},
    network::{ALL, FAST, Network, PATIENCE, report, seed},
};
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream, UdpSocket},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Connections that send nothing, at one node.
const SILENT: usize = 200;
/// How long the garbage goes on.
const SIEGE: Duration = Duration::from_secs(8);
/// The stranger's address: another than the nodes', as it would be.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn to(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A connection of the stranger's; none if the port refuses it.
async fn connect(port: u16) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((STRANGER, 0).into()).unwrap();
    timeout(Duration::from_secs(2), socket.connect(to(port))).await.ok()?.ok()
}

fn noise(random: &mut StdRng, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; random.random_range(1..=most)];
    random.fill_bytes(&mut bytes);
    bytes
}

/// How a connection to a peer begins, so that what follows is read as Noise.
const TO_NOISE: &[u8] = b"\x13/multistream/1.0.0\n\x07/noise\n";

/// What a stranger sends to the TCP port of consensus.
fn peer_garbage(random: &mut StdRng) -> Vec<u8> {
    let negotiated = |rest: Vec<u8>| [TO_NOISE, &rest].concat();
    match random.random_range(0..6) {
        0 => noise(random, 64 << 10),
        // A first message of the handshake that is announced and cut off.
        1 => negotiated([&200_u16.to_be_bytes()[..], &noise(random, 150)].concat()),
        // A whole one that holds no key exchange.
        2 => negotiated([&32_u16.to_be_bytes()[..], &[0; 32]].concat()),
        3 => negotiated(noise(random, 8 << 10)),
        // Protocols without end.
        4 => [&b"\x13/multistream/1.0.0\n"[..], &b"\x06/what\n".repeat(1_000)].concat(),
        // A length that never ends.
        _ => vec![0xff; 64],
    }
}

/// What a stranger sends to an HTTP port.
fn http_garbage(random: &mut StdRng) -> Vec<u8> {
    match random.random_range(0..7) {
        0 => noise(random, 64 << 10),
        1 => b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(),
        2 => [&b"GET / HTTP/1.1\r\nX: "[..], &vec![b'x'; 1 << 20]].concat(),
        3 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0".to_vec(),
        4 => {
            let chunked = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                            Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n";
            [&chunked[..], &noise(random, 4 << 10)].concat()
        }
        // A request that never ends.
        5 => b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-".to_vec(),
        _ => {
            let upgrade =
                b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                            Sec-WebSocket-Version: 13\r\n\
                            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            [&upgrade[..], &noise(random, 4 << 10)].concat()
        }
    }
}

/// How much garbage reached one port.
type Count = Arc<AtomicUsize>;

/// Connects, sends and leaves, again and again.
async fn besiege(port: u16, mut random: StdRng, garbage: fn(&mut StdRng) -> Vec<u8>, sent: Count) {
    loop {
        let bytes = garbage(&mut random);
        if let Some(mut stream) = connect(port).await {
            // The other side may leave first.
            let _ = stream.write_all(&bytes).await;
            let mut answer = [0; 256];
            let _ = timeout(Duration::from_millis(200), stream.read(&mut answer)).await;
            sent.fetch_add(1, Ordering::Relaxed);
        }
        sleep(Duration::from_millis(30)).await;
    }
}

/// Datagrams to the UDP port of transactions.
async fn besiege_by_datagram(port: u16, mut random: StdRng, sent: Count) {
    let socket = UdpSocket::bind((STRANGER, 0)).await.unwrap();
    loop {
        let mut datagram = noise(&mut random, 1_400);
        if random.random() {
            // The beginning of a connection: an initial packet of QUIC version 1.
            datagram.resize(1_200, 0);
            datagram[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]);
        }
        if socket.send_to(&datagram, to(port)).await.is_ok() {
            sent.fetch_add(1, Ordering::Relaxed);
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_at_every_port_stops_nothing() {
    let mut random = StdRng::seed_from_u64(seed());
    let mut network = Network::started(FAST).await;

    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.extend(connect(network.p2p_port(1)).await);
        silent.extend(connect(network.rpc_port(1)).await);
    }
    assert!(silent.len() > SILENT, "only {} connections stand", silent.len());
    let mut siege = JoinSet::new();
    let mut sent = Vec::new();
    for node in ALL {
        let mut next = || StdRng::seed_from_u64(random.random());
        let mut count = || {
            sent.push(Count::default());
            sent[sent.len() - 1].clone()
        };
        siege.spawn(besiege(network.p2p_port(node), next(), peer_garbage, count()));
        siege.spawn(besiege(network.rpc_port(node), next(), http_garbage, count()));
        siege.spawn(besiege(network.metrics_port(node), next(), http_garbage, count()));
        siege.spawn(besiege_by_datagram(network.p2p_port(node), next(), count()));
    }

    let before = network.top(&ALL).await;
    let load = Load::start(&network, 4, &Arc::new(Bills::new()));
    sleep(SIEGE / 2).await;
    // A node that comes back finds the others behind all of it.
    let during = network.top(&ALL).await;
    assert!(during > before, "no block within {:?} of garbage", SIEGE / 2);
    let finals = load.end().await;
    assert!(!finals.is_empty(), "nothing became final under garbage");
    network.stop(&[4]).await;
    network.start(&[4]);
    network.reach(&[4], during + 1, PATIENCE).await;
    sleep(SIEGE / 2).await;
    network.go_on(&ALL, 2, PATIENCE).await;
    network.assert_running();
    if let Some(ended) = siege.try_join_next() {
        panic!("the siege ended early: {ended:?}");
    }
    siege.shutdown().await;
    drop(silent);
    let sent: Vec<usize> = sent.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    assert!(sent.iter().all(|count| *count >= 10), "too little garbage: {sent:?}");
    report(&format!(
        "{} pieces of garbage at 16 ports stopped nothing",
        sent.iter().sum::<usize>()
    ));

    network.agree(&ALL).await;
    for number in ALL {
        let node = network.client(number).await;
        assert_kept(&node, &finals, &format!("node {number}")).await;
        let height = u64::from(network.height(number).await);
        let metric = network.metric(number, "billchain_height").await;
        assert!(metric >= height, "the metrics say height {metric}, the chain {height}");
        let commits = network.metric(number, "billchain_storage_commits_total").await;
        assert!(commits >= 1, "no commit was counted");
        let exposition = network.exposition(number).await;
        assert!(exposition.contains("\nbillchain_consensus_blocks_total{"), "{exposition}");
        assert_eq!(exposition.matches("# EOF").count(), 1, "{exposition}");
        let resident = network.metric(number, "billchain_resident_memory_bytes").await;
        assert!(resident >= 1 << 20, "{resident} bytes of memory");
    }
    network.finish().await;
}

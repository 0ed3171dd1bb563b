//! Strangers, and peers that do not keep to the protocol.

use super::{GENESIS, Node, PATIENCE, eventually, limits, network, raw, stop};
use crate::chain::Tx;
use billchain_primitives::Hash;
use billchain_txpool::{
    PoolConfig,
    gossip::{GossipLimits, Peer},
};
use codec::Encode;
use libp2p::identity::Keypair;
use raw::{batch, framed, send_raw};
use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    let stranger = Keypair::generate_ed25519();
    let answers = send_raw(&stranger, &GENESIS, &nodes[0], vec![batch(&[Tx::new(1, 0)]); 3]).await;
    assert!(answers.is_empty(), "{answers:?}");
    eventually("the refusal is counted", || {
        nodes[0].metric("gossip_connections_refused_total") > 0
    })
    .await;
    assert_eq!(nodes[0].pool.stats().ready, 0);
    assert_eq!(nodes[0].metric("gossip_connected_peers"), 1);
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_of_another_chain_exchanges_nothing() {
    let mut a = Node::new(PoolConfig::default());
    let other = Keypair::generate_ed25519();
    let peer = Peer { id: other.public().to_peer_id(), addresses: vec![] };
    a.start(&[peer], limits()).await;
    let genesis = Hash::repeat_byte(2);
    let answers = send_raw(&other, &genesis, &a, vec![batch(&[Tx::new(1, 0)])]).await;
    assert!(answers.is_empty(), "{answers:?}");
    assert_eq!(a.pool.stats().ready, 0);
    assert_eq!(a.metric("gossip_garbage_total"), 0);
    stop(&mut [a]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_survived_and_its_sender_kept_out_for_a_time() {
    let limits = GossipLimits { ban_time: Duration::from_secs(3), ..limits() };
    let bad = Keypair::generate_ed25519();
    let mut nodes = vec![Node::new(PoolConfig::default()), Node::new(PoolConfig::default())];
    let mut peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    peers.push(Peer { id: bad.public().to_peer_id(), addresses: vec![] });
    for node in &mut nodes {
        node.start(&peers, limits.clone()).await;
    }
    nodes[0].connected_to(1).await;

    // Below the bound: answered, counted, and good batches are still taken.
    let frames = vec![framed(vec![0xff; 50]), vec![1, 2], batch(&[Tx::new(1, 0)])];
    let answers = send_raw(&bad, &GENESIS, &nodes[0], frames).await;
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0], framed(vec![2]), "malformed");
    assert_eq!(answers[2], framed(vec![0, 4, 0]), "taken");
    assert_eq!(nodes[0].metric("gossip_garbage_total"), 2);

    // Beyond it: kept out.
    let mut forged = Tx::new(1, 1);
    forged.signed_well = false;
    let undecodable = framed(vec![vec![0xffu8; 9]; 5].encode());
    let frames = vec![batch(&[forged]), undecodable, vec![0xff; 64], vec![0; 9]];
    send_raw(&bad, &GENESIS, &nodes[0], frames).await;
    eventually("the ban", || nodes[0].metric("gossip_banned_peers") == 1).await;
    let good = vec![batch(&[Tx::new(2, 0)])];
    let answers = send_raw(&bad, &GENESIS, &nodes[0], good.clone()).await;
    assert!(answers.is_empty(), "{answers:?}");

    // Datagrams that are not QUIC at all.
    let target = nodes[0].address.to_string().split('/').nth(4).unwrap().to_string();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in 0..1_200usize {
        let bytes: Vec<u8> = (0..length).map(|_| rand::random()).collect();
        socket.send_to(&bytes, format!("127.0.0.1:{target}")).unwrap();
    }

    // The others notice nothing.
    nodes[1].submit(&Tx::new(3, 0));
    eventually("a good peer's", || nodes[0].pool.status(&Tx::new(3, 0).hash()).is_some()).await;

    eventually("the end of the ban", || nodes[0].metric("gossip_banned_peers") == 0).await;
    let answers = send_raw(&bad, &GENESIS, &nodes[0], good).await;
    assert_eq!(answers, [framed(vec![0, 4, 0])]);
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_cause_few_lines_in_the_log() {
    let mut node = Node::new(PoolConfig::default());
    node.start(&[], limits()).await;
    for _ in 0..12 {
        let stranger = Keypair::generate_ed25519();
        send_raw(&stranger, &GENESIS, &node, vec![vec![1]]).await;
    }
    eventually("the refusals are counted", || {
        node.metric("gossip_connections_refused_total") >= 12
    })
    .await;
    let omitted = node.metric("gossip_omitted_log_lines_total");
    assert!(omitted >= 5, "{omitted} lines left out");
    stop(&mut [node]).await;
}

/// First datagrams of handshakes that never end.
async fn beginnings(count: usize) -> Vec<Vec<u8>> {
    let void = UdpSocket::bind("127.0.0.1:0").unwrap();
    void.set_nonblocking(true).unwrap();
    let port = void.local_addr().unwrap().port();
    let mut swarm = raw::raw_swarm(&Keypair::generate_ed25519(), "/none".into());
    let mut found = std::collections::HashMap::new();
    let end = Instant::now() + PATIENCE;
    let mut buffer = [0; 2_048];
    while found.len() < count {
        assert!(Instant::now() < end, "{} of {count} handshakes begun", found.len());
        let address = format!("/ip4/127.0.0.1/udp/{port}/quic-v1");
        swarm.dial(address.parse::<libp2p::Multiaddr>().unwrap()).unwrap();
        let wait = tokio::time::sleep(Duration::from_millis(5));
        tokio::select! {
            _ = futures::StreamExt::next(&mut swarm) => {}
            () = wait => {}
        }
        while let Ok(length) = void.recv(&mut buffer) {
            let datagram = &buffer[..length];
            // A long header of an initial packet, and the connection it names.
            if length >= 1_200 && datagram[0] & 0xf0 == 0xc0 {
                let name = datagram[6..6 + datagram[5] as usize].to_vec();
                found.entry(name).or_insert_with(|| datagram.to_vec());
            }
        }
    }
    found.into_values().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_handshakes_of_strangers_shut_out_no_peer() {
    let mut victim = Node::new(PoolConfig::default());
    let mut honest = Node::new(PoolConfig::default());
    // The victim cannot reach it by itself.
    let nowhere = "/ip4/127.0.0.1/udp/9/quic-v1".parse().unwrap();
    let listed = Peer { id: honest.id(), addresses: vec![nowhere] };
    victim.start(&[listed], limits()).await;
    let port = victim.address.to_string().split('/').nth(4).unwrap().to_string();
    let target = format!("127.0.0.1:{port}");
    let handshakes = beginnings(200).await;
    let knock = || {
        for (number, datagram) in handshakes.iter().enumerate() {
            let from = format!("127.1.{}.{}:0", number / 100, 1 + number % 100);
            UdpSocket::bind(from).unwrap().send_to(datagram, &target).unwrap();
        }
    };
    // A busy machine drops datagrams.
    eventually("strangers beyond the bound are refused", || {
        knock();
        victim.metric("gossip_connections_refused_total") >= 100
    })
    .await;
    let begin = Instant::now();
    honest.start(&[victim.peer()], limits()).await;
    honest.connected_to(1).await;
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    victim.submit(&Tx::new(1, 0));
    eventually("it is served", || honest.pool.stats().ready == 1).await;
    stop(&mut [victim, honest]).await;
}

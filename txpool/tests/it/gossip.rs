//! Gossip over real QUIC sockets on the loopback interface.

use crate::chain::{Chain, Tx, pool};
use async_trait::async_trait;
use billchain_primitives::Hash;
use billchain_txpool::{
    Pool, PoolConfig, Source, TxStatus,
    gossip::{
        self, GossipConfig, GossipError, GossipHandle, GossipLimits, Peer, fetch_protocol_name,
        protocol_name,
    },
};
use bytes::Bytes;
use codec::Encode;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm,
    identity::Keypair,
    request_response::{self, Event, Message, ProtocolSupport},
    swarm::{SwarmEvent, dial_opts::DialOpts},
};
use std::{
    collections::HashMap,
    io,
    net::UdpSocket,
    sync::Arc,
    time::{Duration, Instant},
};

const GENESIS: Hash = Hash::repeat_byte(1);
const PATIENCE: Duration = Duration::from_secs(30);

fn limits() -> GossipLimits {
    GossipLimits {
        linger: Duration::from_millis(5),
        retry_min: Duration::from_millis(100),
        retry_max: Duration::from_millis(400),
        announce_again_after: Duration::from_secs(3_600),
        ..GossipLimits::default()
    }
}

struct Node {
    key: Keypair,
    address: Multiaddr,
    pool: Arc<Pool>,
    chain: Arc<Chain>,
    gossip: Option<GossipHandle>,
}

/// A UDP port that was free just now.
fn free_address() -> Multiaddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    format!("/ip4/127.0.0.1/udp/{port}/quic-v1").parse().unwrap()
}

impl Node {
    fn new(config: PoolConfig) -> Self {
        let (pool, chain) = pool(config);
        let key = Keypair::generate_ed25519();
        Self { key, address: free_address(), pool, chain, gossip: None }
    }

    fn id(&self) -> PeerId {
        self.key.public().to_peer_id()
    }

    fn peer(&self) -> Peer {
        Peer { id: self.id(), addresses: vec![self.address.clone()] }
    }

    fn config(&self, peers: &[Peer], limits: GossipLimits) -> GossipConfig {
        GossipConfig {
            keypair: self.key.clone(),
            listen: self.address.clone(),
            peers: peers.to_vec(),
            genesis: GENESIS,
            limits,
        }
    }

    async fn start(&mut self, peers: &[Peer], limits: GossipLimits) {
        let config = self.config(peers, limits);
        self.gossip = Some(gossip::start(config, Arc::clone(&self.pool)).await.unwrap());
    }

    async fn stop(&mut self) {
        self.gossip.take().unwrap().stop().await.unwrap();
        self.socket_is_free().await;
    }

    /// Waits until the socket of a service that stopped is closed.
    async fn socket_is_free(&self) {
        let port = self.address.to_string().split('/').nth(4).unwrap().to_string();
        let address = format!("127.0.0.1:{port}");
        eventually("the socket is free", || UdpSocket::bind(&address).is_ok()).await;
    }

    /// As a new process: same identity and address, empty pool.
    fn forget(&mut self) {
        let config = self.pool.config().clone();
        (self.pool, self.chain) = pool(config);
    }

    fn submit(&self, tx: &Tx) -> Hash {
        self.pool.submit(tx.encode(), Source::Local).unwrap()
    }

    async fn connected_to(&self, count: usize) {
        let mut connected = self.gossip.as_ref().unwrap().connected();
        let wait = connected.wait_for(|peers| peers.len() == count);
        tokio::time::timeout(PATIENCE, wait).await.expect("connected in time").unwrap();
    }

    fn metric(&self, name: &str) -> u64 {
        let mut registry = prometheus_client::registry::Registry::default();
        self.gossip.as_ref().unwrap().metrics().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "in vain waited for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn network(count: usize, config: PoolConfig, limits: GossipLimits) -> Vec<Node> {
    let mut nodes: Vec<Node> = (0..count).map(|_| Node::new(config.clone())).collect();
    let peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    for node in &mut nodes {
        // The whole list, this node included, as an operator would write it.
        node.start(&peers, limits.clone()).await;
    }
    for node in &nodes {
        node.connected_to(count - 1).await;
    }
    nodes
}

async fn stop(nodes: &mut [Node]) {
    for node in nodes {
        if node.gossip.is_some() {
            node.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_submitted_at_one_arrives_at_all() {
    let mut nodes = network(4, PoolConfig::default(), limits()).await;
    let first = Tx::new(0, 0).encode();
    let mut states = nodes[0].pool.submit_and_watch(first, Source::Local).await.unwrap();
    for (sender, node) in nodes.iter().enumerate().skip(1) {
        node.submit(&Tx::new(sender as u8, 0));
    }
    for node in &nodes {
        eventually("all four everywhere", || node.pool.stats().ready == 4).await;
    }
    assert_eq!(states.next().await, Some(TxStatus::Ready));
    let mut told = Vec::new();
    while told.len() < 3 {
        match tokio::time::timeout(PATIENCE, states.next()).await.unwrap() {
            Some(TxStatus::Broadcast(peers)) => told.extend(peers),
            other => panic!("{other:?}"),
        }
    }
    for node in &nodes[1..] {
        assert!(told.contains(&node.id().to_string()));
    }
    // A transaction from a peer is not passed on: one delivery a pair.
    let received: u64 = nodes.iter().map(|n| n.metric("gossip_transactions_received_total")).sum();
    assert!((12..=24).contains(&received), "{received} deliveries");
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_arrive_in_order_and_none_is_lost() {
    let mut nodes = network(3, PoolConfig::default(), limits()).await;
    const EACH: u32 = 2_000;
    for nonce in 0..EACH {
        for (sender, node) in nodes.iter().enumerate() {
            node.submit(&Tx::new(sender as u8, nonce).payload(vec![7; 200]));
        }
    }
    // A sender that uses the nodes in turn leaves gaps that gossip closes.
    for nonce in 0..600 {
        nodes[nonce as usize % 3].submit(&Tx::new(9, nonce));
    }
    let all = 3 * EACH as usize + 600;
    for node in &nodes {
        eventually("all of them", || node.pool.stats().ready == all).await;
        assert_eq!(node.pool.stats().future, 0);
    }
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_longer_than_a_batch_travels_alone() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    nodes[0].submit(&Tx::new(1, 0).payload(vec![1; 1_000_000]));
    nodes[0].submit(&Tx::new(1, 1));
    eventually("both", || nodes[1].pool.stats().ready == 2).await;
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_peer_is_offered_what_is_pending() {
    let mut nodes = network(3, PoolConfig::default(), limits()).await;
    let peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    nodes[2].stop().await;
    nodes[0].connected_to(1).await;
    for nonce in 0..50 {
        nodes[0].submit(&Tx::new(0, nonce));
    }
    nodes[1].submit(&Tx::new(1, 0));
    nodes[2].forget();
    nodes[2].start(&peers, limits()).await;
    eventually("everything that is pending", || nodes[2].pool.stats().ready == 51).await;
    stop(&mut nodes).await;
}

#[test]
fn a_peer_that_was_killed_and_restarted_is_offered_what_is_pending() {
    let alive = tokio::runtime::Runtime::new().unwrap();
    let doomed = tokio::runtime::Runtime::new().unwrap();
    let mut a = Node::new(PoolConfig::default());
    let mut b = Node::new(PoolConfig::default());
    let peers = [a.peer(), b.peer()];
    alive.block_on(a.start(&peers, limits()));
    doomed.block_on(b.start(&peers, limits()));
    alive.block_on(async {
        a.connected_to(1).await;
        a.submit(&Tx::new(0, 0));
        eventually("the first", || b.pool.stats().ready == 1).await;
    });
    // No farewell: the sockets just close.
    doomed.shutdown_timeout(Duration::from_secs(5));
    drop(b.gossip.take());
    b.forget();
    alive.block_on(async {
        a.submit(&Tx::new(0, 1));
        b.socket_is_free().await;
        b.start(&peers, limits()).await;
        eventually("both", || b.pool.stats().ready == 2).await;
        stop(&mut [a, b]).await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_first_passes_on_what_it_took() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    for nonce in 0..500 {
        nodes[0].submit(&Tx::new(0, nonce));
    }
    nodes[0].stop().await;
    assert_eq!(nodes[1].pool.stats().ready, 500);
    nodes[1].connected_to(0).await;
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_peer_is_served_when_it_has_room() {
    let mut a = Node::new(PoolConfig::default());
    let small =
        PoolConfig { max_count: 10, max_per_sender: 10, max_future: 10, ..PoolConfig::default() };
    let mut b = Node::new(small);
    let peers = [a.peer(), b.peer()];
    a.start(&peers, limits()).await;
    b.start(&peers, limits()).await;
    a.connected_to(1).await;
    let txs: Vec<Tx> = (0..25).map(|sender| Tx::new(sender, 0)).collect();
    for tx in &txs {
        a.submit(tx);
    }
    for block in txs.chunks(10) {
        eventually("as many as it may hold", || b.pool.stats().ready == block.len()).await;
        b.chain.commit(&b.pool, block);
    }
    stop(&mut [a, b]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_peer_refused_for_now_is_offered_again() {
    let limits = GossipLimits { announce_again_after: Duration::from_millis(300), ..limits() };
    let mut nodes = network(2, PoolConfig::default(), limits).await;
    // Node 1 is a block behind, so that the nonce is too far ahead there.
    let far = PoolConfig::default().max_nonce_gap + 5;
    let catch_up: Vec<Tx> = (0..10).map(|nonce| Tx::new(1, nonce)).collect();
    nodes[0].chain.commit(&nodes[0].pool, &catch_up);
    nodes[0].submit(&Tx::new(1, far));
    eventually("it was offered", || nodes[1].metric("gossip_transactions_received_total") > 0)
        .await;
    assert_eq!(nodes[1].pool.stats().future, 0);
    nodes[1].chain.commit(&nodes[1].pool, &catch_up);
    eventually("it was taken", || nodes[1].pool.stats().future == 1).await;
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_peers_can_change() {
    let mut nodes = network(3, PoolConfig::default(), limits()).await;
    let peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    let gossip = nodes[0].gossip.as_ref().unwrap();
    gossip.update_peers(vec![peers[1].clone()]).await.unwrap();
    nodes[0].connected_to(1).await;
    nodes[0].submit(&Tx::new(0, 0));
    eventually("at the one that stayed", || nodes[1].pool.stats().ready == 1).await;
    assert_eq!(nodes[2].pool.stats().ready, 0);
    nodes[0].gossip.as_ref().unwrap().update_peers(peers.clone()).await.unwrap();
    eventually("at the one that came back", || nodes[2].pool.stats().ready == 1).await;
    let twice = vec![peers[1].clone(), peers[1].clone()];
    let error = nodes[0].gossip.as_ref().unwrap().update_peers(twice).await.unwrap_err();
    assert!(matches!(error, GossipError::Config(_)), "{error}");
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_cannot_have_one_address() {
    let mut a = Node::new(PoolConfig::default());
    a.start(&[], limits()).await;
    let mut config = a.config(&[], limits());
    config.keypair = Keypair::generate_ed25519();
    let error = gossip::start(config, Arc::clone(&a.pool)).await.unwrap_err();
    assert!(matches!(&error, GossipError::Listen { address, .. } if *address == a.address));
    let text = error.to_string();
    assert!(text.contains(&a.address.to_string()) && text.contains("in use"), "{text}");
    stop(&mut [a]).await;
}

/// Sends whatever bytes it is given as a request.
#[derive(Clone, Default)]
struct Raw;

#[async_trait]
impl request_response::Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T>(&mut self, p: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read_request(p, io).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }

    async fn write_response<T>(
        &mut self,
        p: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write_request(p, io, bytes).await
    }
}

fn raw_swarm(key: &Keypair, protocol: String) -> Swarm<request_response::Behaviour<Raw>> {
    let protocol = StreamProtocol::try_from_owned(protocol).unwrap();
    libp2p::SwarmBuilder::with_existing_identity(key.clone())
        .with_tokio()
        .with_quic()
        .with_behaviour(|_| {
            request_response::Behaviour::with_codec(
                Raw,
                [(protocol, ProtocolSupport::Full)],
                request_response::Config::default(),
            )
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
        .build()
}

/// Sends each of `frames` on its own stream; how many were answered before
/// the connection closed or all were dealt with.
async fn send_raw(key: &Keypair, genesis: &Hash, to: &Node, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    send_raw_to(key, protocol_name(genesis), to, frames).await
}

/// As [`send_raw`], over the named protocol.
async fn send_raw_to(
    key: &Keypair,
    protocol: String,
    to: &Node,
    frames: Vec<Vec<u8>>,
) -> Vec<Vec<u8>> {
    let mut swarm = raw_swarm(key, protocol);
    let peer = to.id();
    swarm.dial(DialOpts::peer_id(peer).addresses(vec![to.address.clone()]).build()).unwrap();
    let mut frames = frames.into_iter();
    let mut answers = Vec::new();
    let talk = async {
        loop {
            let go_on = match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => true,
                SwarmEvent::ConnectionClosed { .. }
                | SwarmEvent::OutgoingConnectionError { .. } => return,
                SwarmEvent::Behaviour(Event::Message {
                    message: Message::Response { response, .. },
                    ..
                }) => {
                    answers.push(response);
                    true
                }
                SwarmEvent::Behaviour(Event::OutboundFailure { .. }) => true,
                _ => false,
            };
            if go_on {
                match frames.next() {
                    Some(frame) => drop(swarm.behaviour_mut().send_request(&peer, frame)),
                    None => return,
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("the node answers or closes");
    answers
}

fn framed(payload: Vec<u8>) -> Vec<u8> {
    [&(payload.len() as u32).to_le_bytes()[..], &payload].concat()
}

fn batch(txs: &[Tx]) -> Vec<u8> {
    framed(txs.iter().map(Encode::encode).collect::<Vec<_>>().encode())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_are_fetched_by_their_hashes() {
    let mut nodes = network(3, PoolConfig::default(), limits()).await;
    // Nothing here is passed on: it counts as received from a peer.
    let take = |node: usize, tx: &Tx| {
        nodes[node].pool.submit(tx.encode(), Source::Peer).unwrap();
    };
    let long: Vec<Tx> = (0..5).map(|n| Tx::new(n, 0).payload(vec![n; 1_000_000])).collect();
    let (future, other, nowhere) = (Tx::new(7, 3), Tx::new(8, 0), Tx::new(9, 0));
    long.iter().chain([&future]).for_each(|tx| take(1, tx));
    take(2, &other);
    let ask = |first: usize, txs: &[Tx]| {
        let fetcher = nodes[0].gossip.as_ref().unwrap().fetcher();
        let (first, hashes) = (nodes[first].id(), txs.iter().map(Tx::hash).collect());
        async move { fetcher.fetch(first, hashes).await }
    };
    let expect = |txs: &[&Tx]| -> HashMap<Hash, Bytes> {
        txs.iter().map(|tx| (tx.hash(), tx.encode().into())).collect()
    };

    // A block's worth in one answer, and one that waits for an earlier nonce.
    let all: Vec<Tx> = long.iter().chain([&future]).cloned().collect();
    assert_eq!(ask(1, &all).await, expect(&all.iter().collect::<Vec<_>>()));
    // What the first does not hold another is asked for.
    assert_eq!(ask(1, &[future.clone(), other.clone()]).await, expect(&[&future, &other]));
    assert_eq!(ask(2, &[nowhere, other.clone()]).await, expect(&[&other]));
    // What a block has taken is still there for those that are behind.
    nodes[2].chain.commit(&nodes[2].pool, std::slice::from_ref(&other));
    assert_eq!(nodes[2].pool.stats().ready, 0);
    assert_eq!(ask(2, std::slice::from_ref(&other)).await, expect(&[&other]));
    // One that is gone is passed over.
    let second = nodes[1].id();
    let fetcher = nodes[0].gossip.as_ref().unwrap().fetcher();
    nodes[1].stop().await;
    nodes[0].connected_to(1).await;
    let hashes = [&future, &other].map(Tx::hash).into_iter().collect();
    assert_eq!(
        fetcher.fetch(second, hashes).await,
        HashMap::from([(other.hash(), other.encode().into())])
    );
    assert_eq!(nodes[0].pool.stats().ready, 0, "what was fetched is the asker's");
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_for_transactions_that_is_none_counts_as_garbage() {
    let bad = Keypair::generate_ed25519();
    let mut node = Node::new(PoolConfig::default());
    let peer = Peer { id: bad.public().to_peer_id(), addresses: vec![] };
    node.start(&[peer], limits()).await;
    node.submit(&Tx::new(1, 0));
    let frames = vec![
        framed(vec![0]),
        vec![0xff; 9],
        framed(vec![Tx::new(1, 0).hash(), Tx::new(2, 0).hash()].encode()),
    ];
    let answers = send_raw_to(&bad, fetch_protocol_name(&GENESIS), &node, frames).await;
    let nothing = framed(vec![0]);
    assert_eq!(answers, [nothing.clone(), nothing, framed(vec![Tx::new(1, 0).encode()].encode())]);
    assert_eq!(node.metric("gossip_garbage_total"), 2);
    stop(&mut [node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_peers_have_is_known() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    let (own, theirs) = (Tx::new(1, 0), Tx::new(2, 0));
    nodes[0].submit(&own);
    nodes[1].submit(&theirs);
    let hashes = [own.hash(), theirs.hash(), Tx::new(3, 0).hash()];
    for node in &nodes {
        eventually("both are at both", || node.pool.at_peers(&hashes).len() == 2).await;
    }
    stop(&mut nodes).await;
    let (alone, _) = pool(PoolConfig::default());
    alone.submit(own.encode(), Source::Local).unwrap();
    assert!(alone.at_peers(&hashes).is_empty(), "nobody was told of it");
}

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

//! What nodes pass on to each other.

use super::{Node, PATIENCE, eventually, limits, network, stop};
use crate::chain::{RESERVED, Tx, pool};
use billchain_txpool::{
    PoolConfig, Source, TxStatus,
    gossip::{self, GossipError, GossipLimits, MAX_PEERS, Peer},
};
use codec::Encode;
use libp2p::{PeerId, identity::Keypair};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

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

/// Thirty ordinary transactions and two of the reserve.
fn small() -> PoolConfig {
    PoolConfig { max_count: 32, max_per_sender: 32, max_future: 32, ..PoolConfig::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_without_room_at_a_peer_holds_back_nobody_else() {
    // Attempts for those that are held back come rarely.
    let limits = GossipLimits {
        retry_min: Duration::from_secs(10),
        retry_max: Duration::from_secs(20),
        ..limits()
    };
    let mut a = Node::new(PoolConfig::default());
    let mut b = Node::new(small());
    let peers = [a.peer(), b.peer()];
    b.start(&peers, limits.clone()).await;
    a.start(&peers, limits).await;
    a.connected_to(1).await;
    let flood: Vec<Tx> = (0..500).map(|nonce| Tx::new(1, nonce)).collect();
    for tx in &flood {
        a.submit(tx);
    }
    eventually("as many as it may hold", || b.pool.stats().ready == 30).await;
    eventually("the rest is held back", || a.metric("gossip_transactions_held_back_total") > 0)
        .await;

    let begin = Instant::now();
    for tx in [Tx::new(2, 0), Tx::new(RESERVED, 0), Tx::new(3, 0)] {
        a.submit(&tx);
        eventually("another's", || b.pool.status(&tx.hash()).is_some()).await;
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(b.pool.stats().ready, 31, "the largest share gave way to the ordinary ones");
    stop(&mut [a, b]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reserve_passes_while_a_long_queue_of_others_is_under_way() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    let flood = |nonce| Tx::new(1, nonce).payload(vec![0; 100_000]);
    for nonce in 0..500 {
        nodes[0].submit(&flood(nonce));
    }
    let motion = Tx::new(RESERVED, 0);
    nodes[0].submit(&motion);
    eventually("the motion", || nodes[1].pool.status(&motion.hash()).is_some()).await;
    let before = nodes[1].pool.stats().ready;
    assert!(before < 500, "it came before the end of the queue: {before}");
    eventually("the queue", || nodes[1].pool.stats().ready == 501).await;
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_connects_again_and_again_is_not_sent_the_pool_each_time() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    let peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    for sender in 0..60 {
        nodes[0].submit(&Tx::new(sender, 0).payload(vec![0; 900_000]));
    }
    eventually("all of them", || nodes[1].pool.stats().ready == 60).await;
    let begin = Instant::now();
    for _ in 0..4 {
        nodes[1].stop().await;
        nodes[0].connected_to(0).await;
        nodes[1].start(&peers, limits()).await;
        nodes[1].connected_to(1).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // A burst of 16 MiB, and 2 MiB a second.
    let most = 20 + 3 * (begin.elapsed().as_secs() + 1);
    let again = nodes[0].metric("gossip_transactions_offered_again_total");
    assert!((1..=most).contains(&again), "{again} offered again, at most {most}");

    // What is new comes at once, and to one that forgot everything in time.
    nodes[1].stop().await;
    nodes[1].forget();
    nodes[1].start(&peers, limits()).await;
    let new = Tx::new(90, 0);
    nodes[0].submit(&new);
    let begin = Instant::now();
    eventually("the new one", || nodes[1].pool.status(&new.hash()).is_some()).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    stop(&mut nodes).await;
}

/// As many as 64 validators and 256 observers, and one more than there can be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_list_of_peers_ends_a_running_node() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    let own: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    let list = |count: usize| -> Vec<Peer> {
        let strangers = (own.len()..count).map(|number| Peer {
            id: PeerId::random(),
            addresses: vec![
                format!("/ip4/127.9.9.9/udp/{}/quic-v1", 1_000 + number).parse().unwrap(),
            ],
        });
        own.iter().cloned().chain(strangers).collect()
    };
    for (round, count) in [257, MAX_PEERS, MAX_PEERS + 1].into_iter().enumerate() {
        let gossip = nodes[0].gossip.as_ref().unwrap();
        let taken = gossip.update_peers(list(count)).await;
        match taken {
            Ok(()) => assert!(count <= MAX_PEERS),
            Err(GossipError::Config(error)) => {
                assert_eq!(count, MAX_PEERS + 1);
                let reason = error.to_string();
                assert!(reason.contains("321 are listed, at most 320 may be"), "{reason}");
            }
            Err(error) => panic!("{count}: {error}"),
        }
        let tx = Tx::new(round as u8, 0);
        nodes[0].submit(&tx);
        eventually("it goes on", || nodes[1].pool.status(&tx.hash()).is_some()).await;
    }
    stop(&mut nodes).await;
}

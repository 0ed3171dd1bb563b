//! Transactions by their hashes.

use super::{GENESIS, Node, RULES, limits, network, raw, stop};
use crate::chain::Tx;
use billchain_primitives::Hash;
use billchain_txpool::{
    PoolConfig, Source,
    gossip::{Peer, fetch_protocol_name},
};
use bytes::Bytes;
use codec::Encode;
use libp2p::identity::Keypair;
use raw::{framed, send_raw_to};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

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
    let mut hashes = vec![Tx::new(1, 0).hash(), Tx::new(2, 0).hash()];
    hashes.sort_unstable();
    let twice = vec![hashes[0], hashes[0]];
    let frames = vec![framed(vec![0]), framed(twice.encode()), framed(hashes.encode())];
    let answers = send_raw_to(&bad, fetch_protocol_name(&GENESIS, RULES), &node, frames).await;
    let nothing = framed(vec![0, 0]);
    let found = framed((0u8, vec![Tx::new(1, 0).encode()]).encode());
    assert_eq!(answers, [nothing.clone(), nothing, found]);
    assert_eq!(node.metric("gossip_garbage_total"), 2);
    stop(&mut [node]).await;
}

/// Bytes that a peer is answered which asks for the same again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_peer_is_answered_in_a_second_is_bounded() {
    let greedy = Keypair::generate_ed25519();
    let mut nodes = vec![Node::new(PoolConfig::default()), Node::new(PoolConfig::default())];
    let mut peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    peers.push(Peer { id: greedy.public().to_peer_id(), addresses: vec![] });
    for node in &mut nodes {
        node.start(&peers, limits()).await;
    }
    nodes[0].connected_to(1).await;
    let long: Vec<Tx> = (0..5).map(|n| Tx::new(n, 0).payload(vec![n; 1_000_000])).collect();
    for tx in &long {
        nodes[0].pool.submit(tx.encode(), Source::Peer).unwrap();
    }
    let mut hashes: Vec<Hash> = long.iter().map(Tx::hash).collect();
    hashes.sort_unstable();
    let frames = vec![framed(hashes.encode()); 40];
    let begin = Instant::now();
    let answers =
        send_raw_to(&greedy, fetch_protocol_name(&GENESIS, RULES), &nodes[0], frames).await;
    let seconds = begin.elapsed().as_secs() as usize + 1;
    assert_eq!(answers.len(), 40, "each is answered");
    let bytes: usize = answers.iter().map(Vec::len).sum();
    // A burst of 12 MiB, 4 MiB a second, and the answer that goes beyond it.
    let most = (18 + 4 * seconds) << 20;
    assert!(bytes <= most && bytes > 10 << 20, "{bytes} bytes in {seconds} s, at most {most}");
    let put_off = answers.iter().filter(|answer| answer.len() == 9 && answer[4] == 1).count();
    assert!(put_off > 0, "it is told when it may ask again");
    assert_eq!(nodes[0].metric("gossip_answers_put_off_total"), put_off as u64);

    // Another peer's budget is its own.
    let fetcher = nodes[1].gossip.as_ref().unwrap().fetcher();
    let wanted = hashes.iter().copied().collect();
    let found = fetcher.fetch(nodes[0].id(), wanted).await;
    assert_eq!(found.len(), 5);
    stop(&mut nodes).await;
}

/// A node that was restarted with an empty pool fetches all of every block, at
/// 1,200 transactions a second for ten seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_node_gets_all_of_every_block_from_one_peer() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    let fetcher = nodes[1].gossip.as_ref().unwrap().fetcher();
    let mut worst = Duration::ZERO;
    for block in 0..10 {
        let txs: Vec<Tx> =
            (0..1_200).map(|n| Tx::new(7, block * 1_200 + n).payload(vec![1; 370])).collect();
        for tx in &txs {
            nodes[0].pool.submit(tx.encode(), Source::Peer).unwrap();
        }
        let begin = Instant::now();
        let wanted = txs.iter().map(Tx::hash).collect();
        assert_eq!(fetcher.fetch(nodes[0].id(), wanted).await.len(), txs.len());
        worst = worst.max(begin.elapsed());
    }
    assert!(worst < Duration::from_secs(2), "{worst:?}");
    assert_eq!(nodes[1].metric("gossip_fetches_put_off_total"), 0);
    stop(&mut nodes).await;
}

//! Blocks that are right.

use super::kit::{NOW, Node, params, proposal};
use billchain_chain_spec::{ChainSpec, dev};
use billchain_executor::{BuildParams, Chain, ChainError, ClockCheck, Stopped, transaction_hash};
use billchain_runtime::{System, Timestamp, limits::MAX_BLOCK_BYTES};
use billchain_storage::{Storage, StorageOptions};
use std::{sync::Arc, time::Instant};

#[test]
fn two_nodes_come_to_the_same_roots() {
    let (proposer, follower) = (Node::development(), Node::development());
    assert_eq!(proposer.chain.head(), follower.chain.head());
    let (hospital, insurer) = (proposer.signer("//hospital"), proposer.signer("//insurer-a"));
    for height in 0..5u32 {
        let txs = vec![
            hospital.remark(2 * height),
            insurer.remark(height),
            hospital.remark(2 * height + 1),
        ];
        let bytes = proposer.advance(txs);
        follower.follow(bytes);
        assert_eq!(proposer.chain.head(), follower.chain.head());
    }
    assert_eq!(proposer.chain.head().number, 5);
    let account = dev::account("//hospital");
    assert_eq!(follower.chain.read(|| System::account_nonce(&account)).unwrap(), 10);
}

/// The name of a chain comes from its specification alone: on every machine, in
/// every build of these rules. Rules with another first state change it.
#[test]
fn the_development_chain_keeps_its_name() {
    let hash = Node::development().chain.genesis_hash();
    let expected = "0xc973305aa436f8ebba353ad4c16b864bb01d28e8db9c9514b4325dcff719b5b5";
    assert_eq!(format!("{hash:?}"), expected);
}

#[test]
fn an_empty_block_is_a_block() {
    let node = Node::development();
    let built = node.build(vec![]);
    assert_eq!((built.block.transaction_count(), built.stopped), (0, Stopped::Exhausted));
    node.chain.commit(built.block, vec![]).unwrap();
    assert_eq!(node.chain.head().number, 1);
    assert_eq!(node.chain.read(Timestamp::get).unwrap(), NOW);
}

#[test]
fn time_grows_although_the_clock_stands() {
    let node = Node::development();
    for height in 0..3 {
        node.advance(vec![]);
        assert_eq!(node.chain.read(Timestamp::get).unwrap(), NOW + height);
    }
}

#[test]
fn a_block_names_its_transactions_by_their_hashes() {
    let node = Node::development();
    let tx = node.signer("//hospital").remark(0);
    let hash = transaction_hash(&tx);
    let mut news = node.chain.subscribe();
    node.advance(vec![tx]);
    let committed = news.try_recv().unwrap();
    assert_eq!(committed.tx_hashes.len(), 2);
    assert_eq!(committed.tx_hashes[1], hash);
    assert_eq!(committed.hash, node.chain.head().hash);
    assert_eq!(committed.header.hash(), committed.hash);
}

#[test]
fn a_proposal_that_was_not_decided_leaves_no_trace() {
    let node = Node::development();
    let before = node.chain.head();
    let first = node.build(vec![node.signer("//hospital").remark(0)]).block;
    assert_eq!(node.chain.head(), before);
    let second = node.build(vec![node.signer("//insurer-a").remark(0)]).block;
    node.chain.commit(second, vec![]).unwrap();
    let error = node.chain.commit(first, vec![]).unwrap_err();
    assert!(matches!(error, ChainError::NotNext { head: 1, found: 1 }), "{error}");
}

#[test]
fn reads_see_old_states_and_write_nothing() {
    let node = Node::development();
    let genesis = node.chain.genesis_hash();
    node.advance(vec![node.signer("//hospital").remark(0)]);
    let account = dev::account("//hospital");
    let nonce = || System::account_nonce(&account);
    assert_eq!(node.chain.read_at(&genesis, nonce).unwrap(), 0);
    assert_eq!(node.chain.read(nonce).unwrap(), 1);
    let number = node
        .chain
        .read(|| {
            System::set_block_number(77);
            System::block_number()
        })
        .unwrap();
    assert_eq!(number, 77);
    assert_eq!(node.chain.read(System::block_number).unwrap(), 1);
}

#[test]
fn concurrent_reads_do_not_disturb_a_block_under_execution() {
    let (proposer, follower) = (Node::development(), Node::development());
    let hospital = proposer.signer("//hospital");
    let account = dev::account("//hospital");
    let stop = &std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (chain, account) = (follower.chain.clone(), account.clone());
            scope.spawn(move || {
                let mut last = 0;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let nonce = chain.read(|| System::account_nonce(&account)).unwrap();
                    assert!(nonce >= last, "the head went back from {last} to {nonce}");
                    last = nonce;
                }
            });
        }
        for height in 0..10u32 {
            let txs = (0..20).map(|n| hospital.remark(height * 20 + n)).collect();
            follower.follow(proposer.advance(txs));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(proposer.chain.head(), follower.chain.head());
}

#[test]
fn the_same_directory_opens_again_with_its_genesis_only() {
    let spec = ChainSpec::development();
    let Node { chain, directory } = Node::of(&spec);
    let genesis = chain.genesis_hash();
    drop(chain);
    let open = || Arc::new(Storage::open(directory.path(), StorageOptions::default()).unwrap());
    let mut other = spec.clone();
    other.timestamp_ms += 1;
    let error = Chain::with_genesis(open(), &other.genesis_state().unwrap()).err().unwrap();
    let is_named =
        matches!(error, ChainError::OtherDocument { genesis: found, .. } if found == genesis);
    assert!(is_named, "{error}");
    let again = Chain::with_genesis(open(), &spec.genesis_state().unwrap()).unwrap();
    assert_eq!(again.genesis_hash(), genesis);
}

#[test]
fn building_stops_at_its_limits_and_the_block_keeps_them() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let txs: Vec<_> = (0..100).map(|n| hospital.sign(&super::kit::remark(1_000), n)).collect();

    let limit = 20_000;
    let small = BuildParams { max_block_bytes: limit, ..params() };
    let built = node.chain.build(small, &mut txs.clone().into_iter()).unwrap();
    assert_eq!(built.stopped, Stopped::Full);
    assert!(built.block.bytes().len() <= limit, "{} bytes", built.block.bytes().len());
    assert!(built.block.transaction_count() >= 15, "{}", built.block.transaction_count());

    let late = BuildParams { deadline: Instant::now(), ..params() };
    let built = node.chain.build(late, &mut txs.into_iter()).unwrap();
    assert_eq!((built.stopped, built.block.transaction_count()), (Stopped::Deadline, 0));
}

#[test]
fn a_block_filled_to_the_chains_length_is_accepted_elsewhere() {
    let (proposer, follower) = (Node::development(), Node::development());
    let hospital = proposer.signer("//hospital");
    let txs = (0..20).map(|n| hospital.sign(&super::kit::remark(400 * 1024), n)).collect();
    let built = proposer.build(txs);
    assert_eq!((built.stopped, built.refused.len()), (Stopped::Full, 0));
    let length = built.block.bytes().len();
    assert!(length > 3 * 1024 * 1024 && length <= MAX_BLOCK_BYTES as usize, "{length}");
    follower.chain.execute(built.block.bytes().clone(), proposal(NOW)).unwrap();
}

#[test]
fn a_decided_block_may_be_old_and_a_proposal_may_not() {
    let (proposer, follower) = (Node::development(), Node::development());
    let bytes = proposer.advance(vec![]);
    let year = 365 * 86_400_000;
    let error = follower.chain.execute(bytes.clone(), proposal(NOW + year)).unwrap_err();
    assert!(matches!(error, billchain_executor::BlockError::TimeBehind { .. }), "{error}");
    follower.chain.execute(bytes, ClockCheck::Decided).unwrap();
}

//! Random submissions and blocks against the rules that always hold. The
//! rules are restated here over what the pool shows; a failing seed is printed
//! and kept by proptest.

use crate::chain::{Tx, account, pool};
use billchain_primitives::Hash;
use billchain_txpool::{Pool, PoolConfig, Source};
use codec::Encode;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

#[derive(Clone, Debug)]
enum Step {
    Submit {
        sender: u8,
        ahead: u32,
        dies_in: Option<u32>,
        payload: u8,
    },
    /// Takes this many of the best into a block, and lets `foreign` use a
    /// nonce with a transaction that the pool never saw.
    Block {
        take: usize,
        foreign: Option<u8>,
    },
    RemoveBest {
        at: usize,
    },
    Suspend {
        sender: u8,
    },
    Revalidate,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..5u8, 0..8u32, proptest::option::weighted(0.2, 1..6u32), 0..90u8).prop_map(
            |(sender, ahead, dies_in, payload)| Step::Submit { sender, ahead, dies_in, payload }
        ),
        3 => (0..6usize, proptest::option::weighted(0.3, 0..5u8))
            .prop_map(|(take, foreign)| Step::Block { take, foreign }),
        1 => (0..6usize).prop_map(|at| Step::RemoveBest { at }),
        1 => (3..5u8).prop_map(|sender| Step::Suspend { sender }),
        1 => Just(Step::Revalidate),
    ]
}

fn config() -> PoolConfig {
    PoolConfig {
        max_count: 16,
        max_bytes: 1_200,
        max_transaction_bytes: 100,
        max_per_sender: 7,
        max_sender_bytes: 500,
        max_future: 6,
        max_nonce_gap: 5,
        future_lifetime: 4,
        revalidate_after: 2,
        revalidate_batch: 3,
        validation_threads: 1,
        max_waiting: 64,
        max_watchers: 4,
        remember_included: 8,
    }
}

fn check(pool: &Arc<Pool>, config: &PoolConfig, nonces: &BTreeMap<u8, u32>) {
    let ready = pool.pending();
    let future = pool.future(usize::MAX);
    let stats = pool.stats();
    assert_eq!((stats.ready, stats.future), (ready.len(), future.len()));
    assert!(ready.len() + future.len() <= config.max_count);
    assert!(future.len() <= config.max_future);
    let both = || ready.iter().chain(&future);
    let bytes: usize = both().map(|tx| tx.bytes.len()).sum();
    assert_eq!(bytes, stats.bytes);
    assert!(bytes <= config.max_bytes);
    let hashes: HashSet<Hash> = both().map(|tx| tx.hash).collect();
    assert_eq!(hashes.len(), ready.len() + future.len(), "none twice");
    for sender in 0..5u8 {
        let of = |list: &[Arc<billchain_txpool::PoolTransaction>]| -> Vec<u32> {
            list.iter().filter(|tx| tx.sender == account(sender)).map(|tx| tx.nonce).collect()
        };
        let next = nonces.get(&sender).copied().unwrap_or(0);
        let (mine, mut later) = (of(&ready), of(&future));
        let run: Vec<u32> = (next..next + mine.len() as u32).collect();
        assert_eq!(mine, run, "ready ones of {sender} run from its nonce without a gap");
        later.sort_unstable();
        later.dedup();
        assert_eq!(later.len(), of(&future).len(), "one transaction a nonce");
        let first_gap = next + mine.len() as u32;
        assert!(later.iter().all(|nonce| *nonce > first_gap), "{later:?} wait for {first_gap}");
        assert!(mine.len() + later.len() <= config.max_per_sender);
    }
    let best: Vec<Hash> = pool.best().map(|tx| tx.hash).collect();
    assert_eq!(best, ready.iter().map(|tx| tx.hash).collect::<Vec<_>>());
    assert_eq!(stats.local, hashes.len(), "every local one is in the log, once");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_after_every_step(steps in prop::collection::vec(step(), 1..80)) {
        let config = config();
        let (pool, chain) = pool(config.clone());
        let mut nonces = BTreeMap::<u8, u32>::new();
        let mut head = 0u32;
        let mut by_hash = std::collections::HashMap::<Hash, Tx>::new();
        for step in steps {
            match step {
                Step::Submit { sender, ahead, dies_in, payload } => {
                    let nonce = nonces.get(&sender).copied().unwrap_or(0) + ahead;
                    let mut tx = Tx::new(sender, nonce).payload(vec![payload; payload.into()]);
                    tx.dies_at = dies_in.map(|blocks| head + 1 + blocks);
                    if pool.submit(tx.encode(), Source::Local).is_ok() {
                        by_hash.insert(tx.hash(), tx);
                    }
                }
                Step::Block { take, foreign } => {
                    let mut block: Vec<Tx> =
                        pool.best().take(take).map(|tx| by_hash[&tx.hash].clone()).collect();
                    if let Some(sender) = foreign
                        && !block.iter().any(|tx| tx.sender == sender)
                    {
                        let nonce = nonces.get(&sender).copied().unwrap_or(0);
                        block.push(Tx::new(sender, nonce).payload("foreign"));
                    }
                    for tx in &block {
                        *nonces.entry(tx.sender).or_insert(0) += 1;
                    }
                    head += 1;
                    chain.commit(&pool, &block);
                    for tx in &block {
                        prop_assert!(pool.status(&tx.hash()).is_none());
                    }
                    for tx in pool.pending() {
                        let dies_at = by_hash[&tx.hash].dies_at;
                        prop_assert!(dies_at.is_none_or(|at| at > head + 1));
                    }
                }
                Step::RemoveBest { at } => {
                    if let Some(tx) = pool.best().nth(at) {
                        pool.remove_invalid(&[tx.hash]);
                        prop_assert!(pool.status(&tx.hash).is_none());
                    }
                }
                Step::Suspend { sender } => chain.suspend(sender),
                Step::Revalidate => {
                    prop_assert!(pool.revalidate() <= config.revalidate_batch);
                }
            }
            check(&pool, &config, &nonces);
        }
    }
}

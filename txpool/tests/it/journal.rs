//! What clients were answered about comes back when a node starts again.

use crate::chain::{Chain, Tx, account, pool_with_journal};
use billchain_primitives::Hash;
use billchain_txpool::{Pool, PoolConfig, PoolError, Source};
use codec::Encode;
use prometheus_client::registry::Registry;
use std::{path::Path, sync::Arc};

const BOUND: u64 = 1 << 20;

async fn submit(pool: &Arc<Pool>, tx: &Tx) -> Result<Hash, PoolError> {
    pool.submit_async(tx.encode(), Source::Local).await
}

fn order(pool: &Arc<Pool>) -> Vec<(u8, u32)> {
    pool.best().map(|tx| (AsRef::<[u8]>::as_ref(&tx.sender)[0], tx.nonce)).collect()
}

fn metric(pool: &Pool, name: &str) -> i64 {
    let (mut registry, mut text) = (Registry::default(), String::new());
    pool.register_metrics(&mut registry);
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    let value = line.and_then(|line| line.split(' ').nth(1)?.parse().ok());
    value.unwrap_or_else(|| panic!("{name} is no number in:\n{text}"))
}

fn held(pool: &Pool) -> i64 {
    metric(pool, "txpool_journal_transactions")
}

struct Kit {
    chain: Arc<Chain>,
    directory: tempfile::TempDir,
}

impl Kit {
    fn new() -> Self {
        Self { chain: Arc::default(), directory: tempfile::tempdir().unwrap() }
    }

    fn place(&self) -> &Path {
        self.directory.path()
    }

    /// The pool of a run with these bounds.
    fn start(&self, config: PoolConfig) -> Arc<Pool> {
        pool_with_journal(config, &self.chain, self.place(), BOUND)
    }
}

#[tokio::test]
async fn what_clients_were_promised_comes_back_in_nonce_order() {
    let kit = Kit::new();
    let pool = kit.start(PoolConfig::default());
    for (sender, nonce) in [(1, 2), (1, 0), (2, 0), (1, 1), (2, 3)] {
        submit(&pool, &Tx::new(sender, nonce)).await.unwrap();
    }
    // One watches, and one sends again what is there.
    let watched = pool.submit_and_watch(Tx::new(3, 0).encode(), Source::Local).await.unwrap();
    let again = submit(&pool, &Tx::new(1, 0)).await;
    assert_eq!(again, Err(PoolError::AlreadyImported(Tx::new(1, 0).hash())));
    assert_eq!(held(&pool), 6);
    drop((watched, pool));

    let pool = kit.start(PoolConfig::default());
    assert_eq!(pool.stats().ready, 0, "a start waits for nobody");
    assert_eq!(pool.next_nonce(&account(1), 0), 3, "their nonces are taken already");
    assert_eq!(pool.next_nonce(&account(2), 0), 1);
    assert_eq!(metric(&pool, "txpool_journal_awaited"), 6);
    assert_eq!(pool.restore(), 0);
    assert_eq!(order(&pool).len(), 5);
    let of_one: Vec<u32> =
        order(&pool).into_iter().filter(|(sender, _)| *sender == 1).map(|(_, n)| n).collect();
    assert_eq!(of_one, [0, 1, 2]);
    let stats = pool.stats();
    assert_eq!((stats.future, stats.local), (1, 6), "all are passed on to the peers");
    assert_eq!(metric(&pool, "txpool_journal_awaited"), 0);
    assert_eq!(metric(&pool, "txpool_journal_restored_total"), 6);
    assert_eq!(held(&pool), 6);
    // And once more, if nothing became final.
    drop(pool);
    let pool = kit.start(PoolConfig::default());
    assert_eq!((pool.restore(), pool.stats().ready), (0, 5));
}

#[tokio::test]
async fn what_is_final_invalid_or_expired_is_forgotten_and_does_not_come_back() {
    let kit = Kit::new();
    let pool = kit.start(PoolConfig::default());
    let (mortal, suspended) = (Tx::new(2, 0).dies_at(3), Tx::new(3, 0));
    for tx in [&Tx::new(1, 0), &Tx::new(1, 1), &mortal, &suspended, &Tx::new(4, 0)] {
        submit(&pool, tx).await.unwrap();
    }
    kit.chain.commit(&pool, &[Tx::new(1, 0)]);
    assert_eq!(held(&pool), 4, "one is final");
    kit.chain.commit(&pool, &[]);
    assert_eq!(held(&pool), 3, "one has expired");
    kit.chain.suspend(3);
    pool.remove_invalid(&[suspended.hash()]);
    assert_eq!(held(&pool), 2, "one is invalid");
    // One becomes final while the node is down.
    drop(pool);
    kit.chain.execute(&[Tx::new(4, 0)]);

    let pool = kit.start(PoolConfig::default());
    assert_eq!(pool.restore(), 0);
    assert_eq!(order(&pool), [(1, 1)]);
    assert_eq!(held(&pool), 1);
}

#[tokio::test]
async fn a_peers_transaction_is_kept_when_a_client_sends_it_too() {
    let kit = Kit::new();
    let pool = kit.start(PoolConfig::default());
    let tx = Tx::new(1, 0);
    pool.submit_all(vec![tx.encode().into(), Tx::new(2, 0).encode().into()], Source::Peer);
    assert_eq!((pool.stats().ready, held(&pool)), (2, 0));
    assert_eq!(submit(&pool, &tx).await, Err(PoolError::AlreadyImported(tx.hash())));
    assert_eq!(held(&pool), 1);
    drop(pool);
    let pool = kit.start(PoolConfig::default());
    pool.restore();
    assert_eq!(order(&pool), [(1, 0)]);
}

#[tokio::test]
async fn a_full_journal_refuses_clients_with_what_to_do_and_nobody_else() {
    let kit = Kit::new();
    let pool = pool_with_journal(PoolConfig::default(), &kit.chain, kit.place(), 500);
    submit(&pool, &Tx::new(1, 0).payload([7; 200])).await.unwrap();
    let next = Tx::new(1, 1).payload([7; 200]);
    let error = submit(&pool, &next).await.unwrap_err();
    assert!(matches!(error, PoolError::JournalFull { limit: 500, .. }), "{error}");
    assert!(error.is_temporary());
    for words in ["journal", "of 500 bytes", "send again", "pool.max_journal_bytes"] {
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(order(&pool), [(1, 0)]);
    // Peers are heard, and blocks make room, as soon as a file is over.
    pool.submit(next.encode(), Source::Peer).unwrap();
    assert_eq!(order(&pool), [(1, 0), (1, 1)]);
    let refused = pool.submit_and_watch(Tx::new(2, 0).payload([7; 200]).encode(), Source::Local);
    assert_eq!(refused.await.unwrap_err().code(), 2018);
    assert_eq!(metric(&pool, "txpool_journal_full_total"), 2);
}

#[tokio::test]
async fn those_that_find_no_room_come_back_when_blocks_have_made_some() {
    let kit = Kit::new();
    let pool = kit.start(PoolConfig::default());
    for nonce in 0..200 {
        submit(&pool, &Tx::new(1, nonce)).await.unwrap();
    }
    drop(pool);
    let small = PoolConfig {
        max_count: 32,
        max_per_sender: 20,
        max_future: 10,
        max_nonce_gap: 10,
        ..PoolConfig::default()
    };
    let pool = kit.start(small);
    assert_eq!(pool.restore(), 180);
    let mut next = 0;
    for round in 0..=10 {
        let block: Vec<Tx> = order(&pool).iter().map(|(_, nonce)| Tx::new(1, *nonce)).collect();
        next += block.len() as u32;
        kit.chain.commit(&pool, &block);
        if pool.restore() == 0 && order(&pool).is_empty() {
            break;
        }
        assert!(round < 10, "{next} of 200 are final");
    }
    assert_eq!((next, held(&pool)), (200, 0));
}

#[tokio::test]
async fn a_nonce_that_another_transaction_took_meanwhile_is_the_blocks_to_decide() {
    let kit = Kit::new();
    let pool = kit.start(PoolConfig::default());
    submit(&pool, &Tx::new(1, 0)).await.unwrap();
    drop(pool);
    let pool = kit.start(PoolConfig::default());
    let other = Tx::new(1, 0).payload("other");
    submit(&pool, &other).await.unwrap();
    assert_eq!(pool.restore(), 1, "it waits");
    assert_eq!(held(&pool), 2);
    kit.chain.commit(&pool, &[other]);
    assert_eq!((pool.restore(), held(&pool)), (0, 0));
}

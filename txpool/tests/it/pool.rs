//! Every refusal, order, bounds, promotion, pruning, expiry, news.

use crate::chain::{Chain, STRANGER, Tx, account, pool};
use billchain_primitives::Hash;
use billchain_txpool::{
    Pool, PoolConfig, PoolError, Rejection, Source, StatusStream, TransactionValidator, TxInfo,
    TxStatus,
};
use bytes::Bytes;
use codec::Encode;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

fn small() -> PoolConfig {
    PoolConfig {
        max_count: 8,
        max_bytes: 4_000,
        max_transaction_bytes: 1_000,
        max_per_sender: 5,
        max_sender_bytes: 2_000,
        max_future: 3,
        max_nonce_gap: 4,
        future_lifetime: 3,
        revalidate_after: 2,
        revalidate_batch: 4,
        validation_threads: 1,
        max_waiting: 16,
        max_watchers: 2,
        remember_included: 16,
    }
}

fn submit(pool: &Pool, tx: &Tx) -> Result<Hash, PoolError> {
    pool.submit(tx.encode(), Source::Local)
}

fn order(pool: &Arc<Pool>) -> Vec<(u8, u32)> {
    pool.best().map(|tx| (AsRef::<[u8]>::as_ref(&tx.sender)[0], tx.nonce)).collect()
}

async fn all(stream: &mut StatusStream) -> Vec<TxStatus> {
    let mut states = Vec::new();
    while let Some(state) = stream.next().await {
        states.push(state);
    }
    states
}

#[test]
fn the_chains_refusals_pass_through() {
    let (pool, chain) = pool(small());
    chain.commit(&pool, &[Tx::new(1, 0), Tx::new(1, 1)]);
    let mut forged = Tx::new(1, 2);
    forged.signed_well = false;
    let stranger = Tx::new(STRANGER, 0);
    let used = Tx::new(1, 1).payload("other");
    for (tx, code) in [(used.clone(), 2105), (forged, 2102), (stranger, 2104)] {
        assert_eq!(submit(&pool, &tx).unwrap_err().code(), code, "{tx:?}");
    }
    let stale = submit(&pool, &used).unwrap_err();
    assert_eq!(stale, Rejection::Stale { expected: 2, got: 1 }.into());
    for bytes in [vec![], vec![0xff; 40], vec![0; 3]] {
        let error = pool.submit(bytes, Source::Local).unwrap_err();
        assert!(matches!(error, PoolError::Rejected(Rejection::Undecodable { .. })), "{error}");
    }
    assert_eq!(pool.stats().ready + pool.stats().future, 0);
}

#[tokio::test]
async fn a_pool_that_takes_nothing_says_why_and_keeps_what_it_has() {
    let (pool, chain) = pool(small());
    let held = Tx::new(1, 0);
    let hash = submit(&pool, &held).unwrap();
    let refusal = PoolError::DiskLow { free_mib: 3, least_mib: 1_024 };
    pool.refuse(Some(refusal.clone()));
    let next = Tx::new(1, 1);
    for source in [Source::Local, Source::Peer] {
        assert_eq!(pool.submit(next.encode(), source), Err(refusal.clone()));
        assert_eq!(pool.submit_async(next.encode(), source).await, Err(refusal.clone()));
    }
    assert_eq!(chain.checks.load(Ordering::Relaxed), 1, "nothing was checked for nothing");
    assert!(refusal.to_string().contains("3 MiB free") && refusal.is_temporary());
    // What was accepted stays, is known when it is sent again, and goes into blocks.
    assert_eq!(submit(&pool, &held), Err(PoolError::AlreadyImported(hash)));
    assert_eq!(order(&pool), [(1, 0)]);
    pool.refuse(None);
    submit(&pool, &next).unwrap();
    assert_eq!(order(&pool), [(1, 0), (1, 1)]);
}

#[test]
fn the_same_transaction_is_taken_once_and_checked_once() {
    let (pool, chain) = pool(small());
    let tx = Tx::new(1, 0);
    let hash = submit(&pool, &tx).unwrap();
    assert_eq!(hash, tx.hash());
    assert_eq!(submit(&pool, &tx), Err(PoolError::AlreadyImported(hash)));
    let block = chain.commit(&pool, std::slice::from_ref(&tx));
    assert_eq!(submit(&pool, &tx), Err(PoolError::AlreadyIncluded { hash, block }));
    assert_eq!(chain.checks.load(Ordering::Relaxed), 1);
}

#[test]
fn a_nonce_that_is_taken_is_not_given_to_another() {
    let (pool, _) = pool(small());
    let by = submit(&pool, &Tx::new(1, 0)).unwrap();
    let other = Tx::new(1, 0).payload("other");
    assert_eq!(submit(&pool, &other), Err(PoolError::NonceTaken { nonce: 0, by }));
    let by = submit(&pool, &Tx::new(1, 3)).unwrap();
    let other = Tx::new(1, 3).payload("other");
    assert_eq!(submit(&pool, &other), Err(PoolError::NonceTaken { nonce: 3, by }));
}

#[test]
fn a_transaction_over_the_size_is_refused_unchecked() {
    let (pool, chain) = pool(small());
    let error = pool.submit(vec![0; 1_001], Source::Local).unwrap_err();
    assert_eq!(error, PoolError::TooLarge { size: 1_001, max: 1_000 });
    assert_eq!(chain.checks.load(Ordering::Relaxed), 0);
}

#[test]
fn the_count_is_bounded_and_a_block_makes_room() {
    let (pool, chain) = pool(small());
    for sender in 0..8 {
        submit(&pool, &Tx::new(sender, 0)).unwrap();
    }
    let late = Tx::new(9, 0);
    let full = PoolError::Full { account: account(9), transactions: 8, bytes: 3_000 };
    assert_eq!(submit(&pool, &late), Err(full));
    chain.commit(&pool, &[Tx::new(0, 0)]);
    submit(&pool, &late).unwrap();
}

#[test]
fn the_bytes_are_bounded() {
    let (pool, _) = pool(small());
    for sender in 0..3 {
        submit(&pool, &Tx::new(sender, 0).payload(vec![0; 900])).unwrap();
    }
    let last = Tx::new(5, 0).payload(vec![0; 900]);
    let full = PoolError::Full { account: account(5), transactions: 8, bytes: 3_000 };
    assert_eq!(submit(&pool, &last), Err(full));
    submit(&pool, &Tx::new(5, 0)).unwrap();
    assert!(pool.stats().bytes <= 3_000);
}

#[test]
fn one_sender_is_bounded() {
    let (pool, _) = pool(small());
    for nonce in 0..5 {
        submit(&pool, &Tx::new(1, nonce)).unwrap();
    }
    let error = submit(&pool, &Tx::new(1, 5)).unwrap_err();
    assert_eq!(error, PoolError::SenderFull { account: account(1), limit: 5 });
    submit(&pool, &Tx::new(2, 0)).unwrap();
}

#[test]
fn future_ones_are_bounded_in_count_and_distance() {
    let (pool, _) = pool(small());
    let error = submit(&pool, &Tx::new(1, 5)).unwrap_err();
    assert_eq!(error, PoolError::FutureTooFar { next: 0, got: 5, max_ahead: 4 });
    submit(&pool, &Tx::new(1, 4)).unwrap();
    submit(&pool, &Tx::new(2, 1)).unwrap();
    submit(&pool, &Tx::new(3, 1)).unwrap();
    let error = submit(&pool, &Tx::new(4, 1)).unwrap_err();
    assert_eq!(error, PoolError::FutureFull { limit: 3 });
    // A ready one is taken still, and one that closes a gap.
    submit(&pool, &Tx::new(4, 0)).unwrap();
    submit(&pool, &Tx::new(3, 0)).unwrap();
    assert_eq!(pool.stats().future, 2);
}

#[test]
fn best_takes_turns_between_senders_and_goes_by_nonce_within_one() {
    let (pool, _) = pool(small());
    for (sender, nonce) in [(2, 1), (1, 0), (3, 0), (2, 0), (1, 1)] {
        submit(&pool, &Tx::new(sender, nonce)).unwrap();
    }
    assert_eq!(order(&pool), [(1, 0), (3, 0), (2, 0), (2, 1), (1, 1)]);
    let pending: Vec<Hash> = pool.pending().iter().map(|tx| tx.hash).collect();
    assert_eq!(pending, pool.best().map(|tx| tx.hash).collect::<Vec<_>>());
}

#[test]
fn best_offers_what_was_ready_when_it_was_asked_and_still_is() {
    let (pool, chain) = pool(PoolConfig::default());
    for nonce in 0..1_000 {
        submit(&pool, &Tx::new(1, nonce)).unwrap();
    }
    let mut best = pool.best();
    assert_eq!(best.next().unwrap().nonce, 0);
    submit(&pool, &Tx::new(2, 0)).unwrap();
    let block: Vec<Tx> = (0..700).map(|nonce| Tx::new(1, nonce)).collect();
    chain.commit(&pool, &block);
    let rest: Vec<(u8, u32)> =
        best.map(|tx| (AsRef::<[u8]>::as_ref(&tx.sender)[0], tx.nonce)).collect();
    assert!(rest.iter().all(|(sender, _)| *sender == 1), "what came later is not added");
    // The first page was copied before the block; the rest is current.
    assert_eq!(rest.last(), Some(&(1, 999)));
    assert_eq!(rest.len(), 511 + 300);
}

#[tokio::test]
async fn closing_a_gap_makes_the_followers_ready_and_says_so() {
    let (pool, _) = pool(small());
    submit(&pool, &Tx::new(1, 2)).unwrap();
    let hash = submit(&pool, &Tx::new(1, 1)).unwrap();
    let mut stream = pool.watch(&hash).unwrap();
    assert_eq!(stream.next().await, Some(TxStatus::Future));
    assert!(order(&pool).is_empty());
    assert_eq!(pool.future(9).len(), 2);
    submit(&pool, &Tx::new(1, 0)).unwrap();
    assert_eq!(stream.next().await, Some(TxStatus::Ready));
    assert_eq!(order(&pool), [(1, 0), (1, 1), (1, 2)]);
}

#[tokio::test]
async fn a_block_prunes_what_it_holds_and_outdates_and_promotes_what_follows() {
    let (pool, chain) = pool(small());
    let held = submit(&pool, &Tx::new(1, 0)).unwrap();
    let outdated = submit(&pool, &Tx::new(1, 1)).unwrap();
    let follows = submit(&pool, &Tx::new(1, 3)).unwrap();
    let mut held_states = pool.watch(&held).unwrap();
    let mut outdated_states = pool.watch(&outdated).unwrap();
    // Nonces 1 and 2 come from transactions that this pool never saw.
    let block =
        chain.commit(&pool, &[Tx::new(1, 0), Tx::new(1, 1).payload("other"), Tx::new(1, 2)]);
    assert_eq!(
        all(&mut held_states).await,
        [TxStatus::Ready, TxStatus::InBlock(block), TxStatus::Finalized(block)]
    );
    let stale: PoolError = Rejection::Stale { expected: 3, got: 1 }.into();
    assert_eq!(all(&mut outdated_states).await, [TxStatus::Ready, TxStatus::Invalid(stale)]);
    assert_eq!(pool.status(&follows), Some(TxStatus::Ready));
    assert_eq!(order(&pool), [(1, 3)]);
}

#[tokio::test]
async fn mortal_ones_go_when_no_block_may_hold_them() {
    let (pool, chain) = pool(small());
    let mortal = submit(&pool, &Tx::new(1, 0).dies_at(3)).unwrap();
    let follower = submit(&pool, &Tx::new(1, 1)).unwrap();
    let mut states = pool.watch(&mortal).unwrap();
    chain.commit(&pool, &[]);
    assert_eq!(pool.status(&mortal), Some(TxStatus::Ready), "block 2 may hold it");
    chain.commit(&pool, &[]);
    let reason = PoolError::Expired { dies_at: 3, head: 2 };
    assert_eq!(all(&mut states).await, [TxStatus::Ready, TxStatus::Invalid(reason.clone())]);
    assert_eq!(pool.status(&follower), Some(TxStatus::Future));
    assert_eq!(submit(&pool, &Tx::new(1, 0).dies_at(3)), Err(reason));
}

#[tokio::test]
async fn future_ones_do_not_wait_for_ever() {
    let (pool, chain) = pool(small());
    let hash = submit(&pool, &Tx::new(1, 1)).unwrap();
    let mut states = pool.watch(&hash).unwrap();
    for _ in 0..3 {
        assert_eq!(pool.status(&hash), Some(TxStatus::Future));
        chain.commit(&pool, &[]);
    }
    let reason = PoolError::FutureTimedOut { blocks: 3 };
    assert_eq!(all(&mut states).await, [TxStatus::Future, TxStatus::Dropped(reason)]);
}

#[test]
fn waiting_ones_are_checked_again_after_some_blocks_and_go_if_invalid() {
    let (pool, chain) = pool(small());
    let tx = submit(&pool, &Tx::new(1, 0)).unwrap();
    let other = submit(&pool, &Tx::new(2, 0)).unwrap();
    chain.suspend(1);
    chain.commit(&pool, &[]);
    assert_eq!(pool.revalidate(), 0, "not due yet");
    chain.commit(&pool, &[]);
    assert_eq!(pool.revalidate(), 2);
    assert_eq!(pool.status(&tx), None);
    assert_eq!(pool.status(&other), Some(TxStatus::Ready));
    assert_eq!(pool.revalidate(), 0, "checked just now");
}

#[tokio::test]
async fn maintenance_checks_after_each_block() {
    let (pool, chain) = pool(small());
    let task = tokio::spawn(Arc::clone(&pool).maintain());
    let tx = submit(&pool, &Tx::new(1, 0)).unwrap();
    let mut states = pool.watch(&tx).unwrap();
    chain.suspend(1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..2 {
        chain.commit(&pool, &[]);
    }
    let states = tokio::time::timeout(Duration::from_secs(10), all(&mut states)).await.unwrap();
    assert!(matches!(states.last(), Some(TxStatus::Invalid(_))), "{states:?}");
    task.abort();
}

#[test]
fn what_a_builder_could_not_use_goes_and_its_followers_wait() {
    let (pool, chain) = pool(small());
    let bad = submit(&pool, &Tx::new(1, 0)).unwrap();
    let follower = submit(&pool, &Tx::new(1, 1)).unwrap();
    let suspended = submit(&pool, &Tx::new(2, 0)).unwrap();
    chain.suspend(2);
    pool.remove_invalid(&[bad, follower, suspended, Hash::repeat_byte(9)]);
    assert_eq!(pool.status(&bad), None);
    assert_eq!(pool.status(&suspended), None);
    assert_eq!(pool.status(&follower), Some(TxStatus::Future), "it is only early");
    submit(&pool, &Tx::new(1, 0).payload("again")).unwrap();
    assert_eq!(order(&pool), [(1, 0), (1, 1)]);
}

#[tokio::test]
async fn one_that_a_block_took_meanwhile_is_not_called_invalid() {
    let (pool, chain) = pool(small());
    let tx = Tx::new(1, 0);
    let hash = submit(&pool, &tx).unwrap();
    let mut states = pool.watch(&hash).unwrap();
    let block = chain.execute(&[tx]);
    pool.remove_invalid(&[hash]);
    assert_eq!(pool.status(&hash), Some(TxStatus::Ready));
    pool.on_block_committed(&block);
    assert_eq!(all(&mut states).await.last(), Some(&TxStatus::Finalized(block.hash)));
}

/// Commits a block while the first check runs.
struct Racing {
    chain: Arc<Chain>,
    pool: std::sync::OnceLock<Arc<Pool>>,
}

impl TransactionValidator for Racing {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        let info = self.chain.validate(txs);
        if self.chain.nonce(1) == 0 {
            self.chain.commit(self.pool.get().unwrap(), &[Tx::new(1, 0).payload("elsewhere")]);
        }
        info
    }
}

#[test]
fn a_check_that_a_block_overtook_is_repeated() {
    let chain = Arc::new(Chain::default());
    let racing = Arc::new(Racing { chain, pool: Default::default() });
    let validator = Arc::clone(&racing) as Arc<dyn TransactionValidator>;
    let pool = Pool::new(small(), 0, validator).unwrap();
    racing.pool.set(Arc::clone(&pool)).unwrap();
    let error = submit(&pool, &Tx::new(1, 0)).unwrap_err();
    assert_eq!(error, Rejection::Stale { expected: 1, got: 0 }.into());
}

#[test]
fn demotion_keeps_the_bound_of_future_ones() {
    let (pool, _) = pool(small());
    let first = submit(&pool, &Tx::new(1, 0)).unwrap();
    for nonce in 1..5 {
        submit(&pool, &Tx::new(1, nonce)).unwrap();
    }
    pool.remove_invalid(&[first]);
    assert_eq!(pool.stats().ready, 0);
    assert_eq!(pool.stats().future, 3);
}

#[test]
fn the_next_nonce_counts_what_is_in_the_pool() {
    let (pool, chain) = pool(small());
    assert_eq!(pool.next_nonce(&account(1), 7), 7);
    for nonce in [0, 1, 3] {
        submit(&pool, &Tx::new(1, nonce)).unwrap();
    }
    assert_eq!(pool.next_nonce(&account(1), 0), 2);
    assert_eq!(pool.next_nonce(&account(1), 3), 4, "the caller's state is ahead");
    chain.commit(&pool, &[Tx::new(1, 0)]);
    assert_eq!(pool.next_nonce(&account(1), 1), 2);
    assert_eq!(pool.next_nonce(&account(1), 0), 2, "the caller's state is behind");
}

#[test]
fn the_last_nonce_of_all_does_no_harm() {
    let (pool, chain) = pool(small());
    let info_only = Tx::new(1, u32::MAX);
    assert!(matches!(submit(&pool, &info_only), Err(PoolError::FutureTooFar { .. })));
    let block = billchain_txpool::CommittedBlock {
        number: 1,
        hash: Hash::repeat_byte(1),
        included: vec![],
        nonces: vec![(account(1), u32::MAX)],
    };
    pool.on_block_committed(&block);
    assert_eq!(chain.nonce(1), 0);
    assert_eq!(pool.next_nonce(&account(1), u32::MAX), u32::MAX);
}

#[tokio::test]
async fn consensus_is_told_of_work() {
    let (pool, chain) = pool(small());
    let soon = Duration::from_millis(50);
    assert!(tokio::time::timeout(soon, pool.work_ready()).await.is_err(), "empty");
    submit(&pool, &Tx::new(1, 1)).unwrap();
    assert!(tokio::time::timeout(soon, pool.work_ready()).await.is_err(), "only future");
    let waiting = tokio::spawn(pool.work_ready());
    submit(&pool, &Tx::new(1, 0)).unwrap();
    tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    pool.work_ready().await;
    chain.commit(&pool, &[Tx::new(1, 0), Tx::new(1, 1)]);
    assert!(tokio::time::timeout(soon, pool.work_ready()).await.is_err(), "empty again");
}

#[tokio::test]
async fn subscriptions_are_bounded_and_come_back() {
    let (pool, chain) = pool(small());
    let mut first = pool.submit_and_watch(Tx::new(1, 0).encode(), Source::Local).await.unwrap();
    let second = pool.watch(&first.hash()).unwrap();
    let limit = 2;
    assert_eq!(pool.watch(&first.hash()).unwrap_err(), PoolError::TooManyWatchers { limit });
    let refused = pool.submit_and_watch(Tx::new(2, 0).encode(), Source::Local).await;
    assert_eq!(refused.unwrap_err(), PoolError::TooManyWatchers { limit });
    assert_eq!(pool.status(&Tx::new(2, 0).hash()), None, "nothing was taken");
    drop(second);
    let unknown = Hash::repeat_byte(3);
    assert_eq!(pool.watch(&unknown).unwrap_err(), PoolError::Unknown(unknown));
    pool.on_broadcast(&[first.hash()], "peer");
    chain.commit(&pool, &[Tx::new(1, 0)]);
    let states = all(&mut first).await;
    assert_eq!(states[1], TxStatus::Broadcast(vec!["peer".into()]));
    assert_eq!(states.len(), 4);
}

#[tokio::test]
async fn a_reader_that_sleeps_still_sees_the_end() {
    let (pool, chain) = pool(small());
    let mut states = pool.submit_and_watch(Tx::new(1, 0).encode(), Source::Local).await.unwrap();
    for _ in 0..1_000 {
        pool.on_broadcast(&[states.hash()], "peer");
    }
    let block = chain.commit(&pool, &[Tx::new(1, 0)]);
    let states = all(&mut states).await;
    assert!(states.len() <= 17);
    assert_eq!(states.last(), Some(&TxStatus::Finalized(block)));
}

#[tokio::test]
async fn the_asynchronous_entrance_refuses_as_the_other() {
    let (pool, _) = pool(small());
    let tx = Tx::new(1, 0);
    assert_eq!(pool.submit_async(tx.encode(), Source::Local).await, Ok(tx.hash()));
    assert_eq!(
        pool.submit_async(tx.encode(), Source::Local).await,
        Err(PoolError::AlreadyImported(tx.hash()))
    );
}

#[test]
fn the_pool_counts_what_it_does() {
    let (pool, chain) = pool(small());
    let mut registry = prometheus_client::registry::Registry::default();
    pool.register_metrics(&mut registry);
    submit(&pool, &Tx::new(1, 0)).unwrap();
    submit(&pool, &Tx::new(1, 2)).unwrap();
    submit(&pool, &Tx::new(1, 0)).unwrap_err();
    chain.commit(&pool, &[Tx::new(1, 0)]);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "txpool_ready 0",
        "txpool_future 1",
        "txpool_local 1",
        "txpool_taken_local_total 2",
        "txpool_refused_total{code=\"2000\"} 1",
        "txpool_included_total 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
}

/// Says how many it was asked for at once, and takes its time.
struct Counting {
    chain: Chain,
    sizes: std::sync::Mutex<Vec<usize>>,
}

impl TransactionValidator for Counting {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        std::thread::sleep(Duration::from_millis(20));
        self.sizes.lock().unwrap().push(txs.len());
        self.chain.validate(txs)
    }
}

#[tokio::test]
async fn what_comes_together_is_checked_together() {
    let counting = Arc::new(Counting { chain: Chain::default(), sizes: Default::default() });
    let config = PoolConfig { validation_threads: 1, ..PoolConfig::default() };
    let validator = Arc::clone(&counting) as Arc<dyn TransactionValidator>;
    let pool = Pool::new(config, 0, validator).unwrap();
    let mut forged = Tx::new(1, 25);
    forged.signed_well = false;
    let all = (0..50).map(|nonce| if nonce == 25 { forged.clone() } else { Tx::new(1, nonce) });
    let submissions = all.map(|tx| {
        let pool = Arc::clone(&pool);
        async move { (pool.submit_async(tx.encode(), Source::Local).await, tx.hash()) }
    });
    for (nonce, (answer, hash)) in futures::future::join_all(submissions).await.iter().enumerate() {
        match nonce {
            25 => assert_eq!(*answer, Err(Rejection::BadSignature.into())),
            _ => assert_eq!(*answer, Ok(*hash)),
        }
    }
    assert_eq!((pool.stats().ready, pool.stats().future), (25, 24));
    let sizes = counting.sizes.lock().unwrap();
    assert_eq!(sizes.iter().sum::<usize>(), 50);
    assert!(sizes.len() <= 3, "{sizes:?}: the first alone, the others with it in few checks");
}

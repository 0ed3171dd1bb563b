//! Who gives way in a full pool, for whom the reserve is, and whose
//! transactions come first.

use crate::chain::{Chain, RESERVED, Tx, account, pool};
use billchain_primitives::{AccountId, Hash};
use billchain_txpool::{
    Pool, PoolConfig, PoolError, Rejection, SenderClass, SenderQuota, Source, TransactionValidator,
    TxInfo, TxStatus,
};
use bytes::Bytes;
use codec::Encode;
use futures::FutureExt;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// 30 transactions and 30,000 bytes for ordinary senders, 2 and 2,000 are the
/// reserve.
fn config() -> PoolConfig {
    PoolConfig {
        max_count: 32,
        max_bytes: 32_000,
        max_transaction_bytes: 2_000,
        max_per_sender: 32,
        max_sender_bytes: 32_000,
        max_future: 32,
        ..PoolConfig::default()
    }
}

fn submit(pool: &Pool, tx: &Tx) -> Result<Hash, PoolError> {
    pool.submit(tx.encode(), Source::Local)
}

fn held(pool: &Pool, sender: u8) -> usize {
    pool.pending().iter().filter(|tx| tx.sender == account(sender)).count()
}

#[tokio::test]
async fn in_a_full_pool_the_sender_with_the_largest_share_gives_way() {
    let (pool, _) = pool(config());
    for nonce in 0..28 {
        submit(&pool, &Tx::new(1, nonce)).unwrap();
    }
    submit(&pool, &Tx::new(2, 0)).unwrap();
    submit(&pool, &Tx::new(2, 1)).unwrap();
    let mut news = pool.watch(&Tx::new(1, 27).hash()).unwrap();
    submit(&pool, &Tx::new(3, 0)).unwrap();
    assert_eq!((held(&pool, 1), held(&pool, 2), held(&pool, 3)), (27, 2, 1));
    let mut last = None;
    while let Some(status) = news.next().await {
        last = Some(status);
    }
    let gave_way = PoolError::GaveWay { account: account(1) };
    assert_eq!(last, Some(TxStatus::Dropped(gave_way)), "its last transaction, and it is told");
}

#[test]
fn who_has_the_largest_share_is_refused_and_loses_nothing() {
    let (pool, _) = pool(config());
    for nonce in 0..30 {
        submit(&pool, &Tx::new(1, nonce)).unwrap();
    }
    let full = PoolError::Full { account: account(1), transactions: 30, bytes: 30_000 };
    assert_eq!(submit(&pool, &Tx::new(1, 30)), Err(full));
    assert_eq!(held(&pool, 1), 30);
}

#[test]
fn bytes_are_a_share_as_well_as_transactions() {
    let (pool, _) = pool(config());
    for nonce in 0..14 {
        submit(&pool, &Tx::new(1, nonce).payload(vec![0; 1_900])).unwrap();
    }
    for nonce in 0..10 {
        submit(&pool, &Tx::new(2, nonce)).unwrap();
    }
    // Fourteen long ones are a larger share than ten short ones.
    submit(&pool, &Tx::new(3, 0).payload(vec![0; 1_900])).unwrap();
    submit(&pool, &Tx::new(3, 1).payload(vec![0; 1_900])).unwrap();
    assert_eq!((held(&pool, 2), held(&pool, 3)), (10, 2));
    assert!(held(&pool, 1) < 14);
}

#[test]
fn the_reserve_is_for_those_who_can_stop_what_goes_wrong() {
    let (pool, _) = pool(config());
    for sender in 0..30 {
        submit(&pool, &Tx::new(sender, 0)).unwrap();
    }
    assert!(submit(&pool, &Tx::new(31, 0)).is_err(), "no room for ordinary ones");
    submit(&pool, &Tx::new(RESERVED, 0)).unwrap();
    submit(&pool, &Tx::new(RESERVED + 1, 0)).unwrap();
    assert!(submit(&pool, &Tx::new(RESERVED + 2, 0)).is_err(), "the reserve is bounded too");
    assert_eq!(pool.stats().ready, 32);
}

#[test]
fn who_fills_the_room_of_future_ones_gives_way_and_keeps_the_reserve_out_of_nothing() {
    let (pool, _) = pool(PoolConfig { max_future: 4, ..config() });
    for nonce in 1..=4 {
        submit(&pool, &Tx::new(1, nonce)).unwrap();
    }
    let full = Err(PoolError::FutureFull { limit: 4 });
    assert_eq!(submit(&pool, &Tx::new(1, 5)), full, "it has the largest share itself");
    // Others' come in, and its last goes.
    submit(&pool, &Tx::new(2, 1)).unwrap();
    submit(&pool, &Tx::new(RESERVED, 1)).unwrap();
    let mut waiting: Vec<_> =
        pool.future(10).iter().map(|tx| (tx.sender.clone(), tx.nonce)).collect();
    waiting.sort();
    let expected = [(1, 1), (1, 2), (1, 3), (2, 1), (RESERVED, 1)];
    assert_eq!(waiting, expected.map(|(sender, nonce)| (account(sender), nonce)));
    // Closing the gap makes room again.
    submit(&pool, &Tx::new(1, 0)).unwrap();
    assert_eq!((held(&pool, 1), pool.stats().future), (4, 2));
}

#[test]
fn what_no_block_took_costs_its_sender_no_place_in_the_order() {
    let (pool, _) = pool(PoolConfig { max_count: 64, max_per_sender: 64, ..config() });
    let order = || -> Vec<_> { pool.best().map(|tx| (tx.sender.clone(), tx.nonce)).collect() };
    for nonce in 0..10 {
        submit(&pool, &Tx::new(1, nonce)).unwrap();
    }
    // Its first goes, and comes again; the others follow it at once.
    pool.remove_invalid(&[Tx::new(1, 0).hash()]);
    submit(&pool, &Tx::new(1, 0)).unwrap();
    for nonce in 0..10 {
        submit(&pool, &Tx::new(2, nonce)).unwrap();
    }
    let found = order();
    let first_ten = found[..10].iter().filter(|(sender, _)| *sender == account(1)).count();
    assert_eq!(first_ten, 5, "they take turns as if nothing had gone: {found:?}");
}

#[test]
fn a_sender_has_no_more_than_the_chain_grants_it() {
    let (pool, chain) = pool(config());
    let quota = |max_transactions, max_bytes| SenderQuota {
        class: SenderClass::Ordinary,
        max_transactions,
        max_bytes,
    };
    chain.grant(1, quota(2, 1_000));
    submit(&pool, &Tx::new(1, 0).payload(vec![0; 900])).unwrap();
    let held = pool.stats().bytes;
    assert_eq!(
        submit(&pool, &Tx::new(1, 1).payload(vec![0; 100])),
        Err(PoolError::SenderFullBytes { account: account(1), held, limit: 1_000 })
    );
    submit(&pool, &Tx::new(1, 1)).unwrap();
    let full = PoolError::SenderFull { account: account(1), limit: 2 };
    assert_eq!(submit(&pool, &Tx::new(1, 2)), Err(full));
    chain.grant(1, quota(3, 1_000));
    submit(&pool, &Tx::new(1, 2)).unwrap();
}

#[test]
fn one_participant_at_full_speed_does_not_delay_anothers_lock() {
    let config = PoolConfig { max_per_sender: 16_384, ..PoolConfig::default() };
    let (pool, chain) = pool(config);
    let batch = |nonce| Tx::new(1, nonce).payload(vec![0; 60_000]);
    for nonce in 0..1_000 {
        submit(&pool, &batch(nonce)).unwrap();
    }
    for block in 0..3 {
        let lock = Tx::new(2, block);
        submit(&pool, &lock).unwrap();
        let before = pool.best().take_while(|tx| tx.hash != lock.hash()).count();
        assert!(before <= 1, "block {block}: {before} of the other's go before it");
        let first = block * 10;
        let mut taken: Vec<Tx> = (first..first + 10).map(batch).collect();
        taken.push(lock);
        chain.commit(&pool, &taken);
    }
}

/// What a sender holds.
#[derive(Clone, Copy, Default)]
struct Held {
    count: u128,
    bytes: u128,
}

impl Held {
    /// The larger of its parts of 30 transactions and 30,000 bytes, in
    /// thirty-thousandths.
    fn share(self) -> u128 {
        (self.count * 1_000).max(self.bytes)
    }
}

fn by_sender(pool: &Arc<Pool>) -> BTreeMap<AccountId, Held> {
    let mut held = BTreeMap::<AccountId, Held>::new();
    for tx in pool.pending().iter().chain(&pool.future(usize::MAX)) {
        let of = held.entry(tx.sender.clone()).or_default();
        of.count += 1;
        of.bytes += tx.bytes.len() as u128;
    }
    held
}

fn is_reserved(sender: &AccountId) -> bool {
    *sender >= account(RESERVED)
}

fn check_rooms(held: &BTreeMap<AccountId, Held>) {
    for (reserved, count, bytes) in [(false, 30, 30_000), (true, 2, 2_000)] {
        let room = held.iter().filter(|(sender, _)| is_reserved(sender) == reserved);
        let (mut counts, mut sizes) = (0, 0);
        for (_, of) in room {
            counts += of.count;
            sizes += of.bytes;
        }
        assert!(counts <= count && sizes <= bytes, "a room is overfull: {counts}, {sizes}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nobody_loses_a_transaction_to_a_sender_with_a_larger_share(
        steps in prop::collection::vec((0..8u8, 0..1_990usize, any::<bool>()), 1..150)
    ) {
        let (pool, _) = pool(config());
        for (number, bytes, is_reserve) in steps {
            let sender = if is_reserve && number == 0 { RESERVED } else { number };
            let before = by_sender(&pool);
            let hashes = |pool: &Arc<Pool>| -> HashSet<(AccountId, Hash)> {
                pool.pending().iter().map(|tx| (tx.sender.clone(), tx.hash)).collect()
            };
            let was = hashes(&pool);
            let nonce = pool.next_nonce(&account(sender), 0);
            let tx = Tx::new(sender, nonce).payload(vec![0; bytes]);
            let taken = submit(&pool, &tx);
            let is = hashes(&pool);
            let gone: Vec<_> = was.difference(&is).collect();
            if taken.is_err() {
                prop_assert!(gone.is_empty(), "who is refused takes nobody's room");
            }
            let own = before.get(&account(sender)).copied().unwrap_or_default();
            let size = tx.encode().len() as u128;
            let own = Held { count: own.count + 1, bytes: own.bytes + size };
            for (loser, _) in gone {
                prop_assert_ne!(loser, &account(sender));
                prop_assert_eq!(is_reserved(loser), is_reserved(&account(sender)));
                prop_assert!(before[loser].share() > own.share());
            }
            check_rooms(&by_sender(&pool));
        }
    }
}

/// Checks nothing until it is told to.
struct Slow {
    chain: Chain,
    is_asked: AtomicBool,
    may_answer: AtomicBool,
}

impl TransactionValidator for Slow {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        self.is_asked.store(true, Ordering::SeqCst);
        while !self.may_answer.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.chain.validate(txs)
    }

    fn claimed(&self, tx: &[u8]) -> Option<(AccountId, SenderClass)> {
        self.chain.claimed(tx)
    }
}

#[tokio::test]
async fn the_reserve_is_heard_although_as_many_wait_to_be_checked_as_may() {
    let slow = Arc::new(Slow {
        chain: Chain::default(),
        is_asked: AtomicBool::new(false),
        may_answer: AtomicBool::new(false),
    });
    // 30 places, and 2 of the reserve.
    let config = PoolConfig { max_waiting: 32, validation_threads: 1, ..PoolConfig::default() };
    let validator = Arc::clone(&slow) as Arc<dyn TransactionValidator>;
    let pool = Pool::new(config, 0, validator).unwrap();
    let enter = |sender, nonce| {
        let (pool, tx) = (Arc::clone(&pool), Tx::new(sender, nonce).encode());
        async move { pool.submit_async(tx, Source::Local).await }.boxed()
    };
    let mut under_way = vec![enter(1, 0)];
    assert!(futures::poll!(&mut under_way[0]).is_pending());
    while !slow.is_asked.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let reserved = [(RESERVED, 0), (RESERVED + 1, 0)];
    for (sender, nonce) in (1..31).map(|nonce| (1, nonce)).chain(reserved) {
        let mut one = enter(sender, nonce);
        assert!(futures::poll!(&mut one).is_pending(), "{sender}, {nonce}");
        under_way.push(one);
    }
    // An ordinary one, a second one of the same name, and one more than all.
    for (sender, nonce) in [(2, 0), (RESERVED, 1), (RESERVED + 2, 0)] {
        assert_eq!(enter(sender, nonce).await, Err(PoolError::Busy { waiting: 32 }), "{sender}");
    }
    slow.may_answer.store(true, Ordering::SeqCst);
    for answer in futures::future::join_all(under_way).await {
        answer.unwrap();
    }
    assert_eq!(enter(RESERVED + 2, 0).await.map(|_| ()), Ok(()));
}

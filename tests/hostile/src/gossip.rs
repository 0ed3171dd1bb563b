//! Attacks on the network of transactions, with the product's own service and a
//! pool that takes everything.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use billchain_primitives::{AccountId, Hash, transaction_hash};
use billchain_runtime::VERSION;
use billchain_txpool::gossip::{Fetcher, GossipConfig, GossipHandle, GossipLimits, Peer, start};
use billchain_txpool::{
    Pool, PoolConfig, Rejection, SenderQuota, Source, TransactionValidator, TxInfo,
};
use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::member::Member;

/// How long one connection is used.
const VISIT: Duration = Duration::from_secs(5);
/// Garbage transactions in a visit.
const GARBAGE: u64 = 2_000;
/// Questions under way to each peer.
const QUESTIONS: usize = 8;
/// Transactions in a question.
const WANTED: usize = 2_000;

/// Takes everything for a transaction.
struct Anything;

impl TransactionValidator for Anything {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        let info = |bytes: &Bytes| TxInfo {
            sender: AccountId::new(transaction_hash(bytes).0),
            nonce: 0,
            account_nonce: 0,
            dies_at: None,
            at: 0,
            quota: SenderQuota::default(),
        };
        txs.iter().map(|bytes| Ok(info(bytes))).collect()
    }
}

/// Sends garbage and asks for the same transactions again and again, until told to
/// stop.
pub async fn garbage_and_questions(member: &Member) -> Result<()> {
    loop {
        let pool = Pool::new(PoolConfig::default(), 0, Arc::new(Anything))?;
        let gossip = join(member, pool.clone()).await?;
        for number in 0..GARBAGE {
            let _ = pool.submit(garbage(number), Source::Local);
        }
        // Ends with this visit, whatever is under way.
        let mut questions = JoinSet::new();
        for peer in peers(member)? {
            for _ in 0..QUESTIONS {
                questions.spawn(ask(gossip.fetcher(), peer.clone(), pool.clone()));
            }
        }
        sleep(VISIT).await;
        drop(questions);
        gossip.stop().await?;
    }
}

/// Asks a peer for what it has sent before.
async fn ask(fetcher: Fetcher, peer: Peer, pool: Arc<Pool>) {
    loop {
        let recent = pool.pending().into_iter().rev().filter(|tx| tx.source == Source::Peer);
        let mut wanted: HashSet<Hash> = recent.take(WANTED).map(|tx| tx.hash).collect();
        wanted.insert(Hash::repeat_byte(1));
        fetcher.fetch(peer.id, wanted).await;
        sleep(Duration::from_millis(5)).await;
    }
}

/// Connects and disconnects, until told to stop.
pub async fn reconnect(member: &Member) -> Result<()> {
    loop {
        let pool = Pool::new(PoolConfig::default(), 0, Arc::new(Anything))?;
        let gossip = join(member, pool).await?;
        sleep(Duration::from_millis(150)).await;
        gossip.stop().await?;
    }
}

/// Bytes in the frame of a transaction.
fn garbage(number: u64) -> Bytes {
    let mut bytes = vec![0xff_u8; 255];
    bytes[2..10].copy_from_slice(&number.to_be_bytes());
    codec::Encode::encode(&bytes).into()
}

fn peers(member: &Member) -> Result<Vec<Peer>> {
    let peer = |peer: &crate::member::Peer| {
        Ok(Peer { id: peer.id.parse()?, addresses: vec![peer.quic.parse()?] })
    };
    member.peers.iter().map(peer).collect()
}

/// Listens nowhere in particular: it is this side that connects.
async fn join(member: &Member, pool: Arc<Pool>) -> Result<GossipHandle> {
    let config = GossipConfig {
        keypair: member.network.clone(),
        listen: "/ip4/127.0.0.1/udp/0/quic-v1".parse()?,
        peers: peers(member)?,
        genesis: member.genesis,
        rules: VERSION.spec_version,
        limits: GossipLimits {
            drain_time: Duration::from_millis(1),
            retry_min: Duration::from_millis(10),
            retry_max: Duration::from_millis(50),
            ..GossipLimits::default()
        },
        questions: None,
    };
    Ok(start(config, pool).await?)
}

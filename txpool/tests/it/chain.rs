//! A small chain that the tests' validators ask: accounts with nonces, and
//! transactions that say in plain bytes who sent them.

use billchain_primitives::{AccountId, BlockNumber, Hash, Nonce};
use billchain_txpool::{
    CommittedBlock, Journal, JournalConfig, Pool, PoolConfig, Rejection, SenderClass, SenderQuota,
    TransactionValidator, TxInfo,
};
use bytes::Bytes;
use codec::{Decode, DecodeAll, Encode};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A transaction of the small chain.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Tx {
    pub sender: u8,
    pub nonce: Nonce,
    pub dies_at: Option<BlockNumber>,
    pub signed_well: bool,
    pub payload: Vec<u8>,
}

impl Tx {
    pub fn new(sender: u8, nonce: Nonce) -> Self {
        Self { sender, nonce, dies_at: None, signed_well: true, payload: Vec::new() }
    }

    pub fn payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = payload.into();
        self
    }

    pub fn dies_at(mut self, block: BlockNumber) -> Self {
        self.dies_at = Some(block);
        self
    }

    pub fn hash(&self) -> Hash {
        billchain_primitives::transaction_hash(&self.encode())
    }
}

pub fn account(sender: u8) -> AccountId {
    AccountId::new([sender; 32])
}

/// Senders from here on have the reserve.
pub const RESERVED: u8 = 100;

/// Senders from here on are not participants.
pub const STRANGER: u8 = 200;

#[derive(Default)]
struct State {
    head: BlockNumber,
    nonces: HashMap<u8, Nonce>,
    suspended: HashSet<u8>,
    quotas: HashMap<u8, SenderQuota>,
}

/// The rules and the state.
#[derive(Default)]
pub struct Chain {
    state: Mutex<State>,
    pub checks: AtomicUsize,
}

impl Chain {
    pub fn nonce(&self, sender: u8) -> Nonce {
        self.state.lock().unwrap().nonces.get(&sender).copied().unwrap_or(0)
    }

    pub fn suspend(&self, sender: u8) {
        self.state.lock().unwrap().suspended.insert(sender);
    }

    /// Grants a sender this much of each pool.
    pub fn grant(&self, sender: u8, quota: SenderQuota) {
        self.state.lock().unwrap().quotas.insert(sender, quota);
    }

    /// Executes the next block without telling any pool; what to tell.
    pub fn execute(&self, txs: &[Tx]) -> CommittedBlock {
        let mut state = self.state.lock().unwrap();
        state.head += 1;
        for tx in txs {
            let nonce = state.nonces.entry(tx.sender).or_insert(0);
            assert_eq!(tx.nonce, *nonce, "the test put {tx:?} into a block out of turn");
            *nonce += 1;
        }
        let mut nonces: Vec<(AccountId, Nonce)> =
            txs.iter().map(|tx| (account(tx.sender), state.nonces[&tx.sender])).collect();
        nonces.dedup();
        CommittedBlock {
            number: state.head,
            hash: Hash::from_low_u64_be(state.head.into()),
            included: txs.iter().map(Tx::hash).collect(),
            nonces,
        }
    }

    /// Executes the next block and tells `pool`.
    pub fn commit(&self, pool: &Pool, txs: &[Tx]) -> Hash {
        let block = self.execute(txs);
        pool.on_block_committed(&block);
        block.hash
    }
}

impl TransactionValidator for Chain {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        txs.iter().map(|tx| self.judge(tx)).collect()
    }

    fn account_nonce(&self, account: &AccountId) -> Option<Nonce> {
        Some(self.nonce(AsRef::<[u8]>::as_ref(account)[0]))
    }

    fn claimed(&self, tx: &[u8]) -> Option<(AccountId, SenderClass)> {
        let tx = Tx::decode_all(&mut &tx[..]).ok()?;
        let class = match tx.sender {
            RESERVED..STRANGER => SenderClass::Reserved,
            _ => SenderClass::Ordinary,
        };
        Some((account(tx.sender), class))
    }
}

impl Chain {
    fn judge(&self, bytes: &[u8]) -> Result<TxInfo, Rejection> {
        self.checks.fetch_add(1, Ordering::Relaxed);
        let tx = Tx::decode_all(&mut &bytes[..])
            .map_err(|error| Rejection::Undecodable { reason: error.to_string() })?;
        let state = self.state.lock().unwrap();
        let expected = state.nonces.get(&tx.sender).copied().unwrap_or(0);
        if !tx.signed_well {
            return Err(Rejection::BadSignature);
        }
        if tx.sender >= STRANGER || state.suspended.contains(&tx.sender) {
            let reason = "not an active participant".into();
            return Err(Rejection::NotAParticipant { account: account(tx.sender), reason });
        }
        if tx.nonce < expected {
            return Err(Rejection::Stale { expected, got: tx.nonce });
        }
        Ok(TxInfo {
            sender: account(tx.sender),
            nonce: tx.nonce,
            account_nonce: expected,
            dies_at: tx.dies_at,
            at: state.head,
            quota: state.quotas.get(&tx.sender).copied().unwrap_or(SenderQuota {
                class: match tx.sender {
                    RESERVED.. => SenderClass::Reserved,
                    _ => SenderClass::Ordinary,
                },
                ..SenderQuota::default()
            }),
        })
    }
}

/// A pool over `chain` with the journal of a directory.
pub fn pool_with_journal(
    config: PoolConfig,
    chain: &Arc<Chain>,
    directory: &Path,
    max_bytes: u64,
) -> Arc<Pool> {
    let journal = JournalConfig::new(directory.to_owned(), max_bytes);
    let journal = Journal::open(journal).unwrap();
    let head = chain.state.lock().unwrap().head;
    let chain = Arc::clone(chain) as Arc<dyn TransactionValidator>;
    Pool::with_journal(config, head, chain, journal).unwrap()
}

/// A pool over a new chain.
pub fn pool(config: PoolConfig) -> (Arc<Pool>, Arc<Chain>) {
    let chain = Arc::new(Chain::default());
    let pool = Pool::new(config, 0, Arc::clone(&chain) as Arc<dyn TransactionValidator>).unwrap();
    (pool, chain)
}

//! A chain of byte strings in memory: just enough to see what consensus does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use billchain_consensus::{
    Address, AllowedPeers, AppError, Application, BlockRequest, CheckMode, CheckOutcome,
    CommitCertificate, DecidedBlock, Height, Multiaddr, PeerId, ProposedBlock, ValidatorSet,
};
use billchain_crypto::sm3::sm3;
use billchain_primitives::{Equivocation, Hash};
use bytes::Bytes;
use codec::{Decode, Encode};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The only block format here.
#[derive(Encode, Decode)]
struct Block {
    height: u64,
    parent: Hash,
    /// Differs between proposers and attempts, as a time stamp would.
    salt: u64,
    transactions: Vec<Vec<u8>>,
}

/// A compact block: digests of its transactions in their place.
#[derive(Encode, Decode)]
struct CompactBlock {
    height: u64,
    parent: Hash,
    salt: u64,
    transactions: Vec<[u8; 32]>,
}

/// What a node's "chain" does wrong on purpose.
#[derive(Default)]
pub struct Faults {
    /// Propose blocks on a parent that does not exist.
    pub propose_invalid: AtomicBool,
    /// Fail the next commit.
    pub fail_commit: AtomicBool,
    /// Send compact blocks of other blocks than those that are proposed.
    pub send_other_compact: AtomicBool,
    /// Expand no block.
    pub cannot_expand: AtomicBool,
    /// Never come to an end with expanding a block.
    pub never_expands: AtomicBool,
}

/// A node's chain. It survives the consensus that drives it, like a database.
pub struct MemoryChain {
    /// Validators by the height from which they decide.
    validators: Mutex<BTreeMap<u64, ValidatorSet>>,
    peers: Mutex<Vec<Multiaddr>>,
    blocks: Mutex<Vec<(Hash, DecidedBlock)>>,
    pool: Mutex<Vec<Vec<u8>>>,
    added: Arc<Notify>,
    /// Whether blocks with transactions are proposed as compact blocks.
    pub proposes_compact: AtomicBool,
    /// Blocks expanded.
    pub expanded: AtomicU64,
    /// What consensus reported.
    pub equivocations: Mutex<Vec<Equivocation>>,
    pub faults: Faults,
}

impl MemoryChain {
    pub fn new(validators: ValidatorSet, peers: Vec<Multiaddr>) -> Arc<Self> {
        Arc::new(Self {
            validators: Mutex::new(BTreeMap::from([(1, validators)])),
            peers: Mutex::new(peers),
            blocks: Mutex::default(),
            pool: Mutex::default(),
            added: Arc::default(),
            proposes_compact: AtomicBool::default(),
            expanded: AtomicU64::default(),
            equivocations: Mutex::default(),
            faults: Faults::default(),
        })
    }

    pub fn height(&self) -> u64 {
        self.blocks.lock().len() as u64
    }

    pub fn hash(&self, height: u64) -> Option<Hash> {
        self.blocks.lock().get(height as usize - 1).map(|(hash, _)| *hash)
    }

    pub fn block(&self, height: u64) -> Option<DecidedBlock> {
        self.blocks.lock().get(height as usize - 1).map(|(_, block)| block.clone())
    }

    /// Transactions in all blocks, in order.
    pub fn included(&self) -> Vec<Vec<u8>> {
        let blocks = self.blocks.lock();
        blocks.iter().flat_map(|(_, block)| decode(&block.bytes).transactions).collect()
    }

    pub fn submit(&self, transaction: Vec<u8>) {
        self.pool.lock().push(transaction);
        self.added.notify_waiters();
    }

    /// As a change of the peers in the state would.
    pub fn set_peers(&self, peers: Vec<Multiaddr>) {
        *self.peers.lock() = peers;
    }

    /// From `height` on these decide, as a change of the state in the block
    /// before would have it.
    pub fn set_validators(&self, height: u64, validators: ValidatorSet) {
        assert!(height > self.height() + 1, "the height is being decided already");
        self.validators.lock().insert(height, validators);
    }

    /// Whether `now` votes at the next height in the place of `before`.
    fn succeeds(&self, before: &Address, now: &Address) -> bool {
        let next = self.validators(self.height() + 1);
        let sets = self.validators.lock();
        let had = sets.values().rev().find(|set| set.get(before).is_some());
        let is_new = had.is_some_and(|set| set.get(now).is_none());
        is_new && next.get(before).is_none() && next.get(now).is_some()
    }

    /// Who decides `height`.
    pub fn validators(&self, height: u64) -> ValidatorSet {
        let sets = self.validators.lock();
        let (_, set) = sets.range(..=height).next_back().expect("heights begin at 1");
        set.clone()
    }

    fn compact(&self, block: &Block) -> Option<Bytes> {
        if block.transactions.is_empty() || !self.proposes_compact.load(Ordering::Relaxed) {
            return None;
        }
        let mut salt = block.salt;
        if self.faults.send_other_compact.load(Ordering::Relaxed) {
            salt += 1;
        }
        let transactions = block.transactions.iter().map(|bytes| sm3(bytes)).collect();
        let (height, parent) = (block.height, block.parent);
        Some(CompactBlock { height, parent, salt, transactions }.encode().into())
    }

    fn expand(&self, compact: &Bytes) -> Result<Bytes, String> {
        let CompactBlock { height, parent, salt, transactions } =
            CompactBlock::decode(&mut &compact[..]).map_err(|error| error.to_string())?;
        let pool = self.pool.lock();
        let find = |digest: &[u8; 32]| pool.iter().find(|bytes| sm3(bytes) == *digest).cloned();
        let transactions: Option<Vec<_>> = transactions.iter().map(find).collect();
        let transactions = transactions.ok_or("a transaction is not in the pool")?;
        self.expanded.fetch_add(1, Ordering::Relaxed);
        Ok(Block { height, parent, salt, transactions }.encode().into())
    }

    fn parent(&self) -> Hash {
        self.blocks.lock().last().map_or(Hash::zero(), |(hash, _)| *hash)
    }
}

fn decode(mut bytes: &[u8]) -> Block {
    Block::decode(&mut bytes).expect("committed blocks decode")
}

impl Application for Shared {
    fn next_height(&self) -> Height {
        Height::new(self.0.height() + 1)
    }

    fn validator_set(&self) -> Result<ValidatorSet, AppError> {
        Ok(self.0.validators(self.0.height() + 1))
    }

    fn succeeds(&self, before: &Address, now: &Address) -> Result<bool, AppError> {
        Ok(self.0.succeeds(before, now))
    }

    fn allowed_peers(&self) -> Result<AllowedPeers, AppError> {
        let validators = self.0.peers.lock().clone();
        Ok(AllowedPeers { validators, observers: Vec::new() })
    }

    fn propose(&self, height: Height, wanted: BlockRequest) -> Result<ProposedBlock, AppError> {
        let mut parent = self.0.parent();
        if self.0.faults.propose_invalid.load(Ordering::Relaxed) {
            parent = Hash::repeat_byte(0xee);
        }
        let transactions = self.0.pool.lock().clone();
        let salt = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("the clock is past 1970")
            .as_nanos() as u64;
        let block = Block { height: height.get(), parent, salt, transactions };
        let (bytes, compact) = (block.encode(), self.0.compact(&block));
        assert!(bytes.len() <= wanted.max_bytes, "tests stay within the limit");
        Ok(ProposedBlock { hash: sm3(&bytes).into(), bytes: bytes.into(), compact })
    }

    fn expand(
        &self,
        _: PeerId,
        compact: Bytes,
        _: usize,
    ) -> BoxFuture<'static, Result<Bytes, String>> {
        let chain = self.0.clone();
        async move {
            if chain.faults.never_expands.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            if chain.faults.cannot_expand.load(Ordering::Relaxed) {
                return Err("refused on purpose".into());
            }
            chain.expand(&compact)
        }
        .boxed()
    }

    fn check(&self, height: Height, bytes: &Bytes, _: CheckMode) -> Result<CheckOutcome, AppError> {
        let invalid = |reason: &str| Ok(CheckOutcome::Invalid { reason: reason.into() });
        let Ok(block) = Block::decode(&mut &bytes[..]) else {
            return invalid("does not decode");
        };
        if block.height != height.get() {
            return invalid("wrong height");
        }
        if block.parent != self.0.parent() {
            return invalid("wrong parent");
        }
        Ok(CheckOutcome::Valid { hash: sm3(bytes).into() })
    }

    fn commit(
        &self,
        height: Height,
        hash: Hash,
        bytes: &Bytes,
        certificate: &CommitCertificate,
    ) -> Result<(), AppError> {
        if self.0.faults.fail_commit.load(Ordering::Relaxed) {
            return Err(AppError::new("disk full"));
        }
        let block = decode(bytes);
        assert_eq!(height, self.next_height(), "commits come in order, once");
        assert_eq!(block.parent, self.0.parent(), "only checked blocks are committed");
        assert_eq!(hash, Hash::from(sm3(bytes)));
        self.0.pool.lock().retain(|known| !block.transactions.contains(known));
        let decided = DecidedBlock { bytes: bytes.clone(), certificate: certificate.clone() };
        self.0.blocks.lock().push((hash, decided));
        Ok(())
    }

    fn report(&self, equivocations: Vec<Equivocation>) -> Result<(), AppError> {
        self.0.equivocations.lock().extend(equivocations);
        Ok(())
    }

    fn decided(&self, height: Height) -> Result<Option<DecidedBlock>, AppError> {
        Ok(self.0.block(height.get()))
    }

    fn earliest(&self) -> Height {
        Height::new(1)
    }

    fn work_ready(&self) -> BoxFuture<'static, ()> {
        let chain = self.0.clone();
        async move {
            loop {
                let added = chain.added.clone();
                let mut notified = std::pin::pin!(added.notified());
                notified.as_mut().enable();
                if !chain.pool.lock().is_empty() {
                    return;
                }
                notified.await;
            }
        }
        .boxed()
    }
}

/// The chain as an application.
pub struct Shared(pub Arc<MemoryChain>);

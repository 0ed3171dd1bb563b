//! The chain as one node has it.

mod build;
mod check;
mod commit;
mod events;
mod evidence;
mod order;
pub(crate) mod parse;
mod read;
mod rehearse;
mod signatures;
mod stored;
mod time;

#[cfg(test)]
pub(crate) use build::timestamp_inherent;
pub use read::{DryRunError, Validated};
pub use rehearse::Rehearsed;
pub use stored::StoredBlock;

use crate::{
    ChainError, CommittedBlock, ExecutedBlock, OtherRules,
    decoded::Decoded,
    state::{HeadView, genesis_block},
};
use billchain_primitives::{Hash, sm3};
use billchain_runtime::GenesisState;
use billchain_storage::{BlockCommit, Genesis, Head, Storage};
use codec::Encode;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::broadcast;

/// How many blocks a subscriber may lag behind before it misses some.
const NEWS_CAPACITY: usize = 256;

/// The local chain. Cheap to clone; clones are the same chain.
#[derive(Clone)]
pub struct Chain {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Arc<Storage>,
    genesis_hash: Hash,
    news: broadcast::Sender<Arc<CommittedBlock>>,
    /// What the pool's checks have decoded.
    decoded: Decoded,
    /// Held while the storage's head changes or a root is computed on it.
    head_lock: Arc<Mutex<()>>,
}

impl Chain {
    /// The chain in `storage`, which was made from the document with the digest
    /// `document`. If the storage is empty the chain begins there, with the state
    /// that `genesis` makes of the document; nothing else asks for it, so that a
    /// release goes on with a chain whose genesis it would make otherwise.
    pub fn open<E: From<ChainError>>(
        storage: Arc<Storage>,
        document: Hash,
        genesis: impl FnOnce() -> Result<GenesisState, E>,
    ) -> Result<Self, E> {
        let known = storage.document().map_err(ChainError::from)?;
        if known.is_none() {
            begin(&storage, document, genesis()?)?;
        }
        let chain = Self::of(storage)?;
        match known.filter(|found| *found != document) {
            None => Ok(chain),
            Some(found) => {
                let genesis = chain.genesis_hash();
                Err(ChainError::OtherDocument { expected: document, found, genesis }.into())
            }
        }
    }

    /// The chain in `storage` that begins with `state`, for tools that have no
    /// document: as [`open`](Self::open) with the digest of the encoded state.
    pub fn with_genesis(storage: Arc<Storage>, state: &GenesisState) -> Result<Self, ChainError> {
        let document = Hash::from(sm3(&state.encode()));
        Self::open(storage, document, || Ok(state.clone()))
    }

    /// The chain that a storage holds.
    fn of(storage: Arc<Storage>) -> Result<Self, ChainError> {
        let hash = storage.hash_of(0)?.ok_or_else(|| ChainError::Undecodable {
            what: "genesis block".into(),
            reason: "it is missing".into(),
        })?;
        let (news, _) = broadcast::channel(NEWS_CAPACITY);
        let head_lock = Arc::new(Mutex::new(()));
        let decoded = Decoded::default();
        let inner = Inner { storage, genesis_hash: hash, news, decoded, head_lock };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The newest block.
    pub fn head(&self) -> Head {
        self.inner.storage.head()
    }

    /// Hash of the first block: the chain's name.
    pub fn genesis_hash(&self) -> Hash {
        self.inner.genesis_hash
    }

    /// Refuses to go on if the block after the head is not under this release's
    /// rules.
    pub fn ensure_rules(&self) -> Result<(), ChainError> {
        let next = self.head().number.saturating_add(1);
        match self.read(|| OtherRules::of(next))? {
            Some(other) => Err(ChainError::OtherRules(other)),
            None => Ok(()),
        }
    }

    /// The storage below, for blocks, certificates, look-ups and the index.
    pub fn storage(&self) -> &Arc<Storage> {
        &self.inner.storage
    }

    /// News of every block committed from now on. A subscriber that lags more
    /// than 256 blocks behind is told so and misses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<CommittedBlock>> {
        self.inner.news.subscribe()
    }

    /// Makes `block` the head, with the certificate by which it was decided.
    /// When this returns, the block survives a crash. Nothing is executed.
    pub fn commit(
        &self,
        block: ExecutedBlock,
        certificate: Vec<u8>,
    ) -> Result<Arc<CommittedBlock>, ChainError> {
        let ExecutedBlock {
            header,
            hash,
            bytes,
            timestamp_ms,
            delta,
            index,
            events,
            cooling,
            tx_hashes,
            inherents,
            senders,
        } = block;
        {
            let _writing = self.inner.head_lock.lock();
            let head = self.head();
            if header.number != head.number.saturating_add(1) {
                return Err(ChainError::NotNext { head: head.number, found: header.number });
            }
            if header.parent_hash != head.hash {
                return Err(ChainError::HeadMoved {
                    expected: header.parent_hash,
                    found: head.hash,
                });
            }
            self.inner.storage.commit(BlockCommit {
                number: header.number,
                hash,
                parent_hash: header.parent_hash,
                state_root: header.state_root,
                block: bytes.to_vec(),
                certificate,
                delta,
                events,
                offchain: index,
                tx_hashes: tx_hashes.clone(),
                cooling,
            })?;
        }
        let committed =
            CommittedBlock { hash, header, timestamp_ms, tx_hashes, inherents, senders, bytes };
        let committed = Arc::new(committed);
        // No subscribers is no failure.
        let _ = self.inner.news.send(committed.clone());
        Ok(committed)
    }

    /// The head and its state, for executing the next block.
    fn head_view(&self) -> (Head, HeadView) {
        let _reading = self.inner.head_lock.lock();
        let head = self.head();
        let view = HeadView {
            storage: self.inner.storage.clone(),
            snapshot: self.inner.storage.state(),
            head: head.hash,
            lock: self.inner.head_lock.clone(),
        };
        (head, view)
    }
}

/// Begins a chain in an empty storage.
fn begin(storage: &Storage, document: Hash, state: GenesisState) -> Result<(), ChainError> {
    let (header, block) = genesis_block(&state)?;
    let (hash, state_root) = (header.hash(), header.state_root);
    Ok(storage.init_genesis(Genesis { state, state_root, hash, block, document })?)
}

//! What consensus asks of the chain, answered by the executor and the pool.

use crate::{compact::CompactBlocks, config::Peer, evidence::Evidence};
use billchain_consensus::{
    AllowedPeers, AppError, Application, CheckMode, CheckOutcome, CommitCertificate, DecidedBlock,
    Height, Multiaddr, PeerId, ProposedBlock, Validator, ValidatorSet,
};
use billchain_crypto::sm2;
use billchain_executor::{
    BlockError, BuildParams, Chain, ChainError, ClockCheck, CommittedBlock, ExecutedBlock,
};
use billchain_primitives::{AccountId, Equivocation, Hash, Header, Nonce};
use billchain_runtime::{System, Validators};
use billchain_txpool::{CommittedBlock as PoolBlock, Pool};
use bytes::Bytes;
use codec::{Decode, Encode};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Executed blocks of the height at hand that are kept until one is decided:
/// proposals of some rounds.
const UNDECIDED_KEPT: usize = 8;

/// The chain and its pool, as consensus sees them.
pub(crate) struct ChainApplication {
    chain: Chain,
    pool: Arc<Pool>,
    compact: CompactBlocks,
    evidence: Evidence,
    /// Most bytes of a block that this node builds; what is valid the chain says.
    build_bytes: usize,
    /// Addresses of peers, from the configuration.
    peers: Vec<Peer>,
    /// Blocks executed for the next height, oldest first, so that the decided
    /// one is not executed again.
    executed: Mutex<VecDeque<ExecutedBlock>>,
}

impl ChainApplication {
    pub(crate) fn new(
        chain: Chain,
        pool: Arc<Pool>,
        compact: CompactBlocks,
        evidence: Evidence,
        build_bytes: usize,
        peers: Vec<Peer>,
    ) -> Self {
        Self { chain, pool, compact, evidence, build_bytes, peers, executed: Mutex::default() }
    }

    fn ensure_next(&self, height: Height) -> Result<(), AppError> {
        let next = self.next_height();
        if height == next {
            return Ok(());
        }
        Err(AppError::new(format!("consensus is at height {height}, the chain at {next}")))
    }

    fn remember(&self, block: ExecutedBlock) {
        let mut executed = self.executed.lock();
        executed.retain(|known| known.hash() != block.hash());
        if executed.len() == UNDECIDED_KEPT {
            executed.pop_front();
        }
        executed.push_back(block);
    }

    /// Whether these bytes are a block that was executed.
    fn knows(&self, hash: &Hash, bytes: &Bytes) -> bool {
        let executed = self.executed.lock();
        executed.iter().any(|block| block.hash() == *hash && block.bytes() == bytes)
    }

    /// The block that was decided; the others of its height are forgotten.
    fn take(&self, hash: &Hash) -> Option<ExecutedBlock> {
        let mut executed = std::mem::take(&mut *self.executed.lock());
        let at = executed.iter().position(|block| block.hash() == *hash)?;
        executed.swap_remove_back(at)
    }

    /// Tells the pool which transactions are in and where their senders'
    /// nonces stand.
    fn settle_pool(&self, block: &CommittedBlock) -> Result<(), AppError> {
        let nonces = self
            .chain
            .read(|| {
                let nonce = |sender: &AccountId| (sender.clone(), System::account_nonce(sender));
                block.senders.iter().map(nonce).collect::<Vec<(AccountId, Nonce)>>()
            })
            .map_err(AppError::new)?;
        self.pool.on_block_committed(&PoolBlock {
            number: block.header.number,
            hash: block.hash,
            included: block.tx_hashes.clone(),
            nonces,
        });
        Ok(())
    }

    /// Forgets equivocations that the chain records no more, most often because
    /// the block recorded them.
    fn settle_evidence(&self, block: &CommittedBlock) -> Result<(), AppError> {
        if block.reports_equivocations() {
            let recorded = self.chain.read(Validators::equivocations).map_err(AppError::new)?;
            self.evidence.metrics().set_recorded(recorded.len());
        }
        if self.evidence.is_empty() {
            return Ok(());
        }
        let recordable =
            self.chain.still_recordable(self.evidence.held()).map_err(AppError::new)?;
        self.evidence.keep(&recordable).map_err(AppError::new)
    }
}

impl Application for ChainApplication {
    fn next_height(&self) -> Height {
        Height::new(u64::from(self.chain.head().number) + 1)
    }

    fn validator_set(&self) -> Result<ValidatorSet, AppError> {
        // Asked once before each height: here a release ends whose rules do.
        self.chain.ensure_rules().map_err(AppError::new)?;
        let validators =
            self.chain.read(Validators::validators).map_err(AppError::new)?.into_iter().map(|v| {
                let key = sm2::PublicKey::from_compressed(&v.consensus_key)
                    .map_err(|error| AppError::new(format!("validator {}: {error}", v.name)))?;
                Ok(Validator::new(key, v.power))
            });
        let validators = validators.collect::<Result<Vec<_>, AppError>>()?;
        ValidatorSet::new(validators).map_err(AppError::new)
    }

    fn allowed_peers(&self) -> Result<AllowedPeers, AppError> {
        let address = |id: PeerId| match self.peers.iter().find(|peer| peer.id == id) {
            Some(peer) => peer.tcp(),
            None => Multiaddr::empty().with(libp2p::multiaddr::Protocol::P2p(id)),
        };
        let read = || AllowedPeers {
            validators: validator_peers().map(address).collect(),
            observers: observer_peers().map(address).collect(),
        };
        self.chain.read(read).map_err(AppError::new)
    }

    fn propose(
        &self,
        height: Height,
        max_bytes: usize,
        deadline: Instant,
    ) -> Result<ProposedBlock, AppError> {
        self.ensure_next(height)?;
        let max_block_bytes = max_bytes.min(self.build_bytes);
        let params = BuildParams { timestamp_ms: now_ms(), max_block_bytes, deadline };
        let mut candidates = self.pool.best().map(|tx| tx.bytes.clone());
        let held = self.evidence.held();
        let built = self
            .chain
            .build_with_evidence(params, &held, &mut candidates)
            .map_err(AppError::new)?;
        if !built.refused.is_empty() {
            let hashes: Vec<Hash> = built.refused.iter().map(|refused| refused.hash).collect();
            self.pool.remove_invalid(&hashes);
        }
        let proposed = ProposedBlock {
            hash: built.block.hash(),
            bytes: built.block.bytes().clone(),
            compact: self.compact.build(&built.block),
        };
        self.remember(built.block);
        Ok(proposed)
    }

    fn expand(
        &self,
        peer: PeerId,
        compact: Bytes,
        max_bytes: usize,
    ) -> BoxFuture<'static, Result<Bytes, String>> {
        Box::pin(self.compact.clone().expand(peer, compact, max_bytes))
    }

    fn check(
        &self,
        height: Height,
        bytes: &Bytes,
        mode: CheckMode,
    ) -> Result<CheckOutcome, AppError> {
        self.ensure_next(height)?;
        let clock = match mode {
            CheckMode::Voted => ClockCheck::Decided,
            CheckMode::Proposal => ClockCheck::Proposal { now_ms: now_ms() },
        };
        if let Ok(header) = Header::decode(&mut &bytes[..])
            && self.knows(&header.hash(), bytes)
        {
            return Ok(CheckOutcome::Valid { hash: header.hash() });
        }
        match self.chain.execute(bytes.clone(), clock) {
            Ok(block) => {
                let hash = block.hash();
                self.remember(block);
                Ok(CheckOutcome::Valid { hash })
            }
            Err(BlockError::Local(error)) => Err(AppError::new(error)),
            Err(error @ (BlockError::TimeAhead { .. } | BlockError::TimeBehind { .. })) => {
                Ok(CheckOutcome::Untimely { reason: error.to_string() })
            }
            Err(error) => Ok(CheckOutcome::Invalid { reason: error.to_string() }),
        }
    }

    fn commit(
        &self,
        height: Height,
        hash: Hash,
        bytes: &Bytes,
        certificate: &CommitCertificate,
    ) -> Result<(), AppError> {
        self.ensure_next(height)?;
        let block = match self.take(&hash) {
            Some(block) => block,
            None => self
                .chain
                .execute(bytes.clone(), ClockCheck::Decided)
                .map_err(|error| AppError::new(format!("decided block {hash}: {error}")))?,
        };
        if block.hash() != hash {
            return Err(AppError::new(format!("block {} was decided as {hash}", block.hash())));
        }
        let committed = self.chain.commit(block, certificate.encode()).map_err(AppError::new)?;
        self.settle_pool(&committed)?;
        self.settle_evidence(&committed)
    }

    fn report(&self, equivocations: Vec<Equivocation>) -> Result<(), AppError> {
        let recordable = self.chain.recordable(equivocations).map_err(AppError::new)?;
        self.evidence.add(recordable).map_err(AppError::new)
    }

    fn decided(&self, height: Height) -> Result<Option<DecidedBlock>, AppError> {
        let Ok(number) = u32::try_from(height.get()) else { return Ok(None) };
        let storage = self.chain.storage();
        let block = storage.block(number).map_err(AppError::new)?;
        let certificate = storage.certificate(number).map_err(AppError::new)?;
        let (Some(bytes), Some(certificate)) = (block, certificate) else { return Ok(None) };
        let certificate = CommitCertificate::decode(&mut &certificate[..]).map_err(|error| {
            AppError::new(format!("stored certificate of block {number}: {error}"))
        })?;
        Ok(Some(DecidedBlock { bytes: bytes.into(), certificate }))
    }

    fn earliest(&self) -> Height {
        Height::new(1)
    }

    fn work_ready(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.pool.work_ready())
    }
}

/// Peer identities of the chain's validators and observers, at its head.
pub(crate) fn allowed_peer_ids(chain: &Chain) -> Result<BTreeSet<PeerId>, ChainError> {
    chain.read(|| validator_peers().chain(observer_peers()).collect())
}

// The pallet bounds the bytes; what is no identity can match no peer.
fn validator_peers() -> impl Iterator<Item = PeerId> {
    let ids = Validators::validators().into_iter().map(|validator| validator.peer_id);
    ids.filter_map(|id| PeerId::from_bytes(&id).ok())
}

fn observer_peers() -> impl Iterator<Item = PeerId> {
    let ids = Validators::observers().into_iter().map(|observer| observer.peer_id);
    ids.filter_map(|id| PeerId::from_bytes(&id).ok())
}

/// The local clock in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

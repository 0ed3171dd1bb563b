//! What consensus asks of the chain, answered by the executor and the pool.

use crate::{
    compact::CompactBlocks,
    config::Peer,
    disk::Disk,
    evidence::Evidence,
    peers::{observer_peers, reached_at, validator_peers},
};
use billchain_consensus::{
    Address, AllowedPeers, AppError, Application, BlockRequest, CheckMode, CheckOutcome,
    CommitCertificate, DecidedBlock, Height, Multiaddr, PeerId, ProposedBlock, Validator,
    ValidatorSet,
};
use billchain_crypto::sm2;
use billchain_executor::{
    BlockError, Brought, BuildParams, Chain, ClockCheck, CommittedBlock, ExecutedBlock,
};
use billchain_primitives::{
    AccountId, BlockNumber, Equivocation, Hash, Header, LatePrecommit, Nonce, ParentCommit,
};
use billchain_runtime::{Participation, System, Validators};
use billchain_state_sync::Copies;
use billchain_txpool::{CommittedBlock as PoolBlock, Pool};
use bytes::Bytes;
use codec::{Decode, Encode};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
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
    disk: Disk,
    /// Copies of the state for nodes that join.
    copies: Arc<Copies>,
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
        (disk, copies): (Disk, Arc<Copies>),
        build_bytes: usize,
        peers: Vec<Peer>,
    ) -> Self {
        let executed = Mutex::default();
        Self { chain, pool, compact, evidence, disk, copies, build_bytes, peers, executed }
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

    /// The commit of the head for the next block: its certificate with what was heard
    /// since. The genesis has none.
    fn commit_of_head(&self, late: Vec<LatePrecommit>) -> Result<Option<ParentCommit>, AppError> {
        let head = self.chain.head().number;
        if head == 0 {
            return Ok(None);
        }
        let missing = || AppError::new(format!("the certificate of block {head} is missing"));
        let certificate = self.certificate(head)?.ok_or_else(missing)?;
        Ok(Some(certificate.into_parent_commit(late)))
    }

    fn certificate(&self, number: BlockNumber) -> Result<Option<CommitCertificate>, AppError> {
        let stored = self.chain.storage().certificate(number).map_err(AppError::new)?;
        let decode = |bytes: Vec<u8>| CommitCertificate::decode(&mut &bytes[..]);
        stored.map(decode).transpose().map_err(|error| {
            AppError::new(format!("stored certificate of block {number}: {error}"))
        })
    }

    /// Makes a copy of the state if one is due, and there is room.
    fn copy_state(&self, number: BlockNumber) {
        if self.disk.is_low() {
            self.copies.clear();
        } else {
            self.copies.committed(self.chain.storage(), number);
        }
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
        if block.inherents.equivocations {
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
        let address = |account: AccountId| Address::from(*AsRef::<[u8; 32]>::as_ref(&account));
        let left_out = self.chain.read(Participation::left_out).map_err(AppError::new)?;
        let left_out: Vec<Address> = left_out.into_iter().map(address).collect();
        let set = ValidatorSet::new(validators).map_err(AppError::new)?;
        Ok(set.without_turns(&left_out))
    }

    fn succeeds(&self, before: &Address, now: &Address) -> Result<bool, AppError> {
        let account = |address: &Address| AccountId::new(*address.as_bytes());
        let (before, now) = (account(before), account(now));
        self.chain.read(|| Validators::succeeds(&before, &now)).map_err(AppError::new)
    }

    fn allowed_peers(&self) -> Result<AllowedPeers, AppError> {
        let address = |id: PeerId| match reached_at(&self.peers, id) {
            Some(peer) => peer.tcp(),
            None => Multiaddr::empty().with(libp2p::multiaddr::Protocol::P2p(id)),
        };
        let read = || AllowedPeers {
            validators: validator_peers().map(address).collect(),
            observers: observer_peers().map(address).collect(),
        };
        self.chain.read(read).map_err(AppError::new)
    }

    fn propose(&self, height: Height, wanted: BlockRequest) -> Result<ProposedBlock, AppError> {
        self.ensure_next(height)?;
        let params = BuildParams {
            timestamp_ms: now_ms(),
            max_block_bytes: wanted.max_bytes.min(self.build_bytes),
            deadline: wanted.deadline,
        };
        // The last room of a disk is for votes.
        let work = (!self.disk.is_low()).then(|| self.pool.best());
        let mut candidates = work.into_iter().flatten().map(|tx| tx.bytes.clone());
        let equivocations = &self.evidence.held()[..];
        let brought = Brought { commit: self.commit_of_head(wanted.late)?, equivocations };
        let built =
            self.chain.build_with(params, brought, &mut candidates).map_err(AppError::new)?;
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
            Ok(block) if lacks_commit(&block) => {
                Ok(CheckOutcome::Invalid { reason: "it lacks the commit of its parent".into() })
            }
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
        self.copy_state(committed.header.number);
        self.settle_pool(&committed)?;
        self.settle_evidence(&committed)
    }

    fn report(&self, equivocations: Vec<Equivocation>) -> Result<(), AppError> {
        let recordable = self.chain.recordable(equivocations).map_err(AppError::new)?;
        self.evidence.add(recordable).map_err(AppError::new)
    }

    fn decided(&self, height: Height) -> Result<Option<DecidedBlock>, AppError> {
        let Ok(number) = u32::try_from(height.get()) else { return Ok(None) };
        let block = self.chain.storage().block(number).map_err(AppError::new)?;
        let certificate = self.certificate(number)?;
        let (Some(bytes), Some(certificate)) = (block, certificate) else { return Ok(None) };
        Ok(Some(DecidedBlock { bytes: bytes.into(), certificate }))
    }

    fn earliest(&self) -> Height {
        Height::new(self.chain.storage().first_block().into())
    }

    fn work_ready(&self) -> BoxFuture<'static, ()> {
        let (room, ready) = (self.disk.room(), self.pool.work_ready());
        Box::pin(async move {
            room.await;
            ready.await;
        })
    }
}

/// Whether a block says nothing of who decided its parent, as every block after the
/// first must.
fn lacks_commit(block: &ExecutedBlock) -> bool {
    block.number() > 1 && !block.inherents().commit
}

/// The local clock in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

//! Blocks before the joining, in the background: the newest first, each by the hash that
//! its child names.

use crate::{
    Peers, SyncMetrics, ValidatorSets,
    join::{follow, older},
    peers::{Circle, ask},
    sets::header_of,
    wire::{Blocks, Certified, Question, Refusal},
};
use billchain_consensus::PeerId;
use billchain_executor::{Chain, StoredBlock};
use billchain_primitives::{BlockNumber, Hash};
use billchain_storage::{OlderBlock, StorageError};
use std::{sync::Arc, time::Duration};

/// Time between two attempts when nobody gives blocks, doubled up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Fetches older blocks until the node has all that it is to keep.
pub struct OlderBlocks {
    /// The chain.
    pub chain: Chain,
    /// Who is asked.
    pub peers: Arc<dyn Peers>,
    /// The validators that decide the first block.
    pub validators: ValidatorSets,
    /// Blocks before the head that the node keeps whole; older ones are not fetched.
    pub keep: u32,
    /// What is counted.
    pub metrics: SyncMetrics,
}

impl OlderBlocks {
    /// Runs until nothing is missing. A peer that lies is asked no more until the next
    /// start.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn run(self) -> Result<(), StorageError> {
        let mut known: Option<ValidatorSets> = None;
        let mut refuted: Vec<PeerId> = Vec::new();
        let mut pause = PAUSES.0;
        while self.first() > self.floor() {
            let peers = self.peers.connected();
            let circle =
                Circle::new(peers.into_iter().filter(|peer| !refuted.contains(peer)).collect());
            let before = self.first();
            while self.first() > self.floor() {
                let Ok(peer) = circle.next() else { break };
                if let Err(Lie(what)) = self.step(&circle, peer, &mut known).await? {
                    circle.refuted(peer, &what);
                    self.metrics.refuted.inc();
                    refuted.push(peer);
                }
            }
            if self.first() > self.floor() {
                let gained = self.first() < before;
                pause = if gained { PAUSES.0 } else { (pause * 2).min(PAUSES.1) };
                tokio::time::sleep(pause).await;
            }
        }
        let first = self.first();
        tracing::info!(first, "every block that this node is to keep is here");
        Ok(())
    }

    fn first(&self) -> BlockNumber {
        self.chain.storage().first_block()
    }

    /// The oldest block that is fetched.
    fn floor(&self) -> BlockNumber {
        self.chain.head().number.saturating_sub(self.keep).max(1)
    }

    /// Asks one peer for the next blocks.
    async fn step(
        &self,
        circle: &Circle,
        peer: PeerId,
        known: &mut Option<ValidatorSets>,
    ) -> Result<Result<(), Lie>, StorageError> {
        let validators = match known {
            Some(validators) => validators,
            None => match follow(&*self.peers, peer, &self.validators).await {
                Ok((validators, _)) => known.insert(validators),
                Err(reason) => {
                    circle.failed(peer, &crate::peers::Unanswered::Failed(reason));
                    return Ok(Ok(()));
                }
            },
        };
        let below = self.first();
        let Blocks(blocks) = match ask(&*self.peers, peer, &Question::Blocks { below }).await {
            Ok(blocks) => blocks,
            Err(why) => {
                circle.failed(peer, &why);
                return Ok(Ok(()));
            }
        };
        if blocks.is_empty() {
            circle.failed(peer, &crate::peers::Unanswered::Refused(Refusal::Failed));
            return Ok(Ok(()));
        }
        let (chain, validators, floor) = (self.chain.clone(), validators.clone(), self.floor());
        let taken =
            tokio::task::spawn_blocking(move || take(&chain, &validators, below, floor, blocks));
        let taken =
            taken.await.unwrap_or_else(|_| Ok(Err(Lie("it makes this node panic".into()))))?;
        if taken.is_ok() {
            circle.answered(peer);
        }
        self.metrics.first_block.set(i64::from(self.first()));
        Ok(taken)
    }
}

/// What a peer sent is not of the chain.
#[derive(Debug)]
struct Lie(String);

/// Takes blocks in that the chain proves.
fn take(
    chain: &Chain,
    validators: &ValidatorSets,
    below: BlockNumber,
    floor: BlockNumber,
    blocks: Vec<Certified>,
) -> Result<Result<(), Lie>, StorageError> {
    let storage = chain.storage();
    let child = storage.block(below)?.as_deref().and_then(header_of);
    let Some(child) = child else {
        return Err(StorageError::Corrupt {
            what: format!("block {below}, the first that is kept whole, is missing"),
            path: storage.path().to_owned(),
        });
    };
    let mut expected = (below.saturating_sub(1), child.parent_hash);
    let mut proven: Vec<OlderBlock> = Vec::new();
    for block in blocks {
        if expected.0 < floor {
            break;
        }
        match judge(validators, expected, block) {
            Ok((block, parent)) => {
                expected = (block.number.saturating_sub(1), parent);
                proven.push(block);
            }
            Err(lie) => {
                storage.add_older(&proven)?;
                return Ok(Err(lie));
            }
        }
    }
    storage.add_older(&proven)?;
    Ok(Ok(()))
}

/// The block, and the hash of its parent, if it is the one expected.
fn judge(
    validators: &ValidatorSets,
    (number, hash): (BlockNumber, Hash),
    block: Certified,
) -> Result<(OlderBlock, Hash), Lie> {
    let Certified { bytes, certificate } = block;
    let opened = StoredBlock::open(bytes.into()).map_err(|error| Lie(error.to_string()))?;
    if (opened.header.number, opened.hash) != (number, hash) {
        return Err(Lie(format!(
            "block {} with hash {:?}, expected {number} with {hash:?}",
            opened.header.number, opened.hash
        )));
    }
    let judged = validators.judge(&opened.header, &certificate);
    judged.map_err(|error| Lie(error.to_string()))?;
    let parent = opened.header.parent_hash;
    Ok((older(opened, certificate), parent))
}

//! The index of what blocks before the joining left, in the background.
//!
//! No header commits to it: it follows from executing the blocks, which the joining
//! spared. So a page counts when validators with more than a third of the power say the
//! same of it: one of them is honest.

use crate::{
    Peers, SyncMetrics,
    peers::ask,
    wire::{Page, PageOf, Question, Targets},
};
use billchain_consensus::PeerId;
use billchain_executor::Chain;
use billchain_primitives::sm3;
use billchain_storage::{CopyTable, IndexGap, IndexTable, StorageError};
use codec::Encode;
use futures::future::join_all;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Time between two attempts when too few peers agree.
const PAUSE: Duration = Duration::from_secs(5);

/// Voting power by the peer that a validator's node is, of all validators.
pub type Voters = BTreeMap<PeerId, u64>;

/// Fills the index until nothing is missing.
pub struct IndexFiller {
    /// The chain.
    pub chain: Chain,
    /// Who is asked.
    pub peers: Arc<dyn Peers>,
    /// The validators' peers at the chain's head.
    pub voters: Box<dyn Fn() -> Result<Voters, StorageError> + Send + Sync>,
    /// What is counted.
    pub metrics: SyncMetrics,
}

impl IndexFiller {
    /// Runs until nothing is missing.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn run(self) -> Result<(), StorageError> {
        while let Some(gap) = self.chain.storage().index_gap()? {
            self.metrics.index_gap.set(1);
            let voters = (self.voters)()?;
            match self.page(&gap, &voters).await {
                Some(entries) => {
                    let chain = self.chain.clone();
                    let fill =
                        tokio::task::spawn_blocking(move || chain.storage().fill_index(&entries.0));
                    match fill.await {
                        Ok(filled) => drop(filled?),
                        Err(_) => tokio::time::sleep(PAUSE).await,
                    }
                }
                None => tokio::time::sleep(PAUSE).await,
            }
        }
        self.metrics.index_gap.set(0);
        Ok(())
    }

    /// The next entries, on the word of validators with more than a third of the power.
    async fn page(&self, gap: &IndexGap, voters: &Voters) -> Option<Page> {
        let serving = self.serving(gap, voters).await;
        for (block, peers) in serving.iter().rev() {
            if !is_enough(voters, peers) {
                continue;
            }
            let table = match gap.table {
                IndexTable::Index => CopyTable::Index,
                IndexTable::Events => CopyTable::Events,
            };
            let of = PageOf { block: *block, table, after: gap.after.clone() };
            for peer in peers {
                if let Some(page) = self.agreed(&of, *peer, peers, voters).await {
                    return Some(page);
                }
            }
        }
        None
    }

    /// Which validators' peers serve copies of blocks from the joining's on.
    async fn serving(&self, gap: &IndexGap, voters: &Voters) -> BTreeMap<u32, Vec<PeerId>> {
        let connected = self.peers.connected();
        let asked =
            connected.into_iter().filter(|peer| voters.contains_key(peer)).map(|peer| async move {
                (peer, ask::<Targets>(&*self.peers, peer, &Question::Targets).await)
            });
        let mut serving: BTreeMap<u32, Vec<PeerId>> = BTreeMap::new();
        for (peer, answer) in join_all(asked).await {
            let Ok(Targets(targets)) = answer else { continue };
            for target in targets.iter().filter(|target| target.number >= gap.block) {
                let peers = serving.entry(target.number).or_default();
                if !peers.contains(&peer) {
                    peers.push(peer);
                }
            }
        }
        serving
    }

    /// The page of one peer, if enough others say the same of it.
    async fn agreed(
        &self,
        of: &PageOf,
        peer: PeerId,
        others: &[PeerId],
        voters: &Voters,
    ) -> Option<Page> {
        let page: Page = ask(&*self.peers, peer, &Question::Page(of.clone())).await.ok()?;
        let in_order =
            page.0.iter().try_fold(&of.after, |last, (key, _)| (key > last).then_some(key));
        in_order?;
        let digest = sm3(&page.encode());
        let mut agreed = vec![peer];
        for other in others.iter().filter(|other| **other != peer) {
            if is_enough(voters, &agreed) {
                break;
            }
            let theirs = ask::<[u8; 32]>(&*self.peers, *other, &Question::Digest(of.clone())).await;
            match theirs {
                Ok(theirs) if theirs == digest => agreed.push(*other),
                Ok(_) => {
                    self.metrics.refuted.inc();
                    tracing::warn!(%peer, %other, block = of.block, "two nodes' indices differ");
                }
                Err(_) => {}
            }
        }
        is_enough(voters, &agreed).then_some(page)
    }
}

/// Whether these have more than a third of the power.
fn is_enough(voters: &Voters, peers: &[PeerId]) -> bool {
    let total = voters.values().fold(0_u64, |sum, power| sum.saturating_add(*power));
    let theirs = peers.iter().filter_map(|peer| voters.get(peer));
    let theirs = theirs.fold(0_u64, |sum, power| sum.saturating_add(*power));
    u128::from(theirs) * 3 > u128::from(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_third_of_the_power_is_enough() {
        let peers: Vec<PeerId> = (0..4).map(|_| PeerId::random()).collect();
        let voters: Voters = peers.iter().map(|peer| (*peer, 1)).collect();
        assert!(!is_enough(&voters, &peers[..1]));
        assert!(is_enough(&voters, &peers[..2]));
        assert!(!is_enough(&voters, &[PeerId::random(), peers[0]]), "others have none");
        let three: Voters = peers[..3].iter().map(|peer| (*peer, 1)).collect();
        assert!(!is_enough(&three, &peers[..1]), "a third is not more than a third");
    }
}

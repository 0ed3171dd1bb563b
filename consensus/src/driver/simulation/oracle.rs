//! What must be true of every schedule, restated without the code it judges.
//!
//! Safety: no two honest validators commit different blocks at one height; what is
//! committed is a valid block on the one before, with the pre-commits of three of
//! the four; and no honest validator signs two different messages for one height,
//! round and step, whatever it forgets in a kill, nor is charged with it.

use std::collections::BTreeMap;

/// A block, by its number in the world's register.
pub(super) type BlockId = u64;

/// Height, round and kind of a signed message.
pub(super) type Step = (u64, i64, &'static str);

/// What is known of a block.
#[derive(Clone, Debug)]
pub(super) struct BlockFacts {
    pub height: u64,
    pub parent: BlockId,
    pub valid: bool,
}

#[derive(Default)]
pub(super) struct Oracle {
    pub blocks: BTreeMap<BlockId, BlockFacts>,
    decided: BTreeMap<u64, BlockId>,
    signed: BTreeMap<(usize, Step), String>,
    /// Charges of having signed twice.
    pub charges: u64,
}

impl Oracle {
    /// An honest node commits a block that these have signed for.
    pub(super) fn committed(
        &mut self,
        node: usize,
        height: u64,
        block: BlockId,
        signers: &[usize],
    ) {
        let facts = &self.blocks[&block];
        assert!(facts.valid, "node {node} committed the invalid block {block} at {height}");
        assert_eq!(facts.height, height, "node {node} committed a block of another height");
        let parent = self.decided.get(&(height - 1)).copied().unwrap_or(0);
        assert_eq!(facts.parent, parent, "node {node} committed block {block} on another parent");
        let mut distinct = signers.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert!(distinct.len() >= 3, "node {node}: {signers:?} decided height {height}");
        let decided = *self.decided.entry(height).or_insert(block);
        assert_eq!(decided, block, "fork at height {height}: node {node} committed another block");
    }

    /// An honest node lets the others see that it signed this.
    pub(super) fn signed(&mut self, node: usize, step: Step, what: String) {
        let before = self.signed.entry((node, step)).or_insert_with(|| what.clone());
        assert_eq!(*before, what, "node {node} signed twice at {step:?}");
    }

    /// A node has found that another signed twice.
    pub(super) fn charged(&mut self, node: usize, offender: Option<usize>, liar: Option<usize>) {
        assert!(offender.is_some(), "node {node} charged somebody who is no validator");
        assert_eq!(offender, liar, "node {node} charged an honest validator");
        self.charges += 1;
    }

    /// Highest height that was committed.
    pub(super) fn top(&self) -> u64 {
        self.decided.keys().next_back().copied().unwrap_or(0)
    }
}

//! Checking the blocks that are stored, as one does with a copy from elsewhere.

use crate::{Chain, ChainError, chain::parse, state::extrinsics_root};
use billchain_primitives::{BlockNumber, Hash};

impl Chain {
    /// Checks that the stored blocks are the head and those before it: each is there,
    /// has the hash that the next one names as its parent's, and the body that its
    /// header stands for. Nothing is executed. Takes time in proportion to the chain.
    ///
    /// # Errors
    /// [`ChainError::Undecodable`] with the block and what differs.
    pub fn verify_blocks(&self) -> Result<(), ChainError> {
        let head = self.head();
        let mut expected = head.hash;
        for number in (0..=head.number).rev() {
            expected = self.verify_block(number, expected)?;
        }
        Ok(())
    }

    /// Checks one block; the hash of its parent.
    fn verify_block(&self, number: BlockNumber, expected: Hash) -> Result<Hash, ChainError> {
        let differs =
            |reason: String| ChainError::Undecodable { what: format!("block {number}"), reason };
        let known = self.storage().hash_of(number)?;
        if known != Some(expected) {
            return Err(differs(format!("it is listed as {known:?}, expected {expected:?}")));
        }
        let bytes = self.storage().block(number)?;
        let bytes = bytes.ok_or_else(|| differs("it is missing".into()))?;
        let parse::Parsed { header, extrinsics } =
            parse::block(&bytes.into()).map_err(|error| differs(error.to_string()))?;
        let hash = header.hash();
        if (hash, header.number) != (expected, number) {
            return Err(differs(format!(
                "it has hash {hash:?} and number {}, expected {expected:?}",
                header.number
            )));
        }
        let root = extrinsics_root(extrinsics.iter().map(|bytes| bytes.to_vec()).collect());
        if header.extrinsics_root != root {
            return Err(differs(format!(
                "its transactions have root {root:?}, its header names {:?}",
                header.extrinsics_root
            )));
        }
        Ok(header.parent_hash)
    }
}

//! Checking the blocks that are stored, as one does with a copy from elsewhere.

use crate::{BlockError, Chain, ChainError, OpaqueTx, chain::parse, state::extrinsics_root};
use billchain_primitives::{BlockNumber, Hash, Header, transaction_hashes};
use codec::Encode;

/// A block that was decided, taken apart, whose body is the one that its header stands
/// for. Nothing is executed.
#[derive(Clone, Debug)]
pub struct StoredBlock {
    /// The header.
    pub header: Header,
    /// Its hash: the block's name.
    pub hash: Hash,
    /// The encoded block.
    pub bytes: OpaqueTx,
    /// Hashes of all extrinsics, in order.
    pub tx_hashes: Vec<Hash>,
}

impl StoredBlock {
    /// Takes a block apart.
    ///
    /// # Errors
    /// What is wrong with its form, or that its body is another block's.
    pub fn open(bytes: OpaqueTx) -> Result<Self, BlockError> {
        let parse::Parsed { header, extrinsics } = parse::block(&bytes)?;
        let root = extrinsics_root(extrinsics.iter().map(|bytes| bytes.to_vec()).collect());
        if header.extrinsics_root != root {
            return Err(BlockError::Malformed(format!(
                "its transactions have root {root:?}, its header names {:?}",
                header.extrinsics_root
            )));
        }
        let (hash, tx_hashes) = (header.hash(), transaction_hashes(&extrinsics));
        Ok(Self { header, hash, bytes, tx_hashes })
    }

    /// The encoded header.
    pub fn header_bytes(&self) -> Vec<u8> {
        self.header.encode()
    }
}

impl Chain {
    /// Checks that the stored blocks are the head and those before it, down to the first
    /// that is kept whole: each is there,
    /// has the hash that the next one names as its parent's, and the body that its
    /// header stands for. Nothing is executed. Takes time in proportion to the chain.
    ///
    /// # Errors
    /// [`ChainError::Undecodable`] with the block and what differs.
    pub fn verify_blocks(&self) -> Result<(), ChainError> {
        let head = self.head();
        let mut expected = head.hash;
        let first = match self.storage().first_block() {
            1 => 0,
            first => first,
        };
        for number in (first..=head.number).rev() {
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
        let StoredBlock { header, hash, .. } =
            StoredBlock::open(bytes.into()).map_err(|error| differs(error.to_string()))?;
        if (hash, header.number) != (expected, number) {
            return Err(differs(format!(
                "it has hash {hash:?} and number {}, expected {expected:?}",
                header.number
            )));
        }
        Ok(header.parent_hash)
    }
}

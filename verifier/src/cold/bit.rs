//! That a group of a segment is active, or no longer.

use super::{
    Digest, Refused,
    reader::Reader,
    tree::{MAX_LEAVES, Path, Tree},
};
use alloc::vec::Vec;

/// Activity bits in a leaf of their tree.
pub const CHUNK_BITS: u64 = 512;

/// Bytes of such a leaf.
pub const CHUNK_BYTES: usize = 64;

/// Proof of the activity bits of 512 groups. Of the group at position *i*, it is bit *i* mod 8,
/// counted from the lowest, of byte *i* div 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitProof {
    /// The bits.
    pub chunk: [u8; CHUNK_BYTES],
    /// Their way to the root; its leaves are chunks.
    pub path: Path,
}

impl BitProof {
    /// Reads a proof, and nothing behind it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        Reader::whole(bytes, Self::read)
    }

    /// Reads the bits (64) and their path.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refused> {
        Ok(Self { chunk: reader.array()?, path: Path::read(reader, 1)? })
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.chunk.to_vec();
        self.path.write(&mut bytes);
        bytes
    }

    /// Whether the group at `position` is active under this root of activity bits.
    pub fn verify(&self, root: &Digest, position: u64) -> Result<bool, Refused> {
        if position >= MAX_LEAVES || position / CHUNK_BITS != self.path.first {
            return Err(Refused::Malformed("it shows the bits of other groups"));
        }
        let leaf = Tree::Bits.leaf(self.path.first, &self.chunk);
        if self.path.root(Tree::Bits, [leaf].into()).as_ref() != Some(root) {
            return Err(Refused::OtherRoot);
        }
        let byte = usize::try_from(position % CHUNK_BITS / 8).unwrap_or(usize::MAX);
        Ok(self.chunk.get(byte).is_some_and(|byte| byte >> (position % 8) & 1 == 1))
    }
}

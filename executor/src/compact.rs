//! A compact block: extrinsics that the reader may hold stand in it by
//! their hashes, the others in full.
//!
//! The hashes are whole, so a transaction found under one is the transaction
//! meant. Nothing here says that the block is valid, or that it is the block
//! someone announced: whoever puts it together compares the result with what
//! was announced, and executes it.

use crate::{BlockError, ExecutedBlock, OpaqueTx, chain::parse};
use billchain_primitives::{Hash, Header};
use billchain_runtime::limits::MAX_BLOCK_BYTES;
use bytes::Bytes;
use codec::{Compact, Encode};
use std::collections::{HashMap, HashSet};

/// First byte of a hash, and of an extrinsic in full.
const BY_HASH: u8 = 0;
const IN_FULL: u8 = 1;

/// Why a compact block is none, or cannot be expanded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompactError {
    /// The bytes are not a compact block.
    #[error(transparent)]
    Malformed(#[from] BlockError),
    /// A valid block holds no transaction twice.
    #[error("compact block: transaction {0:?} stands in it twice")]
    Duplicate(Hash),
    /// A transaction that nobody had.
    #[error("compact block: transaction {0:?} is missing")]
    Missing(Hash),
    /// The block would be longer than it may be.
    #[error("compact block: the block has more than {limit} bytes")]
    TooLarge {
        /// Most bytes.
        limit: usize,
    },
}

/// An extrinsic of the block.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    ByHash(Hash),
    /// With its length in front.
    InFull(OpaqueTx),
}

/// A compact block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactBlock {
    header: Header,
    items: Vec<Item>,
}

impl CompactBlock {
    /// The block, with those of its extrinsics by hash that `is_held` says the
    /// readers hold.
    pub fn new(
        block: &ExecutedBlock,
        mut is_held: impl FnMut(&Hash) -> bool,
    ) -> Result<Self, BlockError> {
        let parsed = parse::block(block.bytes())?;
        let item = |(bytes, hash): (OpaqueTx, &Hash)| match is_held(hash) {
            true => Item::ByHash(*hash),
            false => Item::InFull(bytes),
        };
        let items = parsed.extrinsics.into_iter().zip(block.tx_hashes()).map(item).collect();
        Ok(Self { header: parsed.header, items })
    }

    /// Reads what [`encode`](Self::encode) wrote. The bytes are a peer's: their
    /// number and that of the extrinsics are bounded before anything is kept.
    pub fn decode(bytes: &Bytes) -> Result<Self, CompactError> {
        let mut rest: &[u8] = bytes;
        let (header, count) = parse::head(bytes, &mut rest)?;
        let mut items = Vec::with_capacity((count as usize).min(rest.len()));
        let mut seen = HashSet::new();
        for index in 0..count {
            let item = decode_item(bytes, &mut rest, index)?;
            if let Item::ByHash(hash) = &item
                && !seen.insert(*hash)
            {
                return Err(CompactError::Duplicate(*hash));
            }
            items.push(item);
        }
        parse::end(rest)?;
        Ok(Self { header, items })
    }

    /// As it goes to peers: the header, the number of extrinsics, and for each a
    /// byte that says in which form it follows.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.header.encode();
        Compact(self.items.len() as u32).encode_to(&mut bytes);
        for item in &self.items {
            match item {
                Item::ByHash(hash) => {
                    bytes.push(BY_HASH);
                    bytes.extend_from_slice(hash.as_bytes());
                }
                Item::InFull(extrinsic) => {
                    bytes.push(IN_FULL);
                    bytes.extend_from_slice(extrinsic);
                }
            }
        }
        bytes
    }

    /// Hashes of the extrinsics that are needed to put the block together.
    pub fn references(&self) -> impl Iterator<Item = &Hash> {
        self.items.iter().filter_map(|item| match item {
            Item::ByHash(hash) => Some(hash),
            Item::InFull(_) => None,
        })
    }

    /// Number of extrinsics that stand in it in full, inherents included.
    pub fn in_full(&self) -> usize {
        self.items.iter().filter(|item| matches!(item, Item::InFull(_))).count()
    }

    /// The encoded block, in at most `max_bytes`, with the extrinsics of
    /// `held` in their places. These must be what their hashes say.
    pub fn assemble(
        &self,
        held: &HashMap<Hash, OpaqueTx>,
        max_bytes: usize,
    ) -> Result<Bytes, CompactError> {
        let limit = max_bytes.min(MAX_BLOCK_BYTES as usize);
        let mut bytes = self.header.encode();
        Compact(self.items.len() as u32).encode_to(&mut bytes);
        for item in &self.items {
            let extrinsic = match item {
                Item::ByHash(hash) => held.get(hash).ok_or(CompactError::Missing(*hash))?,
                Item::InFull(extrinsic) => extrinsic,
            };
            if bytes.len().saturating_add(extrinsic.len()) > limit {
                return Err(CompactError::TooLarge { limit });
            }
            bytes.extend_from_slice(extrinsic);
        }
        Ok(bytes.into())
    }
}

fn decode_item(bytes: &Bytes, rest: &mut &[u8], index: u32) -> Result<Item, BlockError> {
    let malformed = |what: String| BlockError::Malformed(format!("extrinsic {index}: {what}"));
    let (form, after) =
        rest.split_first().ok_or_else(|| malformed("nothing is left of the bytes".into()))?;
    *rest = after;
    match *form {
        BY_HASH => {
            let (hash, after) = rest
                .split_first_chunk::<32>()
                .ok_or_else(|| malformed(format!("{} bytes left, a hash has 32", rest.len())))?;
            *rest = after;
            Ok(Item::ByHash(hash.into()))
        }
        IN_FULL => parse::extrinsic(bytes, rest, index).map(Item::InFull),
        other => Err(malformed(format!("unknown form {other}"))),
    }
}

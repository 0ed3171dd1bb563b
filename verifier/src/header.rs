//! A block's header, as SCALE has it: the hash of the parent, the number in compact
//! form, the state root, the root of the transactions, and digest items.

use crate::{Digest, Refusal, reader::Reader, sm3};

/// Most digest items of a header.
const MAX_ITEMS: u32 = 16;

/// Most bytes of a digest item.
const MAX_ITEM_BYTES: usize = 8_192;

/// Names the digest item that tells who decides the next block.
const SET_ITEM: &[u8; 4] = b"BCVS";

/// A header that was read.
pub(crate) struct Header<'a> {
    /// SM3 of its bytes: the block's hash.
    pub(crate) hash: Digest,
    /// Hash of the block before.
    pub(crate) parent: Digest,
    /// Number of the block.
    pub(crate) number: u32,
    /// Root of the state after the block.
    pub(crate) state_root: Digest,
    /// Root of the block's transactions.
    pub(crate) extrinsics_root: Digest,
    /// What it says of the validators of the next block, if it does.
    pub(crate) set_change: Option<&'a [u8]>,
}

impl<'a> Header<'a> {
    /// Reads a header.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, "header");
        let parent = reader.digest()?;
        let number = reader.compact()?;
        let state_root = reader.digest()?;
        let extrinsics_root = reader.digest()?;
        let items = reader.compact()?;
        if items > MAX_ITEMS {
            return Err(reader.refusal("it has too many digest items"));
        }
        let mut set_change = None;
        for _ in 0..items {
            let item = item(&mut reader)?;
            if let Some((SET_ITEM, bytes)) = item
                && set_change.replace(bytes).is_some()
            {
                return Err(reader.refusal("it names validators twice"));
            }
        }
        reader.end()?;
        let hash = sm3(&[bytes]);
        Ok(Self { hash, parent, number, state_root, extrinsics_root, set_change })
    }
}

/// A digest item; of an item of consensus, its name and bytes.
fn item<'a>(reader: &mut Reader<'a>) -> Result<Option<(&'a [u8; 4], &'a [u8])>, Refusal> {
    match reader.byte()? {
        // Other.
        0 => reader.scale_bytes(MAX_ITEM_BYTES).map(|_| None),
        // Consensus.
        4 => {
            let name = reader.take(4)?;
            let bytes = reader.scale_bytes(MAX_ITEM_BYTES)?;
            Ok(name.first_chunk().map(|name| (name, bytes)))
        }
        // Seal and pre-runtime.
        5 | 6 => {
            reader.take(4)?;
            reader.scale_bytes(MAX_ITEM_BYTES).map(|_| None)
        }
        _ => Err(reader.refusal("it has a digest item of an unknown kind")),
    }
}

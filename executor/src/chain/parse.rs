//! Taking a block's bytes apart.

use crate::{BlockError, OpaqueTx};
use billchain_primitives::Header;
use billchain_runtime::limits::{BASE_EXTRINSIC_WEIGHT, MAX_BLOCK_BYTES, MAX_BLOCK_WEIGHT};
use bytes::Bytes;
use codec::{Compact, Decode, Encode};

/// Most extrinsics that the weight of a block admits, inherents included.
const MAX_EXTRINSICS: u64 = MAX_BLOCK_WEIGHT.ref_time() / BASE_EXTRINSIC_WEIGHT.ref_time() + 1;

/// A block's parts.
pub(crate) struct Parsed {
    pub(crate) header: Header,
    /// Each with its length in front.
    pub(crate) extrinsics: Vec<OpaqueTx>,
}

/// Takes a block apart without copying its extrinsics.
pub(crate) fn block(bytes: &Bytes) -> Result<Parsed, BlockError> {
    let mut rest: &[u8] = bytes;
    let (header, count) = head(bytes, &mut rest)?;
    let extrinsics =
        (0..count).map(|index| extrinsic(bytes, &mut rest, index)).collect::<Result<_, _>>()?;
    end(rest)?;
    Ok(Parsed { header, extrinsics })
}

/// The header and the number of extrinsics, off the front of `rest`, which is
/// all of `bytes`. The length and this number are bounded here, before any
/// extrinsic is looked at, so that a block of empty ones cannot cost much memory.
pub(crate) fn head(bytes: &Bytes, rest: &mut &[u8]) -> Result<(Header, u32), BlockError> {
    let limit = MAX_BLOCK_BYTES as usize;
    if bytes.len() > limit {
        return Err(BlockError::TooLarge { found: bytes.len(), limit });
    }
    let header = Header::decode(rest).map_err(|error| malformed("header", error))?;
    if header.encode() != bytes[..bytes.len() - rest.len()] {
        return Err(BlockError::NotCanonical);
    }
    let Compact(count) =
        Compact::<u32>::decode(rest).map_err(|error| malformed("number of extrinsics", error))?;
    if u64::from(count) > MAX_EXTRINSICS {
        return Err(BlockError::Malformed(format!(
            "{count} extrinsics, expected at most {MAX_EXTRINSICS}"
        )));
    }
    Ok((header, count))
}

/// The extrinsic at the front of `rest`, which is the end of `bytes`, with its
/// length in front. `index` is for messages.
pub(crate) fn extrinsic(
    bytes: &Bytes,
    rest: &mut &[u8],
    index: u32,
) -> Result<OpaqueTx, BlockError> {
    let start = bytes.len() - rest.len();
    let Compact(length) = Compact::<u32>::decode(rest)
        .map_err(|error| malformed(&format!("length of extrinsic {index}"), error))?;
    let length = length as usize;
    if length > rest.len() {
        return Err(BlockError::Malformed(format!(
            "extrinsic {index}: {length} bytes announced, {} left",
            rest.len()
        )));
    }
    *rest = &rest[length..];
    Ok(bytes.slice(start..bytes.len() - rest.len()))
}

/// That nothing follows.
pub(crate) fn end(rest: &[u8]) -> Result<(), BlockError> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(BlockError::Malformed(format!("{} bytes after the end", rest.len())))
}

fn malformed(part: &str, error: codec::Error) -> BlockError {
    BlockError::Malformed(format!("{part}: {error}"))
}

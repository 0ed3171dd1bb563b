//! Bytes of everything that crosses the network or reaches the write-ahead log.
//!
//! SCALE throughout, one version byte in front of network messages. Decoding
//! accepts foreign bytes: it never panics, refuses trailing bytes, and bounds
//! every list before reading it, so that it allocates no more than a small
//! multiple of what was received. The size of what is received is bounded by
//! the engine's own limits (see [`crate::config`]).

mod bounded;
mod wire;

#[cfg(test)]
mod tests;

pub use bounded::Bounded;
pub(crate) use wire::MAX_SYNC_VALUES;

use bytes::Bytes;
use codec::{Decode, Encode};
use malachitebft_app_channel::app::consensus::{LivenessMsg, ProposedValue, SignedConsensusMsg};
use malachitebft_app_channel::app::types::codec::{Codec, HasEncodedLen};
use malachitebft_app_channel::app::types::core::{PolkaCertificate, ValidatorProof};
use malachitebft_sync::{Request, Response, Status};
use thiserror::Error;

use crate::types::{BillContext, BlockValue, ProposalPart, StreamMessage};

/// First byte of every network message. A peer that speaks another version is
/// refused at identification already; this makes a mix-up visible.
const VERSION: u8 = 1;

/// Why bytes are not the message they should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// Not the SCALE encoding of this type.
    #[error("malformed {what}: {reason}")]
    Malformed {
        /// The message expected.
        what: &'static str,
        /// What SCALE said.
        reason: String,
    },
    /// More bytes than the message has.
    #[error("{count} trailing bytes after {what}")]
    Trailing {
        /// The message expected.
        what: &'static str,
        /// Bytes left over.
        count: usize,
    },
    /// Another version of this protocol.
    #[error("message version {found}, this node speaks {expected}")]
    Version {
        /// Version received.
        found: u8,
        /// Version spoken.
        expected: u8,
    },
    /// No bytes at all.
    #[error("empty message, expected {what}")]
    Empty {
        /// The message expected.
        what: &'static str,
    },
    /// Decodes to something that cannot be, or is to be encoded and cannot be.
    #[error("invalid {what}: {reason}")]
    Invalid {
        /// The message expected.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// BillChain's codec, for the network and the write-ahead log.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScaleCodec;

/// A type of the engine with its encoded form.
pub(crate) trait Wired: Sized {
    /// Name in error messages.
    const WHAT: &'static str;
    /// The encoded form.
    type Wire: Encode + Decode;

    /// To the encoded form, if the value has one.
    fn to_wire(&self) -> Result<Self::Wire, String>;
    /// From the encoded form, checked.
    fn from_wire(wire: Self::Wire) -> Result<Self, String>;
}

/// Version byte and encoding.
pub(crate) fn encode<T: Wired>(value: &T) -> Result<Bytes, CodecError> {
    let wire = wire_of(value)?;
    let mut out = Vec::with_capacity(1 + wire.size_hint());
    out.push(VERSION);
    wire.encode_to(&mut out);
    Ok(out.into())
}

/// Length of what [`encode`] returns.
pub(crate) fn encoded_len<T: Wired>(value: &T) -> Result<usize, CodecError> {
    Ok(1 + wire_of(value)?.encoded_size())
}

fn wire_of<T: Wired>(value: &T) -> Result<T::Wire, CodecError> {
    value.to_wire().map_err(|reason| CodecError::Invalid { what: T::WHAT, reason })
}

/// The whole of `bytes` as a `T`. Long byte strings are not copied.
pub(crate) fn decode<T: Wired>(mut bytes: Bytes) -> Result<T, CodecError> {
    let what = T::WHAT;
    let Some(&version) = bytes.first() else {
        return Err(CodecError::Empty { what });
    };
    if version != VERSION {
        return Err(CodecError::Version { found: version, expected: VERSION });
    }
    let _ = bytes.split_to(1);
    let tail: Tail<T::Wire> = codec::decode_from_bytes(bytes)
        .map_err(|error| CodecError::Malformed { what, reason: error.to_string() })?;
    if tail.left != 0 {
        return Err(CodecError::Trailing { what, count: tail.left });
    }
    T::from_wire(tail.value).map_err(|reason| CodecError::Invalid { what, reason })
}

/// A value and how many bytes of the input follow it: `decode_from_bytes` hands
/// out no cursor to ask.
struct Tail<T> {
    value: T,
    left: usize,
}

impl<T: Decode> Decode for Tail<T> {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        let value = T::decode(input)?;
        let left = input.remaining_len()?.unwrap_or(0);
        Ok(Self { value, left })
    }
}

macro_rules! wired_codec {
    ($($type:ty),* $(,)?) => {$(
        impl Codec<$type> for ScaleCodec {
            type Error = CodecError;

            fn decode(&self, bytes: Bytes) -> Result<$type, CodecError> {
                decode(bytes)
            }

            fn encode(&self, value: &$type) -> Result<Bytes, CodecError> {
                encode(value)
            }
        }
    )*};
}

wired_codec!(
    BlockValue,
    ProposalPart,
    StreamMessage,
    SignedConsensusMsg<BillContext>,
    LivenessMsg<BillContext>,
    ProposedValue<BillContext>,
    PolkaCertificate<BillContext>,
    ValidatorProof<BillContext>,
    Status<BillContext>,
    Request<BillContext>,
    Response<BillContext>,
);

impl HasEncodedLen<Response<BillContext>> for ScaleCodec {
    fn encoded_len(&self, response: &Response<BillContext>) -> Result<usize, CodecError> {
        encoded_len(response)
    }
}

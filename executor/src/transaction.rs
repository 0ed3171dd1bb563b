//! Transactions as bytes: what is checked before the runtime sees them.
//!
//! The same checks hold at the pool's door, for a proposer and for a validator
//! of a proposal, so they are rules of the chain: a transaction's bytes are the
//! canonical encoding of what they mean, at most [`MAX_TRANSACTION_BYTES`] long
//! and [`MAX_TRANSACTION_DEPTH`](billchain_runtime::limits::MAX_TRANSACTION_DEPTH)
//! deep, and decode to no more memory than the format admits. The depth bounds
//! the stack, which native code cannot overrun and live.

use billchain_primitives::{AccountId, Address};
use billchain_runtime::{UncheckedExtrinsic, limits::MAX_TRANSACTION_BYTES, rejection};
use codec::{Compact, Decode, Encode};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

use crate::Panicked;
pub use billchain_primitives::transaction_hash;

/// Why a transaction is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// More bytes than a transaction may have.
    #[error("transaction: {found} bytes, expected at most {limit}")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Most bytes.
        limit: usize,
    },
    /// The bytes do not decode.
    #[error("transaction: the bytes do not decode: {0}")]
    Malformed(String),
    /// The bytes decode, but to something that is encoded otherwise.
    #[error("transaction: the bytes are not the canonical encoding of what they mean")]
    NotCanonical,
    /// The chain refuses it; see [`rejection`] for the codes.
    #[error("transaction: {}", rejection::explain(.0))]
    Refused(TransactionValidityError),
    /// The runtime failed on it.
    #[error("transaction: {0}")]
    Panicked(#[from] Panicked),
}

impl TransactionError {
    /// Whether the transaction may become valid without the sender's doing:
    /// its nonce is ahead, the block at hand is full, it asks for a lock that
    /// would have had to come earlier in the block at hand, or the sender has
    /// used its allowance up for now.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Refused(TransactionValidityError::Invalid(
                InvalidTransaction::Future
                    | InvalidTransaction::ExhaustsResources
                    | InvalidTransaction::Custom(
                        rejection::LOCKS_OUT_OF_ORDER | rejection::SENDER_HELD_BACK
                    )
            ))
        )
    }

    /// Whether the sender is held back for now, with all it has sent.
    pub fn is_held_back(&self) -> bool {
        matches!(
            self,
            Self::Refused(TransactionValidityError::Invalid(InvalidTransaction::Custom(
                rejection::SENDER_HELD_BACK
            )))
        )
    }

    /// Whether there was no room in the block.
    pub(crate) fn is_full_block(&self) -> bool {
        matches!(
            self,
            Self::Refused(TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources))
        )
    }
}

/// A transaction as it was read.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The transaction.
    pub extrinsic: UncheckedExtrinsic,
    /// Bytes that it takes in memory. A cache counts these, not the encoding's:
    /// a call of three bytes takes hundreds.
    pub decoded_size: usize,
}

/// Bytes of decoded transactions that checking or building a block holds at
/// once, beside those that the pool's check keeps. A block of a few megabytes
/// can decode to hundreds.
pub(crate) const MAX_DECODED_AT_ONCE: usize = 32 << 20;

/// The transaction that `bytes` encode.
pub fn decode(bytes: &[u8]) -> Result<UncheckedExtrinsic, TransactionError> {
    decode_measured(bytes).map(|measured| measured.extrinsic)
}

/// What a signed transaction begins with, after its length.
const SIGNED: u8 = 0x84;

/// The account that signed `bytes` by their own account. Only their first few are
/// read, so it costs next to nothing; and anybody may have written them.
pub fn claimed_signer(bytes: &[u8]) -> Option<AccountId> {
    let rest = &mut &bytes[..];
    Compact::<u32>::decode(rest).ok()?;
    if u8::decode(rest).ok()? != SIGNED {
        return None;
    }
    match Address::decode(rest).ok()? {
        Address::Id(account) => Some(account),
        _ => None,
    }
}

/// As [`decode`], with what the transaction takes in memory.
pub fn decode_measured(bytes: &[u8]) -> Result<Measured, TransactionError> {
    let limit = MAX_TRANSACTION_BYTES as usize;
    if bytes.len() > limit {
        return Err(TransactionError::TooLong { found: bytes.len(), limit });
    }
    let (extrinsic, decoded_size) = UncheckedExtrinsic::decode_measured(bytes)
        .map_err(|error| TransactionError::Malformed(error.to_string()))?;
    if extrinsic.encode() != bytes {
        return Err(TransactionError::NotCanonical);
    }
    Ok(Measured { extrinsic, decoded_size })
}

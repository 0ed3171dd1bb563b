//! The parts in which a proposed block travels.
//!
//! `Init` comes first and names the block, its size and the SM3 of its bytes,
//! all under the proposer's signature. So a receiver knows before it stores
//! any data that the sender may propose, how much will come, and how to tell that
//! it came unchanged; a signature at the end would tell too late.
//!
//! What follows is the block whole or its compact block, from which the application
//! expands the block. The signature covers the block in either case, so that
//! who expanded it knows, and a validator may send it again in the other form.

use std::fmt;
use std::ops::Deref;

use billchain_crypto::sm2::Signature;
use bytes::Bytes;
use codec::{Decode, Encode};
use malachitebft_app_channel::app::{streaming, types::core};

use super::{Address, BillContext, BlockHash, Height, Round};

/// Most bytes of a block in one part.
pub const MAX_CHUNK_BYTES: usize = 128 * 1024;

/// A part with its stream id and sequence number, as it goes over the network.
pub type StreamMessage = streaming::StreamMessage<ProposalPart>;

/// Number of data parts in which `size` bytes travel.
pub fn chunk_count(size: u32) -> u64 {
    u64::from(size).div_ceil(MAX_CHUNK_BYTES as u64)
}

/// What the proposer signs about the block it is about to send.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Announcement {
    /// Height proposed at.
    pub height: Height,
    /// Round in which the block was proposed first.
    pub round: Round,
    /// The proposer of that round.
    pub proposer: Address,
    /// Hash of the block.
    pub block_hash: BlockHash,
    /// Length of the encoded block.
    pub size: u32,
    /// SM3 of the encoded block.
    pub content: [u8; 32],
}

/// The signed announcement that opens a stream of parts. Derefs to what is
/// announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAnnouncement {
    /// What is announced.
    pub announcement: Announcement,
    /// The proposer's SM2 signature over it.
    pub signature: Signature,
}

impl Deref for SignedAnnouncement {
    type Target = Announcement;

    fn deref(&self) -> &Announcement {
        &self.announcement
    }
}

/// What the data parts of a stream hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The encoded block.
    Whole,
    /// The compact block, of this many bytes.
    Compact(u32),
}

impl Form {
    /// Bytes of all data parts together.
    pub fn size(self, init: &Announcement) -> u32 {
        match self {
            Self::Whole => init.size,
            Self::Compact(size) => size,
        }
    }
}

/// One part of a proposed block.
#[derive(Clone, PartialEq, Eq)]
pub enum ProposalPart {
    /// Opens the stream.
    Init(Box<SignedAnnouncement>, Form),
    /// The next bytes of the block in that form, at most [`MAX_CHUNK_BYTES`].
    Data(Bytes),
}

impl core::ProposalPart<BillContext> for ProposalPart {
    fn is_first(&self) -> bool {
        matches!(self, Self::Init(..))
    }

    fn is_last(&self) -> bool {
        // The announcement says how many parts come, so nothing closes a stream
        // and a data part alone cannot tell whether it is the last.
        false
    }
}

impl fmt::Debug for ProposalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Init(init, form) => {
                f.debug_tuple("Init").field(&init.announcement).field(form).finish()
            }
            Self::Data(data) => write!(f, "Data({} bytes)", data.len()),
        }
    }
}

//! Parts of blocks.

use bytes::Bytes;
use codec::{Decode, Encode};
use malachitebft_app_channel::app::streaming::{StreamContent, StreamId};

use super::{SigBytes, signature};
use crate::codec::{Bounded, Wired};
use crate::types::{
    Announcement, Form, MAX_CHUNK_BYTES, ProposalPart, SignedAnnouncement, StreamMessage,
};

/// Longest stream id: height, round and a counter.
const MAX_STREAM_ID: usize = 32;

/// One part of a block.
#[derive(Encode, Decode)]
pub(crate) enum WirePart {
    #[codec(index = 1)]
    Init(Announcement, SigBytes),
    #[codec(index = 2)]
    Data(Bytes),
    /// Announces the compact block, of so many bytes.
    #[codec(index = 3)]
    InitCompact(Announcement, SigBytes, u32),
}

impl Wired for ProposalPart {
    const WHAT: &'static str = "proposal part";
    type Wire = WirePart;

    fn to_wire(&self) -> Result<WirePart, String> {
        Ok(match self {
            Self::Init(part, form) => {
                let (init, signature) = (part.announcement.clone(), part.signature.to_bytes());
                match form {
                    Form::Whole => WirePart::Init(init, signature),
                    Form::Compact(size) => WirePart::InitCompact(init, signature, *size),
                }
            }
            Self::Data(data) => WirePart::Data(data.clone()),
        })
    }

    fn from_wire(wire: WirePart) -> Result<Self, String> {
        let announce = |init, bytes, form| {
            Ok(Self::Init(
                Box::new(SignedAnnouncement { announcement: init, signature: signature(bytes)? }),
                form,
            ))
        };
        match wire {
            WirePart::Init(init, bytes) => announce(init, &bytes, Form::Whole),
            WirePart::InitCompact(init, bytes, size) => announce(init, &bytes, Form::Compact(size)),
            WirePart::Data(data) if data.is_empty() || data.len() > MAX_CHUNK_BYTES => {
                Err(format!("{} data bytes, expected 1 to {MAX_CHUNK_BYTES}", data.len()))
            }
            WirePart::Data(data) => Ok(Self::Data(data)),
        }
    }
}

/// A part in its stream; `None` ends the stream for the transport.
#[derive(Encode, Decode)]
pub(crate) struct WireStream {
    id: Bounded<u8, MAX_STREAM_ID>,
    sequence: u64,
    part: Option<WirePart>,
}

impl Wired for StreamMessage {
    const WHAT: &'static str = "stream message";
    type Wire = WireStream;

    fn to_wire(&self) -> Result<WireStream, String> {
        Ok(WireStream {
            id: Bounded(self.stream_id.to_bytes().to_vec()),
            sequence: self.sequence,
            part: match &self.content {
                StreamContent::Data(part) => Some(part.to_wire()?),
                StreamContent::Fin => None,
            },
        })
    }

    fn from_wire(wire: WireStream) -> Result<Self, String> {
        Ok(Self {
            stream_id: StreamId::new(wire.id.0.into()),
            sequence: wire.sequence,
            content: match wire.part {
                Some(part) => StreamContent::Data(ProposalPart::from_wire(part)?),
                None => StreamContent::Fin,
            },
        })
    }
}

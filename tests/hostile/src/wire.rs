//! What validators say to each other, as it goes over the wire.
//!
//! Written down here a second time and not taken from the product: a liar needs
//! forms that the product has no constructors for. A test holds the two together.

use billchain_primitives::Hash;
use bytes::Bytes;
use codec::{Decode, Encode};

/// First byte of every message.
const VERSION: u8 = 1;
/// Most bytes of a block in one part.
pub const CHUNK: usize = 128 * 1024;

/// An SM2 signature.
pub type Signature = [u8; 64];
/// SM3 of a validator's key.
pub type Address = [u8; 32];

/// First or second vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Kind {
    /// A first vote.
    #[codec(index = 1)]
    Prevote,
    /// A second vote.
    #[codec(index = 2)]
    Precommit,
}

/// A signed vote.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Vote {
    /// First or second.
    pub kind: Kind,
    /// Where.
    pub height: u64,
    /// Where.
    pub round: u32,
    /// The block, or nil.
    pub value: Option<Hash>,
    /// In whose name.
    pub voter: Address,
    /// The voter's, if it is true.
    pub signature: Signature,
}

/// A signed proposal.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Proposal {
    /// Where.
    pub height: u64,
    /// Where.
    pub round: u32,
    /// The block.
    pub value: Hash,
    /// The round of its polka.
    pub pol_round: Option<u32>,
    /// In whose name.
    pub proposer: Address,
    /// The proposer's, if it is true.
    pub signature: Signature,
}

/// On the channel of votes and proposals.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Statement {
    /// A vote.
    #[codec(index = 1)]
    Vote(Vote),
    /// A proposal.
    #[codec(index = 2)]
    Proposal(Proposal),
}

/// Says that two thirds have pre-voted for a block.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Polka {
    /// Where.
    pub height: u64,
    /// Where.
    pub round: u32,
    /// The block.
    pub value: Hash,
    /// Of each voter, over its vote.
    pub signatures: Vec<(Address, Signature)>,
}

/// On the channel of what is repeated.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Liveness {
    /// A certificate.
    #[codec(index = 2)]
    Polka(Polka),
}

/// What a proposer signs about the block it sends.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Announcement {
    /// Where.
    pub height: u64,
    /// Where.
    pub round: u32,
    /// In whose name.
    pub proposer: Address,
    /// The block.
    pub block_hash: Hash,
    /// Its bytes.
    pub size: u32,
    /// SM3 of them.
    pub content: [u8; 32],
}

/// One part of a block.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Part {
    /// Announces the block.
    #[codec(index = 1)]
    Init(Announcement, Signature),
    /// The next bytes.
    #[codec(index = 2)]
    Data(Bytes),
    /// Announces the compact block, of so many bytes.
    #[codec(index = 3)]
    InitCompact(Announcement, Signature, u32),
}

/// On the channel of parts.
#[derive(Clone, Debug, Encode, Decode)]
pub struct StreamPart {
    /// Which stream.
    pub id: Vec<u8>,
    /// Place in the stream.
    pub sequence: u64,
    /// None ends it.
    pub part: Option<Part>,
}

/// On the channel of those that catch up: what a peer has.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Status {
    /// Who.
    pub peer: Vec<u8>,
    /// Its highest block.
    pub tip: u64,
    /// Its lowest block.
    pub earliest: u64,
}

/// Asks for decided blocks, both ends included.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Request {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// The message's bytes.
pub fn encode(message: &impl Encode) -> Bytes {
    let mut bytes = vec![VERSION];
    message.encode_to(&mut bytes);
    bytes.into()
}

/// The message in the bytes.
pub fn decode<T: Decode>(bytes: &[u8]) -> Option<T> {
    let mut rest = bytes.strip_prefix(&[VERSION])?;
    T::decode(&mut rest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_consensus::fuzzing;
    use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};

    fn signature() -> Signature {
        SecretKey::from_seed(b"any").sign(DEFAULT_ID, b"any").to_bytes()
    }

    #[test]
    fn nodes_understand_what_is_said() {
        let vote = Vote {
            kind: Kind::Precommit,
            height: 7,
            round: 2,
            value: Some(Hash::repeat_byte(1)),
            voter: [2; 32],
            signature: signature(),
        };
        assert!(fuzzing::consensus_message(&encode(&Statement::Vote(vote))));
        let proposal = Proposal {
            height: 7,
            round: 2,
            value: Hash::repeat_byte(1),
            pol_round: Some(1),
            proposer: [2; 32],
            signature: signature(),
        };
        assert!(fuzzing::consensus_message(&encode(&Statement::Proposal(proposal))));
        let polka = Polka {
            height: 7,
            round: 2,
            value: Hash::repeat_byte(1),
            signatures: vec![([2; 32], signature()), ([3; 32], signature())],
        };
        assert!(fuzzing::liveness_message(&encode(&Liveness::Polka(polka))));
        let announced = Announcement {
            height: 7,
            round: 2,
            proposer: [2; 32],
            block_hash: Hash::repeat_byte(1),
            size: 500,
            content: [3; 32],
        };
        for part in [
            Part::Init(announced.clone(), signature()),
            Part::InitCompact(announced, signature(), 40),
            Part::Data(vec![1; 40].into()),
        ] {
            let part = StreamPart { id: vec![1; 8], sequence: 0, part: Some(part) };
            assert!(fuzzing::stream_message(&encode(&part)), "{part:?}");
        }
        assert!(fuzzing::sync_request(&encode(&Request { first: 1, last: 9 })));
    }
}

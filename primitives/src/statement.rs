//! What validators sign in consensus, and the bytes they sign.
//!
//! Every message is signed with the default signer id over a byte string that
//! names the protocol, the chain (its genesis hash) and the kind of message
//! before the message itself, so that a signature made for one purpose or one
//! chain verifies for no other. The layout is
//!
//! ```text
//! "billchain/consensus/1" ‖ genesis hash (32) ‖ purpose (1) ‖ SCALE(message)
//! ```
//!
//! It lies here, and not in the consensus component, because the chain itself
//! judges two signed statements that exclude each other, see
//! [`Equivocation`](crate::Equivocation).

use crate::Hash;
use billchain_crypto::sm2;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// First bytes of everything signed in consensus.
const PROTOCOL: &[u8] = b"billchain/consensus/1";

/// What a signature is about; the byte is part of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A first vote for a block or for nil.
    Prevote = 1,
    /// A second vote for a block or for nil.
    Precommit = 2,
    /// A proposer's proposal.
    Proposal = 3,
    /// A proposer's announcement of the parts of a block.
    Announcement = 4,
    /// An extension of a vote.
    Extension = 5,
}

/// The chain a consensus signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsensusDomain {
    genesis: Hash,
}

impl ConsensusDomain {
    /// The chain that begins with this genesis block.
    pub const fn new(genesis: Hash) -> Self {
        Self { genesis }
    }

    /// Hash of the chain's genesis block.
    pub const fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The bytes that are signed about `message`.
    pub fn message_bytes(&self, purpose: Purpose, message: &impl Encode) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PROTOCOL.len() + 33 + message.size_hint());
        bytes.extend_from_slice(PROTOCOL);
        bytes.extend_from_slice(self.genesis.as_bytes());
        bytes.push(purpose as u8);
        message.encode_to(&mut bytes);
        bytes
    }

    /// The bytes that a validator signs when it makes a statement.
    pub fn statement_bytes(&self, context: &StatementContext, statement: &Statement) -> Vec<u8> {
        let StatementContext { height, round, signer } = context;
        match statement {
            Statement::Prevote { block } => {
                self.message_bytes(Purpose::Prevote, &(height, round, block, signer))
            }
            Statement::Precommit { block } => {
                self.message_bytes(Purpose::Precommit, &(height, round, block, signer))
            }
            Statement::Proposal { block, valid_round } => {
                self.message_bytes(Purpose::Proposal, &(height, round, block, valid_round, signer))
            }
        }
    }
}

/// Where and by whom a statement is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementContext {
    /// Height it is about.
    pub height: u64,
    /// Round it is about. A round that is not defined has none; no valid
    /// statement is about such a round.
    pub round: Option<u32>,
    /// Address of the validator: the SM3 of its compressed key.
    pub signer: [u8; 32],
}

/// What a validator says about a round. It says each kind once a round.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Statement {
    /// A first vote.
    Prevote {
        /// The block voted for, or nil.
        block: Option<Hash>,
    },
    /// A second vote.
    Precommit {
        /// The block voted for, or nil.
        block: Option<Hash>,
    },
    /// A proposal.
    Proposal {
        /// The block proposed.
        block: Hash,
        /// The earlier round in which the block had two thirds of the pre-votes.
        valid_round: Option<u32>,
    },
}

/// Kinds of statements, in the order in which a round makes them.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum StatementKind {
    /// A proposal.
    Proposal,
    /// A first vote.
    Prevote,
    /// A second vote.
    Precommit,
}

impl Statement {
    /// Its kind.
    pub const fn kind(&self) -> StatementKind {
        match self {
            Self::Prevote { .. } => StatementKind::Prevote,
            Self::Precommit { .. } => StatementKind::Precommit,
            Self::Proposal { .. } => StatementKind::Proposal,
        }
    }

    /// The block it is about; none is nil.
    pub const fn block(&self) -> Option<Hash> {
        match self {
            Self::Prevote { block } | Self::Precommit { block } => *block,
            Self::Proposal { block, .. } => Some(*block),
        }
    }
}

/// A statement and the SM2 signature under it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct SignedStatement {
    /// What was said.
    pub statement: Statement,
    /// r ‖ s.
    pub signature: [u8; 64],
}

impl SignedStatement {
    /// Whether the validator with this compressed key signed it in this context
    /// on this chain.
    pub fn is_signed_by(
        &self,
        domain: &ConsensusDomain,
        context: &StatementContext,
        key: &[u8; 33],
    ) -> bool {
        let bytes = domain.statement_bytes(context, &self.statement);
        sm2::verify(key, sm2::DEFAULT_ID, &bytes, &self.signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout is what validators' signatures in every certificate are over:
    /// a change makes all of them void.
    #[test]
    fn the_signed_bytes_are_laid_out_as_documented() {
        let domain = ConsensusDomain::new(Hash::repeat_byte(0xaa));
        let context = StatementContext { height: 7, round: Some(2), signer: [0xbb; 32] };
        let block = Hash::repeat_byte(0xcc);
        let head = |purpose: u8| {
            let mut bytes = b"billchain/consensus/1".to_vec();
            bytes.extend([0xaa; 32]);
            bytes.push(purpose);
            bytes.extend([7, 0, 0, 0, 0, 0, 0, 0]);
            bytes.extend([1, 2, 0, 0, 0]);
            bytes
        };
        let expect = |purpose, middle: &[u8]| [&head(purpose), middle, &[0xbb; 32]].concat();
        let for_block = [&[1][..], &[0xcc; 32]].concat();
        let rows = [
            (Statement::Prevote { block: Some(block) }, expect(1, &for_block)),
            (Statement::Prevote { block: None }, expect(1, &[0])),
            (Statement::Precommit { block: Some(block) }, expect(2, &for_block)),
            (
                Statement::Proposal { block, valid_round: None },
                expect(3, &[&[0xcc; 32][..], &[0]].concat()),
            ),
            (
                Statement::Proposal { block, valid_round: Some(1) },
                expect(3, &[&[0xcc; 32][..], &[1, 1, 0, 0, 0]].concat()),
            ),
        ];
        for (statement, expected) in rows {
            assert_eq!(domain.statement_bytes(&context, &statement), expected, "{statement:?}");
        }
    }
}

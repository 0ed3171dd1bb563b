//! The values Malachite is generic over, as BillChain has them: heights,
//! rounds, addresses, votes, proposals and the parts in which a block travels.
//!
//! A consensus value is the 32-byte block hash alone. The block itself travels
//! beside the votes, in parts, and is kept by the proposal store; so proposals
//! and the write-ahead log stay small whatever the block weighs.

mod context;
mod ids;
mod part;
mod proposal;
mod scheme;
mod validator;
mod vote;

pub use context::BillContext;
pub use ids::{Address, BlockHash, Height, NilRound, Round};
pub use part::{
    Announcement, Form, MAX_CHUNK_BYTES, ProposalPart, SignedAnnouncement, StreamMessage,
    chunk_count,
};
pub use proposal::{BlockValue, Proposal};
pub use scheme::Sm2Scheme;
pub use validator::{MAX_VALIDATORS, Validator, ValidatorSet, ValidatorSetError};
pub use vote::Vote;

#[cfg(test)]
mod tests;

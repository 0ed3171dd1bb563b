//! The local chain: builds, checks and commits blocks, and reads the state, by
//! running the native runtime over the node's storage.
//!
//! # What it promises
//!
//! * The same block on the same state gives the same result on every node.
//!   Proposing and checking run the same code ([`Chain::build`],
//!   [`Chain::execute`]); a proposer's own block is not executed again when it
//!   is committed.
//! * A block is accepted only if executing it gives every field of its header:
//!   parent, number, state root *after* the block, extrinsics root, digest.
//! * Foreign bytes never panic and never change anything: they give an error
//!   that says what was wrong.
//! * Reads run concurrently, each over a fixed state; what they write is
//!   dropped.
//!
//! # What it assumes
//!
//! One [`Chain`] per storage. That a block may be committed at all is the
//! consensus's decision: it is not asked for here.

#![forbid(unsafe_code)]

mod ahead;
mod block;
mod chain;
mod compact;
mod cooling;
mod decoded;
mod error;
mod events;
pub mod externalities;
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod overlay;
mod rules;
mod run;
mod state;
pub mod transaction;

pub use block::{
    Brought, BuildParams, Built, ClockCheck, CommittedBlock, ExecutedBlock, Inherents, Refused,
    Stopped,
};
pub use chain::{Chain, DryRunError, Rehearsed, StoredBlock, Validated};
pub use compact::{CompactBlock, CompactError};
pub use error::{BlockError, CallError, ChainError};
pub use events::{BlockEvent, events_key};
pub use guard::Panicked;
pub use rules::OtherRules;
pub use state::genesis_block;
pub use transaction::{TransactionError, transaction_hash};

/// The bytes of a transaction as it was submitted and as it stands in a block:
/// SCALE, with the length in front.
pub type OpaqueTx = bytes::Bytes;

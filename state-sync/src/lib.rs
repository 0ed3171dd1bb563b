//! State sync: the state of a recent block, the blocks before it and their index, from
//! peers of which any may lie.
//!
//! A node that joins by replay executes every block since the genesis. With state sync
//! it takes the state of a recent block instead, in time proportional to the state:
//!
//! 1. Peers name the block whose state they serve ([`wire::Question::Targets`]). Headers
//!    that name other validators for the next block lead from the validators of the chain
//!    specification to those that decided it ([`sets`]): its certificate must be theirs.
//! 2. The block's state root proves the operations of the state commitment, batch by
//!    batch, and the commitment proves each entry of the state ([`join`]).
//! 3. The node follows the chain from there. Older blocks come in the background, each
//!    by the hash that its child names ([`older`]), and so does the index of what they
//!    left ([`index`]).
//! 4. A file of a cold segment comes from whoever has it, piece by piece, and is verified
//!    whole ([`fetch_segment`]).
//!
//! What it promises: nothing that a single peer says is believed without proof, or,
//! where no header commits to it (the index), without the word of validators with more
//! than a third of the power. A peer that is caught is asked no more. A joining that is
//! cut short leaves nothing that could be taken for a node's data.
//!
//! What it assumes: less than a third of the power is hostile, and the keys of earlier
//! validators are not used against the chain by more than two thirds of their power.
//!
//! Peers are asked through [`Peers`]; how bytes travel is for the caller.

#![forbid(unsafe_code)]

mod copies;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod join;
mod metrics;
mod older;
mod peers;
mod segments;
mod server;
mod sets;
pub mod wire;

pub use copies::Copies;
pub use index::{IndexFiller, Voters};
pub use join::{JoinError, Joined, Known, Offer, Progress, find};
pub use metrics::SyncMetrics;
pub use older::OlderBlocks;
pub use peers::Peers;
pub use segments::{Doubts, FetchError, MAX_FILE_BYTES, Scratch, fetch_segment};
pub use server::Server;
pub use sets::{SetError, ValidatorSets};

//! A light client (轻客户端): follows the chain by headers and commit certificates alone, from
//! a genesis hash or a checkpoint that its user trusts, and asks nodes for certificates of
//! bills, of which it believes what is proved.
//!
//! It promises that what it takes for a block of the chain is decided by the validators of its
//! height; that no change of the validators is hidden from it; and that of two decided blocks
//! of one height it keeps both as evidence, and answers nothing any more. A server that gives
//! what an honest one does not give is named, and others are asked.
//!
//! It assumes SM2 and SM3, and that of no set of validators more than a third of the voting
//! power signs what is not so. It cannot tell a chain that stands still from servers that all
//! keep new blocks from it: it tells how old the newest block is by the chain's own time, which
//! the state proves. `docs/light-client.md` has all that.

#![forbid(unsafe_code)]

mod error;
mod file;
mod format;
mod knowledge;
mod light;
mod server;
#[cfg(test)]
mod testing;
mod update;
mod walk;

pub use error::{Failure, FileError, Fork, Lie, NoCertificate};
pub use file::{FORMAT, MAX_BYTES};
pub use knowledge::{Accepted, Knowledge, MAX_KNOWN};
pub use light::{Answer, Begin, BlockStatus, ForkStatus, Light, ServerStatus, Settings, Status};
pub use update::Update;
pub use walk::{Descent, MAX_CHANGES, MAX_PARENTS, Step, Walk};

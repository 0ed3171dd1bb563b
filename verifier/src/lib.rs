//! Checks certificates of bills, without trusting any node.
//!
//! A certificate says what the chain held of a bill after a block: that it is there, with
//! its status, or that there is none; or how many bills, and for how much, have a number of a
//! range, or were issued by someone in a month; or what a bill was before it changed. It carries
//! everything that proves it, from the genesis on. [`verify`] takes its bytes and the hash of the genesis that the checker
//! trusts, and gives what is proved, or the reason why nothing is. [`verify_from`] takes the hash of
//! a later block that named validators, a checkpoint, instead.
//!
//! ```
//! use billchain_verifier::{Refusal, verify};
//!
//! let trusted = [7; 32];
//! assert!(matches!(verify(b"no certificate", &trusted), Err(Refusal::Malformed { .. })));
//! ```
//!
//! What has to hold: SM2 and SM3, and that of the validators of each set no more than one
//! third of the voting power signs what is not so. `docs/certificates.md` has the format
//! byte by byte.
//!
//! Bills that are untouched for long lie in the *cold* part of the state; [`cold`] has what proves
//! it.
//!
//! The crate needs `alloc` alone. It never panics, and its work is bounded by the length
//! of what it reads: at most [`MAX_BYTES`].

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bill;
mod certificate;
pub mod cold;
mod cover;
mod decision;
mod follow;
pub mod fuzzing;
mod header;
mod inclusion;
pub mod make;
mod place;
mod reader;
mod refusal;
mod state;
mod tally;
mod version;

pub use bill::{Bill, Kind, Lock, Purpose, Reimbursement, Status};
pub use certificate::{Block, MAX_BYTES, Proved, Statement, Transaction, verify, verify_from};
pub use follow::{DecidedHeader, Deciders, head_of, key_proof, value_of};
pub use refusal::Refusal;
pub use tally::{Line, Tally};
pub use version::{Cause, Change};

use sm3::{Digest as _, Sm3};

/// An SM3 digest (GB/T 32905).
pub type Digest = [u8; 32];

/// SM3 of the parts, one behind the other.
fn sm3(parts: &[&[u8]]) -> Digest {
    let mut hash = Sm3::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

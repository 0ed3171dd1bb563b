//! What goes wrong, and whose fault it is.

use billchain_client::ClientError;
use billchain_verifier::Refusal;
use std::{io, path::PathBuf, time::Duration};

/// What a server gave that an honest one does not give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// An answer is not in its form.
    #[error("its {what} cannot be read: {reason}")]
    Form {
        /// What was asked for.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The validators did not decide the block.
    #[error("its block {number} is not decided by the chain's validators: {refusal}")]
    NotDecided {
        /// The block.
        number: u32,
        /// What is wrong.
        refusal: Refusal,
    },
    /// It gave another block than was asked for.
    #[error("asked for block {asked}, it gave block {given}")]
    OtherBlock {
        /// Number or hash.
        asked: String,
        /// Number or hash.
        given: String,
    },
    /// A block that it says changed the validators did not.
    #[error("it says that block {number} changed the validators, and its header names none")]
    NoChange {
        /// The block.
        number: u32,
    },
    /// Its changes of the validators are not those of the chain that is known.
    #[error(
        "its block {number} names block {previous} as the change of the validators before it, \
         and leaves out the change in block {known}"
    )]
    Changes {
        /// The block.
        number: u32,
        /// The change that it names.
        previous: u32,
        /// The last change that is known.
        known: u32,
    },
    /// The state says that the validators changed last in another block than was shown.
    #[error(
        "the state after its block {number} says that block {proved} changed the validators \
         last, and the headers say block {shown}"
    )]
    Hidden {
        /// The block.
        number: u32,
        /// What the state says.
        proved: u32,
        /// What the headers say.
        shown: u32,
    },
    /// Its proof of the state proves nothing.
    #[error("its proof of the state proves nothing: {0}")]
    Proof(Refusal),
    /// Its certificate proves nothing.
    #[error("its certificate proves nothing: {0}")]
    Certificate(Refusal),
    /// Its certificate is about something else.
    #[error("its certificate is about {given}, asked for bill {asked}")]
    OtherBill {
        /// Code and number.
        asked: String,
        /// Code and number, or that it is about no bill.
        given: String,
    },
}

/// Two blocks of one height, both decided by the validators: evidence (证据) against more than
/// a third of their voting power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The height.
    pub number: u32,
    /// The decided header that was known first.
    pub first: Vec<u8>,
    /// The other one.
    pub second: Vec<u8>,
}

/// Why a server's answer was of no use.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It lied.
    #[error("it lies: {0}")]
    Lie(#[from] Lie),
    /// It could not be asked, or refused to answer.
    #[error(transparent)]
    Unable(#[from] ClientError),
    /// It does not have what was asked for.
    #[error("it does not have {0}")]
    Lacks(String),
    /// It took too long.
    #[error("it was not done after {0:?}")]
    Slow(Duration),
    /// Its block is so old that it is not known who had to decide it.
    #[error("its block {number} is old: the validators that are known begin behind block {oldest}")]
    Old {
        /// Its block.
        number: u32,
        /// The block that named the oldest validators that are known.
        oldest: u32,
    },
    /// Its certificate is of an older block than is allowed.
    #[error(
        "its certificate is of block {block}, and block {head} is known: more than {most} blocks \
         behind"
    )]
    Stale {
        /// The certificate's block.
        block: u32,
        /// The newest known block.
        head: u32,
        /// How many blocks it may be behind.
        most: u32,
    },
    /// The way to its head has more steps than are taken.
    #[error("{what}: more than {most}; begin at a newer checkpoint")]
    TooFar {
        /// What there are too many of.
        what: &'static str,
        /// How many are taken.
        most: usize,
    },
    /// It showed a fork.
    #[error(
        "FORK: two blocks of height {} are decided by the validators; both headers are kept as \
         evidence",
        .0.number
    )]
    Forked(Box<Fork>),
    /// What is known could not be kept.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It could not be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is damaged.
    #[error(
        "{} is damaged: {reason}; remove it to begin again from the genesis or a checkpoint",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It is of another chain, or began elsewhere.
    #[error("{} is of {found}, expected {expected}: name another file", .path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// Of what it is.
        found: String,
        /// Of what it should be.
        expected: String,
    },
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    /// A fork is known: nothing is believed any more.
    #[error(
        "a fork is known: two blocks of height {} are decided; light_status has both headers",
        .0.number
    )]
    Forked(Box<Fork>),
    /// No server gave one that holds.
    #[error("no server gave a certificate that holds: {}", .refused.join("; "))]
    None {
        /// Each server, and what was wrong.
        refused: Vec<String>,
    },
    /// What is known could not be kept.
    #[error(transparent)]
    File(#[from] FileError),
}

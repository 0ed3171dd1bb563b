//! Why nothing is proved.

use crate::{Digest, cold::Refused};
use core::fmt;

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its bytes are not in the form that they must have.
    Malformed {
        /// What cannot be read.
        what: &'static str,
        /// Why.
        why: &'static str,
    },
    /// It has a format that this program does not know.
    Format {
        /// The format's number.
        found: u8,
    },
    /// It is of another chain.
    OtherChain {
        /// Hash of its genesis.
        found: Digest,
        /// The genesis that the checker trusts.
        expected: Digest,
    },
    /// It does not contain the block that the checker trusts.
    Checkpoint {
        /// Hash of that block.
        expected: Digest,
    },
    /// It starts at a change of the validators after the block that the checker trusts.
    StartsLater {
        /// The block at which it starts.
        number: u32,
        /// Its hash.
        hash: Digest,
    },
    /// A header that names validators is left out, or repeated.
    Gap {
        /// The block of the header.
        number: u32,
        /// The block that it names as the last before it.
        previous: u32,
        /// The last before it in the certificate.
        expected: u32,
    },
    /// A signature of a decision is not good, or of nobody.
    Signature {
        /// The block.
        number: u32,
        /// The validator's place in the set.
        place: u8,
    },
    /// Too few validators decided a block.
    NotDecided {
        /// The block.
        number: u32,
        /// Voting power that signed.
        signed: u128,
        /// Voting power of all.
        all: u128,
    },
    /// The state of the block does not hold what is said of it.
    State,
    /// The block does not have the transaction.
    Transaction,
    /// The parts of the certificate are about different bills, versions or blocks.
    Contradiction {
        /// What does not fit.
        what: &'static str,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { what, why } => write!(f, "the {what} cannot be read: {why}"),
            Self::Format { found } => write!(f, "it has format {found}, expected 2"),
            Self::OtherChain { found, expected } => {
                let (found, expected) = (Hex(found), Hex(expected));
                write!(f, "it is of the chain with genesis {found}, expected {expected}")
            }
            Self::Checkpoint { expected } => write!(
                f,
                "the checkpoint {} is neither its genesis nor a change of the validators before \
                 its block",
                Hex(expected)
            ),
            Self::StartsLater { number, hash } => write!(
                f,
                "it starts at block {number} and shows nothing of the chain before: it is checked \
                 with the checkpoint {}, or that of a later change of the validators in it",
                Hex(hash)
            ),
            Self::Gap { number, previous, expected } => write!(
                f,
                "block {number} names block {previous} as the last that changed the validators, \
                 expected {expected}"
            ),
            Self::Signature { number, place } => {
                write!(f, "validator {place} did not sign block {number} as it is said to")
            }
            Self::NotDecided { number, signed, all } => write!(
                f,
                "block {number} is signed with {signed} of {all} of the voting power, expected \
                 more than two thirds"
            ),
            Self::State => f.write_str("the block's state root does not prove what is said"),
            Self::Transaction => {
                f.write_str("the block's root of transactions does not prove the transaction")
            }
            Self::Contradiction { what } => write!(f, "its parts contradict each other: {what}"),
        }
    }
}

impl core::error::Error for Refusal {}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed(why) => Self::Malformed { what: "proof of the cold part", why },
            Refused::OtherRoot => Self::State,
            Refused::NotBetween => {
                let what = "the group is not between the cold neighbours that are shown";
                Self::Contradiction { what }
            }
        }
    }
}

/// Shows bytes as `0x` and hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

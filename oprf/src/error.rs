//! What can be wrong with keys, elements, evaluations and openings.

use crate::{MAX_BATCH, MAX_SHARES};

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that are no element.
    #[error("no element of P-256: expected 33 bytes, a compressed point other than infinity")]
    Element,
    /// Bytes that are no scalar.
    #[error("no scalar of P-256: expected 32 bytes big-endian, from 1 to the group's order - 1")]
    Scalar,
    /// Bytes that are no reference.
    #[error("no payer reference: expected 32 bytes, the x coordinate of a point of P-256")]
    Reference,
    /// A batch of an impossible size.
    #[error("a batch of {found} elements: expected 1 to {MAX_BATCH}")]
    BatchSize {
        /// Elements that were given.
        found: usize,
    },
    /// An answer to another number of elements than were asked.
    #[error("an answer of {found} elements: {expected} were asked")]
    AnswerSize {
        /// Elements that were asked.
        expected: usize,
        /// Elements of the answer.
        found: usize,
    },
    /// The proof does not hold.
    #[error("the proof of operator {index} does not hold: its key did not make this answer")]
    Proof {
        /// The operator's number, from 1.
        index: u8,
    },
    /// Too few operators answered.
    #[error("{found} operators answered: {expected} different ones are needed")]
    TooFewShares {
        /// How many are needed.
        expected: u8,
        /// Different ones that answered.
        found: usize,
    },
    /// An operator that these keys do not know.
    #[error("there is no operator {index}: this key has {operators}")]
    Operator {
        /// The number that was given.
        index: u8,
        /// How many there are.
        operators: usize,
    },
    /// A share of another key.
    #[error("the share of operator {index} does not belong to this public key")]
    ForeignShare {
        /// The operator's number, from 1.
        index: u8,
    },
    /// An impossible division.
    #[error("{threshold} of {operators} operators: expected 1 <= t <= n <= {MAX_SHARES}")]
    Threshold {
        /// How many would have to answer.
        threshold: u8,
        /// How many there would be.
        operators: usize,
    },
    /// Public keys that no secret has.
    #[error("the operators' public keys are not shares of the common one")]
    InconsistentKeys,
    /// Keys that are meant for something else.
    #[error("these keys are for {found}: expected keys for {expected}")]
    Purpose {
        /// What was wanted.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// Bytes of an encoding that do not have its form.
    #[error("no {what}: {problem} at byte {at}")]
    Encoding {
        /// What was expected.
        what: &'static str,
        /// What is wrong with it.
        problem: &'static str,
        /// Where.
        at: usize,
    },
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// A sum that by chance is infinity. It happens to nobody but an attacker.
    #[error("a sum of elements is the point at infinity")]
    Infinity,
}

//! Zero-knowledge answers (零知识应答): that bills which fit a question exist, that at least so
//! many do, or that none does, and nothing else.
//!
//! A holder proves a [`Statement`] about the accumulator of its bills (`billchain-zk-accumulator`),
//! which is opened whole: an answer is about *all* bills of the holder up to the block. The proof
//! is a STARK of Plonky3 with hiding commitments. It needs no trusted set-up, and its only
//! assumptions are two hashes. `docs/zk.md` specifies statement, table, constraints and bytes;
//! `docs/decisions/0075-zero-knowledge.md` computes its soundness.
//!
//! # Who does what
//! - The asker writes a [`Question`] with a challenge of its own.
//! - The holder answers: [`prove`], with randomness that only a generator for cryptography gives.
//! - The verifier builds the [`Statement`] itself: the question it knows, the [`Anchor`] (block and
//!   accumulator) from a certificate of the chain, the holder's commitment it was given before. It
//!   takes the answer alone from the holder, and calls [`verify`].
//!
//! # A prover without randomness does not compile
//! ```
//! use billchain_zk::{prove, rand_core::CryptoRng, Error, Proof, Statement, Witness};
//! fn honest<R: CryptoRng>(s: &Statement, w: &Witness, rng: &mut R) -> Result<Proof, Error> {
//!     prove(s, w, rng)
//! }
//! ```
//! The same with a generator that makes no promise (`Rng` where it was `CryptoRng`):
//! ```compile_fail,E0277
//! use billchain_zk::{prove, rand_core::Rng, Error, Proof, Statement, Witness};
//! fn guessable<R: Rng>(s: &Statement, w: &Witness, rng: &mut R) -> Result<Proof, Error> {
//!     prove(s, w, rng)
//! }
//! ```
//! And none at all:
//! ```compile_fail,E0061
//! use billchain_zk::{prove, Error, Proof, Statement, Witness};
//! fn without(s: &Statement, w: &Witness) -> Result<Proof, Error> {
//!     prove(s, w)
//! }
//! ```

#![forbid(unsafe_code)]

mod air;
mod columns;
mod parameters;
mod proof;
mod statement;
mod table;

#[cfg(test)]
mod tests;

pub use billchain_zk_accumulator as accumulator;
pub use parameters::{SECURITY_BITS, Soundness, soundness};
pub use proof::{Error, MAX_PROOF_BYTES, PROOF_VERSION, Proof, prove, verify};
pub use rand_core;
pub use statement::{
    Anchor, Answer, Kinds, MAX_SCENES, Question, STATEMENT_BYTES, STATEMENT_VERSION, Statement,
    StatementError,
};
pub use table::{MAX_ENTRIES, Witness};

/// A generator for [`prove`], seeded by the operating system.
///
/// # Errors
/// The operating system has no randomness.
#[cfg(not(target_arch = "wasm32"))]
pub fn system_generator() -> Result<rand_chacha::ChaCha20Rng, getrandom::Error> {
    use rand_core::SeedableRng;
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed)?;
    Ok(rand_chacha::ChaCha20Rng::from_seed(*seed))
}

//! Payer references: one person, one reference, whoever issues the bill.
//!
//! A reference is `x(k · H(identity))` on the curve P-256: the verifiable oblivious
//! pseudorandom function of RFC 9497 (VOPRF mode, suite P256-SHA256). Whoever asks learns
//! the reference of an identity it knows and a proof that the published key made it; the
//! service that evaluates learns nothing of the identity; nobody without the service can
//! test identity numbers against references.
//!
//! | module | job |
//! | --- | --- |
//! | [`identity`] | identity numbers, checked and in one form |
//! | [`group`] | elements and scalars of P-256, the hashes to them |
//! | [`proof`] | the batched proof of equal logarithms (DLEQ) of RFC 9497 |
//! | [`keys`] | keys split among operators, their rotation |
//! | [`evaluation`] | what an operator answers, and how answers are combined |
//! | [`blinding`] | the asker's side: blind, check, unblind |
//! | [`reference`] | references, and the opening that shows whose one is |
//!
//! The reference is the unblinded element's x coordinate and not the hash with which RFC
//! 9497 ends, so that a new key's references can be made of the old one's without the
//! identities ([`keys::rotate`]). What that costs stands in the decision record 0074.
//!
//! No function here panics on input: whatever came from elsewhere ends in an [`Error`].
#![forbid(unsafe_code)]

pub mod blinding;
mod error;
pub mod evaluation;
pub mod group;
pub mod identity;
pub mod keys;
pub mod proof;
pub mod reference;

pub use blinding::Blinding;
pub use error::Error;
pub use evaluation::Evaluation;
pub use group::{Element, Secret};
pub use identity::{IdType, Identity, IdentityError};
pub use keys::{KeyShare, PublicKeys, Purpose};
pub use proof::Proof;
pub use reference::{Opening, Reference};

/// Most elements that one question and one proof speak of.
pub const MAX_BATCH: usize = 1000;
/// Most operators that share a key.
pub const MAX_SHARES: usize = 16;

#[cfg(test)]
mod tests;

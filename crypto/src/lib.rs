//! Commercial cryptography (国密) of the chain: SM2 signatures, the SM3 hash,
//! SM4-GCM encryption and SM2 key files.
//!
//! | module | standard | used for |
//! | --- | --- | --- |
//! | [`sm2`] | GB/T 32918.2, .5; GM/T 0009 | transactions, votes, certificates |
//! | [`sm3`] | GB/T 32905; HMAC: RFC 2104 | block, state and account hashes |
//! | [`sm4`] | GB/T 32907; GCM: RFC 8998 | encryption of keys at rest |
//! | [`container`] | our own, over SM4-GCM | encryption of snapshots |
//! | [`keyfile`] | RFC 5958, RFC 8018 | operators' and clients' key files |
//!
//! Signing and everything else that touches a secret is done by the RustCrypto
//! crates, which are written to run in constant time. Verification sees public
//! values only and is the chain's hottest loop, so it is our own, variable-time
//! and fast; the tests judge it against RustCrypto and OpenSSL.
//!
//! Unsafe code is in two modules, each of which says why it is sound: SM3 in
//! vector registers, and the verification compiled for BMI2.
//!
//! No function here panics on input: whatever came from a peer, a client or a
//! file ends in an [`Error`] or a [`keyfile::KeyFileError`].
#![deny(unsafe_code)]

pub mod container;
mod error;
pub mod fuzzing;
pub mod keyfile;
pub mod sm2;
pub mod sm3;
pub mod sm4;

pub use error::Error;

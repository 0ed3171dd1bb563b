//! What the contracts' test runtimes have in common: values, and contracts that
//! are not there or say one thing.
//!
//! A mock says who its participants are ([`Cast`]) and what of the other
//! contracts matters to it; the rest comes from here. For tests only: no crate
//! of the product depends on this one.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "a test value that is none shall fail")]

mod absent;
mod cast;
mod clock;
mod values;

pub use absent::Absent;
pub use cast::{Cast, Seeded};
pub use clock::BlockSeconds;
pub use values::{
    account, balance, blue_bill, date, did, fen, key, plain_scene, reason, red, seed_of,
};

use billchain_primitives::AccountId;
use frame::traits::SortedMembers;

/// The account of one seed as a set of signers, for origins that ask for one.
pub struct Signer<const SEED: u8>;

impl<const SEED: u8> SortedMembers<AccountId> for Signer<SEED> {
    fn sorted_members() -> Vec<AccountId> {
        vec![account(SEED)]
    }
}

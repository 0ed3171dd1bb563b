//! The work whose instructions `./scripts/guard` counts.
//!
//! Seconds vary with the machine and with what else it does; instructions
//! repeat. So this program is run under Callgrind, which writes down those of all
//! threads before each call of a function named `counted_…`: [`counted_begin`]
//! stands before the work, another after it, which names it. The script divides
//! by [`REPEATS`], which is printed, and compares with the bound kept for it.
//!
//! Run by itself, the program is a test that the work can be done.

mod chain;

use anyhow::{Result, ensure};
use billchain_crypto::{
    Error,
    sm2::{DEFAULT_ID, KeyCache, PROMOTE_AFTER, SecretKey},
    sm3::sm3_many,
};
use std::hint::black_box;

/// How often each work is done: the unit of the bounds is one of them.
const REPEATS: u32 = 16;

/// Bytes of a signed registration, about.
const MESSAGE_LEN: usize = 300;

/// A signature, and who made it.
struct Signed {
    public: [u8; 33],
    message: Vec<u8>,
    signature: [u8; 64],
}

fn main() -> Result<()> {
    println!("repeats {REPEATS}");
    let signed: Vec<_> = (0..REPEATS).map(sign).collect();
    // The table of the base point is made once a process.
    ensure!(verify(&KeyCache::new(0), &signed[0]).is_ok(), "a fresh signature is refused");
    let unknown = KeyCache::new(0);
    counted_begin();
    let valid = signed.iter().all(|signed| verify(&unknown, black_box(signed)).is_ok());
    counted_verify_unknown();
    ensure!(valid, "a fresh signature is refused");

    let known = KeyCache::new(1);
    for _ in 0..PROMOTE_AFTER {
        verify(&known, &signed[0])?;
    }
    ensure!(known.stats().tables == 1, "a key that signs often has no table");
    counted_begin();
    let valid = (0..REPEATS).all(|_| verify(&known, black_box(&signed[0])).is_ok());
    counted_verify_known();
    ensure!(valid, "a fresh signature is refused");

    let messages = vec![vec![7; MESSAGE_LEN]; REPEATS as usize];
    counted_begin();
    let hashes = sm3_many(black_box(&messages));
    counted_sm3_many();
    ensure!(hashes.len() == messages.len(), "a hash is missing");

    let chain = chain::Development::new()?;
    let offered = chain.registrations(REPEATS);
    let built = chain.build(offered)?;
    // Signatures were verified when the transactions came in.
    counted_begin();
    let block = chain.execute(built)?;
    counted_execute_registration();
    counted_begin();
    chain.commit(block)?;
    counted_commit_registration();
    Ok(())
}

fn sign(number: u32) -> Signed {
    let key = SecretKey::from_seed(&number.to_be_bytes());
    let message = vec![number.to_be_bytes()[3]; MESSAGE_LEN];
    let signature = key.sign(DEFAULT_ID, &message).to_bytes();
    Signed { public: key.public().to_compressed(), message, signature }
}

fn verify(cache: &KeyCache, signed: &Signed) -> Result<(), Error> {
    cache.verify(&signed.public, DEFAULT_ID, &signed.message, &signed.signature)
}

/// Functions that do nothing but be called, each with a body of its own: equal
/// ones would be made one.
macro_rules! marks {
    ($($name:ident)*) => { $(
        #[inline(never)]
        fn $name() {
            black_box(stringify!($name));
        }
    )* };
}

marks!(
    counted_begin
    counted_verify_unknown
    counted_verify_known
    counted_sm3_many
    counted_execute_registration
    counted_commit_registration
);

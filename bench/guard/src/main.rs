//! The work whose instructions `./scripts/guard` counts.
//!
//! Seconds vary with the machine and with what else it does; instructions
//! repeat. So this program is run under Callgrind, which counts those of all
//! threads from the beginning to the end of each function named `measured_…`;
//! the script divides by [`REPEATS`], which is printed, and compares with the
//! bound that is kept beside it.
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
    ensure!(measured_verify_unknown(&unknown, &signed), "a fresh signature is refused");

    let known = KeyCache::new(1);
    for _ in 0..PROMOTE_AFTER {
        verify(&known, &signed[0])?;
    }
    ensure!(known.stats().tables == 1, "a key that signs often has no table");
    ensure!(measured_verify_known(&known, &signed[0]), "a fresh signature is refused");

    let messages = vec![vec![7; MESSAGE_LEN]; REPEATS as usize];
    ensure!(measured_sm3_many(&messages).len() == messages.len(), "a hash is missing");

    let chain = chain::Development::new()?;
    let offered = chain.registrations(REPEATS);
    let built = chain.build(offered)?;
    let block = measured_execute_registration(&chain, built)?;
    measured_commit_registration(&chain, block)
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

/// Verifications, each by a key never seen before.
#[inline(never)]
fn measured_verify_unknown(cache: &KeyCache, signed: &[Signed]) -> bool {
    signed.iter().all(|signed| verify(cache, black_box(signed)).is_ok())
}

/// Verifications by a key that has a table.
#[inline(never)]
fn measured_verify_known(cache: &KeyCache, signed: &Signed) -> bool {
    (0..REPEATS).all(|_| verify(cache, black_box(signed)).is_ok())
}

/// Hashes of messages at once.
#[inline(never)]
fn measured_sm3_many(messages: &[Vec<u8>]) -> Vec<[u8; 32]> {
    sm3_many(black_box(messages))
}

/// The execution of a block of registrations, whose signatures were verified
/// when they came in.
#[inline(never)]
fn measured_execute_registration(
    chain: &chain::Development,
    block: chain::Built,
) -> Result<chain::Executed> {
    chain.execute(block)
}

/// The durable commit of that block.
#[inline(never)]
fn measured_commit_registration(chain: &chain::Development, block: chain::Executed) -> Result<()> {
    chain.commit(block)
}

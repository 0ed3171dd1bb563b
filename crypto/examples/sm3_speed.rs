//! Measures SM3: RustCrypto's, and this crate's of one input and of many.
//!
//! Run with `cargo run --release -p billchain-crypto --example sm3_speed`; an
//! argument is the seconds spent in all, 2 by default. The rows take short
//! turns, and each is judged by its fastest: what other programs on the machine
//! take away only ever makes a turn slower. One thread.

use billchain_crypto::sm3::{sm3, sm3_many, sm3_pair};
use sm3::Digest;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Messages of a turn.
const TURN: usize = 64;

fn theirs(messages: &[Vec<u8>]) -> Vec<[u8; 32]> {
    messages.iter().map(|message| sm3::Sm3::digest(message).into()).collect()
}

fn one_by_one(messages: &[Vec<u8>]) -> Vec<[u8; 32]> {
    messages.iter().map(|message| sm3(message)).collect()
}

fn pairs(messages: &[Vec<u8>]) -> Vec<[u8; 32]> {
    let pair = |pair: &[Vec<u8>]| sm3_pair(&[&pair[0]], &[&pair[1]]);
    messages.chunks_exact(2).map(pair).flat_map(|(left, right)| [left, right]).collect()
}

fn many(messages: &[Vec<u8>]) -> Vec<[u8; 32]> {
    sm3_many(messages)
}

fn main() {
    let seconds: f64 = std::env::args()
        .nth(1)
        .map_or(2.0, |text| text.parse().expect("the argument is a number of seconds"));
    type Row = (&'static str, fn(&[Vec<u8>]) -> Vec<[u8; 32]>);
    let rows: [Row; 4] = [
        ("RustCrypto sm3 0.5", theirs),
        ("ours, one by one", one_by_one),
        ("ours, two at once", pairs),
        ("ours, 64 at once", many),
    ];
    let lengths = [64, 72, 300, 16_384];
    println!("nanoseconds a message, and the factor to RustCrypto; one thread");
    for length in lengths {
        let messages: Vec<Vec<u8>> =
            (0..TURN).map(|at| (0..length).map(|byte| (byte * 31 + at) as u8).collect()).collect();
        let expected = theirs(&messages);
        let mut fastest = [Duration::MAX; 4];
        let start = Instant::now();
        while start.elapsed().as_secs_f64() < seconds / lengths.len() as f64 {
            for ((_, hash), fastest) in rows.iter().zip(&mut fastest) {
                let start = Instant::now();
                let hashes = hash(black_box(&messages));
                *fastest = start.elapsed().min(*fastest);
                assert_eq!(hashes, expected, "a wrong hash");
            }
        }
        println!("{length} bytes");
        let nanos = fastest.map(|time| time.as_secs_f64() * 1e9 / TURN as f64);
        for ((name, _), each) in rows.iter().zip(nanos) {
            println!("  {name:<24} {each:>10.0} {:>8.2}", nanos[0] / each);
        }
    }
}

//! Measures SM2 verification: RustCrypto's, and this crate's with a key seen
//! for the first time, a key whose point is kept, and a key with a table.
//!
//! Run with `cargo run --release -p billchain-crypto --example sm2_speed`; an
//! argument is the seconds spent on each row, 1 by default. The rows take short
//! turns, and each is judged by its fastest: what other programs on the machine
//! take away only ever makes a turn slower. One thread.

use billchain_crypto::{
    Error,
    sm2::{DEFAULT_ID, KeyCache, PROMOTE_AFTER, SecretKey},
};
use sm2::dsa::{VerifyingKey, signature::Verifier};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Bytes of a signed bill registration, about.
const MESSAGE_LEN: usize = 300;
/// Keys and messages in rotation.
const KEYS: usize = 16;
/// Verifications before the next row takes its turn.
const TURN: usize = 16;

/// What one verification takes.
struct Case {
    key: SecretKey,
    public: [u8; 33],
    message: Vec<u8>,
    signature: [u8; 64],
    their_key: VerifyingKey,
    their_signature: sm2::dsa::Signature,
}

fn cases() -> Vec<Case> {
    let case = |number: usize| {
        let key = SecretKey::from_seed(&number.to_be_bytes());
        let message = vec![number as u8; MESSAGE_LEN];
        let signature = key.sign(DEFAULT_ID, &message).to_bytes();
        let id = std::str::from_utf8(DEFAULT_ID).expect("ASCII");
        Case {
            public: key.public().to_compressed(),
            their_key: VerifyingKey::from_sec1_bytes(id, &key.public().to_compressed())
                .expect("a valid key"),
            their_signature: sm2::dsa::Signature::from_slice(&signature).expect("in range"),
            message,
            signature,
            key,
        }
    };
    (0..KEYS).map(case).collect()
}

fn ours(cache: &KeyCache, case: &Case) -> bool {
    cache.verify(&case.public, DEFAULT_ID, &case.message, &case.signature).is_ok()
}

fn main() {
    let seconds = std::env::args().nth(1).map_or(1.0, |text| {
        text.parse().expect("the argument is a number of seconds for each row")
    });
    let cases = cases();
    let unknown = KeyCache::new(0);
    let points = KeyCache::new(0);
    let tables = KeyCache::new(KEYS);
    for case in &cases {
        assert!((0..PROMOTE_AFTER).all(|_| ours(&tables, case)) && ours(&points, case));
    }
    assert_eq!(tables.stats().tables, KEYS);

    type Row<'a> = (&'a str, Box<dyn Fn(&Case) -> bool + 'a>);
    let rows: [Row<'_>; 6] = [
        (
            "RustCrypto sm2 0.14, key given as bytes",
            Box::new(|case| {
                let id = std::str::from_utf8(DEFAULT_ID).expect("ASCII");
                let key = VerifyingKey::from_sec1_bytes(id, &case.public).expect("a valid key");
                key.verify(&case.message, &case.their_signature).is_ok()
            }),
        ),
        (
            "RustCrypto sm2 0.14, key parsed beforehand",
            Box::new(|case| case.their_key.verify(&case.message, &case.their_signature).is_ok()),
        ),
        (
            "ours, unknown key given as bytes",
            Box::new(|case| {
                // Only valid signatures are noted, so a key whose signature is
                // not one of this message stays unknown; the work is the same.
                unknown.verify(&case.public, DEFAULT_ID, &[1; MESSAGE_LEN + 1], &case.signature)
                    == Err(Error::SignatureMismatch)
            }),
        ),
        ("ours, unknown key, its point kept", Box::new(|case| ours(&points, case))),
        ("ours, known key (table)", Box::new(|case| ours(&tables, case))),
        (
            "signing, for comparison",
            Box::new(|case| case.key.sign(DEFAULT_ID, &case.message).to_bytes() == case.signature),
        ),
    ];
    let mut fastest = [Duration::MAX; 6];
    let start = Instant::now();
    let turns = cases.chunks_exact(TURN).cycle();
    for turn in turns.take_while(|_| start.elapsed().as_secs_f64() < seconds * 6.0) {
        for ((_, verify), fastest) in rows.iter().zip(&mut fastest) {
            let start = Instant::now();
            for case in turn {
                assert!(black_box(verify(black_box(case))), "a wrong verdict");
            }
            *fastest = start.elapsed().min(*fastest);
        }
    }

    let micros = fastest.map(|time| time.as_secs_f64() * 1e6 / TURN as f64);
    println!("messages of {MESSAGE_LEN} bytes, {KEYS} keys in rotation, one thread");
    println!("{:<46} {:>10} {:>10} {:>8}", "", "µs each", "per s", "factor");
    for ((name, _), each) in rows.iter().zip(micros) {
        println!("{name:<46} {each:>10.1} {:>10.0} {:>8.1}", 1e6 / each, micros[0] / each);
    }
}

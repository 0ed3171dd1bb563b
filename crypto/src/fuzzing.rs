//! Entry points for fuzzers and randomised tests: arbitrary bytes in, a panic
//! if and only if something is wrong.
//!
//! The oracle is RustCrypto's `sm2`, which shares no code with our verification.

use crate::{
    Error, container, keyfile,
    sm2::{DEFAULT_ID, KeyCache, PROMOTE_AFTER, PublicKey, SecretKey, Signature},
};
use ::sm2::dsa::{VerifyingKey, signature::Verifier};
use std::{
    io::{Read, Write},
    sync::LazyLock,
};

/// Verifies a signature by every path there is, and by RustCrypto, and compares.
///
/// Bytes: key 33, signature 64, message the rest; shorter input is padded with
/// zeros.
///
/// # Panics
/// If two verdicts differ.
pub fn verify_raw(data: &[u8]) {
    let mut padded = [0; 97];
    let length = data.len().min(97);
    padded[..length].copy_from_slice(&data[..length]);
    let public = padded.first_chunk().expect("97 bytes hold 33");
    let signature = padded.last_chunk().expect("97 bytes hold 64");
    // Any verdict will do as long as all agree.
    let _ = compare(public, data.get(97..).unwrap_or_default(), signature);
}

/// Makes a valid signature and damages it, so that a fuzzer need not guess one.
///
/// Bytes: 8 seed the key, then pairs of a place and a mask to exclusive-or there
/// (key 33, signature 64), up to a pair with mask 0, then the message.
///
/// # Panics
/// If two verdicts differ.
pub fn verify_damaged(data: &[u8]) {
    let (seed, mut rest) = data.split_at(data.len().min(8));
    let mut damage = Vec::new();
    while let [place, mask, after @ ..] = rest {
        rest = after;
        if *mask == 0 {
            break;
        }
        damage.push((usize::from(*place) % 97, *mask));
    }
    let key = SecretKey::from_seed(seed);
    let public = key.public().to_compressed();
    let signature = key.sign(DEFAULT_ID, rest).to_bytes();
    let mut bytes: Vec<u8> = public.into_iter().chain(signature).collect();
    damage.iter().for_each(|(place, mask)| bytes[*place] ^= mask);
    let damaged = bytes.first_chunk().expect("97 bytes hold 33");
    let verdict = compare(damaged, rest, bytes.last_chunk().expect("97 bytes hold 64"));
    if damage.is_empty() {
        assert_eq!(verdict, Ok(()), "a fresh signature is valid");
    }
}

/// Reads a key file as far as that takes no password: deriving a key from one
/// takes as long as the file asks for, up to a bound of seconds. Then reads the
/// same bytes as the key that a file holds, and as a file of another tool that
/// is imported. Returns whether they are a well-formed key file.
///
/// # Panics
/// If what was read and is written again reads otherwise.
pub fn key_file(data: &[u8]) -> bool {
    if let Ok(keyfile::Imported::Plain(key)) = keyfile::Imported::read(data) {
        let again = SecretKey::from_bytes(&key.to_bytes());
        assert!(again.is_ok_and(|again| again.public() == key.public()), "an imported key");
    }
    keyfile::check_reading(std::str::from_utf8(data).unwrap_or_default(), data)
}

/// The key that [`container`] opens files with.
const CONTAINER_KEY: [u8; 32] = [0x42; 32];

/// Reads an encrypted file, and returns whether all of it is authentic.
pub fn container(data: &[u8]) -> bool {
    let secret = container::Secret::key(CONTAINER_KEY);
    let mut plain = Vec::new();
    let read = container::Opener::new(data, &secret, &mut None, "name")
        .and_then(|mut opener| opener.read_to_end(&mut plain));
    assert!(plain.len() <= data.len(), "more than there is");
    read.is_ok()
}

/// A file that [`container`] accepts, with `plain` in it.
///
/// # Panics
/// If the system gives no random bytes.
pub fn container_sample(plain: &[u8]) -> Vec<u8> {
    let secret = container::Secret::key(CONTAINER_KEY);
    let sealed = container::Unlocked::new(&secret).and_then(|key| {
        let mut sealer = container::Sealer::new(Vec::new(), &key, "name")?;
        sealer.write_all(plain)?;
        sealer.finish()
    });
    sealed.expect("memory takes what is written, and the system gives random bytes")
}

/// Verifies with an unknown key, a known point and a table, and by RustCrypto.
fn compare(public: &[u8; 33], message: &[u8], signature: &[u8; 64]) -> Result<(), Error> {
    /// Every key is unknown to this one, as only valid signatures are noted.
    static SHARED: LazyLock<KeyCache> = LazyLock::new(|| KeyCache::new(4));
    let expected = oracle(public, message, signature);
    let times = if expected { PROMOTE_AFTER + 1 } else { 1 };
    let mut verdict = Ok(());
    for time in 0..times {
        verdict = SHARED.verify(public, DEFAULT_ID, message, signature);
        assert_eq!(
            verdict.is_ok(),
            expected,
            "verification {time}: key {} message {} signature {}: {verdict:?}, RustCrypto says {expected}",
            hex::encode(public),
            hex::encode(message),
            hex::encode(signature),
        );
    }
    verdict
}

/// RustCrypto's verdict, from parsing on.
fn oracle(public: &[u8; 33], message: &[u8], signature: &[u8; 64]) -> bool {
    let id = std::str::from_utf8(DEFAULT_ID).expect("ASCII");
    // RustCrypto also takes SEC1's compact form (05 ‖ x), which we do not.
    let key = matches!(public[0], 2 | 3)
        .then(|| VerifyingKey::from_sec1_bytes(id, public).ok())
        .flatten();
    assert_eq!(
        PublicKey::from_compressed(public).is_ok(),
        key.is_some(),
        "key {}",
        hex::encode(public)
    );
    let theirs = ::sm2::dsa::Signature::from_slice(signature).ok();
    assert_eq!(
        Signature::from_bytes(signature).is_ok(),
        theirs.is_some(),
        "signature {}",
        hex::encode(signature)
    );
    key.zip(theirs).is_some_and(|(key, theirs)| key.verify(message, &theirs).is_ok())
}

//! Payer references: what operators and askers send one another, and what they keep.

use super::samples_of;
use crate::Verdict;
use billchain_crypto::sm3::hmac_sm3;
use billchain_oprf::{Opening, PublicKeys};
use billchain_references::{
    client,
    journal::Entry,
    wire::{Question, answer_from_json, answer_to_json},
};

/// Test vector 1 of RFC 9497, appendix A.3.2: public key, blind, blinded element,
/// evaluated element, proof.
const PUBLIC: &str = "03e17e70604bcabe198882c0a1f27a92441e774224ed9c702e51dd17038b102462";
const BLIND: &str = "3338fa65ec36e0290022b48eb562889d89dbfa691d1cde91517fa222ed7ad364";
const BLINDED: &str = "02dd05901038bb31a6fae01828fd8d0e49e35a486b5c5d4b4994013648c01277da";
const EVALUATED: &str = "0209f33cab60cf8fe69239b0afbcfcd261af4c1c5632624f2e9ba29b90ae83e4a2";
const PROOF: &str = "e7c2b3c5c954c035949f1f74e6bce2ed539a3be267d1481e9ddb178533df4c26\
                     64f69d065c604a4fd953e100b856ad83804eb3845189babfa5a702090d6fc5fa";
/// The key of caches.
const CACHE_KEY: [u8; 32] = [7; 32];

/// The bytes of an opening, which have one form.
pub fn payer_opening(data: &[u8]) -> Verdict {
    let Ok(opening) = Opening::from_bytes(data) else { return Verdict::Refused };
    assert_eq!(opening.to_bytes(), data, "an opening has two forms");
    Verdict::Accepted
}

/// The public keys of a service, of one form, and shares of one secret.
pub fn payer_keys(data: &[u8]) -> Verdict {
    let Ok(keys) = PublicKeys::from_bytes(data) else { return Verdict::Refused };
    assert_eq!(keys.to_bytes(), data, "public keys have two forms");
    Verdict::Accepted
}

/// A question in JSON, which is written and read again.
pub fn payer_question(data: &[u8]) -> Verdict {
    let Ok(question) = Question::from_json(data) else { return Verdict::Refused };
    assert_eq!(Question::from_json(&question.to_json()).as_ref(), Ok(&question));
    Verdict::Accepted
}

/// An answer in JSON, which is written and read again.
pub fn payer_answer(data: &[u8]) -> Verdict {
    let Ok((key, answer)) = answer_from_json(data) else { return Verdict::Refused };
    let again = answer_from_json(&answer_to_json(&key, &answer)).expect("it was written");
    assert_eq!(again, (key, answer));
    Verdict::Accepted
}

/// A line of the log of questions.
pub fn payer_log(data: &[u8]) -> Verdict {
    Entry::from_line(data).is_ok().into()
}

/// An issuer's cache, with its code made to fit, so that what lies behind it is read.
pub fn payer_cache(data: &[u8]) -> Verdict {
    let content = &data[..data.len().saturating_sub(32)];
    let code = hmac_sm3(&CACHE_KEY, &[&b"file"[..], content].concat());
    client::decode_cache(&CACHE_KEY, &[content, &code].concat()).is_ok().into()
}

fn hex(parts: &[&str]) -> Vec<u8> {
    let digits: String = parts.concat();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("digits of hex");
    (0..digits.len()).step_by(2).map(byte).collect()
}

pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let entry = Entry {
        number: 1,
        time_ms: 1_800_000_000_000,
        requester: "hospital".into(),
        address: "127.0.0.1".into(),
        key: "0123456789abcdef".into(),
        elements: 3,
        refused: 0,
        previous: "00".repeat(32),
        hash: String::new(),
    };
    let question = format!(r#"{{"key":"0123456789abcdef","elements":["{BLINDED}"]}}"#);
    let answer = format!(
        r#"{{"key":"0123456789abcdef","index":1,"elements":["{EVALUATED}"],"proof":"{PROOF}"}}"#
    );
    let cached = [&b"BCREFS01\0\0\0\x01"[..], &[1; 32], &hex(&[EVALUATED])[1..], &[0; 32]].concat();
    samples_of(
        name,
        vec![
            ("payer_opening", hex(&["0101", BLIND, "01", EVALUATED, PROOF])),
            ("payer_keys", hex(&["01000101", PUBLIC, PUBLIC])),
            ("payer_keys", hex(&["01000102", PUBLIC, PUBLIC, PUBLIC])),
            ("payer_keys", hex(&["01010101", EVALUATED, PUBLIC, PUBLIC])),
            ("payer_question", question.into_bytes()),
            ("payer_answer", answer.into_bytes()),
            ("payer_log", entry.sealed().to_line()),
            ("payer_cache", cached),
            ("payer_cache", [&b"BCREFS01\0\0\0\0"[..], &[0; 32]].concat()),
        ],
    )
}

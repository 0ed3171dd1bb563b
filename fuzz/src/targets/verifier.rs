//! Certificates of bills, and what they are made of.

use crate::Verdict;
use billchain_light::Knowledge;
use billchain_primitives::sm3;
use billchain_twin::{from_json, to_json};
use billchain_verifier::{Digest, fuzzing, verify};
use serde_json::Value;
use std::path::Path;

/// Certificates that prove something and that do not, with the chain they are of.
const VECTORS: &str = include_str!("../../../verifier/vectors/certificates.json");

/// Key proofs that prove something and that do not.
const KEY_PROOFS: &str = include_str!("../../../verifier/vectors/keys/key-proofs.json");

/// The state file of a light client, in hexadecimal.
const LIGHT_STATE: &str = include_str!("../../../light/fixtures/state-1.hex");

/// A certificate, judged for the chain of the vectors.
pub fn certificate(data: &[u8]) -> Verdict {
    verify(data, &genesis()).is_ok().into()
}

/// The parts of a certificate that lie behind its signatures: headers, sets of validators,
/// operations of the state with their proofs, places of hot and cold groups, paths of
/// transactions, bills, tallies.
pub fn certificate_part(data: &[u8]) -> Verdict {
    fuzzing::part(data).into()
}

/// The JSON twin of a certificate, or its bytes: whatever is one of them leads to the other and
/// back.
pub fn certificate_twin(data: &[u8]) -> Verdict {
    if data.starts_with(b"BCPF") {
        let Ok(text) = to_json(data) else { return Verdict::Refused };
        let bytes = from_json(text.as_bytes()).expect("a twin is read");
        assert_eq!(bytes, data, "a twin leads to other bytes");
        return Verdict::Accepted;
    }
    let Ok(bytes) = from_json(data) else { return Verdict::Refused };
    let text = to_json(&bytes).expect("what a twin leads to has a twin");
    assert_eq!(from_json(text.as_bytes()).expect("it is read"), bytes);
    Verdict::Accepted
}

/// State files of light clients, with whatever digest: it is made to fit, so that what lies
/// behind it is read. What is accepted has one form.
pub fn light_state(data: &[u8]) -> Verdict {
    let content = data.len().saturating_sub(32);
    let whole = [&data[..content], &sm3(&data[..content])].concat();
    match Knowledge::from_bytes(&whole, Path::new("state")) {
        Ok(known) => {
            assert_eq!(known.to_bytes(), whole);
            Verdict::Accepted
        }
        Err(error) => {
            assert!(error.to_string().contains("damaged"), "{error}");
            Verdict::Refused
        }
    }
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(VECTORS).expect("the vectors are JSON")
}

fn key_proofs() -> Vec<Vec<u8>> {
    let vectors: Vec<Value> = serde_json::from_str(KEY_PROOFS).expect("the vectors are JSON");
    vectors.iter().map(|vector| bytes(vector, "proof")).collect()
}

fn bytes(vector: &Value, field: &str) -> Vec<u8> {
    let text = vector[field].as_str().expect("a field of a vector is text");
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("it is hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}

fn genesis() -> Digest {
    static GENESIS: std::sync::OnceLock<Digest> = std::sync::OnceLock::new();
    *GENESIS.get_or_init(|| bytes(&vectors()[0], "genesis").try_into().expect("it is a hash"))
}

pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let vectors = vectors();
    let certificates = vectors.iter().map(|vector| bytes(vector, "certificate"));
    match target {
        "certificate" => certificates.collect(),
        "certificate_part" => {
            let parts = certificates.flat_map(|whole| parts(&whole));
            parts.chain([tally()]).chain(key_proofs()).collect()
        }
        "certificate_twin" => certificates
            .flat_map(|bytes| {
                let twin = to_json(&bytes).ok().map(String::into_bytes);
                twin.into_iter().chain([bytes])
            })
            .collect(),
        "light_state" => vec![state()],
        _ => Vec::new(),
    }
}

/// The state file of a light client.
fn state() -> Vec<u8> {
    let text = serde_json::json!({ "state": LIGHT_STATE.trim() });
    bytes(&text, "state")
}

/// What has a length of its own: the header of the genesis, and that of the block at which the
/// certificate starts later, or else of the first change.
fn parts(certificate: &[u8]) -> Vec<Vec<u8>> {
    let part = |at: usize| {
        let length = certificate.get(at..at + 2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        certificate.get(at + 2..at + 2 + length).map(<[u8]>::to_vec)
    };
    let genesis = part(6);
    let change = genesis.as_ref().and_then(|genesis| {
        let at = 6 + 2 + genesis.len();
        let is_later = certificate.get(at) == Some(&1);
        part(at + 1 + if is_later { 0 } else { 2 })
    });
    genesis.into_iter().chain(change).collect()
}

/// A tally of two lines: a normal blue bill over a fen, and two voided ones over two.
fn tally() -> Vec<u8> {
    let line = |status: u8, bills: u8, fen: u8| {
        let mut line = vec![0, status, 4 * bills, fen];
        line.resize(4 + 15, 0);
        line
    };
    [vec![8], line(1, 1, 1), line(6, 2, 2), vec![7; 32]].concat()
}

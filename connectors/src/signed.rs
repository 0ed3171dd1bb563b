//! Requests that this side signs with SM2, so that the other side knows who speaks and that
//! nobody changed a byte.
//!
//! The signature covers `billchain-request/1`, the method, the path with its query, the time
//! in milliseconds since 1970, the idempotency key and the SM3 of the body, one a line, by
//! SM2 with the default id (GB/T 32918, GM/T 0009). It is in `x-billchain-signature` (r‖s,
//! 128 digits of hex); the rest in `x-billchain-timestamp`, `x-billchain-id` and
//! `x-billchain-key`. `docs/connectors.md`, "Signed requests", is the contract.

use billchain_crypto::{sm2, sm3::sm3};
use billchain_primitives::Moment;
use billchain_workers::tools::Request;

/// What is signed. `target` is the path with its query.
pub fn text(method: &str, target: &str, time: Moment, id: &str, body: &[u8]) -> String {
    let digest = hex::encode(sm3(body));
    format!("billchain-request/1\n{method}\n{target}\n{time}\n{id}\n{digest}")
}

/// Signs a request; `id` is its idempotency key in hex.
pub fn sign(request: Request, id: &str, time: Moment, key: &sm2::SecretKey) -> Request {
    let target = target(&request.url).to_owned();
    let text = text(request.method, &target, time, id, &request.body);
    let signature = key.sign(sm2::DEFAULT_ID, text.as_bytes());
    request
        .header("x-billchain-id", id)
        .header("x-billchain-timestamp", time.to_string())
        .header("x-billchain-key", hex::encode(key.public().to_compressed()))
        .header("x-billchain-signature", hex::encode(signature.to_bytes()))
}

/// Path and query of a URL.
fn target(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// How far the time of a request may be from ours, in milliseconds.
pub const MAX_AGE: Moment = 300_000;

/// A request that somebody signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Its idempotency key, 64 digits of hex.
    pub id: String,
    /// Who signed it: a compressed SM2 key.
    pub key: [u8; 33],
}

/// Verifies a request by its headers (names in lower case) and body. The error says which
/// header is wrong and what was expected.
pub fn verify<'a>(
    method: &str,
    target: &str,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: Moment,
) -> Result<Verified, String> {
    let of = |name: &str| header(name).ok_or_else(|| format!("{name}: missing"));
    let id = of("x-billchain-id")?;
    if id.len() != 64 || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err("x-billchain-id: expected 64 digits of lower-case hex".to_owned());
    }
    let time: Moment = of("x-billchain-timestamp")?
        .parse()
        .map_err(|_| "x-billchain-timestamp: expected milliseconds since 1970".to_owned())?;
    if now.abs_diff(time) > MAX_AGE {
        return Err(format!(
            "x-billchain-timestamp: expected within five minutes of {now}, found {time}"
        ));
    }
    let key: [u8; 33] =
        bytes(of("x-billchain-key")?).ok_or("x-billchain-key: expected 66 digits of hex")?;
    let signature: [u8; 64] = bytes(of("x-billchain-signature")?)
        .ok_or("x-billchain-signature: expected 128 digits of hex")?;
    let text = text(method, target, time, id, body);
    sm2::verify(&key, sm2::DEFAULT_ID, text.as_bytes(), &signature)
        .map_err(|error| format!("x-billchain-signature: {error}"))?;
    Ok(Verified { id: id.to_owned(), key })
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// An idempotency key of a request that has no effect: a digest of what it asks for.
pub fn question_id(words: &str) -> String {
    hex::encode(sm3(words.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_what_follows_the_host() {
        for (url, expected) in [
            ("https://a.b:1/c/d?e=f", "/c/d?e=f"),
            ("http://a.b", "/"),
            ("https://[::1]:8/x", "/x"),
        ] {
            assert_eq!(target(url), expected, "{url}");
        }
    }

    #[test]
    fn a_signature_covers_every_part() {
        let key = sm2::SecretKey::from_seed(b"a worker");
        let id = "0".repeat(64);
        let request =
            sign(Request::post("https://h/p", "application/json", b"{}".to_vec()), &id, 5, &key);
        let header = |name: &str| {
            request
                .headers
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .unwrap()
        };
        let signature = header("x-billchain-signature");
        let public = key.public().to_compressed();
        let good = text("POST", "/p", 5, &id, b"{}");
        assert!(crate::answer::is_signed(&public, &good, &signature));
        for (what, other) in [
            ("method", text("GET", "/p", 5, &id, b"{}")),
            ("target", text("POST", "/q", 5, &id, b"{}")),
            ("time", text("POST", "/p", 6, &id, b"{}")),
            ("id", text("POST", "/p", 5, &"1".repeat(64), b"{}")),
            ("body", text("POST", "/p", 5, &id, b"{} ")),
        ] {
            assert!(!crate::answer::is_signed(&public, &other, &signature), "{what}");
        }
    }
}

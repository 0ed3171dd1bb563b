//! Requests that the caller signs with SM2, as `docs/connectors.md`, "Signed requests", says;
//! and the signatures of these systems' own answers.

use billchain_crypto::{
    sm2::{self, DEFAULT_ID, SecretKey},
    sm3::sm3,
};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    effects::Effects,
    server::{Call, Reply},
};

/// How far a request's time may be from ours, in milliseconds.
const MAX_AGE: u64 = 300_000;

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The idempotency key of a request that its caller signed; else the refusal.
pub(super) fn signed(call: &Call, callers: &[String], effects: &Effects) -> Result<String, Reply> {
    checked(call, callers).map_err(|problem| {
        effects.count_refused();
        Reply::json(401, &json!({"code": "401", "error": problem}))
    })
}

fn checked(call: &Call, callers: &[String]) -> Result<String, String> {
    let id = call.header("x-billchain-id").to_owned();
    let is_id = id.len() == 64 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_id {
        return Err("x-billchain-id: expected 64 digits of lower-case hex".to_owned());
    }
    let time: u64 = call
        .header("x-billchain-timestamp")
        .parse()
        .map_err(|_| "x-billchain-timestamp: expected milliseconds since 1970".to_owned())?;
    if now().abs_diff(time) > MAX_AGE {
        return Err("x-billchain-timestamp: more than five minutes from now".to_owned());
    }
    let key = call.header("x-billchain-key");
    if !callers.is_empty() && !callers.iter().any(|known| known == key) {
        return Err("x-billchain-key: not a known caller".to_owned());
    }
    let key: [u8; 33] = hex::decode(key)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("x-billchain-key: expected 66 digits of hex")?;
    let signature: [u8; 64] = hex::decode(call.header("x-billchain-signature"))
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("x-billchain-signature: expected 128 digits of hex")?;
    let target = match call.query.as_str() {
        "" => call.path.clone(),
        query => format!("{}?{query}", call.path),
    };
    let text = format!(
        "billchain-request/1\n{}\n{target}\n{time}\n{id}\n{}",
        call.method,
        hex::encode(sm3(&call.body))
    );
    sm2::verify(&key, DEFAULT_ID, text.as_bytes(), &signature)
        .map_err(|error| format!("x-billchain-signature: {error}"))?;
    Ok(id)
}

/// The signature of one of our own texts, as 128 digits of hex.
pub(super) fn sign(key: &SecretKey, text: &str) -> String {
    hex::encode(key.sign(DEFAULT_ID, text.as_bytes()).to_bytes())
}

/// A key's public part, as 66 digits of hex.
pub(super) fn public(key: &SecretKey) -> String {
    hex::encode(key.public().to_compressed())
}

//! Signed requests, for callers that have no TLS identity: SM2 over what is asked, when, and
//! a number used once.
//!
//! The bytes that are signed are eight lines of ASCII, each ended by a line feed, the last
//! too:
//!
//! ```text
//! BILLCHAIN-SM2-SM3
//! <id of the key>
//! <milliseconds since 1970, decimal>
//! <nonce: 32 lower-case hex digits>
//! <HTTP method: POST or GET>
//! <path and query as sent>
//! <Host as sent, in lower case>
//! <SM3 of the body, 64 lower-case hex digits>
//! ```
//!
//! A nonce is remembered while its request could be taken: the window on both sides. What was
//! signed before the node started is refused, since nobody remembers it.

use crate::{calendar::millis, code, denied::Denied, identity::SigningKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use billchain_crypto::{
    sm2::{DEFAULT_ID, Signature},
    sm3::sm3,
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::{Duration, SystemTime},
};

/// The first line of what is signed.
pub const SIGNATURE_DOMAIN: &str = "BILLCHAIN-SM2-SM3";
/// Most nonces that are remembered for one key.
const MAX_NONCES: usize = 65_536;

/// What a signature says beside the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) key: &'a str,
    pub(crate) timestamp: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) signature: &'a str,
}

/// The request as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) host: &'a str,
    pub(crate) body: &'a [u8],
}

/// The bytes that are signed: key, timestamp and nonce, then method, target and host, and the
/// body.
pub fn signature_base(
    [key, timestamp, nonce]: [&str; 3],
    [method, target, host]: [&str; 3],
    body: &[u8],
) -> String {
    let (host, body) = (host.to_ascii_lowercase(), hex::encode(sm3(body)));
    format!("{SIGNATURE_DOMAIN}\n{key}\n{timestamp}\n{nonce}\n{method}\n{target}\n{host}\n{body}\n")
}

fn invalid(what: &str) -> Denied {
    Denied::new(code::SIGNATURE_INVALID, format!("the request's signature: {what}"))
}

impl Signed<'_> {
    /// Whether this key signed this request at this time. Gives the moment that it was signed.
    pub(crate) fn prove(
        &self,
        asked: Asked<'_>,
        key: &SigningKey,
        window: Duration,
        (started, now): (SystemTime, SystemTime),
    ) -> Result<u64, Denied> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let stamp = self.timestamp;
        let at: Option<u64> =
            (stamp.len() <= 15 && digits(stamp)).then(|| stamp.parse().ok()).flatten();
        let at = at.ok_or_else(|| invalid("expected a timestamp in milliseconds since 1970"))?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if self.nonce.len() != 32 || !self.nonce.bytes().all(is_hex) {
            return Err(invalid("expected a nonce of 32 lower-case hex digits"));
        }
        let bytes = STANDARD.decode(self.signature).ok();
        let bytes: Option<[u8; 64]> = bytes.and_then(|bytes| bytes.try_into().ok());
        let signature = bytes.and_then(|bytes| Signature::from_bytes(&bytes).ok());
        let signature = signature.ok_or_else(|| invalid("expected r and s, 64 bytes in base64"))?;
        let (now, started, window) = (millis(now), millis(started), window.as_millis() as u64);
        if at.abs_diff(now) > window {
            let words = format!(
                "the request was signed {} ms away from now, expected at most {window}",
                at.abs_diff(now)
            );
            return Err(Denied::new(code::SIGNATURE_TIME, words));
        }
        if at < started {
            let words = "the request was signed before the node started: sign it again";
            return Err(Denied::new(code::SIGNATURE_TIME, words));
        }
        let base = signature_base(
            [self.key, self.timestamp, self.nonce],
            [asked.method, asked.target, asked.host],
            asked.body,
        );
        match key.public.verify(DEFAULT_ID, base.as_bytes(), &signature) {
            true => Ok(at),
            false => Err(invalid("it is not its key's")),
        }
    }
}

/// The nonces that were used, by key.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<HashMap<String, Used>>);

#[derive(Debug, Default)]
struct Used {
    known: HashSet<[u8; 16]>,
    by_time: BTreeSet<(u64, [u8; 16])>,
}

impl Nonces {
    /// Takes a nonce of a key that the configuration has, which signed at `at`: once.
    pub(crate) fn take(
        &self,
        key: &str,
        nonce: &str,
        at: u64,
        (now, window): (SystemTime, Duration),
    ) -> Result<(), Denied> {
        let bytes = hex::decode(nonce).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        let nonce = bytes.ok_or_else(|| invalid("expected a nonce of 32 hex digits"))?;
        let oldest = millis(now).saturating_sub(window.as_millis() as u64);
        let mut all = self.0.lock();
        let used = all.entry(key.to_owned()).or_default();
        while let Some(first @ (time, gone)) = used.by_time.first().copied()
            && time < oldest
        {
            used.by_time.remove(&first);
            used.known.remove(&gone);
        }
        if used.known.contains(&nonce) {
            let words = "the signed request was used before: sign each one with a nonce of its own";
            return Err(Denied::new(code::REPLAYED, words));
        }
        if used.known.len() >= MAX_NONCES {
            let first = used.by_time.first().map_or(0, |(time, _)| time - oldest.min(*time));
            let words = format!("a key signs at most {MAX_NONCES} requests in a window");
            return Err(Denied::until(code::TOO_MANY, words, Duration::from_millis(first + 1)));
        }
        used.known.insert(nonce);
        used.by_time.insert((at, nonce));
        Ok(())
    }

    /// Forgets the keys that the configuration has no more.
    pub(crate) fn keep(&self, known: impl Fn(&str) -> bool) {
        self.0.lock().retain(|key, _| known(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{class::Classes, identity::Identity};
    use billchain_crypto::sm2::SecretKey;
    use std::{sync::Arc, time::UNIX_EPOCH};

    const WINDOW: Duration = Duration::from_secs(300);
    const NONCE: &str = "000102030405060708090a0b0c0d0e0f";

    fn key(secret: &SecretKey) -> SigningKey {
        let identity =
            Identity { name: "a".into(), participant: None, classes: Classes::SAFE, share: 100 };
        SigningKey {
            identity: Arc::new(identity),
            public: secret.public(),
            life: Default::default(),
        }
    }

    fn at(ms: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(ms)
    }

    #[test]
    fn what_is_signed_is_eight_lines() {
        let base =
            signature_base(["k1", "1796083200000", NONCE], ["POST", "/", "Node-1:9944"], b"{}");
        let body = hex::encode(sm3(b"{}"));
        let expected = format!(
            "BILLCHAIN-SM2-SM3\nk1\n1796083200000\n{NONCE}\nPOST\n/\nnode-1:9944\n{body}\n"
        );
        assert_eq!(base, expected);
    }

    #[test]
    fn a_signature_is_of_one_request_at_its_time() {
        let secret = SecretKey::from_seed(b"caller");
        let key = key(&secret);
        let now = 1_796_083_200_000;
        let body = br#"{"jsonrpc":"2.0"}"#;
        let base = signature_base(["k1", "1796083200000", NONCE], ["POST", "/", "node"], body);
        let signature = STANDARD.encode(secret.sign(DEFAULT_ID, base.as_bytes()).to_bytes());
        let signed =
            Signed { key: "k1", timestamp: "1796083200000", nonce: NONCE, signature: &signature };
        let asked = Asked { method: "POST", target: "/", host: "node", body };
        let code = |signed: Signed<'_>, asked: Asked<'_>, started, now| {
            signed.prove(asked, &key, WINDOW, (at(started), at(now))).map_err(|denied| denied.code)
        };
        assert_eq!(code(signed, asked, 0, now), Ok(now));
        assert_eq!(code(signed, asked, 0, now + 300_000), Ok(now));
        assert_eq!(code(signed, asked, 0, now + 300_001), Err(code::SIGNATURE_TIME));
        assert_eq!(code(signed, asked, 0, now - 300_001), Err(code::SIGNATURE_TIME));
        assert_eq!(code(signed, asked, now + 1, now + 2), Err(code::SIGNATURE_TIME));
        let others = [
            (signed, Asked { body: b"{}", ..asked }),
            (signed, Asked { host: "other", ..asked }),
            (signed, Asked { target: "/x", ..asked }),
            (signed, Asked { method: "GET", ..asked }),
            (Signed { key: "k2", ..signed }, asked),
            (Signed { nonce: "100102030405060708090a0b0c0d0e0f", ..signed }, asked),
            (Signed { nonce: "short", ..signed }, asked),
            (Signed { timestamp: "+1796083200000", ..signed }, asked),
            (Signed { signature: "AAAA", ..signed }, asked),
        ];
        for (signed, asked) in others {
            assert_eq!(code(signed, asked, 0, now), Err(code::SIGNATURE_INVALID), "{signed:?}");
        }
    }

    #[test]
    fn a_nonce_is_taken_once_and_forgotten_with_its_window() {
        let nonces = Nonces::default();
        let take = |key: &str, signed, now| {
            nonces.take(key, NONCE, signed, (at(now), WINDOW)).map_err(|denied| denied.code)
        };
        let start = 1_000_000_000;
        assert_eq!(take("a", start, start), Ok(()));
        assert_eq!(take("a", start, start + 300_000), Err(code::REPLAYED));
        assert_eq!(take("b", start, start), Ok(()));
        // It could not be taken any more for its time.
        assert_eq!(take("a", start + 300_001, start + 300_001), Ok(()));
        nonces.keep(|key| key == "b");
        assert_eq!(nonces.0.lock().len(), 1);
    }

    #[test]
    fn the_nonces_of_a_key_are_bounded() {
        let nonces = Nonces::default();
        for number in 0..MAX_NONCES as u128 {
            nonces.take("a", &format!("{number:032x}"), 5_000, (at(5_000), WINDOW)).unwrap();
        }
        let last = nonces.take("a", NONCE, 5_000, (at(5_000), WINDOW)).unwrap_err();
        assert_eq!(last.code, code::TOO_MANY);
        assert!(last.retry_after.is_some());
        assert_eq!(nonces.take("b", NONCE, 5_000, (at(5_000), WINDOW)), Ok(()));
    }
}

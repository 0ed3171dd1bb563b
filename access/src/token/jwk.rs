//! Key sets (RFC 7517), with SM2 as `{"kty":"EC","crv":"SM2"}`.

use crate::config::Algorithm;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use billchain_crypto::sm2::{DEFAULT_ID, PublicKey, Signature};
use serde::Deserialize;
use std::fmt;

/// Longest key set, in bytes.
pub(crate) const MAX_SET: usize = 64 << 10;
/// Most keys of one.
const MAX_KEYS: usize = 64;

/// An issuer's public keys.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    key: Public,
}

enum Public {
    Sm2(Box<PublicKey>),
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
}

impl fmt::Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sm2(_) => "SM2",
            Self::Rsa { .. } => "RSA",
            Self::P256(_) => "P-256",
        })
    }
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<RawKey>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// Reads a key set. Keys for other uses and of other sorts are left out; one of ours that
    /// is broken is an error, as is a set without any.
    pub(crate) fn read(text: &[u8]) -> Result<Self, String> {
        if text.len() > MAX_SET {
            return Err(format!("a key set has at most {MAX_SET} bytes, found {}", text.len()));
        }
        let raw: RawSet =
            serde_json::from_slice(text).map_err(|error| format!("no key set: {error}"))?;
        if raw.keys.len() > MAX_KEYS {
            return Err(format!("a key set has at most {MAX_KEYS} keys, found {}", raw.keys.len()));
        }
        let mut keys = Vec::new();
        for (at, raw) in raw.keys.into_iter().enumerate() {
            if raw.usage.as_deref().is_some_and(|usage| usage != "sig") {
                continue;
            }
            let read = read(&raw).map_err(|problem| format!("keys[{at}]: {problem}"))?;
            keys.extend(read.map(|key| Key { kid: raw.kid, key }));
        }
        match keys.is_empty() {
            true => Err("the key set has no key of SM2, P-256 or RSA".into()),
            false => Ok(Self(keys)),
        }
    }

    /// Whether there is a key of this id; any, without one.
    pub(crate) fn knows(&self, kid: Option<&str>) -> bool {
        self.0.iter().any(|key| key.is_named(kid))
    }

    /// Whether one of the keys of this id made the signature. An id narrows the keys; a key
    /// without one may be meant by any.
    pub(crate) fn verify(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let meant = self.0.iter().filter(|key| key.is_named(kid));
        meant.take(4).any(|key| key.key.verify(algorithm, message, signature))
    }
}

impl Key {
    fn is_named(&self, kid: Option<&str>) -> bool {
        kid.is_none() || self.kid.is_none() || self.kid.as_deref() == kid
    }
}

fn read(raw: &RawKey) -> Result<Option<Public>, String> {
    let part = |name: &str, value: &Option<String>| {
        let text = value.as_deref().ok_or_else(|| format!("{name} is missing"))?;
        URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| format!("{name}: expected base64url without padding"))
    };
    let point = || -> Result<Vec<u8>, String> {
        let (x, y) = (part("x", &raw.x)?, part("y", &raw.y)?);
        if x.len() != 32 || y.len() != 32 {
            return Err("x and y: expected 32 bytes each".into());
        }
        Ok([&[4][..], &x, &y].concat())
    };
    match (raw.kty.as_str(), raw.crv.as_deref()) {
        ("EC", Some("SM2")) => {
            let key = PublicKey::from_sec1(&point()?).map_err(|error| format!("x, y: {error}"))?;
            Ok(Some(Public::Sm2(Box::new(key))))
        }
        ("EC", Some("P-256")) => Ok(Some(Public::P256(point()?))),
        ("RSA", _) => {
            let (n, e) = (part("n", &raw.n)?, part("e", &raw.e)?);
            if !(256..=1_024).contains(&n.len()) || !(1..=8).contains(&e.len()) {
                return Err("n: expected 2,048 to 8,192 bits; e: expected 1 to 8 bytes".into());
            }
            Ok(Some(Public::Rsa { n, e }))
        }
        _ => Ok(None),
    }
}

impl Public {
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Sm2(key), Algorithm::Sm2Sm3) => {
                let Ok(bytes) = <&[u8; 64]>::try_from(signature) else { return false };
                let signature = Signature::from_bytes(bytes);
                signature.is_ok_and(|signature| key.verify(DEFAULT_ID, message, &signature))
            }
            (Self::P256(point), Algorithm::Es256) => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(message, signature).is_ok()
            }
            (Self::Rsa { n, e }, Algorithm::Rs256) => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            _ => false,
        }
    }
}

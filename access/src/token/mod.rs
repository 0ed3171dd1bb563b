//! JSON Web Tokens (RFC 7519), signed with SM2-SM3, RS256 or ES256.
//!
//! One reader for all three. What is taken from the token before its signature is known is
//! its algorithm, its key's id and its issuer, to find the key; nothing else is believed.
//! `alg` must be one that the issuer may use *and* fit the key, so that no key is used with
//! another's algorithm. `crit` is refused: there are no extensions here.

mod jwk;
mod keys;

pub(crate) use jwk::KeySet;
pub(crate) use keys::Keys;

use crate::{
    code,
    config::{Algorithm, IssuerConfig, SubjectClaim},
    denied::Denied,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest token, in bytes.
pub(crate) const MAX_TOKEN: usize = 8 << 10;
/// Longest header of one, decoded.
const MAX_HEADER: usize = 1 << 10;

/// A token taken apart; nothing of it is believed yet.
pub(crate) struct Unproved<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    pub(crate) header: Header,
    pub(crate) claims: Claims,
}

/// `JOSE` header.
#[derive(Deserialize, Debug)]
pub(crate) struct Header {
    pub(crate) alg: String,
    #[serde(default)]
    pub(crate) kid: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// The claims that count; others are left alone.
#[derive(Deserialize, Debug)]
pub(crate) struct Claims {
    #[serde(default)]
    pub(crate) iss: Option<String>,
    #[serde(default)]
    aud: Audience,
    #[serde(default)]
    exp: Option<Seconds>,
    #[serde(default)]
    nbf: Option<Seconds>,
    #[serde(default)]
    iat: Option<Seconds>,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    azp: Option<String>,
}

/// One audience, or several.
#[derive(Deserialize, Debug, Default)]
#[serde(untagged)]
enum Audience {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn has(&self, wanted: &str) -> bool {
        match self {
            Self::None => false,
            Self::One(one) => one == wanted,
            Self::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

/// `NumericDate`: seconds since 1970, whole here; a part of a second is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seconds(u64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // With arbitrary precision a number is kept as its digits.
        let number = serde_json::Number::deserialize(deserializer)?;
        let whole = number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            (0.0..9e15).contains(&float).then_some(float as u64)
        });
        let wrong = || serde::de::Error::custom("expected seconds since 1970");
        whole.filter(|seconds| *seconds < 1 << 53).map(Self).ok_or_else(wrong)
    }
}

fn malformed(what: &str) -> Denied {
    Denied::new(code::TOKEN_MALFORMED, format!("the token is none: {what}"))
}

impl<'a> Unproved<'a> {
    /// Takes a token apart.
    pub(crate) fn read(token: &'a str) -> Result<Self, Denied> {
        if token.len() > MAX_TOKEN {
            return Err(malformed(&format!(
                "expected at most {MAX_TOKEN} bytes, found {}",
                token.len()
            )));
        }
        let parts: Vec<_> = token.splitn(4, '.').collect();
        let &[header, claims, signature] = &parts[..] else {
            return Err(malformed("expected three parts with a dot between"));
        };
        let bytes = |part: &str, name: &str| {
            let read = URL_SAFE_NO_PAD.decode(part);
            read.map_err(|_| malformed(&format!("its {name}: expected base64url without padding")))
        };
        let signed = &token[..header.len() + 1 + claims.len()];
        let header = bytes(header, "header")?;
        if header.len() > MAX_HEADER {
            return Err(malformed("its header: expected at most 1,024 bytes"));
        }
        let header: Header = serde_json::from_slice(&header)
            .map_err(|_| malformed("its header: expected JSON with alg"))?;
        if header.crit.is_some() {
            return Err(malformed("its header: crit is not understood"));
        }
        let claims: Claims = serde_json::from_slice(&bytes(claims, "claims")?)
            .map_err(|error| malformed(&format!("its claims: {error}")))?;
        let signature = bytes(signature, "signature")?;
        Ok(Self { signed, signature, header, claims })
    }

    /// The claims, if the token is from this issuer, for its audience, signed by one of its
    /// keys and of this time; and until when it is good.
    pub(crate) fn prove(
        self,
        issuer: &IssuerConfig,
        keys: &KeySet,
        now: SystemTime,
    ) -> Result<(Claims, SystemTime), Denied> {
        let algorithm = Algorithm::named(&self.header.alg);
        let Some(algorithm) = algorithm.filter(|one| issuer.algorithms.contains(one)) else {
            let found: String = self.header.alg.chars().take(16).collect();
            let words = format!("the token's alg \"{found}\" is not one of its issuer's");
            return Err(Denied::new(code::TOKEN_SIGNATURE, words));
        };
        let kid = self.header.kid.as_deref();
        if !keys.verify(kid, algorithm, self.signed.as_bytes(), &self.signature) {
            let words = "the token's signature is not its issuer's";
            return Err(Denied::new(code::TOKEN_SIGNATURE, words));
        }
        let until = self.claims.check(issuer, now)?;
        Ok((self.claims, until))
    }
}

impl Claims {
    /// Checks for whom and when it is. Gives until when.
    fn check(&self, issuer: &IssuerConfig, now: SystemTime) -> Result<SystemTime, Denied> {
        if !self.aud.has(&issuer.audience) {
            let words = format!("the token is not for \"{}\"", issuer.audience);
            return Err(Denied::new(code::TOKEN_AUDIENCE, words));
        }
        let exp = self.exp.ok_or_else(|| malformed("its claims: exp is missing"))?.0;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (skew, most) = (issuer.skew.as_secs(), issuer.max_age.as_secs());
        if now > exp.saturating_add(skew) {
            let words = format!("the token's time was over {} s ago", now - exp);
            return Err(Denied::new(code::TOKEN_EXPIRED, words));
        }
        let early = [self.nbf, self.iat].into_iter().flatten().map(|one| one.0).max();
        if let Some(early) = early
            && early > now.saturating_add(skew)
        {
            let words = format!("the token is good in {} s only", early - now);
            let wait = Duration::from_secs(early - now - skew);
            return Err(Denied::until(code::TOKEN_TOO_EARLY, words, wait));
        }
        let since = self.iat.or(self.nbf).map_or(now, |one| one.0);
        if exp.saturating_sub(since) > most {
            let words = format!("its life: expected at most {most} s (issuer.max_age_s)");
            return Err(malformed(&words));
        }
        Ok(UNIX_EPOCH + Duration::from_secs(exp.saturating_add(skew)))
    }

    /// A claim that names the caller.
    pub(crate) fn subject(&self, claim: SubjectClaim) -> Option<&str> {
        match claim {
            SubjectClaim::Sub => self.sub.as_deref(),
            SubjectClaim::ClientId => self.client_id.as_deref(),
            SubjectClaim::Azp => self.azp.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests;

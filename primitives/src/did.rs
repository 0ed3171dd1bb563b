//! Decentralised identifiers (分布式身份标识) of participants.
//!
//! The form is W3C DID Core's `did:<method>:<id>`, ASCII, at most
//! [`Did::MAX_LEN`] bytes; the method is lower-case letters and digits, the id
//! letters, digits and `.-_:`.

use crate::bill::{InvalidField, printable};
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// A syntactically valid DID. Encodes as a SCALE byte vector.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, MaxEncodedLen, TypeInfo)]
pub struct Did(BoundedVec<u8, ConstU32<{ Did::MAX_LEN }>>);

const RULE: &str = "did:<method>:<id>, at most 64 ASCII characters";

impl Did {
    /// Longest DID, in bytes.
    pub const MAX_LEN: u32 = 64;

    /// The DID, if `bytes` is one.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidField> {
        let invalid = || InvalidField { field: "Did", expected: RULE, found: printable(bytes) };
        if !is_did(bytes) {
            return Err(invalid());
        }
        BoundedVec::try_from(bytes.to_vec()).map(Self).map_err(|_| invalid())
    }

    /// The characters as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The characters as text.
    pub fn as_str(&self) -> &str {
        // `new` admits ASCII only.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn is_did(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"did:") else { return false };
    let Some(colon) = rest.iter().position(|b| *b == b':') else { return false };
    let (method, id) = (&rest[..colon], &rest[colon + 1..]);
    !method.is_empty()
        && method.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && !id.is_empty()
        && id.iter().all(|b| b.is_ascii_alphanumeric() || b".-_:".contains(b))
        && !id.ends_with(b":")
}

impl Decode for Did {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let bytes = BoundedVec::<u8, ConstU32<{ Did::MAX_LEN }>>::decode(input)?;
        if is_did(&bytes) {
            Ok(Self(bytes))
        } else {
            Err("Did: expected did:<method>:<id>, at most 64 ASCII characters".into())
        }
    }
}
impl DecodeWithMemTracking for Did {}

impl core::fmt::Display for Did {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::fmt::Debug for Did {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Did({})", self.as_str())
    }
}

impl core::str::FromStr for Did {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        Self::new(text.as_bytes())
    }
}

crate::codec_util::serde_as_string!(Did);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_dids_and_refuses_the_rest() {
        let long = format!("did:bill:{}", "a".repeat(56));
        for (text, valid) in [
            ("did:bill:hospital-1", true),
            ("did:web:example.cn:dept", true),
            ("did:bill:", false),
            ("did::x", false),
            ("did:Bill:x", false),
            ("did:bill:医院", false),
            ("did:bill:a b", false),
            ("did:bill:x:", false),
            ("bill:x", false),
            ("", false),
            (long.as_str(), false),
        ] {
            assert_eq!(text.parse::<Did>().is_ok(), valid, "{text}");
            let encoded = text.as_bytes().to_vec().encode();
            assert_eq!(Did::decode(&mut &encoded[..]).is_ok(), valid, "{text} decoded");
        }
    }
}

//! Short human texts that operators write: names and reasons.
//!
//! A text is not empty, is UTF-8 (Chinese is ordinary here), holds no control
//! characters and does not begin or end with white space, so that what an
//! explorer shows is what was written. Lengths are counted in bytes.

use crate::bill::{InvalidField, printable};
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

fn is_text(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes).is_ok_and(|text| {
        !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
    })
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $max:literal, $rule:literal) => {
        $(#[$doc])*
        /// Encodes as a SCALE byte vector.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Encode, MaxEncodedLen, TypeInfo)]
        pub struct $name(BoundedVec<u8, ConstU32<$max>>);

        impl $name {
            /// Longest text, in bytes.
            pub const MAX_LEN: u32 = $max;

            /// The text, if it keeps the rule.
            pub fn new(text: &str) -> Result<Self, InvalidField> {
                let invalid = || InvalidField {
                    field: stringify!($name),
                    expected: $rule,
                    found: printable(text.as_bytes()),
                };
                if !is_text(text.as_bytes()) {
                    return Err(invalid());
                }
                BoundedVec::try_from(text.as_bytes().to_vec()).map(Self).map_err(|_| invalid())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                // `new` and `decode` admit UTF-8 only.
                core::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl Decode for $name {
            fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
                let bytes = BoundedVec::<u8, ConstU32<$max>>::decode(input)?;
                if is_text(&bytes) {
                    Ok(Self(bytes))
                } else {
                    Err(concat!(stringify!($name), ": expected ", $rule).into())
                }
            }
        }
        impl DecodeWithMemTracking for $name {}

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl core::str::FromStr for $name {
            type Err = InvalidField;

            fn from_str(text: &str) -> Result<Self, InvalidField> {
                Self::new(text)
            }
        }

        crate::codec_util::serde_as_string!($name);
    };
}

text_newtype!(
    /// Name of a participant, scene or operator.
    Name, 128, "1 to 128 bytes of UTF-8 text, no control characters, no white space at the ends"
);
text_newtype!(
    /// Why somebody did something.
    Reason, 256, "1 to 256 bytes of UTF-8 text, no control characters, no white space at the ends"
);
text_newtype!(
    /// 报销单号: number that a claimant gives to its claim.
    ClaimNo, 64, "1 to 64 bytes of UTF-8 text, no control characters, no white space at the ends"
);
text_newtype!(
    /// 关键词 by which a policy is found.
    Keyword, 48, "1 to 48 bytes of UTF-8 text, no control characters, no white space at the ends"
);
text_newtype!(
    /// A text that a policy's condition compares with.
    ConditionText, 64, "1 to 64 bytes of UTF-8 text, no control characters, no white space at the ends"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_plain_text_and_refuses_the_rest() {
        let (longest, too_long) = ("医".repeat(42), "医".repeat(43));
        for (text, valid) in [
            ("上海市第一人民医院", true),
            ("Hospital (East) No. 1", true),
            (longest.as_str(), true),
            (too_long.as_str(), false),
            ("", false),
            (" x", false),
            ("x\u{3000}", false),
            ("a\nb", false),
            ("a\u{7f}b", false),
        ] {
            assert_eq!(Name::new(text).is_ok(), valid, "{text:?}");
            let encoded = text.as_bytes().to_vec().encode();
            assert_eq!(Name::decode(&mut &encoded[..]).is_ok(), valid, "{text:?} decoded");
        }
        let not_utf8 = vec![0xff_u8, 0xfe].encode();
        assert!(Name::decode(&mut &not_utf8[..]).is_err());
    }

    #[test]
    fn a_refusal_names_field_rule_and_finding() {
        let error = Reason::new("").unwrap_err();
        assert_eq!((error.field, error.found.as_str()), ("Reason", ""));
        assert!(error.expected.contains("256 bytes"), "{error}");
    }
}

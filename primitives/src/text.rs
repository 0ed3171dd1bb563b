//! Short human texts that operators write: names and reasons.
//!
//! A text is UTF-8 (Chinese is ordinary here), is not empty, does not begin or
//! end with white space, and shows as it was written: characters that are
//! invisible, turn the direction of the text or look different on every machine
//! are refused. Lengths are counted in bytes.
//!
//! The characters are in a list of this module, not in the standard library's
//! tables: those change with the compiler, and every node must judge alike.

use crate::bill::{InvalidField, printable};
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// Code points that no text holds, in order, both ends included.
///
/// - Control characters (Cc) and format characters (Cf), which include the
///   bidirectional controls, zero-width characters, the byte order mark, soft
///   hyphens and tags.
/// - Line and paragraph separators (Zl, Zp).
/// - Variation selectors and fillers: two names that differ by one look alike.
///   The rare ideographic variants in personal names are lost by that.
/// - Private use and noncharacters: nobody else sees what the writer saw.
/// - U+FFFC and U+FFFD, which stand for what a conversion lost.
///
/// Unassigned code points are allowed: each version of Unicode adds ideographs,
/// and a list of the rest would age.
const REFUSED: &[(u32, u32)] = &[
    (0x0000, 0x001F),
    (0x007F, 0x009F),
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x0600, 0x0605),
    (0x061C, 0x061C),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xE000, 0xF8FF),
    (0xFDD0, 0xFDEF),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFF),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0x1FFFE, 0x1FFFF),
    (0x2FFFE, 0x2FFFF),
    (0x3FFFE, 0x3FFFF),
    (0x4FFFE, 0x4FFFF),
    (0x5FFFE, 0x5FFFF),
    (0x6FFFE, 0x6FFFF),
    (0x7FFFE, 0x7FFFF),
    (0x8FFFE, 0x8FFFF),
    (0x9FFFE, 0x9FFFF),
    (0xAFFFE, 0xAFFFF),
    (0xBFFFE, 0xBFFFF),
    (0xCFFFE, 0xCFFFF),
    (0xDFFFE, 0xDFFFF),
    (0xE0000, 0xE0FFF),
    (0xEFFFE, 0xEFFFF),
    (0xF0000, 0xFFFFD),
    (0xFFFFE, 0xFFFFF),
    (0x100000, 0x10FFFD),
    (0x10FFFE, 0x10FFFF),
];

/// White space that is no control character (White_Space of Unicode).
const SPACES: &[(u32, u32)] = &[
    (0x0020, 0x0020),
    (0x00A0, 0x00A0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
];

fn is_in(table: &[(u32, u32)], character: char) -> bool {
    let point = u32::from(character);
    let after = table.partition_point(|(first, _)| *first <= point);
    after > 0 && point <= table[after - 1].1
}

fn is_text(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    let is_space = |end: Option<char>| end.is_none_or(|character| is_in(SPACES, character));
    !is_space(text.chars().next())
        && !is_space(text.chars().next_back())
        && !text.chars().any(|character| is_in(REFUSED, character))
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
    Name, 128, "1 to 128 bytes of UTF-8 text, no control or invisible characters, no white space at the ends"
);
text_newtype!(
    /// Why somebody did something.
    Reason, 256, "1 to 256 bytes of UTF-8 text, no control or invisible characters, no white space at the ends"
);
text_newtype!(
    /// 报销单号: number that a claimant gives to its claim.
    ClaimNo, 64, "1 to 64 bytes of UTF-8 text, no control or invisible characters, no white space at the ends"
);
text_newtype!(
    /// 关键词 by which a policy is found.
    Keyword, 48, "1 to 48 bytes of UTF-8 text, no control or invisible characters, no white space at the ends"
);
text_newtype!(
    /// A text that a policy's condition compares with.
    ConditionText, 64, "1 to 64 bytes of UTF-8 text, no control or invisible characters, no white space at the ends"
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
    fn characters_that_do_not_show_as_written_are_refused() {
        for point in [
            0x00AD, 0x061C, 0x180E, 0x200B, 0x200D, 0x200E, 0x2028, 0x202A, 0x202E, 0x2060, 0x2066,
            0x2069, 0x3164, 0xE000, 0xFDD0, 0xFE0F, 0xFEFF, 0xFFF9, 0xFFFD, 0x1D173, 0x1FFFE,
            0xE0001, 0xE007F, 0xE0100, 0xF0000, 0x10_FFFF,
        ] {
            let character = char::from_u32(point).unwrap();
            for text in
                [format!("医{character}院"), format!("{character}医院"), format!("医院{character}")]
            {
                assert!(Name::new(&text).is_err(), "U+{point:04X} in {text:?}");
                assert!(Reason::decode(&mut &text.encode()[..]).is_err(), "U+{point:04X}, decoded");
            }
        }
        // What stands beside the ranges, and what names are made of.
        for text in
            ["\u{ac}", "\u{2010}", "A\u{3000}B", "\u{2070}", "（虚构）", "𠮷野家", "é", "\u{fff}x"]
        {
            assert!(Name::new(text).is_ok(), "{text:?}");
        }
        for space in ['\u{a0}', '\u{2003}', '\u{202f}', '\u{3000}'] {
            assert!(Name::new(&format!("{space}医院")).is_err(), "{space:?} before");
            assert!(Name::new(&format!("医院{space}")).is_err(), "{space:?} after");
        }
    }

    #[test]
    fn the_tables_are_in_order_and_cover_every_control_character_and_space() {
        for table in [REFUSED, SPACES] {
            assert!(table.iter().all(|(first, last)| first <= last));
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
        // The standard library's tables of today agree.
        for character in '\0'..=char::MAX {
            if character.is_control() {
                assert!(is_in(REFUSED, character), "{character:?}");
            } else if character.is_whitespace() {
                let known = is_in(SPACES, character) || is_in(REFUSED, character);
                assert!(known, "{character:?}");
            } else {
                assert!(!is_in(SPACES, character), "{character:?}");
            }
        }
    }

    #[test]
    fn a_refusal_names_field_rule_and_finding() {
        let error = Reason::new("").unwrap_err();
        assert_eq!((error.field, error.found.as_str()), ("Reason", ""));
        assert!(error.expected.contains("256 bytes"), "{error}");
    }
}

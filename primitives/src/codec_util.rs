//! A macro for newtypes that validate when they are built, decoded or parsed.

/// Implements SCALE decoding, `Display`, `FromStr` and serde (as a string) for
/// a fixed-length ASCII newtype `$name([u8; $len])` whose rule is
/// `$name::check`.
macro_rules! ascii_newtype {
    ($(#[$doc:meta])* $name:ident, $len:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            codec::Encode, codec::MaxEncodedLen, scale_info::TypeInfo,
        )]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes, which are also its characters.
            pub const LEN: usize = $len;

            /// The value, if it keeps the rule.
            pub fn new(bytes: [u8; $len]) -> Result<Self, $crate::bill::InvalidField> {
                let check: fn(&[u8]) -> bool = $check;
                if check(&bytes) {
                    Ok(Self(bytes))
                } else {
                    Err($crate::bill::InvalidField {
                        field: stringify!($name),
                        expected: $rule,
                        found: $crate::bill::printable(&bytes),
                    })
                }
            }

            /// The characters as bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// The characters as text.
            pub fn as_str(&self) -> &str {
                // The rule admits ASCII only.
                core::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl codec::Decode for $name {
            fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
                let bytes = <[u8; $len]>::decode(input)?;
                Self::new(bytes).map_err(|_| concat!(stringify!($name), ": expected ", $rule).into())
            }
        }
        impl codec::DecodeWithMemTracking for $name {}

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::bill::InvalidField;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let bytes = <[u8; $len]>::try_from(text.as_bytes()).map_err(|_| {
                    $crate::bill::InvalidField {
                        field: stringify!($name),
                        expected: $rule,
                        found: $crate::bill::printable(text.as_bytes()),
                    }
                })?;
                Self::new(bytes)
            }
        }

        $crate::codec_util::serde_as_string!($name);
    };
}
pub(crate) use ascii_newtype;

/// Serde through `Display` and `FromStr`.
macro_rules! serde_as_string {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_string;

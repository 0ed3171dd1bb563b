//! The SM2 signature `(r, s)`.

use crate::Error;
use der::{Decode, Encode, Sequence, asn1::UintRef};
use std::fmt;

/// The order `n` of the curve's base point, big endian (GB/T 32918.5, 2).
pub(crate) const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23,
];

/// An SM2 signature with `r` and `s` in `[1, n-1]`, kept as `r ‖ s`, each 32
/// bytes, big endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature([u8; 64]);

/// `SM2Signature ::= SEQUENCE { R INTEGER, S INTEGER }` (GM/T 0009-2023, 7.3).
#[derive(Sequence)]
struct DerSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

impl Signature {
    /// Takes `r ‖ s`.
    ///
    /// # Errors
    /// [`Error::SignatureOutOfRange`] unless both are in `[1, n-1]`.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, Error> {
        let (r, s) = bytes.split_at(32);
        let in_range = |half: &[u8]| half < &ORDER[..] && half.iter().any(|byte| *byte != 0);
        if in_range(r) && in_range(s) { Ok(Self(*bytes)) } else { Err(Error::SignatureOutOfRange) }
    }

    /// The signature as `r ‖ s`.
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0
    }

    /// Takes DER, `SEQUENCE { INTEGER r, INTEGER s }`, nothing after it.
    ///
    /// # Errors
    /// [`Error::SignatureEncoding`] when it is not DER,
    /// [`Error::SignatureOutOfRange`] when it is and the integers are not in `[1, n-1]`.
    pub fn from_der(bytes: &[u8]) -> Result<Self, Error> {
        let parsed = DerSignature::from_der(bytes).map_err(|_| Error::SignatureEncoding)?;
        let mut plain = [0; 64];
        for (half, integer) in [(0, parsed.r), (32, parsed.s)] {
            let digits = integer.as_bytes();
            let start = 32usize.checked_sub(digits.len()).ok_or(Error::SignatureOutOfRange)?;
            plain[half + start..half + 32].copy_from_slice(digits);
        }
        Self::from_bytes(&plain)
    }

    /// The signature in DER, 8 to 72 bytes.
    pub fn to_der(&self) -> Vec<u8> {
        let (r, s) = self.0.split_at(32);
        UintRef::new(r)
            .and_then(|r| DerSignature { r, s: UintRef::new(s)? }.to_der())
            .expect("two 32-byte integers always encode")
    }

    pub(crate) fn r(&self) -> &[u8; 32] {
        self.0.first_chunk().expect("64 bytes hold 32")
    }

    pub(crate) fn s(&self) -> &[u8; 32] {
        self.0.last_chunk().expect("64 bytes hold 32")
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", hex::encode(self.0))
    }
}

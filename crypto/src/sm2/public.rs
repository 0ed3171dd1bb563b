//! SM2 public keys and verification.

use super::{
    KeyCache, Signature,
    curve::{self, Affine},
    digest,
};
use crate::Error;
use std::fmt;

/// A public key: a point of the curve other than infinity, kept compressed.
///
/// Ordered and hashed by its 33 bytes. Whoever holds one knows it is valid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 33]);

impl PublicKey {
    /// Takes the compressed form: 02 or 03 by the parity of `y`, then `x`, big endian.
    ///
    /// # Errors
    /// [`Error::PublicKeyEncoding`] for another first byte,
    /// [`Error::PublicKeyNotOnCurve`] when no point has this `x`.
    pub fn from_compressed(bytes: &[u8; 33]) -> Result<Self, Error> {
        decompress(bytes).map(|_| Self(*bytes))
    }

    /// Takes the compressed (33 bytes) or uncompressed (04 ‖ x ‖ y, 65 bytes) form.
    ///
    /// # Errors
    /// [`Error::PublicKeyEncoding`] for another length or first byte,
    /// [`Error::PublicKeyNotOnCurve`] for coordinates of no point.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, Error> {
        if let Ok(compressed) = <&[u8; 33]>::try_from(bytes) {
            return Self::from_compressed(compressed);
        }
        let uncompressed = <&[u8; 65]>::try_from(bytes).map_err(|_| Error::PublicKeyEncoding)?;
        if uncompressed[0] != 4 {
            return Err(Error::PublicKeyEncoding);
        }
        let x = uncompressed[1..33].try_into().expect("32 bytes");
        let y = uncompressed[33..].try_into().expect("32 bytes");
        let point = Affine::from_coordinates(x, y).ok_or(Error::PublicKeyNotOnCurve)?;
        Ok(Self::from_point(&point))
    }

    fn from_point(point: &Affine) -> Self {
        let mut bytes = [2 + u8::from(point.y.is_odd()); 33];
        bytes[1..].copy_from_slice(&point.x.to_bytes());
        Self(bytes)
    }

    /// The compressed form.
    pub fn to_compressed(&self) -> [u8; 33] {
        self.0
    }

    /// The uncompressed form, 04 ‖ x ‖ y.
    pub fn to_uncompressed(&self) -> [u8; 65] {
        let mut bytes = [4; 65];
        bytes[1..].copy_from_slice(&self.coordinates());
        bytes
    }

    /// `x ‖ y`, big endian.
    pub(crate) fn coordinates(&self) -> [u8; 64] {
        decompress(&self.0).expect("checked when constructed").coordinates()
    }

    /// What a signature of this key over `message` signs, by the signer called
    /// `id`: `e = SM3(Z_A ‖ message)`. For signing devices that take it.
    ///
    /// # Errors
    /// [`Error::SignerIdTooLong`].
    pub fn message_digest(&self, id: &[u8], message: &[u8]) -> Result<[u8; 32], Error> {
        Ok(digest::message_digest(&digest::z_a(id, &self.coordinates())?, message))
    }

    /// Whether `signature` is this key's over `message`, by the signer called `id`.
    pub fn verify(&self, id: &[u8], message: &[u8], signature: &Signature) -> bool {
        self.try_verify(id, message, signature).is_ok()
    }

    /// As [`verify`](Self::verify), and says why not.
    ///
    /// # Errors
    /// [`Error::SignatureMismatch`], or [`Error::SignerIdTooLong`].
    pub fn try_verify(
        &self,
        id: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Error> {
        KeyCache::global().verify_signature(&self.0, id, message, signature)
    }
}

/// The point of a compressed key.
pub(crate) fn decompress(bytes: &[u8; 33]) -> Result<Affine, Error> {
    let x = bytes.last_chunk().expect("33 bytes hold 32");
    match bytes[0] {
        tag @ (2 | 3) => curve::decompress(x, tag == 3).ok_or(Error::PublicKeyNotOnCurve),
        _ => Err(Error::PublicKeyEncoding),
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.0))
    }
}

//! Elements and scalars of P-256, and RFC 9497's hashes to them.
//!
//! An [`Element`] is never infinity. What touches a [`Secret`] runs in constant time;
//! sums of public elements do not.

use crate::Error;
use core::fmt;
use p256::{
    AffinePoint, FieldBytes, NistP256, ProjectivePoint, Scalar,
    elliptic_curve::{
        BatchNormalize, Field, Group, PrimeField,
        array::Array,
        consts::U48,
        ops::{LinearCombination, Reduce},
        point::{AffineCoordinates, DecompressPoint},
    },
    hash2curve::{ExpandMsgXmd, hash_from_bytes, hash_to_scalar as hash_to_field},
};
use sha2::Sha256;
use subtle::Choice;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of an element: SEC 1, compressed.
pub const ELEMENT_LEN: usize = 33;
/// Bytes of a scalar, big-endian.
pub const SCALAR_LEN: usize = 32;

/// A point of P-256 other than infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Element(AffinePoint);

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({})", hex::encode(self.to_bytes()))
    }
}

impl Element {
    /// The group's generator.
    pub const GENERATOR: Self = Self(AffinePoint::GENERATOR);

    /// Reads a compressed point.
    ///
    /// # Errors
    /// [`Error::Element`] for anything else, infinity too.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: &[u8; ELEMENT_LEN] = bytes.try_into().map_err(|_| Error::Element)?;
        let odd = match bytes[0] {
            2 => 0,
            3 => 1,
            _ => return Err(Error::Element),
        };
        let mut x = [0; SCALAR_LEN];
        x.copy_from_slice(&bytes[1..]);
        Self::from_x(&x, odd).ok_or(Error::Element)
    }

    /// The point with this x coordinate and an even (0) or odd (1) y, if there is one.
    pub(crate) fn from_x(x: &[u8; SCALAR_LEN], odd: u8) -> Option<Self> {
        let x: FieldBytes = Array::from(*x);
        let point: Option<AffinePoint> = AffinePoint::decompress(&x, Choice::from(odd)).into();
        point.map(Self)
    }

    /// The compressed point.
    pub fn to_bytes(&self) -> [u8; ELEMENT_LEN] {
        let mut bytes = [0; ELEMENT_LEN];
        bytes[0] = 2 + self.0.y_is_odd().unwrap_u8();
        bytes[1..].copy_from_slice(&self.0.x());
        bytes
    }

    /// The x coordinate, big-endian.
    pub fn x(&self) -> [u8; SCALAR_LEN] {
        self.0.x().into()
    }

    pub(crate) fn point(&self) -> ProjectivePoint {
        ProjectivePoint::from(self.0)
    }

    /// `None` for infinity.
    pub(crate) fn of(point: &ProjectivePoint) -> Option<Self> {
        (!bool::from(point.is_identity())).then(|| Self(point.to_affine()))
    }

    /// As [`Self::of`] for many, with one inversion.
    pub(crate) fn all_of(points: &[ProjectivePoint]) -> Result<Vec<Self>, Error> {
        if points.iter().any(|point| bool::from(point.is_identity())) {
            return Err(Error::Infinity);
        }
        let affine =
            <ProjectivePoint as BatchNormalize<[ProjectivePoint]>>::batch_normalize(points);
        Ok(affine.into_iter().map(Self).collect())
    }
}

/// A scalar other than zero that nobody else should know: a key, a share, a blind.
/// It is wiped when it goes.
#[derive(Clone)]
pub struct Secret(Scalar);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Secret {
    /// A new one, of 48 random bytes of the system, so that none is likelier than another.
    ///
    /// # Errors
    /// [`Error::Random`] if the system has none.
    pub fn random() -> Result<Self, Error> {
        loop {
            let mut bytes = Zeroizing::new([0u8; 48]);
            getrandom::fill(&mut bytes[..]).map_err(|_| Error::Random)?;
            let mut wide: Array<u8, U48> = Array::from(*bytes);
            let scalar = <Scalar as Reduce<Array<u8, U48>>>::reduce(&wide);
            wide.zeroize();
            if let Some(secret) = Self::new(scalar) {
                return Ok(secret);
            }
        }
    }

    /// Reads 32 bytes big-endian.
    ///
    /// # Errors
    /// [`Error::Scalar`] for zero, for the group's order and above, and another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        scalar_from(bytes).and_then(Self::new).ok_or(Error::Scalar)
    }

    /// The 32 bytes, wiped when they go.
    pub fn to_bytes(&self) -> Zeroizing<[u8; SCALAR_LEN]> {
        Zeroizing::new(scalar_bytes(&self.0))
    }

    pub(crate) fn new(scalar: Scalar) -> Option<Self> {
        (!bool::from(scalar.is_zero())).then_some(Self(scalar))
    }

    pub(crate) fn scalar(&self) -> &Scalar {
        &self.0
    }

    /// One over it.
    pub(crate) fn inverse(&self) -> Zeroizing<Scalar> {
        let inverse: Option<Scalar> = Field::invert(&self.0).into();
        Zeroizing::new(inverse.expect("a secret is not zero"))
    }

    /// It times an element.
    pub fn times(&self, element: &Element) -> Element {
        Element::of(&(element.point() * self.0)).expect("neither factor is zero, the order prime")
    }
}

/// A canonical scalar, zero too.
pub(crate) fn scalar_from(bytes: &[u8]) -> Option<Scalar> {
    let bytes: [u8; SCALAR_LEN] = bytes.try_into().ok()?;
    Scalar::from_repr(Array::from(bytes)).into()
}

pub(crate) fn scalar_bytes(scalar: &Scalar) -> [u8; SCALAR_LEN] {
    scalar.to_repr().into()
}

/// A sum of public elements times public scalars, in variable time.
pub(crate) fn sum(terms: &[(ProjectivePoint, Scalar)]) -> ProjectivePoint {
    <ProjectivePoint as LinearCombination<[(ProjectivePoint, Scalar)]>>::lincomb_vartime(terms)
}

/// `HashToGroup` of RFC 9497 in a context.
pub(crate) fn hash_to_group(context: &[u8], input: &[u8]) -> Result<Element, Error> {
    let point =
        hash_from_bytes::<NistP256, ExpandMsgXmd<Sha256>>(&[input], &[b"HashToGroup-", context])
            .expect("the tag is neither empty nor longer than 255 bytes");
    // For whom the hash is infinity, RFC 9497 has no reference either.
    Element::of(&point).ok_or(Error::Infinity)
}

/// `HashToScalar` of RFC 9497 in a context.
pub(crate) fn hash_to_scalar(context: &[u8], parts: &[&[u8]]) -> Scalar {
    hash_to_field::<NistP256, ExpandMsgXmd<Sha256>, U48>(parts, &[b"HashToScalar-", context])
        .expect("the tag is neither empty nor longer than 255 bytes")
}

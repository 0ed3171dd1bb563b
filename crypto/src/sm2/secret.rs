//! SM2 secret keys and signing (GB/T 32918.2, 6).
//!
//! The arithmetic is RustCrypto's, in constant time with respect to the key.
//! The per-signature number `k` is derived from the key and the digest
//! (RFC 6979 with HMAC-SM3): no signature can leak the key through a weak
//! random source, and signing the same message twice gives the same bytes.

use super::{DEFAULT_ID, PublicKey, Signature, digest};
use crate::{Error, sm3::Sm3};
use ::sm2::{
    FieldBytes, ProjectivePoint, Scalar, Sm2, U256,
    elliptic_curve::{
        Curve, Group, PrimeField,
        ops::{Invert, Reduce},
        point::AffineCoordinates,
        sec1::ToSec1Point,
    },
};
use rfc6979::KGenerator;
use std::fmt;
use zeroize::Zeroizing;

/// Separates keys made from seeds from every other use of SM3.
const SEED_DOMAIN: &[u8] = b"BillChain SM2 key from seed, version 1";

/// An SM2 secret key `d` in `[1, n-2]`; wiped from memory when dropped, never
/// shown by `Debug`.
#[derive(Clone)]
pub struct SecretKey {
    d: Zeroizing<Scalar>,
    /// `(1 + d)⁻¹`, which every signature needs and which is as secret as `d`.
    inverse: Zeroizing<Scalar>,
    public: PublicKey,
    /// `Z_A` with [`DEFAULT_ID`].
    z_a: [u8; 32],
}

impl SecretKey {
    /// A new random key from the operating system's source.
    ///
    /// # Panics
    /// If that source fails, which on supported systems it does not after boot.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        loop {
            getrandom::fill(&mut *bytes).expect("the operating system gives random bytes");
            if let Ok(key) = Self::from_bytes(&bytes) {
                return key;
            }
        }
    }

    /// Takes `d`, big endian.
    ///
    /// # Errors
    /// [`Error::SecretKeyOutOfRange`] unless it is in `[1, n-2]`.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
        let d = Option::<Scalar>::from(Scalar::from_repr(FieldBytes::from(*bytes)))
            .map(Zeroizing::new)
            .ok_or(Error::SecretKeyOutOfRange)?;
        // d = 0 has no public key, d = n-1 no inverse of 1 + d.
        if bool::from(d.is_zero()) {
            return Err(Error::SecretKeyOutOfRange);
        }
        let inverse = Option::<Scalar>::from(Invert::invert(&(*d + Scalar::ONE)))
            .map(Zeroizing::new)
            .ok_or(Error::SecretKeyOutOfRange)?;
        let point = ProjectivePoint::mul_by_generator(&d).to_affine().to_sec1_point(false);
        let public = PublicKey::from_sec1(point.as_bytes())?;
        let z_a = digest::z_a(DEFAULT_ID, &public.coordinates())?;
        Ok(Self { d, inverse, public, z_a })
    }

    /// The key a seed stands for, always the same: the first of
    /// `SM3(domain ‖ counter ‖ seed)`, counter = 0, 1, … in four big-endian
    /// bytes, that is a valid key (practically always the first), where domain
    /// is the ASCII text `BillChain SM2 key from seed, version 1`.
    ///
    /// Meant for well-known development keys: the key is as secret and as
    /// unpredictable as the seed, and no slow password hash stands in between.
    pub fn from_seed(seed: &[u8]) -> Self {
        let mut counter = 0u32;
        loop {
            let mut hash = Sm3::new();
            hash.update(SEED_DOMAIN);
            hash.update(&counter.to_be_bytes());
            hash.update(seed);
            if let Ok(key) = Self::from_bytes(&Zeroizing::new(hash.finalize())) {
                return key;
            }
            // One hash in 2³² is no key; 2³² such in a row do not happen.
            counter = counter.wrapping_add(1);
        }
    }

    /// `d`, big endian, in memory that is wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.d.to_repr().into())
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs `message` as the signer called `id`.
    ///
    /// # Panics
    /// If `id` is longer than [`MAX_ID_LEN`](super::MAX_ID_LEN), 8191 bytes: an
    /// id is the program's own constant, never input.
    pub fn sign(&self, id: &[u8], message: &[u8]) -> Signature {
        let z_a = if id == DEFAULT_ID {
            self.z_a
        } else {
            digest::z_a(id, &self.public.coordinates())
                .expect("a signer id is a constant of at most 8191 bytes")
        };
        self.sign_digest(&digest::message_digest(&z_a, message))
    }

    /// Signs `e`; steps A3 to A7 of GB/T 32918.2, 6.1.
    pub(crate) fn sign_digest(&self, e: &[u8; 32]) -> Signature {
        let e = Scalar::reduce(&FieldBytes::from(*e));
        let d = Zeroizing::new(self.d.to_repr());
        let mut numbers =
            KGenerator::<::sm3::Sm3, U256>::new(&d, &e.to_repr(), &[], Sm2::ORDER.as_ref());
        let mut k = Zeroizing::new(FieldBytes::default());
        loop {
            numbers.fill_next_k(&mut k);
            let number = Scalar::from_repr(*k).expect("RFC 6979 gives k in [1, n-1]");
            if let Some(signature) = self.sign_with(&e, &Zeroizing::new(number)) {
                return signature;
            }
        }
    }

    /// The signature for one `k`, or nothing if the standard asks for another.
    pub(crate) fn sign_with(&self, e: &Scalar, k: &Scalar) -> Option<Signature> {
        let x = ProjectivePoint::mul_by_generator(k).to_affine().x();
        let r = *e + Scalar::reduce(&x);
        if bool::from(r.is_zero()) || bool::from((r + *k).is_zero()) {
            return None;
        }
        let rd = Zeroizing::new(r * *self.d);
        let s = *self.inverse * *Zeroizing::new(*k - *rd);
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&r.to_repr());
        bytes[32..].copy_from_slice(&s.to_repr());
        // Refuses s = 0, as A6 asks.
        Signature::from_bytes(&bytes).ok()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::sm2::dsa::{SigningKey, signature::hazmat::PrehashSigner};

    fn scalar(text: &str) -> Scalar {
        let bytes = <[u8; 32]>::try_from(hex::decode(text).expect("hex")).expect("32 bytes");
        Scalar::from_repr(bytes.into()).expect("less than n")
    }

    fn standard_key() -> SecretKey {
        let d = scalar("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
        SecretKey::from_bytes(&d.to_repr().into()).expect("the standard's key")
    }

    #[test]
    fn the_standards_signature_with_the_standards_k() {
        let key = standard_key();
        let z_a = digest::z_a(crate::sm2::DEFAULT_ID, &key.public.coordinates()).expect("short");
        assert_eq!(
            hex::encode(z_a),
            "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
        );
        let e = digest::message_digest(&z_a, b"message digest");
        assert_eq!(
            hex::encode(e),
            "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
        );
        let k = scalar("59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21");
        let signature = key.sign_with(&Scalar::reduce(&FieldBytes::from(e)), &k);
        assert_eq!(
            hex::encode(signature.expect("a usable k").to_bytes()),
            "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
             b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
        );
    }

    #[test]
    fn a_k_that_the_standard_excludes_is_refused() {
        let key = standard_key();
        let k = scalar("59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21");
        let x = Scalar::reduce(&ProjectivePoint::mul_by_generator(&k).to_affine().x());
        // r = 0, r + k = n, and s = 0, for which r·d = k.
        for e in [-x, -k - x, k * Invert::invert(&*key.d).expect("not 0") - x] {
            assert_eq!(key.sign_with(&e, &k), None);
        }
    }

    #[test]
    fn signatures_are_those_of_rustcryptos_own_signer() {
        for seed in 0..32u8 {
            let key = SecretKey::from_seed(&[seed]);
            let theirs = SigningKey::from_slice("", &*key.to_bytes()).expect("a valid key");
            // Digests above n too, which both must reduce alike.
            for e in [crate::sm3::sm3(&[seed]), [seed; 32], [0xff; 32], [0; 32]] {
                let theirs = theirs.sign_prehash(&e).expect("signs");
                assert_eq!(key.sign_digest(&e).to_bytes()[..], theirs.to_bytes()[..]);
            }
        }
    }
}

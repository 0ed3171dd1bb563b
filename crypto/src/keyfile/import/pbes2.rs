//! PBES2 (RFC 8018): a private key encrypted under a password.

use super::{ImportError, container, error::named};
use crate::{
    sm2::SecretKey,
    sm4::{self, TAG_LEN},
};
use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7},
};
use der::{
    AnyRef, Sequence,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use zeroize::Zeroizing;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
/// The most iterations that are done: some seconds of work.
const MAX_ITERATIONS: u32 = 10_000_000;
/// The longest salt, in bytes.
const MAX_SALT: usize = 1024;

/// The hash of PBKDF2's HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prf {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sm3,
}

/// Two identifiers of HMAC with SM3 are in use.
const PRFS: [(ObjectIdentifier, Prf); 7] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.7"), Prf::Sha1),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.8"), Prf::Sha224),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.9"), Prf::Sha256),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.10"), Prf::Sha384),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.11"), Prf::Sha512),
    (ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.2"), Prf::Sm3),
    (ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.3.1"), Prf::Sm3),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
    Sm4Cbc,
    Sm4Gcm,
}

const CIPHERS: [(ObjectIdentifier, Cipher); 5] = [
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2"), Cipher::Aes128Cbc),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22"), Cipher::Aes192Cbc),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42"), Cipher::Aes256Cbc),
    (ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.2"), Cipher::Sm4Cbc),
    (ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.8"), Cipher::Sm4Gcm),
];

impl Cipher {
    const fn key_len(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Sm4Cbc | Self::Sm4Gcm => 16,
            Self::Aes192Cbc => 24,
            Self::Aes256Cbc => 32,
        }
    }
}

/// `AlgorithmIdentifier`.
#[derive(Sequence)]
pub(super) struct Algorithm<'a> {
    pub(super) oid: ObjectIdentifier,
    pub(super) parameters: Option<AnyRef<'a>>,
}

/// `EncryptedPrivateKeyInfo`.
#[derive(Sequence)]
pub(super) struct EncryptedInfo<'a> {
    algorithm: Algorithm<'a>,
    encrypted: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Pbes2<'a> {
    derivation: Algorithm<'a>,
    encryption: Algorithm<'a>,
}

#[derive(Sequence)]
struct Pbkdf2<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
    key_length: Option<u16>,
    prf: Option<Algorithm<'a>>,
}

#[derive(Sequence)]
struct Gcm<'a> {
    nonce: &'a OctetStringRef,
    tag_length: Option<u8>,
}

/// A private key that needs its password.
#[derive(Clone, Debug)]
pub struct EncryptedKey {
    salt: Vec<u8>,
    iterations: u32,
    prf: Prf,
    cipher: Cipher,
    iv: Vec<u8>,
    encrypted: Vec<u8>,
}

impl EncryptedKey {
    /// Checks algorithms and bounds; no work is done for the password.
    pub(super) fn of(info: &EncryptedInfo<'_>) -> Result<Self, ImportError> {
        if info.algorithm.oid != PBES2 {
            return Err(unsupported("the scheme", &info.algorithm.oid));
        }
        let pbes2: Pbes2<'_> = parameters("PBES2", &info.algorithm)?;
        if pbes2.derivation.oid != PBKDF2 {
            return Err(unsupported("the key derivation", &pbes2.derivation.oid));
        }
        let pbkdf2: Pbkdf2<'_> = parameters("PBKDF2", &pbes2.derivation)?;
        // RFC 8018: HMAC with SHA-1 where nothing is said.
        let prf = match &pbkdf2.prf {
            None => Prf::Sha1,
            Some(prf) => known(&PRFS, &prf.oid)
                .ok_or_else(|| unsupported("the PBKDF2 function", &prf.oid))?,
        };
        let oid = &pbes2.encryption.oid;
        let cipher = known(&CIPHERS, oid).ok_or_else(|| unsupported("the cipher", oid))?;
        let salt = pbkdf2.salt.as_bytes();
        if salt.len() > MAX_SALT {
            let what = format!("PBKDF2 salt of {} bytes, at most {MAX_SALT} expected", salt.len());
            return Err(ImportError::malformed(what));
        }
        if !(1..=MAX_ITERATIONS).contains(&pbkdf2.iterations) {
            let what =
                format!("{} PBKDF2 iterations, 1 to {MAX_ITERATIONS} expected", pbkdf2.iterations);
            return Err(ImportError::malformed(what));
        }
        if let Some(length) = pbkdf2.key_length.filter(|l| usize::from(*l) != cipher.key_len()) {
            let what = format!("PBKDF2 key length {length}, {} expected", cipher.key_len());
            return Err(ImportError::malformed(what));
        }
        Ok(Self {
            salt: salt.to_vec(),
            iterations: pbkdf2.iterations,
            prf,
            cipher,
            iv: iv(cipher, &pbes2.encryption)?,
            encrypted: info.encrypted.as_bytes().to_vec(),
        })
    }

    /// Decrypts the key.
    ///
    /// # Errors
    /// [`ImportError::WrongPassword`], or what is wrong with the key inside.
    pub fn decrypt(&self, password: &[u8]) -> Result<SecretKey, ImportError> {
        let key = self.derive(password);
        let plain = match self.cipher {
            Cipher::Aes128Cbc => self.open_cbc::<Decryptor<Aes128>>(&key),
            Cipher::Aes192Cbc => self.open_cbc::<Decryptor<Aes192>>(&key),
            Cipher::Aes256Cbc => self.open_cbc::<Decryptor<Aes256>>(&key),
            Cipher::Sm4Cbc => self.open_cbc::<Decryptor<::sm4::Sm4>>(&key),
            Cipher::Sm4Gcm => self.open_gcm(&key),
        };
        container::decrypted(&plain.ok_or(ImportError::WrongPassword)?)
    }

    fn derive(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(vec![0; self.cipher.key_len()]);
        let derive = match self.prf {
            Prf::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>,
            Prf::Sha224 => pbkdf2::pbkdf2_hmac::<sha2::Sha224>,
            Prf::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>,
            Prf::Sha384 => pbkdf2::pbkdf2_hmac::<sha2::Sha384>,
            Prf::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>,
            Prf::Sm3 => pbkdf2::pbkdf2_hmac::<::sm3::Sm3>,
        };
        derive(password, &self.salt, self.iterations, &mut key);
        key
    }

    fn open_cbc<C: KeyIvInit + BlockModeDecrypt>(&self, key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(self.encrypted.clone());
        let cipher = C::new_from_slices(key, &self.iv).ok()?;
        let length = cipher.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }

    fn open_gcm(&self, key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (key, nonce) = (key.try_into().ok()?, self.iv.as_slice().try_into().ok()?);
        sm4::open(key, nonce, &[], &self.encrypted).ok().map(Zeroizing::new)
    }
}

/// The initial vector or nonce, of the cipher's length.
fn iv(cipher: Cipher, encryption: &Algorithm<'_>) -> Result<Vec<u8>, ImportError> {
    let (iv, expected) = if cipher == Cipher::Sm4Gcm {
        let gcm: Gcm<'_> = parameters("SM4-GCM", encryption)?;
        if gcm.tag_length.map(usize::from) != Some(TAG_LEN) {
            return Err(ImportError::malformed("SM4-GCM tag length other than 16"));
        }
        (gcm.nonce, 12)
    } else {
        (parameters::<&OctetStringRef>("cipher", encryption)?, 16)
    };
    let iv = iv.as_bytes();
    if iv.len() != expected {
        let what = format!("initial vector of {} bytes, {expected} expected", iv.len());
        return Err(ImportError::malformed(what));
    }
    Ok(iv.to_vec())
}

fn known<T: Copy>(table: &[(ObjectIdentifier, T)], oid: &ObjectIdentifier) -> Option<T> {
    table.iter().find(|(known, _)| known == oid).map(|(_, value)| *value)
}

fn unsupported(what: &'static str, oid: &ObjectIdentifier) -> ImportError {
    ImportError::UnsupportedEncryption { what, found: named(oid) }
}

fn parameters<'a, T>(what: &'static str, algorithm: &Algorithm<'a>) -> Result<T, ImportError>
where
    T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
{
    let found = algorithm
        .parameters
        .ok_or_else(|| ImportError::malformed(format!("{what} parameters are missing")))?;
    value(what, found)
}

pub(super) fn value<'a, T>(what: &str, found: AnyRef<'a>) -> Result<T, ImportError>
where
    T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
{
    found.decode_as().map_err(|error| ImportError::malformed(format!("{what}: {error}")))
}

//! SM2 keys in password-encrypted PKCS#8 PEM files.
//!
//! One format, all of it commercial cryptography:
//!
//! - PEM label `ENCRYPTED PRIVATE KEY`, an RFC 5958 `EncryptedPrivateKeyInfo`;
//! - PBES2 (RFC 8018, 6.2) with PBKDF2, PRF `hmacWithSM3`
//!   (1.2.156.10197.1.401.2), a 16-byte salt and 600,000 iterations;
//! - SM4-GCM (1.2.156.10197.1.104.8), parameters as RFC 5084 gives them for
//!   GCM: a 12-byte nonce and the 16-byte tag length;
//! - inside, an ordinary PKCS#8 key: `id-ecPublicKey` with the SM2 curve.
//!
//! Salt and nonce are fresh each time, so a key encrypts once. The tag makes a
//! wrong password and a changed file show at once, which CBC would not.
//!
//! **OpenSSL 3.0 cannot open these files**: its PBES2 takes no AEAD cipher.
//! **A node never reads or writes a key in the clear.** [`Imported`] reads the
//! files of other tools once, so that the key can be written in this format.

mod import;

pub use import::{EncryptedKey, ImportError, Imported, MAX_IMPORT_LEN};

use crate::{
    sm2::SecretKey,
    sm4::{self, TAG_LEN},
};
use ::sm2::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use der::{
    AnyRef, Decode, Document, Encode, Sequence,
    asn1::{Null, ObjectIdentifier, OctetStringRef},
    pem::LineEnding,
};
use zeroize::Zeroizing;

/// PBES2, RFC 8018 A.4.
const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
/// PBKDF2, RFC 8018 A.2.
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
/// HMAC with SM3, GM/T 0006 and GB/T 33560.
const HMAC_SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.2");
/// SM4 in GCM, GM/T 0006 and GB/T 33560.
const SM4_GCM: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.8");

/// The PEM label of RFC 7468, 11.
const LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// PBKDF2 iterations of new files: about a third of a second on a 2020s core.
const ITERATIONS: u32 = 600_000;
/// Iterations accepted when reading: fewer would be no protection, more would
/// let a file keep the node busy for minutes.
const ACCEPTED_ITERATIONS: std::ops::RangeInclusive<u32> = 10_000..=10_000_000;
/// Salt lengths accepted when reading, in bytes.
const ACCEPTED_SALT: std::ops::RangeInclusive<usize> = 8..=64;
/// The longest file read, in bytes; ours have about 500.
const MAX_FILE_LEN: usize = 8 * 1024;

/// Why a key file cannot be written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// A new file needs a password.
    #[error("the password of a key file must not be empty")]
    EmptyPassword,
    /// The tag of the encrypted key does not match.
    #[error("wrong password for the key file (or its encrypted part was changed)")]
    WrongPassword,
    /// The file holds a key in the clear, or is encrypted in another way than PKCS#8's.
    #[error(
        "the key file is labelled `{label}`; only encrypted keys are accepted, \
         labelled `ENCRYPTED PRIVATE KEY` (`billchain keys import` makes one from it)"
    )]
    NotEncrypted {
        /// The PEM label found.
        label: String,
    },
    /// The file is encrypted with an algorithm other than the one written here.
    #[error(
        "the key file uses {what} {found}, expected {expected} \
         (`billchain keys import` reads files of other tools)"
    )]
    UnsupportedAlgorithm {
        /// Which algorithm of the file.
        what: &'static str,
        /// The object identifier found.
        found: String,
        /// The object identifier expected, with its name.
        expected: &'static str,
    },
    /// The file is not what it should be: cut off, mistyped or damaged.
    #[error("the key file is damaged: {what}")]
    Malformed {
        /// What does not parse, or which value is out of bounds.
        what: String,
    },
}

impl KeyFileError {
    fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }
}

#[derive(Sequence)]
struct EncryptedInfo<'a> {
    algorithm: Algorithm<'a>,
    encrypted: &'a OctetStringRef,
}

impl<'a> EncryptedInfo<'a> {
    fn of(document: &'a der::SecretDocument) -> Result<Self, KeyFileError> {
        Self::from_der(document.as_bytes())
            .map_err(|error| KeyFileError::malformed(format!("EncryptedPrivateKeyInfo: {error}")))
    }
}

#[derive(Sequence)]
struct Algorithm<'a> {
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct Pbes2Parameters<'a> {
    derivation: Algorithm<'a>,
    encryption: Algorithm<'a>,
}

#[derive(Sequence)]
struct Pbkdf2Parameters<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
    key_length: Option<u16>,
    prf: Option<Algorithm<'a>>,
}

#[derive(Sequence)]
struct GcmParameters<'a> {
    nonce: &'a OctetStringRef,
    // RFC 5084: absent means 12, which is never ours.
    tag_length: Option<u8>,
}

/// Encrypts `key` under `password`.
///
/// # Errors
/// [`KeyFileError::EmptyPassword`].
///
/// # Panics
/// If the operating system's random source fails, as
/// [`SecretKey::generate`] does.
pub fn encrypt_to_pem(key: &SecretKey, password: &[u8]) -> Result<String, KeyFileError> {
    if password.is_empty() {
        return Err(KeyFileError::EmptyPassword);
    }
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    getrandom::fill(&mut salt).expect("the operating system gives random bytes");
    getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
    let plain = ::sm2::SecretKey::from_slice(&*key.to_bytes())
        .expect("a secret key is in range")
        .to_pkcs8_der()
        .expect("a key of fixed length encodes");
    let encrypted = sm4::seal(&derive(password, &salt, ITERATIONS), &nonce, &[], plain.as_bytes())
        .expect("a key is shorter than GCM's limit");
    Ok(encode(&salt, &nonce, ITERATIONS, &encrypted).expect("three short octet strings encode"))
}

/// Reads a file made by [`encrypt_to_pem`].
///
/// # Errors
/// [`KeyFileError::WrongPassword`] when the password does not open it; the
/// other kinds say what is wrong with the file itself.
pub fn decrypt_from_pem(pem: &str, password: &[u8]) -> Result<SecretKey, KeyFileError> {
    let document = document_of(pem)?;
    let parsed = EncryptedInfo::of(&document)?;
    let parameters = Parameters::of(&parsed.algorithm)?;
    let key = derive(password, parameters.salt, parameters.iterations);
    let plain = sm4::open(&key, &parameters.nonce, &[], parsed.encrypted.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| KeyFileError::WrongPassword)?;
    secret_of(&plain)
}

/// The DER value in the PEM.
fn document_of(pem: &str) -> Result<der::SecretDocument, KeyFileError> {
    if pem.len() > MAX_FILE_LEN {
        let what = format!("{} bytes long, at most {MAX_FILE_LEN} expected", pem.len());
        return Err(KeyFileError::malformed(what));
    }
    // `Document` checks the outer tag and length before the label is known,
    // and a key in the clear passes through it: keep that copy wiped.
    let (label, document) = der::SecretDocument::from_pem(pem.trim())
        .map_err(|error| KeyFileError::malformed(format!("not PEM of a DER value: {error}")))?;
    if label != LABEL {
        return Err(KeyFileError::NotEncrypted { label: label.to_owned() });
    }
    Ok(document)
}

/// The key in what was encrypted.
fn secret_of(plain: &[u8]) -> Result<SecretKey, KeyFileError> {
    let secret = ::sm2::SecretKey::from_pkcs8_der(plain)
        .map_err(|error| KeyFileError::malformed(format!("decrypted key: {error}")))?;
    SecretKey::from_bytes(&Zeroizing::new(secret.to_bytes().into()))
        .map_err(|error| KeyFileError::malformed(format!("decrypted key: {error}")))
}

/// What a file says about how its key is encrypted.
struct Parameters<'a> {
    salt: &'a [u8],
    iterations: u32,
    nonce: [u8; 12],
}

impl<'a> Parameters<'a> {
    /// Checks the algorithms and every bound; no work is done for the password.
    fn of(algorithm: &Algorithm<'a>) -> Result<Self, KeyFileError> {
        expect_oid("encryption scheme", algorithm, PBES2, "1.2.840.113549.1.5.13 (PBES2)")?;
        let pbes2: Pbes2Parameters<'_> = parameters("PBES2", algorithm)?;

        expect_oid("key derivation", &pbes2.derivation, PBKDF2, "1.2.840.113549.1.5.12 (PBKDF2)")?;
        let pbkdf2: Pbkdf2Parameters<'_> = parameters("PBKDF2", &pbes2.derivation)?;
        let prf = pbkdf2.prf.as_ref().ok_or_else(|| KeyFileError::UnsupportedAlgorithm {
            what: "PBKDF2 PRF",
            found: "none (that is, HMAC-SHA1)".to_owned(),
            expected: "1.2.156.10197.1.401.2 (HMAC-SM3)",
        })?;
        expect_oid("PBKDF2 PRF", prf, HMAC_SM3, "1.2.156.10197.1.401.2 (HMAC-SM3)")?;
        let Null = parameters("PBKDF2 PRF", prf)?;
        let salt = pbkdf2.salt.as_bytes();
        if !ACCEPTED_SALT.contains(&salt.len()) {
            let what = format!("PBKDF2 salt of {} bytes, 8 to 64 expected", salt.len());
            return Err(KeyFileError::malformed(what));
        }
        if !ACCEPTED_ITERATIONS.contains(&pbkdf2.iterations) {
            let what = format!(
                "{} PBKDF2 iterations, {} to {} expected",
                pbkdf2.iterations,
                ACCEPTED_ITERATIONS.start(),
                ACCEPTED_ITERATIONS.end(),
            );
            return Err(KeyFileError::malformed(what));
        }
        if let Some(length) = pbkdf2.key_length.filter(|length| *length != 16) {
            let what = format!("PBKDF2 key length {length}, 16 expected");
            return Err(KeyFileError::malformed(what));
        }

        expect_oid("cipher", &pbes2.encryption, SM4_GCM, "1.2.156.10197.1.104.8 (SM4-GCM)")?;
        let gcm: GcmParameters<'_> = parameters("SM4-GCM", &pbes2.encryption)?;
        let nonce = gcm.nonce.as_bytes().try_into().map_err(|_| {
            let length = gcm.nonce.as_bytes().len();
            KeyFileError::malformed(format!("SM4-GCM nonce of {length} bytes, 12 expected"))
        })?;
        if gcm.tag_length.map(usize::from) != Some(TAG_LEN) {
            return Err(KeyFileError::malformed("SM4-GCM tag length other than 16"));
        }
        Ok(Self { salt, iterations: pbkdf2.iterations, nonce })
    }
}

/// Reads a file as far as that is possible without a password, and
/// `plain` as what a file holds encrypted: see [`crate::fuzzing::key_file`].
/// Returns whether the file is well-formed.
pub(crate) fn check_reading(pem: &str, plain: &[u8]) -> bool {
    if let Ok(secret) = secret_of(plain) {
        let again = SecretKey::from_bytes(&secret.to_bytes());
        assert!(again.is_ok_and(|again| again.public() == secret.public()));
    }
    let Ok(document) = document_of(pem) else { return false };
    let Ok(parsed) = EncryptedInfo::of(&document) else { return false };
    let Ok(found) = Parameters::of(&parsed.algorithm) else { return false };
    // Written again, it says the same.
    let again = encode(found.salt, &found.nonce, found.iterations, parsed.encrypted.as_bytes())
        .expect("what was read can be written");
    let document = document_of(&again).expect("what was written can be read");
    let parsed_again = EncryptedInfo::of(&document).expect("what was written can be read");
    let again = Parameters::of(&parsed_again.algorithm).expect("what was written can be read");
    assert_eq!(
        (again.salt, again.iterations, again.nonce, parsed_again.encrypted.as_bytes()),
        (found.salt, found.iterations, found.nonce, parsed.encrypted.as_bytes()),
    );
    true
}

fn expect_oid(
    what: &'static str,
    algorithm: &Algorithm<'_>,
    oid: ObjectIdentifier,
    expected: &'static str,
) -> Result<(), KeyFileError> {
    if algorithm.oid == oid {
        return Ok(());
    }
    Err(KeyFileError::UnsupportedAlgorithm { what, found: algorithm.oid.to_string(), expected })
}

fn parameters<'a, T>(what: &str, algorithm: &Algorithm<'a>) -> Result<T, KeyFileError>
where
    T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
{
    algorithm
        .parameters
        .ok_or_else(|| KeyFileError::malformed(format!("{what} parameters are missing")))?
        .decode_as()
        .map_err(|error| KeyFileError::malformed(format!("{what} parameters: {error}")))
}

fn derive(password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<[u8; 16]> {
    let mut key = Zeroizing::new([0; 16]);
    pbkdf2::pbkdf2_hmac::<::sm3::Sm3>(password, salt, iterations, &mut *key);
    key
}

fn encode(salt: &[u8], nonce: &[u8], iterations: u32, encrypted: &[u8]) -> der::Result<String> {
    let pbkdf2 = Pbkdf2Parameters {
        salt: OctetStringRef::new(salt)?,
        iterations,
        key_length: Some(16),
        prf: Some(Algorithm { oid: HMAC_SM3, parameters: Some(Null.into()) }),
    }
    .to_der()?;
    let gcm = GcmParameters {
        nonce: OctetStringRef::new(nonce)?,
        tag_length: Some(u8::try_from(TAG_LEN).expect("16 fits a byte")),
    }
    .to_der()?;
    let pbes2 = Pbes2Parameters {
        derivation: Algorithm { oid: PBKDF2, parameters: Some(AnyRef::from_der(&pbkdf2)?) },
        encryption: Algorithm { oid: SM4_GCM, parameters: Some(AnyRef::from_der(&gcm)?) },
    }
    .to_der()?;
    let file = EncryptedInfo {
        algorithm: Algorithm { oid: PBES2, parameters: Some(AnyRef::from_der(&pbes2)?) },
        encrypted: OctetStringRef::new(encrypted)?,
    };
    Document::encode_msg(&file)?.to_pem(LABEL, LineEnding::LF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_out_of_bounds_are_refused_before_any_work() {
        let cases = [
            (16, 12, 9_999, "9999 PBKDF2 iterations, 10000 to 10000000 expected"),
            (16, 12, 10_000_001, "10000001 PBKDF2 iterations, 10000 to 10000000 expected"),
            (16, 12, 0, "0 PBKDF2 iterations, 10000 to 10000000 expected"),
            (16, 12, u32::MAX, "4294967295 PBKDF2 iterations, 10000 to 10000000 expected"),
            (7, 12, 10_000, "PBKDF2 salt of 7 bytes, 8 to 64 expected"),
            (65, 12, 10_000, "PBKDF2 salt of 65 bytes, 8 to 64 expected"),
            (16, 11, 10_000, "SM4-GCM nonce of 11 bytes, 12 expected"),
            (16, 16, 10_000, "SM4-GCM nonce of 16 bytes, 12 expected"),
        ];
        for (salt, nonce, iterations, what) in cases {
            let pem = encode(&vec![1; salt], &vec![2; nonce], iterations, &[3; 64]);
            let error = decrypt_from_pem(&pem.expect("encodes"), b"x").expect_err("refused");
            assert_eq!(error, KeyFileError::malformed(what));
        }
    }

    #[test]
    fn an_encrypted_part_that_holds_no_key_is_refused() {
        for plain in [&b""[..], b"no key", &[0x30, 0x00]] {
            let sealed = sm4::seal(&derive(b"x", &[1; 16], 10_000), &[2; 12], &[], plain);
            let pem = encode(&[1; 16], &[2; 12], 10_000, &sealed.expect("short"));
            let error = decrypt_from_pem(&pem.expect("encodes"), b"x").expect_err("refused");
            assert!(error.to_string().contains("decrypted key"), "{error}");
        }
    }
}

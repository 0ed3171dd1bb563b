//! The DER structures that hold a private key.

use super::{
    EncryptedKey, ImportError, Imported,
    error::named,
    pbes2::{self, Algorithm},
};
use crate::sm2::{PublicKey, SecretKey};
use der::{
    AnyRef, Decode, ErrorKind, Sequence, SliceReader, Tag, Tagged,
    asn1::{BitStringRef, ObjectIdentifier, OctetStringRef},
};
use zeroize::Zeroizing;

/// First byte of every structure read here.
pub(super) const SEQUENCE: u8 = 0x30;

/// id-ecPublicKey, RFC 5480.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// The SM2 curve, GM/T 0006.
const SM2_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");
/// What tools call the algorithm: the curve, SM2 signatures, SM2 with SM3.
const SM2_ALGORITHMS: [ObjectIdentifier; 3] = [
    SM2_CURVE,
    ObjectIdentifier::new_unwrap("1.2.156.10197.1.301.1"),
    ObjectIdentifier::new_unwrap("1.2.156.10197.1.501"),
];
/// The version that a PKCS#12 keystore begins with.
const PKCS12_VERSION: &[u8] = &[3];

/// RFC 5958. Attributes are skipped.
#[derive(Sequence)]
struct PrivateKeyInfo<'a> {
    version: u8,
    algorithm: Algorithm<'a>,
    key: &'a OctetStringRef,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    attributes: Option<der::asn1::SetOfVec<AnyRef<'a>>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    public: Option<BitStringRef<'a>>,
}

/// RFC 5915.
#[derive(Sequence)]
struct EcPrivateKey<'a> {
    version: u8,
    key: &'a OctetStringRef,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    curve: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    public: Option<BitStringRef<'a>>,
}

/// Reads any of the structures, told apart by their first two parts.
pub(super) fn read(der: &[u8]) -> Result<Imported, ImportError> {
    let outer = AnyRef::from_der(der).map_err(|error| structure("the file", &error, der))?;
    if outer.tag() != Tag::Sequence {
        return Err(ImportError::malformed(format!("expected a SEQUENCE, found {}", outer.tag())));
    }
    let (first, second) = first_two(outer.value())?;
    match (first.tag(), second.tag()) {
        (Tag::Integer, Tag::Sequence) if first.value() == PKCS12_VERSION => {
            Err(ImportError::UnknownFormat { found: "a PKCS#12 keystore".into() })
        }
        (Tag::Integer, Tag::Sequence) => pkcs8(der).map(Imported::Plain),
        (Tag::Integer, Tag::OctetString) => {
            sec1(der, CurveNamed::InTheKey, None).map(Imported::Plain)
        }
        (Tag::Integer, Tag::Integer) => {
            Err(ImportError::OtherAlgorithm { found: "RSA or DSA, in a format of its own".into() })
        }
        (Tag::Sequence, Tag::OctetString) => {
            EncryptedKey::of(&decode("EncryptedPrivateKeyInfo", der)?).map(Imported::Encrypted)
        }
        (Tag::Sequence, Tag::BitString) => {
            Err(ImportError::NoPrivateKey { found: "a public key".into() })
        }
        (Tag::Sequence, Tag::Sequence) => {
            Err(ImportError::NoPrivateKey { found: "a certificate or a request for one".into() })
        }
        (first, second) => {
            let what = format!("a SEQUENCE of {first} and {second} is no private key");
            Err(ImportError::malformed(what))
        }
    }
}

/// The key that was encrypted. What does not even begin like a key was
/// decrypted with a wrong password: CBC lets one in 256 of those through.
pub(super) fn decrypted(plain: &[u8]) -> Result<SecretKey, ImportError> {
    let begins = AnyRef::from_der(plain).is_ok_and(|outer| {
        outer.tag() == Tag::Sequence
            && first_two(outer.value()).is_ok_and(|(first, _)| first.tag() == Tag::Integer)
    });
    if !begins {
        return Err(ImportError::WrongPassword);
    }
    match read(plain)? {
        Imported::Plain(key) => Ok(key),
        Imported::Encrypted(_) => Err(ImportError::malformed("a key encrypted twice")),
    }
}

fn first_two(body: &[u8]) -> Result<(AnyRef<'_>, AnyRef<'_>), ImportError> {
    let mut parts = SliceReader::new(body).map_err(ImportError::malformed)?;
    let mut next = || AnyRef::decode(&mut parts).map_err(|e| structure("the key", &e, body));
    Ok((next()?, next()?))
}

fn decode<'a, T>(what: &'static str, der: &'a [u8]) -> Result<T, ImportError>
where
    T: Decode<'a, Error = der::Error>,
{
    T::from_der(der).map_err(|error| structure(what, &error, der))
}

fn structure(what: &str, error: &der::Error, der: &[u8]) -> ImportError {
    match error.kind() {
        ErrorKind::Incomplete { expected_len, .. } => ImportError::Truncated {
            what: format!("{what} says it has {expected_len} bytes, found {}", der.len()),
        },
        _ => ImportError::malformed(format!("{what}: {error}")),
    }
}

/// Where the curve of a SEC1 key is named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CurveNamed {
    /// In the key itself.
    InTheKey,
    /// In the PKCS#8 structure around it.
    Around,
}

fn pkcs8(der: &[u8]) -> Result<SecretKey, ImportError> {
    let info: PrivateKeyInfo<'_> = decode("PrivateKeyInfo", der)?;
    let curve = info.algorithm.parameters.filter(|found| found.tag() != Tag::Null);
    if let Some(curve) = curve
        && (info.algorithm.oid == EC || SM2_ALGORITHMS.contains(&info.algorithm.oid))
    {
        expect_curve(curve)?;
    }
    let named_in = match (info.algorithm.oid, curve) {
        (EC, None) => CurveNamed::InTheKey,
        (EC, Some(_)) => CurveNamed::Around,
        (oid, _) if SM2_ALGORITHMS.contains(&oid) => CurveNamed::Around,
        (oid, _) => return Err(ImportError::OtherAlgorithm { found: named(&oid) }),
    };
    sec1(info.key.as_bytes(), named_in, info.public)
}

fn sec1(
    der: &[u8],
    named_in: CurveNamed,
    public_around: Option<BitStringRef<'_>>,
) -> Result<SecretKey, ImportError> {
    let key: EcPrivateKey<'_> = decode("ECPrivateKey", der)?;
    if key.version != 1 {
        return Err(ImportError::malformed(format!("ECPrivateKey version {}", key.version)));
    }
    let publics = || [key.public, public_around].into_iter().flatten();
    match key.curve {
        Some(curve) => expect_curve(curve)?,
        // The public key shows the curve where nothing names it.
        None if named_in == CurveNamed::InTheKey && publics().next().is_none() => {
            return Err(ImportError::NoCurve);
        }
        None => {}
    }
    let secret = scalar(key.key.as_bytes())?;
    if publics().any(|bits| !bits.as_bytes().is_some_and(|bytes| belongs(bytes, &secret))) {
        return Err(ImportError::PublicKeyMismatch);
    }
    Ok(secret)
}

/// Whether the SEC1 point is the secret key's.
fn belongs(point: &[u8], secret: &SecretKey) -> bool {
    PublicKey::from_sec1(point).is_ok_and(|public| public == secret.public())
}

/// The private number, which old tools write without its leading zeros, or
/// with one more.
fn scalar(bytes: &[u8]) -> Result<SecretKey, ImportError> {
    let mut padded = Zeroizing::new([0; 32]);
    let digits = match bytes {
        [0, rest @ ..] if rest.len() == padded.len() => rest,
        _ => bytes,
    };
    if digits.is_empty() || digits.len() > padded.len() {
        let what = format!("a private key of {} bytes, 32 expected", bytes.len());
        return Err(ImportError::malformed(what));
    }
    let at = padded.len() - digits.len();
    padded[at..].copy_from_slice(digits);
    SecretKey::from_bytes(&padded).map_err(ImportError::malformed)
}

fn expect_curve(parameter: AnyRef<'_>) -> Result<(), ImportError> {
    match parameter.tag() {
        Tag::ObjectIdentifier => {
            let found: ObjectIdentifier = pbes2::value("curve", parameter)?;
            if found == SM2_CURVE {
                return Ok(());
            }
            Err(ImportError::OtherCurve { found: named(&found) })
        }
        Tag::Sequence => {
            Err(ImportError::OtherCurve { found: "written out in numbers, not named".into() })
        }
        other => Err(ImportError::malformed(format!("the curve is a {other}"))),
    }
}

//! Why a key file of another tool cannot be imported.

/// Why a file holds no SM2 key that can be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Nothing is in the file.
    #[error("the file is empty; expected a private key in PEM or DER")]
    Empty,
    /// More bytes than any key file has.
    #[error("the file has {found} bytes; a key file has at most {max}")]
    TooLong {
        /// Length of the file.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// Neither PEM nor DER of a key.
    #[error("no key file: found {found}; expected PEM (\"-----BEGIN … PRIVATE KEY-----\") or DER")]
    UnknownFormat {
        /// What the file looks like.
        found: String,
    },
    /// The file ends before the key does.
    #[error("the file is cut off: {what}")]
    Truncated {
        /// What is missing.
        what: String,
    },
    /// A public key or a certificate.
    #[error("the file holds {found} and no private key")]
    NoPrivateKey {
        /// What the file holds.
        found: String,
    },
    /// More than one private key.
    #[error("the file holds {found} private keys; expected one")]
    SeveralKeys {
        /// How many.
        found: usize,
    },
    /// A key of another algorithm.
    #[error("the key's algorithm is {found}; expected SM2")]
    OtherAlgorithm {
        /// Name and object identifier.
        found: String,
    },
    /// A key on another curve.
    #[error("the key's curve is {found}; expected SM2's, 1.2.156.10197.1.301 (sm2p256v1)")]
    OtherCurve {
        /// Name and object identifier.
        found: String,
    },
    /// The file says nothing of the curve.
    #[error("the file names no curve and has no public key that would show it to be SM2's")]
    NoCurve,
    /// The public key of the file is not the private key's.
    #[error("the public key in the file does not belong to its private key on the SM2 curve")]
    PublicKeyMismatch,
    /// An encryption that is not read.
    #[error(
        "the key is encrypted with {what} {found}; read are PBES2 with PBKDF2 \
         (HMAC-SHA1, -SHA2 or -SM3) and AES-CBC, SM4-CBC or SM4-GCM; \
         the tool that wrote the file can convert it, for instance: \
         openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW"
    )]
    UnsupportedEncryption {
        /// Which part of the encryption.
        what: &'static str,
        /// Name and object identifier.
        found: String,
    },
    /// The password does not decrypt the key.
    #[error("wrong password for the key (or its encrypted part was changed)")]
    WrongPassword,
    /// A value is not what the format has.
    #[error("the key file is damaged: {what}")]
    Malformed {
        /// What does not parse, or which value is out of bounds.
        what: String,
    },
}

impl ImportError {
    pub(super) fn malformed(what: impl core::fmt::Display) -> Self {
        Self::Malformed { what: what.to_string() }
    }
}

/// Names of object identifiers that key files have, for messages.
const NAMES: &[(&str, &str)] = &[
    ("1.2.840.10045.2.1", "id-ecPublicKey"),
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.112", "Ed25519"),
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.2.156.10197.1.302", "SM9"),
    ("1.2.840.113549.3.7", "DES-EDE3-CBC"),
    ("1.3.14.3.2.7", "DES-CBC"),
    ("1.2.840.113549.1.5.3", "pbeWithMD5AndDES-CBC"),
    ("1.2.840.113549.1.12.1.3", "pbeWithSHA1And3-KeyTripleDES-CBC"),
    ("1.2.840.113549.1.12.1.6", "pbeWithSHA1And40BitRC2-CBC"),
    ("1.3.6.1.4.1.11591.4.11", "scrypt"),
    ("2.16.840.1.101.3.4.1.6", "AES-128-GCM"),
    ("2.16.840.1.101.3.4.1.46", "AES-256-GCM"),
    ("1.2.392.200011.61.1.1.1.4", "Camellia-256-CBC"),
];

/// Name and number of an object identifier, or its number alone.
pub(super) fn named(oid: &der::asn1::ObjectIdentifier) -> String {
    let number = oid.to_string();
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => format!("{name} ({number})"),
        None => number,
    }
}

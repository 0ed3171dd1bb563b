//! Keys, signatures and key files.

use crate::Verdict;
use billchain_crypto::{
    fuzzing, keyfile,
    sm2::{DEFAULT_ID, PublicKey, SecretKey, Signature},
};

/// An SM2 signature by its bytes (key 33, signature 64, message), judged by
/// every path of our verification and by RustCrypto's.
pub fn sm2_verify_raw(data: &[u8]) -> Verdict {
    fuzzing::verify_raw(data);
    let parts = data.split_first_chunk::<33>().and_then(|(key, rest)| {
        let (signature, message) = rest.split_first_chunk::<64>()?;
        let key = PublicKey::from_compressed(key).ok()?;
        Some(key.verify(DEFAULT_ID, message, &Signature::from_bytes(signature).ok()?))
    });
    (parts == Some(true)).into()
}

/// A valid SM2 signature damaged as the bytes say, judged in the same way.
pub fn sm2_verify_damaged(data: &[u8]) -> Verdict {
    fuzzing::verify_damaged(data);
    Verdict::Accepted
}

/// Encodings of SM2 public keys (SEC1), signatures (r ‖ s, and DER) and secret
/// keys: each accepted one is the only one of its value.
pub fn sm2_encodings(data: &[u8]) -> Verdict {
    let mut accepted = false;
    if let Ok(key) = PublicKey::from_sec1(data) {
        let (short, long) = (key.to_compressed(), key.to_uncompressed());
        assert!(data == short || data == long, "a key has another form");
        assert_eq!(PublicKey::from_sec1(&short), Ok(key));
        assert_eq!(PublicKey::from_sec1(&long), Ok(key));
        accepted = true;
    }
    if let Ok(signature) = Signature::from_der(data) {
        assert_eq!(signature.to_der(), data);
        assert_eq!(Signature::from_bytes(&signature.to_bytes()), Ok(signature));
        accepted = true;
    }
    if let Ok(bytes) = data.try_into()
        && let Ok(signature) = Signature::from_bytes(bytes)
    {
        assert_eq!(&signature.to_bytes(), bytes);
        assert_eq!(Signature::from_der(&signature.to_der()), Ok(signature));
        accepted = true;
    }
    if let Ok(bytes) = data.try_into()
        && let Ok(secret) = SecretKey::from_bytes(bytes)
    {
        assert_eq!(&*secret.to_bytes(), bytes);
        assert!(PublicKey::from_compressed(&secret.public().to_compressed()).is_ok());
        accepted = true;
    }
    accepted.into()
}

/// PKCS#8 key files (PEM), up to where the password is needed, and the key
/// inside.
pub fn key_file(data: &[u8]) -> Verdict {
    fuzzing::key_file(data).into()
}

/// Encrypted files of snapshots.
pub fn sealed_container(data: &[u8]) -> Verdict {
    fuzzing::container(data).into()
}

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let secret = SecretKey::from_seed(b"fuzzing");
    let public = secret.public();
    let message = b"message digest";
    let signature = secret.sign(DEFAULT_ID, message);
    match name {
        "sm2_verify_raw" => vec![
            [&public.to_compressed()[..], &signature.to_bytes(), message].concat(),
            [&public.to_compressed()[..], &[0; 64]].concat(),
        ],
        "sm2_verify_damaged" => vec![
            b"the seed\0\0message".to_vec(),
            [&b"the seed"[..], &[40, 1, 0, 0], message].concat(),
            [&b"another."[..], &[0, 1, 96, 0x80, 33, 0xff, 0, 0], message].concat(),
        ],
        "sm2_encodings" => vec![
            public.to_compressed().to_vec(),
            public.to_uncompressed().to_vec(),
            signature.to_bytes().to_vec(),
            signature.to_der(),
            secret.to_bytes().to_vec(),
        ],
        "key_file" => {
            // Salt and nonce differ each time, the form does not.
            let pem = keyfile::encrypt_to_pem(&secret, b"fuzzing").expect("a password");
            vec![pem.into_bytes()]
        }
        // The nonce differs each time, the form does not.
        "sealed_container" => {
            [0, 1, 100, 70_000].map(|length| fuzzing::container_sample(&vec![7; length])).to_vec()
        }
        _ => Vec::new(),
    }
}

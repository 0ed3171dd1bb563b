//! Key files: what is written, what is read back, what is refused and why.

use crate::vectors::standard_key;
use billchain_crypto::keyfile::{KeyFileError, decrypt_from_pem, encrypt_to_pem};
use sm2::pkcs8::{EncodePrivateKey, LineEnding};
use std::sync::LazyLock;

/// One file for all tests: deriving its key takes a third of a second.
static FILE: LazyLock<String> = LazyLock::new(|| {
    encrypt_to_pem(&standard_key(), b"correct horse").expect("a password is given")
});

fn malformed(result: Result<billchain_crypto::sm2::SecretKey, KeyFileError>) -> String {
    match result {
        Err(KeyFileError::Malformed { what }) => what,
        other => panic!("expected Malformed, got {other:?}"),
    }
}

fn der() -> Vec<u8> {
    let (label, document) = sm2::pkcs8::der::Document::from_pem(&FILE).expect("PEM");
    assert_eq!(label, "ENCRYPTED PRIVATE KEY");
    document.as_bytes().to_vec()
}

fn pem(der: &[u8]) -> String {
    sm2::pkcs8::der::pem::encode_string("ENCRYPTED PRIVATE KEY", LineEnding::LF, der)
        .expect("short enough")
}

/// The file with one run of bytes replaced by another of the same length.
fn with(old: &str, new: &str) -> String {
    let (old, new) = (hex::decode(old).expect("hex"), hex::decode(new).expect("hex"));
    let mut bytes = der();
    let places: Vec<usize> =
        (0..bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(&old)).collect();
    assert_eq!(places.len(), 1, "the bytes to replace occur once");
    bytes[places[0]..places[0] + new.len()].copy_from_slice(&new);
    pem(&bytes)
}

#[test]
fn a_key_comes_back_with_its_password() {
    let key = decrypt_from_pem(&FILE, b"correct horse").expect("the right password");
    assert_eq!(key.public(), standard_key().public());
    assert_eq!(key.to_bytes(), standard_key().to_bytes());
}

#[test]
fn white_space_around_the_file_and_windows_line_ends_are_fine() {
    let edited = format!("\n  \n{}\n\n", FILE.replace('\n', "\r\n"));
    assert!(decrypt_from_pem(&edited, b"correct horse").is_ok());
}

#[test]
fn the_file_does_not_contain_the_key_and_differs_each_time() {
    let secret = standard_key().to_bytes();
    assert!(!der().windows(8).any(|window| window == &secret[..8]));
    let again = encrypt_to_pem(&standard_key(), b"correct horse").expect("a password is given");
    assert_ne!(*FILE, again);
}

#[test]
fn a_wrong_password_is_called_that() {
    for password in [&b"correct horsE"[..], b"", b"correct horse "] {
        let error = decrypt_from_pem(&FILE, password).expect_err("the wrong password");
        assert_eq!(error, KeyFileError::WrongPassword);
    }
}

#[test]
fn an_empty_password_is_refused_when_writing() {
    assert_eq!(encrypt_to_pem(&standard_key(), b""), Err(KeyFileError::EmptyPassword));
}

#[test]
fn a_key_in_the_clear_is_refused() {
    let key = sm2::SecretKey::from_slice(&*standard_key().to_bytes()).expect("a valid key");
    let plain = key.to_pkcs8_pem(LineEnding::LF).expect("encodes");
    let error = decrypt_from_pem(&plain, b"any").expect_err("not encrypted");
    assert_eq!(error, KeyFileError::NotEncrypted { label: "PRIVATE KEY".into() });
    assert!(error.to_string().contains("only encrypted keys are accepted"));
}

#[test]
fn every_truncation_is_refused_without_a_panic() {
    for length in 0..FILE.trim_end().len() {
        if FILE.is_char_boundary(length) {
            malformed(decrypt_from_pem(&FILE[..length], b"correct horse"));
        }
    }
    let bytes = der();
    for length in 0..bytes.len() {
        malformed(decrypt_from_pem(&pem(&bytes[..length]), b"correct horse"));
    }
}

#[test]
fn damage_to_any_byte_is_refused() {
    // Wrong structure is refused at once; a wrong salt, nonce or ciphertext only
    // after deriving a key, so of those only the first and last bytes are tried.
    let bytes = der();
    let place = |header: &[u8]| {
        let at = bytes.windows(header.len()).position(|window| window == header);
        at.expect("the file has this part") + header.len()
    };
    let (salt, nonce, cipher) = (place(&[4, 16]), place(&[4, 12]), place(&[4, 129, 154]));
    let slow = [salt + 1..salt + 15, nonce + 1..nonce + 11, cipher + 1..bytes.len() - 1];
    for index in (0..bytes.len()).filter(|index| !slow.iter().any(|part| part.contains(index))) {
        let mut changed = bytes.clone();
        changed[index] ^= 0x40;
        let result = decrypt_from_pem(&pem(&changed), b"correct horse");
        assert!(result.is_err(), "byte {index} of {}", bytes.len());
    }
}

#[test]
fn rubbish_is_refused() {
    for rubbish in
        ["", "-----BEGIN", "hello", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "\u{7968}"]
    {
        malformed(decrypt_from_pem(rubbish, b"x"));
    }
    let twice = format!("{}{}", *FILE, *FILE);
    malformed(decrypt_from_pem(&twice, b"correct horse"));
    let what = malformed(decrypt_from_pem(&"x".repeat(9000), b"x"));
    assert!(what.contains("9000 bytes long"), "{what}");
}

#[test]
fn other_algorithms_are_named() {
    let cases = [
        // The last byte of an object identifier of the same length.
        ("06092a864886f70d01050d", "06092a864886f70d01050c", "encryption scheme"),
        ("06092a864886f70d01050c", "06092a864886f70d01050e", "key derivation"),
        ("2a811ccf5501831102", "2a811ccf5501831103", "PBKDF2 PRF"),
        ("2a811ccf55016808", "2a811ccf55016802", "cipher"),
    ];
    for (old, new, named) in cases {
        match decrypt_from_pem(&with(old, new), b"correct horse") {
            Err(KeyFileError::UnsupportedAlgorithm { what, .. }) => assert_eq!(what, named),
            other => panic!("{named}: {other:?}"),
        }
    }
}

//! OpenSSL's command line as a second witness: it accepts what this crate
//! makes, and this crate accepts what it makes.

use billchain_crypto::{
    keyfile::{decrypt_from_pem, encrypt_to_pem},
    sm2::{DEFAULT_ID, PublicKey, SecretKey, Signature},
    sm3::{hmac_sm3, sm3},
};
use sm2::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A directory for the files OpenSSL works on, and the runs of it there.
pub(crate) struct Witness {
    directory: TempDir,
}

impl Witness {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("writing to the temporary directory");
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("openssl wrote the file")
    }

    /// Runs `openssl` and gives its standard output if it exits with 0.
    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .unwrap_or_else(|error| {
                panic!(
                    "these tests need the `openssl` command, version 3.0 or later, \
                     and could not run it: {error}"
                )
            });
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    pub(crate) fn expect(&self, arguments: &[&str]) -> Vec<u8> {
        self.run(arguments)
            .unwrap_or_else(|error| panic!("openssl {} failed:\n{error}", arguments.join(" ")))
    }

    fn text(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.expect(arguments)).expect("openssl prints ASCII here")
    }
}

fn messages() -> Vec<Vec<u8>> {
    let mut messages = vec![
        b"message digest".to_vec(),
        "财政电子票据".as_bytes().to_vec(),
        vec![0],
        vec![0xff; 55],
        (0..=255).collect(),
    ];
    // Around the block boundary, where Z_A ‖ M needs one block more, and long.
    messages.extend([23, 24, 32, 33, 100_000].map(|length| vec![b'm'; length]));
    messages
}

fn private_pem(key: &SecretKey) -> String {
    let key = sm2::SecretKey::from_slice(&*key.to_bytes()).expect("a valid key");
    key.to_pkcs8_pem(LineEnding::LF).expect("encodes").to_string()
}

fn public_pem(key: &PublicKey) -> String {
    let key = sm2::PublicKey::from_sec1_bytes(&key.to_uncompressed()).expect("a valid key");
    key.to_public_key_pem(LineEnding::LF).expect("encodes")
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

const SM2_OPTIONS: [&str; 5] = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"];

#[test]
fn openssl_verifies_our_signatures() {
    let witness = Witness::new();
    for (index, message) in messages().into_iter().enumerate() {
        let key = SecretKey::from_seed(&[index as u8]);
        let public = witness.write("public.pem", public_pem(&key.public()));
        let message_file = witness.write("message", &message);
        let signature = witness.write("signature", key.sign(DEFAULT_ID, &message).to_der());
        let verify = |signature: &Path| {
            let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey", utf8(&public)];
            arguments.extend(["-in", utf8(&message_file), "-sigfile", utf8(signature)]);
            arguments.extend(SM2_OPTIONS);
            witness.run(&arguments)
        };
        verify(&signature).unwrap_or_else(|error| panic!("message {index}: {error}"));

        let other = witness.write("other", key.sign(b"another id", &message).to_der());
        assert!(verify(&other).is_err(), "message {index}: signed under another id");
    }
}

#[test]
fn we_verify_openssls_signatures() {
    let witness = Witness::new();
    for (index, message) in messages().into_iter().enumerate() {
        witness.expect(&["genpkey", "-algorithm", "SM2", "-out", "private.pem"]);
        let pem = fs::read_to_string(witness.path("private.pem")).expect("written by openssl");
        let secret = sm2::SecretKey::from_pkcs8_pem(&pem).expect("a key made by openssl");
        let key = SecretKey::from_bytes(&secret.to_bytes().into()).expect("in range");

        witness.write("message", &message);
        let mut arguments = vec!["pkeyutl", "-sign", "-inkey", "private.pem", "-in", "message"];
        arguments.extend(["-out", "signature"]);
        arguments.extend(SM2_OPTIONS);
        witness.expect(&arguments);
        let der = fs::read(witness.path("signature")).expect("written by openssl");
        let signature = Signature::from_der(&der).expect("made by openssl");

        assert!(key.public().verify(DEFAULT_ID, &message, &signature), "message {index}");
        assert!(!key.public().verify(b"another id", &message, &signature), "message {index}");
        let mut changed = message.clone();
        changed[0] ^= 1;
        assert!(!key.public().verify(DEFAULT_ID, &changed, &signature), "message {index}");
    }
}

#[test]
fn openssl_derives_the_same_public_keys() {
    let witness = Witness::new();
    for seed in 0..4u8 {
        let key = SecretKey::from_seed(&[seed]);
        witness.write("private.pem", private_pem(&key));
        let arguments = ["pkey", "-in", "private.pem", "-pubout", "-outform", "DER"];
        let der = witness.expect(&arguments);
        assert!(der.ends_with(&key.public().to_uncompressed()), "seed {seed}");
    }
}

#[test]
fn openssl_hashes_the_same() {
    let witness = Witness::new();
    for message in messages().into_iter().chain([vec![]]) {
        witness.write("message", &message);
        let printed = witness.text(&["dgst", "-sm3", "-r", "message"]);
        assert!(printed.starts_with(&hex::encode(sm3(&message))), "{printed}");

        let arguments =
            ["dgst", "-sm3", "-mac", "hmac", "-macopt", "hexkey:0102ff", "-r", "message"];
        let printed = witness.text(&arguments);
        let ours = hex::encode(hmac_sm3(&[1, 2, 0xff], &message));
        assert!(printed.starts_with(&ours), "{printed}");
    }
}

#[test]
fn openssl_reads_the_structure_of_our_key_files() {
    let witness = Witness::new();
    let key = SecretKey::from_seed(b"key file");
    let pem = encrypt_to_pem(&key, b"password").expect("a password is given");
    assert!(decrypt_from_pem(&pem, b"password").is_ok());
    witness.write("key.pem", &pem);

    let printed = witness.text(&["asn1parse", "-in", "key.pem"]);
    for expected in ["PBES2", "PBKDF2", "INTEGER           :0927C0", "INTEGER           :10"] {
        assert!(printed.contains(expected), "{expected} is not in\n{printed}");
    }
    // Documented in the module: OpenSSL 3.0 knows no AEAD cipher in PBES2.
    let arguments = ["pkey", "-in", "key.pem", "-passin", "pass:password", "-noout"];
    assert!(witness.run(&arguments).is_err(), "openssl opens our key files: say so in the docs");
}

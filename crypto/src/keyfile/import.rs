//! Import of SM2 private keys from the files of other tools.
//!
//! Read: PKCS#8 (RFC 5958), plain or encrypted, and SEC1 (RFC 5915), each as
//! DER or PEM. OpenSSL, GmSSL and Bouncy Castle write these. The algorithm may
//! be `id-ecPublicKey` with the SM2 curve as parameter, or an identifier of
//! SM2 itself.
//!
//! Encrypted keys: PBES2 with PBKDF2 over HMAC with SHA-1, SHA-2 or SM3, and
//! AES-CBC, SM4-CBC or SM4-GCM. Everything else is refused by its name.
//!
//! The file is untrusted: its length and its PBKDF2 iterations are bounded, and
//! a public key in it must belong to the private key.
//!
//! A node never signs with a file of this kind. It is imported once, and
//! [`super::encrypt_to_pem`] writes the key anew.

mod container;
mod error;
mod pbes2;
mod pem;

pub use error::ImportError;
pub use pbes2::EncryptedKey;

use crate::sm2::SecretKey;

/// The longest file that is read, in bytes.
pub const MAX_IMPORT_LEN: usize = 64 * 1024;

/// What a file holds.
#[derive(Debug)]
pub enum Imported {
    /// A key in the clear.
    Plain(SecretKey),
    /// A key that needs its password.
    Encrypted(EncryptedKey),
}

impl Imported {
    /// Reads a DER or PEM file. A PEM file may hold other blocks, such as
    /// parameters or certificates, beside one private key.
    ///
    /// # Errors
    /// [`ImportError`] says what the file holds instead of an SM2 key.
    pub fn read(file: &[u8]) -> Result<Self, ImportError> {
        if file.len() > MAX_IMPORT_LEN {
            return Err(ImportError::TooLong { found: file.len(), max: MAX_IMPORT_LEN });
        }
        if file.iter().all(u8::is_ascii_whitespace) {
            return Err(ImportError::Empty);
        }
        if file.first() == Some(&container::SEQUENCE) && !pem::is_text(file) {
            return container::read(file);
        }
        container::read(&pem::private_key(file)?)
    }
}

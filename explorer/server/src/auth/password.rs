//! Passwords: argon2id, a bounded number at once, and the same time for a name that nobody has.

use crate::random;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use std::sync::Arc;
use tokio::{sync::Semaphore, task::spawn_blocking};
use zeroize::Zeroizing;

/// Memory of one hash in KiB and its passes: RFC 9106's second recommendation, with less memory.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Hashes that are made at once: each holds its memory.
const AT_ONCE: usize = 4;
/// Shortest and longest password that somebody may choose, in characters.
pub const LENGTHS: std::ops::RangeInclusive<usize> = 12..=128;

/// Makes and checks hashes.
#[derive(Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
    /// A hash of nobody's password, judged where there is no user.
    nobody: Arc<str>,
}

/// A hash could not be made or judged.
#[derive(Debug, thiserror::Error)]
#[error("a password's hash cannot be made: {0}")]
pub struct Unhashed(String);

impl Passwords {
    /// Ready to hash.
    ///
    /// # Errors
    /// If argon2 cannot be used.
    pub fn new() -> Result<Self, Unhashed> {
        let nobody = hash(&random::password())?;
        Ok(Self { places: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into() })
    }

    /// The hash of a password, to be kept.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, Unhashed> {
        let _place = self.places.acquire().await.map_err(|e| Unhashed(e.to_string()))?;
        let done = spawn_blocking(move || hash(&password)).await;
        done.map_err(|e| Unhashed(e.to_string()))?
    }

    /// Whether a password is that of a hash; takes as long without one, and says no.
    ///
    /// # Errors
    /// If it cannot be judged.
    pub async fn is_right(
        &self,
        password: Zeroizing<String>,
        kept: Option<&str>,
    ) -> Result<bool, Unhashed> {
        let _place = self.places.acquire().await.map_err(|e| Unhashed(e.to_string()))?;
        let (known, kept) = (kept.is_some(), kept.unwrap_or(&self.nobody).to_owned());
        let judged = spawn_blocking(move || {
            let kept = PasswordHash::new(&kept).map_err(|e| Unhashed(e.to_string()))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
        });
        Ok(judged.await.map_err(|e| Unhashed(e.to_string()))?? && known)
    }
}

fn hash(password: &str) -> Result<String, Unhashed> {
    let unhashed = |error: &dyn std::fmt::Display| Unhashed(error.to_string());
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(|e| unhashed(&e))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = random::bytes::<16>();
    let made: PasswordHash =
        argon.hash_password_with_salt(password.as_bytes(), &salt).map_err(|e| unhashed(&e))?;
    Ok(made.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_opens_its_own_hash_and_no_other() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash(secret("correct horse battery")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(passwords.is_right(secret("correct horse battery"), Some(&kept)).await.unwrap());
        assert!(!passwords.is_right(secret("correct horse batterz"), Some(&kept)).await.unwrap());
        assert!(!passwords.is_right(secret(""), None).await.unwrap());
        assert_ne!(kept, passwords.hash(secret("correct horse battery")).await.unwrap());
    }

    #[tokio::test]
    async fn a_damaged_hash_is_an_error() {
        let passwords = Passwords::new().unwrap();
        assert!(passwords.is_right(secret("a"), Some("$argon2id$nothing")).await.is_err());
    }
}

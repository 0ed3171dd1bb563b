//! Secrets: tokens, passwords and salts from the system's generator.

use zeroize::Zeroizing;

/// Random bytes.
///
/// # Panics
/// If the system has no random numbers: nothing here is safe without.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

/// A name that nobody guesses: 64 hexadecimal digits.
pub fn token() -> String {
    hex::encode(bytes::<32>())
}

/// A password of 20 characters that is read to somebody without confusion (119 bits).
pub fn password() -> Zeroizing<String> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut password = Zeroizing::new(String::with_capacity(20));
    while password.len() < 20 {
        for byte in bytes::<32>() {
            // Values that would prefer some letters are drawn again.
            if let Some(letter) =
                LETTERS.get(usize::from(byte & 63)).filter(|_| password.len() < 20)
            {
                password.push(char::from(*letter));
            }
        }
    }
    password
}

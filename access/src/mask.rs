//! Personal data, masked for the log: enough to recognise, too little to tell.

use billchain_crypto::sm3::sm3;

/// A name: its first letter, and eight digits of its SM3, so that the same one is found
/// again by who knows it.
pub fn mask_name(name: &str) -> String {
    let first: String = name.chars().take(1).collect();
    format!("{first}***{}", hex::encode(&sm3(name.as_bytes())[..4]))
}

/// A reference in hex, such as a payer's: its first six digits.
pub fn mask_reference(reference: &str) -> String {
    let digits = reference.strip_prefix("0x").unwrap_or(reference);
    let first: String = digits.chars().take(6).filter(char::is_ascii_hexdigit).collect();
    format!("{first}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_told_and_is_found_again() {
        let masked = mask_name("张三丰");
        assert!(masked.starts_with("张***") && !masked.contains("三丰"), "{masked}");
        assert_eq!(masked, mask_name("张三丰"));
        assert_ne!(masked, mask_name("张三"));
        assert_eq!(mask_name("").chars().take(3).collect::<String>(), "***");
    }

    #[test]
    fn a_reference_keeps_six_digits() {
        assert_eq!(mask_reference("0x0123456789abcdef"), "012345…");
        assert_eq!(mask_reference("\"\n"), "…");
    }
}

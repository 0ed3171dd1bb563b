//! Personal data, masked for the log: enough to recognise, too little to tell.

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
    fn a_reference_keeps_six_digits() {
        assert_eq!(mask_reference("0x0123456789abcdef"), "012345…");
        assert_eq!(mask_reference("\"\n"), "…");
    }
}

//! One-time passwords by time (TOTP, RFC 6238): six digits, 30 s, HMAC-SHA1, which is what
//! authenticator apps have. A code is taken once.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

/// Seconds that a code lasts.
const STEP: u64 = 30;
/// Steps before and after the present one whose codes are taken, for clocks that differ.
const DRIFT: u64 = 1;

/// The step of a moment in milliseconds.
pub fn step_at(moment: u64) -> u64 {
    moment / 1000 / STEP
}

/// The code of a step.
fn code(secret: &[u8], step: u64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let part = [digest[at] & 127, digest[at + 1], digest[at + 2], digest[at + 3]];
    format!("{:06}", u32::from_be_bytes(part) % 1_000_000)
}

/// The step whose code was given, if it is near `now` (milliseconds) and after `last`, the step
/// of the code that was taken last.
pub fn accepted(secret: &[u8], given: &str, now: u64, last: u64) -> Option<u64> {
    let now = step_at(now);
    let steps = now.saturating_sub(DRIFT)..=now + DRIFT;
    steps
        .filter(|step| *step > last)
        .find(|step| code(secret, *step).as_bytes().ct_eq(given.as_bytes()).into())
}

/// The secret as people type it.
pub fn shown(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// The address that an authenticator app reads from a QR code.
pub fn address(secret: &[u8], name: &str) -> String {
    let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("otpauth://totp/BillChain:{name}?secret={}&issuer=BillChain", shown(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six of eight digits.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (second, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, second / STEP), expected, "{second}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_near_its_time() {
        let now = 1_111_111_111_000;
        let step = accepted(SECRET, "050471", now, 0).unwrap();
        assert_eq!(accepted(SECRET, "050471", now + 30_000, 0), Some(step));
        assert_eq!(accepted(SECRET, "050471", now, step), None);
        assert_eq!(accepted(SECRET, "050471", now + 90_000, 0), None);
        assert_eq!(accepted(SECRET, "050472", now, 0), None);
        assert_eq!(accepted(SECRET, "", now, 0), None);
    }
}

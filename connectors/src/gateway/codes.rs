//! Dynamic codes (授权动态码): each leads to one grant, once, for five minutes.

use billchain_primitives::{Hash, Moment};
use parking_lot::Mutex;
use std::collections::HashMap;

use super::Refusal;

/// How long a code lives, in milliseconds.
const LIFE: Moment = 300_000;
/// Most codes at a time.
const MAX_CODES: usize = 100_000;
/// Most codes of one grant at a time: a holder cannot take the room of others.
const MAX_OF_GRANT: usize = 4;

/// All codes that live.
#[derive(Default)]
pub(super) struct Codes(Mutex<HashMap<String, (Hash, Moment)>>);

impl Codes {
    /// A new code of a grant, and until when it lives.
    pub(super) fn issue(&self, grant: Hash, now: Moment) -> Result<(String, Moment), Refusal> {
        let mut codes = self.0.lock();
        codes.retain(|_, (_, until)| *until >= now);
        if codes.values().filter(|(known, _)| *known == grant).count() >= MAX_OF_GRANT {
            return Err(Refusal(429, format!("the grant has {MAX_OF_GRANT} codes already")));
        }
        if codes.len() >= MAX_CODES {
            return Err(Refusal(503, format!("there are {MAX_CODES} codes already")));
        }
        // 128 bits of a fresh secret key: nobody guesses a code.
        let secret = billchain_crypto::sm2::SecretKey::generate();
        let digest = billchain_crypto::sm3::sm3(secret.to_bytes().as_slice());
        let code = hex::encode(&digest[..16]);
        let until = now + LIFE;
        codes.insert(code.clone(), (grant, until));
        Ok((code, until))
    }

    /// The grant of a code that lives.
    pub(super) fn grant(&self, code: &str, now: Moment) -> Result<Hash, Refusal> {
        let codes = self.0.lock();
        let found = codes.get(code).filter(|(_, until)| *until >= now);
        found
            .map(|(grant, _)| *grant)
            .ok_or_else(|| Refusal(404, "the code is unknown or over".to_owned()))
    }

    /// Ends a code that was used.
    pub(super) fn spend(&self, code: &str) {
        self.0.lock().remove(code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_for_one_use_and_five_minutes_and_bounded_by_grant() {
        let codes = Codes::default();
        let grant = Hash::repeat_byte(1);
        let (code, until) = codes.issue(grant, 1_000).unwrap();
        assert_eq!(until, 301_000);
        assert_eq!(codes.grant(&code, 301_000), Ok(grant));
        assert!(codes.grant(&code, 301_001).is_err(), "over");
        codes.spend(&code);
        assert!(codes.grant(&code, 1_000).is_err(), "used");
        for _ in 0..MAX_OF_GRANT {
            codes.issue(grant, 1_000).unwrap();
        }
        assert_eq!(codes.issue(grant, 1_000).unwrap_err().0, 429);
        codes.issue(Hash::repeat_byte(2), 1_000).expect("another grant has room");
        codes.issue(grant, 302_000).expect("the old ones are over");
    }
}

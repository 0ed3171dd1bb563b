//! Login by signature: a challenge that was never used, signed by SM2 with a participant's
//! present key. A challenge belongs to the session that asked, lasts two minutes, and is
//! judged once.

use crate::random;
use billchain_crypto::{sm2, sm3::sm3};
use parking_lot::Mutex;
use std::collections::HashMap;

/// How long a challenge may be answered, in milliseconds.
const LASTS: u64 = 120_000;
/// Challenges that wait for an answer; the oldest gives way.
const MOST: usize = 4096;
/// What a participant's signature over a challenge begins with (docs/rpc.md).
const PREFIX: &[u8] = b"billchain identity challenge:";

/// A challenge.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Names it.
    pub id: String,
    /// The bytes that are asked about.
    pub bytes: [u8; 32],
    /// When it ends, in milliseconds.
    pub expires: u64,
}

impl Challenge {
    /// What has to be signed.
    pub fn message(&self) -> Vec<u8> {
        [PREFIX, self.bytes.as_slice()].concat()
    }
}

/// Challenges that wait.
#[derive(Default)]
pub struct Challenges(Mutex<HashMap<String, (Challenge, String)>>);

impl Challenges {
    /// A new challenge for whoever has this session's cookie.
    pub fn make(&self, session: &str, now: u64) -> Challenge {
        let challenge =
            Challenge { id: random::token(), bytes: random::bytes(), expires: now + LASTS };
        let mut waiting = self.0.lock();
        if waiting.len() >= MOST {
            waiting.retain(|_, (waiting, _)| waiting.expires > now);
        }
        if waiting.len() >= MOST {
            let oldest = waiting.values().min_by_key(|(waiting, _)| waiting.expires);
            let oldest = oldest.map(|(waiting, _)| waiting.id.clone());
            if let Some(id) = oldest {
                waiting.remove(&id);
            }
        }
        waiting.insert(challenge.id.clone(), (challenge.clone(), session.to_owned()));
        challenge
    }

    /// The challenge of this name, if it is that session's and still lasts; it is gone then.
    pub fn take(&self, id: &str, session: &str, now: u64) -> Option<Challenge> {
        let (challenge, owner) = self.0.lock().remove(id)?;
        (owner == session && challenge.expires > now).then_some(challenge)
    }
}

/// The account of a key that signed a challenge; none if it did not.
pub fn signer(challenge: &Challenge, key: &[u8; 33], signature: &[u8; 64]) -> Option<[u8; 32]> {
    sm2::verify(key, sm2::DEFAULT_ID, &challenge.message(), signature).ok()?;
    Some(sm3(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_answered_once_by_who_asked_and_in_time() {
        let challenges = Challenges::default();
        let made = challenges.make("mine", 0);
        assert!(challenges.take(&made.id, "other", 1).is_none());
        // Whoever tried with another session has spoilt it.
        assert!(challenges.take(&made.id, "mine", 1).is_none());
        let late = challenges.make("mine", 0);
        assert!(challenges.take(&late.id, "mine", LASTS).is_none());
        let good = challenges.make("mine", 0);
        assert!(challenges.take(&good.id, "mine", 1).is_some());
    }

    #[test]
    fn only_the_key_that_signed_is_the_signer() {
        let key = sm2::SecretKey::from_seed(b"one");
        let challenge = Challenges::default().make("", 0);
        let signature = key.sign(sm2::DEFAULT_ID, &challenge.message()).to_bytes();
        let public = key.public().to_compressed();
        assert_eq!(signer(&challenge, &public, &signature), Some(sm3(&public)));
        let other = sm2::SecretKey::from_seed(b"two").public().to_compressed();
        assert_eq!(signer(&challenge, &other, &signature), None);
        let second = Challenges::default().make("", 0);
        assert_eq!(signer(&second, &public, &signature), None);
        assert_eq!(signer(&challenge, &[0; 33], &[0; 64]), None);
    }

    #[test]
    fn waiting_challenges_are_bounded() {
        let challenges = Challenges::default();
        for at in 0..2 * MOST as u64 {
            challenges.make("", at);
        }
        assert!(challenges.0.lock().len() <= MOST);
    }
}

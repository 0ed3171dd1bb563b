//! The keys that a node holds, of which the chain's validator set names the one that signs.
//!
//! A node may hold the key that votes now and the one that will: which of them signs
//! follows from the set of each height, so no operator and no clock has to be in time.

use billchain_crypto::sm2::SecretKey;
use tokio::sync::watch;

use crate::types::{Address, Height, ValidatorSet};

/// The SM2 keys that a node holds. Clones see the same keys.
#[derive(Clone)]
pub struct HeldKeys(watch::Receiver<Vec<SecretKey>>);

impl HeldKeys {
    /// Keys that stay as they are; none for a node that follows without a vote.
    pub fn fixed(keys: impl IntoIterator<Item = SecretKey>) -> Self {
        Self::changing(keys).1
    }

    /// Keys that the sender may replace while the node runs. Of several that the
    /// validator set names the one that signed last goes on, else the first signs.
    pub fn changing(
        keys: impl IntoIterator<Item = SecretKey>,
    ) -> (watch::Sender<Vec<SecretKey>>, Self) {
        let (sender, receiver) = watch::channel(keys.into_iter().collect());
        (sender, Self(receiver))
    }

    /// The compressed public keys, in the order of the keys.
    pub fn public_keys(&self) -> Vec<[u8; 33]> {
        self.0.borrow().iter().map(|key| key.public().to_compressed()).collect()
    }

    /// The key to start with at a height: one of the set's, at best the one that signed
    /// last. That one too if it signed up to a height that is still to come: the node
    /// follows up to there, and chooses again. Without any it follows, in the name of the
    /// one that signed last or of the first.
    pub(crate) fn choose(
        &self,
        height: Height,
        validators: &ValidatorSet,
        signed: Option<(Address, Height)>,
    ) -> Option<SecretKey> {
        let keys = self.0.borrow();
        let is_last = |key: &&SecretKey| signed.is_some_and(|(last, _)| last == address(key));
        let is_ahead = signed.is_some_and(|(_, up_to)| up_to >= height);
        let votes = |key: &&SecretKey| validators.get(&address(key)).is_some();
        keys.iter()
            .find(|key| is_last(key) && (is_ahead || votes(key)))
            .or_else(|| keys.iter().find(votes))
            .or_else(|| keys.iter().find(is_last))
            .or_else(|| keys.first())
            .cloned()
    }

    /// The key that has to take over from `own`, which the set does not name.
    fn successor(&self, own: &Address, validators: &ValidatorSet) -> Option<Address> {
        if validators.get(own).is_some() {
            return None;
        }
        let keys = self.0.borrow();
        keys.iter().map(address).find(|key| validators.get(key).is_some())
    }
}

fn address(key: &SecretKey) -> Address {
    Address::from_public_key(&key.public())
}

/// The height that comes next and its validators.
pub(crate) type Electorate = (Height, ValidatorSet);

/// Resolves when a held key other than `own` signs from some height on, with that height;
/// never while `own` does, or none of them.
pub(crate) async fn another_signs(
    keys: HeldKeys,
    own: Address,
    mut sets: watch::Receiver<Electorate>,
) -> Height {
    let mut changes = keys.0.clone();
    loop {
        changes.mark_unchanged();
        {
            let next = sets.borrow_and_update();
            if keys.successor(&own, &next.1).is_some() {
                return next.0;
            }
        }
        tokio::select! {
            changed = sets.changed() => if changed.is_err() {
                return std::future::pending().await;
            },
            // Whoever keeps the keys may have ended: they stay as they are.
            Ok(()) = changes.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Validator;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed])
    }

    fn set(seeds: &[u8]) -> ValidatorSet {
        let validators = seeds.iter().map(|seed| Validator::new(key(*seed).public(), 1));
        ValidatorSet::new(validators).unwrap()
    }

    fn chosen(held: &[u8], in_set: &[u8], last: Option<u8>) -> Option<Address> {
        let keys = HeldKeys::fixed(held.iter().map(|seed| key(*seed)));
        let last = last.map(|seed| (address(&key(seed)), Height::new(4)));
        keys.choose(Height::new(5), &set(in_set), last).as_ref().map(address)
    }

    #[test]
    fn a_key_that_signed_further_on_is_followed_up_to_there() {
        let keys = HeldKeys::fixed([key(1), key(3)]);
        let signed = Some((address(&key(3)), Height::new(9)));
        for (height, expected) in [(5, 3), (9, 3), (10, 1)] {
            let chosen = keys.choose(Height::new(height), &set(&[1, 2]), signed);
            let expected = address(&key(expected));
            assert_eq!(chosen.as_ref().map(address), Some(expected), "at {height}");
        }
    }

    #[test]
    fn the_set_says_which_key_signs() {
        for (held, in_set, last, expected) in [
            (&[][..], &[1, 2][..], None, None),
            (&[1], &[1, 2], None, Some(1)),
            (&[1, 3], &[3, 2], None, Some(3)),
            // The one before signs no more, whatever it did last.
            (&[1, 3], &[3, 2], Some(1), Some(3)),
            // Both may: the one that signed last goes on.
            (&[1, 3], &[1, 3], Some(3), Some(3)),
            (&[1, 3], &[1, 3], None, Some(1)),
            // None may: it follows in the name of the one that signed last.
            (&[1, 3], &[2], Some(3), Some(3)),
            (&[1, 3], &[2], Some(9), Some(1)),
        ] {
            let expected = expected.map(|seed| address(&key(seed)));
            assert_eq!(chosen(held, in_set, last), expected, "{held:?} in {in_set:?}, {last:?}");
        }
    }

    #[tokio::test]
    async fn another_key_signs_when_the_set_names_it_and_it_is_held() {
        let (held, keys) = HeldKeys::changing([key(1)]);
        let (sets, receiver) = watch::channel((Height::new(5), set(&[1, 2])));
        let next = another_signs(keys, address(&key(1)), receiver);
        let mut next = std::pin::pin!(next);
        let pause = std::time::Duration::from_millis(50);
        let mut waits = async || tokio::time::timeout(pause, &mut next).await.ok();

        assert_eq!(waits().await, None, "the own key is in the set");
        held.send_replace(vec![key(1), key(3)]);
        assert_eq!(waits().await, None, "the other key is not");
        sets.send_replace((Height::new(8), set(&[4, 2])));
        assert_eq!(waits().await, None, "a key is in the set that nobody here holds");
        held.send_replace(vec![key(1), key(3), key(4)]);
        assert_eq!(waits().await, Some(Height::new(8)), "now somebody does");
    }

    #[tokio::test]
    async fn who_keeps_the_keys_may_end() {
        let (held, keys) = HeldKeys::changing([key(1), key(3)]);
        drop(held);
        let (sets, receiver) = watch::channel((Height::new(5), set(&[1, 2])));
        let next = tokio::spawn(another_signs(keys, address(&key(1)), receiver));
        tokio::task::yield_now().await;
        sets.send_replace((Height::new(6), set(&[3, 2])));
        assert_eq!(next.await.unwrap(), Height::new(6));
    }
}

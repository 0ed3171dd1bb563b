//! Headers that were asked for or came last: to give one, no block is read,
//! which may have megabytes and would push the state out of the store's cache.

use billchain_primitives::{Hash, Header};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Headers that are kept.
const KEPT: usize = 256;

/// The newest and last asked for headers, by their blocks' hashes.
#[derive(Debug, Default)]
pub(crate) struct Headers(Mutex<VecDeque<(Hash, Header)>>);

impl Headers {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(Hash, Header)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The header of a block, if it is kept; it is then kept longest.
    pub(crate) fn get(&self, hash: &Hash) -> Option<Header> {
        let mut kept = self.lock();
        // Clients ask for new ones.
        let place = kept.iter().rposition(|(of, _)| of == hash)?;
        let found = kept.remove(place)?;
        let header = found.1.clone();
        kept.push_back(found);
        Some(header)
    }

    /// Keeps a header instead of the one that was asked for longest ago.
    pub(crate) fn keep(&self, hash: Hash, header: Header) {
        let mut kept = self.lock();
        if kept.iter().any(|(of, _)| *of == hash) {
            return;
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((hash, header));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::traits::Header as _;

    fn header(number: u32) -> Header {
        let none = Hash::default();
        Header::new(number, none, none, none, Default::default())
    }

    #[test]
    fn what_was_asked_for_last_is_kept_longest() {
        let headers = Headers::default();
        let hash = |number: u32| Hash::from_low_u64_be(u64::from(number));
        for number in 0..KEPT as u32 {
            headers.keep(hash(number), header(number));
        }
        assert_eq!(headers.get(&hash(0)).map(|header| header.number), Some(0));
        headers.keep(hash(1_000), header(1_000));
        assert!(headers.get(&hash(1)).is_none());
        assert!(headers.get(&hash(0)).is_some() && headers.get(&hash(1_000)).is_some());
        assert_eq!(headers.lock().len(), KEPT);
    }
}

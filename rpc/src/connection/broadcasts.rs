//! Transactions that a connection has sent on until it says stop.

use parking_lot::Mutex;
use std::collections::HashMap;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Most transactions of one connection. The specification asks for 4 at least.
pub(crate) const MOST: usize = 16;

/// Transactions that a connection has sent on, by the ids of the operations.
#[derive(Debug, Default)]
pub(crate) struct Broadcasts(Mutex<HashMap<String, DropGuard>>);

impl Broadcasts {
    /// Begins one: its id, and what is cancelled when it ends. `None` if there are as many
    /// as there may be.
    pub(crate) fn begin(&self) -> Option<(String, CancellationToken)> {
        let mut all = self.0.lock();
        if all.len() >= MOST {
            return None;
        }
        let (id, end) = (format!("{:032x}", rand::random::<u128>()), CancellationToken::new());
        all.insert(id.clone(), end.clone().drop_guard());
        Some((id, end))
    }

    /// Ends one; whether there was one.
    pub(crate) fn end(&self, id: &str) -> bool {
        self.0.lock().remove(id).is_some()
    }

    /// Ends all.
    pub(crate) fn end_all(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_a_bounded_number_of_them_and_each_ends_once() {
        let all = Broadcasts::default();
        let begun: Vec<_> = (0..MOST).map(|_| all.begin().unwrap()).collect();
        assert!(all.begin().is_none());
        let (id, end) = &begun[0];
        assert!(all.end(id) && !all.end(id));
        assert!(end.is_cancelled());
        assert!(all.begin().is_some());
        all.end_all();
        assert!(begun.iter().all(|(_, end)| end.is_cancelled()));
    }
}

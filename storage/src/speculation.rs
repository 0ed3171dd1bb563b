//! What a delta would make of the head.

use crate::{
    Head, StateDelta, Storage, StorageError,
    commitment::Speculated,
    groups::{self, Changed},
};
use sp_core::H256;
use std::{sync::Arc, time::Instant};

impl Storage {
    /// The root of the state if `delta` were applied to the head's. Nothing
    /// changes; the last few are remembered for [`Self::commit`]. Before
    /// genesis: the root of `delta` as the genesis state.
    pub fn speculate(&self, delta: &StateDelta) -> Result<H256, StorageError> {
        let start = Instant::now();
        let _order = self.order.read();
        self.check_running()?;
        let number = if self.is_initialised() { self.head().number.saturating_add(1) } else { 0 };
        let root = self.speculated(number, delta)?.root;
        self.counters.speculations.record(start);
        Ok(root)
    }

    /// The log size after `delta`, if its root is the one that `head` claims.
    pub(crate) fn checked_log_size(
        &self,
        head: Head,
        delta: &StateDelta,
    ) -> Result<u64, StorageError> {
        let speculated = self.speculated(head.number, delta)?;
        if speculated.root != head.state_root {
            return Err(StorageError::WrongStateRoot {
                number: head.number,
                expected: speculated.root,
                found: head.state_root,
            });
        }
        Ok(speculated.log_size)
    }

    /// What `delta` makes of the commitment as block `number`.
    fn speculated(&self, number: u32, delta: &StateDelta) -> Result<Speculated, StorageError> {
        let mut changed = None;
        let entries = || {
            let found = self.groups.change(&self.shared.tables, delta)?;
            Ok(groups::entries(changed.insert(found)))
        };
        let speculated = self.commitment.speculate(number, delta, entries)?;
        if let Some(changed) = changed {
            self.groups.prepare(speculated.root, changed);
        }
        Ok(speculated)
    }

    /// What `delta` makes of the groups, with `root` the state's after it.
    pub(crate) fn changed_groups(
        &self,
        root: H256,
        delta: &StateDelta,
    ) -> Result<Arc<Changed>, StorageError> {
        match self.groups.prepared(root) {
            Some(changed) => Ok(changed),
            None => self.groups.change(&self.shared.tables, delta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StorageOptions;
    use std::{thread, time::Duration};

    #[test]
    fn what_waited_for_a_write_that_failed_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let storage = Storage::open(place.path(), StorageOptions::default()).unwrap();
        thread::scope(|scope| {
            let order = storage.order.write();
            let waiting = scope.spawn(|| storage.speculate(&StateDelta::new()));
            // It is before the lock by then, or comes to it later: it is refused in both cases.
            thread::sleep(Duration::from_millis(50));
            storage.stop_on_error(Err(StorageError::NotInitialised)).unwrap_err();
            drop(order);
            let refused = waiting.join().unwrap();
            assert!(matches!(refused, Err(StorageError::Stopped { .. })), "{refused:?}");
        });
    }
}

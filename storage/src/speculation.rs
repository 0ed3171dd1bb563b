//! What the changes of a block would make of the head.

use crate::{
    Cooling, Head, StateDelta, Storage, StorageError,
    cold::{Draft, MAX_COOLED},
    commitment,
    groups::{self, Group},
    plan::{Outcome, Plan},
    shared::Shared,
};
use sp_core::H256;
use std::{sync::Arc, time::Instant};

impl Storage {
    /// The root of the state if `delta` were applied to the head's, and what `cooling` orders of
    /// its cold part. Nothing changes; the last few are remembered for [`Self::commit`]. Before
    /// genesis: the root of `delta` as the genesis state.
    pub fn speculate(&self, delta: &StateDelta, cooling: &Cooling) -> Result<H256, StorageError> {
        let start = Instant::now();
        let _order = self.order.read();
        self.check_running()?;
        let number = if self.is_initialised() { self.head().number.saturating_add(1) } else { 0 };
        let root = self.outcome(number, delta, cooling)?.state_root;
        self.counters.speculations.record(start);
        Ok(root)
    }

    /// What the changes come to, if the root after them is the one that `head` claims.
    pub(crate) fn checked_outcome(
        &self,
        head: Head,
        delta: &StateDelta,
        cooling: &Cooling,
    ) -> Result<Outcome, StorageError> {
        let outcome = self.outcome(head.number, delta, cooling)?;
        if outcome.state_root != head.state_root {
            return Err(StorageError::WrongStateRoot {
                number: head.number,
                expected: outcome.state_root,
                found: head.state_root,
            });
        }
        Ok(outcome)
    }

    /// What the changes come to as block `number`.
    fn outcome(
        &self,
        number: u32,
        delta: &StateDelta,
        cooling: &Cooling,
    ) -> Result<Outcome, StorageError> {
        let fingerprint = self.commitment.fingerprint(&(delta, cooling));
        let plan = match self.plans.get(fingerprint) {
            Some(plan) => plan,
            None => {
                let plan = Arc::new(self.plan(number, delta, cooling)?);
                self.plans.keep(fingerprint, Arc::clone(&plan));
                plan
            }
        };
        let entries = || Ok(groups::entries(&plan.changed));
        let hot = self.commitment.speculate(number, fingerprint, entries)?;
        let cold = plan.step.as_ref().map_or_else(|| self.shared.cold.root(), |step| step.root);
        Ok(Outcome { state_root: commitment::state_root(hot.root, &cold), hot, plan })
    }

    fn plan(
        &self,
        number: u32,
        delta: &StateDelta,
        cooling: &Cooling,
    ) -> Result<Plan, StorageError> {
        let Shared { tables, cold, .. } = &*self.shared;
        let mut draft = Draft::new(cold, tables, self.version(), (number, cooling));
        let mut beside = StateDelta::new();
        let changed = groups::change(delta, |shared| {
            let group = self.groups.get(tables, shared)?;
            if !group.is_empty() {
                return Ok(group);
            }
            let Some(heated) = draft.heat(shared)? else { return Ok(group) };
            let group = Group::of(&heated.values);
            for (last, value) in heated.values {
                let key = [shared, &[last]].concat();
                if !delta.contains_key(&key) {
                    beside.insert(key, Some(value));
                }
            }
            Ok(group)
        })?;
        let mut plan = Plan { beside, changed, step: None };
        self.cool(cooling, &mut draft, &mut plan)?;
        draft.merge(cooling.merge_groups)?;
        if cooling.ends_lap {
            draft.end_lap()?;
        }
        plan.step = draft.finish()?;
        Ok(plan)
    }

    fn cool(
        &self,
        cooling: &Cooling,
        draft: &mut Draft<'_>,
        plan: &mut Plan,
    ) -> Result<(), StorageError> {
        let mut left_out = cooling.groups.len().saturating_sub(MAX_COOLED);
        for shared in cooling.groups.iter().take(MAX_COOLED) {
            let values = groups::values(&self.shared.tables, shared)?;
            let group = billchain_cold::Group { shared: shared.clone(), values };
            let is_written = plan.changed.contains_key(shared);
            if is_written || group.check().is_err() || !draft.cool(&group)? {
                left_out += 1;
                continue;
            }
            for (last, _) in &group.values {
                plan.beside.insert([&shared[..], &[*last]].concat(), None);
            }
            plan.changed.insert(group.shared, Group::default());
        }
        if left_out > 0 {
            tracing::warn!(left_out, "groups that were to cool cannot be in the cold part");
        }
        Ok(())
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
            let waiting =
                scope.spawn(|| storage.speculate(&StateDelta::new(), &Cooling::default()));
            // It is before the lock by then, or comes to it later: it is refused in both cases.
            thread::sleep(Duration::from_millis(50));
            storage.stop_on_error(Err(StorageError::NotInitialised)).unwrap_err();
            drop(order);
            let refused = waiting.join().unwrap();
            assert!(matches!(refused, Err(StorageError::Stopped { .. })), "{refused:?}");
        });
    }
}

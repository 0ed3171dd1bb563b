//! What a block makes of the head, computed before it is written.

use crate::{StateDelta, cold::Step, commitment::Speculated, groups::Changed};
use parking_lot::Mutex;
use sp_core::H256;
use std::sync::Arc;

/// What a block makes of the head.
pub(crate) struct Plan {
    /// Keys that it writes beside those of its delta: of groups that become hot, and of those
    /// that cool.
    pub(crate) beside: StateDelta,
    /// The groups that it changes, as they are in the hot state after it.
    pub(crate) changed: Changed,
    /// What it makes of the cold groups.
    pub(crate) step: Option<Step>,
}

/// The roots after a block, and what it makes of the head.
pub(crate) struct Outcome {
    pub(crate) state_root: H256,
    pub(crate) hot: Speculated,
    pub(crate) plan: Arc<Plan>,
}

/// Plans that are kept, as many as the commitment keeps speculations.
const MAX_PLANS: usize = 4;

/// Plans on the present head, by the fingerprints of their changes; the newest last.
#[derive(Default)]
pub(crate) struct Plans(Mutex<Vec<(u64, Arc<Plan>)>>);

impl Plans {
    /// A plan; it is the newest then.
    pub(crate) fn get(&self, fingerprint: u64) -> Option<Arc<Plan>> {
        let mut plans = self.0.lock();
        let at = plans.iter().position(|(known, _)| *known == fingerprint)?;
        let found = plans.remove(at);
        let plan = Arc::clone(&found.1);
        plans.push(found);
        Some(plan)
    }

    /// Keeps a plan; the one that was used longest ago makes room.
    pub(crate) fn keep(&self, fingerprint: u64, plan: Arc<Plan>) {
        let mut plans = self.0.lock();
        plans.retain(|(known, _)| *known != fingerprint);
        if plans.len() == MAX_PLANS {
            plans.remove(0);
        }
        plans.push((fingerprint, plan));
    }

    /// The head has moved.
    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_kept_until_the_head_moves_and_no_more_than_a_few() {
        let plans = Plans::default();
        let plan = || {
            let (beside, changed) = (StateDelta::new(), Changed::new());
            Arc::new(Plan { beside, changed, step: None })
        };
        let made: Vec<_> = (0..=MAX_PLANS).map(|_| plan()).collect();
        for (at, plan) in (0..).zip(&made).take(MAX_PLANS) {
            plans.keep(at, Arc::clone(plan));
            plans.keep(at, Arc::clone(plan));
        }
        assert!(plans.get(0).is_some_and(|found| Arc::ptr_eq(&found, &made[0])));
        plans.keep(MAX_PLANS as u64, Arc::clone(&made[MAX_PLANS]));
        // The first was asked for, so the second made room.
        let kept: Vec<bool> = (0..=MAX_PLANS as u64).map(|at| plans.get(at).is_some()).collect();
        assert_eq!(kept, [true, false, true, true, true]);
        plans.clear();
        assert!(plans.get(0).is_none());
    }
}

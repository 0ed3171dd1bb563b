//! Laps over the hot state, block by block.

use crate::{
    ColdBefore, Config, CurrentLap, Event, Known, KnownRuns, MOST_RUNS, Now, Pallet, Policy,
    WeightInfo,
    walk::{self, MEASURED_KEYS, Map, Maps, Walked},
};
use billchain_primitives::{
    Moment,
    cooling::{CoolingPolicy, Orders, SharedBytes},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};
use scale_info::TypeInfo;

/// Reads and writes of a group that moves from one run to another: its entry and its bit in
/// either, and the nodes above.
const MOVED: (u64, u64) = (3, 3);

/// Writes of a group that cools beside the deletion of its keys: its entry, and its bit.
const COOLED: u64 = 2;

/// A lap over the hot state.
#[derive(
    Clone,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Lap {
    /// Its number, from 1; 0: there was none yet.
    pub number: u32,
    /// Time of the block before the one that began it, in milliseconds.
    pub began: Moment,
    /// Shared bytes of the group that was looked at last, empty at the beginning; none: the lap
    /// is over.
    pub at: Option<SharedBytes>,
    /// Groups that it has looked at.
    pub seen: u64,
    /// Groups of these that were ordered to cool.
    pub cold: u64,
}

impl Lap {
    /// Whether the next one begins at the moment `now`.
    fn is_next_due(&self, now: Moment, lap_ms: Moment) -> bool {
        self.at.is_none() && (self.number == 0 || now.saturating_sub(self.began) >= lap_ms)
    }

    /// The next one.
    fn next(&self, now: Moment) -> Self {
        Self {
            number: self.number.saturating_add(1),
            began: now,
            at: Some(SharedBytes::new()),
            seen: 0,
            cold: 0,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Leaves the orders of the block that begins; what that weighs.
    pub(crate) fn begin_block() -> Weight {
        let (policy, known) = (Policy::<T>::get(), Known::<T>::get());
        let mut runs = known.clone();
        let mut orders = Orders { segment_groups: policy.segment_groups, ..Orders::default() };
        let mut weight = T::DbWeight::get().reads(3);
        if runs.is_merging() && policy.merge_groups > 0 {
            orders.merge_groups = policy.merge_groups;
            runs.merge(policy.merge_groups);
            let (reads, writes) = MOVED;
            let moved = T::DbWeight::get().reads_writes(reads, writes);
            weight.saturating_accrue(moved.saturating_mul(policy.merge_groups.into()));
        }
        if policy.is_on() {
            weight.saturating_accrue(Self::go_on(&policy, &mut runs, &mut orders));
        }
        if runs != known {
            Known::<T>::put(runs);
            weight.saturating_accrue(T::DbWeight::get().writes(1));
        }
        if !orders.is_empty() {
            Now::<T>::put(orders);
            weight.saturating_accrue(T::DbWeight::get().writes(1));
        } else if Now::<T>::exists() {
            Now::<T>::kill();
            weight.saturating_accrue(T::DbWeight::get().writes(1));
        }
        weight
    }

    /// Goes on with the lap, or begins the next one if it is due.
    fn go_on(policy: &CoolingPolicy, runs: &mut KnownRuns, orders: &mut Orders) -> Weight {
        let now = T::Time::now();
        let before = policy.cold_before(now);
        let mut lap = CurrentLap::<T>::get();
        if lap.is_next_due(now, policy.lap_ms()) && runs.count() < MOST_RUNS {
            lap = lap.next(now);
            Self::deposit_event(Event::LapBegan { lap: lap.number, cold_before: before });
        }
        let Some(at) = lap.at.take() else { return T::DbWeight::get().reads(2) };
        let walked = walk::walk(&sorted_maps::<T>(), at, policy.groups_per_block, before);
        let weight = weight_of::<T>(&walked);
        let cold = walked.cold.len() as u64;
        lap.seen = lap.seen.saturating_add(walked.groups.into());
        lap.cold = lap.cold.saturating_add(cold);
        lap.at = walked.at;
        if cold > 0 {
            ColdBefore::<T>::mutate(|until| *until = before.max(*until));
        }
        if lap.at.is_none() {
            let Lap { number: lap, seen, cold, .. } = lap;
            if cold > 0 {
                orders.ends_lap = true;
                runs.push(cold);
            }
            Self::deposit_event(Event::LapEnded { lap, seen, cold });
        }
        CurrentLap::<T>::put(lap);
        // A walk looks at fewer groups than there is room for.
        orders.groups = BoundedVec::truncate_from(walked.cold);
        weight
    }

    /// Checks what always holds between blocks:
    /// - the policy is within its bounds;
    /// - a lap is at the beginning, or in a map that may cool;
    /// - the groups that were ordered ascend, and are in maps that may cool;
    /// - what may be cold was touched before the time of the block;
    /// - runs are such as laps and merging leave.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let maps = sorted_maps::<T>();
        let in_a_map = |shared: &[u8]| maps.iter().any(|map| shared.starts_with(&map.prefix));
        ensure!(Policy::<T>::get().problems().next().is_none(), "the policy is out of bounds");
        let at = CurrentLap::<T>::get().at.unwrap_or_default();
        ensure!(at.is_empty() || in_a_map(&at), "a lap is where nothing cools");
        if let Some(orders) = Now::<T>::get() {
            ensure!(!orders.is_empty(), "orders of nothing are left");
            ensure!(orders.groups.is_sorted_by(|a, b| a < b), "ordered groups do not ascend");
            ensure!(orders.groups.iter().all(|group| in_a_map(group)), "an ordered group is none");
        }
        ensure!(ColdBefore::<T>::get() <= T::Time::now(), "what is to come is cold");
        Known::<T>::get().check().map_err(TryRuntimeError::Other)
    }
}

/// The maps that may cool, in the order of their keys.
fn sorted_maps<T: Config>() -> Vec<Map> {
    let mut maps = T::Maps::maps();
    maps.sort_by_key(|map| map.prefix);
    maps
}

/// What a walk weighs: groups of as many keys as were measured, and what the storage does with
/// those that are cold.
fn weight_of<T: Config>(walked: &Walked) -> Weight {
    let Walked { groups, keys, cold_keys, ref cold, .. } = *walked;
    let measured = T::WeightInfo::walk(groups.max(keys.div_ceil(MEASURED_KEYS)));
    let entries = COOLED.saturating_mul(cold.len() as u64);
    let writes = entries.saturating_add(cold_keys.into());
    measured.saturating_add(T::DbWeight::get().writes(writes))
}

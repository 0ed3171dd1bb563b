//! Runs of cold segments, as the runtime knows them.
//!
//! The storage makes a run of the groups that cool in a lap, and one of two runs of one size. The
//! state commits to 64 of them at most, so the runtime has to know how many there may be, though
//! it does not see what the storage has. It counts what it ordered: at least as many groups as
//! cooled, so that the storage is done with a merge when the runtime thinks so, or before.

use billchain_primitives::cooling::MAX_RUNS;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::{
    log,
    prelude::{BoundedVec, ConstU32},
};
use scale_info::TypeInfo;

/// Runs with which no further lap begins: half of what the state can commit to.
pub const MOST_RUNS: u32 = MAX_RUNS / 2;

/// A run.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Run {
    /// Laps that it was made of: a power of two.
    pub laps: u32,
    /// Groups that were ordered to cool in them.
    pub groups: u64,
}

/// Two runs that become one.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
struct Merge {
    /// Place of the older one in the list.
    older: u32,
    /// Groups for which orders are left.
    left: u64,
}

/// The runs, the oldest first.
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
pub struct KnownRuns {
    list: BoundedVec<Run, ConstU32<MOST_RUNS>>,
    merge: Option<Merge>,
}

impl KnownRuns {
    /// The runs, the oldest first, without the one that two of them become.
    #[cfg(test)]
    pub(crate) fn list(&self) -> &[Run] {
        &self.list
    }

    /// How many there are at most, with the one that two of them become.
    pub fn count(&self) -> u32 {
        let listed = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        listed.saturating_add(u32::from(self.merge.is_some()))
    }

    /// Whether two of them become one.
    pub fn is_merging(&self) -> bool {
        self.merge.is_some()
    }

    /// Adds the run of a lap in which `groups` groups were ordered to cool.
    pub(crate) fn push(&mut self, groups: u64) {
        // There is room: no lap begins without.
        if self.list.try_push(Run { laps: 1, groups }).is_err() {
            log::error!(target: "runtime::cooling", "a lap ended without room for its run");
        }
        self.begin_merge();
    }

    /// A block moves `most` groups.
    pub(crate) fn merge(&mut self, most: u32) {
        let Some(Merge { older, left }) = self.merge else { return };
        let left = left.saturating_sub(most.into());
        self.merge = (left > 0).then_some(Merge { older, left });
        if self.merge.is_none() {
            self.join(older as usize);
            self.begin_merge();
        }
    }

    /// Begins with the oldest two runs of one size, if there are such: what they become is no
    /// larger than the run before them.
    fn begin_merge(&mut self) {
        if self.merge.is_some() {
            return;
        }
        let Some(older) = self.list.windows(2).position(|two| two[0].laps == two[1].laps) else {
            return;
        };
        let groups = self.list[older].groups.saturating_add(self.list[older + 1].groups);
        // Twice, so that what the storage does once more is ordered, too.
        let left = groups.saturating_mul(2).max(1);
        self.merge = Some(Merge { older: u32::try_from(older).unwrap_or(u32::MAX), left });
    }

    /// The run at `older` takes in the one behind it.
    fn join(&mut self, older: usize) {
        if older.saturating_add(1) >= self.list.len() {
            return;
        }
        let newer = self.list.remove(older + 1);
        if let Some(run) = self.list.get_mut(older) {
            run.laps = run.laps.saturating_add(newer.laps);
            run.groups = run.groups.saturating_add(newer.groups);
        }
    }

    /// Checks that each run is of a power of two of laps, that none is larger than the one
    /// before, and that two runs of one size become one, if there are such.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if !self.list.iter().all(|run| run.laps.is_power_of_two()) {
            return Err("a run is not of a power of two of laps");
        }
        if !self.list.is_sorted_by(|older, newer| older.laps >= newer.laps) {
            return Err("a run is larger than the one before");
        }
        let pair = |merge: &Merge| {
            let older = self.list.get(merge.older as usize)?;
            let newer = self.list.get(merge.older as usize + 1)?;
            (older.laps == newer.laps && merge.left > 0).then_some(())
        };
        let has_pair = self.list.windows(2).any(|two| two[0].laps == two[1].laps);
        match &self.merge {
            Some(merge) if pair(merge).is_some() => Ok(()),
            None if !has_pair => Ok(()),
            _ => Err("not two runs of one size become one"),
        }
    }
}

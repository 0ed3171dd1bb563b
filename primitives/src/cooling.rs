//! Cooling (冷热分层): what becomes cold, as the chain's data, and what the runtime
//! orders of the storage.
//!
//! The storage reads [`Orders`] from the changes of a block: their encoding is a part of
//! what every node agrees on.

#[cfg(test)]
mod tests;

use crate::Moment;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, ops::RangeInclusive};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, bounded::BoundedVec};

/// Most groups that one block orders to cool.
pub const MAX_GROUPS: u32 = 1_024;

/// Longest shared bytes of a group that may cool.
pub const MAX_SHARED_BYTES: u32 = 256;

/// Most runs of cold segments that the state commits to.
pub const MAX_RUNS: u32 = 64;

/// A day, in milliseconds.
pub const DAY_MS: Moment = 24 * 60 * 60 * 1_000;

/// What the keys of a group share: a key without its last byte.
pub type SharedBytes = BoundedVec<u8, ConstU32<MAX_SHARED_BYTES>>;

/// What a block orders of the storage.
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
pub struct Orders {
    /// Groups that cool, ascending. One that the same block writes to does not.
    pub groups: BoundedVec<SharedBytes, ConstU32<MAX_GROUPS>>,
    /// Whether the lap ends after them, and with it the run of its segments.
    pub ends_lap: bool,
    /// Groups with which a segment ends.
    pub segment_groups: u32,
    /// Most groups that this block moves by merging runs.
    pub merge_groups: u32,
}

impl Orders {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && !self.ends_lap && self.merge_groups == 0
    }
}

/// What becomes cold, and how fast (冷热分层策略).
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
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CoolingPolicy {
    /// Days after which what nobody has touched is cold; 0: nothing becomes cold.
    pub after_days: u32,
    /// Groups that each block looks at while a lap goes on.
    pub groups_per_block: u32,
    /// Fewest days from the beginning of one lap to that of the next.
    pub lap_days: u32,
    /// Groups with which a segment ends.
    pub segment_groups: u32,
    /// Most groups that a block moves while runs are merged; 0: none are.
    pub merge_groups: u32,
}

impl Default for CoolingPolicy {
    /// Nothing becomes cold.
    fn default() -> Self {
        Self {
            after_days: 0,
            groups_per_block: 20,
            lap_days: 30,
            segment_groups: 1 << 21,
            merge_groups: 200,
        }
    }
}

/// A field of a [`CoolingPolicy`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CoolingField {
    /// [`CoolingPolicy::after_days`].
    AfterDays,
    /// [`CoolingPolicy::groups_per_block`].
    GroupsPerBlock,
    /// [`CoolingPolicy::lap_days`].
    LapDays,
    /// [`CoolingPolicy::segment_groups`].
    SegmentGroups,
    /// [`CoolingPolicy::merge_groups`].
    MergeGroups,
}

impl CoolingField {
    /// Every field.
    pub const ALL: [Self; 5] = [
        Self::AfterDays,
        Self::GroupsPerBlock,
        Self::LapDays,
        Self::SegmentGroups,
        Self::MergeGroups,
    ];

    /// What the field may be.
    pub const fn bounds(self) -> RangeInclusive<u32> {
        match self {
            // A hundred years.
            Self::AfterDays => 0..=36_500,
            // Ten keys of each are read and, if they are cold, deleted: a tenth of a block.
            Self::GroupsPerBlock => 1..=500,
            Self::LapDays => 1..=3_650,
            // What the storage keeps to.
            Self::SegmentGroups => 1_024..=1 << 21,
            Self::MergeGroups => 0..=1_000,
        }
    }

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AfterDays => "afterDays",
            Self::GroupsPerBlock => "groupsPerBlock",
            Self::LapDays => "lapDays",
            Self::SegmentGroups => "segmentGroups",
            Self::MergeGroups => "mergeGroups",
        }
    }
}

/// A field of a policy that is out of its bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfBounds {
    /// Which.
    pub field: CoolingField,
    /// What it is.
    pub found: u32,
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = self.field.bounds().into_inner();
        write!(f, "{}: expected {least} to {most}, found {}", self.field.name(), self.found)
    }
}

impl CoolingPolicy {
    /// Whether anything becomes cold.
    pub const fn is_on(&self) -> bool {
        self.after_days > 0
    }

    /// What was touched for the last time before this moment is cold at the moment `now`;
    /// nothing is before 0.
    pub fn cold_before(&self, now: Moment) -> Moment {
        if !self.is_on() {
            return 0;
        }
        now.saturating_sub(Moment::from(self.after_days).saturating_mul(DAY_MS))
    }

    /// Fewest milliseconds from the beginning of one lap to that of the next.
    pub fn lap_ms(&self) -> Moment {
        Moment::from(self.lap_days).saturating_mul(DAY_MS)
    }

    /// The value of a field.
    pub const fn value(&self, field: CoolingField) -> u32 {
        match field {
            CoolingField::AfterDays => self.after_days,
            CoolingField::GroupsPerBlock => self.groups_per_block,
            CoolingField::LapDays => self.lap_days,
            CoolingField::SegmentGroups => self.segment_groups,
            CoolingField::MergeGroups => self.merge_groups,
        }
    }

    /// The fields that are out of their bounds.
    pub fn problems(&self) -> impl Iterator<Item = OutOfBounds> {
        let policy = *self;
        CoolingField::ALL.into_iter().filter_map(move |field| {
            let found = policy.value(field);
            (!field.bounds().contains(&found)).then_some(OutOfBounds { field, found })
        })
    }
}

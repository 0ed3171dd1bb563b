//! Groups that nobody wrote to for long: cold ones.
//!
//! Decision 0063 says what cools and when; the runtime names the groups of a block
//! ([`Cooling`]). The table `state` is exactly the hot state. A group that cools leaves it in the
//! block that cools it, and is appended to the open segment of the newest run; a group that a
//! block writes to comes back whole. So it is in one place at any time: hot, or active in one
//! segment. Runs become one, group by group, in the order of keys.
//!
//! Runs, segments and activity bits are in memory and in the tables `cold` and `bits`, with every
//! block; groups are in the table `cooled`, until this node writes the file of their segment, on
//! its own time.
//!
//! * [`records`]: what lies in the tables.
//! * [`segment`], [`file`]: one segment.
//! * [`view`]: the runs at the head; where a group was at a block.
//! * [`draft`], [`merging`]: what a block makes of them.
//! * [`digests`]: SM3 of the records, which is under the state root.
//! * [`step`]: putting that into the tables and into memory.
//! * [`undo`]: taking it back, for a store that is wound back.
//!
//! Files are written, adopted and removed in `segments`.

mod digests;
mod draft;
mod file;
mod merging;
pub(crate) mod records;
mod segment;
mod step;
mod undo;
mod view;

pub(crate) use digests::{SegmentsDigest, first_root, of_list};
pub(crate) use draft::Draft;
pub(crate) use file::{ColdFile, check, new_filter, path_of, probe};
pub(crate) use records::{RetiredRecord, RunList, SegmentId, SegmentRecord, retired_key, samples};
pub(crate) use segment::{Place, Segment};
pub(crate) use step::Step;
pub(crate) use undo::undo;
pub(crate) use view::{Cold, Files, Run};

/// Most groups of a segment.
const MAX_SEGMENT_GROUPS: u64 = crate::Cooling::MAX_SEGMENT_GROUPS as u64;

/// Most segments of a run. The last of them ends with its lap.
pub(crate) const MAX_SEGMENTS: u32 = 4_096;

/// Most groups that cool with one block, and that move with one.
pub(crate) const MAX_COOLED: usize = 1_024;
const MAX_MOVED: u32 = 4_096;

/// Blocks that the chain can always be wound back: no file is as young.
pub(crate) const DEPTH: u32 = 256;

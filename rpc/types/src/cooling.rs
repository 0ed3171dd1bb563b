//! Cooling (冷热分层): what becomes cold, how far a lap is, and what is cold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The policy, the lap, and what is hot and cold at the node that answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CoolingStatusView {
    /// What becomes cold, and how fast.
    pub policy: CoolingPolicyView,
    /// The last lap.
    pub lap: CoolingLapView,
    /// What was touched for the last time before this moment may be cold; 0: nothing is.
    pub cold_before: u64,
    /// Keys of the hot state, as the node's database estimates.
    pub hot_keys: u64,
    /// Groups that are cold.
    pub cold_groups: u64,
    /// Runs that there are at most, as far as the chain knows; from 32 on no lap begins.
    pub runs_at_most: u32,
    /// The runs of cold segments, the oldest first.
    pub runs: Vec<ColdRunView>,
}

/// What becomes cold, and how fast (冷热分层策略).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CoolingPolicyView {
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

/// A lap over the hot state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CoolingLapView {
    /// Its number, from 1; 0: there was none yet.
    pub number: u32,
    /// When it began.
    pub began: u64,
    /// Whether it goes on.
    pub under_way: bool,
    /// The map of the contracts that it is in, for instance `BillRegister::Bills`; `null`: it is
    /// at the beginning, or over.
    pub map: Option<String>,
    /// What the keys share that it looked at last, in hex; `null`: it is at the beginning, or
    /// over.
    pub position: Option<String>,
    /// Groups that it has looked at.
    pub seen: u64,
    /// Groups of these that were cold.
    pub cold: u64,
}

/// A run of cold segments (冷数据段).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ColdRunView {
    /// Its number.
    pub run: u64,
    /// Segments in it.
    pub segments: u32,
    /// Segments of these that the node has as files; the others are in its database.
    pub files: u32,
    /// Groups in them.
    pub groups: u64,
    /// Groups of these that are cold still; the others came back, or went to a later run.
    pub cold_groups: u64,
}

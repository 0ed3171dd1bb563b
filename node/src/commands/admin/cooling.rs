//! `billchain admin cooling`.

use super::Act;
use anyhow::{Result, ensure};
use billchain_client::Connection;
use billchain_primitives::CoolingPolicy;
use billchain_runtime::Runtime;
use clap::{Args, Subcommand};
use pallet_cooling::Policy;

type Call = pallet_cooling::Call<Runtime>;

/// Actions on what becomes cold.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Show the policy, how far the lap is, and what is hot and cold at the node.
    Show,
    /// Set the policy (a motion of the council). What is left out stays as it is.
    Set(Changes),
}

/// Fields of the policy.
#[derive(Args)]
pub(super) struct Changes {
    /// Days after which what nobody has touched is cold; 0: nothing becomes cold.
    #[arg(long)]
    after_days: Option<u32>,
    /// Groups that each block looks at while a lap goes on, 1 to 500.
    #[arg(long)]
    groups_per_block: Option<u32>,
    /// Fewest days from the beginning of one lap to that of the next, 1 to 3650.
    #[arg(long)]
    lap_days: Option<u32>,
    /// Groups with which a segment ends, 1024 to 2097152.
    #[arg(long)]
    segment_groups: Option<u32>,
    /// Most groups that a block moves while runs are merged, up to 1000; 0: none are.
    #[arg(long)]
    merge_groups: Option<u32>,
}

impl Changes {
    /// The policy with these changes.
    fn of(&self, policy: CoolingPolicy) -> Result<CoolingPolicy> {
        let Self { after_days, groups_per_block, lap_days, segment_groups, merge_groups } = *self;
        let changed = CoolingPolicy {
            after_days: after_days.unwrap_or(policy.after_days),
            groups_per_block: groups_per_block.unwrap_or(policy.groups_per_block),
            lap_days: lap_days.unwrap_or(policy.lap_days),
            segment_groups: segment_groups.unwrap_or(policy.segment_groups),
            merge_groups: merge_groups.unwrap_or(policy.merge_groups),
        };
        let problems: Vec<_> = changed.problems().map(|problem| problem.to_string()).collect();
        ensure!(problems.is_empty(), "{}", problems.join("; "));
        ensure!(changed != policy, "the policy is this one already");
        Ok(changed)
    }
}

impl Action {
    pub(super) async fn act(&self, node: &Connection) -> Result<Act> {
        let changes = match self {
            Self::Show => return Act::read("cooling_status", []),
            Self::Set(changes) => changes,
        };
        let found: Option<CoolingPolicy> = node.state(&Policy::<Runtime>::hashed_key()).await?;
        let policy = changes.of(found.unwrap_or_default())?;
        Act::motion(Call::set_policy { policy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Changes = Changes {
        after_days: None,
        groups_per_block: None,
        lap_days: None,
        segment_groups: None,
        merge_groups: None,
    };

    #[test]
    fn what_is_left_out_stays_as_it_is_and_what_is_wrong_is_named() {
        let policy = CoolingPolicy { lap_days: 7, ..CoolingPolicy::default() };
        let changed = Changes { after_days: Some(90), ..NONE }.of(policy).unwrap();
        assert_eq!(changed, CoolingPolicy { after_days: 90, ..policy });
        let wrong = Changes { lap_days: Some(0), segment_groups: Some(1), ..NONE };
        let error = wrong.of(policy).unwrap_err().to_string();
        assert!(error.contains("lapDays: expected 1 to 3650, found 0"), "{error}");
        assert!(error.contains("segmentGroups"), "{error}");
        let same = Changes { lap_days: Some(7), ..NONE };
        assert!(same.of(policy).unwrap_err().to_string().contains("already"));
    }
}

//! `cooling_*`: what becomes cold, and what is.

use crate::{
    context::Context,
    error::{Answer, chain, storage},
    method::{Args, to_hex},
};
use billchain_primitives::CoolingPolicy;
use billchain_rpc_types::{ColdRunView, CoolingLapView, CoolingPolicyView, CoolingStatusView};
use billchain_runtime::Cooling;
use billchain_storage::ColdSegment;

/// The policy, the lap, and how much is hot and cold.
pub(super) fn status(context: &Context, _: &Args) -> Answer<CoolingStatusView> {
    let node = &context.deps.chain;
    let read = || (policy(Cooling::policy()), lap(), Cooling::cold_before(), Cooling::runs());
    let (policy, lap, cold_before, known) = node.read(read).map_err(chain)?;
    let runs = runs(node.storage().cold_segments().map_err(storage)?);
    let cold_groups = runs.iter().map(|run| run.cold_groups).sum();
    let hot_keys = node.storage().stats().state_keys;
    let runs_at_most = known.count();
    Ok(CoolingStatusView { policy, lap, cold_before, hot_keys, cold_groups, runs_at_most, runs })
}

fn policy(policy: CoolingPolicy) -> CoolingPolicyView {
    let CoolingPolicy { after_days, groups_per_block, lap_days, segment_groups, merge_groups } =
        policy;
    CoolingPolicyView { after_days, groups_per_block, lap_days, segment_groups, merge_groups }
}

/// Reads the state.
fn lap() -> CoolingLapView {
    let lap = Cooling::lap();
    let map = Cooling::map_at(&lap).map(|map| format!("{}::{}", map.name.0, map.name.1));
    let position = lap.at.as_ref().filter(|at| !at.is_empty()).map(|at| to_hex(at));
    CoolingLapView {
        number: lap.number,
        began: lap.began,
        under_way: lap.at.is_some(),
        map,
        position,
        seen: lap.seen,
        cold: lap.cold,
    }
}

/// The segments by their runs, which come one after another.
fn runs(segments: Vec<ColdSegment>) -> Vec<ColdRunView> {
    let mut runs: Vec<ColdRunView> = Vec::new();
    for segment in segments {
        let run = segment.run;
        if runs.last().is_none_or(|last| last.run != run) {
            runs.push(ColdRunView { run, segments: 0, files: 0, groups: 0, cold_groups: 0 });
        }
        let Some(last) = runs.last_mut() else { continue };
        last.segments = last.segments.saturating_add(1);
        last.files = last.files.saturating_add(u32::from(segment.file.is_some()));
        last.groups = last.groups.saturating_add(segment.groups);
        last.cold_groups = last.cold_groups.saturating_add(segment.active);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(run: u64, index: u32, groups: u64, active: u64, is_file: bool) -> ColdSegment {
        ColdSegment {
            run,
            index,
            beginning: Vec::new(),
            groups,
            active,
            groups_root: Default::default(),
            ended_at: None,
            file: is_file.then(Default::default),
        }
    }

    #[test]
    fn segments_are_summed_up_by_their_runs() {
        let segments =
            vec![segment(3, 0, 10, 9, true), segment(3, 1, 5, 5, false), segment(4, 0, 7, 0, true)];
        let run = |run, segments, files, groups, cold_groups| ColdRunView {
            run,
            segments,
            files,
            groups,
            cold_groups,
        };
        assert_eq!(runs(segments), [run(3, 2, 1, 15, 14), run(4, 1, 1, 7, 0)]);
        assert_eq!(runs(Vec::new()), []);
    }
}

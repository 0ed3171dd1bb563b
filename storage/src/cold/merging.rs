//! Two runs become one: a few groups with each block, in the order of keys.
//!
//! A lap is a run. Two runs of as many laps become one of twice as many, the smallest first, so
//! there are few runs however many laps there were. Groups that became hot stay behind.

use super::{
    Draft, MAX_MOVED, SegmentId,
    records::{Cursor, Merging, RunList, RunRecord},
    segment::Segment,
};
use crate::StorageError;
use billchain_cold::{Group, proof::MAX_RUNS};
use std::sync::Arc;

/// The next group of a source.
struct Next {
    segment: Arc<Segment>,
    position: u64,
    group: Group,
}

impl Draft<'_> {
    /// Moves so many groups at most, and begins a merge if there is none and two runs for one.
    pub(crate) fn merge(&mut self, groups: u32) -> Result<(), StorageError> {
        if groups == 0 {
            return Ok(());
        }
        self.begin_merge();
        let Some(mut merging) = self.list.merging.clone() else { return Ok(()) };
        let mut next = [self.next(&mut merging.sources[0])?, self.next(&mut merging.sources[1])?];
        for _ in 0..groups.min(MAX_MOVED) {
            let from = match &next {
                [Some(one), Some(other)] if one.group.shared == other.group.shared => {
                    return Err(self.active_twice(one, other));
                }
                [Some(one), Some(other)] => usize::from(other.group.shared < one.group.shared),
                [Some(_), None] => 0,
                [None, Some(_)] => 1,
                [None, None] => break,
            };
            let cursor = &mut merging.sources[from];
            if let Some(taken) = next[from].take() {
                self.move_group(&taken, merging.target)?;
                cursor.position = taken.position + 1;
            }
            next[from] = self.next(cursor)?;
        }
        if next.iter().all(Option::is_none) {
            return self.end_merge(&merging);
        }
        self.list.merging = Some(merging);
        Ok(())
    }

    /// Begins a merge, if there is none and two runs for one.
    fn begin_merge(&mut self) {
        if self.list.merging.is_some() || self.list.runs.len() >= MAX_RUNS {
            return;
        }
        let Some([one, other]) = pair(&self.list) else { return };
        let Some(at) = place_of(&self.list, other.id) else { return };
        let target = self.insert_run(at + 1, one.laps.saturating_add(other.laps));
        let sources = [one, other].map(|run| Cursor {
            run: run.id,
            segment: 0,
            position: 0,
            near: Vec::new(),
        });
        self.list.merging = Some(Merging { sources, target });
    }

    /// The next group of a source that is active, to which the cursor moves.
    fn next(&self, cursor: &mut Cursor) -> Result<Option<Next>, StorageError> {
        loop {
            let id = SegmentId { run: cursor.run, index: cursor.segment };
            let Some(segment) = self.view.segment(id) else { return Ok(None) };
            let Some(position) = self.next_active(segment, cursor.position) else {
                *cursor = Cursor {
                    run: cursor.run,
                    segment: cursor.segment + 1,
                    position: 0,
                    near: Vec::new(),
                };
                continue;
            };
            let group = segment.group_at(self.tables, position, &cursor.near)?;
            cursor.position = position;
            cursor.near.clone_from(&group.shared);
            return Ok(Some(Next { segment: Arc::clone(segment), position, group }));
        }
    }

    /// The next group of a segment that is active, and that this block did not make hot.
    fn next_active(&self, segment: &Segment, from: u64) -> Option<u64> {
        let turned = self.edits.get(&segment.id).map(|edit| &edit.bits);
        let mut from = from;
        loop {
            let position = segment.with(|now| now.bits.next_active(from))?;
            if turned.and_then(|turned| turned.get(&position)) != Some(&false) {
                return Some(position);
            }
            from = position + 1;
        }
    }

    fn move_group(&mut self, taken: &Next, target: u64) -> Result<(), StorageError> {
        let at = place_of(&self.list, target);
        let appended = match at {
            Some(at) => self.append(at, &taken.group)?,
            None => false,
        };
        if !appended {
            let what = "the next group of a merge does not follow those that were moved";
            return Err(taken.segment.damaged(self.tables, what));
        }
        self.edit(&taken.segment).bits.insert(taken.position, false);
        Ok(())
    }

    /// The sources have no group left, and leave the list.
    fn end_merge(&mut self, merging: &Merging) -> Result<(), StorageError> {
        self.list.merging = None;
        for source in &merging.sources {
            if let Some(at) = place_of(&self.list, source.run) {
                let run = self.list.runs.remove(at);
                self.retired.push(run);
            }
        }
        let Some(at) = place_of(&self.list, merging.target) else { return Ok(()) };
        self.end_run(at)?;
        // All groups became hot: there is nothing of it.
        self.list.runs.retain(|run| run.id != merging.target || run.segments > 0);
        Ok(())
    }

    fn active_twice(&self, one: &Next, other: &Next) -> StorageError {
        let shared: String = one.group.shared.iter().map(|byte| format!("{byte:02x}")).collect();
        let SegmentId { run, index } = other.segment.id;
        let what = format!(
            "group 0x{shared} is active in it and in segment {index} of run {run}; expected one \
             place at most"
        );
        one.segment.damaged(self.tables, &what)
    }
}

/// The two oldest runs of the smallest number of laps of which there are two.
fn pair(list: &RunList) -> Option<[RunRecord; 2]> {
    let over = || list.runs.iter().filter(|run| run.is_over);
    let mut sizes: Vec<u32> = over().map(|run| run.laps).collect();
    sizes.sort_unstable();
    let twice = sizes.iter().zip(sizes.iter().skip(1)).find(|(one, next)| one == next);
    let (laps, _) = twice?;
    let mut same = over().filter(|run| run.laps == *laps).copied();
    Some([same.next()?, same.next()?])
}

/// The place of a run in the list.
fn place_of(list: &RunList, id: u64) -> Option<usize> {
    list.runs.iter().position(|run| run.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(laps: &[u32]) -> RunList {
        let run = |(id, laps): (u64, &u32)| RunRecord {
            id,
            laps: *laps,
            segments: 1,
            is_over: *laps > 0,
            begun: 1,
        };
        RunList { runs: (0..).zip(laps).map(run).collect(), ..RunList::default() }
    }

    #[test]
    fn the_oldest_two_of_the_smallest_size_become_one() {
        // 0 is a lap that is not over.
        let cases: [(&[u32], Option<[u64; 2]>); 8] = [
            (&[], None),
            (&[1], None),
            (&[1, 0], None),
            (&[1, 1], Some([0, 1])),
            (&[4, 2, 1, 1, 1], Some([2, 3])),
            (&[4, 4, 1, 1, 0], Some([2, 3])),
            (&[8, 8, 4, 2, 1], Some([0, 1])),
            (&[8, 4, 2, 1], None),
        ];
        for (laps, expected) in cases {
            let found = pair(&list(laps)).map(|runs| runs.map(|run| run.id));
            assert_eq!(found, expected, "{laps:?}");
        }
    }
}

//! What a block makes of the cold groups: putting it into the tables, and into memory.

use super::{
    records::{RUNS, RetiredRecord, RunList, RunRecord, SegmentId, SegmentRecord, retired_key},
    segment::{Filling, Place, Segment},
    view::{Cold, Run},
};
use crate::{
    changes::Changes,
    tables::{Batch, Table},
};
use billchain_cold::{Activity, Growing, Turned, WholeNode, proof::Digest};
use codec::Encode;
use std::sync::Arc;

/// What becomes of a segment.
pub(crate) struct Edited {
    pub(super) id: SegmentId,
    /// None for a new one.
    pub(super) segment: Option<Arc<Segment>>,
    pub(super) record: SegmentRecord,
    /// If groups were appended.
    pub(super) tree: Option<Growing>,
    pub(super) turned: Turned,
    /// Groups that were appended: what their keys share, and their rows.
    pub(super) rows: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) nodes: Vec<WholeNode>,
}

/// What a block makes of the cold groups.
pub(crate) struct Step {
    pub(super) number: u32,
    pub(super) list: RunList,
    pub(super) edited: Vec<Edited>,
    /// Runs that leave the list.
    pub(super) retired: Vec<RunRecord>,
    /// Of each run of the list, its root, and SM3 of the records of its segments.
    pub(super) roots: Vec<(Digest, Digest)>,
    /// SM3 of all records.
    pub(super) records: Digest,
    /// Root over the runs and the records.
    pub(crate) root: Digest,
    /// Bits that it turns, and records that it changes, as they were.
    pub(crate) replaced_bits: Changes,
    pub(crate) replaced_records: Changes,
}

impl Step {
    /// Puts it into the write of its block.
    pub(crate) fn put(&self, batch: &mut Batch<'_>) {
        batch.put(Table::Cold, RUNS, self.list.encode());
        for edited in &self.edited {
            let Edited { id, record, turned, rows, nodes, .. } = edited;
            batch.put(Table::Cold, id.record_key(), record.encode());
            for (shared, row) in rows {
                batch.put(Table::Cooled, id.group_key(shared), row);
            }
            for WholeNode { level, index, digest } in nodes {
                batch.put(Table::Nodes, id.node_key(*level, *index), digest);
            }
            for (at, chunk) in turned.chunks() {
                batch.put(Table::Bits, id.number_key(at), chunk);
            }
        }
        for run in &self.retired {
            let record = RetiredRecord { at: self.number, run: *run };
            batch.put(Table::Cold, retired_key(run.id), record.encode());
        }
    }
}

impl Cold {
    /// Makes memory what the tables are after the write of a block.
    pub(crate) fn apply(&self, step: &Step) {
        for Edited { segment, record, tree, turned, .. } in &step.edited {
            if let Some(segment) = segment {
                segment.apply(record, tree.as_ref(), turned);
            }
        }
        self.change(|view| {
            let mut runs = Vec::with_capacity(step.list.runs.len());
            for (record, (root, records)) in step.list.runs.iter().zip(&step.roots) {
                let known = view.runs.iter().find(|run| run.id == record.id);
                let mut segments = known.map(|run| run.segments.clone()).unwrap_or_default();
                let of_run = |edited: &&Edited| edited.id.run == record.id;
                let new = step.edited.iter().filter(of_run).filter(|new| new.segment.is_none());
                segments.extend(new.map(|new| Arc::new(new.made())));
                let (id, begun, root, records) = (record.id, record.begun, *root, *records);
                runs.push(Run { id, begun, segments, root, records });
            }
            for record in &step.retired {
                let left = view.runs.iter().find(|run| run.id == record.id).cloned();
                view.retired.extend(left.map(|run| (step.number, run)));
            }
            view.runs = runs;
            view.list.clone_from(&step.list);
            view.records = step.records;
            view.root = step.root;
        });
    }
}

impl Edited {
    /// Whether its record is another than now.
    pub(super) fn has_other_record(&self) -> bool {
        let is_other = |segment: &Arc<Segment>| segment.with(|now| now.record != self.record);
        self.segment.as_ref().is_none_or(is_other)
    }

    /// A new segment.
    fn made(&self) -> Segment {
        let (record, tree) = (self.record.clone(), self.tree.clone());
        let mut bits = Activity::default();
        bits.apply(&self.turned);
        Segment::new(self.id, Filling { record, bits, tree }, Place::Table)
    }
}

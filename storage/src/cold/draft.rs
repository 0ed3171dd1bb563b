//! What a block makes of the cold groups, before anything is changed.
//!
//! The steps of a block have this order: groups that it writes to become hot, others cool, runs
//! are merged, the lap ends. So what is merged was there before the block.

use super::{
    MAX_SEGMENT_GROUPS, MAX_SEGMENTS,
    digests::{SegmentsDigest, of_list},
    records::{RUNS, RunList, RunRecord, SegmentId, SegmentRecord, retired_key},
    segment::{Segment, encode_row},
    step::{Edited, Step},
    view::{Cold, Run, View},
};
use crate::{
    Cooling, StorageError,
    changes::{Changes, ChangesError},
    history::Version,
    tables::Tables,
};
use billchain_cold::{
    Activity, Group, Growing, WholeNode,
    proof::{Digest, Listed, MAX_RUNS, cold_root, run_root},
};
use codec::Encode;
use std::{collections::BTreeMap, sync::Arc};

/// Changes of a segment that are in the making.
pub(super) struct Edit {
    /// None for a new one.
    segment: Option<Arc<Segment>>,
    pub(super) record: SegmentRecord,
    /// Once a group was appended.
    tree: Option<Growing>,
    /// New bits by position.
    pub(super) bits: BTreeMap<u64, bool>,
    /// Groups that were appended: what their keys share, and their rows.
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    nodes: Vec<WholeNode>,
}

/// Changes in the making. The head must not move meanwhile.
pub(crate) struct Draft<'a> {
    cold: &'a Cold,
    pub(super) tables: &'a Tables,
    pub(super) view: Arc<View>,
    version: Arc<Version>,
    pub(super) number: u32,
    pub(super) list: RunList,
    pub(super) edits: BTreeMap<SegmentId, Edit>,
    /// Groups with which a segment ends.
    most: u64,
    /// Runs that leave the list.
    pub(super) retired: Vec<RunRecord>,
}

impl Edit {
    fn of(segment: &Arc<Segment>) -> Self {
        let record = segment.record();
        Self { segment: Some(Arc::clone(segment)), ..Self::new(record) }
    }

    fn new(record: SegmentRecord) -> Self {
        Self {
            segment: None,
            record,
            tree: None,
            bits: BTreeMap::new(),
            rows: Vec::new(),
            nodes: Vec::new(),
        }
    }
}

impl<'a> Draft<'a> {
    /// What block `number` changes of the state of `version`, which is the head's.
    pub(crate) fn new(
        cold: &'a Cold,
        tables: &'a Tables,
        version: Arc<Version>,
        (number, cooling): (u32, &Cooling),
    ) -> Self {
        let view = cold.view();
        let most = match cooling.segment_groups {
            0 => MAX_SEGMENT_GROUPS,
            most => u64::from(most).min(MAX_SEGMENT_GROUPS),
        };
        let list = view.list.clone();
        let (edits, retired) = (BTreeMap::new(), Vec::new());
        Self { cold, tables, view, version, number, list, edits, most, retired }
    }

    /// The group of these keys, if it is cold; it is not any more.
    pub(crate) fn heat(&mut self, shared: &[u8]) -> Result<Option<Group>, StorageError> {
        let found = self.cold.find(self.tables, &self.version, shared)?;
        let Some(found) = found else { return Ok(None) };
        let edit = self.edit(&found.segment);
        edit.bits.insert(found.position, false);
        Ok(Some(found.group))
    }

    /// Appends a hot group to the lap's run. Whether it can be.
    pub(crate) fn cool(&mut self, group: &Group) -> Result<bool, StorageError> {
        let Some(at) = self.open_run() else { return Ok(false) };
        self.append(at, group)
    }

    /// The lap is over, if there is one.
    pub(crate) fn end_lap(&mut self) -> Result<(), StorageError> {
        match self.lap() {
            Some(at) => self.end_run(at),
            None => Ok(()),
        }
    }

    /// The changes, with the cold root after them; none if there are no changes.
    pub(crate) fn finish(self) -> Result<Option<Step>, StorageError> {
        if self.edits.is_empty() && self.list == self.view.list {
            return Ok(None);
        }
        let too_large = |error: ChangesError| StorageError::Database {
            action: "write a block",
            reason: error.to_string(),
        };
        let bits = self.replaced_bits();
        let bits = bits.iter().map(|(key, value)| (key.as_slice(), *value));
        let replaced_bits = Changes::from_sorted(bits).map_err(too_large)?;
        let records = self.replaced_records();
        let records = records.iter().map(|(key, value)| (key.as_slice(), value.as_deref()));
        let replaced_records = Changes::from_sorted(records).map_err(too_large)?;
        let Self { tables, view, number, list, edits, retired, .. } = self;
        let mut edited = Vec::with_capacity(edits.len());
        for (id, edit) in edits {
            edited.push(finished(id, edit)?);
        }
        let mut roots = Vec::with_capacity(list.runs.len());
        for run in &list.runs {
            roots.push((root_of(tables, &view, run, &edited)?, records_of(&view, run, &edited)));
        }
        let (of_runs, of_segments): (Vec<Digest>, Vec<Digest>) = roots.iter().copied().unzip();
        let records = of_list(&list, &of_segments);
        let root = cold_root(&of_runs, &records).ok_or_else(|| {
            tables.corrupt("there are more runs of cold groups than may be".into())
        })?;
        Ok(Some(Step {
            number,
            list,
            edited,
            retired,
            roots,
            records,
            root,
            replaced_bits,
            replaced_records,
        }))
    }

    /// What a block has in the making of a segment.
    pub(super) fn edit(&mut self, segment: &Arc<Segment>) -> &mut Edit {
        self.edits.entry(segment.id).or_insert_with(|| Edit::of(segment))
    }

    /// The run of the lap, by its place in the list.
    fn lap(&self) -> Option<usize> {
        let target = self.list.merging.as_ref().map(|merging| merging.target);
        self.list.runs.iter().position(|run| !run.is_over && Some(run.id) != target)
    }

    /// As [`Self::lap`]; a new one if there is none, and room for it and one that is merged.
    fn open_run(&mut self) -> Option<usize> {
        if let Some(at) = self.lap() {
            return Some(at);
        }
        if self.list.runs.len() + 1 >= MAX_RUNS {
            return None;
        }
        let at = self.list.runs.len();
        self.insert_run(at, 1);
        Some(at)
    }

    /// Begins a run; its number.
    pub(super) fn insert_run(&mut self, at: usize, laps: u32) -> u64 {
        let id = self.list.next;
        self.list.next += 1;
        let run = RunRecord { id, laps, segments: 0, is_over: false, begun: self.number };
        self.list.runs.insert(at, run);
        id
    }

    /// No group comes to a run any more.
    pub(super) fn end_run(&mut self, at: usize) -> Result<(), StorageError> {
        let Some(run) = self.list.runs.get_mut(at) else { return Ok(()) };
        run.is_over = true;
        let number = self.number;
        if let Some(last) = self.last_segment(at)? {
            last.record.ended.get_or_insert(number);
        }
        Ok(())
    }

    /// Appends a group to a run. Whether it is above all that are there.
    pub(super) fn append(&mut self, at: usize, group: &Group) -> Result<bool, StorageError> {
        let (number, most) = (self.number, self.most);
        let last = self.last_segment(at)?;
        if last.as_ref().is_some_and(|last| last.record.last >= group.shared) {
            return Ok(false);
        }
        let is_open = last.is_some_and(|last| last.record.ended.is_none());
        if !is_open && !self.begin_segment(at, group) {
            return Ok(false);
        }
        let tables = self.tables;
        let lacks = || tables.corrupt("a run of cold groups has no last segment".into());
        let is_last = self.list.runs.get(at).is_some_and(|run| run.segments == MAX_SEGMENTS);
        let edit = self.last_segment(at)?.ok_or_else(lacks)?;
        let position = edit.record.groups;
        edit.rows.push((group.shared.clone(), encode_row(position, group)?));
        if edit.tree.is_none() {
            edit.tree = match &edit.segment {
                Some(known) => known.with(|now| now.tree.clone()),
                None => Some(Growing::default()),
            };
        }
        let Some(tree) = &mut edit.tree else {
            return Err(tables.corrupt("a segment of cold groups that grows has no tree".into()));
        };
        edit.nodes.extend(tree.push(&group.shared, &group.digest()));
        edit.bits.insert(position, true);
        edit.record.groups += 1;
        edit.record.last.clone_from(&group.shared);
        if edit.record.groups >= most && !is_last {
            edit.record.ended = Some(number);
        }
        Ok(true)
    }

    /// Begins a segment of a run with this group. Whether there is room for one.
    fn begin_segment(&mut self, at: usize, group: &Group) -> bool {
        let Some(run) = self.list.runs.get_mut(at) else { return false };
        if run.segments >= MAX_SEGMENTS {
            return false;
        }
        let id = SegmentId { run: run.id, index: run.segments };
        run.segments += 1;
        let record = SegmentRecord {
            from: group.shared.clone(),
            last: group.shared.clone(),
            groups: 0,
            root: Digest::default(),
            ended: None,
        };
        self.edits.insert(id, Edit::new(record));
        true
    }

    /// The last segment of a run.
    fn last_segment(&mut self, at: usize) -> Result<Option<&mut Edit>, StorageError> {
        let Some(run) = self.list.runs.get(at) else { return Ok(None) };
        let Some(index) = run.segments.checked_sub(1) else { return Ok(None) };
        let id = SegmentId { run: run.id, index };
        if !self.edits.contains_key(&id) {
            let what = "a run of cold groups lacks its last segment";
            let known = self.view.segment(id).ok_or_else(|| self.tables.corrupt(what.into()))?;
            self.edits.insert(id, Edit::of(known));
        }
        Ok(self.edits.get_mut(&id))
    }

    /// The bits that are turned, by their keys, as they are now; none for 0.
    fn replaced_bits(&self) -> Vec<(Vec<u8>, Option<&'static [u8]>)> {
        let of_edit = |(id, edit): (&SegmentId, &Edit)| {
            let id = *id;
            let segment = edit.segment.clone();
            let bits: Vec<u64> = edit.bits.keys().copied().collect();
            bits.into_iter().map(move |position| {
                let is_active = segment.as_ref().is_some_and(|known| known.is_active(position));
                (id.number_key(position), is_active.then_some(&[][..]))
            })
        };
        self.edits.iter().flat_map(of_edit).collect()
    }

    /// The records that change, by their keys, as they are now.
    fn replaced_records(&self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        let of_edit = |(id, edit): (&SegmentId, &Edit)| {
            let before = edit.segment.as_ref().map(|segment| segment.record().encode());
            (id.record_key(), before)
        };
        let mut records: BTreeMap<_, _> = self.edits.iter().map(of_edit).collect();
        if self.list != self.view.list {
            // A list without a run was never stored.
            let before = (self.view.list != RunList::default()).then(|| self.view.list.encode());
            records.insert(RUNS.to_vec(), before);
        }
        records.extend(self.retired.iter().map(|run| (retired_key(run.id), None)));
        records
    }
}

/// Computes the roots of a segment.
fn finished(id: SegmentId, edit: Edit) -> Result<Edited, StorageError> {
    let Edit { segment, mut record, tree, bits, rows, nodes } = edit;
    let turned = match &segment {
        Some(segment) => segment.with(|now| now.bits.turn(record.groups, &bits))?,
        None => Activity::default().turn(record.groups, &bits)?,
    };
    if let Some(tree) = &tree {
        record.root = tree.root();
    }
    Ok(Edited { id, segment, record, tree, turned, rows, nodes })
}

/// The root of a run after the changes.
fn root_of(
    tables: &Tables,
    view: &View,
    run: &RunRecord,
    edited: &[Edited],
) -> Result<Digest, StorageError> {
    let known = view.runs.iter().find(|known| known.id == run.id);
    let of_run = || edited.iter().filter(|edited| edited.id.run == run.id);
    if let Some(known) = known
        && of_run().next().is_none()
    {
        return Ok(known.root);
    }
    let mut listed: Vec<Listed> = known.map(Run::listed).unwrap_or_default();
    for Edited { id, record, turned, .. } in of_run() {
        let entry = Listed { from: record.from.clone(), groups: record.root, bits: *turned.root() };
        match listed.get_mut(id.index as usize) {
            Some(known) => *known = entry,
            // They are in the order of their places.
            None => listed.push(entry),
        }
    }
    run_root(&listed)
        .ok_or_else(|| tables.corrupt("the segments of a run of cold groups overlap".into()))
}

/// SM3 of the records of a run's segments after the changes.
fn records_of(view: &View, run: &RunRecord, edited: &[Edited]) -> Digest {
    let others: BTreeMap<u32, &SegmentRecord> = edited
        .iter()
        .filter(|edited| edited.id.run == run.id && edited.has_other_record())
        .map(|edited| (edited.id.index, &edited.record))
        .collect();
    let known = view.runs.iter().find(|known| known.id == run.id);
    if let Some(known) = known
        && others.is_empty()
    {
        return known.records;
    }
    let mut digest = SegmentsDigest::new();
    for index in 0..run.segments {
        let known = known.and_then(|known| known.segments.get(index as usize));
        match (others.get(&index), known) {
            (Some(record), _) => digest.add(record),
            (None, Some(segment)) => segment.with(|now| digest.add(&now.record)),
            // Those that are new were changed.
            (None, None) => {}
        }
    }
    digest.finish()
}

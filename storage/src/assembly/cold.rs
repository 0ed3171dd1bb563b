//! The cold part of a store in the making.
//!
//! Its list comes first: the records of runs and segments, and activity bits. They lead to the
//! roots of the runs and to SM3 of the records, to which the state root commits, so that a list is
//! right or wrong as a whole, and whoever gave it need not be believed.
//!
//! Then the groups of segments without a file: all of a segment, from one peer, lead to its
//! root. A segment that ended long ago is left to its file, which is adopted afterwards.

use super::{Added, Assembly};
use crate::{
    Entries, StorageError, SyncTarget,
    cold::{
        DEPTH, MAX_SEGMENTS as SEGMENTS_OF_A_RUN, SegmentId, SegmentsDigest, of_list,
        records::{RUNS, RunList, RunRecord, SegmentRecord, of_number_key},
    },
    state_copy::CopyTable,
    tables::{Batch, Table, Tables},
};
use billchain_cold::{
    Activity, Group, Growing, MAX_SHARED, WholeNode,
    proof::{CHUNK_BITS, Digest, Listed, MAX_RUNS, run_root},
};
use codec::{DecodeAll, Encode};
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};

/// Most segments of all runs, and most bytes of their records: they are in memory before they are
/// proven.
const MAX_SEGMENTS: usize = MAX_RUNS * SEGMENTS_OF_A_RUN as usize;
const MAX_RECORD_BYTES: usize = 256 << 20;
/// Most groups of all segments: as many bits are in memory.
const MAX_GROUPS: u64 = 1 << 32;
/// Blocks after its end from which on a segment is left to its file, whatever its groups are:
/// the default of `storage.copy_interval`.
const LONG_AGO: u32 = 4_096;
/// Chunks of bits that are written at once.
const AT_ONCE: usize = 1 << 14;

/// What became of groups of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// They are there; more are missing.
    More,
    /// All are there, and lead to the segment's root.
    Whole,
    /// Who sent them has the segment in a file, as it may: the file will be adopted.
    InFile,
    /// They are not those of the segment: who sent them lies. None of them stays.
    Refuted,
}

/// What is known of the cold part.
#[derive(Default)]
pub(super) struct ColdPart {
    list: RunList,
    records: BTreeMap<SegmentId, SegmentRecord>,
    /// Groups of all of them, and bytes of the records.
    groups: u64,
    bytes: usize,
    bits: BTreeMap<SegmentId, Vec<[u8; 64]>>,
    /// The last key of each table, `cold` and `bits`.
    last: [Vec<u8>; 2],
    is_proven: bool,
    /// Segments whose groups are still missing.
    missing: BTreeSet<SegmentId>,
    filling: Option<Filling>,
}

/// A segment whose groups come.
struct Filling {
    id: SegmentId,
    tree: Growing,
    /// What the keys of the last group share.
    last: Vec<u8>,
}

impl ColdPart {
    /// Whether nothing is missing but files.
    pub(super) fn is_whole(&self) -> bool {
        self.is_proven && self.missing.is_empty()
    }

    /// Takes an entry of the table `cold`; none if it cannot be one.
    fn take_record(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        if key == RUNS {
            let list = RunList::decode_all(&mut &value[..]).ok()?;
            let ids: BTreeSet<u64> = list.runs.iter().map(|run| run.id).collect();
            let segments = list.runs.iter().map(|run| run.segments as usize);
            let is_bounded = segments.fold(0, usize::saturating_add) <= MAX_SEGMENTS;
            let mut cursors = list.merging.iter().flat_map(|merging| &merging.sources);
            let is_good = ids.len() == list.runs.len()
                && list.runs.len() <= MAX_RUNS
                && is_bounded
                && cursors.all(|cursor| cursor.near.len() <= MAX_SHARED);
            self.list = list;
            return is_good.then_some(());
        }
        let id = SegmentId::of_record_key(key)?;
        let run = self.list.runs.iter().find(|run| run.id == id.run)?;
        let record = SegmentRecord::decode_all(&mut &value[..]).ok()?;
        let is_good = id.index < run.segments
            && record.from <= record.last
            && record.last.len() <= MAX_SHARED
            && record.from.len() <= MAX_SHARED
            && record.groups > 0
            && self.groups.saturating_add(record.groups) <= MAX_GROUPS
            && self.bytes.saturating_add(value.len()) <= MAX_RECORD_BYTES;
        is_good.then_some(())?;
        self.groups = self.groups.saturating_add(record.groups);
        self.bytes = self.bytes.saturating_add(value.len());
        self.records.insert(id, record);
        Some(())
    }

    /// Takes an entry of the table `bits`; none if it cannot be one.
    fn take_bits(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let (id, at) = of_number_key(key)?;
        let groups = self.records.get(&id)?.groups;
        let chunks = self.bits.entry(id).or_default();
        let is_next = at == chunks.len() as u64 && at < groups.div_ceil(CHUNK_BITS);
        is_next.then_some(())?;
        chunks.push(value.try_into().ok()?);
        Some(())
    }

    /// Roots of the runs; none if something is missing, or does not go together.
    fn roots(&self) -> Option<Vec<H256>> {
        let known: usize = self.list.runs.iter().map(|run| run.segments as usize).sum();
        if known != self.records.len() {
            return None;
        }
        let root = |run: u64, segments: u32| {
            let ids = (0..segments).map(|index| SegmentId { run, index });
            let listed = ids.map(|id| self.listed(id)).collect::<Option<Vec<_>>>()?;
            run_root(&listed).map(H256)
        };
        self.list.runs.iter().map(|run| root(run.id, run.segments)).collect()
    }

    /// What it leads to: the roots of the runs, and SM3 of the records.
    fn leads_to(&self) -> Option<(Vec<H256>, H256)> {
        Some((self.roots()?, self.digest()))
    }

    /// SM3 of the records.
    fn digest(&self) -> H256 {
        let of_run = |run: &RunRecord| {
            let mut digest = SegmentsDigest::new();
            let ids = (0..run.segments).map(|index| SegmentId { run: run.id, index });
            ids.filter_map(|id| self.records.get(&id)).for_each(|record| digest.add(record));
            digest.finish()
        };
        let of_segments: Vec<Digest> = self.list.runs.iter().map(of_run).collect();
        H256(of_list(&self.list, &of_segments))
    }

    fn listed(&self, id: SegmentId) -> Option<Listed> {
        let record = self.records.get(&id)?;
        let chunks = self.bits.get(&id).cloned().unwrap_or_default();
        let bits = Activity::of_chunks(record.groups, chunks).ok()?.root();
        Some(Listed { from: record.from.clone(), groups: record.root, bits })
    }
}

/// Whether a segment that ended with this block may have its file, where the chain is at a
/// block.
fn may_have_file(record: &SegmentRecord, head: u32) -> bool {
    record.ended.is_some_and(|ended| head.saturating_sub(ended) >= DEPTH)
}

/// Whether it is left to its file.
fn is_left_to_file(record: &SegmentRecord, head: u32) -> bool {
    record.ended.is_some_and(|ended| head.saturating_sub(ended) >= LONG_AGO)
}

impl Assembly {
    /// Takes the next entries of the list of the cold part: all of [`CopyTable::Cold`], then all
    /// of [`CopyTable::Bits`].
    pub fn add_cold(&mut self, table: CopyTable, entries: &Entries) -> Added {
        let part = &mut self.cold;
        let at = usize::from(table == CopyTable::Bits);
        if let (CopyTable::Bits, Some((key, _))) = (table, entries.first())
            && part.digest() != self.target.records
        {
            // How many bits there are, the records say.
            return Added::Refuted { key: key.clone() };
        }
        for (key, value) in entries {
            let is_next = part.last.get(at).is_some_and(|last| last < key);
            let taken = match table {
                CopyTable::Cold => part.take_record(key, value),
                CopyTable::Bits => part.take_bits(key, value),
                _ => None,
            };
            if !is_next || taken.is_none() {
                return Added::Refuted { key: key.clone() };
            }
            if let Some(last) = part.last.get_mut(at) {
                last.clone_from(key);
            }
        }
        Added::Taken
    }

    /// The last key of the list that is here; the next entries are those above it.
    pub fn last_cold(&self, table: CopyTable) -> &[u8] {
        let at = usize::from(table == CopyTable::Bits);
        self.cold.last.get(at).map_or(&[][..], |last| last.as_slice())
    }

    /// Forgets the list, to begin again with another peer.
    pub fn clear_cold(&mut self) {
        self.cold = ColdPart::default();
    }

    /// Segments of the list.
    pub fn segments(&self) -> usize {
        self.cold.records.len()
    }

    /// Whether the list is what the state root commits to. If it is, the store has it; if not,
    /// who gave it lies, or gave a part.
    pub fn prove_cold(&mut self) -> Result<bool, StorageError> {
        let SyncTarget { runs, records, .. } = &self.target;
        if self.cold.leads_to() != Some((runs.clone(), *records)) {
            return Ok(false);
        }
        let (part, head) = (&mut self.cold, self.target.number);
        let mut batch = self.tables.batch();
        if part.list != RunList::default() {
            batch.put(Table::Cold, RUNS, part.list.encode());
        }
        for (id, record) in &part.records {
            batch.put(Table::Cold, id.record_key(), record.encode());
            if is_left_to_file(record, head) {
                batch.put(Table::Cold, id.file_key(), []);
            } else {
                part.missing.insert(*id);
            }
        }
        let mut written = 0_usize;
        for (id, chunks) in std::mem::take(&mut part.bits) {
            for (at, chunk) in (0_u64..).zip(chunks) {
                batch.put(Table::Bits, id.number_key(at), chunk);
                written = written.saturating_add(1);
                if written.is_multiple_of(AT_ONCE) {
                    std::mem::replace(&mut batch, self.tables.batch()).write_unlogged()?;
                }
            }
        }
        batch.write_unlogged()?;
        part.is_proven = true;
        Ok(true)
    }

    /// The next segment whose groups are missing, and the key above which they are to be asked
    /// for in [`CopyTable::Cooled`].
    pub fn next_groups(&self) -> Option<(u64, u32, Vec<u8>)> {
        let part = &self.cold;
        let filling = part.filling.as_ref();
        let id = filling.map(|filling| filling.id).or_else(|| part.missing.first().copied())?;
        let after = match filling {
            Some(filling) if filling.tree.count() > 0 => id.group_key(&filling.last),
            _ => id.prefix(),
        };
        Some((id.run, id.index, after))
    }

    /// Takes the entries above what [`next_groups`](Self::next_groups) says: those of its
    /// segment, and what may follow them.
    pub fn add_groups(&mut self, entries: &Entries) -> Result<Filled, StorageError> {
        let (part, head) = (&mut self.cold, self.target.number);
        let Some(mut filling) = part.filling.take().or_else(|| {
            let id = part.missing.first().copied()?;
            Some(Filling { id, tree: Growing::default(), last: Vec::new() })
        }) else {
            return Ok(Filled::Whole);
        };
        let id = filling.id;
        let record = part.records.get(&id).ok_or_else(|| {
            self.tables.corrupt("a cold segment that is filled has no record".into())
        })?;
        let mut batch = self.tables.batch();
        let mut taken = 0_usize;
        for (key, row) in entries {
            let Some(shared) = key.strip_prefix(&id.prefix()[..]) else { break };
            let Some(nodes) = filling.take(record, shared, row) else {
                forget(&self.tables, id)?;
                return Ok(Filled::Refuted);
            };
            put(&mut batch, id, (key.as_slice(), row.as_slice()), &nodes);
            taken = taken.saturating_add(1);
        }
        let is_over = taken < entries.len() || entries.is_empty();
        if filling.tree.count() == 0 && is_over && may_have_file(record, head) {
            let mut batch = self.tables.batch();
            batch.put(Table::Cold, id.file_key(), []);
            batch.write_unlogged()?;
            part.missing.remove(&id);
            return Ok(Filled::InFile);
        }
        if filling.is_whole(record) {
            batch.write_unlogged()?;
            part.missing.remove(&id);
            return Ok(Filled::Whole);
        }
        if is_over || filling.tree.count() >= record.groups {
            forget(&self.tables, id)?;
            return Ok(Filled::Refuted);
        }
        batch.write_unlogged()?;
        part.filling = Some(filling);
        Ok(Filled::More)
    }

    /// Forgets the groups of the segment that is being filled, to begin it again with another
    /// peer.
    pub fn clear_groups(&mut self) -> Result<(), StorageError> {
        match self.cold.filling.take() {
            Some(filling) => forget(&self.tables, filling.id),
            None => Ok(()),
        }
    }
}

impl Filling {
    /// Takes a row; the nodes that are whole with it, or none if it cannot be the next.
    fn take(
        &mut self,
        record: &SegmentRecord,
        shared: &[u8],
        row: &[u8],
    ) -> Option<Vec<WholeNode>> {
        let (position, group) = row.split_first_chunk()?;
        let group = Group::decode(group).ok()?;
        let count = self.tree.count();
        let is_first = count == 0 && record.from == shared;
        let is_next = count > 0 && self.last.as_slice() < shared;
        let is_good = u64::from_be_bytes(*position) == count
            && count < record.groups
            && group.shared == shared
            && (is_first || is_next);
        is_good.then_some(())?;
        self.last = shared.to_vec();
        Some(self.tree.push(shared, &group.digest()))
    }

    fn is_whole(&self, record: &SegmentRecord) -> bool {
        (self.tree.count(), self.tree.root()) == (record.groups, record.root)
            && self.last == record.last
    }
}

/// Puts a group, and the nodes that are whole with it, into a write.
fn put(batch: &mut Batch<'_>, id: SegmentId, (key, row): (&[u8], &[u8]), nodes: &[WholeNode]) {
    batch.put(Table::Cooled, key, row);
    for WholeNode { level, index, digest } in nodes {
        batch.put(Table::Nodes, id.node_key(*level, *index), digest);
    }
}

/// Removes the groups and nodes of a segment.
fn forget(tables: &Tables, id: SegmentId) -> Result<(), StorageError> {
    let mut batch = tables.batch();
    for table in [Table::Cooled, Table::Nodes] {
        batch.delete_range(table, id.prefix(), id.end());
    }
    batch.write_unlogged()
}

/// For fuzzers, see [`crate::fuzzing`]: entries of the tables `cold` (0) and `bits` (1), and
/// groups of the first segment by their shared bytes (2).
pub(crate) type Fuzzed = Vec<(u8, Vec<u8>, Vec<u8>)>;

/// For fuzzers: whether these are a list that leads to roots.
pub(crate) fn is_list(entries: &Fuzzed) -> bool {
    let (mut part, mut filling) = (ColdPart::default(), None::<Filling>);
    for (table, key, value) in entries {
        let taken = match table {
            0 => part.take_record(key, value),
            1 => part.take_bits(key, value),
            _ => part.records.first_key_value().and_then(|(id, record)| {
                let new = || Filling { id: *id, tree: Growing::default(), last: Vec::new() };
                filling.get_or_insert_with(new).take(record, key, value).map(drop)
            }),
        };
        if taken.is_none() {
            return false;
        }
    }
    part.leads_to().is_some()
}

/// For fuzzers: a list of one segment with one group.
pub(crate) fn sample() -> Fuzzed {
    let group = Group { shared: b"key".to_vec(), values: vec![(7, vec![1; 40])] };
    let mut tree = Growing::default();
    tree.push(&group.shared, &group.digest());
    let id = SegmentId { run: 4, index: 0 };
    let record = SegmentRecord {
        from: group.shared.clone(),
        last: group.shared.clone(),
        groups: 1,
        root: tree.root(),
        ended: Some(9),
    };
    let run = RunRecord { id: id.run, laps: 1, segments: 1, is_over: true, begun: 7 };
    let list = RunList { next: 5, runs: vec![run], merging: None };
    let mut chunk = vec![0; 64];
    chunk[0] = 1;
    let mut entries = vec![
        (0, RUNS.to_vec(), list.encode()),
        (0, id.record_key(), record.encode()),
        (1, id.number_key(0), chunk),
    ];
    let row = group.encode().map(|group| [&0_u64.to_be_bytes()[..], &group].concat());
    entries.extend(row.map(|row| (2, group.shared, row)));
    entries
}

#[cfg(test)]
mod tests;

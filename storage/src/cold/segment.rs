//! A segment as the store has it: its groups in the table `cooled` or in a file, its activity
//! bits and, while it has no file, its tree.

use super::{
    file::ColdFile,
    records::{SegmentId, SegmentRecord},
};
use crate::{
    StorageError,
    tables::{Table, Tables},
};
use billchain_cold::{
    Activity, Group, Growing, Proof, Turned,
    proof::{BitProof, Digest, Exclusion, Inclusion, Listed, Neighbour},
};
use parking_lot::RwLock;
use std::{ops::Range, path::PathBuf, sync::Arc};

/// Where the groups of a segment lie.
#[derive(Clone)]
pub(crate) enum Place {
    /// In the table `cooled`.
    Table,
    /// In a file that was written or adopted.
    File(Arc<ColdFile>),
    /// In a file that was recorded and cannot be read: its path, and why not.
    Lost(PathBuf, Arc<str>),
}

/// What blocks change of a segment.
#[derive(Clone)]
pub(crate) struct Filling {
    pub(crate) record: SegmentRecord,
    pub(crate) bits: Activity,
    /// None if it has a file.
    pub(crate) tree: Option<Growing>,
}

/// A segment. Readers never wait for a block but while what it changes is put in.
pub(crate) struct Segment {
    pub(crate) id: SegmentId,
    /// Where its range of keys begins.
    pub(crate) from: Vec<u8>,
    filling: RwLock<Filling>,
    place: RwLock<Place>,
}

impl Segment {
    pub(crate) fn new(id: SegmentId, filling: Filling, place: Place) -> Self {
        let from = filling.record.from.clone();
        Self { id, from, filling: RwLock::new(filling), place: RwLock::new(place) }
    }

    /// What `read` makes of what blocks change of it.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Filling) -> T) -> T {
        read(&self.filling.read())
    }

    /// Its record.
    pub(crate) fn record(&self) -> SegmentRecord {
        self.filling.read().record.clone()
    }

    /// Where its groups lie.
    pub(crate) fn place(&self) -> Place {
        self.place.read().clone()
    }

    /// Its groups lie elsewhere now.
    pub(crate) fn set_place(&self, place: Place) {
        let is_file = matches!(place, Place::File(_));
        *self.place.write() = place;
        if is_file {
            // The file has the nodes.
            self.filling.write().tree = None;
        }
    }

    /// A block has changed it.
    pub(crate) fn apply(&self, record: &SegmentRecord, tree: Option<&Growing>, turned: &Turned) {
        let mut filling = self.filling.write();
        filling.record.clone_from(record);
        filling.bits.apply(turned);
        if let Some(tree) = tree {
            filling.tree = Some(tree.clone());
        }
    }

    /// Whether the group at a position is active at the head.
    pub(crate) fn is_active(&self, position: u64) -> bool {
        self.filling.read().bits.is_active(position)
    }

    /// As its run commits to it.
    pub(crate) fn listed(&self) -> Listed {
        let filling = self.filling.read();
        let (groups, bits) = (filling.record.root, filling.bits.root());
        Listed { from: self.from.clone(), groups, bits }
    }

    /// The group whose keys share these bytes, active or not, and its position.
    pub(crate) fn locate(
        &self,
        tables: &Tables,
        shared: &[u8],
    ) -> Result<Option<(u64, Group)>, StorageError> {
        if self.filling.read().record.last.as_slice() < shared {
            return Ok(None);
        }
        if matches!(self.place(), Place::Table)
            && let Some(found) = self.in_table(tables, shared)?
        {
            return Ok(Some(found));
        }
        // Its file may have been written meanwhile, before it left the table.
        match self.place() {
            Place::Table => Ok(None),
            Place::File(file) => Ok(file.locate(shared)?),
            Place::Lost(path, reason) => Err(lost(path, &reason)),
        }
    }

    /// The group at a position, which there must be; `near` is not above what its keys share.
    /// From the table it takes a step for each group between.
    pub(crate) fn group_at(
        &self,
        tables: &Tables,
        position: u64,
        near: &[u8],
    ) -> Result<Group, StorageError> {
        if matches!(self.place(), Place::Table) {
            for found in self.groups_from(tables, near)? {
                let (at, group) = found?;
                if at == position {
                    return Ok(group);
                }
                if at > position {
                    break;
                }
            }
        }
        match self.place() {
            Place::File(file) => file.segment.group_at(position)?,
            Place::Lost(path, reason) => return Err(lost(path, &reason)),
            Place::Table => None,
        }
        .ok_or_else(|| self.damaged(tables, &format!("it has no group {position}")))
    }

    /// What it proves of the keys that share these bytes. No block may change it meanwhile.
    pub(crate) fn prove(&self, tables: &Tables, shared: &[u8]) -> Result<Proof, StorageError> {
        if matches!(self.place(), Place::Table) {
            let proof = self.prove_in_table(tables, shared);
            if matches!(self.place(), Place::Table) {
                return proof;
            }
        }
        match self.place() {
            Place::File(file) => Ok(file.segment.prove(shared)?),
            Place::Lost(path, reason) => Err(lost(path, &reason)),
            // A file is never given back to the table.
            Place::Table => Err(self.damaged(tables, "its groups are nowhere")),
        }
    }

    /// Proof of the bit of the group at a position.
    pub(crate) fn prove_bit(
        &self,
        tables: &Tables,
        position: u64,
    ) -> Result<BitProof, StorageError> {
        let proof = self.filling.read().bits.prove(position);
        proof.ok_or_else(|| self.damaged(tables, "a group has no activity bit"))
    }

    /// Its groups in the table `cooled`, from the one whose keys share these bytes on.
    pub(crate) fn groups_from<'a>(
        &'a self,
        tables: &'a Tables,
        shared: &[u8],
    ) -> Result<Rows<'a>, StorageError> {
        let cursor =
            tables.cursor(Table::Cooled, &self.id.group_key(shared), Some(self.id.end()))?;
        Ok(Rows { segment: self, tables, cursor })
    }

    /// An error that names it.
    pub(crate) fn damaged(&self, tables: &Tables, what: &str) -> StorageError {
        let SegmentId { run, index } = self.id;
        tables.corrupt(format!("segment {index} of run {run} of the cold groups: {what}"))
    }

    fn in_table(
        &self,
        tables: &Tables,
        shared: &[u8],
    ) -> Result<Option<(u64, Group)>, StorageError> {
        let Some(row) = tables.get(Table::Cooled, &self.id.group_key(shared))? else {
            return Ok(None);
        };
        self.row(tables, shared, &row).map(Some)
    }

    /// Takes a row of `cooled` apart.
    fn row(
        &self,
        tables: &Tables,
        shared: &[u8],
        row: &[u8],
    ) -> Result<(u64, Group), StorageError> {
        let parts = row.split_first_chunk::<8>().ok_or("it is cut short");
        let read = parts.and_then(|(position, group)| {
            Ok((u64::from_be_bytes(*position), Group::decode(group)?))
        });
        match read {
            Ok((position, group)) if group.shared == shared => Ok((position, group)),
            Ok(_) => Err(self.damaged(tables, "a group is stored under another one's key")),
            Err(what) => {
                Err(self.damaged(tables, &format!("a stored group is unreadable: {what}")))
            }
        }
    }

    fn prove_in_table(&self, tables: &Tables, shared: &[u8]) -> Result<Proof, StorageError> {
        let tree = self.filling.read().tree.clone();
        let tree = tree.ok_or_else(|| self.damaged(tables, "it has no tree"))?;
        let way = |first, shown| {
            let path =
                tree.path(first, shown, |level, nodes| read_nodes(tables, self.id, level, nodes))?;
            path.ok_or_else(|| self.damaged(tables, "nodes of its tree are missing"))
        };
        let root = self.filling.read().record.root;
        let (proof, verified) = match self.in_table(tables, shared)? {
            Some((position, group)) => {
                let proof = Inclusion(way(position, 1)?);
                let verified = proof.verify(&root, shared, &group.digest());
                (Proof::Present { group, proof }, verified)
            }
            None => {
                let neighbours = self.neighbours(tables, shared)?;
                let first = neighbours.first().map_or(0, |(position, _)| *position);
                let path = way(first, neighbours.len() as u64)?;
                let neighbours = neighbours
                    .into_iter()
                    .map(|(_, group)| Neighbour { group: group.digest(), shared: group.shared });
                let proof = Exclusion { neighbours: neighbours.collect(), path };
                let verified = proof.verify(&root, shared);
                (Proof::Absent(proof), verified)
            }
        };
        verified.map_err(|refused| {
            self.damaged(tables, &format!("its own proof does not hold: {refused}"))
        })?;
        Ok(proof)
    }

    /// The groups in `cooled` before and behind the gap where this one would be.
    fn neighbours(
        &self,
        tables: &Tables,
        shared: &[u8],
    ) -> Result<Vec<(u64, Group)>, StorageError> {
        let key = self.id.group_key(shared);
        let before = tables.last_within(Table::Cooled, &self.id.prefix(), &key)?;
        let mut found = Vec::new();
        if let Some((key, row)) = before {
            let shared = key.get(self.id.prefix().len()..).unwrap_or_default();
            found.push(self.row(tables, shared, &row)?);
        }
        found.extend(self.groups_from(tables, shared)?.next().transpose()?);
        Ok(found)
    }
}

/// Groups of a segment in the table `cooled`, ascending.
pub(crate) struct Rows<'a> {
    segment: &'a Segment,
    tables: &'a Tables,
    cursor: crate::tables::Cursor<'a>,
}

impl Iterator for Rows<'_> {
    type Item = Result<(u64, Group), StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (key, row) = self.cursor.entry()?;
        let shared = key.get(self.segment.id.prefix().len()..).unwrap_or_default();
        let found = self.segment.row(self.tables, shared, row);
        let advanced = self.cursor.advance();
        Some(found.and_then(|found| advanced.map(|()| found)))
    }
}

/// The row of a group in `cooled`.
pub(crate) fn encode_row(position: u64, group: &Group) -> Result<Vec<u8>, StorageError> {
    Ok([&position.to_be_bytes()[..], &group.encode()?].concat())
}

/// Whole nodes of a segment's tree, as far as they are stored.
pub(crate) fn read_nodes(
    tables: &Tables,
    id: SegmentId,
    level: u8,
    nodes: Range<u64>,
) -> Result<Vec<Digest>, StorageError> {
    let (from, end) = (id.node_key(level, nodes.start), id.node_key(level, nodes.end));
    let mut cursor = tables.cursor(Table::Nodes, &from, Some(end))?;
    let mut found = Vec::new();
    while let Some((key, node)) = cursor.entry() {
        let expected = id.node_key(level, nodes.start.saturating_add(found.len() as u64));
        match node.try_into() {
            Ok(node) if key == expected => found.push(node),
            _ => break,
        }
        cursor.advance()?;
    }
    Ok(found)
}

/// A file that was recorded cannot be read.
pub(crate) fn lost(file: PathBuf, reason: &str) -> StorageError {
    StorageError::SegmentLost { file, reason: reason.into() }
}

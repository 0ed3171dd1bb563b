//! The runs at the head, and where a group was at a block.

use super::{
    digests::{SegmentsDigest, of_list},
    file::{ColdFile, path_of},
    records::{self, RUNS, RetiredRecord, RunList, RunRecord, SegmentId, SegmentRecord},
    segment::{Filling, Place, Segment, read_nodes},
};
use crate::{
    StorageError,
    history::Version,
    tables::{Table, Tables},
};
use billchain_cold::{
    Activity, Cache, Group, Growing,
    proof::{Digest, Listed, cold_root, run_root},
};
use parking_lot::{Mutex, RwLock};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// A run.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) id: u64,
    /// The block that began it.
    pub(crate) begun: u32,
    /// By ascending ranges.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Root over its segments.
    pub(crate) root: Digest,
    /// SM3 of the records of its segments.
    pub(crate) records: Digest,
}

/// All runs, as they are after one block.
#[derive(Clone, Default)]
pub(crate) struct View {
    pub(crate) list: RunList,
    /// Those of the list, the oldest first.
    pub(crate) runs: Vec<Run>,
    /// Those that left the list, each with the block; older states need them.
    pub(crate) retired: Vec<(u32, Run)>,
    /// States before this block cannot be read whole any more.
    pub(crate) forgotten: u32,
    /// SM3 of all records.
    pub(crate) records: Digest,
    /// Root over the runs and the records.
    pub(crate) root: Digest,
}

/// A group that was found.
pub(crate) struct Found {
    pub(crate) segment: Arc<Segment>,
    pub(crate) position: u64,
    pub(crate) group: Group,
}

/// The cold part of the state.
pub(crate) struct Cold {
    pub(crate) directory: PathBuf,
    pub(crate) cache: Arc<Cache>,
    view: RwLock<Arc<View>>,
    /// Held while files come or go.
    pub(crate) files: Mutex<Files>,
    /// Segments that were asked for a group, and groups that were found.
    asked: AtomicU64,
    found: AtomicU64,
}

/// What is known of files and rows.
pub(crate) struct Files {
    /// Whether rows of groups that have files may be left.
    pub(crate) may_have_rows: bool,
    /// A segment whose file this process has written or read whole, and that is not recorded.
    pub(crate) whole: Option<SegmentId>,
}

impl Run {
    /// The segment whose range holds these shared bytes.
    pub(crate) fn covering(&self, shared: &[u8]) -> Option<&Arc<Segment>> {
        let above = self.segments.partition_point(|segment| segment.from.as_slice() <= shared);
        self.segments.get(above.checked_sub(1)?)
    }

    /// Its segments as their root commits to them.
    pub(crate) fn listed(&self) -> Vec<Listed> {
        self.segments.iter().map(|segment| segment.listed()).collect()
    }
}

impl View {
    /// A segment of a run of the list.
    pub(crate) fn segment(&self, id: SegmentId) -> Option<&Arc<Segment>> {
        let run = self.runs.iter().find(|run| run.id == id.run)?;
        run.segments.get(usize::try_from(id.index).ok()?)
    }

    /// All segments of the list, with their runs.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.runs.iter().flat_map(|run| &run.segments)
    }

    /// Roots of the runs.
    pub(crate) fn run_roots(&self) -> Vec<Digest> {
        self.runs.iter().map(|run| run.root).collect()
    }
}

impl Cold {
    /// Reads what the tables hold. A file that is lost is told of, and gives an error when it is
    /// read.
    pub(crate) fn load(
        tables: &Tables,
        directory: PathBuf,
        cache_bytes: usize,
    ) -> Result<Self, StorageError> {
        let cache = Cache::new(cache_bytes);
        let mut view = View {
            list: records::read(tables, RUNS, "the runs of cold groups")?.unwrap_or_default(),
            ..View::default()
        };
        let loader = Loader { tables, directory: &directory, cache: &cache };
        for record in &view.list.runs {
            view.runs.push(loader.run(record)?);
        }
        let mut cursor = tables.cursor(Table::Cold, b"r", Some(b"runs".to_vec()))?;
        while let Some((_, bytes)) = cursor.entry() {
            let retired: RetiredRecord = records::decode(tables, bytes, "a run that was merged")?;
            view.retired.push((retired.at, loader.run(&retired.run)?));
            cursor.advance()?;
        }
        let of_segments: Vec<Digest> = view.runs.iter().map(|run| run.records).collect();
        view.records = of_list(&view.list, &of_segments);
        view.root = cold_root(&view.run_roots(), &view.records).ok_or_else(|| {
            tables.corrupt("there are more runs of cold groups than may be".into())
        })?;
        Ok(Self {
            directory,
            cache,
            view: RwLock::new(Arc::new(view)),
            files: Mutex::new(Files { may_have_rows: true, whole: None }),
            asked: AtomicU64::new(0),
            found: AtomicU64::new(0),
        })
    }

    /// The runs as they are now.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read())
    }

    /// Changes the runs.
    pub(crate) fn change(&self, change: impl FnOnce(&mut View)) {
        let mut view = self.view.write();
        change(Arc::make_mut(&mut view));
    }

    /// The cold root.
    pub(crate) fn root(&self) -> Digest {
        self.view.read().root
    }

    /// How often a segment was asked for a group, and how often that was found.
    pub(crate) fn asked(&self) -> (u64, u64) {
        (self.asked.load(Relaxed), self.found.load(Relaxed))
    }

    /// The group of these keys, if it was cold after the block of `version`. It was not hot.
    pub(crate) fn find(
        &self,
        tables: &Tables,
        version: &Version,
        shared: &[u8],
    ) -> Result<Option<Found>, StorageError> {
        let (view, number) = (self.view(), version.number());
        let retired = view.retired.iter().rev().filter(|(at, _)| *at > number);
        let runs = view.runs.iter().rev().chain(retired.map(|(_, run)| run));
        for run in runs.filter(|run| run.begun <= number) {
            let Some(segment) = run.covering(shared) else { continue };
            self.asked.fetch_add(1, Relaxed);
            let Some((position, group)) = segment.locate(tables, shared)? else { continue };
            if was_active(segment, position, version) {
                self.found.fetch_add(1, Relaxed);
                return Ok(Some(Found { segment: Arc::clone(segment), position, group }));
            }
        }
        // Runs are forgotten before their groups are removed.
        match self.view.read().forgotten {
            oldest if number < oldest => Err(StorageError::ColdNotKept { number, oldest }),
            _ => Ok(None),
        }
    }
}

/// Whether a group was active after the block of `version`. First its bit is read, then what
/// blocks since then replaced: a block says what it replaces before it turns bits.
fn was_active(segment: &Segment, position: u64, version: &Version) -> bool {
    let now = segment.is_active(position);
    let key = segment.id.number_key(position);
    let replaced = version.steps().find_map(|link| link.replaced.bits.get(&key));
    replaced.map_or(now, |before| before.is_some())
}

/// Reads segments from the tables.
struct Loader<'a> {
    tables: &'a Tables,
    directory: &'a Path,
    cache: &'a Arc<Cache>,
}

impl Loader<'_> {
    fn run(&self, record: &RunRecord) -> Result<Run, StorageError> {
        let mut run = Run {
            id: record.id,
            begun: record.begun,
            segments: Vec::new(),
            root: Digest::default(),
            records: Digest::default(),
        };
        let mut records = SegmentsDigest::new();
        for index in 0..record.segments {
            let segment = self.segment(SegmentId { run: record.id, index })?;
            segment.with(|now| records.add(&now.record));
            run.segments.push(Arc::new(segment));
        }
        run.records = records.finish();
        run.root = run_root(&run.listed()).ok_or_else(|| {
            let what = format!("the segments of run {} of the cold groups overlap", run.id);
            self.tables.corrupt(what)
        })?;
        Ok(run)
    }

    fn segment(&self, id: SegmentId) -> Result<Segment, StorageError> {
        let what = || format!("segment {} of run {} of the cold groups", id.index, id.run);
        let missing = |part: &str| self.tables.corrupt(format!("{} has no {part}", what()));
        let record: Option<SegmentRecord> = records::read(self.tables, &id.record_key(), &what())?;
        let record = record.ok_or_else(|| missing("record"))?;
        let bits = self.bits(id, record.groups)?;
        let has_file = self.tables.get(Table::Cold, &id.file_key())?.is_some();
        if !has_file {
            let nodes = |level, nodes| read_nodes(self.tables, id, level, nodes);
            let tree = Growing::restore(record.groups, nodes)?;
            let tree = tree.filter(|tree| tree.root() == record.root);
            let tree = Some(tree.ok_or_else(|| missing("tree of its root"))?);
            return Ok(Segment::new(id, Filling { record, bits, tree }, Place::Table));
        }
        let path = path_of(self.directory, id);
        let place = match ColdFile::open(path.clone(), &record, self.cache) {
            Ok(file) => Place::File(Arc::new(file)),
            Err(error) => {
                tracing::error!(%error, "a cold segment is lost; fetch it from another node");
                Place::Lost(path, error.to_string().into())
            }
        };
        Ok(Segment::new(id, Filling { record, bits, tree: None }, place))
    }

    fn bits(&self, id: SegmentId, groups: u64) -> Result<Activity, StorageError> {
        let mut cursor = self.tables.cursor(Table::Bits, &id.prefix(), Some(id.end()))?;
        let mut chunks: Vec<[u8; 64]> = Vec::new();
        while let Some((key, chunk)) = cursor.entry() {
            let expected = id.number_key(chunks.len() as u64);
            match chunk.try_into() {
                Ok(chunk) if key == expected => chunks.push(chunk),
                _ => break,
            }
            cursor.advance()?;
        }
        Ok(Activity::of_chunks(groups, chunks)?)
    }
}

//! Files of cold segments: written, adopted and removed by each node on its own time. No root and
//! no other node depends on when.

use crate::{
    Storage, StorageError,
    cold::{
        ColdFile, DEPTH, Files, Place, Run, Segment, SegmentId, SegmentRecord, check, new_filter,
        path_of, probe, retired_key,
    },
    tables::Table,
};
use billchain_cold::{LocalFile, WriteOptions, filter_path, write};
use sp_core::H256;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A segment of cold groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColdSegment {
    /// Number of its run.
    pub run: u64,
    /// Its place in the run.
    pub index: u32,
    /// Where its range of keys begins; it ends where that of the next one begins.
    pub beginning: Vec<u8>,
    /// Groups.
    pub groups: u64,
    /// Of these, those that are still what the state says of their keys.
    pub active: u64,
    /// Root over the groups.
    pub groups_root: H256,
    /// The block that ended it; none while groups come to it.
    pub ended_at: Option<u32>,
    /// Its file, once that was written or adopted; of a lost one, where it was.
    pub file: Option<PathBuf>,
}

impl ColdSegment {
    fn of(segment: &Segment) -> Self {
        let file = match segment.place() {
            Place::Table => None,
            Place::File(file) => Some(file.path.clone()),
            Place::Lost(path, _) => Some(path),
        };
        segment.with(|now| Self {
            run: segment.id.run,
            index: segment.id.index,
            beginning: segment.from.clone(),
            groups: now.record.groups,
            active: now.bits.active(),
            groups_root: H256(now.record.root),
            ended_at: now.record.ended,
            file,
        })
    }
}

impl Storage {
    /// The segments at the head, run by run, the oldest first.
    pub fn cold_segments(&self) -> Result<Vec<ColdSegment>, StorageError> {
        self.check_running()?;
        let view = self.shared.cold.view();
        Ok(view.segments().map(|segment| ColdSegment::of(segment)).collect())
    }

    /// Where the file of a segment lies, or will.
    pub fn segment_path(&self, run: u64, index: u32) -> PathBuf {
        path_of(&self.shared.cold.directory, SegmentId { run, index })
    }

    /// Writes the file of one segment, if one is due: it ended so many blocks ago that the chain
    /// cannot be wound back to before. Takes its groups out of the database when the file is on
    /// disk and recorded. Also removes what is left of runs that were merged, and makes filters
    /// that are missing. Blocks go on meanwhile. Call it again while it gives something.
    ///
    /// # Errors
    /// [`StorageError::Cold`] and [`StorageError::Io`] if the cold path refuses: the groups are
    /// read from the database as before, and the next call tries again.
    pub fn write_due_segment(&self) -> Result<Option<ColdSegment>, StorageError> {
        self.write_due_segment_with(|_| Ok(()))
    }

    /// As [`write_due_segment`](Self::write_due_segment), with something that `keep` does with
    /// the whole file before the groups leave the database, such as a second copy. It may take
    /// its time; if it fails, the groups stay, and the next call finds the file.
    ///
    /// # Errors
    /// As the same, and those of `keep`.
    pub fn write_due_segment_with<E: From<StorageError>>(
        &self,
        keep: impl FnOnce(&ColdSegment) -> Result<(), E>,
    ) -> Result<Option<ColdSegment>, E> {
        let Some((segment, path)) = self.written_segment()? else { return Ok(None) };
        keep(&ColdSegment { file: Some(path.clone()), ..ColdSegment::of(&segment) })?;
        let mut files = self.shared.cold.files.lock();
        // A file of it may have been adopted meanwhile.
        if matches!(segment.place(), Place::Table) {
            self.record_file(&segment, path)?;
        }
        *files = Files { may_have_rows: false, whole: None };
        Ok(Some(ColdSegment::of(&segment)))
    }

    /// Removes what is left of runs that were merged, and rows of segments that have files: what
    /// makes room. [`write_due_segment`](Self::write_due_segment) begins with it, and is not to be
    /// called where a file has no room.
    pub fn tidy_segments(&self) -> Result<(), StorageError> {
        self.check_running()?;
        self.tidy(&mut self.shared.cold.files.lock().may_have_rows)
    }

    fn tidy(&self, may_have_rows: &mut bool) -> Result<(), StorageError> {
        if *may_have_rows {
            // An earlier process may have ended between its record and this.
            for segment in self.shared.cold.view().segments() {
                self.sweep(segment)?;
            }
            *may_have_rows = false;
        }
        self.remove_retired()
    }

    /// A segment that is due and whose file is whole now, not recorded yet. Does all else that
    /// is to be done with files.
    fn written_segment(&self) -> Result<Option<(Arc<Segment>, PathBuf)>, StorageError> {
        self.check_running()?;
        let cold = &self.shared.cold;
        let mut files = cold.files.lock();
        self.tidy(&mut files.may_have_rows)?;
        let view = cold.view();
        let head = self.head().number;
        for segment in view.segments() {
            if matches!(segment.place(), Place::Table) && is_due(&segment.record(), head) {
                files.may_have_rows = true;
                let path = self.write_file(segment, &mut files)?;
                return Ok(Some((Arc::clone(segment), path)));
            }
        }
        // One that is damaged keeps the others neither from their files nor from their filters.
        let mut outcome = Ok(None);
        for segment in view.segments() {
            if let Place::File(file) = segment.place()
                && file.lacks_filter()
            {
                outcome = outcome.and(file.make_filter(&cold.cache).map(|()| None));
            }
        }
        outcome
    }

    /// Puts a file, from wherever it came, in the place of the segment that it is of, unless a
    /// sound one is there: verifies all of a copy of it, and compares its root with the one that
    /// the state root commits to.
    ///
    /// # Errors
    /// [`StorageError::NotAdopted`] for a file that is damaged, or of no segment that ended as
    /// long ago as one that [`write_due_segment`](Self::write_due_segment) writes.
    pub fn adopt_segment(&self, file: &Path) -> Result<ColdSegment, StorageError> {
        self.check_running()?;
        let refused = |reason: String| StorageError::NotAdopted { file: file.to_owned(), reason };
        let unsound = |error: billchain_cold::ColdError| refused(error.to_string());
        let cold = &self.shared.cold;
        let mut files = cold.files.lock();
        let given = LocalFile::open(file).and_then(billchain_cold::Segment::open);
        let given = given.map_err(unsound)?;
        let (view, head) = (cold.view(), self.head().number);
        // Two segments may have the same groups: the one that lacks its file comes first.
        let is_its = |segment: &&Arc<Segment>| check(&given, &segment.record()).is_ok();
        let its: Vec<&Arc<Segment>> = view.segments().filter(is_its).collect();
        let segment = its
            .iter()
            .find(|segment| lacks_file(segment))
            .or(its.first())
            .ok_or_else(|| refused("no segment at the head has its root".into()))?;
        let record = segment.record();
        if !is_due(&record, head) {
            return Err(refused(format!("its segment did not end {DEPTH} blocks ago")));
        }
        let path = path_of(&cold.directory, segment.id);
        let is_sound = match segment.place() {
            Place::File(file) => !lacks_file(segment) && file.segment.verify().is_ok(),
            Place::Table | Place::Lost(..) => false,
        };
        if !is_sound {
            let partial = path.with_extension("adopting");
            copy(file, &partial)?;
            let copied = LocalFile::open(&partial).and_then(billchain_cold::Segment::open);
            let sound = copied.and_then(|copied| {
                check(&copied, &record)?;
                copied.verify()
            });
            if let Err(error) = sound {
                let _ = fs::remove_file(&partial);
                return Err(unsound(error));
            }
            publish(&partial, &path)?;
            files.may_have_rows = true;
            self.record_file(segment, path)?;
            files.may_have_rows = false;
        }
        Ok(ColdSegment::of(segment))
    }

    /// Segments whose file was recorded, and is lost or cannot be opened. One that is there again
    /// is used again, unless files come or go at this moment: it waits for none of these.
    pub fn missing_segments(&self) -> Result<Vec<ColdSegment>, StorageError> {
        self.check_running()?;
        let cold = &self.shared.cold;
        let files = cold.files.try_lock();
        let mut missing = Vec::new();
        for segment in cold.view().segments() {
            let is_missing = match segment.place() {
                Place::Table => false,
                Place::File(_) => lacks_file(segment),
                Place::Lost(..) if files.is_none() => true,
                Place::Lost(path, _) => {
                    match ColdFile::open(path, &segment.record(), &cold.cache) {
                        Ok(file) => segment.set_place(Place::File(Arc::new(file))),
                        Err(error) => tracing::debug!(%error, "a cold segment is still lost"),
                    }
                    lacks_file(segment)
                }
            };
            if is_missing {
                missing.push(ColdSegment::of(segment));
            }
        }
        Ok(missing)
    }

    /// Writes a segment's file of its rows, unless a whole one is there; where it is. One that is
    /// whole is read once, however often what follows fails.
    fn write_file(&self, segment: &Segment, files: &mut Files) -> Result<PathBuf, StorageError> {
        let Self { shared, .. } = self;
        let (record, path) = (segment.record(), path_of(&shared.cold.directory, segment.id));
        make_directory(&shared.cold.directory)?;
        if files.whole == Some(segment.id) && probe(&path, &record).is_ok() {
            return Ok(path);
        }
        files.whole = None;
        if is_whole(&path, &record)? {
            files.whole = Some(segment.id);
            return Ok(path);
        }
        let (mut filter, mut next) = (new_filter(record.groups), 0);
        let groups = segment.groups_from(&shared.tables, &[])?.map(|found| {
            let (position, group) = found?;
            if position != next {
                return Err(segment.damaged(&shared.tables, &format!("it has no group {next}")));
            }
            next += 1;
            filter.add(&group.shared);
            Ok(group)
        });
        let written = write::<StorageError>(&path, WriteOptions::default(), groups)?;
        if (written.root, written.groups) != (record.root, record.groups) {
            remove(&path)?;
            let what = "its stored groups do not give the root that the state commits to";
            return Err(segment.damaged(&shared.tables, what));
        }
        filter.write(&filter_path(&path), &written.root)?;
        files.whole = Some(segment.id);
        Ok(path)
    }

    /// A segment has its file: what the database has of its groups goes.
    fn record_file(&self, segment: &Segment, path: PathBuf) -> Result<(), StorageError> {
        let cold = &self.shared.cold;
        let file = ColdFile::open(path, &segment.record(), &cold.cache)?;
        let mut batch = self.shared.tables.batch();
        batch.put(Table::Cold, segment.id.file_key(), []);
        batch.write()?;
        tracing::info!(file = %file.path.display(), "a cold segment has its file");
        segment.set_place(Place::File(Arc::new(file)));
        self.sweep(segment)
    }

    /// Removes the rows of a segment that lies in a file.
    fn sweep(&self, segment: &Segment) -> Result<(), StorageError> {
        let (tables, id) = (&self.shared.tables, segment.id);
        if matches!(segment.place(), Place::Table) {
            return Ok(());
        }
        let mut batch = tables.batch();
        let mut has_rows = false;
        for table in [Table::Cooled, Table::Nodes] {
            if tables.cursor(table, &id.prefix(), Some(id.end()))?.entry().is_some() {
                batch.delete_range(table, id.prefix(), id.end());
                has_rows = true;
            }
        }
        if has_rows { batch.write() } else { Ok(()) }
    }

    /// Removes runs that were merged, when no state that can be read needs them. What cannot be
    /// removed now, as on a disk that keeps what was written, stays until it can.
    fn remove_retired(&self) -> Result<(), StorageError> {
        let Self { shared, .. } = self;
        let head = self.head().number;
        let oldest = shared.tables.oldest_changes()?;
        let is_over = |at: u32| at.saturating_add(DEPTH) <= head && at < oldest;
        for (at, run) in shared.cold.view().retired.iter().filter(|(at, _)| is_over(*at)) {
            let unlinked = run.segments.iter().try_for_each(|segment| {
                let path = path_of(&shared.cold.directory, segment.id);
                remove(&filter_path(&path)).and_then(|()| remove(&path))
            });
            if let Err(error) = unlinked {
                tracing::debug!(%error, run = run.id, "a merged run stays for now");
                continue;
            }
            // Who holds an older state is refused before its groups are gone.
            shared.cold.change(|view| {
                view.retired.retain(|(_, kept)| kept.id != run.id);
                view.forgotten = view.forgotten.max(*at);
            });
            self.forget(run)?;
        }
        Ok(())
    }

    /// Removes all records of a run.
    fn forget(&self, run: &Run) -> Result<(), StorageError> {
        let mut batch = self.shared.tables.batch();
        let from = SegmentId { run: run.id, index: 0 }.prefix();
        let end = SegmentId { run: run.id.saturating_add(1), index: 0 }.prefix();
        for table in [Table::Cooled, Table::Nodes, Table::Bits] {
            batch.delete_range(table, &from, &end);
        }
        for segment in &run.segments {
            batch.delete(Table::Cold, segment.id.record_key());
            batch.delete(Table::Cold, segment.id.file_key());
        }
        batch.delete(Table::Cold, retired_key(run.id));
        batch.write()
    }
}

/// Whether a segment ended so long ago that it stays ended.
fn is_due(record: &SegmentRecord, head: u32) -> bool {
    record.ended.is_some_and(|ended| ended.saturating_add(DEPTH) <= head)
}

/// Whether a segment has no file that can be opened.
fn lacks_file(segment: &Segment) -> bool {
    match segment.place() {
        Place::File(file) => probe(&file.path, &segment.record()).is_err(),
        Place::Table | Place::Lost(..) => true,
    }
}

/// Whether a file that was not recorded is whole, as after a crash; one that is not is removed.
fn is_whole(path: &Path, record: &SegmentRecord) -> Result<bool, StorageError> {
    if !path.try_exists().map_err(failed("look for", path))? {
        return Ok(false);
    }
    let found = LocalFile::open(path).and_then(billchain_cold::Segment::open);
    let sound = found.and_then(|found| {
        check(&found, record)?;
        found.verify()
    });
    if let Err(error) = sound {
        tracing::warn!(%error, "a file that is no cold segment is written over");
        remove(path)?;
        return Ok(false);
    }
    Ok(true)
}

/// Copies a file, which can only be read then, durably.
fn copy(from: &Path, to: &Path) -> Result<(), StorageError> {
    if let Some(directory) = to.parent() {
        make_directory(directory)?;
    }
    remove(to)?;
    fs::copy(from, to).map_err(failed("copy a cold segment to", to))?;
    let sealed = File::open(to).and_then(|file| {
        let mut permissions = file.metadata()?.permissions();
        permissions.set_readonly(true);
        file.set_permissions(permissions)?;
        file.sync_all()
    });
    sealed.map_err(failed("sync", to))
}

/// Gives a file its name, durably.
fn publish(partial: &Path, path: &Path) -> Result<(), StorageError> {
    fs::rename(partial, path).map_err(failed("give its name to", path))?;
    let directory = path.parent().unwrap_or(path);
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(failed("sync", directory))
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), StorageError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn make_directory(path: &Path) -> Result<(), StorageError> {
    fs::create_dir_all(path).map_err(failed("make", path))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StorageError {
    let path = path.to_owned();
    move |source| StorageError::Io { action, path, source }
}

//! The file of a segment, and the filter beside it.

use super::records::{SegmentId, SegmentRecord};
use crate::StorageError;
use billchain_cold::{
    Cache, ColdError, Filter, FilterWriter, Group, LocalFile, Located, Segment, filter_path,
};
use parking_lot::RwLock;
use std::{
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file that is read.
pub(crate) struct ColdFile {
    pub(crate) path: PathBuf,
    pub(crate) segment: Segment<LocalFile>,
    /// None while there is none that can be read: then the segment itself is asked.
    filter: RwLock<Option<Filter<LocalFile>>>,
}

impl ColdFile {
    /// Opens the file of a segment, and compares its root with the record's. Of the file,
    /// header, footer and the topmost page are read.
    pub(crate) fn open(
        path: PathBuf,
        record: &SegmentRecord,
        cache: &Arc<Cache>,
    ) -> Result<Self, ColdError> {
        let segment = Segment::open_with(LocalFile::open(&path)?, cache)?;
        check(&segment, record)?;
        let filter = LocalFile::open(&filter_path(&path))
            .and_then(|file| Filter::open(file, segment.root(), Some(cache)));
        let filter = match filter {
            Ok(filter) => Some(filter),
            Err(error) => {
                tracing::info!(%error, "a cold segment has no filter yet");
                None
            }
        };
        Ok(Self { path, segment, filter: RwLock::new(filter) })
    }

    /// The group whose keys share these bytes, and its position.
    pub(crate) fn locate(&self, shared: &[u8]) -> Result<Option<(u64, Group)>, ColdError> {
        if !self.may_have(shared) {
            return Ok(None);
        }
        Ok(match self.segment.locate(shared)? {
            Located::Here { position, group } => Some((position, group)),
            Located::Before(_) => None,
        })
    }

    /// Whether it lacks a filter.
    pub(crate) fn lacks_filter(&self) -> bool {
        self.filter.read().is_none()
    }

    /// Makes its filter of the segment.
    pub(crate) fn make_filter(&self, cache: &Arc<Cache>) -> Result<(), StorageError> {
        let mut filter = new_filter(self.segment.groups());
        for found in self.segment.iter() {
            filter.add(&found?.1.shared);
        }
        let path = filter_path(&self.path);
        filter.write(&path, self.segment.root())?;
        let filter = Filter::open(LocalFile::open(&path)?, self.segment.root(), Some(cache))?;
        *self.filter.write() = Some(filter);
        Ok(())
    }

    /// A filter that cannot be read is none: it is made again, and the segment is asked.
    fn may_have(&self, shared: &[u8]) -> bool {
        let asked = self.filter.read().as_ref().map(|filter| filter.may_have(shared));
        match asked {
            None => true,
            Some(Ok(may_have)) => may_have,
            Some(Err(error)) => {
                tracing::warn!(%error, "the filter of a cold segment is left aside");
                *self.filter.write() = None;
                true
            }
        }
    }
}

/// Whether the file of a segment is there and can be opened.
pub(crate) fn probe(path: &Path, record: &SegmentRecord) -> Result<(), ColdError> {
    check(&Segment::open(LocalFile::open(path)?)?, record)
}

/// Whether a file is that of a record.
pub(crate) fn check(segment: &Segment<LocalFile>, record: &SegmentRecord) -> Result<(), ColdError> {
    let (found, expected) = ((*segment.root(), segment.groups()), (record.root, record.groups));
    if found == expected {
        return Ok(());
    }
    let text = |root: &[u8; 32]| root.map(|byte| format!("{byte:02x}")).concat();
    Err(ColdError::Damaged {
        name: segment.name(),
        offset: 0,
        what: format!(
            "it has {} groups with the root {}, expected {} with {}",
            found.1,
            text(&found.0),
            expected.1,
            text(&expected.0)
        ),
    })
}

/// A filter for so many groups. Who chooses keys does not know its salt.
pub(crate) fn new_filter(groups: u64) -> FilterWriter {
    FilterWriter::new(groups, RandomState::new().hash_one(groups))
}

/// The file of a segment in a directory.
pub(crate) fn path_of(directory: &Path, id: SegmentId) -> PathBuf {
    directory.join(format!("{:06}-{:04}.segment", id.run, id.index))
}

//! The second place of a node's cold segments: a directory, of a NAS for instance, or a store
//! that speaks S3.
//!
//! A file there is named by its run, its place in the run, and its root. Two nodes with one
//! place keep one file of a segment: whichever is there first is as good. What is there is
//! never written over, so the place may refuse to change or remove anything (WORM, 一次写入).

use super::objects::Objects;
use super::report::SegmentView;
use crate::config::{ColdConfig, SecondPath};
use anyhow::{Context, Result, ensure};
use billchain_cold::{LocalFile, Segment, Source};
use billchain_primitives::Hash;
use billchain_storage::ColdSegment;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What tells a segment from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    run: u64,
    index: u32,
    root: Hash,
}

impl From<&ColdSegment> for Identity {
    fn from(segment: &ColdSegment) -> Self {
        Self { run: segment.run, index: segment.index, root: segment.groups_root }
    }
}

impl From<&SegmentView> for Identity {
    fn from(segment: &SegmentView) -> Self {
        Self { run: segment.run, index: segment.index, root: segment.root }
    }
}

impl Identity {
    /// The name of its file in a second place.
    pub(crate) fn file_name(&self) -> String {
        let Self { run, index, root } = self;
        format!("{run:016x}-{index:08x}-{}.cold", hex::encode(root))
    }
}

/// A second place. All methods block; to be called outside of an asynchronous runtime.
pub(crate) struct Second {
    place: Place,
    /// Tells this node's unfinished files from those of others.
    tag: String,
}

enum Place {
    Directory(PathBuf),
    Objects(Objects),
}

impl Second {
    /// The second place of a node with this name, if it has one.
    pub(crate) fn open(config: &ColdConfig, node: &str) -> Result<Option<Self>> {
        let place = match &config.second {
            None => return Ok(None),
            Some(SecondPath::Directory(path)) => Place::Directory(path.clone()),
            Some(SecondPath::Objects(objects)) => Place::Objects(Objects::open(objects)?),
        };
        let digest = billchain_primitives::sm3(node.as_bytes());
        let tag = hex::encode(digest.iter().take(4).copied().collect::<Vec<_>>());
        Ok(Some(Self { place, tag }))
    }

    /// What people call it.
    pub(crate) fn shown(&self) -> String {
        match &self.place {
            Place::Directory(path) => path.display().to_string(),
            Place::Objects(objects) => objects.shown().to_owned(),
        }
    }

    /// Whether it holds a segment. Its length is looked at, its footer and its topmost page; the
    /// rest is what they commit to, or is found when it is read.
    ///
    /// # Errors
    /// If what has the segment's name is another, or is damaged.
    pub(crate) fn holds(&self, segment: &Identity) -> Result<bool> {
        Ok(self.read(segment)?.is_some())
    }

    /// The segment, to be read in place; `None` if it is not there.
    pub(crate) fn read(&self, segment: &Identity) -> Result<Option<Segment<Arc<dyn Source>>>> {
        let Some(source) = self.source(&segment.file_name())? else { return Ok(None) };
        let found = Segment::open(source)?;
        ensure!(
            found.root() == segment.root.as_fixed_bytes(),
            "{}: its root is {}, that of the segment {}",
            found.name(),
            hex::encode(found.root()),
            hex::encode(segment.root)
        );
        Ok(Some(found))
    }

    fn source(&self, name: &str) -> Result<Option<Arc<dyn Source>>> {
        match &self.place {
            Place::Directory(directory) => {
                let path = directory.join(name);
                if length(directory, &path)?.is_some() {
                    return Ok(Some(Arc::new(LocalFile::open(&path)?)));
                }
                Ok(None)
            }
            Place::Objects(objects) => match objects.length(name)? {
                Some(length) => Ok(Some(Arc::new(objects.source(name, length)))),
                None => Ok(None),
            },
        }
    }

    /// Whether the place answers at all.
    pub(crate) fn reach(&self) -> Result<()> {
        match &self.place {
            Place::Directory(directory) => ensure_directory(directory),
            // Nothing has this name: segments have longer ones.
            Place::Objects(objects) => objects.length("reach").map(|_| ()),
        }
    }

    /// Copies a segment's file there, unless it is there; whether it was copied. What is there
    /// afterwards was looked at as [`holds`](Self::holds) does.
    pub(crate) fn keep(&self, segment: &Identity, file: &Path) -> Result<bool> {
        let name = segment.file_name();
        if self.holds(segment)? {
            if let Place::Directory(directory) = &self.place {
                // What a crash left. The place may lock it, too.
                let _ = remove(&self.partial(directory, &name));
                lock(&directory.join(&name))?;
            }
            return Ok(false);
        }
        match &self.place {
            Place::Directory(directory) => self.copy(file, directory, &name)?,
            Place::Objects(objects) => objects.put(file, &name)?,
        }
        ensure!(self.holds(segment)?, "{name} was copied to {} and is not there", self.shown());
        Ok(true)
    }

    /// Where a file lies until it is whole.
    fn partial(&self, directory: &Path, name: &str) -> PathBuf {
        directory.join(format!("{name}.{}.partial", self.tag))
    }

    fn copy(&self, file: &Path, directory: &Path, name: &str) -> Result<()> {
        let (partial, path) = (self.partial(directory, name), directory.join(name));
        let writing = || format!("cannot write {}", partial.display());
        remove(&partial).with_context(writing)?;
        let mut input =
            File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut output = File::create_new(&partial).with_context(writing)?;
        let copied = io::copy(&mut input, &mut output).and_then(|_| output.sync_all());
        drop(output);
        if let Err(error) = copied {
            // It may be the disk that is full.
            let _ = fs::remove_file(&partial);
            return Err(error).with_context(writing);
        }
        if length(directory, &path)?.is_some() {
            // Another node was faster: nothing is written over.
            return remove(&partial).with_context(writing);
        }
        fs::rename(&partial, &path)
            .and_then(|()| File::open(directory)?.sync_all())
            .with_context(writing)?;
        lock(&path)
    }

    /// Fetches a segment's file into the new file `into`, which may take so many bytes; whether
    /// it was there. What came is to be verified whole.
    pub(crate) fn fetch(&self, segment: &Identity, into: &Path, most: u64) -> Result<bool> {
        let name = segment.file_name();
        let writing = || format!("cannot write {}", into.display());
        let fits = |length: u64| {
            let shown = self.shown();
            ensure!(
                length <= most,
                "{name} at {shown} has {length} bytes, there is room for {most}"
            );
            Ok(())
        };
        match &self.place {
            Place::Directory(directory) => {
                let path = directory.join(&name);
                let Some(length) = length(directory, &path)? else { return Ok(false) };
                fits(length)?;
                let reading = || format!("cannot read {}", path.display());
                let input = File::open(&path).with_context(reading)?;
                let mut output = File::create_new(into).with_context(writing)?;
                // It may grow meanwhile.
                io::copy(&mut input.take(length), &mut output)
                    .with_context(|| format!("{}, or {}", reading(), writing()))?;
                output.sync_all().with_context(writing)?;
            }
            Place::Objects(objects) => {
                let Some(length) = objects.length(&name)? else { return Ok(false) };
                fits(length)?;
                let mut output = File::create_new(into).with_context(writing)?;
                objects.get(&name, length, &mut output)?;
                output.sync_all().with_context(writing)?;
            }
        }
        Ok(true)
    }
}

/// Makes a file unwritable: where the place locks files, it is locked from then on, and could
/// not get its name any more.
fn lock(path: &Path) -> Result<()> {
    let locked = || {
        let file = File::open(path)?;
        let mut permissions = file.metadata()?.permissions();
        if permissions.readonly() {
            return Ok(());
        }
        permissions.set_readonly(true);
        file.set_permissions(permissions)?;
        file.sync_all()
    };
    match locked() {
        // It is another node's, of another user, who does the same.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        locked => locked.with_context(|| format!("cannot make {} unwritable", path.display())),
    }
}

/// Length of a file in a directory; `None` if there is none.
fn length(directory: &Path, path: &Path) -> Result<Option<u64>> {
    let looking = || format!("cannot look for {}", path.display());
    match fs::metadata(path) {
        Ok(found) => {
            ensure!(found.is_file(), "{} is no file", path.display());
            Ok(Some(found.len()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // One that is not mounted is not empty.
            ensure_directory(directory)?;
            Ok(None)
        }
        Err(error) => Err(error).with_context(looking),
    }
}

fn ensure_directory(path: &Path) -> Result<()> {
    ensure!(
        path.is_dir(),
        "storage.cold_second_path {} is no directory: is its disk mounted?",
        path.display()
    );
    Ok(())
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

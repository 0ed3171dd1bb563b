//! Copying QMDB's files while nothing writes them.

use std::{
    fs::{self, DirEntry},
    io,
    path::Path,
};

/// Partitions that are written at their end only: one file after the other, the
/// names in their order. A file that others follow changes no more, unless the
/// commitment is wound back, which happens only when it is opened.
const APPENDED: [&str; 2] = ["operations-blobs", "nodes-blobs"];

/// The last files of such a partition, which are copied.
const NEWEST: usize = 2;

/// Copies the partitions in `from` to `into`, which is made. What is no directory
/// belongs to the process that runs.
pub(super) fn partitions(from: &Path, into: &Path) -> Result<(), String> {
    make(into)?;
    for partition in entries(from)? {
        if !is(&partition, fs::FileType::is_dir)? {
            continue;
        }
        let to = into.join(partition.file_name());
        make(&to)?;
        let files = entries(&partition.path())?;
        let appended = APPENDED.iter().any(|name| partition.file_name() == *name);
        let finished = if appended { files.len().saturating_sub(NEWEST) } else { 0 };
        for (at, file) in files.iter().enumerate() {
            if !is(file, fs::FileType::is_file)? {
                return Err(format!("{} is no file", file.path().display()));
            }
            place(&file.path(), &to.join(file.file_name()), at < finished)?;
        }
    }
    Ok(())
}

/// Links a file, or copies it where it may not or cannot be linked.
fn place(from: &Path, to: &Path, link: bool) -> Result<(), String> {
    if link && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to).map(drop).map_err(failed("copy", from))
}

fn make(directory: &Path) -> Result<(), String> {
    fs::create_dir(directory).map_err(failed("make", directory))
}

/// What is in a directory, in the order of names.
fn entries(directory: &Path) -> Result<Vec<DirEntry>, String> {
    let mut entries = fs::read_dir(directory)
        .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
        .map_err(failed("read", directory))?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

fn is(entry: &DirEntry, kind: fn(&fs::FileType) -> bool) -> Result<bool, String> {
    let path = entry.path();
    entry.file_type().map(|found| kind(&found)).map_err(failed("look at", &path))
}

fn failed<'a>(action: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> String + 'a {
    move |error| format!("cannot {action} {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn finished_files_are_linked_and_the_newest_copied() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        for partition in ["operations-blobs", "pinned"] {
            fs::create_dir_all(from.join(partition)).unwrap();
            for name in ["00", "01", "02"] {
                fs::write(from.join(partition).join(name), name).unwrap();
            }
        }
        fs::write(from.join("hold"), "of the process").unwrap();
        partitions(&from, &to).unwrap();
        let is_linked = |name: &str| {
            let inode = |at: &Path| fs::metadata(at.join(name)).unwrap().ino();
            inode(&from) == inode(&to)
        };
        for (name, linked) in [
            ("operations-blobs/00", true),
            ("operations-blobs/01", false),
            ("operations-blobs/02", false),
            ("pinned/00", false),
        ] {
            assert_eq!(is_linked(name), linked, "{name}");
        }
        assert_eq!(fs::read(to.join("operations-blobs/02")).unwrap(), b"02");
        assert!(!to.join("hold").exists());
        // It writes over nothing.
        assert!(partitions(&from, &to).is_err());
    }
}

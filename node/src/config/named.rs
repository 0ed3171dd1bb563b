//! What a configuration names on this machine: whether it is there and may be used.
//!
//! Of a file one byte is read, which tells that it can be read and is not empty. What it
//! holds is judged by those who use it. Nothing is made, and nothing is changed.

use rustix::fs::{Access, access};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// What is expected at a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A file that is there.
    File,
    /// A directory that is there.
    Directory,
    /// A directory that is there, for the node to write to.
    Writable,
    /// A directory that the node makes, in one that is there.
    Made,
}

/// A path, and the key that names it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) key: String,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

impl Named {
    /// What is wrong with it, without the key.
    pub(super) fn problem(&self) -> Option<String> {
        let place = self.path.as_path();
        match self.kind {
            Kind::File => differs("a file that this user may read", place, file(place)),
            Kind::Directory => differs("a directory that this user may read", place, list(place)),
            Kind::Made if is_missing(place) => {
                let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty());
                let parent = parent.unwrap_or(Path::new("."));
                let expected = "a directory that this user may write to, for the node to make \
                                data_dir in,";
                differs(expected, parent, write(parent))
            }
            Kind::Writable | Kind::Made => {
                differs("a directory that this user may write to", place, write(place))
            }
        }
    }
}

/// The problem, if what was found is not what is expected.
fn differs(expected: &str, place: &Path, found: Result<(), String>) -> Option<String> {
    let found = found.err()?;
    Some(format!("expected {expected} at {}, found {found}", place.display()))
}

fn is_missing(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// What is there instead of a file that can be read.
fn file(path: &Path) -> Result<(), String> {
    let found = fs::metadata(path).map_err(words)?;
    if found.is_dir() {
        return Err("a directory".into());
    }
    if !found.is_file() {
        // What a pipe holds comes once: it is for the node.
        return Ok(());
    }
    let mut first = [0];
    match File::open(path).and_then(|mut file| file.read(&mut first)).map_err(words)? {
        0 => Err("an empty file".into()),
        _ => Ok(()),
    }
}

/// What is there instead of a directory whose files can be listed.
fn list(path: &Path) -> Result<(), String> {
    is_directory(path)?;
    fs::read_dir(path).map(drop).map_err(words)
}

/// What is there instead of a directory in which files can be made.
fn write(path: &Path) -> Result<(), String> {
    is_directory(path)?;
    access(path, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| words(error.into()))
}

fn is_directory(path: &Path) -> Result<(), String> {
    match fs::metadata(path).map_err(words)?.is_dir() {
        true => Ok(()),
        false => Err("a file".into()),
    }
}

/// The system's words, where there are none better.
fn words(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "none".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(path: &Path, kind: Kind) -> Option<String> {
        Named { key: "key".into(), path: path.into(), kind }.problem()
    }

    #[test]
    fn what_is_there_is_no_problem() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        for (path, kind) in [
            (&*file, Kind::File),
            (place.path(), Kind::Directory),
            (place.path(), Kind::Writable),
            (place.path(), Kind::Made),
            (&*place.path().join("new"), Kind::Made),
        ] {
            assert_eq!(problem(path, kind), None, "{} as {kind:?}", path.display());
        }
        assert!(!place.path().join("new").exists(), "it is made by the look");
    }

    #[test]
    fn what_is_not_as_expected_is_told_with_its_path() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "x").unwrap();
        fs::write(path("empty"), "").unwrap();
        for (name, kind, named, found) in [
            ("none", Kind::File, "none", "found none"),
            ("", Kind::File, "", "found a directory"),
            ("empty", Kind::File, "empty", "found an empty file"),
            ("file/below", Kind::File, "file/below", "found Not a directory"),
            ("none", Kind::Directory, "none", "found none"),
            ("file", Kind::Directory, "file", "found a file"),
            ("none", Kind::Writable, "none", "found none"),
            ("file", Kind::Made, "file", "found a file"),
            ("none/data", Kind::Made, "none", "found none"),
        ] {
            let said = problem(&path(name), kind).unwrap();
            let expected = format!("at {}, {found}", path(named).display());
            assert!(said.starts_with("expected a ") && said.contains(&expected), "{said}");
        }
    }
}

//! The state file: whole or as before, whenever the power fails.

use crate::{FileError, Knowledge};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Format of the state file.
pub const FORMAT: u8 = 1;

/// Longest state file.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads what is known from a file; `None` if there is none.
///
/// # Errors
/// It cannot be read, or is damaged.
pub(crate) fn load(path: &Path) -> Result<Option<Knowledge>, FileError> {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(FileError::Io { action: "read", path: path.to_owned(), source });
        }
    };
    Knowledge::from_bytes(&bytes, path).map(Some)
}

/// At most one byte more than a state file has.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts what is known into a file.
///
/// # Errors
/// It cannot be written; the file is then as before.
pub(crate) fn keep(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace(path, bytes).map_err(|source| FileError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let partial = partial(path);
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    File::open(directory)?.sync_all()
}

/// The file that is written first: of the same name, with `.partial` behind it.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::knowledge;

    #[test]
    fn what_is_kept_is_read_again_and_a_write_that_was_cut_off_changes_nothing() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("light.state");
        assert_eq!(load(&path).unwrap(), None);
        let known = knowledge();
        keep(&path, &known.to_bytes()).unwrap();
        // As when the power failed within a write.
        fs::write(partial(&path), b"BCLC").unwrap();
        assert_eq!(load(&path).unwrap(), Some(known.clone()));
        keep(&path, &known.to_bytes()).unwrap();
        assert!(!partial(&path).exists());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_what_to_do() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("light.state");
        fs::write(&path, vec![0; MAX_BYTES + 7]).unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(error.contains("light.state is damaged") && error.contains("remove it"), "{error}");
        assert!(error.contains("expected at most 1048576"), "{error}");
        let error = keep(&place.path().join("no/such"), b"").unwrap_err().to_string();
        assert!(error.contains("cannot write"), "{error}");
        let error = load(place.path()).unwrap_err().to_string();
        assert!(error.contains("cannot read"), "{error}");
    }
}

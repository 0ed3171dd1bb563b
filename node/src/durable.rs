//! Small files that are whole or as before, whenever the power fails.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Puts `bytes` in the place of what a file holds; makes its directory if there is
/// none.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    File::open(directory)?.sync_all()
}

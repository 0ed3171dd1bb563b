//! QMDB's runtime over a directory.

use super::engine::Failure;
use commonware_runtime::tokio;
use std::{
    fs::{self, OpenOptions},
    path::Path,
};

/// The file by which the runtime holds the directory.
const HOLD: &str = ".hold";

/// A runtime whose storage is `directory`. The runtime panics where the system refuses
/// the directory or the file by which it is held, so both are tried before.
pub(super) fn runner(directory: &Path) -> Result<tokio::Runner, Failure> {
    let held = directory.join(HOLD);
    fs::create_dir_all(directory)
        .and_then(|()| OpenOptions::new().write(true).create(true).truncate(false).open(&held))
        .map_err(|error| Failure::Io(format!("cannot hold {}: {error}", held.display())))?;
    let config = tokio::Config::new().with_storage_directory(directory).with_worker_threads(1);
    Ok(tokio::Runner::new(config))
}

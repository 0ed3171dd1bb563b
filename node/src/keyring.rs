//! The consensus keys in this node's files: the one that the configuration names, and those
//! in a directory, which may come and go while the node runs.
//!
//! A key is held as soon as its file lies there. Which of the keys signs is the chain's to
//! say ([`HeldKeys`]); so an operator puts the next key into the directory, the council
//! rotates, and the node goes over at the height of the change, without a restart.

use crate::{commands::keys, config::Config};
use anyhow::{Context, Result, ensure};
use billchain_consensus::HeldKeys;
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::PublicKey;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// Key files of the directory that are read; each costs a derivation from the password.
const MAX_FILES: usize = 16;
/// A longer file is no key.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// How often the directory is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// See the module's documentation.
pub(crate) struct KeyRing {
    named: Option<SecretKey>,
    directory: Option<PathBuf>,
    password: Zeroizing<Vec<u8>>,
    files: BTreeMap<PathBuf, KeyFile>,
    /// What was wrong with the directory, said once.
    problem: Option<String>,
    held: watch::Sender<Vec<SecretKey>>,
}

/// A file as it was read last.
struct KeyFile {
    stamp: Stamp,
    /// None if it holds no key that the password opens.
    key: Option<SecretKey>,
}

/// By what a changed file is known.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl KeyRing {
    /// Reads the keys. The named one must be good, and the directory there; a bad file in
    /// it is logged and keeps no validator from voting with another key.
    pub(crate) fn open(config: &Config) -> Result<(Self, HeldKeys)> {
        let (named, directory) = (config.keys.consensus.as_deref(), config.keys.directory.clone());
        let (held, keys) = HeldKeys::changing([]);
        let Some(first) = named.or(directory.as_deref()) else {
            let (password, files) = (Zeroizing::default(), BTreeMap::new());
            let ring = Self { named: None, directory, password, files, problem: None, held };
            return Ok((ring, keys));
        };
        let password = keys::Password { password_file: config.keys.password_file.clone() };
        let password = password.read(&first.display().to_string())?;
        let named = named.map(|file| keys::load_sm2(file, &password)).transpose()?;
        let files = BTreeMap::new();
        let mut ring = Self { named, directory, password, files, problem: None, held };
        if let Some(directory) = &ring.directory {
            list(directory).with_context(|| format!("keys.directory {}", directory.display()))?;
        }
        ring.refresh();
        ring.tell();
        Ok((ring, keys))
    }

    /// Looks at the directory again and again; without one there is nothing to do.
    pub(crate) async fn follow(self) {
        let mut ring = self;
        if ring.directory.is_none() {
            return;
        }
        loop {
            tokio::time::sleep(INTERVAL).await;
            let look = move || {
                ring.refresh();
                ring
            };
            // It panics only if the process ends.
            let Ok(back) = tokio::task::spawn_blocking(look).await else { return };
            ring = back;
        }
    }

    /// Reads what is new in the directory and forgets what is gone.
    fn refresh(&mut self) {
        let Some(directory) = &self.directory else { return self.tell() };
        let found = match list(directory) {
            Ok(found) => found,
            Err(error) => {
                let directory = directory.display().to_string();
                return self.complain(format!("keys.directory {directory}: {error:#}"));
            }
        };
        self.problem = None;
        let is_same = found.len() == self.files.len()
            && found.iter().all(|(path, stamp)| {
                self.files.get(path).is_some_and(|known| known.stamp == *stamp)
            });
        if is_same {
            return;
        }
        let mut before = std::mem::take(&mut self.files);
        for (path, stamp) in found {
            let known = before.remove(&path).filter(|known| known.stamp == stamp);
            let file = known.unwrap_or_else(|| read(&path, stamp, &self.password));
            self.files.insert(path, file);
        }
        for (path, file) in before {
            if let Some(key) = file.key {
                tracing::info!(file = %path.display(), key = %public(&key), "no longer held");
            }
        }
        self.tell();
    }

    /// Gives the keys to those who sign.
    fn tell(&self) {
        let in_files = self.files.values().filter_map(|file| file.key.clone());
        let mut keys: Vec<SecretKey> = self.named.iter().cloned().collect();
        for key in in_files {
            if keys.iter().all(|known| known.public() != key.public()) {
                keys.push(key);
            }
        }
        self.held.send_replace(keys);
    }

    fn complain(&mut self, problem: String) {
        if self.problem.as_ref() != Some(&problem) {
            tracing::error!("{problem}; the keys of before stay");
            self.problem = Some(problem);
        }
    }
}

fn public(key: &SecretKey) -> PublicKey {
    PublicKey::Sm2(key.public().to_compressed())
}

fn read(path: &Path, stamp: Stamp, password: &[u8]) -> KeyFile {
    let loaded = match stamp.bytes {
        bytes if bytes > MAX_FILE_BYTES => Err(anyhow::anyhow!(
            "{} has {bytes} bytes, a key file has at most {MAX_FILE_BYTES}",
            path.display()
        )),
        _ => keys::load_sm2(path, password),
    };
    let key = match loaded {
        Ok(key) => {
            tracing::info!(file = %path.display(), key = %public(&key), "holds a consensus key");
            Some(key)
        }
        Err(error) => {
            tracing::error!("no consensus key: {error:#}");
            None
        }
    };
    KeyFile { stamp, key }
}

/// The files `*.pem` of a directory.
fn list(directory: &Path) -> Result<BTreeMap<PathBuf, Stamp>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "pem") {
            continue;
        }
        // Links count as what they lead to; what has gone meanwhile is gone.
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if metadata.is_file() {
            let stamp = Stamp { modified: metadata.modified().ok(), bytes: metadata.len() };
            found.insert(path, stamp);
        }
        ensure!(found.len() <= MAX_FILES, "holds more than {MAX_FILES} files *.pem");
    }
    Ok(found)
}

#[cfg(test)]
mod tests;

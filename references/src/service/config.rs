//! The configuration of an operator and the file of its requesters.

use crate::{
    auth::{self, is_id},
    journal::Bounds,
    keyfile::{Held, password, read_private},
    limits::Limits,
};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::{
    collections::HashSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Most requesters of an operator.
const MAX_REQUESTERS: usize = 10_000;
/// Most keys of an operator: the present one, older ones and their rotations.
const MAX_KEYS: usize = 32;
/// Largest burst and rate of a requester, in elements.
const MAX_RATE: u32 = 1_000_000;

/// What the file says. Paths are relative to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: SocketAddr,
    password_file: PathBuf,
    keys: Vec<PathBuf>,
    requesters_file: PathBuf,
    log_dir: PathBuf,
    #[serde(default = "two")]
    workers: usize,
    #[serde(default = "sixteen")]
    log_file_mib: u64,
    #[serde(default = "thousand")]
    log_files: usize,
}

fn two() -> usize {
    2
}
fn sixteen() -> u64 {
    16
}
fn thousand() -> usize {
    1024
}

/// The configuration of an operator.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// File with the password of the key files.
    pub password_file: PathBuf,
    /// Key files: each key that is asked for.
    pub keys: Vec<PathBuf>,
    /// File of the requesters.
    pub requesters_file: PathBuf,
    /// Directory of the log.
    pub log_dir: PathBuf,
    /// How large the log gets.
    pub log: Bounds,
    /// Questions that are worked on at once.
    pub workers: usize,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Which key has which mistake.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let file: File = toml::from_str(&text).with_context(|| shown.to_string())?;
        let base = path.parent().unwrap_or(Path::new("."));
        ensure!((1..=64).contains(&file.workers), "{shown}: workers: expected 1 to 64");
        ensure!(
            (1..=MAX_KEYS).contains(&file.keys.len()),
            "{shown}: keys: expected 1 to {MAX_KEYS} files"
        );
        ensure!(
            (1..=1024).contains(&file.log_file_mib),
            "{shown}: log_file_mib: expected 1 to 1024"
        );
        ensure!((2..=65_536).contains(&file.log_files), "{shown}: log_files: expected 2 to 65536");
        Ok(Self {
            listen: file.listen,
            password_file: base.join(file.password_file),
            keys: file.keys.iter().map(|key| base.join(key)).collect(),
            requesters_file: base.join(file.requesters_file),
            log_dir: base.join(file.log_dir),
            log: Bounds { file_bytes: file.log_file_mib << 20, files: file.log_files },
            workers: file.workers,
        })
    }

    /// Opens the key files.
    pub(super) fn held(&self) -> Result<Vec<Held>> {
        let password = password(&self.password_file)?;
        let mut ids = HashSet::new();
        let open = |path: &PathBuf| {
            let held = Held::read(path, &password)?;
            let id = held.keys.id();
            ensure!(ids.insert(id.clone()), "{}: key {id} twice", path.display());
            Ok(held)
        };
        self.keys.iter().map(open).collect()
    }
}

/// The file of requesters. It has keys, so that it is not shown.
#[derive(Default)]
pub struct Requesters {
    /// All of them.
    pub requester: Vec<Known>,
}

/// A requester in the file.
pub struct Known {
    /// Its id.
    pub id: String,
    /// The key that it has, too.
    pub key: auth::Key,
    /// What it may ask.
    pub limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestersFile {
    #[serde(default)]
    requester: Vec<KnownFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownFile {
    id: String,
    key: String,
    per_second: u32,
    burst: u32,
    per_day: u64,
}

impl Requesters {
    /// Reads the file, which only its owner may read.
    ///
    /// # Errors
    /// Which requester has which mistake. A key is not shown.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = zeroize::Zeroizing::new(read_private(path)?);
        // The parser's own message would show the line, and with it a key.
        let file: RequestersFile = toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{shown}: {}", error.message()))?;
        ensure!(
            file.requester.len() <= MAX_REQUESTERS,
            "{shown}: more than {MAX_REQUESTERS} requesters"
        );
        let mut ids = HashSet::new();
        let read = |known: KnownFile| {
            let KnownFile { id, key, per_second, burst, per_day } = known;
            ensure!(is_id(&id), "{shown}: id {id:?}: expected 1 to 64 letters, digits, - _ . :");
            ensure!(ids.insert(id.clone()), "{shown}: {id} twice");
            let key = auth::key(&key)
                .with_context(|| format!("{shown}: key of {id}: expected 64 digits of hex"))?;
            let rates = 1..=MAX_RATE;
            ensure!(
                rates.contains(&per_second) && rates.contains(&burst) && per_day > 0,
                "{shown}: {id}: per_second and burst: expected 1 to {MAX_RATE}; per_day: at least 1"
            );
            Ok(Known { id, key, limits: Limits { per_second, burst, per_day } })
        };
        Ok(Self { requester: file.requester.into_iter().map(read).collect::<Result<_>>()? })
    }
}

//! The configuration of whoever asks.

use super::http::Endpoint;
use crate::{
    auth::{self, is_id},
    keyfile::read_private,
    wire::public_keys,
};
use anyhow::{Context, Result, anyhow, ensure};
use billchain_oprf::{MAX_SHARES, PublicKeys};
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What the file says. Paths are relative to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    public_keys: String,
    requester: String,
    key_file: PathBuf,
    operators: Vec<String>,
    cache: Option<PathBuf>,
}

/// The configuration of whoever asks. It has a key, so that it is not shown.
#[derive(Clone)]
pub struct ClientConfig {
    /// The bureau's public keys: answers of others are refused.
    pub keys: PublicKeys,
    /// The asker's id.
    pub requester: String,
    /// The key that the operators know.
    pub key: auth::Key,
    /// Where the operators are, the first ones first.
    pub operators: Vec<Endpoint>,
    /// File of the cache.
    pub cache: Option<PathBuf>,
}

impl ClientConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Which key has which mistake.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let file: File = toml::from_str(&text).with_context(|| shown.to_string())?;
        let base = path.parent().unwrap_or(Path::new("."));
        let keys = public_keys(&file.public_keys)
            .map_err(|problem| anyhow!("{shown}: public_keys: {problem}"))?;
        ensure!(
            is_id(&file.requester),
            "{shown}: requester: expected 1 to 64 letters, digits, - _ . :"
        );
        ensure!(
            (usize::from(keys.threshold())..=MAX_SHARES).contains(&file.operators.len()),
            "{shown}: operators: expected {} to {MAX_SHARES} addresses",
            keys.threshold()
        );
        let operators = file.operators.iter().map(|operator| {
            let read = operator.parse::<Endpoint>();
            read.map_err(|problem| anyhow!("{shown}: operators: {problem}"))
        });
        let key_file = base.join(file.key_file);
        let key = zeroize::Zeroizing::new(read_private(&key_file)?);
        Ok(Self {
            keys,
            requester: file.requester,
            key: auth::key(&key)
                .with_context(|| format!("{}: expected 64 digits of hex", key_file.display()))?,
            operators: operators.collect::<Result<_>>()?,
            cache: file.cache.map(|cache| base.join(cache)),
        })
    }
}

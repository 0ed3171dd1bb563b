//! Settings of connectors: read from the operator's file, every problem said at once.

use serde::de::DeserializeOwned;
use std::{fs, path::Path};

/// Longest file with a secret, in bytes.
const MAX_SECRET: usize = 4_096;

/// Reads a connector's table.
pub fn read<T: DeserializeOwned>(table: toml::Table) -> Result<T, String> {
    table.try_into().map_err(|error| format!("settings: {}", error.to_string().trim()))
}

/// What is wrong with settings, one line each.
#[derive(Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Notes a problem unless `holds`.
    pub fn expect(&mut self, holds: bool, setting: &str, expected: &str, found: &str) {
        if !holds {
            let found: String = found.chars().take(80).collect();
            self.0.push(format!("settings.{setting}: expected {expected}, found {found:?}"));
        }
    }

    /// Notes what went wrong, and gives what went well.
    pub fn take<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }

    /// All of them, if there are any.
    pub fn end(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0.join("\n")) }
    }
}

/// Whether a text is the base of URLs: `https://…` or `http://…` without `/` at its end.
pub fn is_base_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.ends_with('/') && !rest.contains(['?', '#', ' '])
    })
}

/// The secret in a file that only its owner may read: its text without blanks around it.
pub fn secret(setting: &str, path: &Path) -> Result<String, String> {
    let problem = |what: &str| format!("settings.{setting}: {}: {what}", path.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let about = fs::metadata(path).map_err(|error| problem(&error.to_string()))?;
        if about.permissions().mode() & 0o077 != 0 {
            return Err(problem("others may read it; expected mode 600"));
        }
    }
    let text = fs::read_to_string(path).map_err(|error| problem(&error.to_string()))?;
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_SECRET {
        return Err(problem("expected 1 to 4,096 bytes of text"));
    }
    Ok(text.to_owned())
}

/// An SM2 public key of 66 digits of hex.
pub fn public_key(setting: &str, text: &str) -> Result<[u8; 33], String> {
    let bytes = hex::decode(text).ok().and_then(|bytes| <[u8; 33]>::try_from(bytes).ok());
    let key = bytes.filter(|key| billchain_crypto::sm2::PublicKey::from_compressed(key).is_ok());
    key.ok_or_else(|| {
        let found: String = text.chars().take(80).collect();
        format!(
            "settings.{setting}: expected an SM2 public key of 66 digits of hex, found {found:?}"
        )
    })
}

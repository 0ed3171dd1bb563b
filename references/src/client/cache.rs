//! References that were asked before, on disk.
//!
//! Identities stand in it as HMAC-SM3 under a key of the cache's own, so that the file
//! shows no identity number and nobody who has only the file can test one. Whoever has
//! file and key can test the identities that the issuer asked for, and no others.
//!
//! Format: magic `BCREFS01`; the number of entries, 4 bytes big-endian; entries of 64
//! bytes, the one that was used longest ago first: HMAC-SM3(key, `entry` ‖ key id ‖
//! input), the reference; at last HMAC-SM3(key, `file` ‖ all before). The key is 32 random
//! bytes in a file beside it, `NAME.key`, which only its owner may read.

use crate::keyfile::write_private;
use billchain_crypto::sm3::hmac_sm3;
use billchain_oprf::Reference;
use lru::LruCache;
use std::{
    fs, io,
    num::NonZeroUsize,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Most entries: 6.4 MB.
pub const MAX_ENTRIES: usize = 100_000;
const MAGIC: &[u8; 8] = b"BCREFS01";
const HEAD_LEN: usize = 12;
const ENTRY_LEN: usize = 64;
const TAG_LEN: usize = 32;

/// Why a cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cache {}: {problem}", .path.display())]
pub struct CacheError {
    path: PathBuf,
    problem: String,
}

/// References by identity.
pub struct Cache {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
    entries: LruCache<[u8; 32], Reference>,
}

impl Cache {
    /// Opens a cache, which is made if it is not there.
    ///
    /// # Errors
    /// What the system says, or that the file is no cache of this key: it can be removed,
    /// references are asked again.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let wrong = |problem: String| CacheError { path: path.to_owned(), problem };
        let key = key(&path.with_added_extension("key")).map_err(wrong)?;
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(|error| wrong(error.to_string()))?),
        };
        let size = NonZeroUsize::new(MAX_ENTRIES).expect("more than none");
        let mut entries = LruCache::new(size);
        if let Some(bytes) = bytes {
            for (identity, reference) in decode(&key, &bytes).map_err(|p| wrong(p.to_owned()))? {
                entries.push(identity, reference);
            }
        }
        Ok(Self { path: path.to_owned(), key, entries })
    }

    /// The reference of an input by a key, if it is known.
    pub fn get(&mut self, key_id: &str, input: &[u8]) -> Option<Reference> {
        let identity = self.identity(key_id, input);
        self.entries.get(&identity).copied()
    }

    /// Keeps a reference; the one that was used longest ago goes if there are too many.
    pub fn put(&mut self, key_id: &str, input: &[u8], reference: Reference) {
        let identity = self.identity(key_id, input);
        self.entries.push(identity, reference);
    }

    /// Writes the file anew, whole or not at all.
    ///
    /// # Errors
    /// What the system says.
    pub fn save(&self) -> Result<(), CacheError> {
        let wrong =
            |error: io::Error| CacheError { path: self.path.clone(), problem: error.to_string() };
        let new = self.path.with_added_extension("new");
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&new);
        let mut file = file.map_err(wrong)?;
        let entries: Vec<_> = self.entries.iter().rev().map(|(i, r)| (*i, *r)).collect();
        io::Write::write_all(&mut file, &encode(&self.key, &entries)).map_err(wrong)?;
        file.sync_all().map_err(wrong)?;
        fs::rename(&new, &self.path).map_err(wrong)
    }

    fn identity(&self, key_id: &str, input: &[u8]) -> [u8; 32] {
        hmac_sm3(&self.key[..], &[&b"entry"[..], key_id.as_bytes(), input].concat())
    }
}

/// The key of a cache, which is made if it is not there.
fn key(path: &Path) -> Result<Zeroizing<[u8; 32]>, String> {
    let told = |error: io::Error| format!("{}: {error}", path.display());
    let mut key = Zeroizing::new([0; 32]);
    match fs::read(path).map(Zeroizing::new) {
        Ok(bytes) => {
            let mode = fs::metadata(path).map_err(told)?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(format!("{} may be read by others: chmod 600", path.display()));
            }
            if bytes.len() != key.len() {
                return Err(format!("{}: {} bytes, expected 32", path.display(), bytes.len()));
            }
            key.copy_from_slice(&bytes);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            getrandom::fill(&mut key[..]).map_err(|error| error.to_string())?;
            write_private(path, &key[..]).map_err(|error| format!("{error:#}"))?;
        }
        Err(error) => return Err(told(error)),
    }
    Ok(key)
}

/// The entries of a file, in its order.
///
/// # Errors
/// In words, what is wrong.
pub fn decode(key: &[u8; 32], bytes: &[u8]) -> Result<Vec<([u8; 32], Reference)>, &'static str> {
    if bytes.len() < HEAD_LEN + TAG_LEN || &bytes[..8] != MAGIC {
        return Err("no cache of references: expected BCREFS01");
    }
    let (content, tag) = bytes.split_at(bytes.len() - TAG_LEN);
    let expected = hmac_sm3(key, &[&b"file"[..], content].concat());
    if !bool::from(expected[..].ct_eq(tag)) {
        return Err("damaged, or of another key: remove it, references are asked again");
    }
    let (head, entries) = content.split_at(HEAD_LEN);
    let count = u32::from_be_bytes(head[8..].try_into().expect("4 bytes; qed")) as usize;
    if count > MAX_ENTRIES || entries.len() != count * ENTRY_LEN {
        return Err("the number of its entries is not what it says");
    }
    let entry = |entry: &[u8]| -> Result<([u8; 32], Reference), &'static str> {
        let (mut identity, mut reference) = ([0; 32], [0; 32]);
        identity.copy_from_slice(&entry[..32]);
        reference.copy_from_slice(&entry[32..]);
        let reference = Reference::from_bytes(reference).map_err(|_| "an entry is no reference")?;
        Ok((identity, reference))
    };
    entries.chunks_exact(ENTRY_LEN).map(entry).collect()
}

fn encode(key: &[u8; 32], entries: &[([u8; 32], Reference)]) -> Vec<u8> {
    let count = u32::try_from(entries.len()).expect("MAX_ENTRIES is less");
    let mut bytes = [&MAGIC[..], &count.to_be_bytes()].concat();
    for (identity, reference) in entries {
        bytes.extend(identity);
        bytes.extend(reference.to_bytes());
    }
    let tag = hmac_sm3(key, &[&b"file"[..], &bytes].concat());
    bytes.extend(tag);
    bytes
}

#[cfg(test)]
mod tests;

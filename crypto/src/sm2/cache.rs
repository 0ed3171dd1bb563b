//! What is remembered of public keys, so that frequent signers verify faster.
//!
//! A consortium has few signers and each signs much. Of a key that has signed
//! something valid, its decompressed point and its `Z_A` are kept; of one that
//! has done so [`PROMOTE_AFTER`] times, also a table of its multiples, which
//! makes verification about four times faster and costs as much as some ten
//! verifications, and 148 KiB.
//!
//! Both collections are bounded and drop what was used longest ago. Only valid
//! signatures count, so garbage leaves no trace. A verdict never depends on what
//! is remembered, only its cost does.

use super::{
    DEFAULT_ID, Signature,
    curve::{Affine, FixedBase, Key},
    digest,
    public::decompress,
    verifier::verify_digest,
};
use crate::Error;
use lru::LruCache;
use parking_lot::Mutex;
use std::{
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
};

/// Valid signatures after which a key gets a table.
pub const PROMOTE_AFTER: u32 = 16;

/// Keys with a table, unless configured otherwise: 37 MiB of them.
pub const DEFAULT_TABLES: usize = 256;

/// Keys whose point is kept while they have no table: 300 KiB of them.
const POINTS: NonZeroUsize = NonZeroUsize::new(2048).expect("not zero");

/// Bits of a digit in a key's table: 37 additions a multiple and 148 KiB.
const TABLE_WIDTH: u32 = 7;

/// A key that has signed something valid, but not often.
#[derive(Clone, Copy)]
struct Point {
    point: Affine,
    /// `Z_A` with [`DEFAULT_ID`].
    z_a: [u8; 32],
    uses: u32,
}

/// A key that signs often.
struct Table {
    table: FixedBase,
    /// `x ‖ y`, for `Z_A` with another id.
    coordinates: [u8; 64],
    /// `Z_A` with [`DEFAULT_ID`].
    z_a: [u8; 32],
}

/// A bounded memory of public keys, shared by threads. The process has one,
/// [`KeyCache::global`]; others are for measuring.
pub struct KeyCache {
    points: Mutex<LruCache<[u8; 33], Point>>,
    /// `None` keeps no tables at all.
    tables: Mutex<Option<LruCache<[u8; 33], Arc<Table>>>>,
}

/// How much a [`KeyCache`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCacheStats {
    /// Keys kept without a table.
    pub points: usize,
    /// Keys kept with a table.
    pub tables: usize,
    /// Bytes of all tables.
    pub table_bytes: usize,
}

impl KeyCache {
    /// An empty one that keeps at most this many tables; with 0 it keeps none.
    pub fn new(tables: usize) -> Self {
        Self {
            points: Mutex::new(LruCache::new(POINTS)),
            tables: Mutex::new(NonZeroUsize::new(tables).map(LruCache::new)),
        }
    }

    /// The one that [`sm2::verify`](super::verify) and
    /// [`PublicKey::verify`](super::PublicKey::verify) use.
    pub fn global() -> &'static Self {
        static GLOBAL: LazyLock<KeyCache> = LazyLock::new(|| KeyCache::new(DEFAULT_TABLES));
        &GLOBAL
    }

    /// Changes how many tables are kept at most, dropping those used longest
    /// ago if there are more now.
    pub fn set_tables(&self, tables: usize) {
        let mut kept = self.tables.lock();
        match (NonZeroUsize::new(tables), kept.as_mut()) {
            (Some(tables), Some(kept)) => kept.resize(tables),
            (tables, _) => *kept = tables.map(LruCache::new),
        }
    }

    /// How much is held now.
    pub fn stats(&self) -> KeyCacheStats {
        let points = self.points.lock().len();
        let tables = self.tables.lock();
        let tables = tables.iter().flat_map(|tables| tables.iter());
        let (tables, table_bytes) = tables
            .fold((0, 0), |(count, bytes), (_, table)| (count + 1, bytes + table.table.memory()));
        KeyCacheStats { points, tables, table_bytes }
    }

    /// As [`sm2::verify`](super::verify), with this memory.
    ///
    /// # Errors
    /// The same.
    pub fn verify(
        &self,
        public_key: &[u8; 33],
        id: &[u8],
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), Error> {
        self.verify_signature(public_key, id, message, &Signature::from_bytes(signature)?)
    }

    pub(crate) fn verify_signature(
        &self,
        public_key: &[u8; 33],
        id: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Error> {
        // The locks are held for a look-up only, never while computing.
        let known = self.tables.lock().as_mut().and_then(|tables| tables.get(public_key).cloned());
        if let Some(known) = known {
            let e = message_digest(id, &known.z_a, || known.coordinates, message)?;
            return verdict(verify_digest(Key::Table(&known.table), &e, signature));
        }
        let seen = self.points.lock().get(public_key).copied();
        let key = match seen {
            Some(seen) => seen,
            None => {
                let point = decompress(public_key)?;
                let z_a = digest::z_a(DEFAULT_ID, &point.coordinates())?;
                Point { point, z_a, uses: 0 }
            }
        };
        let e = message_digest(id, &key.z_a, || key.point.coordinates(), message)?;
        verdict(verify_digest(Key::Point(&key.point), &e, signature))?;
        self.count_use(public_key, key);
        Ok(())
    }

    /// Notes one more valid signature by a key without a table.
    fn count_use(&self, public_key: &[u8; 33], key: Point) {
        let uses = {
            let mut points = self.points.lock();
            let kept = points.get_or_insert_mut(*public_key, || key);
            kept.uses = kept.uses.saturating_add(1);
            kept.uses
        };
        // At multiples only: of several threads that come here together, one
        // builds. With no room for tables, none is built.
        if !uses.is_multiple_of(PROMOTE_AFTER) || self.tables.lock().is_none() {
            return;
        }
        let table = Table {
            table: FixedBase::new(key.point, TABLE_WIDTH),
            coordinates: key.point.coordinates(),
            z_a: key.z_a,
        };
        if let Some(tables) = self.tables.lock().as_mut() {
            tables.put(*public_key, Arc::new(table));
        }
        // If its table is dropped one day, the key starts anew.
        self.points.lock().pop(public_key);
    }
}

/// `e`, with the remembered `Z_A` where the id is the chain's.
fn message_digest(
    id: &[u8],
    default_z_a: &[u8; 32],
    coordinates: impl FnOnce() -> [u8; 64],
    message: &[u8],
) -> Result<[u8; 32], Error> {
    if id == DEFAULT_ID {
        return Ok(digest::message_digest(default_z_a, message));
    }
    Ok(digest::message_digest(&digest::z_a(id, &coordinates())?, message))
}

fn verdict(valid: bool) -> Result<(), Error> {
    if valid { Ok(()) } else { Err(Error::SignatureMismatch) }
}

#[cfg(test)]
mod tests;

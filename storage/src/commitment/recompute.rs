//! The state root computed again, from QMDB's operations alone.
//!
//! A commitment that is opened trusts the Merkle nodes in its files. A copy from
//! elsewhere may have others than its operations give. Here they are computed
//! again: only what stands for operations that were pruned is taken over, and that
//! goes into the root too.

use super::{
    engine::{
        Database, EngineContext, Error, Failure, Location, Nodes, RECOMPUTED, configuration,
        kept_operations, keys,
    },
    failure,
    hasher::Digest,
    panic_message,
    runner::runner,
};
use crate::StorageError;
use commonware_runtime::Runner as _;
use commonware_storage::{journal::contiguous::fixed::Journal, qmdb::sync::Database as Synced};
use commonware_utils::range::NonEmptyRange;
use sp_core::H256;
use std::{
    fs, io,
    num::NonZeroU64,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// Operations that are hashed at once.
const BATCH: NonZeroU64 = NonZeroU64::new(1 << 16).expect("not zero");

type Log<E> = Journal<E, <Database<E> as Synced>::Op>;

/// What the operations come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recomputed {
    /// The state root.
    pub(crate) root: H256,
    /// Keys that have a value.
    pub(crate) keys: u64,
    /// Operations that were hashed.
    pub(crate) operations: u64,
}

/// Computes the root of the commitment in `path`, which nobody uses, again. Takes
/// disk for a second set of Merkle nodes while it runs.
pub(crate) fn recompute(path: &Path, cache_bytes: usize) -> Result<Recomputed, StorageError> {
    const ACTION: &str = "compute the root again";
    let cleared = || {
        clear(path).map_err(|source| StorageError::Io {
            action: "remove the nodes computed again in",
            path: path.to_owned(),
            source,
        })
    };
    cleared()?;
    let recomputed = catch_unwind(AssertUnwindSafe(|| {
        let pruned =
            runner(path)?.start(|context| pruned(context, cache_bytes, kept_operations(path)))?;
        runner(path)?.start(|context| of_operations(context, cache_bytes, pruned))
    }));
    cleared()?;
    recomputed
        .unwrap_or_else(|panic| Err(Failure::Damaged(panic_message(panic.as_ref()))))
        .map_err(|found| failure(path, ACTION, found))
}

/// Which operations are kept, and what stands for those that are not.
struct Kept {
    range: Range<Location>,
    pinned: Vec<Digest>,
}

async fn pruned<E: EngineContext>(
    context: E,
    cache_bytes: usize,
    operations: u64,
) -> Result<Kept, Failure> {
    let config = configuration(cache_bytes, Nodes::OfStore, operations);
    let stored = Database::init(context, config, None).await?;
    let range = stored.bounds();
    let pinned = stored.pinned_nodes_at(range.start).await?;
    Ok(Kept { range, pinned })
}

async fn of_operations<E: EngineContext>(
    context: E,
    cache_bytes: usize,
    Kept { range: kept, pinned }: Kept,
) -> Result<Recomputed, Failure> {
    let operations = (*kept.end).saturating_sub(*kept.start);
    let range =
        NonEmptyRange::new(kept).map_err(|_| Failure::Damaged("it holds no operations".into()))?;
    let config = configuration(cache_bytes, Nodes::Recomputed, operations);
    let log = Log::<E>::init(context.child("log"), config.journal_config.clone())
        .await
        .map_err(Error::from)?;
    let context = context.child("again");
    let again =
        <Database<E> as Synced>::from_sync_result(context, config, log, Some(pinned), range, BATCH)
            .await?;
    Ok(Recomputed { root: H256(again.root().0), keys: keys(&again), operations })
}

/// Removes what an earlier run has left.
fn clear(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(RECOMPUTED)) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

//! A commitment made of operations that others serve.

use super::{
    engine::{Database, Failure, Location, Nodes, Operation, Position, configuration, height_of},
    failure,
    hasher::Digest,
    panic_message,
    proofs::{Asked, MAX_SYNC_OPERATIONS, proven},
    runner::runner,
};
use crate::StorageError;
use commonware_codec::Encode as _;
use commonware_runtime::{Runner as _, tokio};
use commonware_storage::qmdb::sync::{self, Source, Target, engine::Config, source};
use commonware_utils::range::NonEmptyRange;
use sp_core::H256;
use std::{
    fmt,
    num::{NonZeroU64, NonZeroUsize},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    pin::Pin,
    sync::Arc,
};

/// Requests under way at once: so many that the line is never idle, and that one peer
/// answers them all at once.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).expect("not zero");

const FETCH: NonZeroU64 = NonZeroU64::new(MAX_SYNC_OPERATIONS).expect("not zero");

/// Operations that are hashed at once when all are here.
const APPLY: NonZeroU64 = NonZeroU64::new(1 << 16).expect("not zero");

/// Where operations come from: peers, of which any may lie.
pub trait OperationsSource: Send + Sync + 'static {
    /// An answer to an encoded request, from whichever peer. It is asked again after an
    /// answer that proves nothing, and must fail when there is nobody left to ask.
    fn fetch(&self, request: Vec<u8>) -> Fetch;
}

/// What [`OperationsSource::fetch`] comes to; an error says why nobody answers.
pub type Fetch = Pin<Box<dyn Future<Output = Result<Fetched, String>> + Send>>;

/// An answer, and who wants to know whether it was right.
pub struct Fetched {
    /// The answer.
    pub answer: Vec<u8>,
    /// Told whether the target proves it.
    pub verdict: Box<dyn FnOnce(bool) + Send>,
}

/// Nobody answers.
#[derive(Debug)]
struct Nobody(String);

impl fmt::Display for Nobody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Nobody {}

/// Answers that were proven.
struct Proven {
    source: Arc<dyn OperationsSource>,
    root: Digest,
}

impl Source for Proven {
    type Family = super::engine::Family;
    type Digest = Digest;
    type Op = Operation<tokio::Context>;
    type Error = Nobody;

    async fn serve(&self, request: Asked) -> source::Result<Self> {
        let encoded = request.encode().to_vec();
        loop {
            let Fetched { answer, verdict } =
                self.source.fetch(encoded.clone()).await.map_err(Nobody)?;
            let response = proven(&request, &self.root, &answer);
            verdict(response.is_some());
            if let Some(response) = response {
                return Ok((response, None));
            }
        }
    }
}

/// Makes the commitment that stands at `goal` in the directory `path`, of the operations
/// from `start` on with the root `operations`, which the goal's root proves. What an earlier
/// run for the same goal has fetched is used.
///
/// # Errors
/// [`StorageError::NotFetched`] when nobody answers.
pub(crate) fn fetch(
    path: &Path,
    cache_bytes: usize,
    goal: Position,
    (operations, start): (H256, u64),
    source: Arc<dyn OperationsSource>,
) -> Result<(), StorageError> {
    const ACTION: &str = "fetch operations";
    let runner = runner(path).map_err(|found| failure(path, ACTION, found))?;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runner.start(|context| run(context, cache_bytes, goal, (operations, start), source))
    }));
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Failed::Nobody(reason))) => Err(StorageError::NotFetched { reason }),
        Ok(Err(Failed::Here(found))) => Err(failure(path, ACTION, found)),
        Err(panic) => Err(failure(path, ACTION, Failure::Damaged(panic_message(panic.as_ref())))),
    }
}

enum Failed {
    Nobody(String),
    Here(Failure),
}

impl<T: Into<Failure>> From<T> for Failed {
    fn from(error: T) -> Self {
        Self::Here(error.into())
    }
}

async fn run(
    context: tokio::Context,
    cache_bytes: usize,
    goal: Position,
    (operations, start): (H256, u64),
    source: Arc<dyn OperationsSource>,
) -> Result<(), Failed> {
    let damaged = |what: &str| Failed::Here(Failure::Damaged(what.into()));
    let root = commonware_cryptography::sha256::Digest(operations.0);
    let range = NonEmptyRange::new(Location::new(start)..Location::new(goal.log_size))
        .map_err(|_| damaged("the target names no operations"))?;
    let config = Config {
        context,
        source: Proven { source, root },
        target: Target::new(root, range),
        max_outstanding_requests: AT_ONCE,
        fetch_batch_size: FETCH,
        apply_batch_size: APPLY,
        db_config: configuration(cache_bytes, Nodes::OfStore, goal.log_size.saturating_sub(start)),
        update_rx: None,
        finish_rx: None,
        reached_target_tx: None,
    };
    let db: Database<tokio::Context> = sync::sync(config).await.map_err(|error| match error {
        sync::Error::Source(Nobody(reason)) => Failed::Nobody(reason),
        sync::Error::Database(error) => error.into(),
        sync::Error::Engine(error) => Failed::Here(Failure::Damaged(error.to_string())),
    })?;
    let height = db.get_metadata().await?.map(|digest| height_of(&digest)).transpose()?;
    // The block's root proves both; another outcome is a fault of ours.
    if (height, H256(db.root().0)) != (goal.height, goal.root) {
        return Err(damaged("the operations that were fetched give another block or state root"));
    }
    db.sync().await?;
    Ok(())
}

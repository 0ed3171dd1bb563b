//! `author_*`: submitting transactions.

use crate::{
    context::Context,
    error::{Answer, internal, pool, storage},
    method::{Args, Ended, Pending, Sent, to_hex},
};
use billchain_primitives::{Hash, transaction_hash};
use billchain_txpool::{PoolError, Rejection, Source, StatusStream, TxStatus};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;

/// The transaction in the first parameter.
pub(super) fn extrinsic(args: &Args) -> Answer<Bytes> {
    args.bytes(0, "extrinsic").map(Bytes::from)
}

/// Ready transactions in hex, best first: as many as fit into an answer. Those
/// that do not are not looked at.
pub(super) fn pending(context: &Context, args: &Args) -> Answer<Vec<String>> {
    let room = args.answer_bytes();
    let mut used = 2;
    let fitting = context.deps.pool.best().map_while(|transaction| {
        used += 2 * transaction.bytes.len() + 8;
        (used <= room).then(|| to_hex(&transaction.bytes))
    });
    Ok(fitting.collect())
}

/// Submits a transaction; its hash. The same bytes sent again, while the
/// transaction is in the pool or after it came into a block, are answered as
/// they were the first time: a client whose connection broke sends again.
/// Every door submits by this.
pub(crate) async fn submit(context: &Arc<Context>, bytes: Bytes) -> Answer<Hash> {
    let submission = context.traces.submission(&bytes);
    let submitted = context.deps.pool.submit_async(bytes.clone(), Source::Local).await;
    if let Some(submission) = submission {
        submission.ended(&submitted);
    }
    let refused = match submitted {
        Ok(hash) => return Ok(hash),
        Err(PoolError::AlreadyImported(hash) | PoolError::AlreadyIncluded { hash, .. }) => {
            return Ok(hash);
        }
        Err(refused) => refused,
    };
    match included(context, &bytes, &refused).await? {
        Some((hash, _)) => Ok(hash),
        None => Err(pool(&refused)),
    }
}

/// As [`submit`], with the transaction's states from then on.
pub(super) async fn submit_and_watch(context: &Arc<Context>, bytes: Bytes) -> Answer<States> {
    let submission = context.traces.submission(&bytes);
    let submitted = context.deps.pool.submit_and_watch(bytes.clone(), Source::Local).await;
    if let Some(submission) = submission {
        submission.ended(&submitted);
    }
    let refused = match submitted {
        Ok(states) => return Ok(States::Coming(states)),
        Err(PoolError::AlreadyImported(hash)) => match context.deps.pool.watch(&hash) {
            Ok(states) => return Ok(States::Coming(states)),
            // A block took it in between, if it is unknown now.
            Err(refused) => refused,
        },
        Err(PoolError::AlreadyIncluded { block, .. }) => return Ok(States::Final(block)),
        Err(refused) => refused,
    };
    match included(context, &bytes, &refused).await? {
        Some((_, block)) => Ok(States::Final(block)),
        None => Err(pool(&refused)),
    }
}

/// Hash and final block of a transaction that the pool refused because its
/// time is over, if a block holds these very bytes. What the pool refuses for
/// its form was never sent by anybody.
async fn included(
    context: &Arc<Context>,
    bytes: &Bytes,
    refused: &PoolError,
) -> Answer<Option<(Hash, Hash)>> {
    if let PoolError::Rejected(Rejection::Undecodable { .. } | Rejection::Unsigned)
    | PoolError::TooLarge { .. } = refused
    {
        return Ok(None);
    }
    // Each is a thread: what is refused without end must not take them all.
    let place = context.look_ups.clone().acquire_owned().await.map_err(internal)?;
    let (context, bytes) = (context.clone(), bytes.clone());
    let look_up = move || {
        let _place = place;
        let hash = transaction_hash(&bytes);
        let Some((number, _)) = context.deps.chain.storage().tx(&hash).map_err(storage)? else {
            return Ok(None);
        };
        let block = super::hash_of(&context, number)?;
        Ok(block.map(|block| (hash, block)))
    };
    tokio::task::spawn_blocking(look_up).await.map_err(internal)?
}

/// What a watcher is told.
pub(super) enum States {
    /// As it happens.
    Coming(StatusStream),
    /// It is in this block, which is final.
    Final(Hash),
    /// Everything was told.
    Over,
}

impl States {
    /// The next state; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<TxStatus> {
        match self {
            Self::Coming(states) => states.next().await,
            Self::Final(block) => {
                let status = TxStatus::Finalized(*block);
                *self = Self::Over;
                Some(status)
            }
            Self::Over => None,
        }
    }
}

pub(super) async fn watch(context: Arc<Context>, args: Args, pending: Pending) -> Ended {
    let submitted = match pending.read(args, extrinsic).await {
        Ok(bytes) => submit_and_watch(&context, bytes).await,
        Err(error) => Err(error),
    };
    let mut states = match submitted {
        Ok(states) => states,
        Err(error) => {
            pending.reject(error);
            return Ok(());
        }
    };
    let Some(sink) = pending.accept().await else { return Ok(()) };
    loop {
        let status = tokio::select! {
            () = sink.closed() => return Ok(()),
            status = states.next() => status,
        };
        let Some(status) = status else { return Ok(()) };
        let message = in_substrates_words(&status);
        if let Sent::Gone = sink.send(&message).await? {
            return Ok(());
        }
    }
}

/// Substrate's names of the states. Its `invalid` and `dropped` carry no
/// reason; `transaction_status` and a second submission tell it.
fn in_substrates_words(status: &TxStatus) -> Value {
    match status {
        TxStatus::Future => json!("future"),
        TxStatus::Ready => json!("ready"),
        TxStatus::Broadcast(peers) => json!({ "broadcast": peers }),
        TxStatus::InBlock(block) => json!({ "inBlock": block }),
        TxStatus::Finalized(block) => json!({ "finalized": block }),
        TxStatus::Dropped(_) => json!("dropped"),
        TxStatus::Invalid(_) => json!("invalid"),
    }
}

//! `author_*`: submitting transactions.

use crate::{
    error::{Answer, pool},
    params::{Args, to_hex},
    server::{Context, Module, reading},
    subscription::{Ended, Sent, send},
};
use billchain_txpool::{Source, TxStatus};
use jsonrpsee::{PendingSubscriptionSink, core::RegisterMethodError, types::Params};
use serde_json::{Value, json};
use std::sync::Arc;

/// Registers the methods.
pub(crate) fn register(module: &mut Module) -> Result<(), RegisterMethodError> {
    module.register_async_method("author_submitExtrinsic", |params, context, _| async move {
        let bytes = Args::of(&params)?.bytes(0, "extrinsic")?;
        let hash = context.deps.pool.submit_async(bytes, Source::Local).await;
        hash.map_err(|error| pool(&error))
    })?;
    reading(module, "author_pendingExtrinsics", &[], pending)?;
    module.register_subscription(
        "author_submitAndWatchExtrinsic",
        "author_extrinsicUpdate",
        "author_unwatchExtrinsic",
        |params, pending, context, _| watch(params.into_owned(), pending, context),
    )?;
    Ok(())
}

/// Ready transactions in hex, best first: as many as fit into half a response.
fn pending(context: &Context, _: &Args) -> Answer<Vec<String>> {
    let room = context.config.max_response_bytes as usize / 2;
    let mut used = 0;
    let transactions = context.deps.pool.pending();
    let fitting = transactions.iter().take_while(|transaction| {
        used += 2 * transaction.bytes.len() + 8;
        used <= room
    });
    Ok(fitting.map(|transaction| to_hex(&transaction.bytes)).collect())
}

async fn watch(
    params: Params<'static>,
    pending: PendingSubscriptionSink,
    context: Arc<Context>,
) -> Ended {
    let bytes = Args::of(&params).and_then(|args| args.bytes(0, "extrinsic"));
    let submitted = match bytes {
        Ok(bytes) => context
            .deps
            .pool
            .submit_and_watch(bytes, Source::Local)
            .await
            .map_err(|error| pool(&error)),
        Err(error) => Err(error),
    };
    let mut states = match submitted {
        Ok(states) => states,
        Err(error) => {
            pending.reject(error).await;
            return Ok(());
        }
    };
    let sink = pending.accept().await?;
    let _open = context.metrics.subscription();
    loop {
        let status = tokio::select! {
            () = sink.closed() => return Ok(()),
            status = states.next() => status,
        };
        let Some(status) = status else { return Ok(()) };
        let message = in_substrates_words(&status);
        if let Sent::Gone = send(&sink, context.config.slow_subscriber, &message).await? {
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

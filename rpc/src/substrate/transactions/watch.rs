//! `transactionWatch_v1_submitAndWatch`: what becomes of a transaction, in the events of the
//! JSON-RPC specification. What is in a block is final.

use crate::{
    context::Context,
    error::{Answer, Refusal, internal, short, storage},
    lanes::Lane,
    method::{Args, Ended, Pending, Sent, Subscriber},
    substrate::author::{States, submit_and_watch},
};
use billchain_primitives::{Hash, transaction_hash};
use billchain_rpc_types::{TransactionEventView as Event, TransactionPlaceView, code};
use billchain_txpool::TxStatus;
use bytes::Bytes;
use std::sync::Arc;

/// Submits a transaction and tells what becomes of it. A refusal is an event, too.
pub(super) async fn watch(context: Arc<Context>, args: Args, pending: Pending) -> Ended {
    let read = pending.read(args, |args| args.bytes(0, "transaction").map(Bytes::from)).await;
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(refusal) => {
            pending.reject(refusal);
            return Ok(());
        }
    };
    let hash = transaction_hash(&bytes);
    let submitted = submit_and_watch(&context, bytes).await;
    let Some(sink) = pending.accept().await else { return Ok(()) };
    let states = match submitted {
        Ok(states) => states,
        Err(refusal) => return sink.send(&refused(&refusal)).await.map(|_| ()),
    };
    tell(&context, &sink, hash, states).await
}

async fn tell(context: &Arc<Context>, sink: &Subscriber, hash: Hash, mut states: States) -> Ended {
    let mut is_validated = false;
    loop {
        let status = tokio::select! {
            () = sink.closed() => return Ok(()),
            status = states.next() => status,
        };
        let event = match status {
            None => return Ok(()),
            Some(TxStatus::Broadcast(_)) => continue,
            // Told once: it stays valid until another event says what it is.
            Some(TxStatus::Future | TxStatus::Ready) if is_validated => continue,
            Some(TxStatus::Future | TxStatus::Ready) => {
                is_validated = true;
                Event::Validated
            }
            Some(TxStatus::InBlock(block)) => match place(context, sink, hash, block).await {
                Ok(block) => Event::BestChainBlockIncluded { block },
                Err(refusal) => failed(&refusal),
            },
            Some(TxStatus::Finalized(block)) => match place(context, sink, hash, block).await {
                Ok(block) => Event::Finalized { block },
                Err(refusal) => failed(&refusal),
            },
            Some(TxStatus::Dropped(reason)) => Event::Dropped { error: reason.to_string() },
            Some(TxStatus::Invalid(reason)) => Event::Invalid { error: reason.to_string() },
        };
        let is_last = matches!(event, Event::Error { .. });
        if matches!(sink.send(&event).await?, Sent::Gone) || is_last {
            return Ok(());
        }
    }
}

/// Where a transaction is that is in a block.
async fn place(
    context: &Arc<Context>,
    sink: &Subscriber,
    hash: Hash,
    block: Hash,
) -> Answer<TransactionPlaceView> {
    let asked = context.clone();
    let look_up = move || asked.deps.chain.storage().tx(&hash).map_err(storage);
    let found = sink.turns.run(Lane::Light, look_up).await.map_err(internal)??;
    let (_, index) = found.ok_or_else(|| internal("a transaction of a block has no place"))?;
    Ok(TransactionPlaceView { hash: block, index })
}

fn failed(refusal: &Refusal) -> Event {
    Event::Error { error: short(refusal).message().to_owned() }
}

/// What is told of a transaction that the pool did not take.
fn refused(refusal: &Refusal) -> Event {
    let error = short(refusal).message().to_owned();
    match refusal.code() {
        code::BAD_FORMAT | code::INVALID_TRANSACTION => Event::Invalid { error },
        code::TOO_LOW_PRIORITY | code::IMMEDIATELY_DROPPED => Event::Dropped { error },
        _ => Event::Error { error },
    }
}

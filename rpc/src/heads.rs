//! Subscriptions to heads. Every committed block is final, so all three kinds
//! announce the same blocks.

use crate::{
    block,
    server::{Context, Module},
    subscription::{Ended, Sent, send},
};
use jsonrpsee::{PendingSubscriptionSink, core::RegisterMethodError};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// Registers the methods.
pub(crate) fn register(module: &mut Module) -> Result<(), RegisterMethodError> {
    for (subscribe, notification, unsubscribe) in [
        ("chain_subscribeNewHeads", "chain_newHead", "chain_unsubscribeNewHeads"),
        ("chain_subscribeAllHeads", "chain_allHead", "chain_unsubscribeAllHeads"),
        ("chain_subscribeFinalizedHeads", "chain_finalizedHead", "chain_unsubscribeFinalizedHeads"),
    ] {
        module.register_subscription(
            subscribe,
            notification,
            unsubscribe,
            |_, pending, context, _| follow(pending, context),
        )?;
    }
    for (alias, name) in [
        ("subscribe_newHead", "chain_subscribeNewHeads"),
        ("chain_subscribeNewHead", "chain_subscribeNewHeads"),
        ("unsubscribe_newHead", "chain_unsubscribeNewHeads"),
        ("chain_unsubscribeNewHead", "chain_unsubscribeNewHeads"),
        ("chain_subscribeFinalisedHeads", "chain_subscribeFinalizedHeads"),
        ("chain_unsubscribeFinalisedHeads", "chain_unsubscribeFinalizedHeads"),
    ] {
        module.register_alias(alias, name)?;
    }
    Ok(())
}

async fn follow(pending: PendingSubscriptionSink, context: Arc<Context>) -> Ended {
    let patience = context.config.slow_subscriber;
    // Subscribed before the head is read: no block is missed in between.
    let mut news = context.deps.chain.subscribe();
    let head = match block::head_header(&context) {
        Ok(head) => head,
        Err(error) => {
            pending.reject(error).await;
            return Ok(());
        }
    };
    let sink = pending.accept().await?;
    let _open = context.metrics.subscription();
    let mut sent = head.number;
    if let Sent::Gone = send(&sink, patience, &head).await? {
        return Ok(());
    }
    loop {
        let committed = tokio::select! {
            () = sink.closed() => return Ok(()),
            committed = news.recv() => committed,
        };
        match committed {
            Ok(block) if block.header.number > sent => {
                sent = block.header.number;
                if let Sent::Gone = send(&sink, patience, &block.header).await? {
                    return Ok(());
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                return Err(format!("dropped: {missed} blocks behind").into());
            }
            Err(RecvError::Closed) => return Err("the node is stopping".into()),
        }
    }
}

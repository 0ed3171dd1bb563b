//! Subscriptions to heads. Every committed block is final, so all three kinds
//! announce the same blocks.

use super::chain;
use crate::{
    context::Context,
    error::internal,
    lanes::Lane,
    method::{Args, Ended, Pending, Sent},
};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

pub(super) async fn follow(context: Arc<Context>, _: Args, pending: Pending) -> Ended {
    // Subscribed before the head is read: no block is missed in between.
    let mut news = context.deps.chain.subscribe();
    let asked = context.clone();
    let head = pending.subscriber.turns.run(Lane::Light, move || chain::head_header(&asked)).await;
    let head = match head.map_err(internal).flatten() {
        Ok(head) => head,
        Err(error) => {
            pending.reject(error);
            return Ok(());
        }
    };
    let Some(sink) = pending.accept().await else { return Ok(()) };
    let mut sent = head.number;
    if let Sent::Gone = sink.send(&head).await? {
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
                if let Sent::Gone = sink.send(&block.header).await? {
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

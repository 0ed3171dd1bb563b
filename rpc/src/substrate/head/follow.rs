//! `chainHead_v1_follow`: tells of new blocks and runs the subscription's operations.

use super::operation;
use crate::{
    connection::Begun,
    context::Context,
    error::{self, Answer, internal, invalid},
    lanes::Lane,
    method::{Args, Dropped, Ended, Pending, Sent, Subscriber},
    substrate::chain::hash_of,
};
use billchain_executor::CommittedBlock;
use billchain_primitives::Hash;
use billchain_rpc_types::{HeadEventView as Event, HeadRuntimeSpecView, HeadRuntimeView};
use billchain_runtime::VERSION;
use serde_json::Value;
use std::sync::Arc;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    task::{JoinError, JoinSet},
};

/// Blocks that the first event tells of: at rest they are of the last minute.
pub(super) const NEWEST: u32 = 16;
/// Memory that the pins of a subscription are counted as, in bytes.
const EACH: usize = 24 << 10;

/// Why a subscription ends.
enum End {
    /// Nobody listens any more.
    Gone,
    /// There would be a gap, or too many blocks are pinned, or too old ones.
    Stop,
}

/// Tells of new blocks.
pub(super) async fn follow(context: Arc<Context>, args: Args, pending: Pending) -> Ended {
    // Subscribed before the newest blocks are read: none is missed in between.
    let mut news = context.deps.chain.subscribe();
    let started = start(&context, args, &pending).await;
    let (mut begun, newest, _room) = match started {
        Ok(started) => started,
        Err(refusal) => {
            pending.reject(refusal);
            return Ok(());
        }
    };
    let Some(sink) = pending.accept().await else { return Ok(()) };
    let mut head = Head { context, sink: Arc::new(sink), last: newest, tasks: JoinSet::new() };
    match head.tell(&mut begun, &mut news).await {
        Ok(End::Gone) => return Ok(()),
        Ok(End::Stop) => {}
        Err(Dropped(words)) => tracing::debug!(%words, "a subscription to the head stops"),
    }
    // No event of an operation follows the last one.
    head.tasks.shutdown().await;
    head.sink.send(&Event::Stop).await.map(|_| ())
}

/// What a subscription begins with: the newest blocks, pinned, the oldest first.
async fn start(
    context: &Arc<Context>,
    args: Args,
    pending: &Pending,
) -> Answer<(Begun, Vec<(u32, Hash)>, crate::budget::Room)> {
    let with_runtime = match args.value(0) {
        Value::Bool(with_runtime) => *with_runtime,
        other => return Err(invalid("withRuntime", "true or false", &other.to_string())),
    };
    let subscriber = &pending.subscriber;
    let follows = &subscriber.connection.follows;
    let room = subscriber.keep(EACH).map_err(|full| error::busy(&full))?;
    let begun = follows.begin(&subscriber.id, with_runtime);
    let begun =
        begun.ok_or_else(|| error::too_many_followed(crate::connection::Follows::most()))?;
    let asked = context.clone();
    let newest = subscriber.turns.run(Lane::Light, move || newest(&asked)).await;
    let newest = newest.map_err(internal)??;
    Ok((begun, newest, room))
}

/// Numbers and hashes of the newest blocks, the oldest first.
fn newest(context: &Context) -> Answer<Vec<(u32, Hash)>> {
    let head = context.deps.chain.head();
    // Some of those whose states are kept, with room for those that come.
    let count = NEWEST.min(window(context) / 2).max(1);
    let first = head.number.saturating_sub(count - 1);
    let numbered = |number| match number == head.number {
        true => Ok(Some((number, head.hash))),
        false => Ok(hash_of(context, number)?.map(|hash| (number, hash))),
    };
    (first..=head.number).filter_map(|number| numbered(number).transpose()).collect()
}

/// Blocks whose states are kept.
fn window(context: &Context) -> u32 {
    context.deps.chain.storage().history_blocks()
}

struct Head {
    context: Arc<Context>,
    sink: Arc<Subscriber>,
    /// Blocks that were told; the last is the head.
    last: Vec<(u32, Hash)>,
    /// Operations under way.
    tasks: JoinSet<Ended>,
}

impl Head {
    async fn tell(
        &mut self,
        begun: &mut Begun,
        news: &mut Receiver<Arc<CommittedBlock>>,
    ) -> Result<End, Dropped> {
        let follow = begun.follow.clone();
        let window = window(&self.context);
        let first = std::mem::take(&mut self.last);
        for (number, hash) in &first {
            if !follow.pin(*number, *hash, window.max(1)) {
                return Ok(End::Stop);
            }
        }
        let Some(mut head) = first.last().copied() else { return Ok(End::Stop) };
        let runtime = follow.with_runtime.then(runtime);
        let hashes = first.into_iter().map(|(_, hash)| hash).collect();
        let initialized =
            Event::Initialized { finalized_block_hashes: hashes, finalized_block_runtime: runtime };
        let best = Event::BestBlockChanged { best_block_hash: head.1 };
        if !self.say([initialized, best]).await? {
            return Ok(End::Gone);
        }
        loop {
            let block = tokio::select! {
                () = self.sink.closed() => return Ok(End::Gone),
                () = follow.ended() => return Ok(End::Gone),
                Some(job) = begun.jobs.recv() => {
                    let (context, sink) = (self.context.clone(), self.sink.clone());
                    self.tasks.spawn(operation::run(context, follow.clone(), sink, job));
                    continue;
                }
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    of_task(ended)?;
                    continue;
                }
                block = news.recv() => block,
            };
            let block = match block {
                Ok(block) if block.header.number <= head.0 => continue,
                // One that the node did not make from the one before leaves a gap.
                Ok(block) if block.header.parent_hash == head.1 => block,
                Ok(_) | Err(RecvError::Lagged(_) | RecvError::Closed) => return Ok(End::Stop),
            };
            let parent = std::mem::replace(&mut head, (block.header.number, block.hash)).1;
            if !follow.pin(head.0, head.1, window.max(1)) {
                return Ok(End::Stop);
            }
            let new_runtime = follow.with_runtime.then_some(());
            let came =
                Event::NewBlock { block_hash: head.1, parent_block_hash: parent, new_runtime };
            let best = Event::BestBlockChanged { best_block_hash: head.1 };
            let is_final = Event::Finalized {
                finalized_block_hashes: vec![head.1],
                pruned_block_hashes: Vec::new(),
            };
            if !self.say([came, best, is_final]).await? {
                return Ok(End::Gone);
            }
        }
    }

    /// Sends events; whether the subscriber is still there.
    async fn say(&self, events: impl IntoIterator<Item = Event>) -> Result<bool, Dropped> {
        for event in events {
            if let Sent::Gone = self.sink.send(&event).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What came of an operation: a panic is the node's failure, as anything is that keeps its
/// last event from the client.
fn of_task(ended: Result<Ended, JoinError>) -> Ended {
    ended.unwrap_or_else(|failed| Err(Dropped(internal(failed).message().to_owned())))
}

/// The versions of the rules, which do not change while the node runs.
fn runtime() -> HeadRuntimeView {
    let apis = VERSION.apis.iter();
    HeadRuntimeView::Valid {
        spec: HeadRuntimeSpecView {
            spec_name: VERSION.spec_name.to_string(),
            impl_name: VERSION.impl_name.to_string(),
            spec_version: VERSION.spec_version,
            impl_version: VERSION.impl_version,
            transaction_version: VERSION.transaction_version,
            apis: apis.map(|(id, version)| (crate::method::to_hex(id), *version)).collect(),
        },
    }
}

//! Operations on pinned blocks: each works in turns, its answer has room before it is
//! made, and its last event says how it ended.

use super::{
    outcome::{Done, Long, failed},
    storage,
};
use crate::{
    connection::{Follow, Job, Work},
    context::Context,
    error::{self, Answer},
    lanes::Lane,
    method::{Dropped, Ended, Notifications, Subscriber, to_hex},
    substrate::chain,
};
use billchain_primitives::{Hash, OpaqueBlock};
use billchain_rpc_types::{HeadEventView as Event, code};
use serde_json::Value;
use std::sync::Arc;

/// Longest event that is tried first, in bytes: the metadata's has less.
const FIRST: usize = 2 << 20;

/// Does a job and tells what came of it. An error says that the client does not read.
pub(super) async fn run(
    context: Arc<Context>,
    follow: Arc<Follow>,
    sink: Arc<Subscriber>,
    mut job: Job,
) -> Ended {
    let stop = job.operation.stop.clone();
    let work = async {
        // Nobody knows of one whose answer is lost.
        if (&mut job.answered).await.is_err() {
            follow.stop(&job.id);
            return Ok(Done::Told);
        }
        perform(&context, &sink, &mut job).await
    };
    let done = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        done = work => done?,
    };
    job.give_back();
    if !follow.done(&job.id) {
        return Ok(());
    }
    let last = match done {
        Done::Told => return Ok(()),
        Done::Say(last) => last,
        Done::Long(long) => return long.send(&sink).await,
    };
    sink.send(&last).await.map(|_| ())
}

async fn perform(
    context: &Arc<Context>,
    sink: &Subscriber,
    job: &mut Job,
) -> Result<Done, Dropped> {
    let id = job.id.clone();
    let (block, number) = (job.block, job.number);
    match std::mem::replace(&mut job.work, Work::Body) {
        Work::Body => {
            once(context, sink, id, move |context, id, most| body(context, number, id, most)).await
        }
        Work::Call { function, data } => {
            let asked = Arc::new((function, data));
            let make =
                move |context: &Context, id: String, most| call(context, &block, &asked, id, most);
            once(context, sink, id, make).await
        }
        Work::Storage(items) => storage::tell(context, sink, job, items).await,
    }
}

/// Makes the one event of an operation: with room for a usual one, and again if it turns
/// out to be longer.
async fn once(
    context: &Arc<Context>,
    sink: &Subscriber,
    id: String,
    make: impl Fn(&Context, String, usize) -> Answer<Event> + Clone + Send + Sync + 'static,
) -> Result<Done, Dropped> {
    let longest = (context.config.max_response_bytes as usize).max(FIRST);
    let mut most = FIRST;
    loop {
        let (context, notifications, own, make) =
            (context.clone(), sink.notifications(), id.clone(), make.clone());
        let work = move || written(&context, &notifications, own, most, &make);
        let Some((text, room)) = sink.work(Lane::Heavy, most, work).await? else {
            return Ok(Done::Told);
        };
        match text {
            Ok(text) => return Ok(Done::Long(Long { text, room })),
            Err(refusal) if refusal.code() == code::ANSWER_TOO_LONG && most < longest => {
                most = longest;
            }
            Err(refusal) => return Ok(Done::Say(failed(id, &refusal))),
        }
    }
}

fn written(
    context: &Context,
    notifications: &Notifications,
    id: String,
    most: usize,
    make: &impl Fn(&Context, String, usize) -> Answer<Event>,
) -> Answer<String> {
    notifications.text(&make(context, id, most)?, most)
}

fn body(context: &Context, number: u32, operation_id: String, most: usize) -> Answer<Event> {
    let first = context.deps.chain.storage().first_block();
    let bytes = chain::block_bytes(context, number)?;
    let bytes = bytes.ok_or_else(|| error::block_not_kept(number, first))?;
    // Two digits a byte: one that cannot fit is not taken apart.
    if bytes.len().saturating_mul(2) > most {
        return Err(error::answer_too_long(most));
    }
    let block: OpaqueBlock = chain::decode("block", &bytes)?;
    let hex = |extrinsic| match serde_json::to_value(extrinsic) {
        Ok(Value::String(hex)) => Ok(hex),
        other => Err(error::internal(format!("a transaction is no hex: {other:?}"))),
    };
    let value = block.extrinsics.iter().map(hex).collect::<Answer<_>>()?;
    Ok(Event::OperationBodyDone { operation_id, value })
}

fn call(
    context: &Context,
    block: &Hash,
    (function, data): &(String, Vec<u8>),
    operation_id: String,
    most: usize,
) -> Answer<Event> {
    let output = context.deps.chain.call(Some(block), function, data).map_err(error::call)?;
    if output.len().saturating_mul(2) > most {
        return Err(error::answer_too_long(most));
    }
    Ok(Event::OperationCallDone { operation_id, output: to_hex(&output) })
}

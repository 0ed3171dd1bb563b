//! `transaction_v1_broadcast`: sends a transaction on, and again if the pool gave it up for
//! lack of room, until it is in a block, can come into none, or the client says stop.
//!
//! Who asks is not told what becomes of it, as the specification has it: the blocks tell.

use crate::{
    budget::Room,
    context::Context,
    error::{self, Answer},
    method::{Args, Caller, Made},
    substrate::author,
};
use billchain_primitives::transaction_hash;
use billchain_rpc_types::code;
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Time between two looks at whether a transaction is in the pool still.
const LOOKS: Duration = Duration::from_secs(3);
/// Memory that one is counted as, beside its transaction, in bytes.
const EACH: usize = 1 << 10;

/// Begins to send a transaction on.
pub(super) fn begin(caller: &Caller, args: &Args) -> Answer<Made> {
    let bytes = Bytes::from(args.bytes(0, "transaction")?);
    let begun = match caller.share.keep(EACH + bytes.len()) {
        Ok(room) => caller.connection.broadcasts.begin().map(|begun| (begun, room)),
        Err(_) => None,
    };
    let Some(((id, end), room)) = begun else { return Made::of(&(), args) };
    tokio::spawn(send_on(caller.context.clone(), bytes, end, room));
    Made::of(&id, args)
}

/// Sends one on no more.
pub(super) fn stop(caller: &Caller, args: &Args) -> Answer<Made> {
    match caller.connection.broadcasts.end(args.text(0, "operationId")?) {
        true => Made::of(&(), args),
        false => Err(error::no_operation()),
    }
}

/// Sends a transaction on, whose bytes have this room.
async fn send_on(context: Arc<Context>, bytes: Bytes, end: CancellationToken, _room: Room) {
    let ends = async {
        let hash = transaction_hash(&bytes);
        loop {
            // What is in a block is answered as submitted, too.
            match author::submit(&context, bytes.clone()).await {
                Ok(_) => {}
                Err(refused) if is_temporary(&refused) => {}
                Err(_) => return,
            }
            loop {
                tokio::time::sleep(LOOKS).await;
                if context.deps.pool.status(&hash).is_none() {
                    break;
                }
            }
            let asked = context.clone();
            let is_in_block = move || asked.deps.chain.storage().tx(&hash);
            match tokio::task::spawn_blocking(is_in_block).await {
                Ok(Ok(None)) => {}
                // The node's failure, if it is none, is logged where it matters.
                _ => return,
            }
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = ends => {}
    }
}

/// Whether the pool may take it later: it said so, or it could not judge.
fn is_temporary(refused: &error::Refusal) -> bool {
    let says_so = || {
        let data: serde_json::Value = serde_json::from_str(refused.data()?.get()).ok()?;
        data["temporary"].as_bool()
    };
    refused.code() == code::UNKNOWN_VALIDITY || says_so().unwrap_or(false)
}

//! `state_*`: the raw state, the metadata and the runtime's APIs.

use crate::{
    context::Context,
    error::{self, Answer, call, chain, invalid, storage, unknown_block},
    method::{Args, Ended, Sent, send, to_hex},
};
use billchain_executor::events_key;
use billchain_primitives::{Hash, sm3};
use billchain_runtime::{Runtime, VERSION};
use billchain_storage::{StateSnapshot, StorageError};
use codec::Encode;
use jsonrpsee::PendingSubscriptionSink;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use tokio::sync::broadcast::error::RecvError;

/// Most keys of one `state_getKeysPaged`, as in Substrate.
pub(super) const MAX_PAGE: u32 = 1_000;
/// Most keys of one `state_queryStorageAt` or `state_subscribeStorage`.
pub(super) const MAX_KEYS: usize = 1_000;
/// Longest values of one answer in hex, in bytes: reading stops there.
const MAX_VALUES: usize = 15 << 20;

/// A value of the state.
pub(super) fn get_storage(context: &Context, args: &Args) -> Answer<Option<String>> {
    Ok(value(context, args)?.map(|value| to_hex(&value)))
}

/// SM3 of a value of the state.
pub(super) fn get_storage_hash(context: &Context, args: &Args) -> Answer<Option<Hash>> {
    Ok(value(context, args)?.map(|value| Hash::from(sm3(&value))))
}

/// Length of a value of the state.
pub(super) fn get_storage_size(context: &Context, args: &Args) -> Answer<Option<usize>> {
    Ok(value(context, args)?.map(|value| value.len()))
}

/// The metadata, as it is at any block.
pub(super) fn get_metadata(context: &Context, args: &Args) -> Answer<&'static str> {
    known_block(context, args.optional_hash(0, "at")?)?;
    Ok(metadata())
}

/// The versions, as they are at any block.
pub(super) fn get_runtime_version(context: &Context, args: &Args) -> Answer<Value> {
    known_block(context, args.optional_hash(0, "at")?)?;
    Ok(json!(VERSION))
}

/// Calls a runtime API.
pub(super) fn call_api(context: &Context, args: &Args) -> Answer<String> {
    let at = args.optional_hash(2, "at")?;
    let (method, data) = (args.text(0, "method")?, args.bytes(1, "data")?);
    let result = context.deps.chain.call(at.as_ref(), method, &data).map_err(call)?;
    Ok(to_hex(&result))
}

/// A native node runs one set of rules: its metadata never changes.
fn metadata() -> &'static str {
    static METADATA: OnceLock<String> = OnceLock::new();
    METADATA.get_or_init(|| to_hex(&Runtime::metadata().encode()))
}

fn known_block(context: &Context, at: Option<Hash>) -> Answer<()> {
    match at {
        Some(hash) if super::chain::number_of(context, &hash)?.is_none() => {
            Err(unknown_block(format!("{hash:?}")))
        }
        _ => Ok(()),
    }
}

fn snapshot(context: &Context, at: Option<Hash>) -> Answer<StateSnapshot> {
    let store = context.deps.chain.storage();
    match at {
        Some(hash) => store.state_at(&hash).map_err(storage),
        None => Ok(store.state()),
    }
}

fn value(context: &Context, args: &Args) -> Answer<Option<Vec<u8>>> {
    let (key, at) = (args.bytes(0, "key")?, args.optional_hash(1, "at")?);
    Ok(values(context, &[key], at)?.pop().flatten())
}

pub(super) fn keys_paged(context: &Context, args: &Args) -> Answer<Vec<String>> {
    let prefix = match args.value(0) {
        Value::Null => Vec::new(),
        _ => args.bytes(0, "prefix")?,
    };
    let count = args.number(1, "count")?;
    if count > MAX_PAGE {
        return Err(invalid("count", &format!("at most {MAX_PAGE}"), &count.to_string()));
    }
    let start = match args.value(2) {
        Value::Null => None,
        _ => Some(args.bytes(2, "startKey")?),
    };
    let at = args.optional_hash(3, "at")?;
    let keys = snapshot(context, at)?
        .keys_paged(&prefix, start.as_deref(), count as usize)
        .map_err(storage)?;
    Ok(keys.iter().map(|key| to_hex(key)).collect())
}

pub(super) fn query(context: &Context, args: &Args) -> Answer<Value> {
    let keys = args.keys(0, "keys", MAX_KEYS)?;
    let block = args.optional_hash(1, "at")?.unwrap_or(context.deps.chain.head().hash);
    let values = values(context, &keys, Some(block))?;
    Ok(json!([change_set(&block, keys.iter().zip(&values))]))
}

fn values(context: &Context, keys: &[Vec<u8>], at: Option<Hash>) -> Answer<Vec<Option<Vec<u8>>>> {
    let deps = &context.deps;
    let state = at.map_or_else(
        || Ok(deps.chain.storage().state()),
        |hash| deps.chain.storage().state_at(&hash),
    );
    match state {
        // Substrate's clients read the events of old blocks here. The index
        // keeps them longer than the state.
        Err(StorageError::StateNotKept { number, .. }) if matches!(keys, [key] if key == events_key()) => {
            Ok(vec![deps.chain.event_list(number).map_err(chain)?])
        }
        Err(error) => Err(storage(error)),
        Ok(state) => values_of(&state, keys),
    }
}

/// Values of the keys, as many as an answer holds.
fn values_of(state: &StateSnapshot, keys: &[Vec<u8>]) -> Answer<Vec<Option<Vec<u8>>>> {
    let mut room = MAX_VALUES;
    let read = |key: &Vec<u8>| {
        let value = state.get(key).map_err(storage)?;
        // Each byte is two digits of the answer.
        room = value
            .as_ref()
            .map_or(Some(room), |value| room.checked_sub(2 * value.len()))
            .ok_or_else(|| error::answer_too_long(MAX_VALUES))?;
        Ok(value)
    };
    keys.iter().map(read).collect()
}

/// Substrate's `StorageChangeSet`.
fn change_set<'a>(
    block: &Hash,
    changes: impl Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)>,
) -> Value {
    let changes: Vec<_> = changes
        .map(|(key, value)| json!([to_hex(key), value.as_ref().map(|value| to_hex(value))]))
        .collect();
    json!({ "block": block, "changes": changes })
}

/// One message: the version does not change while the node runs.
pub(super) async fn follow_version(
    context: Arc<Context>,
    _: Args,
    pending: PendingSubscriptionSink,
) -> Ended {
    let sink = pending.accept().await?;
    let _open = context.metrics.subscription();
    if let Sent::Yes = send(&sink, context.config.slow_subscriber, &VERSION).await? {
        sink.closed().await;
    }
    Ok(())
}

/// The keys' values now, and after each block those that changed.
pub(super) async fn follow_values(
    context: Arc<Context>,
    args: Args,
    pending: PendingSubscriptionSink,
) -> Ended {
    let keys = match args.keys(0, "keys", MAX_KEYS) {
        Ok(keys) => Arc::new(keys),
        Err(error) => {
            pending.reject(error).await;
            return Ok(());
        }
    };
    let mut news = context.deps.chain.subscribe();
    let head = context.deps.chain.head();
    let mut known = match read(&context, &keys, head.hash).await {
        Ok(values) => values,
        Err(error) => {
            pending.reject(error).await;
            return Ok(());
        }
    };
    let sink = pending.accept().await?;
    let _open = context.metrics.subscription();
    let patience = context.config.slow_subscriber;
    let first = change_set(&head.hash, keys.iter().zip(&known));
    if let Sent::Gone = send(&sink, patience, &first).await? {
        return Ok(());
    }
    loop {
        let block = tokio::select! {
            () = sink.closed() => return Ok(()),
            block = news.recv() => block,
        };
        let block = match block {
            Ok(block) if block.header.number > head.number => block,
            Ok(_) => continue,
            Err(RecvError::Lagged(missed)) => {
                return Err(format!("dropped: {missed} blocks behind").into());
            }
            Err(RecvError::Closed) => return Err("the node is stopping".into()),
        };
        let now = read(&context, &keys, block.hash).await.map_err(|error| error.to_string())?;
        let changed: Vec<_> = keys
            .iter()
            .zip(&now)
            .zip(&known)
            .filter(|((_, now), before)| now != before)
            .map(|(change, _)| change)
            .collect();
        if !changed.is_empty() {
            let message = change_set(&block.hash, changed.into_iter());
            if let Sent::Gone = send(&sink, patience, &message).await? {
                return Ok(());
            }
        }
        known = now;
    }
}

async fn read(
    context: &Arc<Context>,
    keys: &Arc<Vec<Vec<u8>>>,
    at: Hash,
) -> Answer<Vec<Option<Vec<u8>>>> {
    let (context, keys) = (context.clone(), keys.clone());
    tokio::task::spawn_blocking(move || values(&context, &keys, Some(at)))
        .await
        .map_err(error::internal)?
}

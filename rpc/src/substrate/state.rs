//! `state_*`: the raw state, the metadata and the runtime's APIs.

use crate::{
    context::Context,
    error::{self, Answer, call, chain, invalid, storage, unknown_block},
    lanes::Lane,
    method::{Args, Ended, Pending, Sent, Subscriber, to_hex},
};
use billchain_executor::events_key;
use billchain_primitives::{Hash, sm3};
use billchain_runtime::{Runtime, VERSION};
use billchain_storage::{StateSnapshot, StorageError};
use codec::Encode;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use tokio::sync::broadcast::error::RecvError;

/// Most keys of one `state_getKeysPaged`, as in Substrate.
pub(super) const MAX_PAGE: u32 = 1_000;
/// Most keys of one `state_queryStorageAt` or `state_subscribeStorage`.
pub(super) const MAX_KEYS: usize = 1_000;
/// Longest values of one notification in hex, in bytes: reading stops there.
const MAX_WATCHED: usize = 1 << 20;
/// Longest notification: the values, and the keys, which are as long as
/// parameters can be.
const NOTIFIED: usize = MAX_WATCHED + (640 << 10);

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
    Ok(values(context, &[key], at, args.answer_bytes())?.pop().flatten())
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
    let values = values(context, &keys, Some(block), args.answer_bytes())?;
    Ok(json!([change_set(&block, keys.iter().zip(&values))]))
}

/// Values of the keys; in hex they have at most `most` bytes.
fn values(
    context: &Context,
    keys: &[Vec<u8>],
    at: Option<Hash>,
    most: usize,
) -> Answer<Vec<Option<Vec<u8>>>> {
    let deps = &context.deps;
    let state = at.map_or_else(
        || Ok(deps.chain.storage().state()),
        |hash| deps.chain.storage().state_at(&hash),
    );
    match state {
        // Substrate's clients read the events of old blocks here. The index
        // keeps them longer than the state.
        Err(StorageError::StateNotKept { number, .. }) if matches!(keys, [key] if key == events_key()) =>
        {
            let list = deps.chain.event_list(number).map_err(chain)?;
            match list.as_ref().is_some_and(|list| 2 * list.len() > most) {
                true => Err(error::answer_too_long(most)),
                false => Ok(vec![list]),
            }
        }
        Err(error) => Err(storage(error)),
        Ok(state) => values_of(&state, keys, most),
    }
}

fn values_of(state: &StateSnapshot, keys: &[Vec<u8>], most: usize) -> Answer<Vec<Option<Vec<u8>>>> {
    let mut room = most;
    let read = |key: &Vec<u8>| {
        let value = state.get(key).map_err(storage)?;
        // Each byte is two digits of the answer.
        room = value
            .as_ref()
            .map_or(Some(room), |value| room.checked_sub(2 * value.len()))
            .ok_or_else(|| error::answer_too_long(most))?;
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
pub(super) async fn follow_version(_: Arc<Context>, _: Args, pending: Pending) -> Ended {
    let sink = pending.accept().await;
    if let Sent::Yes = sink.send(&VERSION).await? {
        sink.closed().await;
    }
    Ok(())
}

/// The keys' values now, and after each block those that changed. Of what was
/// told only the hashes are kept.
pub(super) async fn follow_values(context: Arc<Context>, args: Args, pending: Pending) -> Ended {
    let watched = args.keys(0, "keys", MAX_KEYS).and_then(|keys| {
        let right = pending.subscriber.watch(keys.len()).map_err(|full| error::busy(&full))?;
        Ok((Arc::new(keys), right))
    });
    let (keys, _right) = match watched {
        Ok(watched) => watched,
        Err(error) => {
            pending.reject(error);
            return Ok(());
        }
    };
    let mut news = context.deps.chain.subscribe();
    let head = context.deps.chain.head();
    let Some(room) = pending.subscriber.room(NOTIFIED).await? else { return Ok(()) };
    let values = match read(&context, &pending.subscriber, &keys, head.hash).await {
        Ok(values) => values,
        Err(error) => {
            pending.reject(error);
            return Ok(());
        }
    };
    let sink = pending.accept().await;
    let mut known = fingerprints(&values);
    let first = change_set(&head.hash, keys.iter().zip(&values));
    drop(values);
    if let Sent::Gone = sink.send_in(room, &first).await? {
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
        let Some(room) = sink.room(NOTIFIED).await? else { return Ok(()) };
        let values = read(&context, &sink, &keys, block.hash).await;
        let values = values.map_err(|error| error.message().to_owned())?;
        let now = fingerprints(&values);
        let changed = keys.iter().zip(&values).zip(now.iter().zip(&known));
        let changed = changed.filter(|(_, (now, before))| now != before).map(|(change, _)| change);
        let message = change_set(&block.hash, changed);
        let has_changed = now != known;
        known = now;
        drop(values);
        if has_changed && let Sent::Gone = sink.send_in(room, &message).await? {
            return Ok(());
        }
    }
}

fn fingerprints(values: &[Option<Vec<u8>>]) -> Vec<Option<[u8; 32]>> {
    values.iter().map(|value| value.as_ref().map(|value| sm3(value))).collect()
}

async fn read(
    context: &Arc<Context>,
    subscriber: &Subscriber,
    keys: &Arc<Vec<Vec<u8>>>,
    at: Hash,
) -> Answer<Vec<Option<Vec<u8>>>> {
    let (context, keys) = (context.clone(), keys.clone());
    let work = move || values(&context, &keys, Some(at), MAX_WATCHED);
    subscriber.turns.run(Lane::Light, work).await.map_err(error::internal)?
}

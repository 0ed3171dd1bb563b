//! `state_*`: the raw state, the metadata and the runtime's APIs.

use crate::{
    budget::Room,
    context::Context,
    error::{self, Answer, call, chain, invalid, storage, unknown_block},
    lanes::Lane,
    method::{Args, Dropped, Ended, Notifications, Pending, Sent, Subscriber, to_hex},
};
use billchain_executor::{CommittedBlock, events_key};
use billchain_primitives::{Hash, sm3};
use billchain_runtime::{Runtime, VERSION};
use billchain_storage::{StateSnapshot, StorageError};
use codec::Encode;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Most keys of one `state_getKeysPaged`, as in Substrate.
pub(super) const MAX_PAGE: u32 = 1_000;
/// Most keys of one `state_queryStorageAt` or `state_subscribeStorage`.
pub(super) const MAX_KEYS: usize = 1_000;
/// Most keys that are looked at in a light turn after each block.
const FEW: usize = 16;
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

/// The key at which other chains have their code.
const CODE: &[u8] = b":code";

/// What stands in for the hash of the code that this chain has not: SM3 of the versions and
/// the metadata. Clients ask for it to know which blocks have the same runtime.
pub(super) fn code_hash(key: &[u8]) -> Option<Hash> {
    static HASH: OnceLock<Hash> = OnceLock::new();
    let hash = || Hash::from(sm3(&(VERSION, Runtime::metadata()).encode()));
    (key == CODE).then(|| *HASH.get_or_init(hash))
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
    let Some(sink) = pending.accept().await else { return Ok(()) };
    if let Sent::Yes = sink.send(&VERSION).await? {
        sink.closed().await;
    }
    Ok(())
}

/// The keys' values now, and after each block those that changed. Of what was
/// told only the hashes are kept.
pub(super) async fn follow_values(context: Arc<Context>, args: Args, pending: Pending) -> Ended {
    let keys = pending.read(args, |args| args.keys(0, "keys", MAX_KEYS)).await;
    let watched = keys.and_then(|keys| {
        let right = pending.subscriber.watch(keys.len()).map_err(|full| error::busy(&full))?;
        Ok((keys, right))
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
    let notifications = pending.subscriber.notifications();
    let watch = Watch { context, keys: Arc::new(keys), notifications };
    let looked = match watch.look(&pending.subscriber, None, head.hash).await {
        Ok(Some((look, room))) => look.map(|look| (look, room)),
        Ok(None) => return Ok(()),
        Err(slow) => Err(error::busy(&slow)),
    };
    let (mut look, mut room) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            pending.reject(error);
            return Ok(());
        }
    };
    let Some(sink) = pending.accept().await else { return Ok(()) };
    loop {
        if let Some(text) = look.text
            && let Sent::Gone = sink.send_text(room, text).await?
        {
            return Ok(());
        }
        let Some(block) = after(head.number, &mut news, &sink).await? else { return Ok(()) };
        let Some(looked) = watch.look(&sink, Some(look.found), block).await? else {
            return Ok(());
        };
        look = looked.0.map_err(|error| error.message().to_owned())?;
        room = looked.1;
    }
}

/// Hash of the next block after number `head`; `None` if the subscriber is gone.
async fn after(
    head: u32,
    news: &mut Receiver<Arc<CommittedBlock>>,
    sink: &Subscriber,
) -> Result<Option<Hash>, Dropped> {
    loop {
        let block = tokio::select! {
            () = sink.closed() => return Ok(None),
            block = news.recv() => block,
        };
        match block {
            Ok(block) if block.header.number > head => return Ok(Some(block.hash)),
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                return Err(format!("dropped: {missed} blocks behind").into());
            }
            Err(RecvError::Closed) => return Err("the node is stopping".into()),
        }
    }
}

/// SM3 of each value.
type Known = Vec<Option<[u8; 32]>>;

/// Keys that somebody watches.
struct Watch {
    context: Arc<Context>,
    keys: Arc<Vec<Vec<u8>>>,
    notifications: Notifications,
}

/// What a look at them found.
struct Look {
    found: Known,
    /// The notification of what has changed, if anything has.
    text: Option<String>,
}

impl Watch {
    /// Compares the values after a block with what is known, if anything is, on
    /// a thread that may block. `None` if the subscriber is gone.
    async fn look(
        &self,
        subscriber: &Subscriber,
        known: Option<Known>,
        at: Hash,
    ) -> Result<Option<(Answer<Look>, Room)>, Dropped> {
        let (context, keys) = (self.context.clone(), self.keys.clone());
        let notifications = self.notifications.clone();
        let lane = if keys.len() > FEW { Lane::Heavy } else { Lane::Light };
        let work = move || {
            let values = values(&context, &keys, Some(at), MAX_WATCHED)?;
            let found = values.iter().map(|value| value.as_ref().map(|value| sm3(value)));
            let found: Known = found.collect();
            if known.as_ref() == Some(&found) {
                return Ok(Look { found, text: None });
            }
            let is_new = |place| known.as_ref().is_none_or(|known| known[place] != found[place]);
            let changed = keys.iter().zip(&values).enumerate().filter(|(place, _)| is_new(*place));
            let changes = change_set(&at, changed.map(|(_, change)| change));
            Ok(Look { text: Some(notifications.text(&changes, NOTIFIED)?), found })
        };
        subscriber.work(lane, NOTIFIED, work).await
    }
}

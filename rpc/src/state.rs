//! `state_*`: the raw state, the metadata and the runtime's APIs.

use crate::{
    error::{self, Answer, call, chain, invalid, storage, unknown_block},
    params::{Args, to_hex},
    server::{Context, Module, reading},
    subscription::{Ended, Sent, send},
};
use billchain_executor::events_key;
use billchain_primitives::{Hash, sm3};
use billchain_runtime::{Runtime, VERSION};
use billchain_storage::{StateSnapshot, StorageError};
use codec::Encode;
use jsonrpsee::{PendingSubscriptionSink, core::RegisterMethodError, types::Params};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use tokio::sync::broadcast::error::RecvError;

/// Most keys of one `state_getKeysPaged`, as in Substrate.
const MAX_PAGE: u32 = 1_000;
/// Most keys of one `state_queryStorageAt` or `state_subscribeStorage`.
const MAX_KEYS: usize = 1_000;

/// Registers the methods.
pub(crate) fn register(module: &mut Module) -> Result<(), RegisterMethodError> {
    reading(module, "state_getStorage", &["state_getStorageAt"], |c, args| {
        Ok(value(c, args)?.map(|value| to_hex(&value)))
    })?;
    reading(module, "state_getStorageHash", &["state_getStorageHashAt"], |c, args| {
        Ok(value(c, args)?.map(|value| Hash::from(sm3(&value))))
    })?;
    reading(module, "state_getStorageSize", &["state_getStorageSizeAt"], |c, args| {
        Ok(value(c, args)?.map(|value| value.len()))
    })?;
    reading(module, "state_getKeysPaged", &["state_getKeysPagedAt"], keys_paged)?;
    reading(module, "state_queryStorageAt", &[], query)?;
    reading(module, "state_getMetadata", &[], |context, args| {
        known_block(context, args.optional_hash(0, "at")?)?;
        Ok(metadata())
    })?;
    reading(module, "state_getRuntimeVersion", &["chain_getRuntimeVersion"], |context, args| {
        known_block(context, args.optional_hash(0, "at")?)?;
        Ok(json!(VERSION))
    })?;
    reading(module, "state_call", &["state_callAt"], |context, args| {
        let at = args.optional_hash(2, "at")?;
        let (method, data) = (args.text(0, "method")?, args.bytes(1, "data")?);
        let result = context.deps.chain.call(at.as_ref(), method, &data).map_err(call)?;
        Ok(to_hex(&result))
    })?;
    module.register_subscription(
        "state_subscribeRuntimeVersion",
        "state_runtimeVersion",
        "state_unsubscribeRuntimeVersion",
        |_, pending, context, _| runtime_version(pending, context),
    )?;
    module.register_alias("chain_subscribeRuntimeVersion", "state_subscribeRuntimeVersion")?;
    module.register_alias("chain_unsubscribeRuntimeVersion", "state_unsubscribeRuntimeVersion")?;
    module.register_subscription(
        "state_subscribeStorage",
        "state_storage",
        "state_unsubscribeStorage",
        |params, pending, context, _| follow(params.into_owned(), pending, context),
    )?;
    Ok(())
}

/// A native node runs one set of rules: its metadata never changes.
fn metadata() -> String {
    static METADATA: OnceLock<String> = OnceLock::new();
    METADATA.get_or_init(|| to_hex(&Runtime::metadata().encode())).clone()
}

fn known_block(context: &Context, at: Option<Hash>) -> Answer<()> {
    match at {
        Some(hash) if crate::block::number_of(context, &hash)?.is_none() => {
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

fn keys_paged(context: &Context, args: &Args) -> Answer<Vec<String>> {
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

fn query(context: &Context, args: &Args) -> Answer<Value> {
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
        Ok(state) => keys.iter().map(|key| state.get(key).map_err(storage)).collect(),
    }
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
async fn runtime_version(pending: PendingSubscriptionSink, context: Arc<Context>) -> Ended {
    let sink = pending.accept().await?;
    let _open = context.metrics.subscription();
    if let Sent::Yes = send(&sink, context.config.slow_subscriber, &VERSION).await? {
        sink.closed().await;
    }
    Ok(())
}

/// The keys' values now, and after each block those that changed.
async fn follow(
    params: Params<'static>,
    pending: PendingSubscriptionSink,
    context: Arc<Context>,
) -> Ended {
    let keys = match Args::of(&params).and_then(|args| args.keys(0, "keys", MAX_KEYS)) {
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

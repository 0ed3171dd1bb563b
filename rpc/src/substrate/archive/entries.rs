//! `archive_v1_storage`: entries of the state after a block.

use super::feed::{self, Place, Step, Walk};
use crate::{
    context::Context,
    error::{Answer, chain, invalid, storage},
    method::{Args, Ended, Pending, bytes, to_hex},
    substrate::state::code_hash,
};
use billchain_executor::events_key;
use billchain_primitives::{Hash, sm3};
use billchain_rpc_types::{
    ArchiveStorageEventView as Event, ArchiveStorageItem, ArchiveStorageType as Type,
};
use billchain_storage::{StateSnapshot, StorageError};
use serde_json::Value;
use std::sync::Arc;

/// Tells the entries that were asked for.
pub(in crate::substrate) async fn follow(
    context: Arc<Context>,
    args: Args,
    pending: Pending,
) -> Ended {
    let asked = pending.read(args, read).await;
    feed::tell(context, asked, pending).await
}

/// What is asked for.
pub(super) struct Entries {
    at: Hash,
    items: Vec<Item>,
}

struct Item {
    key: Vec<u8>,
    kind: Type,
    start: Option<Vec<u8>>,
}

/// Reads the parameters.
pub(super) fn read(args: &Args) -> Answer<Entries> {
    let at = args.hash(0, "hash")?;
    let items = feed::items(args, Item::read)?;
    match args.value(2) {
        Value::Null => Ok(Entries { at, items }),
        other => {
            Err(invalid("childTrie", "null: the state has no child tries", &other.to_string()))
        }
    }
}

impl Item {
    fn read(place: &str, value: &Value) -> Answer<Self> {
        let written: ArchiveStorageItem =
            serde_json::from_value(value.clone()).map_err(|error| {
                let expected = format!("key, type and paginationStartKey alone ({error})");
                invalid(place, &expected, &value.to_string())
            })?;
        let start = match &value["paginationStartKey"] {
            Value::Null => None,
            start => Some(bytes(start, &format!("{place}.paginationStartKey"))?),
        };
        let key = bytes(&value["key"], &format!("{place}.key"))?;
        let item = Self { key, kind: written.kind, start };
        if item.start.is_some() && !item.has_descendants() {
            let expected = "null for one entry";
            let found = value["paginationStartKey"].to_string();
            return Err(invalid(&format!("{place}.paginationStartKey"), expected, &found));
        }
        Ok(item)
    }

    fn has_descendants(&self) -> bool {
        matches!(self.kind, Type::DescendantsValues | Type::DescendantsHashes)
    }

    fn is_events(&self) -> bool {
        !self.has_descendants() && self.key == events_key()
    }

    /// What stands in for the hash of the code, if that is asked for.
    fn code_hash(&self) -> Option<Hash> {
        code_hash(&self.key).filter(|_| self.kind == Type::Hash)
    }

    /// Tells of what stands in for the code; whether there was room.
    fn tell_code(&self, step: &mut Step, hash: Hash) -> Answer<bool> {
        step.tell(self.key.len(), || Event::Storage {
            key: to_hex(&self.key),
            value: None,
            hash: Some(hash),
        })
    }

    /// Tells of one of its entries; whether there was room.
    fn tell(&self, step: &mut Step, key: &[u8], value: &[u8]) -> Answer<bool> {
        let shows_value = matches!(self.kind, Type::Value | Type::DescendantsValues);
        let shown = if shows_value { key.len() + value.len() } else { key.len() };
        step.tell(shown, || Event::Storage {
            key: to_hex(key),
            value: shows_value.then(|| to_hex(value)),
            hash: (!shows_value).then(|| Hash::from(sm3(value))),
        })
    }
}

/// What is read.
enum Source {
    State(StateSnapshot),
    /// The events of a block, whose state is not kept.
    Events(Option<Vec<u8>>),
}

impl Entries {
    fn source(&self, context: &Context) -> Answer<Source> {
        match context.deps.chain.storage().state_at(&self.at) {
            Ok(state) => Ok(Source::State(state)),
            // Clients read the events of old blocks here, as in `state_getStorage`.
            Err(StorageError::StateNotKept { number, .. })
                if !self.items.is_empty() && self.items.iter().all(Item::is_events) =>
            {
                context.deps.chain.event_list(number).map(Source::Events).map_err(chain)
            }
            Err(error) => Err(storage(error)),
        }
    }
}

impl Walk for Entries {
    type Event = Event;

    fn items(&self) -> usize {
        self.items.len()
    }

    fn step(&self, context: &Context, step: &mut Step) -> Answer<bool> {
        let source = self.source(context)?;
        while let Some(item) = self.items.get(step.at.item) {
            if !step.look() {
                return Ok(false);
            }
            let is_told = match &source {
                Source::State(state) if item.has_descendants() => descend(state, item, step)?,
                Source::State(_) if let Some(hash) = item.code_hash() => {
                    item.tell_code(step, hash)?
                }
                Source::State(state) => match state.get(&item.key).map_err(storage)? {
                    Some(value) => item.tell(step, &item.key, &value)?,
                    None => true,
                },
                Source::Events(Some(list)) => item.tell(step, &item.key, list)?,
                Source::Events(None) => true,
            };
            if !is_told {
                return Ok(false);
            }
            step.next_item();
        }
        Ok(true)
    }

    fn rest(&self, at: &Place) -> String {
        let start =
            at.after.as_ref().map(|key| format!(", with paginationStartKey {}", to_hex(key)));
        format!("ask again from items[{}] on{}", at.item, start.unwrap_or_default())
    }

    fn last(failure: Option<String>) -> Event {
        failure.map_or(Event::StorageDone, |error| Event::StorageError { error })
    }
}

/// Tells the entries whose keys begin with the item's; whether these were all. A key that a later
/// block brought is looked at like an entry, and nothing is told of it.
fn descend(state: &StateSnapshot, item: &Item, step: &mut Step) -> Answer<bool> {
    let start = step.at.after.clone().or_else(|| item.start.clone());
    let mut is_told = Ok(true);
    let visit = |key: &[u8], value: Option<&[u8]>| {
        is_told = match value {
            _ if !step.look() => Ok(false),
            Some(value) => item.tell(step, key, value),
            None => Ok(true),
        };
        let goes_on = matches!(is_told, Ok(true));
        if goes_on {
            step.at.after = Some(key.to_vec());
        }
        goes_on
    };
    state.walk(&item.key, start.as_deref(), visit).map_err(storage)?;
    is_told
}

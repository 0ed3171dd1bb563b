//! `archive_v1_storageDiff`: what blocks changed of the state.

use super::feed::{self, Place, Step, Walk};
use crate::{
    context::Context,
    error::{Answer, invalid, storage, unknown_block},
    method::{Args, Ended, Pending, bytes, to_hex},
    substrate::chain::{hash_of, number_of},
};
use billchain_primitives::{Hash, sm3};
use billchain_rpc_types::{
    ArchiveDifferenceEventView as Event, ArchiveDifferenceItem, ArchiveDifferenceType as Type,
    ArchiveReturnType,
};
use billchain_storage::StateSnapshot;
use serde_json::Value;
use std::sync::Arc;

/// Most blocks between the two states: a key is looked for in what each replaced.
const MAX_BLOCKS: u32 = 256;

/// Tells the differences that were asked for.
pub(in crate::substrate) async fn follow(
    context: Arc<Context>,
    args: Args,
    pending: Pending,
) -> Ended {
    let asked = pending.read(args, read).await;
    feed::tell(context, asked, pending).await
}

/// What is asked for.
pub(super) struct Differences {
    at: Hash,
    before: Option<Hash>,
    items: Vec<Item>,
}

struct Item {
    prefix: Vec<u8>,
    shows_value: bool,
}

/// Reads the parameters.
pub(super) fn read(args: &Args) -> Answer<Differences> {
    let items = match args.value(1) {
        Value::Null => vec![Item { prefix: Vec::new(), shows_value: true }],
        _ => feed::items(args, Item::read)?,
    };
    let (at, before) = (args.hash(0, "hash")?, args.optional_hash(2, "previousHash")?);
    Ok(Differences { at, before, items })
}

impl Item {
    fn read(place: &str, value: &Value) -> Answer<Self> {
        let written: ArchiveDifferenceItem =
            serde_json::from_value(value.clone()).map_err(|error| {
                let expected = format!("key, returnType and childTrieKey alone ({error})");
                invalid(place, &expected, &value.to_string())
            })?;
        if let Some(key) = written.child_trie_key {
            let expected = "null: the state has no child tries";
            return Err(invalid(&format!("{place}.childTrieKey"), expected, &key));
        }
        let prefix = match &value["key"] {
            Value::Null => Vec::new(),
            key => bytes(key, &format!("{place}.key"))?,
        };
        Ok(Self { prefix, shows_value: written.return_type == ArchiveReturnType::Value })
    }

    /// Tells of a key that was written, if it has another value now; whether there was
    /// room.
    fn tell(&self, step: &mut Step, key: &[u8], values: [Option<Vec<u8>>; 2]) -> Answer<bool> {
        let (kind, value) = match values {
            [was, is] if was == is => return Ok(true),
            [None, Some(is)] => (Type::Added, is),
            [Some(_), Some(is)] => (Type::Modified, is),
            [Some(was), None] => (Type::Deleted, was),
            [None, None] => return Ok(true),
        };
        let shown = if self.shows_value { key.len() + value.len() } else { key.len() };
        step.tell(shown, || Event::StorageDiff {
            key: to_hex(key),
            value: self.shows_value.then(|| to_hex(&value)),
            hash: (!self.shows_value).then(|| Hash::from(sm3(&value))),
            kind,
        })
    }
}

impl Differences {
    /// The two states, the older first.
    fn states(&self, context: &Context) -> Answer<[StateSnapshot; 2]> {
        let known = |hash: &Hash| {
            number_of(context, hash)?.ok_or_else(|| unknown_block(format!("{hash:?}")))
        };
        let number = known(&self.at)?;
        let before = match (self.before, number.checked_sub(1)) {
            (Some(hash), _) => hash,
            (None, Some(parent)) => {
                hash_of(context, parent)?.ok_or_else(|| unknown_block(parent))?
            }
            (None, None) => {
                return Err(invalid("hash", "a block that has one before it", "the genesis"));
            }
        };
        let first = known(&before)?;
        if first >= number || number - first > MAX_BLOCKS {
            let expected = format!("one of the {MAX_BLOCKS} blocks before block {number}");
            return Err(invalid("previousHash", &expected, &format!("block {first}")));
        }
        let store = context.deps.chain.storage();
        let older = store.state_at(&before).map_err(storage)?;
        Ok([older, store.state_at(&self.at).map_err(storage)?])
    }
}

impl Walk for Differences {
    type Event = Event;

    fn items(&self) -> usize {
        self.items.len()
    }

    fn step(&self, context: &Context, step: &mut Step) -> Answer<bool> {
        let [older, newer] = self.states(context)?;
        while let Some(item) = self.items.get(step.at.item) {
            if !step.look() {
                return Ok(false);
            }
            let most = step.left as usize;
            let after = step.at.after.as_deref();
            let keys = older.written_paged(&newer, &item.prefix, after, most);
            let is_last = keys.len() < most;
            for key in keys {
                if !step.look() {
                    return Ok(false);
                }
                let was = older.get(&key).map_err(storage)?;
                let is = newer.get(&key).map_err(storage)?;
                if !item.tell(step, &key, [was, is])? {
                    return Ok(false);
                }
                step.at.after = Some(key);
            }
            if !is_last {
                return Ok(false);
            }
            step.next_item();
        }
        Ok(true)
    }

    fn rest(&self, _: &Place) -> String {
        "ask for keys with a longer beginning, or for fewer blocks".into()
    }

    fn last(failure: Option<String>) -> Event {
        failure.map_or(Event::StorageDiffDone, |error| Event::StorageDiffError { error })
    }
}

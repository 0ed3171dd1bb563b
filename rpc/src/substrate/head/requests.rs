//! What a client asks for beside a subscription to the head.

use crate::{
    connection::{Follow, Unpinned, Work},
    error::{self, Answer, invalid},
    method::{Args, Caller, Made, bytes, hash, to_hex},
    substrate::chain,
};
use billchain_primitives::Hash;
use billchain_rpc_types::{ArchiveStorageType, HeadStorageItem, OperationView};
use codec::Encode;
use serde_json::Value;
use std::sync::Arc;

/// Most items of one `chainHead_v1_storage`.
pub(super) const MAX_ITEMS: usize = 1_000;
/// Most blocks of one `chainHead_v1_unpin`.
pub(super) const MAX_UNPINNED: usize = 512;
/// Memory that an operation is counted as, beside its parameters, in bytes.
const EACH: usize = 2 << 10;

/// The encoded header of a pinned block.
pub(super) fn header(caller: &Caller, args: &Args) -> Answer<Made> {
    let hash = args.hash(1, "hash")?;
    let Some(follow) = followed(caller, args)? else { return Made::of(&(), args) };
    let number = pinned(&follow, &hash)?;
    let header = chain::header(&caller.context, &hash, number)?;
    let header = header.ok_or_else(|| error::internal(format!("block {number} has no header")))?;
    Made::of(&to_hex(&header.encode()), args)
}

/// Has the transactions of a pinned block told.
pub(super) fn body(caller: &Caller, args: &Args) -> Answer<Made> {
    let hash = args.hash(1, "hash")?;
    let Some(follow) = followed(caller, args)? else { return limit_reached(args) };
    let number = pinned(&follow, &hash)?;
    begin(caller, args, &follow, (number, hash), Work::Body)
}

/// Has the answer of a runtime API told.
pub(super) fn call(caller: &Caller, args: &Args) -> Answer<Made> {
    let hash = args.hash(1, "hash")?;
    let function = args.text(2, "function")?.to_owned();
    let data = args.call_parameters(3)?;
    let Some(follow) = followed(caller, args)? else { return limit_reached(args) };
    let number = pinned(&follow, &hash)?;
    if !follow.with_runtime {
        return Err(error::without_runtime());
    }
    begin(caller, args, &follow, (number, hash), Work::Call { function, data })
}

/// Has entries of the state told.
pub(super) fn storage(caller: &Caller, args: &Args) -> Answer<Made> {
    let hash = args.hash(1, "hash")?;
    let items = read_items(args)?;
    if !args.value(3).is_null() {
        let found = args.value(3).to_string();
        return Err(invalid("childTrie", "null: the state has no child tries", &found));
    }
    let Some(follow) = followed(caller, args)? else { return limit_reached(args) };
    let number = pinned(&follow, &hash)?;
    begin(caller, args, &follow, (number, hash), Work::Storage(items))
}

/// The items of `chainHead_v1_storage`.
pub(in crate::substrate) fn read_items(args: &Args) -> Answer<Vec<(Vec<u8>, ArchiveStorageType)>> {
    let list = match args.value(2) {
        Value::Array(list) if list.len() <= MAX_ITEMS => list,
        Value::Array(list) => {
            let expected = format!("at most {MAX_ITEMS}");
            return Err(invalid("items", &expected, &list.len().to_string()));
        }
        other => return Err(invalid("items", "a list of items", &other.to_string())),
    };
    let read = |(at, value): (usize, &Value)| {
        let place = format!("items[{at}]");
        let item: HeadStorageItem = serde_json::from_value(value.clone()).map_err(|error| {
            let expected = format!("key and type alone ({error})");
            invalid(&place, &expected, &value.to_string())
        })?;
        Ok((bytes(&value["key"], &format!("{place}.key"))?, item.kind))
    };
    list.iter().enumerate().map(read).collect()
}

/// Has an operation go on that waits.
pub(super) fn go_on(caller: &Caller, args: &Args) -> Answer<Made> {
    let id = args.text(1, "operationId")?;
    match followed(caller, args)?.and_then(|follow| follow.go_on(id)) {
        Some(false) => Err(error::not_waiting()),
        Some(true) | None => Made::of(&(), args),
    }
}

/// Stops an operation.
pub(super) fn stop(caller: &Caller, args: &Args) -> Answer<Made> {
    let id = args.text(1, "operationId")?;
    if let Some(follow) = followed(caller, args)? {
        follow.stop(id);
    }
    Made::of(&(), args)
}

/// Unpins blocks.
pub(super) fn unpin(caller: &Caller, args: &Args) -> Answer<Made> {
    const NAME: &str = "hashOrHashes";
    let hashes = match args.value(1) {
        Value::Array(list) if list.len() <= MAX_UNPINNED => {
            list.iter().map(|one| hash(one, NAME)).collect::<Answer<Vec<_>>>()?
        }
        Value::Array(list) => {
            let expected = format!("at most {MAX_UNPINNED} hashes");
            return Err(invalid(NAME, &expected, &list.len().to_string()));
        }
        one => vec![hash(one, NAME)?],
    };
    let Some(follow) = followed(caller, args)? else { return Made::of(&(), args) };
    match follow.unpin(&hashes) {
        Ok(()) => Made::of(&(), args),
        Err(Unpinned::Unknown(hash)) => Err(error::not_pinned(&hash)),
        Err(Unpinned::Twice(hash)) => Err(error::named_twice(&hash)),
    }
}

/// The subscription that the first parameter names, if it is the connection's and goes on.
fn followed(caller: &Caller, args: &Args) -> Answer<Option<Arc<Follow>>> {
    Ok(caller.connection.follows.find(args.text(0, "followSubscription")?))
}

fn pinned(follow: &Follow, hash: &Hash) -> Answer<u32> {
    follow.pinned(hash).ok_or_else(|| error::not_pinned(hash))
}

fn limit_reached(args: &Args) -> Answer<Made> {
    Made::of(&OperationView::LimitReached, args)
}

/// Begins an operation, as far as there is room: items at the end that find no place are
/// left out.
fn begin(
    caller: &Caller,
    args: &Args,
    follow: &Follow,
    block: (u32, Hash),
    mut work: Work,
) -> Answer<Made> {
    let mut discarded_items = None;
    let mut places = None;
    if let Work::Storage(items) = &mut work {
        let Some(taken) = follow.items(items.len()) else { return limit_reached(args) };
        discarded_items = u32::try_from(items.len() - taken.num_permits()).ok();
        items.truncate(taken.num_permits());
        places = Some(taken);
    }
    let Ok(room) = caller.share.keep(EACH + args.length()) else { return limit_reached(args) };
    let Some((operation_id, told)) = follow.operate(block, work, room, places) else {
        return limit_reached(args);
    };
    let started = OperationView::Started { operation_id, discarded_items };
    Ok(Made { begins: Some(told), ..Made::of(&started, args)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_or_refused_with_their_place() {
        let read = |items: &str| {
            let names = ["followSubscription", "hash", "items"];
            let args = Args::read(Some(&format!("[null,null,{items}]")), &names, 1_024).unwrap();
            read_items(&args).map_err(|refusal| refusal.message().to_owned())
        };
        let kinds = ["value", "hash", "descendantsValues", "descendantsHashes"];
        let written: Vec<_> =
            kinds.iter().map(|kind| format!(r#"{{"key":"0x01","type":"{kind}"}}"#)).collect();
        assert_eq!(read(&format!("[{}]", written.join(","))).unwrap().len(), 4);
        assert_eq!(read("[]").unwrap(), Vec::new());
        let many = format!("[{}]", vec![&*written[0]; MAX_ITEMS + 1].join(","));
        for (items, words) in [
            (many.as_str(), "at most 1000"),
            ("7", "a list of items"),
            (r#"[{"key":"01","type":"value"}]"#, "items[0].key: expected bytes as 0x hex"),
            (
                r#"[{"key":"0x","type":"value"},{"key":"0x","type":"closestDescendantMerkleValue"}]"#,
                "items[1]: expected key and type alone",
            ),
            (r#"[{"key":"0x","type":"value","x":1}]"#, "items[0]"),
        ] {
            let refused = read(items).unwrap_err();
            assert!(refused.contains(words), "{items}: {refused}");
        }
    }
}

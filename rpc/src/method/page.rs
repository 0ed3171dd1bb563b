//! Lists that are read page by page.

use super::args::{Args, to_hex};
use crate::{
    context::Context,
    error::{Answer, internal, storage},
};
use billchain_rpc_types::Page;
use codec::Decode;

/// A page of the node-local index: the values under `prefix`. The parameter at
/// `index` is the cursor (what is left of the last key, in hex), the next one
/// the limit.
pub(crate) fn index_page(
    context: &Context,
    prefix: &[u8],
    args: &Args,
    index: usize,
) -> Answer<Page<Vec<u8>>> {
    let cursor = args.optional_bytes(index, "cursor")?;
    let limit = args.limit(index + 1)?;
    let start = cursor.map(|rest| [prefix, &rest].concat());
    let entries = context
        .deps
        .chain
        .storage()
        .offchain_prefix(prefix, start.as_deref(), limit + 1)
        .map_err(storage)?;
    let page = cut(entries, limit, |(key, _)| to_hex(&key[prefix.len()..]));
    Ok(Page { items: page.items.into_iter().map(|(_, value)| value).collect(), next: page.next })
}

/// As [`index_page`], with each value decoded and turned into what a client
/// sees. `what` names the values for the error.
pub(crate) fn decoded_page<T: Decode, V>(
    context: &Context,
    prefix: &[u8],
    args: &Args,
    index: usize,
    what: &str,
    view: impl Fn(T) -> Answer<V>,
) -> Answer<Page<V>> {
    let page = index_page(context, prefix, args, index)?;
    show(page, |value| view(decode(what, &value)?))
}

/// The page of at most `limit` entries, of which one more was asked for, and
/// the cursor after it.
pub(crate) fn cut<T>(
    mut entries: Vec<T>,
    limit: usize,
    cursor: impl FnOnce(&T) -> String,
) -> Page<T> {
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = if more { entries.last().map(cursor) } else { None };
    Page { items: entries, next }
}

/// The page with each entry turned into what a client sees.
pub(crate) fn show<T, U>(page: Page<T>, view: impl FnMut(T) -> Answer<U>) -> Answer<Page<U>> {
    let items = page.items.into_iter().map(view).collect::<Answer<_>>()?;
    Ok(Page { items, next: page.next })
}

/// What the node stored as `bytes`. `what` names it for the error.
pub(crate) fn decode<T: Decode>(what: &str, mut bytes: &[u8]) -> Answer<T> {
    T::decode(&mut bytes).map_err(|error| internal(format!("stored {what}: {error}")))
}

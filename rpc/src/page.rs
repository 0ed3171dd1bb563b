//! Lists that are read page by page.

use crate::{
    error::{Answer, storage},
    params::{Args, to_hex},
    server::Context,
};
use billchain_rpc_types::Page;

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

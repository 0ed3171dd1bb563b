//! Pages of the node-local index.

use crate::{
    bill::decode,
    error::{Answer, invalid, storage},
    params::Args,
    server::Context,
};
use billchain_rpc_types::Page;
use codec::Decode;

/// Most entries of a page, and their number if the request names none.
pub(crate) const MAX_PAGE: u32 = 100;

/// Which page a request asks for.
#[derive(Clone, Copy)]
pub(crate) struct Paging {
    after: Option<u32>,
    limit: usize,
}

impl Paging {
    /// From the parameters `index` (after which number; from the first) and
    /// `index + 1` (how many).
    pub(crate) fn of(args: &Args, index: usize) -> Answer<Self> {
        let after = args.optional_number(index, "after")?;
        let limit = args.optional_number(index + 1, "limit")?.unwrap_or(MAX_PAGE);
        if limit == 0 || limit > MAX_PAGE {
            let expected = format!("a number from 1 to {MAX_PAGE}");
            return Err(invalid("limit", &expected, &limit.to_string()));
        }
        Ok(Self { after, limit: limit as usize })
    }
}

/// The page of the index entries with `prefix`, whose keys end with their
/// number in four bytes, highest first.
pub(crate) fn page<T: Decode, V>(
    context: &Context,
    prefix: &[u8],
    paging: Paging,
    view: impl Fn(T) -> Answer<V>,
) -> Answer<Page<V>> {
    let Paging { after, limit } = paging;
    let start = after.map(|number| [prefix, &number.to_be_bytes()].concat());
    // One more tells whether there is a next page.
    let mut entries = context
        .deps
        .chain
        .storage()
        .offchain_prefix(prefix, start.as_deref(), limit + 1)
        .map_err(storage)?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = match entries.last().filter(|_| more) {
        Some((key, _)) => {
            let number = key.last_chunk::<4>().copied().unwrap_or_default();
            Some(u32::from_be_bytes(number))
        }
        None => None,
    };
    let items =
        entries.iter().map(|(_, value)| view(decode("entry", value)?)).collect::<Answer<_>>()?;
    Ok(Page { items, next })
}

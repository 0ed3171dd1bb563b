//! The walk over the hot state.

use billchain_primitives::{Moment, cooling::SharedBytes};
use frame::deps::{frame_support::storage::unhashed, sp_io::storage::next_key};

/// Keys of each group that `walk` is measured with: bills whose numbers differ in the last
/// digit.
pub(crate) const MEASURED_KEYS: u32 = 10;

/// A map of the runtime whose groups may cool. Its keys have one length.
#[derive(Clone, Copy)]
pub struct Map {
    /// Pallet and map.
    pub name: (&'static str, &'static str),
    /// What its keys begin with.
    pub prefix: [u8; 32],
    /// Whether nobody has touched a group since the moment: see [`Group`].
    pub is_cold: fn(&Group<'_>, Moment) -> bool,
}

/// The maps that may cool. Played by the runtime, which knows all of them.
pub trait Maps {
    /// Each once, in any order.
    fn maps() -> Vec<Map>;
}

/// A group of keys of one map, as the hot state has it.
pub struct Group<'a> {
    /// What its keys share, without the prefix of the map.
    pub shared: &'a [u8],
    /// The value of each of its keys, ascending.
    pub values: &'a [Vec<u8>],
}

/// What a block's walk came to.
#[derive(Default)]
pub(crate) struct Walked {
    /// Groups looked at.
    pub(crate) groups: u32,
    /// Keys of them.
    pub(crate) keys: u32,
    /// Groups of these that are cold, ascending.
    pub(crate) cold: Vec<SharedBytes>,
    /// Keys of the cold ones.
    pub(crate) cold_keys: u32,
    /// The group that was looked at last; none: there are no more.
    pub(crate) at: Option<SharedBytes>,
}

/// Walks on behind the group `at` over `most` groups of the maps, which are in the order of their
/// prefixes. What was touched for the last time before the moment `before` is cold.
///
/// Groups may have up to 256 keys: with as many keys as so many groups of ten have, it is over, too.
pub(crate) fn walk(maps: &[Map], at: SharedBytes, most: u32, before: Moment) -> Walked {
    let mut walked = Walked { at: Some(at), ..Walked::default() };
    while walked.groups < most
        && walked.keys < most.saturating_mul(MEASURED_KEYS)
        && let Some(at) = walked.at.take()
        && let Some((map, first)) = next_in(maps, &behind(&at))
    {
        let (shared, values) = read_group(first);
        let keys = u32::try_from(values.len()).unwrap_or(u32::MAX);
        walked.groups = walked.groups.saturating_add(1);
        walked.keys = walked.keys.saturating_add(keys);
        let group = Group { shared: &shared[map.prefix.len()..], values: &values };
        let is_cold = (map.is_cold)(&group, before);
        // No key of the runtime is as long as that; one that were would be passed over.
        let bounded = SharedBytes::truncate_from(shared.clone());
        if is_cold && bounded.len() == shared.len() {
            walked.cold_keys = walked.cold_keys.saturating_add(keys);
            walked.cold.push(bounded.clone());
        }
        walked.at = Some(bounded);
    }
    walked
}

/// Where a walk goes on: behind all keys of a group; without one, at the beginning.
fn behind(at: &[u8]) -> Vec<u8> {
    if at.is_empty() { Vec::new() } else { [at, &[u8::MAX]].concat() }
}

/// The first key behind `from` that one of the maps has.
fn next_in<'a>(maps: &'a [Map], from: &[u8]) -> Option<(&'a Map, Vec<u8>)> {
    maps.iter().find_map(|map| {
        let prefix = &map.prefix[..];
        let is_behind = from > prefix && !from.starts_with(prefix);
        if is_behind {
            return None;
        }
        let key = next_key(from.max(prefix))?;
        // A key is longer than the prefix: it has a last byte of its own.
        key.starts_with(prefix).then_some((map, key))
    })
}

/// What the keys of the group share that `first` is the first key of, and their values.
fn read_group(first: Vec<u8>) -> (Vec<u8>, Vec<Vec<u8>>) {
    let shared = first[..first.len().saturating_sub(1)].to_vec();
    let (mut key, mut values) = (first, Vec::new());
    loop {
        values.push(unhashed::get_raw(&key).unwrap_or_default());
        match next_key(&key) {
            Some(next) if next.len() == key.len() && next.starts_with(&shared) => key = next,
            _ => return (shared, values),
        }
    }
}

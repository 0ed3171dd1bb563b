//! The externalities against an oracle: a stack of plain maps.

use billchain_executor::externalities::{
    Entry, Failure, StateDelta, StateExternalities, StateView,
};
use billchain_primitives::Hash;
use codec::{Compact, CompactLen, Decode, Encode};
use proptest::prelude::*;
use sp_core::storage::{ChildInfo, StateVersion};
use sp_externalities::Externalities;
use std::collections::BTreeMap;

/// A state in memory. Its "root" counts: that is enough to see whether it was
/// asked with the right delta.
struct MapView {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    broken: bool,
}

#[derive(Debug, PartialEq)]
struct Broken;

impl StateView for MapView {
    type Error = Broken;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        if self.broken { Err(Broken) } else { Ok(self.entries.get(key).cloned()) }
    }

    fn entries_above(&self, key: &[u8], limit: usize) -> Result<Vec<Entry>, Broken> {
        use std::ops::Bound::{Excluded, Unbounded};
        let above = self.entries.range::<[u8], _>((Excluded(key), Unbounded)).take(limit);
        Ok(above.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn root(&self, delta: &StateDelta) -> Result<Hash, Broken> {
        Ok(Hash::from_low_u64_be(delta.len() as u64))
    }
}

fn over(entries: &[(&[u8], &[u8])]) -> StateExternalities<MapView> {
    let entries = entries.iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
    StateExternalities::new(MapView { entries, broken: false })
}

#[test]
fn deletions_of_what_was_never_there_are_not_changes() {
    let mut ext = over(&[(b"a", b"1")]);
    ext.place_storage(b"scratch".to_vec(), Some(b"x".to_vec()));
    ext.place_storage(b"scratch".to_vec(), None);
    ext.place_storage(b"a".to_vec(), None);
    let root = ext.storage_root(StateVersion::V1);
    assert_eq!(root, Hash::from_low_u64_be(1).encode());
    let changes = ext.finish().unwrap();
    assert_eq!(changes.state, BTreeMap::from([(b"a".to_vec(), None)]));
    assert_eq!(changes.root, Some(Hash::from_low_u64_be(1)));
}

#[test]
fn a_write_after_the_root_makes_the_root_unknown() {
    let mut ext = over(&[]);
    ext.storage_root(StateVersion::V1);
    ext.place_storage(b"a".to_vec(), Some(b"1".to_vec()));
    let changes = ext.finish().unwrap();
    assert_eq!(changes.root, None);
    assert_eq!(changes.state.len(), 1);
}

#[test]
fn a_failed_read_makes_the_results_worthless() {
    let mut ext = StateExternalities::new(MapView { entries: BTreeMap::new(), broken: true });
    assert_eq!(ext.storage(b"a"), None);
    assert!(ext.has_failed());
    assert!(matches!(ext.finish(), Err(Failure::State(Broken))));
}

#[test]
fn child_storage_is_refused_not_ignored() {
    let mut ext = over(&[]);
    ext.place_child_storage(&ChildInfo::new_default(b"child"), vec![1], Some(vec![2]));
    assert!(matches!(ext.finish(), Err(Failure::Unsupported(_))));
}

#[test]
fn index_writes_roll_back_with_their_transaction() {
    let mut ext = over(&[]);
    ext.set_offchain_storage(b"kept", Some(b"1"));
    ext.storage_start_transaction();
    ext.set_offchain_storage(b"dropped", Some(b"2"));
    ext.storage_rollback_transaction().unwrap();
    ext.storage_start_transaction();
    ext.set_offchain_storage(b"gone", None);
    ext.storage_commit_transaction().unwrap();
    let changes = ext.finish().unwrap();
    assert_eq!(changes.index, [(b"gone".to_vec(), None), (b"kept".to_vec(), Some(b"1".to_vec()))]);
}

#[test]
fn transactions_left_open_are_rolled_back() {
    let mut ext = over(&[(b"a", b"1")]);
    ext.storage_start_transaction();
    ext.storage_start_transaction();
    ext.place_storage(b"a".to_vec(), Some(b"2".to_vec()));
    assert_eq!(ext.depth(), 2);
    ext.roll_back_to(1);
    assert_eq!(ext.storage(b"a"), Some(b"1".to_vec()));
    assert!(ext.finish().unwrap().state.is_empty());
}

#[test]
fn clearing_a_prefix_goes_on_from_its_cursor() {
    let mut ext = over(&[(b"p", b"0"), (b"p1", b"1"), (b"p2", b"2"), (b"q", b"3")]);
    ext.place_storage(b"p3".to_vec(), Some(b"x".to_vec()));
    let first = ext.clear_prefix(b"p", Some(2), None);
    assert_eq!((first.backend, first.loops), (2, 2));
    let cursor = first.maybe_cursor.unwrap();
    assert_eq!(cursor, b"p2");
    let second = ext.clear_prefix(b"p", None, Some(&cursor));
    assert_eq!((second.backend, second.maybe_cursor), (1, None));
    assert_eq!(ext.next_storage_key(b""), Some(b"q".to_vec()));
}

#[test]
fn the_last_write_to_an_index_entry_counts() {
    let mut ext = over(&[]);
    for value in [b"1", b"2"] {
        ext.set_offchain_storage(b"b", Some(value));
    }
    ext.set_offchain_storage(b"a", Some(b"3"));
    ext.set_offchain_storage(b"a", None);
    let changes = ext.finish().unwrap();
    assert_eq!(changes.index, [(b"a".to_vec(), None), (b"b".to_vec(), Some(b"2".to_vec()))]);
}

#[test]
fn a_list_grows_past_the_width_of_its_count_and_back() {
    let list = |items: u32| (0..items).collect::<Vec<_>>().encode();
    // Counts take one byte below 64, two below 16384, and four from there.
    for start in [0, 62, 63, 64, 16_383] {
        let mut ext = over(&[]);
        ext.place_storage(b"list".to_vec(), Some(list(start)));
        ext.storage_start_transaction();
        for item in start..start + 3 {
            ext.storage_append(b"list".to_vec(), item.encode());
        }
        assert_eq!(ext.storage(b"list"), Some(list(start + 3)));
        ext.storage_rollback_transaction().unwrap();
        assert_eq!(ext.storage(b"list"), Some(list(start)));
    }
}

#[test]
fn a_list_that_is_overwritten_after_it_grew_comes_back_whole() {
    let mut ext = over(&[]);
    ext.place_storage(b"list".to_vec(), Some(vec![1_u8, 2].encode()));
    ext.storage_start_transaction();
    ext.storage_append(b"list".to_vec(), vec![3]);
    ext.storage_start_transaction();
    ext.place_storage(b"list".to_vec(), Some(Vec::new()));
    ext.storage_append(b"list".to_vec(), vec![4]);
    assert_eq!(ext.storage(b"list"), Some(vec![4_u8].encode()), "no list before: one item");
    ext.storage_rollback_transaction().unwrap();
    assert_eq!(ext.storage(b"list"), Some(vec![1_u8, 2, 3].encode()));
    ext.place_storage(b"list".to_vec(), None);
    ext.storage_rollback_transaction().unwrap();
    assert_eq!(ext.storage(b"list"), Some(vec![1_u8, 2].encode()));
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, Option<u8>),
    Append(u8, u8),
    Index(u8, Option<u8>),
    Begin,
    Commit,
    RollBack,
    Clear(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..16u8, any::<Option<u8>>()).prop_map(|(k, v)| Step::Put(k, v)),
        3 => (0..20u8, any::<u8>()).prop_map(|(k, v)| Step::Append(k, v)),
        2 => (0..4u8, any::<Option<u8>>()).prop_map(|(k, v)| Step::Index(k, v)),
        2 => Just(Step::Begin),
        1 => Just(Step::Commit),
        1 => Just(Step::RollBack),
        1 => (0..4u8).prop_map(Step::Clear),
    ]
}

/// Keys of two bytes: the first shared by four.
fn key(k: u8) -> Vec<u8> {
    vec![k / 4, k % 4]
}

proptest! {
    #[test]
    fn reads_and_iteration_agree_with_a_stack_of_maps(
        start in proptest::collection::btree_map(0..16u8, any::<u8>(), 0..16),
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let entries: BTreeMap<Vec<u8>, Vec<u8>> =
            start.iter().map(|(k, v)| (key(*k), vec![*v])).collect();
        let mut ext =
            StateExternalities::new(MapView { entries: entries.clone(), broken: false });
        let mut stack = vec![entries.clone()];
        let mut indexes = vec![BTreeMap::new()];
        for step in steps {
            let top = stack.last_mut().unwrap();
            match step {
                Step::Put(k, value) => {
                    ext.place_storage(key(k), value.map(|v| vec![v]));
                    match value {
                        Some(v) => top.insert(key(k), vec![v]),
                        None => top.remove(&key(k)),
                    };
                }
                Step::Append(k, v) => {
                    ext.storage_append(key(k), v.encode());
                    // A byte that was put may be the count of a longer list.
                    let list = top.get(&key(k)).map(Vec::as_slice).unwrap_or_default();
                    let count = Compact::<u32>::decode(&mut &list[..]);
                    let (count, items) = match count {
                        Ok(Compact(count)) => (count, &list[Compact::compact_len(&count)..]),
                        Err(_) => (0, &list[..0]),
                    };
                    let longer = [&Compact(count + 1).encode()[..], items, &[v]].concat();
                    top.insert(key(k), longer);
                }
                Step::Index(k, value) => {
                    ext.set_offchain_storage(&[k], value.map(|v| [v]).as_ref().map(|v| &v[..]));
                    indexes.last_mut().unwrap().insert(vec![k], value.map(|v| vec![v]));
                }
                Step::Begin => {
                    ext.storage_start_transaction();
                    let copy = top.clone();
                    stack.push(copy);
                    indexes.push(indexes.last().unwrap().clone());
                }
                Step::Commit => {
                    let open = stack.len() > 1;
                    prop_assert_eq!(ext.storage_commit_transaction().is_ok(), open);
                    if open {
                        let top = stack.pop().unwrap();
                        *stack.last_mut().unwrap() = top;
                        let index = indexes.pop().unwrap();
                        *indexes.last_mut().unwrap() = index;
                    }
                }
                Step::RollBack => {
                    let open = stack.len() > 1;
                    prop_assert_eq!(ext.storage_rollback_transaction().is_ok(), open);
                    if open {
                        stack.pop();
                        indexes.pop();
                    }
                }
                Step::Clear(prefix) => {
                    let _ = ext.clear_prefix(&[prefix], None, None);
                    top.retain(|key, _| key[0] != prefix);
                }
            }
            let top = stack.last().unwrap();
            let mut seen = BTreeMap::new();
            let mut at = Vec::new();
            while let Some(next) = ext.next_storage_key(&at) {
                seen.insert(next.clone(), ext.storage(&next).unwrap());
                at = next;
            }
            prop_assert_eq!(&seen, top);
        }
        let outermost = stack.remove(0);
        let changes = ext.finish().unwrap();
        let index: BTreeMap<_, _> = changes.index.iter().cloned().collect();
        prop_assert!(changes.index.is_sorted_by_key(|(key, _)| key));
        prop_assert_eq!(&index, &indexes[0]);
        let mut applied = entries;
        for (key, value) in changes.state {
            match value {
                Some(value) => applied.insert(key, value),
                None => applied.remove(&key),
            };
        }
        prop_assert_eq!(applied, outermost);
    }
}

//! Paths through the trie that Substrate builds.

use super::*;
use billchain_primitives::Sm3Hasher;
use codec::{Compact, Encode as _};
use sp_runtime::traits::Hash as _;
use sp_trie::{
    LayoutV1, MemoryDB, Recorder, Trie as _, TrieDBBuilder, TrieDBMutBuilder, TrieMut as _,
};
use std::vec;

/// Root of the transactions of a block, and the path of one of them.
pub(crate) fn tree(transactions: &[Vec<u8>], index: u32) -> (Digest, Vec<Vec<u8>>) {
    let mut db = MemoryDB::<Sm3Hasher>::default();
    let mut root = Default::default();
    {
        let mut trie = TrieDBMutBuilder::<LayoutV1<Sm3Hasher>>::new(&mut db, &mut root).build();
        for (index, bytes) in transactions.iter().enumerate() {
            trie.insert(&Compact(index as u32).encode(), bytes).unwrap();
        }
    }
    let mut recorder = Recorder::<LayoutV1<Sm3Hasher>>::new();
    {
        let trie = TrieDBBuilder::<LayoutV1<Sm3Hasher>>::new(&db, &root)
            .with_recorder(&mut recorder)
            .build();
        trie.get(&Compact(index).encode()).unwrap();
    }
    let whole = transactions.get(index as usize);
    let nodes = recorder.drain().into_iter().map(|record| record.data);
    // The value is recorded as well where it stands apart.
    (root.0, nodes.filter(|node| Some(node) != whole).collect())
}

fn transactions(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|index| vec![index as u8; 1 + index * 37 % 300]).collect()
}

fn path(nodes: &[Vec<u8>]) -> Path<'_> {
    Path(nodes.iter().map(Vec::as_slice).collect())
}

#[test]
fn every_transaction_of_a_block_has_a_path() {
    for count in [1, 2, 3, 16, 17, 64, 65, 300, 2_000] {
        let all = transactions(count);
        let expected =
            Sm3Hasher::ordered_trie_root(all.clone(), sp_core::storage::StateVersion::V1);
        for index in (0..count as u32).step_by(count.div_ceil(40)).chain([count as u32 - 1]) {
            let (root, nodes) = tree(&all, index);
            assert_eq!(root, expected.0);
            let found = path(&nodes).transaction(&root, index);
            assert_eq!(found, Ok(sm3(&[&all[index as usize]])), "{index} of {count}");
        }
    }
}

#[test]
fn a_path_proves_no_other_transaction_and_no_other_block() {
    let all = transactions(300);
    let (root, nodes) = tree(&all, 70);
    assert_eq!(path(&nodes).transaction(&root, 71), Err(Refusal::Transaction));
    assert_eq!(path(&nodes).transaction(&[1; 32], 70), Err(Refusal::Transaction));
    let (_, absent) = tree(&all, 300);
    assert_eq!(path(&absent).transaction(&root, 300), Err(Refusal::Transaction));
    assert_eq!(path(&nodes[1..]).transaction(&root, 70), Err(Refusal::Transaction));
    assert_eq!(path(&nodes[..1]).transaction(&root, 70), Err(Refusal::Transaction));
    let more = [&nodes[..], &nodes[..1]].concat();
    assert_eq!(path(&more).transaction(&root, 70), Err(Refusal::Transaction), "one too many");
    for node in 0..nodes.len() {
        for bit in 0..8 * nodes[node].len() {
            let mut changed = nodes.clone();
            changed[node][bit / 8] ^= 1 << (bit % 8);
            assert!(path(&changed).transaction(&root, 70).is_err(), "bit {bit} of node {node}");
        }
    }
}

#[test]
fn nothing_follows_a_node_and_what_is_beside_the_way_is_in_its_form() {
    for count in [1, 300] {
        let (_, nodes) = tree(&transactions(count), 0);
        let refused = |change: fn(&mut Vec<u8>)| {
            let mut changed = nodes.clone();
            change(&mut changed[0]);
            let root = sm3(&[&changed[0]]);
            let found = path(&changed).transaction(&root, 0);
            assert!(matches!(found, Err(Refusal::Malformed { .. })), "{found:?} of {count}");
        };
        refused(|node| node.push(0));
        refused(|node| {
            node.pop();
        });
    }
}

#[test]
fn the_digits_of_a_place_are_those_of_its_compact_form() {
    for index in [0, 1, 63, 64, 16_383, 16_384, (1 << 30) - 1, 1 << 30, u32::MAX] {
        let bytes = Compact(index).encode();
        let expected: Vec<u8> = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect();
        assert_eq!(digits(index), expected, "{index}");
    }
}

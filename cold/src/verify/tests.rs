//! Segments by someone who computes every SM3 anew, and yet is found out.

use super::*;
use crate::{
    ColdError, Group, block,
    footer::{self, Footer},
    index::Reference,
};
use billchain_crypto::sm3::sm3;

fn group(shared: &[u8]) -> Group {
    Group { shared: shared.to_vec(), values: vec![(1, shared.to_vec()), (2, b"two".to_vec())] }
}

/// What a segment is made of. One that nothing was changed of is sound.
struct Forged {
    bytes: Vec<u8>,
    /// The groups of each block, and what the index says of it.
    blocks: Vec<(Vec<Group>, Reference)>,
    footer: Footer,
    leaves: Vec<Digest>,
}

impl Forged {
    /// Blocks of these groups.
    fn of(blocks: &[&[&[u8]]]) -> Self {
        let mut bytes = footer::header();
        let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
        let blocks: Vec<(Vec<Group>, Reference)> = blocks
            .iter()
            .map(|block| {
                let groups: Vec<Group> = block.iter().map(|shared| group(shared)).collect();
                let mut raw = Vec::new();
                groups.iter().for_each(|group| block::append(&mut raw, group));
                let stored = block::compress(&mut compressor, &raw).unwrap();
                let extent = append(&mut bytes, &stored);
                let first = groups[0].shared.clone();
                let reference = Reference { first, groups: groups.len() as u64, extent };
                (groups, reference)
            })
            .collect();
        let all: Vec<&Group> = blocks.iter().flat_map(|(groups, _)| groups).collect();
        let leaves: Vec<Digest> =
            (0..).zip(&all).map(|(at, group)| leaf(at, &group.shared, &group.digest())).collect();
        let mut tree = Frontier::new(Tree::Groups);
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        let footer = Footer {
            groups: all.len() as u64,
            keys: 2 * all.len() as u64,
            value_bytes: all.iter().map(|group| group.value_bytes()).sum(),
            root: tree.root(),
            level: 1,
            top: Extent { offset: 0, length: 0, digest: [0; 32] },
            nodes: 0,
            first: all[0].shared.clone(),
            last: all[all.len() - 1].shared.clone(),
        };
        Self { bytes, blocks, footer, leaves }
    }

    /// The bytes, with a page over the blocks and everything behind it.
    fn finish(mut self, change: impl FnOnce(&mut Footer)) -> Vec<u8> {
        let mut page = vec![1];
        self.blocks.iter().for_each(|(_, reference)| reference.append(&mut page));
        self.footer.top = append(&mut self.bytes, &page);
        self.footer.nodes = self.bytes.len() as u64;
        self.bytes.extend(self.leaves.concat());
        change(&mut self.footer);
        self.bytes.extend(self.footer.encode());
        self.bytes
    }
}

fn append(to: &mut Vec<u8>, bytes: &[u8]) -> Extent {
    let offset = to.len() as u64;
    to.extend(bytes);
    Extent { offset, length: bytes.len() as u32, digest: sm3(bytes) }
}

/// Why the file is refused; `Ok` if it is not.
fn judged(bytes: Vec<u8>) -> Result<(), String> {
    let judge = || Segment::open(bytes)?.verify();
    judge().map_err(|error| match error {
        ColdError::Damaged { what, .. } => what,
        other => panic!("{other}"),
    })
}

const SOUND: &[&[&[u8]]] = &[&[b"a", b"b"], &[b"c", b"d", b"e"], &[b"f"]];

#[test]
fn what_is_forged_without_a_change_is_sound() {
    assert_eq!(judged(Forged::of(SOUND).finish(|_| {})), Ok(()));
}

#[test]
fn a_footer_that_says_something_else_is_refused() {
    let changes: [(fn(&mut Footer), &str); 15] = [
        (|footer| footer.groups += 1, "nodes of 7 groups"),
        (|footer| footer.groups = 0, "nodes of 0 groups"),
        (|footer| footer.groups = u64::MAX, "expected 1099511627776 at most"),
        (|footer| footer.keys += 1, "counts other keys"),
        (|footer| footer.value_bytes -= 1, "counts other keys or values"),
        (|footer| footer.root = [7; 32], "the root is not that"),
        (|footer| footer.level = 0, "topmost page"),
        (|footer| footer.level = 2, "has level 1, expected 2"),
        (|footer| footer.level = 16, "topmost page"),
        (|footer| footer.top.offset += 1, "topmost page"),
        (|footer| footer.top.digest = [7; 32], "SM3 of"),
        (|footer| footer.nodes = u64::MAX - 5, "begin at"),
        (|footer| footer.first = b"0".to_vec(), "begins with another group"),
        (|footer| footer.last = b"g".to_vec(), "the last group is not"),
        (|footer| footer.last = b"a".to_vec(), "not in order"),
    ];
    for (change, expected) in changes {
        let refused = judged(Forged::of(SOUND).finish(change)).unwrap_err();
        assert!(refused.contains(expected), "{refused}, not {expected}");
    }
}

#[test]
fn groups_that_are_not_in_order_are_refused() {
    let cases: [(&[&[&[u8]]], &str); 4] = [
        (&[&[b"a", b"c", b"b"], &[b"d"]], "the groups of a block are out of order"),
        (&[&[b"a", b"b", b"b"], &[b"d"]], "the groups of a block are out of order"),
        (&[&[b"a", b"d"], &[b"c", b"e"]], "do not follow those of the one before"),
        (&[&[b"a", b"b"], &[b"a", b"c"]], "out of order or empty"),
    ];
    for (blocks, expected) in cases {
        let refused = judged(Forged::of(blocks).finish(|_| {})).unwrap_err();
        assert!(refused.contains(expected), "{refused}, not {expected}");
    }
}

#[test]
fn an_index_that_says_something_else_is_refused() {
    let changes: [(fn(&mut Forged), &str); 8] = [
        (|forged| forged.blocks[1].1.first = b"bb".to_vec(), "begins with another group"),
        (|forged| forged.blocks[1].1.groups += 1, "other than 6 groups"),
        (|forged| forged.blocks[1].1.groups = 0, "out of order or empty"),
        (
            |forged| {
                forged.blocks[0].1.groups -= 1;
                forged.blocks[1].1.groups += 1;
            },
            "another number of groups",
        ),
        (|forged| forged.blocks[1].1.groups = u64::MAX, "other than 6 groups"),
        // The same block twice, and a block that nothing refers to.
        (|forged| forged.blocks[2].1.extent = forged.blocks[0].1.extent, "expected here"),
        (
            |forged| {
                let (_, last) = forged.blocks.pop().unwrap();
                forged.blocks[1].1.groups += last.groups;
            },
            "another number of groups",
        ),
        (|forged| forged.blocks[0].1.extent.offset = u64::MAX - 3, "expected here"),
    ];
    for (change, expected) in changes {
        let mut forged = Forged::of(SOUND);
        change(&mut forged);
        let refused = judged(forged.finish(|_| {})).unwrap_err();
        assert!(refused.contains(expected), "{refused}, not {expected}");
    }
}

#[test]
fn other_leaves_are_refused_and_prove_nothing() {
    let mut forged = Forged::of(SOUND);
    forged.leaves[4] = [7; 32];
    let bytes = forged.finish(|_| {});
    let segment = Segment::open(bytes.clone()).unwrap();
    let refused = segment.prove(b"f").unwrap_err().to_string();
    assert!(refused.contains("its own proof does not hold"), "{refused}");
    assert!(judged(bytes).unwrap_err().contains("a leaf is not that of its group"));
}

#[test]
fn a_block_that_is_none_is_refused() {
    // What the block holds after decompression, and the length that it says.
    let cases: [(&[u8], Option<u32>, &str); 7] = [
        (b"", Some(u32::MAX), "expected 2097152 at most"),
        (b"\0\x01a\0\x01\0\0\0\0", Some(8), "cannot be decompressed"),
        (b"\0\x01a\0\x01\0\0\0\0", Some(10), "expected 10"),
        (b"\0\x01a\x01\x01\0\0\0\0\x01\0\0\0\0", None, "the keys of a group are out of order"),
        (b"\0\x01a\0\x01\0\0\0\x09", None, "a group is cut short"),
        (b"\xFF\x01a", None, "share more bytes"),
        (b"\0", None, "a group is cut short"),
    ];
    for (raw, length, expected) in cases {
        let mut forged = Forged::of(&[&[b"a"]]);
        forged.bytes.truncate(HEADER as usize);
        let length = length.unwrap_or(raw.len() as u32).to_be_bytes();
        let stored = [&length[..], &zstd::bulk::compress(raw, 1).unwrap()].concat();
        forged.blocks[0].1.extent = append(&mut forged.bytes, &stored);
        let refused = judged(forged.finish(|_| {})).unwrap_err();
        assert!(refused.contains(expected), "{refused}, not {expected}");
    }
}

#[test]
fn a_block_with_more_groups_than_said_proves_nothing_and_does_not_panic() {
    let mut forged = Forged::of(&[&[b"a", b"b", b"c"]]);
    forged.blocks[0].1.groups = 1;
    forged.leaves.truncate(1);
    let bytes = forged.finish(|footer| {
        footer.groups = 1;
        footer.last = footer.first.clone();
    });
    let segment = Segment::open(bytes).unwrap();
    for shared in [&b"a"[..], b"aa", b"b", b"z"] {
        for result in [segment.prove(shared).map(drop), segment.get_group(shared).map(drop)] {
            let refused = result.unwrap_err().to_string();
            assert!(refused.contains("another number of groups"), "{refused}");
        }
    }
    assert!(segment.iter().all(|found| found.is_err()));
}

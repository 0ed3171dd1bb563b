//! The path of a transaction in the tree whose root its block's header holds: Substrate's
//! base-16 Patricia trie in its second layout, with SM3.
//!
//! The tree is built anew, for a block keeps its transactions and no tree. Its keys are the
//! places 0 to *n* − 1 in SCALE's compact form, so its shape follows from *n*.

use billchain_crypto::sm3::{sm3, sm3_many};
use billchain_primitives::OpaqueBlock;
use codec::{Compact, DecodeAll, Encode};

/// Values that are longer stand as their digest.
const MAX_INLINE: usize = 32;

/// The value of a leaf.
enum Value {
    Inline(Vec<u8>),
    Digest([u8; 32]),
}

/// A leaf: base-16 digits of its key, and its value.
type Leaf = (Vec<u8>, Value);

/// The nodes from the root to the transaction at `index` of an encoded block; `None` if the
/// block is unreadable, or has no such transaction.
pub(crate) fn path(block: &[u8], index: u32) -> Option<Vec<Vec<u8>>> {
    let block = OpaqueBlock::decode_all(&mut &block[..]).ok()?;
    nodes(block.extrinsics.iter().map(Encode::encode).collect(), index)
}

fn nodes(values: Vec<Vec<u8>>, index: u32) -> Option<Vec<Vec<u8>>> {
    values.get(usize::try_from(index).ok()?)?;
    let digests = sm3_many(&values);
    let leaf = |((place, value), digest): ((u32, Vec<u8>), [u8; 32])| {
        let value =
            if value.len() > MAX_INLINE { Value::Digest(digest) } else { Value::Inline(value) };
        (digits(place), value)
    };
    let mut leaves: Vec<Leaf> = (0..).zip(values).zip(digests).map(leaf).collect();
    leaves.sort_by(|a, b| a.0.cmp(&b.0));
    let mut path = Vec::new();
    node(&leaves, 0, &digits(index), &mut path);
    path.reverse();
    Some(path)
}

fn digits(index: u32) -> Vec<u8> {
    Compact(index).encode().into_iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

/// The node over leaves whose keys share their first `depth` digits. Nodes on the way to
/// `wanted` that stand apart are put into `path`, the lowest first.
fn node(leaves: &[Leaf], depth: usize, wanted: &[u8], path: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let (Some(first), Some(last)) = (leaves.first(), leaves.last()) else { return Vec::new() };
    let bytes = if leaves.len() == 1 {
        let (kind, width) = match first.1 {
            Value::Inline(_) => (0b0100_0000, 6),
            Value::Digest(_) => (0b0010_0000, 5),
        };
        let mut bytes = front(kind, width, &first.0[depth..]);
        match &first.1 {
            Value::Inline(value) => value.encode_to(&mut bytes),
            Value::Digest(digest) => bytes.extend(digest),
        }
        bytes
    } else {
        // No key is the beginning of another: a branch has no value.
        let shared = first.0[depth..].iter().zip(&last.0[depth..]).take_while(|(a, b)| a == b);
        let end = depth + shared.count();
        let mut bytes = front(0b1000_0000, 6, &first.0[depth..end]);
        let (mut bits, mut children) = (0_u16, Vec::new());
        for child in leaves.chunk_by(|a, b| a.0[end] == b.0[end]) {
            bits |= 1 << child[0].0[end];
            let below = node(child, end + 1, wanted, path);
            reference(&below).encode_to(&mut children);
        }
        bytes.extend(bits.to_le_bytes());
        bytes.extend(children);
        bytes
    };
    let is_apart = depth == 0 || bytes.len() >= 32;
    if is_apart && wanted.starts_with(&first.0[..depth]) {
        path.push(bytes.clone());
    }
    bytes
}

/// How a node stands in the one above it: itself, or its digest if that is shorter.
fn reference(node: &[u8]) -> Vec<u8> {
    if node.len() < 32 { node.to_vec() } else { sm3(node).to_vec() }
}

/// Kind, number of digits, and the digits.
fn front(kind: u8, width: u32, digits: &[u8]) -> Vec<u8> {
    // Keys have ten digits at most, fewer than any width holds.
    debug_assert!(digits.len() < (1 << width) - 1);
    let mut bytes = vec![kind | digits.len() as u8];
    let (odd, pairs) = digits.split_at(digits.len() % 2);
    bytes.extend(odd);
    bytes.extend(pairs.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::Sm3Hasher;
    use sp_core::storage::StateVersion;
    use sp_runtime::traits::Hash;

    #[test]
    fn the_first_node_is_that_of_substrates_tree() {
        for count in [1, 2, 3, 15, 16, 17, 63, 64, 65, 300, 20_000] {
            let values: Vec<Vec<u8>> =
                (0..count).map(|at: usize| vec![at as u8; 1 + at * 37 % 300]).collect();
            let root = Sm3Hasher::ordered_trie_root(values.clone(), StateVersion::V1);
            for index in [0, count / 2, count - 1] {
                let path = nodes(values.clone(), index as u32).unwrap();
                assert_eq!(sm3(&path[0]), root.0, "{count}");
                // Each node names the next one by its digest.
                for pair in path.windows(2) {
                    let digest = sm3(&pair[1]);
                    assert!(pair[0].windows(32).any(|bytes| bytes == digest), "{index} of {count}");
                }
            }
            assert_eq!(nodes(values, count as u32), None);
        }
    }
}

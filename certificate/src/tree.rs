//! The path of a transaction in the tree whose root its block's header holds: Substrate's
//! base-16 Patricia trie in its second layout, with SM3.
//!
//! A block keeps its transactions and no tree, so the tree is built anew, once for all the
//! transactions that are asked for. Its keys are the places 0 to *n* − 1 in SCALE's compact form,
//! so its shape follows from *n*.

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

/// Where a node is: [digits to it](lead), and from where to where its bytes are.
type Place = (u64, usize, usize);

/// The nodes of one block's tree that stand apart, so that others name them by their digests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    transactions: usize,
    /// Ascending by the digits.
    places: Vec<Place>,
    /// Of all nodes, one behind the other.
    bytes: Vec<u8>,
}

impl Tree {
    /// The tree of an encoded block; `None` if the block is unreadable.
    pub(crate) fn of(block: &[u8]) -> Option<Self> {
        let block = OpaqueBlock::decode_all(&mut &block[..]).ok()?;
        Some(Self::of_values(block.extrinsics.iter().map(Encode::encode).collect()))
    }

    fn of_values(values: Vec<Vec<u8>>) -> Self {
        let mut tree = Self { transactions: values.len(), places: Vec::new(), bytes: Vec::new() };
        let digests = sm3_many(&values);
        let leaf = |((place, value), digest): ((u32, Vec<u8>), [u8; 32])| {
            let value =
                if value.len() > MAX_INLINE { Value::Digest(digest) } else { Value::Inline(value) };
            (digits(place), value)
        };
        let mut leaves: Vec<Leaf> = (0..).zip(values).zip(digests).map(leaf).collect();
        leaves.sort_by(|a, b| a.0.cmp(&b.0));
        tree.add(&leaves, 0);
        tree.places.sort_unstable();
        tree.places.shrink_to_fit();
        tree.bytes.shrink_to_fit();
        tree
    }

    /// What it takes in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.places.capacity() * size_of::<Place>() + self.bytes.capacity()
    }

    /// The nodes from the root to the transaction at `index`; `None` if there is no such
    /// transaction.
    pub(crate) fn path(&self, index: u32) -> Option<Vec<Vec<u8>>> {
        usize::try_from(index).ok().filter(|index| *index < self.transactions)?;
        let digits = digits(index);
        let nodes = (0..=digits.len()).filter_map(|depth| self.node(lead(&digits[..depth])));
        Some(nodes.map(<[u8]>::to_vec).collect())
    }

    fn node(&self, lead: u64) -> Option<&[u8]> {
        let at = self.places.binary_search_by_key(&lead, |place| place.0).ok()?;
        let (_, from, to) = *self.places.get(at)?;
        self.bytes.get(from..to)
    }

    /// Adds the node over leaves whose keys share their first `depth` digits, and those below it.
    fn add(&mut self, leaves: &[Leaf], depth: usize) -> Vec<u8> {
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
                let below = self.add(child, end + 1);
                reference(&below).encode_to(&mut children);
            }
            bytes.extend(bits.to_le_bytes());
            bytes.extend(children);
            bytes
        };
        let is_apart = depth == 0 || bytes.len() >= 32;
        if is_apart {
            let from = self.bytes.len();
            self.bytes.extend(&bytes);
            self.places.push((lead(&first.0[..depth]), from, self.bytes.len()));
        }
        bytes
    }
}

fn digits(index: u32) -> Vec<u8> {
    Compact(index).encode().into_iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

/// Up to ten digits as one number; no two of them, of whatever count, have one number.
fn lead(digits: &[u8]) -> u64 {
    digits.iter().fold(1, |lead, digit| lead << 4 | u64::from(*digit))
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
            let tree = Tree::of_values(values);
            for index in [0, count / 2, count - 1] {
                let path = tree.path(index as u32).unwrap();
                assert_eq!(sm3(&path[0]), root.0, "{count}");
                // Each node names the next one by its digest.
                for pair in path.windows(2) {
                    let digest = sm3(&pair[1]);
                    assert!(pair[0].windows(32).any(|bytes| bytes == digest), "{index} of {count}");
                }
            }
            assert_eq!(tree.path(count as u32), None);
        }
    }

    #[test]
    fn a_tree_takes_about_a_hundred_bytes_a_transaction() {
        for count in [1, 300, 20_000] {
            let tree = Tree::of_values(vec![vec![7; 400]; count]);
            let size = tree.size();
            assert!((50 * count..128 * count).contains(&size), "{count}: {size}");
        }
    }

    #[test]
    fn an_unreadable_block_has_no_tree_and_one_without_transactions_no_path() {
        assert_eq!(Tree::of(b"no block"), None);
        let tree = Tree::of_values(Vec::new());
        assert_eq!((tree.path(0), tree.size()), (None, 0));
    }
}

//! That a block has a transaction: a path of the trie whose root the header holds.
//!
//! The trie is Substrate's base-16 Patricia trie in its second layout, over SM3. The key
//! of a transaction is its place in the block in SCALE's compact form; its value is the
//! encoded transaction, or SM3 of it where that is shorter than the transaction.

use crate::{Digest, Refusal, reader::Reader, sm3};
use alloc::vec::Vec;

/// Most nodes of a path: a key has ten digits at most.
pub(crate) const MAX_NODES: usize = 11;

/// Most bytes of a value that stands in its node.
const MAX_INLINE: usize = 32;

const NAME: &str = "node of the tree of transactions";

/// Nodes from the root on, each a byte string.
pub(crate) struct Path<'a>(Vec<&'a [u8]>);

impl<'a> Path<'a> {
    /// Reads the number of nodes (1), and each after its length (2).
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let count = usize::from(reader.byte()?);
        if count > MAX_NODES {
            return Err(reader.refusal("the path of a transaction has more than 11 nodes"));
        }
        let nodes: Result<Vec<&[u8]>, Refusal> = (0..count).map(|_| reader.bytes()).collect();
        Ok(Self(nodes?))
    }

    /// The root's node.
    pub(crate) fn first(&self) -> Option<&'a [u8]> {
        self.0.first().copied()
    }

    /// SM3 of the transaction at `index` of the block with this root of transactions.
    pub(crate) fn transaction(&self, root: &Digest, index: u32) -> Result<Digest, Refusal> {
        let digits = digits(index);
        let mut key = &digits[..];
        let mut nodes = self.0.iter();
        let mut hash = *root;
        loop {
            let mut bytes: &[u8] = nodes.next().ok_or(Refusal::Transaction)?;
            if sm3(&[bytes]) != hash {
                return Err(Refusal::Transaction);
            }
            // Small nodes stand in the one above them.
            loop {
                match step(bytes, &mut key)? {
                    Step::Value(value) if nodes.len() == 0 => return Ok(value),
                    Step::Value(_) | Step::Nothing => return Err(Refusal::Transaction),
                    Step::Child(child) => match <Digest>::try_from(child) {
                        Ok(child) => {
                            hash = child;
                            break;
                        }
                        Err(_) => bytes = child,
                    },
                }
            }
        }
    }
}

/// Where the way leads from a node.
enum Step<'a> {
    /// SM3 of the value.
    Value(Digest),
    /// A node, or its hash.
    Child(&'a [u8]),
    /// Nowhere: the block has no such transaction.
    Nothing,
}

/// Goes one node down, and takes off the digits of the key that it covers. The whole node is in
/// its form, what is beside the way too.
fn step<'a>(bytes: &'a [u8], key: &mut &[u8]) -> Result<Step<'a>, Refusal> {
    let mut reader = Reader::new(bytes, NAME);
    let Kind { is_branch, value, digits } = Kind::read(&mut reader)?;
    for position in 0..digits.count {
        match key.split_first() {
            Some((digit, rest)) if *digit == digits.digit(position) => *key = rest,
            _ => return Ok(Step::Nothing),
        }
    }
    let children = if is_branch { u16::from_le_bytes(reader.array()?) } else { 0 };
    let value = match value {
        Held::Nothing => None,
        Held::Here => Some(sm3(&[reader.scale_bytes(MAX_INLINE)?])),
        Held::Hash => Some(reader.digest()?),
    };
    let (next, mut child) = (key.split_first(), None);
    for digit in (0..16_u8).filter(|digit| children & (1 << digit) != 0) {
        let bytes = reader.scale_bytes(32)?;
        if next.is_some_and(|(next, _)| *next == digit) {
            child = Some(bytes);
        }
    }
    reader.end()?;
    let Some((_, rest)) = next else {
        return Ok(value.map_or(Step::Nothing, Step::Value));
    };
    *key = rest;
    Ok(child.map_or(Step::Nothing, Step::Child))
}

/// What a node holds of a value.
enum Held {
    Nothing,
    Here,
    Hash,
}

/// The front of a node.
struct Kind<'a> {
    is_branch: bool,
    value: Held,
    digits: Digits<'a>,
}

/// Part of a key, two digits a byte; of an odd number, the first byte has one.
struct Digits<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl Digits<'_> {
    fn digit(&self, position: usize) -> u8 {
        let at = position + self.count % 2;
        let byte = self.bytes.get(at / 2).copied().unwrap_or_default();
        if at.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
    }
}

impl<'a> Kind<'a> {
    /// The first bits say what the node is, the rest of the byte and those that follow how
    /// many digits it covers.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let first = reader.byte()?;
        let (is_branch, value, bits) = match first {
            0b0100_0000..=0b0111_1111 => (false, Held::Here, 6),
            0b1000_0000..=0b1011_1111 => (true, Held::Nothing, 6),
            0b1100_0000..=0b1111_1111 => (true, Held::Here, 6),
            0b0010_0000..=0b0011_1111 => (false, Held::Hash, 5),
            0b0001_0000..=0b0001_1111 => (true, Held::Hash, 4),
            0b0000_0000..=0b0000_1111 => return Err(reader.refusal("it is of no known kind")),
        };
        let count = usize::from(first & ((1 << bits) - 1));
        // No key has as many digits as would need more bytes.
        if count >= (1 << bits) - 1 {
            return Err(reader.refusal("it covers too many digits"));
        }
        let bytes = reader.take(count.div_ceil(2))?;
        if count % 2 == 1 && bytes.first().is_some_and(|byte| byte >> 4 != 0) {
            return Err(reader.refusal("its first digit is filled up"));
        }
        Ok(Self { is_branch, value, digits: Digits { bytes, count } })
    }
}

/// The base-16 digits of a place in SCALE's compact form.
fn digits(index: u32) -> Vec<u8> {
    let bytes = match index {
        0..0x40 => Vec::from(&(index << 2).to_le_bytes()[..1]),
        0x40..0x4000 => Vec::from(&((index << 2) | 1).to_le_bytes()[..2]),
        0x4000..0x4000_0000 => Vec::from(((index << 2) | 2).to_le_bytes()),
        _ => [&[3][..], &index.to_le_bytes()].concat(),
    };
    bytes.into_iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

#[cfg(test)]
pub(crate) mod tests;

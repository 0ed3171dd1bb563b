//! Entry point for fuzzers: the file of a segment in, a panic if and only if something
//! is wrong.

use super::format::{self, MAGIC, parse};
use crate::{PoolTransaction, Source};
use billchain_primitives::{AccountId, transaction_hash};

/// Number of the segment that fuzzers read.
const SEGMENT: u64 = 7;

/// The file of a segment; whether it is whole. Whole records are written as the same
/// bytes again, in their order, and lie apart from each other and from the damage.
pub fn segment(data: &[u8]) -> bool {
    let Ok(contents) = parse(data, SEGMENT) else { return false };
    let mut parts: Vec<(u64, u64)> =
        contents.damage.iter().map(|part| (part.start, part.end)).collect();
    for found in &contents.records {
        let (at, end) = (found.offset as usize, (found.offset + found.size()) as usize);
        let transaction = found.transaction();
        let bytes = data[transaction.start as usize..transaction.end as usize].to_vec();
        let mut again = Vec::new();
        let tx = PoolTransaction {
            hash: found.hash,
            bytes: bytes.into(),
            sender: found.sender.clone(),
            nonce: found.nonce,
            source: Source::Local,
        };
        format::append(&mut again, SEGMENT, found.offset, &tx);
        assert_eq!(again, data[at..end], "a record has two forms");
        parts.push((at as u64, end as u64));
    }
    parts.sort_unstable();
    assert!(parts.windows(2).all(|two| two[0].1 <= two[1].0), "parts overlap: {parts:?}");
    assert!(parts.iter().all(|part| part.0 < part.1 && part.1 <= contents.end), "{parts:?}");
    assert!(contents.end <= data.len() as u64);
    contents.damage.is_empty() && contents.end == data.len() as u64
}

/// A segment with these transactions.
pub fn sample(transactions: &[&[u8]]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for (nonce, transaction) in (0..).zip(transactions) {
        let tx = PoolTransaction {
            hash: transaction_hash(transaction),
            bytes: transaction.to_vec().into(),
            sender: AccountId::new([3; 32]),
            nonce,
            source: Source::Local,
        };
        let offset = bytes.len() as u64;
        format::append(&mut bytes, SEGMENT, offset, &tx);
    }
    bytes
}

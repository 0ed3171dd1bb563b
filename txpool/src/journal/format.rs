//! How accepted transactions lie in a segment's file.
//!
//! A segment: magic `BCJRNL01`, then records. A record, little-endian: mark `BCTX`,
//! length of the transaction (`u32`), nonce (`u32`), sender (32 bytes), hash of the
//! transaction (its SM3), SM3 of the segment's number, the record's offset (both
//! `u64`) and what stands before, and the transaction.
//!
//! Each record stands for itself: one that is damaged costs no other, as the next is
//! found by its mark. A transaction may hold a record's bytes, for its sender made
//! them; a record is bound to its place, which the sender does not know, and what was
//! read is checked like any transaction before it counts.

use crate::PoolTransaction;
use billchain_crypto::sm3::Sm3;
use billchain_primitives::{AccountId, Hash, Nonce, transaction_hash};
use codec::{Decode, Encode};
use std::ops::Range;

/// First bytes of a file: name and version of the format.
pub(super) const MAGIC: &[u8; 8] = b"BCJRNL01";
/// How many of them are the name.
const NAME_BYTES: usize = 6;
/// First bytes of a record.
const MARK: [u8; 4] = *b"BCTX";
/// Bytes of a record's head before its sum.
const COVERED: usize = 76;
/// Bytes of a record before the transaction.
pub(crate) const HEAD_BYTES: usize = COVERED + 32;
/// How many times the length of a file is hashed in search of its next record.
const MOST_HASHED: usize = 4;

/// A record's head without its sum.
#[derive(Encode, Decode)]
struct Head {
    mark: [u8; 4],
    length: u32,
    nonce: Nonce,
    sender: AccountId,
    hash: Hash,
}

/// A whole record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Account that signed the transaction.
    pub(super) sender: AccountId,
    /// Its nonce.
    pub(super) nonce: Nonce,
    /// Its hash.
    pub(super) hash: Hash,
    /// Where the record begins.
    pub(super) offset: u64,
    /// Bytes of the transaction.
    pub(super) length: u32,
}

impl Found {
    /// Where the transaction lies.
    pub(super) fn transaction(&self) -> Range<u64> {
        let start = self.offset + HEAD_BYTES as u64;
        start..start + u64::from(self.length)
    }

    /// Bytes of the whole record.
    pub(super) fn size(&self) -> u64 {
        size(self.length as usize)
    }
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    /// Whole records, in their order.
    pub(super) records: Vec<Found>,
    /// What lies before a whole record and is none.
    pub(super) damage: Vec<Range<u64>>,
    /// Where the whole part ends. What follows was being written when the process or
    /// the power went.
    pub(super) end: u64,
}

/// The file is of another version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OtherVersion;

/// Bytes of a record whose transaction has `length`.
pub(super) fn size(length: usize) -> u64 {
    (HEAD_BYTES + length) as u64
}

/// Appends the record of a transaction that begins at `offset` of a segment.
pub(super) fn append(to: &mut Vec<u8>, segment: u64, offset: u64, tx: &PoolTransaction) {
    let head = Head {
        mark: MARK,
        length: u32::try_from(tx.bytes.len()).expect("the pool takes far shorter ones"),
        nonce: tx.nonce,
        sender: tx.sender.clone(),
        hash: tx.hash,
    };
    let start = to.len();
    head.encode_to(to);
    let sum = sum(segment, offset, &to[start..]);
    to.extend(sum);
    to.extend_from_slice(&tx.bytes);
}

/// Reads the file of a segment.
pub(super) fn parse(bytes: &[u8], segment: u64) -> Result<Contents, OtherVersion> {
    let mut records: Vec<Found> = Vec::new();
    let mut damage = Vec::new();
    let mut bad_since = (!bytes.starts_with(MAGIC)).then_some(0);
    let mut at = MAGIC.len();
    let mut hashed = 0;
    while at < bytes.len() {
        match read(bytes, at, segment) {
            Read::Whole(found) => {
                if let Some(since) = bad_since.take() {
                    damage.push(since as u64..at as u64);
                }
                at += HEAD_BYTES + found.length as usize;
                records.push(found);
                continue;
            }
            Read::OtherContent(length) => hashed += length,
            Read::NoHead => {}
        }
        bad_since.get_or_insert(at);
        let next = bytes[at + 1..].windows(MARK.len()).position(|window| window == MARK);
        match next {
            Some(ahead) if hashed <= MOST_HASHED * bytes.len() => at += 1 + ahead,
            _ => break,
        }
    }
    if records.is_empty() && is_of_other_version(bytes) {
        return Err(OtherVersion);
    }
    Ok(Contents { records, damage, end: bad_since.unwrap_or(bytes.len()) as u64 })
}

fn is_of_other_version(bytes: &[u8]) -> bool {
    bytes.len() >= MAGIC.len()
        && bytes[..NAME_BYTES] == MAGIC[..NAME_BYTES]
        && !bytes.starts_with(MAGIC)
}

/// What lies at a place.
enum Read {
    Whole(Found),
    /// The head is a record's, and other bytes of this length follow.
    OtherContent(usize),
    NoHead,
}

fn read(bytes: &[u8], at: usize, segment: u64) -> Read {
    let Some((covered, rest)) = bytes[at..].split_at_checked(COVERED) else { return Read::NoHead };
    if !covered.starts_with(&MARK) {
        return Read::NoHead;
    }
    let Some((found_sum, rest)) = rest.split_first_chunk::<32>() else { return Read::NoHead };
    let offset = at as u64;
    if sum(segment, offset, covered) != *found_sum {
        return Read::NoHead;
    }
    let Ok(head) = Head::decode(&mut &covered[..]) else { return Read::NoHead };
    let Some(transaction) = rest.get(..head.length as usize) else { return Read::OtherContent(0) };
    if transaction_hash(transaction) != head.hash {
        return Read::OtherContent(transaction.len());
    }
    let Head { length, nonce, sender, hash, .. } = head;
    Read::Whole(Found { sender, nonce, hash, offset, length })
}

fn sum(segment: u64, offset: u64, covered: &[u8]) -> [u8; 32] {
    let mut sum = Sm3::new();
    sum.update(&segment.to_le_bytes());
    sum.update(&offset.to_le_bytes());
    sum.update(covered);
    sum.finalize()
}

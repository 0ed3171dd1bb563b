//! What is remembered, and how it lies in the file.
//!
//! The file has two slots of 512 bytes, at 0 and at 4096, 8192 bytes in all. A
//! write goes to the slot that does not hold the newest record, so that one that
//! is cut short by a power failure leaves the record before. The slots lie in
//! pages of their own, so that no write of the system touches both.
//!
//! A slot: magic `BCSIGN01`, sequence number (`u64`, little-endian), SCALE of
//! [`Record`], zeros up to 480 bytes, SM3 of these 480 bytes.

use billchain_crypto::sm3::sm3;
use billchain_primitives::{Hash, SignedStatement, StatementKind};
use codec::{Decode, Encode};

/// First bytes of a slot: name and version of the format.
const MAGIC: &[u8; 8] = b"BCSIGN01";
/// Bytes of a slot that the checksum covers.
const COVERED: usize = 480;
/// Bytes of a slot.
pub(super) const SLOT_BYTES: usize = COVERED + 32;
/// Where the second slot begins.
const SECOND: u64 = 4096;
/// Length of the file.
pub(super) const FILE_BYTES: usize = 2 * SECOND as usize;

/// Where in a height a statement is made: statements come in this order.
pub(super) type Step = (u32, StatementKind);

/// What was signed last at a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Last {
    /// Its round.
    pub round: u32,
    /// What was said, and the signature given under it.
    pub signed: SignedStatement,
}

impl Last {
    pub(super) fn step(&self) -> Step {
        (self.round, self.signed.statement.kind())
    }
}

/// What a validator remembers of its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Record {
    /// Genesis hash of the chain it signed for.
    pub genesis: Hash,
    /// Address of the key that signed.
    pub signer: [u8; 32],
    /// Nothing is signed below this height any more.
    pub height: u64,
    /// What was signed last at this height. Without it nothing is signed at this
    /// height either.
    pub last: Option<Last>,
    /// Length of the write-ahead log, of this height, when that was signed: what
    /// is in it up to here led to the statement.
    pub log_bytes: u64,
}

/// A record with its place in the order of writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub sequence: u64,
    pub record: Record,
}

impl Slot {
    /// Where the slot of this sequence number lies.
    pub(super) fn offset(sequence: u64) -> u64 {
        if sequence.is_multiple_of(2) { 0 } else { SECOND }
    }

    pub(super) fn to_bytes(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        let body = (MAGIC, self.sequence, &self.record).encode();
        // The longest record fits: a test encodes it.
        bytes[..body.len()].copy_from_slice(&body);
        let sum = sm3(&bytes[..COVERED]);
        bytes[COVERED..].copy_from_slice(&sum);
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (covered, sum) = bytes.split_at_checked(COVERED)?;
        if sm3(covered) != sum {
            return None;
        }
        let mut rest = covered.strip_prefix(MAGIC)?;
        let (sequence, record) = Decode::decode(&mut rest).ok()?;
        Some(Self { sequence, record }).filter(|_| rest.iter().all(|byte| *byte == 0))
    }
}

/// What the bytes of a file say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// The newest record.
    Known(Box<Slot>),
    /// No record can be read; why.
    Damaged(String),
}

/// Reads the newest record of a file. One slot may be unreadable: a write to it
/// was cut short, and then nothing was signed after the other was written.
pub(super) fn parse(bytes: &[u8]) -> Contents {
    if bytes.len() != FILE_BYTES {
        return Contents::Damaged(format!("{} bytes, expected {FILE_BYTES}", bytes.len()));
    }
    let slots = [0, SECOND as usize].map(|at| Slot::parse(&bytes[at..at + SLOT_BYTES]));
    match slots.into_iter().flatten().max_by_key(|slot| slot.sequence) {
        Some(slot) => Contents::Known(Box::new(slot)),
        None => Contents::Damaged("neither of its two records has a valid checksum".into()),
    }
}

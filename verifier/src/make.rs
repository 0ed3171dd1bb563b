//! Puts certificates together. Whether they prove anything, [`verify`](crate::verify) says.

pub use crate::{
    cover::{Cover, Item},
    state::proof_digests,
};

use crate::{
    Digest,
    certificate::{
        ABSENT, AT_GENESIS, EARLIER_BLOCK, FORMAT, GROUP, LATER, MAGIC, MONTH, NO_GROUP,
        NO_TRANSACTION, NOT_SHOWN, NUMBERS, PRESENT, SAME_BLOCK, VERSION,
    },
};
use alloc::vec::Vec;

/// All that a certificate is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Header of the genesis.
    pub genesis: Vec<u8>,
    /// Header of the change of validators at which it starts; none if that is the genesis.
    pub start: Option<Vec<u8>>,
    /// Headers from there up to the head that named other validators for the next block,
    /// ascending.
    pub changes: Vec<Decided>,
    /// The block whose state is proved.
    pub head: Decided,
    /// What is proved of it.
    pub body: Body,
}

/// A header, and who decided its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The encoded header.
    pub header: Vec<u8>,
    /// Round in which it was decided.
    pub round: u32,
    /// Place of each validator in its set, and its signature; ascending.
    pub signatures: Vec<(u8, [u8; 64])>,
}

/// What is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The state holds a bill.
    Present {
        /// The encoded bill.
        bill: Vec<u8>,
        /// What is in its group.
        group: Vec<(u8, Digest)>,
        /// SM3 of what the keys of the next group share.
        next: Digest,
        /// The operation that set it.
        proof: StateProof,
        /// Hash of the version before.
        previous: Digest,
        /// The encoded head of its version.
        version: Vec<u8>,
        /// The transaction that made the version.
        transaction: Source,
    },
    /// The state holds no bill of this code and number.
    Absent {
        /// Code and number.
        key: [u8; 18],
        /// What shows it.
        shown: Shown,
        /// The operation of that group.
        proof: StateProof,
    },
    /// What the state holds of a range of numbers.
    Numbers {
        /// 票据代码.
        code: [u8; 8],
        /// The first number.
        first: [u8; 10],
        /// The last number.
        last: [u8; 10],
        /// One for each group of the [`Cover`]'s items, in their order.
        entries: Vec<Entry>,
    },
    /// What the state holds of an issuer's month.
    Month {
        /// DID of the issuer.
        issuer: Vec<u8>,
        /// yyyymm.
        month: [u8; 6],
        /// The month's group.
        entry: Entry,
    },
    /// The state holds a bill, of which an earlier version is shown.
    Version {
        /// The encoded bill.
        bill: Vec<u8>,
        /// What is in its group.
        group: Vec<(u8, Digest)>,
        /// SM3 of what the keys of the next group share.
        next: Digest,
        /// The operation that set it.
        proof: StateProof,
        /// Hash of the version before the one that is shown.
        previous: Digest,
        /// The encoded head of that version.
        version: Vec<u8>,
        /// The encoded heads of all versions since, ascending.
        later: Vec<Vec<u8>>,
        /// What the version says, encoded.
        content: Vec<u8>,
        /// The transaction that made the version.
        transaction: Source,
    },
}

/// What the state holds of some keys of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The group, or that there is none.
    pub shown: Shown,
    /// The operation of that group.
    pub proof: StateProof,
    /// The values of those keys that have one, ascending.
    pub values: Vec<Vec<u8>>,
}

/// A group, or what shows that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The group.
    Group {
        /// What is in it.
        group: Vec<(u8, Digest)>,
        /// SM3 of what the keys of the next group share.
        next: Digest,
    },
    /// The group before, for the one that was asked for is not there: SM3 of what its keys
    /// share, SM3 of the group, and SM3 of what the keys of the next group share.
    Neighbour([Digest; 3]),
}

/// Where a transaction is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// There is none.
    None,
    /// There is one, and it is not shown: of an earlier version, or if its block is not after the
    /// one at which the certificate starts.
    NotShown,
    /// In the block whose state is proved.
    SameBlock {
        /// Nodes of the path in the tree of transactions, from the root.
        path: Vec<Vec<u8>>,
    },
    /// In an earlier one.
    Earlier {
        /// That block.
        block: Decided,
        /// Nodes of the path in the tree of transactions, from the root.
        path: Vec<Vec<u8>>,
    },
}

/// Where an operation stands in the log, and what lies beside its way to the state root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// Its place in the log.
    pub location: u64,
    /// Operations of the log.
    pub leaves: u64,
    /// Peaks that are folded from the front.
    pub inactive_peaks: u8,
    /// Root of the log without activity bits.
    pub plain: Digest,
    /// Activity bits of its 256 operations.
    pub bits: [u8; 32],
    /// SM3 of the bits of the last chunk, if that is partial.
    pub partial: Option<Digest>,
    /// Beside the way from the leaf to its peak, upwards; then what is before the peak and
    /// after it.
    pub digests: Vec<Digest>,
}

impl Certificate {
    /// The certificate in its format.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { genesis, start, changes, head, body } = self;
        to_bytes(genesis, start.as_deref(), changes, head, body)
    }
}

/// A certificate of these parts, as those of [`Certificate`] are, in its format.
pub fn to_bytes(
    genesis: &[u8],
    start: Option<&[u8]>,
    changes: &[Decided],
    head: &Decided,
    body: &Body,
) -> Vec<u8> {
    let mut bytes = Vec::from(MAGIC);
    bytes.push(FORMAT);
    bytes.push(match body {
        Body::Present { .. } => PRESENT,
        Body::Absent { .. } => ABSENT,
        Body::Numbers { .. } => NUMBERS,
        Body::Month { .. } => MONTH,
        Body::Version { .. } => VERSION,
    });
    put(&mut bytes, genesis);
    match start {
        None => bytes.push(AT_GENESIS),
        Some(header) => {
            bytes.push(LATER);
            put(&mut bytes, header);
        }
    }
    bytes.extend(length(changes.len()));
    changes.iter().for_each(|change| change.put(&mut bytes));
    head.put(&mut bytes);
    body.put(&mut bytes);
    bytes
}

impl Body {
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Present { bill, group, next, proof, previous, version, transaction } => {
                put(bytes, bill);
                put_group(bytes, group);
                bytes.extend(next);
                proof.put(bytes);
                bytes.extend(previous);
                put(bytes, version);
                transaction.put(bytes);
            }
            Self::Absent { key, shown, proof } => {
                bytes.extend(key);
                shown.put(bytes);
                proof.put(bytes);
            }
            Self::Numbers { code, first, last, entries } => {
                bytes.extend(code);
                bytes.extend(first);
                bytes.extend(last);
                entries.iter().for_each(|entry| entry.put(bytes));
            }
            Self::Month { issuer, month, entry } => {
                put(bytes, issuer);
                bytes.extend(month);
                entry.put(bytes);
            }
            Self::Version {
                bill,
                group,
                next,
                proof,
                previous,
                version,
                later,
                content,
                transaction,
            } => {
                put(bytes, bill);
                put_group(bytes, group);
                bytes.extend(next);
                proof.put(bytes);
                bytes.extend(previous);
                put(bytes, version);
                bytes.extend(length(later.len()));
                later.iter().for_each(|head| put(bytes, head));
                put(bytes, content);
                transaction.put(bytes);
            }
        }
    }
}

impl Entry {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.shown.put(bytes);
        self.proof.put(bytes);
        self.values.iter().for_each(|value| put(bytes, value));
    }
}

impl Shown {
    fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Group { group, next } => {
                bytes.push(GROUP);
                put_group(bytes, group);
                bytes.extend(next);
            }
            Self::Neighbour(neighbour) => {
                bytes.push(NO_GROUP);
                neighbour.iter().for_each(|digest| bytes.extend(digest));
            }
        }
    }
}

impl Decided {
    /// The decided header in its format.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.put(&mut bytes);
        bytes
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put(bytes, &self.header);
        bytes.extend(self.round.to_be_bytes());
        bytes.push(u8::try_from(self.signatures.len()).unwrap_or(u8::MAX));
        for (place, signature) in &self.signatures {
            bytes.push(*place);
            bytes.extend(signature);
        }
    }
}

impl Source {
    fn put(&self, bytes: &mut Vec<u8>) {
        let path = match self {
            Self::None => return bytes.push(NO_TRANSACTION),
            Self::NotShown => return bytes.push(NOT_SHOWN),
            Self::SameBlock { path } => {
                bytes.push(SAME_BLOCK);
                path
            }
            Self::Earlier { block, path } => {
                bytes.push(EARLIER_BLOCK);
                block.put(bytes);
                path
            }
        };
        bytes.push(u8::try_from(path.len()).unwrap_or(u8::MAX));
        path.iter().for_each(|node| put(bytes, node));
    }
}

impl StateProof {
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.location.to_be_bytes());
        bytes.extend(self.leaves.to_be_bytes());
        bytes.push(self.inactive_peaks);
        bytes.extend(self.plain);
        bytes.extend(self.bits);
        bytes.extend(self.partial.iter().flatten());
        self.digests.iter().for_each(|digest| bytes.extend(digest));
    }
}

/// What is longer than the length can say is not made, and refused by whoever reads it.
fn length(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

pub(crate) fn put_group(bytes: &mut Vec<u8>, group: &[(u8, Digest)]) {
    bytes.push(u8::try_from(group.len()).unwrap_or(u8::MAX));
    for (last, value) in group {
        bytes.push(*last);
        bytes.extend(value);
    }
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend(length(part.len()));
    bytes.extend(part);
}

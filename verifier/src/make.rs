//! Puts certificates together. Whether they prove anything, [`verify`](crate::verify) says.

use crate::{
    Digest,
    certificate::{
        ABSENT, EARLIER_BLOCK, FORMAT, GROUP, MAGIC, NO_GROUP, NO_TRANSACTION, PRESENT, SAME_BLOCK,
    },
};
use alloc::vec::Vec;

/// All that a certificate is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Header of the genesis.
    pub genesis: Vec<u8>,
    /// Headers up to the head that named other validators for the next block, ascending.
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
        shown: Absence,
        /// The operation of that group.
        proof: StateProof,
    },
}

/// What shows that a key has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Its group, which has other keys.
    Group {
        /// What is in it.
        group: Vec<(u8, Digest)>,
        /// SM3 of what the keys of the next group share.
        next: Digest,
    },
    /// The group before, for there is no group of the key: SM3 of what its keys share, SM3 of
    /// the group, and SM3 of what the keys of the next group share.
    Neighbour([Digest; 3]),
}

/// Where a transaction is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// There is none.
    None,
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
        let mut bytes = Vec::from(MAGIC);
        bytes.push(FORMAT);
        bytes.push(match &self.body {
            Body::Present { .. } => PRESENT,
            Body::Absent { .. } => ABSENT,
        });
        put(&mut bytes, &self.genesis);
        bytes.extend(length(self.changes.len()));
        self.changes.iter().for_each(|change| change.put(&mut bytes));
        self.head.put(&mut bytes);
        match &self.body {
            Body::Present { bill, group, next, proof, previous, version, transaction } => {
                put(&mut bytes, bill);
                put_group(&mut bytes, group);
                bytes.extend(next);
                proof.put(&mut bytes);
                bytes.extend(previous);
                put(&mut bytes, version);
                transaction.put(&mut bytes);
            }
            Body::Absent { key, shown, proof } => {
                bytes.extend(key);
                match shown {
                    Absence::Group { group, next } => {
                        bytes.push(GROUP);
                        put_group(&mut bytes, group);
                        bytes.extend(next);
                    }
                    Absence::Neighbour(neighbour) => {
                        bytes.push(NO_GROUP);
                        neighbour.iter().for_each(|digest| bytes.extend(digest));
                    }
                }
                proof.put(&mut bytes);
            }
        }
        bytes
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

//! Puts certificates together. Whether they prove anything, [`verify`](crate::verify) says.

pub use crate::{
    cover::{Cover, Item},
    state::proof_digests,
};

use crate::{
    Digest,
    certificate::{
        ABSENT, AT_GENESIS, EARLIER_BLOCK, FORMAT, LATER, MAGIC, MONTH, NO_TRANSACTION, NOT_SHOWN,
        NUMBERS, PRESENT, SAME_BLOCK, VERSION,
    },
    cold::{BitProof, Coverage, Exclusion, Inclusion},
    place::{BETWEEN, COLD, HOT, LEFT, NOWHERE, UNCOVERED},
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
    /// Of what the root of that state is made.
    pub roots: Roots,
    /// What is proved of it.
    pub body: Body,
}

/// The roots of which a state root is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Root of the hot part.
    pub hot: Digest,
    /// Root of each run of the cold part, the oldest first.
    pub runs: Vec<Digest>,
    /// SM3 of the records of the cold part.
    pub records: Digest,
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
        /// Where its group is.
        place: Place,
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
        /// Where the group is to which it would belong.
        place: Place,
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
        /// Where its group is.
        place: Place,
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
    /// Where the group is.
    pub place: Place,
    /// The values of those keys that have one, ascending.
    pub values: Vec<Vec<u8>>,
}

/// Where a group is, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the hot part.
    Hot {
        /// What is in it.
        group: Vec<(u8, Digest)>,
        /// SM3 of what the keys of the next group share.
        next: Digest,
        /// The operation that set it.
        proof: OperationProof,
    },
    /// In a segment of the cold part.
    Cold {
        /// What is in it.
        group: Vec<(u8, Digest)>,
        /// Place of its run in [`Roots::runs`].
        run: u8,
        /// Which segment of the run has it in its range.
        coverage: Coverage,
        /// That the segment has it.
        inclusion: Inclusion,
        /// That it is active there.
        bit: BitProof,
    },
    /// It has no keys.
    Nowhere {
        /// The hot group before: SM3 of what its keys share, SM3 of the group, and SM3 of what
        /// the keys of the next group share.
        neighbour: [Digest; 3],
        /// The operation of that group.
        proof: OperationProof,
        /// Why each of [`Roots::runs`] does not have it.
        runs: Vec<Missing>,
    },
}

/// Why a run does not have a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// None of its segments has it in its range.
    Uncovered(Coverage),
    /// The segment that has it in its range does not have it.
    Between {
        /// Which segment that is.
        coverage: Coverage,
        /// The groups between which it would be.
        exclusion: Exclusion,
    },
    /// It was written to since it came into the segment that has it in its range.
    Left {
        /// Which segment that is.
        coverage: Coverage,
        /// SM3 of what was in it.
        group: Digest,
        /// That the segment has it.
        inclusion: Inclusion,
        /// That it is no longer active there.
        bit: BitProof,
    },
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
pub struct OperationProof {
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
        let Self { genesis, start, changes, head, roots, body } = self;
        to_bytes(genesis, start.as_deref(), changes, head, roots, body)
    }
}

/// A certificate of these parts, as those of [`Certificate`] are, in its format.
pub fn to_bytes(
    genesis: &[u8],
    start: Option<&[u8]>,
    changes: &[Decided],
    head: &Decided,
    roots: &Roots,
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
    roots.put(&mut bytes);
    body.put(&mut bytes);
    bytes
}

impl Roots {
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.hot);
        bytes.push(count(self.runs.len()));
        self.runs.iter().for_each(|run| bytes.extend(run));
        bytes.extend(self.records);
    }
}

impl Body {
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Present { bill, place, previous, version, transaction } => {
                put(bytes, bill);
                place.put(bytes);
                bytes.extend(previous);
                put(bytes, version);
                transaction.put(bytes);
            }
            Self::Absent { key, place } => {
                bytes.extend(key);
                place.put(bytes);
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
            Self::Version { bill, place, previous, version, later, content, transaction } => {
                put(bytes, bill);
                place.put(bytes);
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
        self.place.put(bytes);
        self.values.iter().for_each(|value| put(bytes, value));
    }
}

impl Place {
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Hot { group, next, proof } => {
                bytes.push(HOT);
                put_group(bytes, group);
                bytes.extend(next);
                proof.put(bytes);
            }
            Self::Cold { group, run, coverage, inclusion, bit } => {
                bytes.push(COLD);
                put_group(bytes, group);
                bytes.push(*run);
                put_coverage(bytes, coverage);
                bytes.extend(inclusion.encode());
                bytes.extend(bit.encode());
            }
            Self::Nowhere { neighbour, proof, runs } => {
                bytes.push(NOWHERE);
                neighbour.iter().for_each(|digest| bytes.extend(digest));
                proof.put(bytes);
                bytes.push(count(runs.len()));
                runs.iter().for_each(|missing| missing.put(bytes));
            }
        }
    }
}

impl Missing {
    fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Uncovered(coverage) => {
                bytes.push(UNCOVERED);
                put_coverage(bytes, coverage);
            }
            Self::Between { coverage, exclusion } => {
                bytes.push(BETWEEN);
                put_coverage(bytes, coverage);
                bytes.extend(exclusion.encode().unwrap_or_default());
            }
            Self::Left { coverage, inclusion, group, bit } => {
                bytes.push(LEFT);
                put_coverage(bytes, coverage);
                bytes.extend(group);
                bytes.extend(inclusion.encode());
                bytes.extend(bit.encode());
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
        bytes.push(count(self.signatures.len()));
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
        bytes.push(count(path.len()));
        path.iter().for_each(|node| put(bytes, node));
    }
}

impl OperationProof {
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

/// So is what are more than the number can say.
fn count(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

/// Adds a coverage. One that has no form, because it shows too much, is left out.
fn put_coverage(bytes: &mut Vec<u8>, coverage: &Coverage) {
    bytes.extend(coverage.encode().unwrap_or_default());
}

fn put_group(bytes: &mut Vec<u8>, group: &[(u8, Digest)]) {
    bytes.push(count(group.len()));
    for (last, value) in group {
        bytes.push(*last);
        bytes.extend(value);
    }
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend(length(part.len()));
    bytes.extend(part);
}

//! Makes certificates of bills (链上凭证) from one node's chain: what the head's state holds of
//! a bill, of one of its versions, of a range of numbers (号段) or of an issuer's month, and all
//! that proves it.
//! `docs/certificates.md` has the format, `verifier/` checks it.
//!
//! What a certificate says is of the head, and carries the commit certificate of the head's
//! block; whoever has it needs no node. A maker keeps the headers that changed the validators
//! in memory, a few a year, and within bounds what it read of other blocks lately: most are asked
//! for again, the head by every certificate.

#![forbid(unsafe_code)]

mod decided;
mod keys;
mod lately;
mod parts;
mod place;
mod tree;

use billchain_executor::{Chain, ChainError};
use billchain_primitives::{
    Bill, BillCode, BillKey, BillNumber, BlockNumber, Did, Hash,
    history::{MAX_LATER, VersionHead, VersionRecord},
    index,
    totals::Month,
};
use billchain_storage::{GroupProof, Place, StateProof, StorageError};
use billchain_verifier::{
    MAX_BYTES,
    make::{self, Body, Decided, Entry, Source},
};
use codec::{DecodeAll, Encode};
use decided::{Headers, Span};
use frame_support::storage::storage_prefix;
use keys::item_keys;
use lately::Lately;
use parking_lot::Mutex;
use place::{place, roots};
use std::sync::Arc;
use tree::Tree;

pub use keys::state_key;
pub use parts::KeyProofs;

/// Most bills and blocks of numbers that make up the range of one certificate: whatever they
/// hold, the certificate has room for them, as long as the cold part has six runs at most.
pub const MAX_ITEMS: usize = 900;

/// Most bytes of headers, with who decided them, that are kept: some thousands of four validators'.
const MAX_DECIDED: usize = 4 << 20;

/// Most bytes of blocks' trees that are kept: those of some 150,000 transactions.
const MAX_TREES: usize = 16 << 20;

/// How often the state is proved again because a block came meanwhile.
const TRIES: usize = 8;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The chain has the genesis only, which nobody decides.
    #[error("the chain has no block yet")]
    NoBlock,
    /// A block that is needed is not kept.
    #[error(
        "block {number} is not kept here: it changed the validators, or made the bill's version"
    )]
    NotKept {
        /// The block.
        number: BlockNumber,
    },
    /// A range ends before it begins.
    #[error("the numbers end at {last}, before they begin at {first}")]
    NoNumbers {
        /// The first number.
        first: BillNumber,
        /// The last number.
        last: BillNumber,
    },
    /// A range is made up of too many parts.
    #[error(
        "the numbers from {first} to {last} are made up of more than {MAX_ITEMS} bills and \
         blocks of 100, 10,000 and 1,000,000 numbers: ask for fewer"
    )]
    TooManyItems {
        /// The first number.
        first: BillNumber,
        /// The last number.
        last: BillNumber,
    },
    /// It cannot start at a block.
    #[error(
        "no block before {number} has the hash {hash:?} and named validators: a certificate starts \
         at the genesis or at a change of the validators before its head"
    )]
    NoStart {
        /// Hash of the block.
        hash: Hash,
        /// The head.
        number: BlockNumber,
    },
    /// It would be longer than any may be.
    #[error(
        "the certificate would have {bytes} bytes, expected at most {MAX_BYTES}: ask for less, or \
         from a later change of the validators"
    )]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// The bill has no such version.
    #[error("bill {key} has {present} versions, so version {version} is none of them")]
    NoVersion {
        /// The bill.
        key: BillKey,
        /// The version.
        version: u32,
        /// The present one; 0 if there is no such bill.
        present: u32,
    },
    /// Too many versions came after it.
    #[error(
        "bill {key}: {later} versions came after version {version}, expected at most {MAX_LATER}"
    )]
    TooOld {
        /// The bill.
        key: BillKey,
        /// The version.
        version: u32,
        /// Versions since.
        later: u32,
    },
    /// The index lacks the bill's version.
    #[error("version {version} of bill {key} is not in the index yet")]
    NotIndexed {
        /// The bill.
        key: BillKey,
        /// The version.
        version: u32,
    },
    /// Blocks come faster than the state is proved.
    #[error("a block came each time before the state was proved: ask again, or for less")]
    Busy,
    /// What is stored contradicts itself.
    #[error("{what} of block {number} is unreadable, or does not fit the block")]
    Odd {
        /// What.
        what: &'static str,
        /// The block.
        number: BlockNumber,
    },
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl From<StorageError> for CertificateError {
    fn from(error: StorageError) -> Self {
        Self::Chain(error.into())
    }
}

/// Makes certificates from one chain.
pub struct Maker {
    chain: Chain,
    headers: Mutex<Headers>,
    decided: Mutex<Lately<Decided>>,
    trees: Mutex<Lately<Arc<Tree>>>,
}

impl Maker {
    /// Makes them from this chain.
    pub fn new(chain: Chain) -> Self {
        Self {
            chain,
            headers: Mutex::default(),
            decided: Mutex::new(Lately::new(MAX_DECIDED)),
            trees: Mutex::new(Lately::new(MAX_TREES)),
        }
    }

    /// The certificate of a bill, or that there is no such bill, as of the head. It starts at
    /// the genesis, or at the block with the hash `from`, which named validators. Blocks on the
    /// disk.
    pub fn certificate(
        &self,
        key: &BillKey,
        from: Option<Hash>,
    ) -> Result<Vec<u8>, CertificateError> {
        let (number, roots, group) = self.prove_one(state_key(key))?;
        let span = self.span(number, from)?;
        let body = match group.values.first() {
            Some(Some(_)) => self.present(key, Proved::of(group, number)?, number, &span)?,
            _ => absent(key, group),
        };
        self.certified(number, &span, &roots, &body)
    }

    /// The certificate of what a bill was at a version, as of the head, and `from` as
    /// [`certificate`](Self::certificate) has it. Without the transaction that made it, if its
    /// block is no longer kept. Blocks on the disk.
    pub fn version(
        &self,
        key: &BillKey,
        version: u32,
        from: Option<Hash>,
    ) -> Result<Vec<u8>, CertificateError> {
        let key = *key;
        let (number, roots, group) = self.prove_one(state_key(&key))?;
        let span = self.span(number, from)?;
        if !group.values.iter().any(Option::is_some) {
            return Err(CertificateError::NoVersion { key, version, present: 0 });
        }
        let proved = Proved::of(group, number)?;
        let present = proved.version;
        let later = present.checked_sub(version).filter(|_| version > 0);
        let later = later.ok_or(CertificateError::NoVersion { key, version, present })?;
        if later > MAX_LATER {
            return Err(CertificateError::TooOld { key, version, later });
        }
        let record = self.record(&key, version, number)?;
        let later: Result<Vec<Vec<u8>>, CertificateError> = (version..=present)
            .skip(1)
            .map(|version| Ok(self.record(&key, version, number)?.head().encode()))
            .collect();
        let head = record.head();
        let transaction = match self.source(number, &head, &span) {
            Err(CertificateError::NotKept { .. }) => Source::NotShown,
            source => source?,
        };
        let Proved { bill, place, .. } = proved;
        let body = Body::Version {
            bill,
            place,
            previous: record.previous,
            version: head.encode(),
            later: later?,
            content: record.body.encode(),
            transaction,
        };
        self.certified(number, &span, &roots, &body)
    }

    /// The record of a bill's version.
    fn record(
        &self,
        key: &BillKey,
        version: u32,
        number: BlockNumber,
    ) -> Result<VersionRecord, CertificateError> {
        let record = self.chain.storage().offchain_get(&index::history_key(key, version))?;
        let record = record.ok_or(CertificateError::NotIndexed { key: *key, version })?;
        VersionRecord::decode_all(&mut &record[..])
            .map_err(|_| CertificateError::Odd { what: "a bill's version", number })
    }

    /// The certificate of the numbers of a code from `first` to `last`: how many bills have
    /// them, and how many numbers no bill has, as of the head, and `from` as
    /// [`certificate`](Self::certificate) has it. Blocks on the disk.
    pub fn numbers(
        &self,
        code: BillCode,
        first: BillNumber,
        last: BillNumber,
        from: Option<Hash>,
    ) -> Result<Vec<u8>, CertificateError> {
        let keys = item_keys(code, first, last)?;
        let proof = self.prove_all(&keys)?;
        let (number, roots) = (proof.head.number, roots(&proof));
        let span = self.span(number, from)?;
        let body = Body::Numbers {
            code: *code.as_bytes(),
            first: *first.as_bytes(),
            last: *last.as_bytes(),
            entries: proof.groups.into_iter().map(entry).collect(),
        };
        self.certified(number, &span, &roots, &body)
    }

    /// The certificate of the bills that an issuer issued in a month, as of the head, and `from`
    /// as [`certificate`](Self::certificate) has it. Blocks on the disk.
    pub fn month(
        &self,
        issuer: &Did,
        month: Month,
        from: Option<Hash>,
    ) -> Result<Vec<u8>, CertificateError> {
        let mut key = storage_prefix(b"Totals", b"Months").to_vec();
        // The map's hashers are the identity.
        (issuer, month).encode_to(&mut key);
        let (number, roots, group) = self.prove_one(key)?;
        let span = self.span(number, from)?;
        let (issuer, month) = (issuer.as_bytes().to_vec(), *month.as_bytes());
        self.certified(number, &span, &roots, &Body::Month { issuer, month, entry: entry(group) })
    }

    /// What the head's state root proves of keys.
    fn prove_all(&self, keys: &[Vec<u8>]) -> Result<StateProof, CertificateError> {
        for _ in 0..TRIES {
            if let Some(proof) = self.chain.storage().prove(keys)? {
                return Ok(proof);
            }
        }
        Err(CertificateError::Busy)
    }

    /// What the head's state root proves of one key; the head's number, and of what that root is
    /// made.
    fn prove_one(
        &self,
        key: Vec<u8>,
    ) -> Result<(BlockNumber, make::Roots, GroupProof), CertificateError> {
        let mut proof = self.prove_all(&[key])?;
        let (number, roots) = (proof.head.number, roots(&proof));
        let group = proof.groups.pop().ok_or(CertificateError::Odd { what: "a group", number })?;
        Ok((number, roots, group))
    }

    /// What a certificate of a head shows of the chain before.
    fn span(&self, number: BlockNumber, from: Option<Hash>) -> Result<Span, CertificateError> {
        if number == 0 {
            return Err(CertificateError::NoBlock);
        }
        self.headers.lock().span(&self.chain, number, from)
    }

    /// The certificate of what the state after a block holds.
    fn certified(
        &self,
        number: BlockNumber,
        span: &Span,
        roots: &make::Roots,
        body: &Body,
    ) -> Result<Vec<u8>, CertificateError> {
        let head = self.block(number)?;
        let (start, changes) = (span.start(), span.changes());
        let bytes = make::to_bytes(span.genesis(), start, changes, &head, roots, body);
        if bytes.len() > MAX_BYTES {
            return Err(CertificateError::TooLong { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    fn present(
        &self,
        key: &BillKey,
        proved: Proved,
        number: BlockNumber,
        span: &Span,
    ) -> Result<Body, CertificateError> {
        let record = self.record(key, proved.version, number)?;
        let head = record.head();
        let transaction = self.source(number, &head, span)?;
        let (previous, version) = (record.previous, head.encode());
        let Proved { bill, place, .. } = proved;
        Ok(Body::Present { bill, place, previous, version, transaction })
    }

    /// Where the transaction that made a version is.
    fn source(
        &self,
        head: BlockNumber,
        version: &VersionHead,
        span: &Span,
    ) -> Result<Source, CertificateError> {
        let number = version.at.block;
        let Some(index) = version.at.extrinsic.filter(|_| number > 0) else {
            return Ok(Source::None);
        };
        if number <= span.first() {
            // Whoever checks the certificate does not know who decided that block.
            return Ok(Source::NotShown);
        }
        let path = self.tree(number)?.path(index);
        let path = path.ok_or(CertificateError::Odd { what: "a transaction", number })?;
        if number == head {
            return Ok(Source::SameBlock { path });
        }
        Ok(Source::Earlier { block: self.block(number)?, path })
    }

    /// The header of a block after the genesis, and who decided it.
    fn block(&self, number: BlockNumber) -> Result<Decided, CertificateError> {
        if let Some(known) = self.decided.lock().get(number) {
            return Ok(known);
        }
        let span = self.headers.lock().span(&self.chain, number, None)?;
        let decided = span.decided(&self.chain, number)?;
        let bytes = decided.header.len() + size_of_val(&decided.signatures[..]);
        self.decided.lock().keep(number, decided.clone(), bytes);
        Ok(decided)
    }

    /// The tree of a block's transactions.
    fn tree(&self, number: BlockNumber) -> Result<Arc<Tree>, CertificateError> {
        if let Some(known) = self.trees.lock().get(number) {
            return Ok(known);
        }
        let tree = self.chain.storage().block_with(number, Tree::of)?;
        let tree = tree.ok_or(CertificateError::NotKept { number })?;
        let tree = tree.ok_or(CertificateError::Odd { what: "a transaction", number })?;
        let tree = Arc::new(tree);
        self.trees.lock().keep(number, Arc::clone(&tree), tree.size());
        Ok(tree)
    }
}

/// A bill that the state holds.
struct Proved {
    /// The bill, encoded.
    bill: Vec<u8>,
    /// Its version.
    version: u32,
    /// Where its group is.
    place: make::Place,
}

impl Proved {
    /// The bill whose key was proved to have a value.
    fn of(proof: GroupProof, number: BlockNumber) -> Result<Self, CertificateError> {
        let odd = |what| CertificateError::Odd { what, number };
        let bill = proof.values.into_iter().flatten().next().ok_or(odd("a bill"))?;
        let decoded = Bill::decode_all(&mut &bill[..]).map_err(|_| odd("a bill"))?;
        if let Place::Nowhere { .. } = proof.place {
            return Err(odd("a group"));
        }
        Ok(Self { bill, version: decoded.state.version, place: place(proof.place) })
    }
}

fn entry(proof: GroupProof) -> Entry {
    let values = proof.values.into_iter().flatten().collect();
    Entry { place: place(proof.place), values }
}

fn absent(key: &BillKey, proof: GroupProof) -> Body {
    let mut digits = [0; 18];
    digits.iter_mut().zip(key.encode()).for_each(|(to, from)| *to = from);
    Body::Absent { key: digits, place: place(proof.place) }
}

#[cfg(test)]
mod tests;

//! Headers and who decided them.

use crate::CertificateError;
use billchain_consensus::CommitCertificate;
use billchain_executor::Chain;
use billchain_primitives::{BlockNumber, Hash, Header, sm3};
use billchain_runtime::Runtime;
use billchain_verifier::make::Decided;
use codec::{Decode, DecodeAll, Encode};
use pallet_participation::{LastSetChange, SET_DIGEST, SetChange};
use sp_runtime::DigestItem;
use std::sync::Arc;

/// Accounts of validators' keys, in the order of their set.
type Accounts = Vec<[u8; 32]>;

/// The headers that named other validators, and those whom they named.
#[derive(Default)]
pub(crate) struct Headers {
    /// What is known, also to whoever still works with it; empty until it was read.
    known: Arc<Known>,
    /// The block up to which the changes are known.
    followed: BlockNumber,
}

/// What is known of the genesis and of the changes after it.
#[derive(Clone, Default)]
struct Known {
    /// The encoded header of the genesis, which nobody decides.
    genesis: Vec<u8>,
    /// The genesis' set, and that of each change.
    sets: Vec<Set>,
    /// Each change, decided by the set before it.
    changes: Vec<Decided>,
}

/// Validators, and the block that named them.
#[derive(Clone)]
struct Set {
    number: BlockNumber,
    hash: Hash,
    accounts: Accounts,
}

/// What of a chain a certificate shows: the change at which it starts, or the genesis, and the
/// changes from there up to its head. To have it copies nothing.
pub(crate) struct Span {
    known: Arc<Known>,
    /// The set at which it starts.
    from: usize,
    /// The set behind the last one.
    to: usize,
}

impl Headers {
    /// What is known of the chain before block `number`: from the genesis on, or from the block
    /// with this hash, which named validators.
    pub(crate) fn span(
        &mut self,
        chain: &Chain,
        number: BlockNumber,
        from: Option<Hash>,
    ) -> Result<Span, CertificateError> {
        if self.known.sets.is_empty() || number > self.followed {
            self.follow(chain)?;
        }
        Span::of(&self.known, number, from)
    }

    /// Reads the changes that are not known yet.
    fn follow(&mut self, chain: &Chain) -> Result<(), CertificateError> {
        // Copies what is known, if somebody works with it: once a change of the validators.
        let known = Arc::make_mut(&mut self.known);
        if known.sets.is_empty() {
            let genesis = header(chain, 0)?;
            let change = set_change(&genesis)?;
            known.genesis = genesis.encode();
            known.sets.push(Set::named_by(&genesis, &change));
        }
        // The state that is read next is this block's or a later one's.
        let head = chain.storage().head().number;
        let last = known.sets.last().map_or(0, |set| set.number);
        let mut number = chain.read(LastSetChange::<Runtime>::get)?;
        let mut found = Vec::new();
        while number > last {
            let header = header(chain, number)?;
            let change = set_change(&header)?;
            let previous = change.previous.min(number - 1);
            found.push((number, Set::named_by(&header, &change)));
            number = previous;
        }
        for (number, set) in found.into_iter().rev() {
            let decided = known.decided(chain, number)?;
            known.changes.push(decided);
            known.sets.push(set);
        }
        self.followed = head;
        Ok(())
    }
}

impl Span {
    /// What is known before block `number`, of which the changes before it are.
    fn of(
        known: &Arc<Known>,
        number: BlockNumber,
        from: Option<Hash>,
    ) -> Result<Self, CertificateError> {
        let to = known.sets.partition_point(|set| set.number < number).max(1);
        let from = match from {
            None => 0,
            Some(hash) => known
                .sets
                .iter()
                .take(to)
                .position(|set| set.hash == hash)
                .ok_or(CertificateError::NoStart { hash, number })?,
        };
        Ok(Self { known: Arc::clone(known), from, to })
    }

    /// The encoded header of the genesis.
    pub(crate) fn genesis(&self) -> &[u8] {
        &self.known.genesis
    }

    /// The block at which it starts; 0 for the genesis.
    pub(crate) fn first(&self) -> BlockNumber {
        self.known.sets.get(self.from).map_or(0, |set| set.number)
    }

    /// The encoded header of that block, unless it is the genesis.
    pub(crate) fn start(&self) -> Option<&[u8]> {
        let change = self.known.changes.get(self.from.checked_sub(1)?)?;
        Some(&change.header)
    }

    /// The changes after that block, ascending.
    pub(crate) fn changes(&self) -> &[Decided] {
        // A change is one place before its set: the genesis has none.
        self.known.changes.get(self.from..self.to - 1).unwrap_or_default()
    }

    /// A block up to the one that was asked for, and who decided it.
    pub(crate) fn decided(
        &self,
        chain: &Chain,
        number: BlockNumber,
    ) -> Result<Decided, CertificateError> {
        self.known.decided(chain, number)
    }
}

impl Set {
    fn named_by(header: &Header, change: &SetChange) -> Self {
        let accounts = change.validators.iter().map(|(key, _)| sm3(key)).collect();
        Self { number: header.number, hash: header.hash(), accounts }
    }
}

impl Known {
    /// A block of which the changes before it are known, and who decided it.
    fn decided(&self, chain: &Chain, number: BlockNumber) -> Result<Decided, CertificateError> {
        let odd = CertificateError::Odd { what: "the commit certificate", number };
        // A change counts from the next block on.
        let at = self.sets.partition_point(|set| set.number < number);
        let Some(set) = at.checked_sub(1).and_then(|at| self.sets.get(at)) else {
            return Err(odd);
        };
        let certificate = chain.storage().certificate(number)?;
        let certificate = certificate.ok_or(CertificateError::NotKept { number })?;
        let Ok(certificate) = CommitCertificate::from_bytes(&certificate) else {
            return Err(odd);
        };
        let place = |account: &[u8; 32]| {
            u8::try_from(set.accounts.iter().position(|known| known == account)?).ok()
        };
        let signatures: Option<Vec<_>> = certificate
            .signatures
            .iter()
            .map(|entry| Some((place(entry.address.as_bytes())?, entry.signature.to_bytes())))
            .collect();
        let Some(mut signatures) = signatures else { return Err(odd) };
        signatures.sort_by_key(|(place, _)| *place);
        let round = certificate.round.get();
        Ok(Decided { header: header(chain, number)?.encode(), round, signatures })
    }
}

/// A header, of a block that is kept whole or not.
fn header(chain: &Chain, number: BlockNumber) -> Result<Header, CertificateError> {
    let storage = chain.storage();
    // A block begins with its header.
    let read = |bytes: &[u8]| Header::decode(&mut &bytes[..]);
    let found = match storage.block_with(number, read)? {
        Some(found) => Some(found),
        None => storage.header(number)?.map(|bytes| read(&bytes)),
    };
    found
        .ok_or(CertificateError::NotKept { number })?
        .map_err(|_| CertificateError::Odd { what: "the header", number })
}

fn set_change(header: &Header) -> Result<SetChange, CertificateError> {
    let found = header.digest.logs.iter().find_map(|item| match item {
        DigestItem::Consensus(SET_DIGEST, bytes) => SetChange::decode_all(&mut &bytes[..]).ok(),
        _ => None,
    });
    found.ok_or(CertificateError::Odd {
        what: "the change of the validators",
        number: header.number,
    })
}

#[cfg(test)]
mod tests;

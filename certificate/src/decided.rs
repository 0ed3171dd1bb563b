//! Headers and who decided them.

use crate::CertificateError;
use billchain_consensus::CommitCertificate;
use billchain_executor::Chain;
use billchain_primitives::{BlockNumber, Header, sm3};
use billchain_runtime::Runtime;
use billchain_verifier::make::Decided;
use codec::{Decode, DecodeAll, Encode};
use pallet_participation::{LastSetChange, SET_DIGEST, SetChange};
use sp_runtime::DigestItem;

/// Accounts of validators' keys, in the order of their set.
type Accounts = Vec<[u8; 32]>;

/// The headers that named other validators, and those whom they named.
#[derive(Clone, Default)]
pub(crate) struct Headers {
    /// The genesis' set, and that of each change; empty until it was read.
    sets: Vec<(BlockNumber, Accounts)>,
    /// Each change, decided by the set before it.
    changes: Vec<Decided>,
    /// The encoded header of the genesis; empty until it was read.
    genesis: Vec<u8>,
    /// The block up to which the changes are known.
    followed: BlockNumber,
}

impl Headers {
    /// The genesis, and the changes before block `number`.
    pub(crate) fn before(
        &mut self,
        chain: &Chain,
        number: BlockNumber,
    ) -> Result<Self, CertificateError> {
        if self.sets.is_empty() || number > self.followed {
            self.follow(chain)?;
        }
        let mut before = self.clone();
        let kept = before.sets.partition_point(|(from, _)| *from < number).max(1);
        before.sets.truncate(kept);
        before.changes.truncate(kept - 1);
        Ok(before)
    }

    /// The changes, ascending.
    pub(crate) fn changes(&self) -> Vec<Decided> {
        self.changes.clone()
    }

    /// The encoded header of the genesis, which nobody decides.
    pub(crate) fn genesis(&self) -> Vec<u8> {
        self.genesis.clone()
    }

    /// A block of which the changes before it are known, and who decided it.
    pub(crate) fn decided(
        &self,
        chain: &Chain,
        number: BlockNumber,
    ) -> Result<Decided, CertificateError> {
        let odd = CertificateError::Odd { what: "the commit certificate", number };
        // A change counts from the next block on.
        let at = self.sets.partition_point(|(from, _)| *from < number);
        let Some((_, set)) = at.checked_sub(1).and_then(|at| self.sets.get(at)) else {
            return Err(odd);
        };
        let certificate = chain.storage().certificate(number)?;
        let certificate = certificate.ok_or(CertificateError::NotKept { number })?;
        let Ok(certificate) = CommitCertificate::from_bytes(&certificate) else {
            return Err(odd);
        };
        let place =
            |account: &[u8; 32]| u8::try_from(set.iter().position(|known| known == account)?).ok();
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

    /// Reads the changes that are not known yet.
    fn follow(&mut self, chain: &Chain) -> Result<(), CertificateError> {
        if self.sets.is_empty() {
            let genesis = header(chain, 0)?;
            let change = set_change(&genesis)?;
            self.genesis = genesis.encode();
            self.sets.push((0, accounts(&change)));
        }
        // The state that is read next is this block's or a later one's.
        let head = chain.storage().head().number;
        let known = self.sets.last().map_or(0, |(number, _)| *number);
        let mut number = chain.read(LastSetChange::<Runtime>::get)?;
        let mut found = Vec::new();
        while number > known {
            let change = set_change(&header(chain, number)?)?;
            let previous = change.previous.min(number - 1);
            found.push((number, change));
            number = previous;
        }
        for (number, change) in found.into_iter().rev() {
            let decided = self.decided(chain, number)?;
            self.changes.push(decided);
            self.sets.push((number, accounts(&change)));
        }
        self.followed = head;
        Ok(())
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

fn accounts(change: &SetChange) -> Accounts {
    change.validators.iter().map(|(key, _)| sm3(key)).collect()
}

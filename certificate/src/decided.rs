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
}

impl Headers {
    /// The changes up to the head, and of those the ones before block `number`.
    pub(crate) fn before(
        &mut self,
        chain: &Chain,
        number: BlockNumber,
    ) -> Result<Self, CertificateError> {
        self.follow(chain)?;
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

    /// The encoded header of the genesis.
    pub(crate) fn genesis(&self, chain: &Chain) -> Result<Vec<u8>, CertificateError> {
        header(chain, 0).map(|header| header.encode())
    }

    /// A block, and who decided it; nobody decides the genesis.
    pub(crate) fn at(
        &mut self,
        chain: &Chain,
        number: BlockNumber,
    ) -> Result<Decided, CertificateError> {
        if number == 0 {
            return Ok(Decided { header: self.genesis(chain)?, round: 0, signatures: Vec::new() });
        }
        self.follow(chain)?;
        self.decided(chain, number)
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
            let change = set_change(&header(chain, 0)?)?;
            self.sets.push((0, accounts(&change)));
        }
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
        Ok(())
    }
}

/// A header, of a block that is kept whole or not.
fn header(chain: &Chain, number: BlockNumber) -> Result<Header, CertificateError> {
    let storage = chain.storage();
    let bytes = match storage.block(number)? {
        Some(block) => Some(block),
        None => storage.header(number)?,
    };
    let bytes = bytes.ok_or(CertificateError::NotKept { number })?;
    Header::decode(&mut &bytes[..])
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

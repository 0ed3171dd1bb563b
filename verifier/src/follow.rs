//! One block at a time, for whoever follows a chain: who decides it, that they did, and what
//! its state holds of a key.

use crate::{
    Block, Digest, Refusal,
    certificate::{AT_GENESIS, FORMAT, LATER, MAGIC, MAX_BYTES},
    decision::{Decision, SetChange, Validators},
    header::Header,
    make,
    place::Roots,
    reader::Reader,
    sm3,
};
use alloc::vec::Vec;

/// A header with the signatures that are said to have decided its block: a *decided header*
/// of `docs/certificates.md`. Whether they did, [`Deciders::check`] says.
pub struct DecidedHeader<'a> {
    bytes: &'a [u8],
    header: Header<'a>,
    decision: Decision<'a>,
}

impl<'a> DecidedHeader<'a> {
    /// Reads one, and nothing behind it.
    ///
    /// # Errors
    /// The bytes are not in the form.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, "decided header");
        let decided = Self::read_from(&mut reader)?;
        reader.end()?;
        Ok(decided)
    }

    fn read_from(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let before = reader.rest();
        let header = Header::read(reader.bytes()?)?;
        let decision = Decision::read(reader)?;
        let length = before.len().saturating_sub(reader.rest().len());
        let bytes = before.get(..length).unwrap_or_default();
        Ok(Self { bytes, header, decision })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The block; its hash is SM3 of the header.
    pub fn block(&self) -> Block {
        Block { number: self.header.number, hash: self.header.hash }
    }

    /// Hash of the block before. Of the genesis it means nothing.
    pub fn parent(&self) -> Digest {
        self.header.parent
    }

    /// Root of the state after the block.
    pub fn state_root(&self) -> Digest {
        self.header.state_root
    }

    /// The validators that it names for the blocks after it, if it does.
    ///
    /// # Errors
    /// What it says of them is not in the form.
    pub fn names(&self) -> Result<Option<Deciders>, Refusal> {
        self.header.set_change.map(|item| Deciders::read(self.block(), item)).transpose()
    }
}

/// The validators that decide the blocks after one whose header named them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciders {
    named_in: Block,
    item: Vec<u8>,
    previous: u32,
    validators: Validators,
}

impl Deciders {
    /// Reads what the header of a block says of them: its digest item `BCVS`, without the name
    /// and the length.
    ///
    /// # Errors
    /// The bytes are not in the form.
    pub fn read(named_in: Block, item: &[u8]) -> Result<Self, Refusal> {
        let SetChange { previous, validators } = SetChange::read(item)?;
        Ok(Self { named_in, item: item.to_vec(), previous, validators })
    }

    /// The digest item.
    pub fn item(&self) -> &[u8] {
        &self.item
    }

    /// The block whose header named them.
    pub fn named_in(&self) -> Block {
        self.named_in
    }

    /// The block before it whose header named validators; 0 for the genesis.
    pub fn previous(&self) -> u32 {
        self.previous
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.validators.count()
    }

    /// That they decided a block of the chain with this genesis, and that no other change of
    /// the validators is between, if the block's header names validators.
    ///
    /// # Errors
    /// What is wrong with the signatures, or with the change.
    pub fn check(&self, genesis: &Digest, decided: &DecidedHeader<'_>) -> Result<(), Refusal> {
        let (number, expected) = (decided.header.number, self.named_in.number);
        if number <= expected {
            let what = "the block is not after the one that named its validators";
            return Err(Refusal::Contradiction { what });
        }
        if let Some(Self { previous, .. }) = decided.names()?
            && previous != expected
        {
            return Err(Refusal::Gap { number, previous, expected });
        }
        decided.decision.verify(genesis, &decided.header, &self.validators)
    }
}

/// The head of a certificate: the block whose state it proves. Nothing is checked.
///
/// # Errors
/// The bytes up to there are not in the form.
pub fn head_of(certificate: &[u8]) -> Result<DecidedHeader<'_>, Refusal> {
    let mut reader = Reader::new(certificate, "certificate");
    if certificate.len() > MAX_BYTES || reader.array()? != MAGIC {
        return Err(reader.refusal("it is longer than 1 MiB, or does not begin with BCPF"));
    }
    let found = reader.byte()?;
    if found != FORMAT {
        return Err(Refusal::Format { found });
    }
    // The kind, the header of the genesis, and that of a later start.
    reader.byte()?;
    reader.bytes()?;
    match reader.byte()? {
        AT_GENESIS => {}
        LATER => {
            reader.bytes()?;
        }
        _ => return Err(reader.refusal("whether it starts at the genesis is not said")),
    }
    for _ in 0..reader.u16()? {
        DecidedHeader::read_from(&mut reader)?;
    }
    DecidedHeader::read_from(&mut reader)
}

/// What the state with this root holds under `key`, by a *key proof* of
/// `docs/certificates.md`; none if the key has no value.
///
/// # Errors
/// The proof is not in the form, or proves nothing of the key under this root.
pub fn value_of<'a>(
    proof: &'a [u8],
    key: &[u8],
    state_root: &Digest,
) -> Result<Option<&'a [u8]>, Refusal> {
    let mut reader = Reader::new(proof, "proof of a key");
    let Some((last, shared)) = key.split_last() else {
        return Err(Refusal::Contradiction { what: "a key of the state is not empty" });
    };
    let roots = Roots::read_of(state_root, &mut reader)?;
    let digest = roots.group(&mut reader, shared)?.and_then(|group| group.value(*last));
    let value = digest.map(|digest| value(&mut reader, &digest)).transpose()?;
    reader.end()?;
    Ok(value)
}

/// Reads a value after its length (4), whose digest the group has.
fn value<'a>(reader: &mut Reader<'a>, digest: &Digest) -> Result<&'a [u8], Refusal> {
    let length = reader.u32()?;
    let value = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    if sm3(&[value]) == *digest {
        Ok(value)
    } else {
        Err(Refusal::Contradiction { what: "the value is not that of its group" })
    }
}

/// Makes a key proof: of what the state root is made, where the key's group is, and the value, if
/// the key has one.
pub fn key_proof(roots: &make::Roots, place: &make::Place, value: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    roots.put(&mut bytes);
    place.put(&mut bytes);
    if let Some(value) = value {
        // A value that is longer than the length can say is refused by whoever reads it.
        bytes.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(value);
    }
    bytes
}

#[cfg(test)]
mod tests;

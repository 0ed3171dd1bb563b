//! Payer references, and the opening that shows whose a reference is.

use crate::{
    Blinding, Error, Evaluation, Identity, Proof, PublicKeys,
    group::{ELEMENT_LEN, Element, SCALAR_LEN, Secret},
    proof::PROOF_LEN,
};
use core::fmt;

const VERSION: u8 = 1;
/// Bytes of one operator's part of an opening.
const PART_LEN: usize = 1 + ELEMENT_LEN + PROOF_LEN;
/// Bytes of an opening before those parts.
const HEAD_LEN: usize = 2 + SCALAR_LEN;

/// How a payer appears on the chain: an x coordinate of P-256, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference([u8; SCALAR_LEN]);

impl Reference {
    /// Reads one from the chain.
    ///
    /// # Errors
    /// [`Error::Reference`] for bytes that are of no point: about half of all. Whoever
    /// registers such bytes shows that no key made them.
    pub fn from_bytes(bytes: [u8; SCALAR_LEN]) -> Result<Self, Error> {
        Element::from_x(&bytes, 0).map(|_| Self(bytes)).ok_or(Error::Reference)
    }

    /// The bytes on the chain.
    pub fn to_bytes(self) -> [u8; SCALAR_LEN] {
        self.0
    }

    pub(crate) fn of(element: &Element) -> Self {
        Self(element.x())
    }

    /// The point with an even y. Which of the two it is makes no difference: multiples of
    /// both have one x coordinate.
    pub(crate) fn element(&self) -> Result<Element, Error> {
        Element::from_x(&self.0, 0).ok_or(Error::Reference)
    }
}

impl fmt::Display for Reference {
    /// `0x` and 64 digits, as JSON-RPC has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

/// Shows whoever knows an identity that a reference is its own: the blind and the
/// operators' answers with their proofs. It says nothing to whoever does not know the
/// identity, but lets them test identities against the reference: it is as private as
/// the identity number, and never goes on the chain.
#[derive(Clone, Debug)]
pub struct Opening {
    blind: Secret,
    answers: Vec<Evaluation>,
}

impl Opening {
    /// Keeps the first answers, as many as are needed.
    pub(crate) fn new(
        blind: Secret,
        keys: &PublicKeys,
        answers: &[Evaluation],
    ) -> Result<Self, Error> {
        let mut kept: Vec<Evaluation> = Vec::new();
        for answer in answers {
            if kept.len() == usize::from(keys.threshold()) {
                break;
            }
            if kept.iter().all(|other| other.index != answer.index) {
                kept.push(answer.clone());
            }
        }
        Ok(Self { blind, answers: kept })
    }

    /// The reference of this identity, if the opening is its own and every proof holds.
    ///
    /// # Errors
    /// [`Error::Proof`] if it is another's or was changed, and those of the keys.
    pub fn reference(&self, keys: &PublicKeys, identity: &Identity) -> Result<Reference, Error> {
        let blinding = Blinding::with(vec![self.blind.clone()], &[identity.input()])?;
        let references = blinding.references(keys, &self.answers)?;
        references.first().copied().ok_or(Error::BatchSize { found: 0 })
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Error::Encoding`], [`Error::Scalar`] and [`Error::Element`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |problem, at| Error::Encoding { what: "opening", problem, at };
        if bytes.len() < HEAD_LEN {
            return Err(wrong("expected at least 34 bytes", bytes.len()));
        }
        if bytes[0] != VERSION {
            return Err(wrong("expected version 1", 0));
        }
        let parts = usize::from(bytes[1]);
        if parts == 0 || parts > crate::MAX_SHARES {
            return Err(wrong("expected 1 to 16 operators", 1));
        }
        let (head, rest) = bytes.split_at(HEAD_LEN);
        if rest.len() != parts * PART_LEN {
            return Err(wrong("the length is not that of its operators", bytes.len()));
        }
        let answers = rest.chunks(PART_LEN).map(|part| -> Result<Evaluation, Error> {
            let (element, proof) = part[1..].split_at(ELEMENT_LEN);
            Ok(Evaluation {
                index: part[0],
                elements: vec![Element::from_bytes(element)?],
                proof: Proof::from_bytes(proof)?,
            })
        });
        Ok(Self {
            blind: Secret::from_bytes(&head[2..])?,
            answers: answers.collect::<Result<_, _>>()?,
        })
    }

    /// Version 1; the number of operators; the blind, 32 bytes; then of each operator its
    /// number, 1 byte, its answer, 33, and its proof, 64.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts = u8::try_from(self.answers.len()).expect("a threshold is less");
        let mut bytes = vec![VERSION, parts];
        bytes.extend(&self.blind.to_bytes()[..]);
        for answer in &self.answers {
            bytes.push(answer.index);
            bytes.extend(answer.elements[0].to_bytes());
            bytes.extend(answer.proof.to_bytes());
        }
        bytes
    }
}

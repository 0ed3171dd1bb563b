//! The asker's side: identities are blinded, answers checked and unblinded.
//!
//! A blinded element is the hash of an identity times a random scalar: it is distributed
//! as any element, whatever the identity is, so that whoever evaluates it learns nothing.

use crate::{
    Error, Evaluation, Identity, MAX_BATCH, Opening, PublicKeys, Reference,
    evaluation::combine,
    group::{Element, Secret, hash_to_group},
    keys::CONTEXT,
};
use p256::ProjectivePoint;

/// A batch of identities, blinded.
#[derive(Debug)]
pub struct Blinding {
    blinds: Vec<Secret>,
    elements: Vec<Element>,
}

impl Blinding {
    /// Blinds 1 to [`MAX_BATCH`] identities.
    ///
    /// # Errors
    /// [`Error::BatchSize`], [`Error::Random`].
    pub fn new(identities: &[Identity]) -> Result<Self, Error> {
        if identities.is_empty() || identities.len() > MAX_BATCH {
            return Err(Error::BatchSize { found: identities.len() });
        }
        let blinds =
            identities.iter().map(|_| Secret::random()).collect::<Result<Vec<_>, Error>>()?;
        let inputs: Vec<Vec<u8>> = identities.iter().map(Identity::input).collect();
        Self::with(blinds, &inputs)
    }

    /// Blinds inputs of RFC 9497 with these blinds.
    pub(crate) fn with(blinds: Vec<Secret>, inputs: &[Vec<u8>]) -> Result<Self, Error> {
        let points = inputs
            .iter()
            .zip(&blinds)
            .map(|(input, blind)| Ok(hash_to_group(CONTEXT, input)?.point() * blind.scalar()))
            .collect::<Result<Vec<ProjectivePoint>, Error>>()?;
        Ok(Self { blinds, elements: Element::all_of(&points)? })
    }

    /// What the operators are asked, in the order of the identities.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The references, of the answers of enough operators.
    ///
    /// # Errors
    /// [`Error::Purpose`] for keys of a rotation, and those of [`combine`].
    pub fn references(
        &self,
        keys: &PublicKeys,
        answers: &[Evaluation],
    ) -> Result<Vec<Reference>, Error> {
        Ok(self.unblinded(keys, answers)?.iter().map(Reference::of).collect())
    }

    pub(crate) fn unblinded(
        &self,
        keys: &PublicKeys,
        answers: &[Evaluation],
    ) -> Result<Vec<Element>, Error> {
        keys.expect_evaluation()?;
        let evaluated = combine(keys, &self.elements, answers)?;
        let points: Vec<ProjectivePoint> = evaluated
            .iter()
            .zip(&self.blinds)
            .map(|(element, blind)| element.point() * *blind.inverse())
            .collect();
        Element::all_of(&points)
    }

    /// The opening of a batch of one: with it, whoever knows the identity can check whose
    /// the reference is.
    ///
    /// # Errors
    /// [`Error::BatchSize`] for a larger batch, and those of [`combine`].
    pub fn opening(self, keys: &PublicKeys, answers: &[Evaluation]) -> Result<Opening, Error> {
        let [blind] = &self.blinds[..] else {
            return Err(Error::BatchSize { found: self.blinds.len() });
        };
        keys.expect_evaluation()?;
        combine(keys, &self.elements, answers)?;
        Opening::new(blind.clone(), keys, answers)
    }
}

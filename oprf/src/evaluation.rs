//! What an operator answers, and how the answers of enough operators become one.
//!
//! An answer is checked before it counts: one operator can withhold an answer but not
//! falsify it.

use crate::{
    Error, MAX_BATCH, Proof,
    group::Element,
    keys::{KeyShare, PublicKeys, interpolate, lagrange},
    reference::Reference,
};
use p256::ProjectivePoint;

/// An operator's answer to a batch of elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The operator's number, from 1.
    pub index: u8,
    /// Its share times each element that was asked, in their order.
    pub elements: Vec<Element>,
    /// The proof of that.
    pub proof: Proof,
}

impl Evaluation {
    /// Answers as the operator whose share it is: 1 to [`MAX_BATCH`] elements.
    ///
    /// # Errors
    /// [`Error::BatchSize`], [`Error::Operator`] for a share that the keys do not know,
    /// [`Error::Random`].
    pub fn answer(keys: &PublicKeys, share: &KeyShare, asked: &[Element]) -> Result<Self, Error> {
        if asked.is_empty() || asked.len() > MAX_BATCH {
            return Err(Error::BatchSize { found: asked.len() });
        }
        let statement = keys.statement(share.index)?;
        let points: Vec<ProjectivePoint> =
            asked.iter().map(|element| element.point() * share.secret.scalar()).collect();
        let elements = Element::all_of(&points)?;
        let proof = statement.prove(&share.secret, asked, &elements)?;
        Ok(Self { index: share.index, elements, proof })
    }

    /// Fails if the operator's key did not make this answer to `asked`.
    pub fn check(&self, keys: &PublicKeys, asked: &[Element]) -> Result<(), Error> {
        let statement = keys.statement(self.index)?;
        if !statement.is_proved_by(&self.proof, asked, &self.elements)? {
            return Err(Error::Proof { index: self.index });
        }
        Ok(())
    }
}

/// Checks every answer and combines as many as are needed: the key times each element.
///
/// # Errors
/// Those of [`Evaluation::check`] for the first answer that is wrong, and
/// [`Error::TooFewShares`].
pub fn combine(
    keys: &PublicKeys,
    asked: &[Element],
    answers: &[Evaluation],
) -> Result<Vec<Element>, Error> {
    let mut chosen: Vec<&Evaluation> = Vec::new();
    for answer in answers {
        if chosen.len() == usize::from(keys.threshold()) {
            break;
        }
        if chosen.iter().any(|other| other.index == answer.index) {
            continue;
        }
        answer.check(keys, asked)?;
        chosen.push(answer);
    }
    if chosen.len() < usize::from(keys.threshold()) {
        return Err(Error::TooFewShares { expected: keys.threshold(), found: chosen.len() });
    }
    let [only] = &chosen[..] else {
        let numbers: Vec<u8> = chosen.iter().map(|answer| answer.index).collect();
        let weights: Vec<_> =
            chosen.iter().map(|answer| lagrange(&numbers, answer.index, 0)).collect();
        let points: Vec<ProjectivePoint> = (0..asked.len())
            .map(|at| {
                let parts = chosen.iter().map(|answer| answer.elements[at]);
                interpolate(&parts.zip(weights.iter().copied()).collect::<Vec<_>>())
            })
            .collect();
        return Element::all_of(&points);
    };
    // With a threshold of 1 every share is the key itself.
    Ok(only.elements.clone())
}

/// The elements to ask for when references of an old key become those of a new one.
///
/// # Errors
/// [`Error::Reference`] for one that no key made.
pub fn elements_of(references: &[Reference]) -> Result<Vec<Element>, Error> {
    references.iter().map(Reference::element).collect()
}

/// The new references of old ones: `ratio` is the rotation's, `answers` the operators'
/// to [`elements_of`] the old ones. Anybody who has all of them can check them so.
///
/// # Errors
/// [`Error::Purpose`] if the keys do not rotate, and those of [`combine`].
pub fn rotated(
    ratio: &PublicKeys,
    old: &[Reference],
    answers: &[Evaluation],
) -> Result<Vec<Reference>, Error> {
    ratio.expect_rotation()?;
    let new = combine(ratio, &elements_of(old)?, answers)?;
    Ok(new.iter().map(Reference::of).collect())
}

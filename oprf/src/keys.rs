//! Keys: split among operators by Shamir's method, checked in public, rotated.
//!
//! One operator that has the whole key is the case 1 of 1. An operator's public key is its
//! share times the base; the common public key is the secret times the base. The base is
//! the generator for keys that make references, and the old public key for those that
//! turn old references into new ones: their secret is the ratio of both keys.

use crate::{
    Error, MAX_SHARES,
    group::{ELEMENT_LEN, Element, Secret, sum},
    proof::Statement,
};
use p256::{ProjectivePoint, Scalar, elliptic_curve::Field};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// RFC 9497's context string: VOPRF mode, suite P256-SHA256.
pub const CONTEXT: &[u8] = b"OPRFV1-\x01-P256-SHA256";
/// The context of rotation, before the old public key.
const ROTATION: &[u8] = b"BillChain-ReferenceRotation-V1-P256-SHA256-";
const VERSION: u8 = 1;

/// What keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// They make references of identities.
    Evaluate,
    /// They make references of those of an older key.
    Rotate {
        /// The older common public key.
        from: Element,
    },
}

impl Purpose {
    /// In words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Evaluate => "evaluation",
            Self::Rotate { .. } => "rotation",
        }
    }

    fn base(&self) -> Element {
        match self {
            Self::Evaluate => Element::GENERATOR,
            Self::Rotate { from } => *from,
        }
    }
}

/// The public part of a key and of its shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    purpose: Purpose,
    threshold: u8,
    group: Element,
    shares: Vec<Element>,
    context: Vec<u8>,
}

impl PublicKeys {
    /// Puts public keys together: `shares` in the order of the operators, 1 first.
    ///
    /// # Errors
    /// [`Error::Threshold`] and [`Error::InconsistentKeys`] if they are no division of
    /// one secret of which any `threshold` operators have enough and fewer do not.
    pub fn new(
        purpose: Purpose,
        threshold: u8,
        group: Element,
        shares: Vec<Element>,
    ) -> Result<Self, Error> {
        division(threshold, shares.len())?;
        let context = match purpose {
            Purpose::Evaluate => CONTEXT.to_vec(),
            Purpose::Rotate { from } => [ROTATION, &from.to_bytes()].concat(),
        };
        let keys = Self { purpose, threshold, group, shares, context };
        // The first shares say what the others and the common key have to be.
        let first: Vec<u8> = (1..=threshold).collect();
        for (at, expected) in keys.numbers().map(|(n, key)| (n, *key)).chain([(0, group)]) {
            let terms: Vec<_> = first
                .iter()
                .map(|index| {
                    (keys.shares[usize::from(*index) - 1].point(), lagrange(&first, *index, at))
                })
                .collect();
            if sum(&terms) != expected.point() {
                return Err(Error::InconsistentKeys);
            }
        }
        Ok(keys)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Error::Encoding`] and those of [`Self::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |problem, at| Error::Encoding { what: "public keys", problem, at };
        let [version, purpose, threshold, operators, rest @ ..] = bytes else {
            return Err(wrong("expected at least 4 bytes", bytes.len()));
        };
        if *version != VERSION {
            return Err(wrong("expected version 1", 0));
        }
        let rotates = match purpose {
            0 => 0,
            1 => 1,
            _ => return Err(wrong("expected purpose 0 or 1", 1)),
        };
        division(*threshold, usize::from(*operators))?;
        let count = rotates + 1 + usize::from(*operators);
        if rest.len() != count * ELEMENT_LEN {
            return Err(wrong("the length is not that of its keys", bytes.len()));
        }
        let elements: Vec<Element> =
            rest.chunks(ELEMENT_LEN).map(Element::from_bytes).collect::<Result<_, _>>()?;
        let (from, elements) = elements.split_at(rotates);
        let purpose =
            from.first().map_or(Purpose::Evaluate, |from| Purpose::Rotate { from: *from });
        Self::new(purpose, *threshold, elements[0], elements[1..].to_vec())
    }

    /// Version 1; purpose (0 evaluation, 1 rotation); threshold; operators; then elements
    /// of 33 bytes: the old key of a rotation, the common key, each operator's.
    pub fn to_bytes(&self) -> Vec<u8> {
        let operators = u8::try_from(self.shares.len()).expect("MAX_SHARES is less");
        let mut bytes = vec![VERSION, 0, self.threshold, operators];
        if let Purpose::Rotate { from } = self.purpose {
            bytes[1] = 1;
            bytes.extend(from.to_bytes());
        }
        bytes.extend(self.group.to_bytes());
        self.shares.iter().for_each(|share| bytes.extend(share.to_bytes()));
        bytes
    }

    /// A short name: the first 8 bytes of SHA-256 of purpose and common key, in hex.
    /// Other shares of the same key have the same name.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.context);
        hash.update(self.group.to_bytes());
        hex::encode(&hash.finalize()[..8])
    }

    /// What they are for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// How many operators have to answer.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// How many operators there are.
    pub fn operators(&self) -> usize {
        self.shares.len()
    }

    /// The common public key.
    pub fn group(&self) -> Element {
        self.group
    }

    /// Fails if the keys are for something else.
    pub(crate) fn expect_evaluation(&self) -> Result<(), Error> {
        match self.purpose {
            Purpose::Evaluate => Ok(()),
            other => Err(Error::Purpose { expected: "evaluation", found: other.name() }),
        }
    }

    pub(crate) fn expect_rotation(&self) -> Result<(), Error> {
        match self.purpose {
            Purpose::Rotate { .. } => Ok(()),
            other => Err(Error::Purpose { expected: "rotation", found: other.name() }),
        }
    }

    /// What the proofs of an operator are about.
    pub(crate) fn statement(&self, index: u8) -> Result<Statement<'_>, Error> {
        let unknown = Error::Operator { index, operators: self.shares.len() };
        let at = usize::from(index).checked_sub(1).ok_or(unknown)?;
        let public = *self.shares.get(at).ok_or(unknown)?;
        Ok(Statement { context: &self.context, base: self.purpose.base(), public })
    }

    fn numbers(&self) -> impl Iterator<Item = (u8, &Element)> {
        (1u8..).zip(&self.shares)
    }

    /// Fails if the share is not its operator's.
    pub fn check(&self, share: &KeyShare) -> Result<(), Error> {
        let statement = self.statement(share.index)?;
        if share.secret.times(&statement.base) != statement.public {
            return Err(Error::ForeignShare { index: share.index });
        }
        Ok(())
    }

    /// The secret, of enough shares. Only the ceremonies of [`reshare`] and [`rotate`]
    /// put it together, on a machine without a network.
    fn secret(&self, shares: &[KeyShare]) -> Result<Secret, Error> {
        let mut chosen: Vec<&KeyShare> = Vec::new();
        for share in shares {
            self.check(share)?;
            if chosen.iter().all(|other| other.index != share.index) {
                chosen.push(share);
            }
        }
        if chosen.len() < usize::from(self.threshold) {
            return Err(Error::TooFewShares { expected: self.threshold, found: chosen.len() });
        }
        let numbers: Vec<u8> = chosen.iter().map(|share| share.index).collect();
        let secret = chosen
            .iter()
            .map(|share| lagrange(&numbers, share.index, 0) * share.secret.scalar())
            .fold(Scalar::ZERO, |sum, term| sum + term);
        Secret::new(secret).ok_or(Error::Infinity)
    }
}

/// An operator's share of a key.
#[derive(Clone, Debug)]
pub struct KeyShare {
    /// The operator's number, from 1.
    pub index: u8,
    /// The share.
    pub secret: Secret,
}

/// What a rotation makes.
#[derive(Debug)]
pub struct Rotation {
    /// The new keys, for new references.
    pub keys: PublicKeys,
    /// The operators' shares of them.
    pub shares: Vec<KeyShare>,
    /// The keys that turn references of the old key into those of the new one.
    pub ratio: PublicKeys,
    /// The operators' shares of them.
    pub ratio_shares: Vec<KeyShare>,
}

/// A new key of which any `threshold` of `operators` have enough.
pub fn generate(threshold: u8, operators: u8) -> Result<(PublicKeys, Vec<KeyShare>), Error> {
    split(&Secret::random()?, Purpose::Evaluate, threshold, operators)
}

/// New shares of the same key, after which the old ones are worth nothing together with
/// fewer than the old threshold of themselves. References stay what they are.
pub fn reshare(
    keys: &PublicKeys,
    shares: &[KeyShare],
    threshold: u8,
    operators: u8,
) -> Result<(PublicKeys, Vec<KeyShare>), Error> {
    split(&keys.secret(shares)?, keys.purpose, threshold, operators)
}

/// A new key, and the ratio to the old one, which makes new references of old ones.
pub fn rotate(
    keys: &PublicKeys,
    shares: &[KeyShare],
    threshold: u8,
    operators: u8,
) -> Result<Rotation, Error> {
    keys.expect_evaluation()?;
    let old = keys.secret(shares)?;
    let new = Secret::random()?;
    let ratio = Secret::new(*old.inverse() * new.scalar()).ok_or(Error::Infinity)?;
    let purpose = Purpose::Rotate { from: keys.group };
    let (new_keys, new_shares) = split(&new, Purpose::Evaluate, threshold, operators)?;
    let (ratio, ratio_shares) = split(&ratio, purpose, threshold, operators)?;
    Ok(Rotation { keys: new_keys, shares: new_shares, ratio, ratio_shares })
}

/// Shares a secret: a random polynomial of degree t - 1, whose value at 0 it is.
fn split(
    secret: &Secret,
    purpose: Purpose,
    threshold: u8,
    operators: u8,
) -> Result<(PublicKeys, Vec<KeyShare>), Error> {
    division(threshold, usize::from(operators))?;
    let base = purpose.base();
    // A share of zero is as unlikely as a broken key; another polynomial has none.
    let shares = loop {
        let mut coefficients = vec![secret.clone()];
        for _ in 1..threshold {
            coefficients.push(Secret::random()?);
        }
        let share = |index| {
            let value = polynomial(&coefficients, index);
            Secret::new(*value).map(|secret| KeyShare { index, secret })
        };
        if let Some(shares) = (1..=operators).map(share).collect::<Option<Vec<_>>>() {
            break shares;
        }
    };
    let public = shares.iter().map(|share| share.secret.times(&base)).collect();
    Ok((PublicKeys::new(purpose, threshold, secret.times(&base), public)?, shares))
}

fn polynomial(coefficients: &[Secret], at: u8) -> Zeroizing<Scalar> {
    let at = Scalar::from(u64::from(at));
    let mut value = Zeroizing::new(Scalar::ZERO);
    for coefficient in coefficients.iter().rev() {
        let mut next = *value * at + coefficient.scalar();
        *value = next;
        next.zeroize();
    }
    value
}

fn division(threshold: u8, operators: usize) -> Result<(), Error> {
    if threshold == 0 || usize::from(threshold) > operators || operators > MAX_SHARES {
        return Err(Error::Threshold { threshold, operators });
    }
    Ok(())
}

/// The weight of operator `of`'s share for the polynomial's value at `at`, when the
/// operators `among`, all different, give theirs.
pub(crate) fn lagrange(among: &[u8], of: u8, at: u8) -> Scalar {
    let scalar = |index: u8| Scalar::from(u64::from(index));
    let others = among.iter().filter(|other| **other != of);
    let (above, below) = others.fold((Scalar::ONE, Scalar::ONE), |(above, below), other| {
        (above * (scalar(at) - scalar(*other)), below * (scalar(of) - scalar(*other)))
    });
    let inverse: Option<Scalar> = Field::invert(&below).into();
    above * inverse.expect("the operators are different and fewer than the group's order")
}

/// The weighted sum of one element of each operator: the secret's own multiple.
pub(crate) fn interpolate(terms: &[(Element, Scalar)]) -> ProjectivePoint {
    let terms: Vec<_> = terms.iter().map(|(element, weight)| (element.point(), *weight)).collect();
    sum(&terms)
}

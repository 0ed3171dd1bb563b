//! The proof that one secret made many answers: RFC 9497, section 2.2.
//!
//! It shows `log(base) of public = log(input) of output` for every pair of a batch and
//! nothing else of the secret. The challenge binds the public key, every input and every
//! output. For a base other than the generator the base is part of the context.

use crate::{
    Error, MAX_BATCH,
    group::{Element, SCALAR_LEN, Secret, hash_to_scalar, scalar_bytes, scalar_from, sum},
};
use core::fmt;
use p256::{ProjectivePoint, Scalar};
use sha2::{Digest, Sha256};

/// Bytes of a proof: challenge and response.
pub const PROOF_LEN: usize = 2 * SCALAR_LEN;

/// A non-interactive proof of equal logarithms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    challenge: Scalar,
    response: Scalar,
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof({})", hex::encode(self.to_bytes()))
    }
}

impl Proof {
    /// Reads 64 bytes: challenge ‖ response, each 32 bytes big-endian.
    ///
    /// # Errors
    /// [`Error::Encoding`] for another length and scalars that are not canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |problem, at| Error::Encoding { what: "proof", problem, at };
        if bytes.len() != PROOF_LEN {
            return Err(wrong("expected 64 bytes", bytes.len().min(PROOF_LEN)));
        }
        let (challenge, response) = bytes.split_at(SCALAR_LEN);
        Ok(Self {
            challenge: scalar_from(challenge).ok_or(wrong("no scalar", 0))?,
            response: scalar_from(response).ok_or(wrong("no scalar", SCALAR_LEN))?,
        })
    }

    /// The 64 bytes.
    pub fn to_bytes(&self) -> [u8; PROOF_LEN] {
        let mut bytes = [0; PROOF_LEN];
        bytes[..SCALAR_LEN].copy_from_slice(&scalar_bytes(&self.challenge));
        bytes[SCALAR_LEN..].copy_from_slice(&scalar_bytes(&self.response));
        bytes
    }
}

/// What a proof is about, apart from the batch.
pub(crate) struct Statement<'a> {
    /// The context string, which separates uses from one another.
    pub(crate) context: &'a [u8],
    /// What the public key is a multiple of.
    pub(crate) base: Element,
    /// The public key.
    pub(crate) public: Element,
}

impl Statement<'_> {
    /// Proves that `secret` made each output of its input.
    pub(crate) fn prove(
        &self,
        secret: &Secret,
        inputs: &[Element],
        outputs: &[Element],
    ) -> Result<Proof, Error> {
        self.prove_with(secret, inputs, outputs, &Secret::random()?)
    }

    /// As [`Self::prove`] with this nonce, which must be used once.
    pub(crate) fn prove_with(
        &self,
        secret: &Secret,
        inputs: &[Element],
        outputs: &[Element],
        nonce: &Secret,
    ) -> Result<Proof, Error> {
        let weights = self.weights(inputs, outputs)?;
        let m = composite(inputs, &weights)?;
        let z = secret.times(&m);
        let challenge = self.challenge(&m, &z, &nonce.times(&self.base), &nonce.times(&m));
        let response = *nonce.scalar() - challenge * secret.scalar();
        Ok(Proof { challenge, response })
    }

    /// Whether the proof holds of this batch.
    pub(crate) fn is_proved_by(
        &self,
        proof: &Proof,
        inputs: &[Element],
        outputs: &[Element],
    ) -> Result<bool, Error> {
        let weights = self.weights(inputs, outputs)?;
        let (m, z) = (composite(inputs, &weights)?, composite(outputs, &weights)?);
        let (c, s) = (proof.challenge, proof.response);
        let t2 = sum(&[(self.base.point(), s), (self.public.point(), c)]);
        let t3 = sum(&[(m.point(), s), (z.point(), c)]);
        let (Some(t2), Some(t3)) = (Element::of(&t2), Element::of(&t3)) else {
            return Ok(false);
        };
        Ok(self.challenge(&m, &z, &t2, &t3) == c)
    }

    /// The weights by which a batch becomes one pair (`ComputeComposites`).
    fn weights(&self, inputs: &[Element], outputs: &[Element]) -> Result<Vec<Scalar>, Error> {
        if inputs.is_empty() || inputs.len() > MAX_BATCH {
            return Err(Error::BatchSize { found: inputs.len() });
        }
        if inputs.len() != outputs.len() {
            return Err(Error::AnswerSize { expected: inputs.len(), found: outputs.len() });
        }
        let tag = [&b"Seed-"[..], self.context].concat();
        let mut seed = Sha256::new();
        for part in [&self.public.to_bytes()[..], &tag] {
            seed.update(length(part));
            seed.update(part);
        }
        let seed: [u8; 32] = seed.finalize().into();
        let weight = |(index, (input, output)): (usize, (&Element, &Element))| {
            let (input, output) = (input.to_bytes(), output.to_bytes());
            let index = u16::try_from(index).expect("MAX_BATCH is less").to_be_bytes();
            hash_to_scalar(
                self.context,
                &[
                    &length(&seed),
                    &seed,
                    &index,
                    &length(&input),
                    &input,
                    &length(&output),
                    &output,
                    b"Composite",
                ],
            )
        };
        Ok(inputs.iter().zip(outputs).enumerate().map(weight).collect())
    }

    fn challenge(&self, m: &Element, z: &Element, t2: &Element, t3: &Element) -> Scalar {
        let mut transcript: Vec<u8> = Vec::with_capacity(5 * 35 + 9);
        for element in [&self.public, m, z, t2, t3] {
            let bytes = element.to_bytes();
            transcript.extend(length(&bytes));
            transcript.extend(bytes);
        }
        transcript.extend(b"Challenge");
        hash_to_scalar(self.context, &[&transcript])
    }
}

/// The length of a part, as RFC 9497 writes it: two bytes big-endian.
fn length(part: &[u8]) -> [u8; 2] {
    u16::try_from(part.len()).expect("parts are short").to_be_bytes()
}

fn composite(elements: &[Element], weights: &[Scalar]) -> Result<Element, Error> {
    let terms: Vec<(ProjectivePoint, Scalar)> =
        elements.iter().zip(weights).map(|(element, weight)| (element.point(), *weight)).collect();
    Element::of(&sum(&terms)).ok_or(Error::Infinity)
}

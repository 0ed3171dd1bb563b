//! Who decides a block, and that they did: SM2 pre-commits (GB/T 32918.2) of validators
//! with more than two thirds of the voting power.
//!
//! A pre-commit is signed, with the default signer id `1234567812345678`, over
//!
//! ```text
//! "billchain/consensus/1" ‖ genesis hash (32) ‖ 0x02
//!   ‖ height (8, lowest byte first) ‖ 0x01 ‖ round (4, lowest first)
//!   ‖ 0x01 ‖ block hash (32) ‖ account of the key (32) = SM3(compressed key)
//! ```

use crate::{Digest, Refusal, header::Header, reader::Reader, sm3};
use alloc::vec::Vec;
use sm2::dsa::{Signature, VerifyingKey, signature::Verifier as _};

/// Most validators of a block.
const MAX_VALIDATORS: usize = 64;

/// What a pre-commit is signed over begins with this.
const PROTOCOL: &[u8] = b"billchain/consensus/1";

/// The byte that tells a pre-commit from other messages.
const PRECOMMIT: u8 = 2;

/// Who signs, as SM2 has it.
const SIGNER_ID: &str = "1234567812345678";

/// A validator: its compressed SM2 key and its voting power.
type Validator = ([u8; 33], u64);

/// The validators that decide a block, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validators(Vec<Validator>);

impl Validators {
    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

/// What a header says of those who decide the next block.
pub(crate) struct SetChange {
    /// The last block before whose header says so; 0 if it is the genesis.
    pub(crate) previous: u32,
    /// The validators from the next block on.
    pub(crate) validators: Validators,
}

impl SetChange {
    /// Reads the digest item of a header.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, "change of the validators");
        let previous = reader.scale_u32()?;
        let count = usize::try_from(reader.compact()?).unwrap_or(usize::MAX);
        if !(1..=MAX_VALIDATORS).contains(&count) {
            return Err(reader.refusal("it names none, or more than 64"));
        }
        let mut validators = Vec::with_capacity(count);
        for _ in 0..count {
            let key = reader.array()?;
            let power = reader.scale_u64()?;
            if power == 0 || validators.iter().any(|(known, _)| *known == key) {
                return Err(reader.refusal("a validator has no power, or stands there twice"));
            }
            validators.push((key, power));
        }
        reader.end()?;
        Ok(Self { previous, validators: Validators(validators) })
    }
}

/// Signatures that decided a block.
pub(crate) struct Decision<'a> {
    round: u32,
    /// The validator's place in the set and its signature, r ‖ s, in ascending order.
    signatures: Vec<(u8, &'a [u8])>,
}

impl<'a> Decision<'a> {
    /// Reads round (4), number of signatures (1), and of each the validator's place (1)
    /// and the signature (64).
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let round = reader.u32()?;
        let count = usize::from(reader.byte()?);
        if count > MAX_VALIDATORS {
            return Err(reader.refusal("a decision has more than 64 signatures"));
        }
        let mut signatures: Vec<(u8, &[u8])> = Vec::with_capacity(count);
        for _ in 0..count {
            let place = reader.byte()?;
            if signatures.last().is_some_and(|(last, _)| *last >= place) {
                return Err(reader.refusal("the signatures of a decision are out of order"));
            }
            signatures.push((place, reader.take(64)?));
        }
        Ok(Self { round, signatures })
    }

    /// Whether the validators decided the block of this header on the chain with this
    /// genesis. Every signature has to be good.
    pub(crate) fn verify(
        &self,
        genesis: &Digest,
        header: &Header<'_>,
        validators: &Validators,
    ) -> Result<(), Refusal> {
        let number = header.number;
        let mut signed = 0_u128;
        for (place, signature) in &self.signatures {
            let place = *place;
            let refused = Refusal::Signature { number, place };
            let Some((key, power)) = validators.0.get(usize::from(place)) else {
                return Err(refused);
            };
            let bytes = precommit_bytes(genesis, header, self.round, &sm3(&[key]));
            if !is_signed(key, &bytes, signature) {
                return Err(refused);
            }
            signed = signed.saturating_add(u128::from(*power));
        }
        let all = validators.0.iter().fold(0_u128, |sum, (_, power)| sum + u128::from(*power));
        if signed * 3 > all * 2 { Ok(()) } else { Err(Refusal::NotDecided { number, signed, all }) }
    }
}

fn precommit_bytes(genesis: &Digest, header: &Header<'_>, round: u32, signer: &Digest) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PROTOCOL.len() + 112);
    bytes.extend_from_slice(PROTOCOL);
    bytes.extend_from_slice(genesis);
    bytes.push(PRECOMMIT);
    bytes.extend_from_slice(&u64::from(header.number).to_le_bytes());
    bytes.push(1);
    bytes.extend_from_slice(&round.to_le_bytes());
    bytes.push(1);
    bytes.extend_from_slice(&header.hash);
    bytes.extend_from_slice(signer);
    bytes
}

fn is_signed(key: &[u8; 33], message: &[u8], signature: &[u8]) -> bool {
    // The library knows one more form of this length, without a sign.
    let [2 | 3, ..] = key else { return false };
    let Ok(key) = VerifyingKey::from_sec1_bytes(SIGNER_ID, key) else { return false };
    Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};

    #[test]
    fn a_key_that_signs_is_compressed() {
        for seed in 1..20 {
            let secret = SecretKey::from_seed(&[seed]);
            let signature = secret.sign(DEFAULT_ID, b"a block").to_bytes();
            let mut key = secret.public().to_compressed();
            assert!(is_signed(&key, b"a block", &signature));
            // SEC 1, 2.3.4, and the form that names the smaller of both points.
            for first in [0, 1, 4, 5, 6, 7] {
                key[0] = first;
                assert!(!is_signed(&key, b"a block", &signature), "{first} of seed {seed}");
            }
        }
    }
}

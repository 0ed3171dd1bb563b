//! Poseidon2 of width 16 over KoalaBear, and the compression made of it.
//!
//! Constants are those of Plonky3 (Grain LFSR: α = 3, 8 full and 20 partial rounds). The
//! permutation is written with the same layers as the constraints of `billchain-zk`; a test holds
//! it against Plonky3's own.

use core::fmt;
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_koala_bear::{
    GenericPoseidon2LinearLayersKoalaBear, KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL, KOALABEAR_POSEIDON2_RC_16_INTERNAL, KoalaBear,
};
use p3_poseidon2::GenericPoseidon2LinearLayers;

/// Elements of the permutation's state.
pub const WIDTH: usize = 16;
/// Elements of a digest, and of a block.
pub const RATE: usize = 8;
/// Constants of the first full rounds.
pub const INITIAL_ROUNDS: [[KoalaBear; WIDTH]; 4] = KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL;
/// Constants of the partial rounds.
pub const PARTIAL_ROUNDS: [KoalaBear; 20] = KOALABEAR_POSEIDON2_RC_16_INTERNAL;
/// Constants of the last full rounds.
pub const FINAL_ROUNDS: [[KoalaBear; WIDTH]; 4] = KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL;
/// The linear layers.
pub type Layers = GenericPoseidon2LinearLayersKoalaBear;

/// Where every chain begins: the bytes of `财票链累加器1` in UTF-8, three an element, then zero.
pub const IV: Digest = Digest(KoalaBear::new_array([
    0xa2_b4_e8, 0xa8_a5_e7, 0xbe_93_e9, 0xaf_b4_e7, 0xa0_8a_e5, 0xa8_99_e5, 0x31, 0,
]));

/// Eight elements of KoalaBear, 248 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(pub [KoalaBear; RATE]);

/// Bytes that are no digest: an element is not below the field's order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidDigest {
    /// Which element.
    pub element: usize,
}

impl fmt::Display for InvalidDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "digest: expected eight numbers below 2^31 - 2^24 + 1; number {} is not",
            self.element
        )
    }
}

impl core::error::Error for InvalidDigest {}

impl Digest {
    /// 32 bytes: each element as a number below the field's order, lowest byte first.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, element) in bytes.chunks_exact_mut(4).zip(self.0) {
            chunk.copy_from_slice(&element.as_canonical_u32().to_le_bytes());
        }
        bytes
    }

    /// Reads what [`Digest::to_bytes`] wrote; a digest has one form.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidDigest> {
        let mut elements = [KoalaBear::ZERO; RATE];
        for (i, element) in elements.iter_mut().enumerate() {
            let word = [bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]];
            let number = u32::from_le_bytes(word);
            if number >= KoalaBear::ORDER_U32 {
                return Err(InvalidDigest { element: i });
            }
            *element = KoalaBear::from_u32(number);
        }
        Ok(Self(elements))
    }
}

/// The permutation.
pub fn permute(state: &mut [KoalaBear; WIDTH]) {
    Layers::external_linear_layer(state);
    for constants in &INITIAL_ROUNDS {
        full_round(state, constants);
    }
    for constant in PARTIAL_ROUNDS {
        state[0] = (state[0] + constant).cube();
        Layers::internal_linear_layer(state);
    }
    for constants in &FINAL_ROUNDS {
        full_round(state, constants);
    }
}

fn full_round(state: &mut [KoalaBear; WIDTH], constants: &[KoalaBear; WIDTH]) {
    for (element, &constant) in state.iter_mut().zip(constants) {
        *element = (*element + constant).cube();
    }
    Layers::external_linear_layer(state);
}

/// One step of a chain. The addition of `chain` makes it one-way: a permutation alone can be
/// walked backwards.
pub fn compress(chain: &Digest, block: &[KoalaBear; RATE]) -> Digest {
    let mut state = [KoalaBear::ZERO; WIDTH];
    state[..RATE].copy_from_slice(&chain.0);
    state[RATE..].copy_from_slice(block);
    permute(&mut state);
    Digest(core::array::from_fn(|i| state[i] + chain.0[i]))
}

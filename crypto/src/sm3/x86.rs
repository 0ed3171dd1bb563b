//! SM3 with the vector registers of x86-64 processors.
//!
//! Two things are done here. **One input**: the message is expanded four words
//! at a time in vector registers, and the rounds, in ordinary ones, find their
//! words ready; needs AVX2 and BMI. **Eight inputs**: all of it in vectors, a
//! lane for each; needs AVX2, and takes half the time with AVX-512's rotations
//! and three-operand logic.
//!
//! This is the one module of the crate with unsafe code, of two kinds. A
//! function compiled for instructions that not every processor has is called
//! only after [`Level::of_this_processor`] found them; and vectors are
//! reinterpreted as arrays of as many bits, for which every bit pattern is
//! valid. No pointer is read or written through.
#![allow(unsafe_code)]

use super::compress::{BLOCK_LEN, T, compress_words, word_of};
use core::arch::x86_64::*;
use std::{hint::black_box, sync::LazyLock};

/// Inputs hashed side by side.
pub(super) const LANES: usize = 8;

/// Word `i` of every lane's state at index `i`.
pub(super) type States = [[u32; LANES]; 8];

/// What the processor can do, that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Nothing.
    Baseline,
    /// AVX2, BMI1 and BMI2: most processors since 2013.
    Avx2,
    /// And AVX-512 F and VL.
    Avx512,
}

impl Level {
    /// Found out once.
    pub(super) fn of_this_processor() -> Self {
        static LEVEL: LazyLock<Level> = LazyLock::new(|| {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2");
            let avx512 =
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
            match (avx2, avx512) {
                (true, true) => Level::Avx512,
                (true, false) => Level::Avx2,
                (false, _) => Level::Baseline,
            }
        });
        *LEVEL
    }
}

/// Compresses the blocks into the state one after another, if this processor
/// can do so faster than the portable code.
pub(super) fn compress(state: &mut [u32; 8], blocks: &[[u8; BLOCK_LEN]]) -> bool {
    if Level::of_this_processor() < Level::Avx2 {
        return false;
    }
    // SAFETY: the processor has AVX2, BMI1 and BMI2.
    unsafe { compress_expanding_ahead(state, blocks) }
    true
}

/// Compresses a block of each lane into its state, at a level that is not above
/// this processor's and not [`Level::Baseline`].
pub(super) fn compress_lanes(
    level: Level,
    states: &mut States,
    blocks: &[&[u8; BLOCK_LEN]; LANES],
) {
    let level = level.min(Level::of_this_processor());
    match level {
        // SAFETY: the processor has AVX2, AVX-512 F and VL.
        Level::Avx512 => unsafe { compress_lanes_avx512(states, blocks) },
        // SAFETY: the processor has AVX2.
        Level::Avx2 => unsafe { compress_lanes_avx2(states, blocks) },
        Level::Baseline => unreachable!("lanes are used where the processor has AVX2 only"),
    }
}

#[target_feature(enable = "avx2")]
fn compress_lanes_avx2(states: &mut States, blocks: &[&[u8; BLOCK_LEN]; LANES]) {
    let mut state = states.map(vector8);
    compress_words!(avx2, &mut state, words_of_lanes(blocks));
    *states = state.map(array8);
}

#[target_feature(enable = "avx2,avx512f,avx512vl")]
fn compress_lanes_avx512(states: &mut States, blocks: &[&[u8; BLOCK_LEN]; LANES]) {
    let mut state = states.map(vector8);
    compress_words!(avx512, &mut state, words_of_lanes(blocks));
    *states = state.map(array8);
}

#[inline]
#[target_feature(enable = "avx2")]
fn words_of_lanes(blocks: &[&[u8; BLOCK_LEN]; LANES]) -> [__m256i; 16] {
    let mut words = [vector8([0; LANES]); 16];
    for (word, vector) in words.iter_mut().enumerate() {
        *vector = vector8(blocks.map(|block| word_of(block, word)));
    }
    words
}

fn vector8(words: [u32; 8]) -> __m256i {
    // SAFETY: both are 256 bits, of which every pattern is valid.
    unsafe { core::mem::transmute::<[u32; 8], __m256i>(words) }
}

fn array8(vector: __m256i) -> [u32; 8] {
    // SAFETY: both are 256 bits, of which every pattern is valid.
    unsafe { core::mem::transmute::<__m256i, [u32; 8]>(vector) }
}

fn vector4(words: [u32; 4]) -> __m128i {
    // SAFETY: both are 128 bits, of which every pattern is valid.
    unsafe { core::mem::transmute::<[u32; 4], __m128i>(words) }
}

fn array4(vector: __m128i) -> [u32; 4] {
    // SAFETY: both are 128 bits, of which every pattern is valid.
    unsafe { core::mem::transmute::<__m128i, [u32; 4]>(vector) }
}

/// One input. The rounds take their words `W_j` and `W_j ⊕ W_{j+4}` from memory,
/// where they are put at least four rounds ahead. One function, though long: the
/// rounds are unrolled into it, and a call in between would cost the registers.
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn compress_expanding_ahead(state: &mut [u32; 8], blocks: &[[u8; BLOCK_LEN]]) {
    use super::compress::scalar::{choice, majority, xor3};
    // Hidden from the compiler, which would else add the constants last, where
    // the next round waits for the sum.
    let t = black_box(&T);
    for block in blocks {
        let (mut w, mut v) = ([[0u32; 4]; 17], [[0u32; 4]; 16]);
        let mut x = [vector4([0; 4]); 4];
        for (index, x) in x.iter_mut().enumerate() {
            w[index] = std::array::from_fn(|word| word_of(block, 4 * index + word));
            *x = vector4(w[index]);
        }
        for index in 0..3 {
            v[index] = array4(_mm_xor_si128(x[index], x[index + 1]));
        }
        // Words 4·$at … 4·$at + 3, of the sixteen before them. Without the
        // barrier the compiler would move them to the rounds by extracting them
        // from the vector one by one, which takes longer than through memory.
        macro_rules! expand {
            ($at:expr) => {
                let last = x[($at + 3) % 4];
                x[$at % 4] = expanded(x[$at % 4], x[($at + 1) % 4], x[($at + 2) % 4], last);
                w[$at] = array4(x[$at % 4]);
                v[$at - 1] = array4(_mm_xor_si128(last, x[$at % 4]));
                black_box((&mut w, &mut v));
            };
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
        macro_rules! round {
            ($ff:ident $gg:ident $group:expr, $word:expr,
             $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
                let a12 = $a.rotate_left(12);
                let ss1 = a12.wrapping_add(t[4 * $group + $word]).wrapping_add($e).rotate_left(7);
                let tt1 = $d.wrapping_add(v[$group][$word]).wrapping_add($ff($a, $b, $c));
                $d = tt1.wrapping_add(ss1 ^ a12);
                let tt2 = $h.wrapping_add(w[$group][$word]).wrapping_add($gg($e, $f, $g));
                let tt2 = tt2.wrapping_add(ss1);
                $h = xor3(tt2, tt2.rotate_left(9), tt2.rotate_left(17));
                $b = $b.rotate_left(9);
                $f = $f.rotate_left(19);
            };
        }
        macro_rules! four_rounds {
            ($ff:ident $gg:ident $($at:literal)*) => { $(
                round!($ff $gg $at, 0, a b c d e f g h);
                round!($ff $gg $at, 1, d a b c h e f g);
                round!($ff $gg $at, 2, c d a b g h e f);
                round!($ff $gg $at, 3, b c d a f g h e);
            )* };
        }
        macro_rules! steps {
            ($ff:ident $gg:ident $($at:literal)*) => { $(
                expand!($at + 4);
                four_rounds!($ff $gg $at);
            )* };
        }
        steps!(xor3 xor3 0 1 2 3);
        steps!(majority choice 4 5 6 7 8 9 10 11 12);
        four_rounds!(majority choice 13 14 15);
        for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word ^= new;
        }
    }
}

/// The next four words of a message, of the sixteen before them, four a vector.
///
/// The last of the four depends on the first of them. It is computed without,
/// and as `P₁` and rotations are linear, what it lacks is added afterwards.
#[inline]
#[target_feature(enable = "avx2")]
fn expanded(x0: __m128i, x1: __m128i, x2: __m128i, x3: __m128i) -> __m128i {
    let minus_9 = _mm_alignr_epi8::<12>(x2, x1);
    let minus_3 = _mm_srli_si128::<4>(x3);
    let sum = xor4x3(x0, minus_9, rol4::<15, 17>(minus_3));
    let minus_13 = _mm_alignr_epi8::<12>(x1, x0);
    let minus_6 = _mm_alignr_epi8::<8>(x3, x2);
    let rest = _mm_xor_si128(rol4::<7, 25>(minus_13), minus_6);
    let words = _mm_xor_si128(permuted(sum), rest);
    let lacking = rol4::<15, 17>(_mm_slli_si128::<12>(words));
    _mm_xor_si128(words, permuted(lacking))
}

/// `P₁` of each word.
#[inline]
#[target_feature(enable = "avx2")]
fn permuted(x: __m128i) -> __m128i {
    xor4x3(x, rol4::<15, 17>(x), rol4::<23, 9>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor4x3(x: __m128i, y: __m128i, z: __m128i) -> __m128i {
    _mm_xor_si128(x, _mm_xor_si128(y, z))
}

#[inline]
#[target_feature(enable = "avx2")]
fn rol4<const L: i32, const R: i32>(x: __m128i) -> __m128i {
    _mm_or_si128(_mm_slli_epi32::<L>(x), _mm_srli_epi32::<R>(x))
}

/// Operations on a word of each of eight lanes, with AVX2.
mod avx2 {
    use core::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn splat(x: u32) -> __m256i {
        _mm256_set1_epi32(x.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn add(x: __m256i, y: __m256i) -> __m256i {
        _mm256_add_epi32(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn xor(x: __m256i, y: __m256i) -> __m256i {
        _mm256_xor_si256(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn rol<const L: i32, const R: i32>(x: __m256i) -> __m256i {
        _mm256_or_si256(_mm256_slli_epi32::<L>(x), _mm256_srli_epi32::<R>(x))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn xor3(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        xor(x, xor(y, z))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn majority(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        _mm256_or_si256(_mm256_and_si256(x, _mm256_or_si256(y, z)), _mm256_and_si256(y, z))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn choice(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        xor(z, _mm256_and_si256(x, xor(y, z)))
    }
}

/// Operations on a word of each of eight lanes, with AVX-512. The constants are
/// truth tables: bit `4x + 2y + z` is the result.
mod avx512 {
    pub(super) use super::avx2::{add, splat, xor};
    use core::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl")]
    pub(super) fn rol<const L: i32, const R: i32>(x: __m256i) -> __m256i {
        _mm256_rol_epi32::<L>(x)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl")]
    pub(super) fn xor3(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        _mm256_ternarylogic_epi32::<0b1001_0110>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl")]
    pub(super) fn majority(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        _mm256_ternarylogic_epi32::<0b1110_1000>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl")]
    pub(super) fn choice(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        _mm256_ternarylogic_epi32::<0b1100_1010>(x, y, z)
    }
}

//! The compression function (GB/T 32905, 5.3), portable, and the choice of a
//! faster one.

#[cfg(target_arch = "x86_64")]
use super::x86;

/// Bytes of a block.
pub(super) const BLOCK_LEN: usize = 64;

/// The initial value (GB/T 32905, 4.1).
pub(super) const IV: [u32; 8] = [
    0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
];

/// The constants `T_j` (GB/T 32905, 4.2), each rotated by its round's number.
pub(super) static T: [u32; 64] = {
    let mut rotated = [0; 64];
    let mut round = 0;
    while round < 64 {
        let constant: u32 = if round < 16 { 0x79cc4519 } else { 0x7a879d8a };
        rotated[round] = constant.rotate_left(round as u32 % 32);
        round += 1;
    }
    rotated
};

/// Compresses the blocks into the state, one after another.
pub(super) fn compress(state: &mut [u32; 8], blocks: &[[u8; BLOCK_LEN]]) {
    #[cfg(target_arch = "x86_64")]
    if x86::compress(state, blocks) {
        return;
    }
    portable(state, blocks);
}

/// As [`compress`], on any processor.
pub(super) fn portable(state: &mut [u32; 8], blocks: &[[u8; BLOCK_LEN]]) {
    for block in blocks {
        let words: [u32; 16] = std::array::from_fn(|word| word_of(block, word));
        compress_words!(scalar, state, words);
    }
}

/// A word of a block.
#[inline(always)]
pub(super) fn word_of(block: &[u8; BLOCK_LEN], word: usize) -> u32 {
    u32::from_be_bytes(block.as_chunks().0[word])
}

/// Compresses sixteen words into a state of eight, in registers of whatever
/// kind the module `$ops` computes on: one input's words, or several inputs'
/// side by side.
///
/// The message is expanded as the rounds need it. The registers stay where they
/// are: each round is written with their names moved on by one.
macro_rules! compress_words {
    ($ops:ident, $state:expr, $words:expr) => {{
        use $crate::sm3::compress::T;
        let mut w = $words;
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *$state;
        macro_rules! given {
            ($at:expr) => {
                w[$at]
            };
        }
        macro_rules! expanded {
            ($at:expr) => {{
                let sum = $ops::xor3(
                    w[$at % 16],
                    w[($at + 7) % 16],
                    $ops::rol::<15, 17>(w[($at + 13) % 16]),
                );
                let sum = $ops::xor3(sum, $ops::rol::<15, 17>(sum), $ops::rol::<23, 9>(sum));
                w[$at % 16] = $ops::xor3(
                    sum,
                    $ops::rol::<7, 25>(w[($at + 3) % 16]),
                    w[($at + 10) % 16],
                );
                w[$at % 16]
            }};
        }
        macro_rules! round {
            ($ff:ident $gg:ident $at:expr, $fourth:expr,
             $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
                let fourth = $fourth;
                let word = w[$at % 16];
                let a12 = $ops::rol::<12, 20>($a);
                let ss1 = $ops::add($ops::add($ops::splat(T[$at]), a12), $e);
                let ss1 = $ops::rol::<7, 25>(ss1);
                let tt1 = $ops::add($ops::add($d, $ops::xor(word, fourth)), $ops::$ff($a, $b, $c));
                $d = $ops::add(tt1, $ops::xor(ss1, a12));
                let tt2 = $ops::add($ops::add($ops::add($h, word), $ops::$gg($e, $f, $g)), ss1);
                $h = $ops::xor3(tt2, $ops::rol::<9, 23>(tt2), $ops::rol::<17, 15>(tt2));
                $b = $ops::rol::<9, 23>($b);
                $f = $ops::rol::<19, 13>($f);
            };
        }
        macro_rules! four_rounds {
            ($ff:ident $gg:ident $at:expr, $fourth:ident) => {
                round!($ff $gg $at, $fourth!($at + 4), a b c d e f g h);
                round!($ff $gg ($at + 1), $fourth!(($at + 5)), d a b c h e f g);
                round!($ff $gg ($at + 2), $fourth!(($at + 6)), c d a b g h e f);
                round!($ff $gg ($at + 3), $fourth!(($at + 7)), b c d a f g h e);
            };
        }
        four_rounds!(xor3 xor3 0, given);
        four_rounds!(xor3 xor3 4, given);
        four_rounds!(xor3 xor3 8, given);
        four_rounds!(xor3 xor3 12, expanded);
        four_rounds!(majority choice 16, expanded);
        four_rounds!(majority choice 20, expanded);
        four_rounds!(majority choice 24, expanded);
        four_rounds!(majority choice 28, expanded);
        four_rounds!(majority choice 32, expanded);
        four_rounds!(majority choice 36, expanded);
        four_rounds!(majority choice 40, expanded);
        four_rounds!(majority choice 44, expanded);
        four_rounds!(majority choice 48, expanded);
        four_rounds!(majority choice 52, expanded);
        four_rounds!(majority choice 56, expanded);
        four_rounds!(majority choice 60, expanded);
        for (word, new) in $state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = $ops::xor(*word, new);
        }
    }};
}
pub(super) use compress_words;

/// Operations on one word.
pub(super) mod scalar {
    #[inline(always)]
    pub(in crate::sm3) fn splat(x: u32) -> u32 {
        x
    }

    #[inline(always)]
    pub(in crate::sm3) fn add(x: u32, y: u32) -> u32 {
        x.wrapping_add(y)
    }

    #[inline(always)]
    pub(in crate::sm3) fn xor(x: u32, y: u32) -> u32 {
        x ^ y
    }

    /// Rotates left by `L`, which is right by `R`.
    #[inline(always)]
    pub(in crate::sm3) fn rol<const L: u32, const R: u32>(x: u32) -> u32 {
        x.rotate_left(L)
    }

    #[inline(always)]
    pub(in crate::sm3) fn xor3(x: u32, y: u32, z: u32) -> u32 {
        x ^ (y ^ z)
    }

    #[inline(always)]
    pub(in crate::sm3) fn majority(x: u32, y: u32, z: u32) -> u32 {
        (x & (y | z)) | (y & z)
    }

    #[inline(always)]
    pub(in crate::sm3) fn choice(x: u32, y: u32, z: u32) -> u32 {
        (x & y) | (!x & z)
    }
}

//! Where everything stands: columns of the table, public values, selectors.
//!
//! One row computes one step of the hash chain and, if it holds an entry, whether that entry
//! matches. `docs/zk.md` says the same in words.

use core::ops::Range;

/// Kinds of bills.
pub(crate) const KINDS: usize = 4;
/// Scenes in a question.
pub(crate) const SCENES: usize = 16;

/// State of the chain before the step: 8.
pub(crate) const CHAIN: Range<usize> = 0..8;
/// Block that the step takes: 8.
pub(crate) const BLOCK: Range<usize> = 8..16;
/// Date, scene, lower and upper half of the amount, head: within the block.
pub(crate) const DAYS: usize = BLOCK.start;
pub(crate) const SCENE: usize = BLOCK.start + 1;
pub(crate) const AMOUNT_LOW: usize = BLOCK.start + 2;
pub(crate) const AMOUNT_HIGH: usize = BLOCK.start + 3;
pub(crate) const BLOCK_HEAD: usize = BLOCK.start + 4;
/// States after each of the four first full rounds: 4 · 16.
pub(crate) const INITIAL: Range<usize> = 16..80;
/// Cubes of the partial rounds: 20.
pub(crate) const PARTIAL: Range<usize> = 80..100;
/// States after the first three of the four last full rounds: 3 · 16.
pub(crate) const FINAL: Range<usize> = 100..148;
/// 1 on rows that hold an entry.
pub(crate) const ENTRY: usize = 148;
/// Which kind the entry is of: 4.
pub(crate) const KIND: Range<usize> = 149..153;
/// 1 if the entry is a reversal.
pub(crate) const REVERSED: usize = 153;
/// The six comparisons.
pub(crate) const NOT_BEFORE: Comparison = Comparison::at(154, 10);
pub(crate) const NOT_AFTER: Comparison = Comparison::at(165, 10);
pub(crate) const LEAST_LOW: Comparison = Comparison::at(176, 12);
pub(crate) const LEAST_HIGH: Comparison = Comparison::at(189, 12);
pub(crate) const MOST_LOW: Comparison = Comparison::at(202, 12);
pub(crate) const MOST_HIGH: Comparison = Comparison::at(215, 12);
/// All of them.
pub(crate) const COMPARISONS: [Comparison; 6] =
    [NOT_BEFORE, NOT_AFTER, LEAST_LOW, LEAST_HIGH, MOST_LOW, MOST_HIGH];
/// Products of the differences between the entry's scene and the first 4, 7, 10, 13, 16 scenes.
pub(crate) const SCENE_PRODUCTS: Range<usize> = 228..233;
/// Inverse of the last product, if it has one.
pub(crate) const SCENE_INVERSE: usize = 233;
/// 1 if the scene is one of the question's.
pub(crate) const IN_SCENES: usize = 234;
/// 1 if date and amount are within their bounds.
pub(crate) const IN_RANGES: usize = 235;
/// 1 if the row holds an entry that matches.
pub(crate) const MATCHES: usize = 236;
/// Number of bills that match, before this row.
pub(crate) const COUNT: usize = 237;
/// Columns of the table.
pub(crate) const WIDTH: usize = 238;

/// A comparison `a ≥ b` of numbers below 4^digits: `a − b + 4^digits` as a flag, which is 1 exactly
/// if `a ≥ b`, and digits of base 4, lowest first.
#[derive(Clone, Copy)]
pub(crate) struct Comparison {
    /// Column of the flag; the digits follow it.
    pub flag: usize,
    /// Number of digits.
    pub digits: usize,
}

impl Comparison {
    const fn at(flag: usize, digits: usize) -> Self {
        Self { flag, digits }
    }

    /// Columns of the digits.
    pub(crate) const fn digits(self) -> Range<usize> {
        self.flag + 1..self.flag + 1 + self.digits
    }

    /// 4^digits.
    pub(crate) const fn modulus(self) -> u32 {
        1 << (2 * self.digits)
    }
}

/// Selectors of the rows that are always there; each is 1 on one row.
pub(crate) mod selector {
    /// Row 0 takes the first half of the payer reference.
    pub(crate) const REFERENCE_LOW: usize = 0;
    /// Row 1 takes the second half.
    pub(crate) const REFERENCE_HIGH: usize = 1;
    /// Row 2 makes the commitment.
    pub(crate) const HOLDER: usize = 2;
    /// How many there are.
    pub(crate) const COUNT: usize = 3;
}

/// Public values.
pub(crate) mod public {
    use core::ops::Range;

    pub(crate) const ACCUMULATOR: Range<usize> = 0..8;
    pub(crate) const HOLDER: Range<usize> = 8..16;
    pub(crate) const FROM: usize = 16;
    pub(crate) const TO: usize = 17;
    pub(crate) const LEAST_LOW: usize = 18;
    pub(crate) const LEAST_HIGH: usize = 19;
    pub(crate) const MOST_LOW: usize = 20;
    pub(crate) const MOST_HIGH: usize = 21;
    pub(crate) const KINDS: Range<usize> = 22..26;
    pub(crate) const ANY_SCENE: usize = 26;
    pub(crate) const SCENES: Range<usize> = 27..43;
    pub(crate) const ABSENT: usize = 43;
    pub(crate) const MINIMUM: usize = 44;
    pub(crate) const LENGTH: usize = 45;
}

const _: () = {
    assert!(INITIAL.end - INITIAL.start == 64 && PARTIAL.end - PARTIAL.start == 20);
    assert!(MOST_HIGH.digits().end == SCENE_PRODUCTS.start && COUNT + 1 == WIDTH);
    assert!(NOT_BEFORE.modulus() as usize > billchain_zk_accumulator::MAX_DAYS as usize);
    assert!(LEAST_LOW.modulus() == 1 << billchain_zk_accumulator::LIMB_BITS);
};

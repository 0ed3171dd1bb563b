//! Multiples of a fixed point by a table: no doublings, only additions.
//!
//! With `s = Σ dᵢ·2^(w·i)` and `|dᵢ| ≤ 2^(w-1)`, the table holds every
//! `d·2^(w·i)·P` for `d = 1 … 2^(w-1)`; a multiple is the sum of at most
//! `⌈256/w⌉` of its entries, negated where the digit is (E. Brickell and others,
//! "Fast exponentiation with precomputation", 1992).

use super::{
    point::{Affine, Jacobian, Sum},
    scalar::Scalar,
};
use std::sync::LazyLock;

/// The most places a scalar has: with digits of 6 bits.
const MAX_PLACES: usize = 43;

/// A table for one point: `⌈256/w⌉·2^(w-1)` entries of 64 bytes.
pub(crate) struct FixedBase {
    width: u32,
    entries: Box<[Affine]>,
}

impl FixedBase {
    /// The table of `point` with digits of `width` bits, 6 to 15.
    pub(crate) fn new(point: Affine, width: u32) -> Self {
        assert!((6..=15).contains(&width), "a table's width is a constant from 6 to 15");
        // The points 2^(w·i)·P …
        let mut firsts = Vec::new();
        let mut current = Jacobian::from(point);
        for _ in (0..256).step_by(width as usize) {
            firsts.push(Sum::from(current));
            current = (0..width).fold(current, |point, _| point.double());
        }
        // … and the multiples of each. None is infinity: the order is prime and
        // greater than any multiplier.
        let mut sums = Vec::with_capacity(firsts.len() << (width - 1));
        for first in Sum::to_affine(&firsts) {
            let mut multiple = Sum::from(first);
            sums.push(multiple);
            for _ in 1..1 << (width - 1) {
                multiple.add(&first);
                sums.push(multiple);
            }
        }
        Self { width, entries: Sum::to_affine(&sums).into() }
    }

    /// `sum += scalar · P`.
    #[inline(always)]
    pub(crate) fn add_multiple(&self, sum: &mut Sum, scalar: &Scalar) {
        // All entries are fetched before the first is added: the tables of
        // several keys do not fit the processor's nearer caches, and this way
        // it waits for many lines of memory at once, not for one after another.
        let mut addends = [self.entries[0]; MAX_PLACES];
        let mut count = 0;
        scalar.signed_digits(self.width, |place, digit| {
            let index = (place << (self.width - 1)) + digit.unsigned_abs() as usize - 1;
            let entry = self.entries[index];
            addends[count] = if digit < 0 { entry.negate() } else { entry };
            count += 1;
        });
        for addend in &addends[..count] {
            sum.add(addend);
        }
    }

    /// Its size in memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&*self.entries)
    }
}

/// The table of the base point `G`: 26 additions a multiple, 832 KiB, made on
/// first use in some five milliseconds.
pub(crate) fn base_point_table() -> &'static FixedBase {
    static TABLE: LazyLock<FixedBase> = LazyLock::new(|| FixedBase::new(Affine::base(), 10));
    &TABLE
}

#[cfg(test)]
mod tests;

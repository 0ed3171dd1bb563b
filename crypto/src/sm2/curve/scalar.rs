//! Numbers modulo the order `n` of the base point.
//!
//! Verification needs sums and differences of them, never a product or an
//! inverse, because it compares `x₁·Z²` with `X` instead of dividing by `Z²`.
//! So there is no Montgomery form here: a scalar is the number itself.

use super::field::{FieldElement, Limbs, add, limbs_from_bytes, sub};

/// The order `n`.
const N: Limbs =
    [0x53bb_f409_39d5_4123, 0x7203_df6b_21c6_052b, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// A number in `[0, n)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scalar(Limbs);

impl Scalar {
    /// The scalar of 32 bytes, big endian, reduced modulo `n`.
    pub(crate) fn reduce(bytes: &[u8; 32]) -> Self {
        // One subtraction is enough: 2²⁵⁶ < 2n.
        Self(reduce_once(&limbs_from_bytes(bytes), false))
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let (sum, carry) = add(&self.0, &other.0);
        Self(reduce_once(&sum, carry))
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        let (difference, borrow) = sub(&self.0, &other.0);
        if borrow { Self(add(&difference, &N).0) } else { Self(difference) }
    }

    /// The scalar as a field element: the number itself.
    pub(crate) fn to_field(self) -> FieldElement {
        FieldElement::from_limbs(&self.0).expect("n is less than p")
    }

    /// The other number below `p` that leaves this remainder modulo `n`, if
    /// there is one: `p - n` is about 2¹²⁸ only.
    pub(crate) fn to_other_field(self) -> Option<FieldElement> {
        let (sum, carry) = add(&self.0, &N);
        if carry { None } else { FieldElement::from_limbs(&sum) }
    }

    /// The digits of `self = Σ dᵢ·2^(width·i)` with `|dᵢ| ≤ 2^(width-1)`, lowest
    /// first, passed to `visit` where they are not zero.
    ///
    /// All of them are of places below `⌈256 / width⌉`, for widths of 2 to 15:
    /// where the last place could overflow, `n - self` is taken apart instead,
    /// and the digits negated.
    pub(crate) fn signed_digits(&self, width: u32, mut visit: impl FnMut(usize, i32)) {
        // At most n / 2, so at most 255 bits: the last digit has a bit to spare.
        let complement = sub(&N, &self.0).0;
        let negate = sub(&complement, &self.0).1;
        let number = if negate { complement } else { self.0 };
        let half = 1i32 << (width - 1);
        let mut carry = 0;
        for (place, position) in (0..256u32).step_by(width as usize).enumerate() {
            let mut digit = bits(&number, position, width) + carry;
            carry = i32::from(digit > half);
            digit -= carry << width;
            if digit != 0 {
                visit(place, if negate { -digit } else { digit });
            }
        }
        debug_assert_eq!(carry, 0, "the number has at most 255 bits");
    }

    /// The width-`w` non-adjacent form: `self = Σ dᵢ·2ⁱ`, each digit zero or odd
    /// with `|dᵢ| < 2^(w-1)`, and at least `w - 1` zeros between two that are not.
    /// (D. Hankerson, A. Menezes, S. Vanstone, "Guide to Elliptic Curve
    /// Cryptography", algorithm 3.35.)
    pub(crate) fn non_adjacent_form(&self, width: u32) -> [i8; 257] {
        let mut digits = [0; 257];
        let (mut carry, mut position) = (0, 0);
        while position < 257 {
            let window = bits(&self.0, position, width) + carry;
            if window & 1 == 0 {
                // 0 + 0, or 1 + 1: the carry stays what it is.
                position += 1;
                continue;
            }
            carry = window >> (width - 1);
            digits[position as usize] =
                i8::try_from(window - (carry << width)).expect("a width of at most 8");
            position += width;
        }
        digits
    }
}

/// `width` bits from `position` on, zeros beyond the last.
fn bits(number: &Limbs, position: u32, width: u32) -> i32 {
    let (limb, shift) = ((position / 64) as usize, position % 64);
    let low = number.get(limb).map_or(0, |limb| limb >> shift);
    let high = match shift {
        0 => 0,
        _ => number.get(limb + 1).map_or(0, |limb| limb << (64 - shift)),
    };
    i32::try_from((low | high) & ((1 << width) - 1)).expect("widths of at most 15")
}

fn reduce_once(number: &Limbs, carry: bool) -> Limbs {
    let (less, borrow) = sub(number, &N);
    if borrow && !carry { *number } else { less }
}

#[cfg(test)]
mod tests;

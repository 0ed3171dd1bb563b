//! A multiple of a point that has no table: 256 doublings and about 43
//! additions of the point's first odd multiples.

use super::{
    point::{Addend, Affine, Jacobian, Sum},
    scalar::Scalar,
};

/// Digits of the non-adjacent form have this many bits: with 5, making the
/// eight odd multiples and using them cost least together.
const WIDTH: u32 = 5;

/// `scalar · point`.
#[inline(always)]
pub(crate) fn multiple(point: &Affine, scalar: &Scalar) -> Sum {
    let odd = odd_multiples(point);
    let digits = scalar.non_adjacent_form(WIDTH);
    let mut result = Jacobian::INFINITY;
    for digit in digits.iter().rev().skip_while(|digit| **digit == 0) {
        result = result.double();
        if *digit != 0 {
            let addend = odd[usize::from(digit.unsigned_abs() / 2)];
            result = result.add(&if *digit < 0 { addend.negate() } else { addend });
        }
    }
    Sum::from(result)
}

/// `P, 3P, 5P, … 15P`.
#[inline(always)]
fn odd_multiples(point: &Affine) -> [Addend; 1 << (WIDTH - 2)] {
    let first = Jacobian::from(*point);
    let twice = Addend::new(first.double());
    let mut multiples = [Addend::new(first); 1 << (WIDTH - 2)];
    for index in 1..multiples.len() {
        multiples[index] = Addend::new(multiples[index - 1].point().add(&twice));
    }
    multiples
}

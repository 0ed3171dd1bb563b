//! The two computations that verification consists of, compiled for the
//! processor at hand.
//!
//! Processors made since 2013 multiply without touching the carry flag
//! (BMI2's `mulx`), which spares the moves around each of the 16
//! multiplications of a field element. The portable code is compiled once more
//! with it: the same source, so the same results.
//!
//! The one unsafe thing is to call what was compiled with BMI2 after having
//! found that the processor has it.
#![allow(unsafe_code)]

use super::{
    point::{Affine, Sum},
    scalar::Scalar,
    table::{FixedBase, base_point_table},
    window::multiple,
};

/// A public key, ready for verification.
#[derive(Clone, Copy)]
pub(crate) enum Key<'a> {
    /// Seen rarely: the point.
    Point(&'a Affine),
    /// Seen often: a table of its multiples.
    Table(&'a FixedBase),
}

/// `s·G + t·P` for the key `P`.
pub(crate) fn combination(s: &Scalar, t: &Scalar, key: Key<'_>) -> Sum {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("bmi2") {
        #[target_feature(enable = "bmi2")]
        fn with_bmi2(s: &Scalar, t: &Scalar, key: Key<'_>) -> Sum {
            combination_portable(s, t, key)
        }
        // SAFETY: the processor has BMI2.
        return unsafe { with_bmi2(s, t, key) };
    }
    combination_portable(s, t, key)
}

/// [`Affine::decompress`].
pub(crate) fn decompress(x: &[u8; 32], y_is_odd: bool) -> Option<Affine> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("bmi2") {
        #[target_feature(enable = "bmi2")]
        fn with_bmi2(x: &[u8; 32], y_is_odd: bool) -> Option<Affine> {
            Affine::decompress(x, y_is_odd)
        }
        // SAFETY: the processor has BMI2.
        return unsafe { with_bmi2(x, y_is_odd) };
    }
    Affine::decompress(x, y_is_odd)
}

#[inline(always)]
pub(super) fn combination_portable(s: &Scalar, t: &Scalar, key: Key<'_>) -> Sum {
    let mut sum = match key {
        Key::Point(point) => multiple(point, t),
        Key::Table(table) => {
            let mut sum = Sum::INFINITY;
            table.add_multiple(&mut sum, t);
            sum
        }
    };
    base_point_table().add_multiple(&mut sum, s);
    sum
}

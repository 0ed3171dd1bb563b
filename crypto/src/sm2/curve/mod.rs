//! Arithmetic of the SM2 curve for verification: variable-time, on public
//! values only. Nothing here may ever touch a secret.
//!
//! The curve is `y² = x³ - 3x + b` over the field of
//! `p = 2²⁵⁶ - 2²²⁴ - 2⁹⁶ + 2⁶⁴ - 1`, its base point `G` has the prime order `n`
//! (GB/T 32918.5-2017, 2). Numbers are four 64-bit limbs, least significant
//! first.

mod dispatch;
mod field;
mod point;
mod scalar;
mod table;
mod window;

pub(crate) use dispatch::{Key, combination, decompress};
pub(crate) use point::Affine;
pub(crate) use scalar::Scalar;
pub(crate) use table::FixedBase;

//! The verification equation (GB/T 32918.2, 7.1), without an inversion.
//!
//! A signature `(r, s)` of the digest `e` is valid if `t = r + s ≠ 0` and the
//! point `(x₁, y₁) = s·G + t·P` has `e + x₁ = r mod n`. Here the point is kept as
//! `x₁ = X/ZZ`, and `X = c·ZZ` is tested for the one or two `c` below `p` that
//! are `r - e` modulo `n`.
//!
//! Time varies with the inputs, which are all public.

use super::{
    Signature,
    curve::{Key, Scalar, combination},
};

/// Whether `signature` is one of the digest `e` by `key`.
pub(crate) fn verify_digest(key: Key<'_>, e: &[u8; 32], signature: &Signature) -> bool {
    // `Signature` has checked that both are in [1, n-1] (B1, B2).
    let (r, s) = (Scalar::reduce(signature.r()), Scalar::reduce(signature.s()));
    let t = r.plus(&s);
    if t.is_zero() {
        return false;
    }
    let sum = combination(&s, &t, key);
    if sum.is_infinity() {
        return false;
    }
    let x = r.minus(&Scalar::reduce(e));
    x.to_field() * sum.zz == sum.x || x.to_other_field().is_some_and(|x| x * sum.zz == sum.x)
}

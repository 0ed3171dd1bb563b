//! Scalars against big integers.

use super::*;
use num_bigint::{BigInt, BigUint, Sign};
use proptest::prelude::*;

fn order() -> BigUint {
    BigUint::from_bytes_be(&crate::sm2::signature::ORDER)
}

fn value(scalar: Scalar) -> BigUint {
    let value = scalar.0.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64) + *limb);
    assert!(value < order(), "always reduced");
    value
}

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::reduce(&bytes)
}

/// Runs of equal bits, where carries travel, besides uniform numbers.
fn any_scalar() -> impl Strategy<Value = Scalar> {
    let byte = prop_oneof![2 => any::<u8>(), 1 => Just(0u8), 1 => Just(0xffu8)];
    prop::array::uniform32(byte).prop_map(scalar)
}

fn edges() -> Vec<Scalar> {
    let one = Scalar([1, 0, 0, 0]);
    let mut edges = vec![Scalar([0; 4]), one, one.plus(&one)];
    for bit in (0..255).step_by(5) {
        let mut limbs = [0; 4];
        limbs[bit / 64] = 1 << (bit % 64);
        edges.push(Scalar(limbs));
        edges.push(Scalar(limbs).minus(&one));
    }
    let negative: Vec<_> = edges.iter().map(|edge| Scalar([0; 4]).minus(edge)).collect();
    edges.extend(negative);
    edges
}

fn check_digits(scalar: Scalar) {
    for width in 2..=15 {
        let (mut sum, half) = (BigInt::ZERO, 1 << (width - 1));
        scalar.signed_digits(width, |place, digit| {
            assert!(digit != 0 && digit.abs() <= half, "width {width}: {digit}");
            assert!(place < 256usize.div_ceil(width as usize), "width {width}: place {place}");
            sum += BigInt::from(digit) << (place * width as usize);
        });
        let n = BigInt::from_biguint(Sign::Plus, order());
        let sum = ((sum % &n) + &n) % &n;
        assert_eq!(sum.to_biguint(), Some(value(scalar)), "width {width}");
    }
    for width in 2..=8 {
        let digits = scalar.non_adjacent_form(width);
        let mut sum = BigInt::ZERO;
        for (position, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit != 0) {
            assert!(digit % 2 != 0 && i32::from(digit.abs()) < 1 << (width - 1));
            let next = &digits[position + 1..257.min(position + width as usize)];
            assert!(next.iter().all(|digit| *digit == 0), "width {width}");
            sum += BigInt::from(*digit) << position;
        }
        assert_eq!(sum.to_biguint(), Some(value(scalar)), "width {width}");
    }
}

#[test]
fn digits_of_edge_scalars_add_up() {
    edges().into_iter().for_each(check_digits);
}

#[test]
fn numbers_of_n_and_above_are_reduced() {
    for above in 0..3 {
        let number = order() + BigUint::from(above as u8);
        let bytes = number.to_bytes_be().try_into().expect("32 bytes");
        assert_eq!(value(scalar(bytes)), BigUint::from(above as u8));
    }
    let largest = (BigUint::from(1u8) << 256) - 1u8;
    assert_eq!(value(scalar([0xff; 32])), largest - order());
}

#[test]
fn only_small_scalars_stand_for_two_field_elements() {
    let p = BigUint::from_bytes_be(&FieldElement::to_bytes(-FieldElement::ONE)) + 1u8;
    let difference = p - order();
    for (number, two) in [
        (BigUint::ZERO, true),
        (&difference - 1u8, true),
        (difference.clone(), false),
        (&difference + 1u8, false),
        (order() - 1u8, false),
    ] {
        let mut bytes = [0; 32];
        let digits = number.to_bytes_be();
        bytes[32 - digits.len()..].copy_from_slice(&digits);
        let other = scalar(bytes).to_other_field();
        assert_eq!(other.is_some(), two, "{number}");
        if let Some(other) = other {
            assert_eq!(BigUint::from_bytes_be(&other.to_bytes()), number + order());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn sums_and_differences_agree_with_big_integers(a in any_scalar(), b in any_scalar()) {
        let (n, x, y) = (order(), value(a), value(b));
        prop_assert_eq!(value(a.plus(&b)), (&x + &y) % &n);
        prop_assert_eq!(value(a.minus(&b)), (&x + &n - &y) % &n);
        prop_assert_eq!(a.is_zero(), x == BigUint::ZERO);
        prop_assert_eq!(BigUint::from_bytes_be(&a.to_field().to_bytes()), x);
    }

    #[test]
    fn digits_add_up(a in any_scalar()) {
        check_digits(a);
    }
}

//! The field against big integers.

use super::*;
use num_bigint::BigUint;
use proptest::prelude::*;

fn big(limbs: &[u64]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64) + *limb)
}

fn prime() -> BigUint {
    (BigUint::from(1u8) << 256) - (BigUint::from(1u8) << 224) - (BigUint::from(1u8) << 96)
        + (BigUint::from(1u8) << 64)
        - 1u8
}

/// The number an element stands for.
fn value(element: FieldElement) -> BigUint {
    assert!(sub(&element.0, &P).1, "always reduced");
    big(&element.to_limbs())
}

/// Limbs that provoke carries more often than uniform ones do.
pub(crate) fn limb() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => any::<u64>(),
        1 => prop::sample::select(&[0, 1, 2, u64::MAX, u64::MAX - 1, 1 << 32, 1 << 63, 0xffff_ffff][..]),
        1 => (0..64u32).prop_map(|shift| u64::MAX << shift),
        1 => prop::sample::select(&P[..]),
    ]
}

fn element() -> impl Strategy<Value = FieldElement> {
    // Limbs above p are brought below it, so that every value can occur.
    prop::array::uniform4(limb()).prop_map(|limbs| reduce_once(&limbs, false))
}

fn edges() -> Vec<FieldElement> {
    let small = [0u64, 1, 2, 3, 0xffff_ffff, 1 << 32, u64::MAX];
    let mut limbs: Vec<Limbs> = small.iter().map(|low| [*low, 0, 0, 0]).collect();
    limbs.extend(small.iter().skip(1).map(|low| sub(&P, &[*low, 0, 0, 0]).0));
    limbs.extend(
        (0..4).map(|place| std::array::from_fn(|i| if i == place { u64::MAX >> 1 } else { 0 })),
    );
    limbs.iter().map(|limbs| FieldElement(*limbs)).collect()
}

#[test]
fn the_constants_are_what_they_say() {
    let r = BigUint::from(1u8) << 256;
    assert_eq!(big(&P), prime());
    assert_eq!(big(&R2), &r * &r % prime());
    assert_eq!(value(FieldElement::ONE), BigUint::from(1u8));
    let b = "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93";
    assert_eq!(hex::encode(FieldElement::B.to_bytes()), b);
}

#[test]
fn operations_agree_with_big_integers_on_edges() {
    for a in edges() {
        check_one(a);
        for b in edges() {
            check_two(a, b);
        }
    }
}

fn check_one(a: FieldElement) {
    let (p, x) = (prime(), value(a));
    assert_eq!(value(a.square()), &x * &x % &p);
    assert_eq!(a.square(), a * a);
    assert_eq!(value(a.double()), (&x * 2u8) % &p);
    assert_eq!(value(-a), (&p - &x) % &p);
    value(a.halve());
    assert_eq!(a.halve().double(), a);
    assert_eq!(a.is_odd(), x.bit(0));
    assert_eq!(a.is_zero(), x == BigUint::ZERO);
    assert_eq!(FieldElement::from_bytes(&a.to_bytes()), Some(a));
}

fn check_two(a: FieldElement, b: FieldElement) {
    let (p, x, y) = (prime(), value(a), value(b));
    assert_eq!(value(a * b), &x * &y % &p);
    assert_eq!(value(a + b), (&x + &y) % &p);
    assert_eq!(value(a - b), (&x + &p - &y) % &p);
}

#[test]
fn numbers_of_p_and_above_are_refused() {
    for above in [0u64, 1, u64::MAX] {
        let number = add(&P, &[above, 0, 0, 0]);
        assert!(!number.1);
        assert_eq!(FieldElement::from_limbs(&number.0), None);
    }
    assert_eq!(FieldElement::from_limbs(&[u64::MAX; 4]), None);
    let largest = sub(&P, &[1, 0, 0, 0]).0;
    assert_eq!(FieldElement::from_limbs(&largest), Some(-FieldElement::ONE));
}

#[test]
fn the_inverse_of_zero_is_zero() {
    assert_eq!(FieldElement::ZERO.invert(), FieldElement::ZERO);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn operations_agree_with_big_integers(a in element(), b in element()) {
        check_one(a);
        check_two(a, b);
    }

    #[test]
    fn bytes_and_limbs_are_the_same_number(limbs in prop::array::uniform4(limb())) {
        let number = big(&limbs);
        let parsed = FieldElement::from_limbs(&limbs);
        prop_assert_eq!(parsed.is_some(), number < prime());
        if let Some(parsed) = parsed {
            prop_assert_eq!(value(parsed), number);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn inverses_and_roots_agree_with_big_integers(a in element()) {
        let (p, x) = (prime(), value(a));
        prop_assert_eq!(value(a.invert()), x.modpow(&(&p - 2u8), &p));
        // Euler's criterion decides whether there is a root.
        let residue = x.modpow(&((&p - 1u8) / 2u8), &p) != &p - 1u8;
        prop_assert_eq!(a.sqrt().is_some(), residue);
        if let Some(root) = a.sqrt() {
            prop_assert_eq!(root.square(), a);
        }
        prop_assert!(a.square().sqrt().is_some_and(|root| root == a || root == -a));
    }

    #[test]
    fn inverting_together_equals_inverting_alone(
        elements in prop::collection::vec(element().prop_filter("not zero", |a| !a.is_zero()), 0..20)
    ) {
        let mut together = elements.clone();
        FieldElement::invert_all(&mut together);
        for (element, inverse) in elements.iter().zip(together) {
            prop_assert_eq!(element.invert(), inverse);
        }
    }
}

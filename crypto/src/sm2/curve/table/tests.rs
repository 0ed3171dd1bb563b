//! Multiples of points, by table and by doubling, against RustCrypto's.

use super::super::{
    dispatch::{Key, combination, combination_portable, decompress},
    point::Affine,
    window::multiple,
};
use super::*;
use ::sm2::{
    FieldBytes, ProjectivePoint,
    elliptic_curve::{Group, ops::Reduce, sec1::ToSec1Point},
};
use proptest::prelude::*;

/// `x ‖ y` by RustCrypto; nothing for infinity.
fn theirs(point: &ProjectivePoint) -> Option<[u8; 64]> {
    let encoded = point.to_affine().to_sec1_point(false);
    (!bool::from(point.is_identity())).then(|| encoded.as_bytes()[1..].try_into().expect("64"))
}

fn ours(sum: &Sum) -> Option<[u8; 64]> {
    (!sum.is_infinity()).then(|| Sum::to_affine(&[*sum])[0].coordinates())
}

fn both(bytes: &[u8; 32]) -> (Scalar, ::sm2::Scalar) {
    (Scalar::reduce(bytes), ::sm2::Scalar::reduce(&FieldBytes::from(*bytes)))
}

/// The point `k·G` on both sides, for a small `k`.
fn point(k: u8) -> (Affine, ProjectivePoint) {
    let mut bytes = [0; 32];
    bytes[31] = k;
    let theirs_point = ProjectivePoint::mul_by_generator(&both(&bytes).1);
    let coordinates = theirs(&theirs_point).expect("k is not 0");
    let (x, y) = coordinates.split_at(32);
    let (x, y) = (x.try_into().expect("32"), y.try_into().expect("32"));
    (Affine::from_coordinates(x, y).expect("on the curve"), theirs_point)
}

/// Small, great and sparse multipliers: with a small multiple of `G` as the
/// point they run into equal, opposite and infinite summands.
fn edges() -> Vec<[u8; 32]> {
    let mut edges = Vec::new();
    for small in 0..=20u8 {
        let mut bytes = [0; 32];
        bytes[31] = small;
        edges.push(bytes);
        let mut negative = crate::sm2::signature::ORDER;
        negative[31] -= small;
        edges.push(negative);
    }
    for bit in 0..256 {
        let mut bytes = [0; 32];
        bytes[31 - bit / 8] = 1 << (bit % 8);
        edges.push(bytes);
    }
    edges.extend([[0xff; 32], [0x55; 32], [0xaa; 32], [0x80; 32], [0x7f; 32]]);
    edges
}

#[test]
fn multiples_agree_on_edges_with_every_method() {
    for k in [1, 2, 7] {
        let (our_point, their_point) = point(k);
        let tables = [6, 7, 10].map(|width| FixedBase::new(our_point, width));
        for bytes in edges() {
            let (our_scalar, their_scalar) = both(&bytes);
            let expected = theirs(&(their_point * their_scalar));
            let by_doubling = multiple(&our_point, &our_scalar);
            assert_eq!(ours(&by_doubling), expected, "{}", hex::encode(bytes));
            for table in &tables {
                let mut sum = Sum::INFINITY;
                table.add_multiple(&mut sum, &our_scalar);
                assert_eq!(ours(&sum), expected, "{}", hex::encode(bytes));
            }
        }
    }
}

#[test]
fn sums_that_meet_equal_and_opposite_points_agree() {
    // s·G + t·kG for small s, t and k, negative ones too: the partial sums
    // double, vanish and start again.
    let edges = &edges()[..24];
    for k in [1, 2] {
        let (our_point, their_point) = point(k);
        let table = FixedBase::new(our_point, 7);
        for s in edges {
            for t in edges {
                let ((our_s, their_s), (our_t, their_t)) = (both(s), both(t));
                let expected =
                    theirs(&(ProjectivePoint::mul_by_generator(&their_s) + their_point * their_t));
                let mut sum = multiple(&our_point, &our_t);
                base_point_table().add_multiple(&mut sum, &our_s);
                assert_eq!(ours(&sum), expected);
                let mut sum = Sum::INFINITY;
                table.add_multiple(&mut sum, &our_t);
                base_point_table().add_multiple(&mut sum, &our_s);
                assert_eq!(ours(&sum), expected);
            }
        }
    }
}

#[test]
fn a_table_has_the_size_it_says() {
    assert_eq!(base_point_table().memory(), 26 * 512 * 64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn multiples_agree(s in any::<[u8; 32]>(), t in any::<[u8; 32]>(), k in 1u8..=255) {
        let ((our_s, their_s), (our_t, their_t)) = (both(&s), both(&t));
        let (our_point, their_point) = point(k);
        let expected =
            theirs(&(ProjectivePoint::mul_by_generator(&their_s) + their_point * their_t));
        let mut sum = multiple(&our_point, &our_t);
        base_point_table().add_multiple(&mut sum, &our_s);
        prop_assert_eq!(ours(&sum), expected);
        let table = FixedBase::new(our_point, 7);
        for key in [Key::Point(&our_point), Key::Table(&table)] {
            prop_assert_eq!(ours(&combination(&our_s, &our_t, key)), expected);
            prop_assert_eq!(ours(&combination_portable(&our_s, &our_t, key)), expected);
        }
    }

    #[test]
    fn decompressing_agrees_with_the_portable_code(x in any::<[u8; 32]>(), odd in any::<bool>()) {
        prop_assert_eq!(decompress(&x, odd), Affine::decompress(&x, odd));
    }
}

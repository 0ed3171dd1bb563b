//! Hiding is on: what a proof opens has one distribution, whatever the witness is.
//!
//! Two witnesses of one statement: rows without an entry may hold any block, so one prover leaves
//! them empty and the other one writes the same number all over. Nearly all rows of their tables
//! differ. All that proofs open of the tables is compared: the values at the places that are
//! queried, and those at the point outside the domain.

use super::*;
use crate::columns::{BLOCK, WIDTH};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField32};

const PROOFS: u8 = 12;
/// A two-sample χ² of 7 degrees of freedom is above this once in 10^8.
const BOUND_7: f64 = 50.0;
/// A χ² of 63 degrees of freedom is above this once in 10^6.
const BOUND_63: f64 = 130.0;
/// Place of the table's commitment among those that are opened, after the mask's.
const TABLE: usize = 1;

fn holder() -> (Statement, Witness) {
    let holder = witness(&[matching()]);
    (statement(&question(), &holder, Answer::AtLeast(1)), holder)
}

fn empty(_: usize, _: usize, value: KoalaBear) -> KoalaBear {
    value
}

fn written_over(row: usize, column: usize, value: KoalaBear) -> KoalaBear {
    if row > 3 && BLOCK.contains(&column) { KoalaBear::from_u32(0x1234_5678) } else { value }
}

fn bin<const N: usize>(value: KoalaBear) -> usize {
    (u64::from(value.as_canonical_u32()) * N as u64 / u64::from(KoalaBear::ORDER_U32)) as usize
}

/// Histograms of each column over some rows.
fn columns<'a>(rows: impl Iterator<Item = &'a [KoalaBear]>) -> Vec<[f64; 8]> {
    let mut histograms = vec![[0.0; 8]; WIDTH];
    for row in rows {
        for (histogram, &value) in histograms.iter_mut().zip(row) {
            histogram[bin::<8>(value)] += 1.0;
        }
    }
    histograms
}

/// χ² of two samples of one size.
fn two_samples(a: &[f64; 8], b: &[f64; 8]) -> f64 {
    a.iter().zip(b).filter(|(a, b)| *a + *b > 0.0).map(|(a, b)| (a - b).powi(2) / (a + b)).sum()
}

struct Opened {
    queried: Vec<[f64; 8]>,
    outside: [f64; 64],
}

fn open(hand: fn(usize, usize, KoalaBear) -> KoalaBear, first_seed: u8) -> Opened {
    let (statement, holder) = holder();
    let proofs: Vec<Proof> = (0..PROOFS)
        .map(|i| forge(&statement, &holder, first_seed + i, &mut Forger(hand)))
        .collect();
    for proof in &proofs {
        crate::verify(&statement, proof).unwrap();
    }
    let rows = proofs.iter().flat_map(|proof| {
        let opened = &proof.0.opening_proof.1.input_openings[TABLE].opened_values;
        opened.iter().map(|matrices| matrices[0].as_slice())
    });
    let queried = columns(rows);
    let mut outside = [0.0; 64];
    for proof in &proofs {
        for value in &proof.0.opened_values.trace_local {
            let coefficients: &[KoalaBear] = value.as_basis_coefficients_slice();
            for &coefficient in coefficients {
                outside[bin::<64>(coefficient)] += 1.0;
            }
        }
    }
    Opened { queried, outside }
}

#[test]
fn two_witnesses_of_one_statement_cannot_be_told_apart() {
    let (a, b) = (open(empty, 1), open(written_over, 101));
    for (column, (a, b)) in a.queried.iter().zip(&b.queried).enumerate() {
        let distance = two_samples(a, b);
        assert!(distance < BOUND_7, "column {column}: χ² = {distance}");
    }
    for opened in [a.outside, b.outside] {
        let expected = opened.iter().sum::<f64>() / 64.0;
        let distance: f64 = opened.iter().map(|n| (n - expected).powi(2) / expected).sum();
        assert!(distance < BOUND_63, "outside the domain: χ² = {distance}");
    }
}

/// The check sees a difference where there is one: in the tables themselves.
#[test]
fn check_tells_tables_apart_that_are_not_hidden() {
    let (statement, holder) = holder();
    let of = |hand: fn(usize, usize, KoalaBear) -> KoalaBear| {
        let table = table(&statement, &holder, 8, &mut Forger(hand));
        columns(table.values.chunks_exact(WIDTH))
    };
    let (a, b) = (of(empty), of(written_over));
    for column in BLOCK {
        assert!(two_samples(&a[column], &b[column]) > BOUND_7, "column {column}");
    }
}

/// Every proof has masks of its own: even the same statement by the same holder.
#[test]
fn two_proofs_of_one_statement_share_nothing() {
    let (statement, holder) = holder();
    let opened = |seed| {
        let proof = forge(&statement, &holder, seed, &mut Forger(empty));
        proof.0.opened_values.trace_local.clone()
    };
    let (a, b) = (opened(1), opened(2));
    assert_eq!(a.iter().zip(&b).filter(|(a, b)| a == b).count(), 0);
}

//! What of a long chain a certificate shows.

use super::*;
use billchain_verifier::{
    MAX_BYTES,
    make::{self, Body, OperationProof, Place, Roots},
};

/// Changes at the blocks 10, 20 and so on, each of as many bytes as 64 validators need.
const CHANGES: u32 = 200;

fn hash(number: u32) -> Hash {
    Hash::from_low_u64_be(number.into())
}

/// A header of 64 keys and powers, and 64 signatures: what is in them is not looked at here.
fn change(number: u32) -> Decided {
    let mut header = number.to_be_bytes().to_vec();
    header.resize(110 + 64 * 41, 0);
    Decided { header, round: 0, signatures: (0..64).map(|place| (place, [0; 64])).collect() }
}

fn known() -> Arc<Known> {
    let set = |number| Set { number, hash: hash(number), accounts: Vec::new() };
    let numbers = (1..=CHANGES).map(|at| 10 * at);
    Arc::new(Known {
        genesis: vec![7; 100],
        sets: std::iter::once(0).chain(numbers.clone()).map(set).collect(),
        changes: numbers.map(change).collect(),
    })
}

fn numbers(span: &Span) -> Vec<u32> {
    let number = |change: &Decided| {
        change.header.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    };
    span.changes().iter().map(number).collect()
}

#[test]
fn a_span_begins_at_its_start_and_ends_before_its_head() {
    let known = known();
    let span = |number, from: Option<u32>| Span::of(&known, number, from.map(hash)).unwrap();
    for (number, from, expected) in [
        (0, None, vec![]),
        (10, None, vec![]),
        (11, None, vec![10]),
        (20, None, vec![10]),
        (35, None, vec![10, 20, 30]),
        (35, Some(0), vec![10, 20, 30]),
        (35, Some(10), vec![20, 30]),
        (35, Some(30), vec![]),
    ] {
        let span = span(number, from);
        assert_eq!(numbers(&span), expected, "{number} from {from:?}");
        assert_eq!(span.first(), from.unwrap_or(0));
        let start = from.filter(|from| *from > 0).map(|from| change(from).header);
        assert_eq!(span.start().map(<[u8]>::to_vec), start);
        assert_eq!(span.genesis(), [7; 100]);
    }
    // No block that named nobody, and none that is not before the head.
    for (number, from) in [(35, 11), (35, 40), (30, 30)] {
        let refused = Span::of(&known, number, Some(hash(from)));
        assert!(matches!(refused, Err(CertificateError::NoStart { .. })), "{number} from {from}");
    }
}

#[test]
fn a_span_copies_nothing() {
    let known = known();
    let spans: Vec<Span> =
        (0..5).map(|_| Span::of(&known, 1_000, Some(hash(500))).unwrap()).collect();
    assert!(spans.iter().all(|span| Arc::ptr_eq(&span.known, &known)));
    assert!(std::ptr::eq(&spans[0].changes()[0], &known.changes[50]));
}

#[test]
fn a_certificate_has_room_however_often_the_validators_changed() {
    let (known, number) = (known(), 10 * CHANGES + 1);
    let proof = OperationProof {
        location: 0,
        leaves: 1,
        inactive_peaks: 0,
        plain: [0; 32],
        bits: [0; 32],
        partial: None,
        digests: Vec::new(),
    };
    let place = Place::Nowhere { neighbour: [[0; 32]; 3], proof, runs: Vec::new() };
    let body = Body::Absent { key: [b'0'; 18], place };
    let roots = Roots { hot: [0; 32], runs: Vec::new(), records: [0; 32] };
    let length = |from| {
        let span = Span::of(&known, number, from).unwrap();
        let head = change(number);
        make::to_bytes(span.genesis(), span.start(), span.changes(), &head, &roots, &body).len()
    };
    assert!(length(None) > MAX_BYTES, "{}", length(None));
    let last = length(Some(hash(10 * CHANGES)));
    assert!(last < 16 << 10, "{last}");
}

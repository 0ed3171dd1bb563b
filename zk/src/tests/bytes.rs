//! Bytes of statements and proofs: their one form, and everything that is none.

use super::*;
use crate::{
    Error, MAX_PROOF_BYTES, PROOF_VERSION, STATEMENT_BYTES, StatementError, prove, verify,
};

fn made() -> (Statement, Vec<u8>) {
    let holder = witness(&[matching()]);
    let statement = statement(&question(), &holder, Answer::AtLeast(1));
    let bytes = prove(&statement, &holder, &mut rng(1)).unwrap().to_bytes();
    (statement, bytes)
}

#[test]
fn statement_is_the_one_of_the_fixture() {
    let holder = witness(&[matching()]);
    let statement = statement(&question(), &holder, Answer::AtLeast(1));
    let bytes = statement.to_bytes();
    assert_eq!(Statement::from_bytes(&bytes).unwrap(), statement);
    let found = hex::encode(bytes) + "\n";
    assert_eq!(found, include_str!("statement.txt"), "found: {found}");
}

#[test]
fn statement_has_one_form() {
    let holder = witness(&[matching()]);
    for answer in [Answer::Absent, Answer::AtLeast(7)] {
        let bytes = statement(&question(), &holder, answer).to_bytes();
        for at in 0..STATEMENT_BYTES {
            for change in [1, 0x80, 0xff] {
                let mut other = bytes;
                other[at] ^= change;
                if let Ok(read) = Statement::from_bytes(&other) {
                    assert_eq!(read.to_bytes(), other, "byte {at}");
                }
            }
        }
        for length in (0..STATEMENT_BYTES).chain([STATEMENT_BYTES + 1, 4096]) {
            let mut other = bytes.to_vec();
            other.resize(length, 0);
            let found = other.len();
            assert_eq!(Statement::from_bytes(&other), Err(StatementError::Length { found }));
        }
    }
}

#[test]
fn statement_says_which_field_is_wrong() {
    let holder = witness(&[matching()]);
    let bytes = statement(&question(), &holder, Answer::Absent).to_bytes();
    let of = |at: usize, value: u8| {
        let mut other = bytes;
        other[at] = value;
        Statement::from_bytes(&other).unwrap_err()
    };
    assert_eq!(of(0, 2), StatementError::Version { found: 2 });
    assert!(matches!(of(40, 0xff), StatementError::Digest { field: "accumulator", .. }));
    assert!(matches!(of(72, 0xff), StatementError::Digest { field: "holder", .. }));
    assert_eq!(of(125, 0x10), StatementError::KindsOutOfRange { found: 0x10 });
    assert_eq!(of(126, 17), StatementError::Scenes { found: 17 });
    assert_eq!(of(126, 2), StatementError::Unused { field: "scenes" });
    assert_eq!(of(159, 2), StatementError::Answer { found: 2 });
    assert_eq!(of(160, 1), StatementError::Unused { field: "minimum" });
}

#[test]
fn proof_of_another_length_or_version_is_refused() {
    let (_, bytes) = made();
    assert!(bytes.len() <= 200 * 1024, "{} bytes", bytes.len());
    for length in (0..bytes.len()).step_by(977).chain([1, 2, bytes.len() - 1]) {
        assert!(Proof::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(Proof::from_bytes(&longer), Err(Error::Encoding { .. })));
    let huge = vec![PROOF_VERSION; MAX_PROOF_BYTES + 1];
    assert!(matches!(Proof::from_bytes(&huge), Err(Error::Encoding { .. })));
    let mut other = bytes.clone();
    other[0] = 2;
    assert!(matches!(Proof::from_bytes(&other), Err(Error::Version { found: 2 })));
    // Lengths that are larger than what follows ask for no memory.
    assert!(Proof::from_bytes(&[&[PROOF_VERSION], &[0xff; 64][..]].concat()).is_err());
}

/// No byte of a proof may be another one, wherever it stands.
#[test]
fn proof_with_one_bit_changed_is_refused() {
    let (statement, bytes) = made();
    let mut rng = rng(4);
    let near = 0..200;
    let sampled = (0..300).map(|_| rng.next_u32() as usize % bytes.len());
    for at in near.chain(sampled.collect::<Vec<_>>()) {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        let refused = Proof::from_bytes(&other).and_then(|proof| verify(&statement, &proof));
        assert!(refused.is_err(), "byte {at}");
    }
}

/// Every byte of the statement is in the transcript.
#[test]
fn proof_holds_for_no_other_statement() {
    let (statement, bytes) = made();
    let proof = Proof::from_bytes(&bytes).unwrap();
    verify(&statement, &proof).unwrap();
    for at in 0..STATEMENT_BYTES {
        let mut other = statement.to_bytes();
        other[at] ^= 1;
        if let Ok(other) = Statement::from_bytes(&other) {
            assert!(verify(&other, &proof).is_err(), "byte {at}");
        }
    }
}

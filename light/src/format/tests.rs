//! The state file's bytes: a fixture, and what is refused.

use super::*;
use crate::testing::{FIRST, Made, QUORUM, SECOND, genesis, knowledge};
use std::fs;

/// Knowledge with two sets, a few blocks and a fork.
fn known() -> Knowledge {
    let mut known = knowledge();
    let change = Made::change(10, 0, &SECOND).decided(&FIRST, &QUORUM).to_bytes();
    known.apply(&Made::plain(12, 10).update(&[change], &SECOND)).unwrap();
    known
}

fn forked() -> Knowledge {
    let mut known = known();
    let other = Made { branch: 1, ..Made::plain(12, 10) };
    known.apply(&other.update(&[], &SECOND)).unwrap_err();
    known
}

fn read_again(bytes: &[u8]) -> Result<Knowledge, String> {
    Knowledge::from_bytes(bytes, Path::new("f")).map_err(|error| error.to_string())
}

/// With the digest that fits.
fn sealed(content: &[u8]) -> Vec<u8> {
    [content, &sm3(content)].concat()
}

fn refused(content: &[u8]) -> String {
    read_again(&sealed(content)).unwrap_err()
}

#[test]
fn what_is_written_is_read_again() {
    for known in [knowledge(), known(), forked()] {
        assert_eq!(read_again(&known.to_bytes()), Ok(known));
    }
}

/// A file that was put together from `docs/light-client.md` alone. Its signatures are none: what
/// is in a state file was checked before it came there.
#[test]
fn a_file_of_another_program_is_read_and_written_as_it_was() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/state-1.hex");
    let bytes = hex::decode(fs::read_to_string(file).unwrap().trim()).unwrap();
    let known = read_again(&bytes).unwrap();
    assert_eq!((known.start().number, known.start().hash), (0, known.genesis()));
    assert_eq!((known.head().number, known.known()), (12, 3));
    assert_eq!(known.time(), Some(1_800_000_012_000));
    let named: Vec<u32> = known.sets.iter().map(|set| set.named_in().number).collect();
    assert_eq!((named, known.validators().count()), (vec![0, 10], 4));
    assert_eq!(known.fork().unwrap().number, 12);
    assert_eq!(known.to_bytes(), bytes, "the format changed: give it a number of its own");
}

#[test]
fn no_byte_may_be_another_and_none_may_lack() {
    let bytes = forked().to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(read_again(&changed).is_err(), "byte {at}");
        let cut = read_again(&bytes[..at]).unwrap_err();
        assert!(cut.starts_with("f is damaged: "), "{at}: {cut}");
    }
    let longer = read_again(&[&bytes[..], &[0]].concat()).unwrap_err();
    assert!(longer.contains("its digest is not that of its bytes"), "{longer}");
}

#[test]
fn a_digest_that_fits_does_not_make_a_state() {
    let bytes = known().to_bytes();
    let content = &bytes[..bytes.len() - 32];
    assert!(refused(&[content, &[0]].concat()).contains("bytes follow its end"));
    // Magic, format, sets: behind genesis (32), start (36) and time (8).
    let with = |at: usize, byte: u8| {
        let mut changed = content.to_vec();
        changed[at] = byte;
        refused(&changed)
    };
    assert!(with(0, b'X').contains("does not begin with BCLC"));
    assert!(with(4, 2).contains("it has format 2, expected 1"));
    assert!(with(81, 3).contains("it has 3 sets of validators, expected 1 or 2"));
    assert!(with(81, 0).contains("it has 0 sets"));
    assert!(with(content.len() - 1, 2).contains("a fork is 2"));
    let one = knowledge();
    let mut odd = one.clone();
    odd.sets = vec![one.sets[0].clone(), one.sets[0].clone(), one.sets[0].clone()];
    assert!(read_again(&odd.to_bytes()).unwrap_err().contains("3 sets"));
    let mut odd = known();
    odd.sets.reverse();
    assert!(read_again(&odd.to_bytes()).unwrap_err().contains("do not follow one another"));
    let mut odd = known();
    odd.known.clear();
    assert!(read_again(&odd.to_bytes()).unwrap_err().contains("it has 0 blocks"));
    let mut odd = known();
    let header = odd.known[&12].clone();
    odd.known.insert(13, header);
    assert!(read_again(&odd.to_bytes()).unwrap_err().contains("out of order"));
    let mut odd = forked();
    let fork = odd.fork.as_mut().unwrap();
    fork.second = fork.first.clone();
    assert!(read_again(&odd.to_bytes()).unwrap_err().contains("its fork is none"));
    assert_eq!(known().genesis(), genesis());
}

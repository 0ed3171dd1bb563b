//! Files that are not what was written.

use crate::{SMALL, many, segment, written};
use billchain_cold::{ColdError, Proof, Segment, Source, fuzzing};
use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
};

/// Whether a file is found out; and then tells neither a wrong value nor a wrong proof.
fn is_found_out(bytes: Vec<u8>, sound: &Segment<Vec<u8>>) -> bool {
    let Ok(damaged) = Segment::open(bytes) else { return true };
    let is_found = damaged.verify().is_err();
    for (_, group) in sound.iter().step_by(7).map(Result::unwrap) {
        // What is read was compared on the way.
        if let Ok(found) = damaged.get_group(&group.shared) {
            assert_eq!(found.as_ref(), Some(&group));
        }
        match damaged.prove(&group.shared) {
            Ok(Proof::Present { group: found, proof }) => {
                assert_eq!(found, group);
                assert_eq!(proof.verify(sound.root(), &group.shared, &group.digest()), Ok(()));
            }
            Ok(Proof::Absent(_)) => panic!("a group that is there is proved absent"),
            Err(_) => {}
        }
    }
    is_found
}

#[test]
fn every_bit_counts() {
    let groups = many(22);
    let (_, bytes) = written(&groups, SMALL);
    let sound = segment(&groups);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(is_found_out(damaged, &sound), "bit {bit} of byte {at} of {}", bytes.len());
        }
    }
}

#[test]
fn a_file_that_is_cut_or_longer_is_none() {
    for count in [0, 1, 300] {
        let (_, bytes) = written(&many(count), SMALL);
        for length in (0..bytes.len()).step_by(if count > 1 { 7 } else { 1 }) {
            let refused = Segment::open(bytes[..length].to_vec()).map(drop);
            assert!(matches!(refused, Err(ColdError::Damaged { .. })), "{length} of {count}");
        }
        for more in [1, 12, 5_000] {
            let longer = [&bytes[..], &vec![0; more]].concat();
            assert!(Segment::open(longer).is_err());
            let before = [&vec![0; more], &bytes[..]].concat();
            assert!(Segment::open(before).is_err());
        }
        // A whole file twice, and one that lost its middle.
        assert!(Segment::open([&bytes[..], &bytes].concat()).is_err());
        let middle = bytes.len() / 2;
        let without = [&bytes[..middle - 1], &bytes[middle..]].concat();
        assert!(Segment::open(without).is_err());
    }
}

#[test]
fn parts_of_two_segments_are_no_segment() {
    let (_, one) = written(&many(300), SMALL);
    let mut other = many(300);
    other[150].values[0].1 = b"changed".to_vec();
    let (_, two) = written(&other, SMALL);
    // The tree of one behind the blocks of the other.
    let tail = 4_096;
    let mixed = [&two[..two.len() - tail], &one[one.len() - tail..]].concat();
    let found = Segment::open(mixed).and_then(|segment| segment.verify());
    assert!(found.is_err());
}

#[test]
fn errors_name_the_file_the_place_and_both_sides() {
    let (_, bytes) = written(&many(300), SMALL);
    let mut damaged = bytes.clone();
    damaged[400] ^= 1;
    let segment = Segment::open(damaged).unwrap();
    let text = segment.verify().unwrap_err().to_string();
    for part in ["a segment in memory is no sound segment, at byte 12: SM3 of", "is", "expected"] {
        assert!(text.contains(part), "{text}");
    }
    let mut other = bytes.clone();
    other[11] = 2;
    let text = Segment::open(other).map(drop).unwrap_err().to_string();
    assert!(text.ends_with("has segment format 2, this program reads format 1"), "{text}");
    let text = Segment::open(b"GIF89a and more than that".to_vec()).map(drop).unwrap_err();
    assert!(text.to_string().contains("expected BILLCOLD"), "{text}");
}

#[test]
fn samples_of_the_fuzz_targets_are_accepted() {
    for (target, sample) in fuzzing::samples() {
        let accepted = match target {
            "segment" => fuzzing::segment,
            "proof" => fuzzing::proof,
            _ => fuzzing::kept,
        };
        assert!(accepted(&sample), "{target}");
        // The other one refuses it, and any end cut off.
        assert!(!fuzzing::segment(&sample[..sample.len() - 1]), "{target}");
    }
    assert!(!fuzzing::proof(b"no proof") && !fuzzing::segment(b"no segment"));
    assert!(!fuzzing::kept(b"no group, and no filter"));
}

/// A disk that fails once, after so many reads.
struct Failing(Vec<u8>, AtomicU32);

impl Source for Failing {
    fn name(&self) -> String {
        "nas/segment".into()
    }

    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        match self.1.fetch_sub(1, Ordering::Relaxed) {
            1 => Err(io::ErrorKind::TimedOut.into()),
            _ => self.0.read_exact_at(offset, buffer),
        }
    }
}

#[test]
fn a_read_that_fails_is_an_error_and_may_be_tried_again() {
    let groups = many(300);
    let (_, bytes) = written(&groups, SMALL);
    let mut failed = 0;
    for at in 1..40 {
        let source = Failing(bytes.clone(), AtomicU32::new(at));
        let proved = Segment::open(source).and_then(|segment| {
            let proved = segment.prove(&groups[200].shared);
            if proved.is_err() {
                assert!(segment.prove(&groups[200].shared).is_ok(), "it may be tried again");
            }
            proved
        });
        if let Err(error) = proved {
            assert_eq!(error.to_string(), "cannot read nas/segment: timed out");
            failed += 1;
        }
    }
    // Header, footer and top; page and block, then the nodes.
    assert!((5..10).contains(&failed), "{failed}");
}

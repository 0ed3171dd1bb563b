//! Proofs at every position, and what is none.

use crate::{many, segment};
use billchain_cold::{
    Activity, Proof, Segment,
    proof::{
        BitProof, Coverage, Digest, Exclusion, Inclusion, Listed, MAX_RUNS, Refused, cold_root,
        run_root, state_root,
    },
};

/// Numbers of groups around those where the form of the tree changes.
const COUNTS: [usize; 14] = [0, 1, 2, 3, 5, 31, 63, 64, 65, 100, 128, 129, 700, 4_161];

fn inclusion(segment: &Segment<Vec<u8>>, shared: &[u8]) -> (Digest, Inclusion) {
    match segment.prove(shared).unwrap() {
        Proof::Present { group, proof } => (group.digest(), proof),
        Proof::Absent(_) => panic!("it is there"),
    }
}

fn exclusion(segment: &Segment<Vec<u8>>, shared: &[u8]) -> Exclusion {
    match segment.prove(shared).unwrap() {
        Proof::Present { .. } => panic!("it is not there"),
        Proof::Absent(proof) => proof,
    }
}

/// Every change of one bit of `bytes`, every end cut off, and one byte more.
fn damaged(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flipped = (0..8 * bytes.len()).map(|bit| {
        let mut damaged = bytes.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        damaged
    });
    let cut = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    flipped.chain(cut).chain([[bytes, &[0]].concat()])
}

#[test]
fn every_group_and_every_gap_is_proved() {
    for count in COUNTS {
        let groups = many(count);
        let segment = segment(&groups);
        let root = *segment.root();
        for (at, group) in groups.iter().enumerate() {
            let (digest, proof) = inclusion(&segment, &group.shared);
            assert_eq!(proof.position(), at as u64);
            let read = Inclusion::decode(&proof.encode()).unwrap();
            assert_eq!(read, proof);
            assert_eq!(read.verify(&root, &group.shared, &digest), Ok(()));
            // No other group, content or segment.
            let other = groups[(at + 1) % count].shared.as_slice();
            if count > 1 {
                assert_eq!(read.verify(&root, other, &digest), Err(Refused::OtherRoot));
            }
            assert_eq!(read.verify(&root, &group.shared, &[7; 32]), Err(Refused::OtherRoot));
            assert_eq!(read.verify(&[7; 32], &group.shared, &digest), Err(Refused::OtherRoot));
        }
        let gaps = groups.iter().map(|group| [&group.shared[..], b"+"].concat());
        for gap in gaps.chain([b"".to_vec()]) {
            let proof = exclusion(&segment, &gap);
            let read = Exclusion::decode(&proof.encode().unwrap()).unwrap();
            assert_eq!(read, proof);
            assert_eq!(read.verify(&root, &gap), Ok(()));
            assert_eq!(read.verify(&[7; 32], &gap), Err(Refused::OtherRoot));
            // What is there is not absent by it, nor what is in another gap.
            for group in groups.iter().take(3) {
                assert_eq!(read.verify(&root, &group.shared), Err(Refused::NotBetween));
            }
        }
    }
}

#[test]
fn a_proof_has_a_path_and_two_neighbours_no_more_than_one_and_a_half() {
    let groups = many(4_161);
    let segment = segment(&groups);
    let longest = |shown: &dyn Fn(&[u8]) -> usize| {
        groups.iter().step_by(7).map(|group| shown(&group.shared)).max().unwrap()
    };
    assert_eq!(longest(&|shared| inclusion(&segment, shared).1.encode().len()), 16 + 13 * 32);
    let gap = |shared: &[u8]| exclusion(&segment, &[shared, b"+"].concat()).encode().unwrap().len();
    assert!(longest(&gap) <= 1 + 2 * (2 + 12 + 32) + 16 + 24 * 32);
}

#[test]
fn a_damaged_proof_proves_nothing() {
    let groups = many(100);
    let segment = segment(&groups);
    let root = segment.root();
    for at in [0, 1, 63, 64, 99] {
        let shared = &groups[at].shared;
        let (digest, proof) = inclusion(&segment, shared);
        for damaged in damaged(&proof.encode()) {
            let read = Inclusion::decode(&damaged);
            assert!(read.map_or(true, |read| read.verify(root, shared, &digest).is_err()));
        }
        let gap = [&shared[..], b"+"].concat();
        for damaged in damaged(&exclusion(&segment, &gap).encode().unwrap()) {
            let read = Exclusion::decode(&damaged);
            assert!(read.map_or(true, |read| read.verify(root, &gap).is_err()));
        }
    }
}

#[test]
fn neighbours_that_do_not_follow_one_another_prove_nothing() {
    let groups = many(100);
    let segment = segment(&groups);
    let root = segment.root();
    let gap = |at: usize| [&groups[at].shared[..], b"+"].concat();
    // One neighbour where there are two.
    for kept in [0, 1] {
        let mut proof = exclusion(&segment, &gap(50));
        let single = inclusion(&segment, &groups[50 + kept].shared).1;
        proof.neighbours = vec![proof.neighbours[kept].clone()];
        proof.path = single.0;
        assert_eq!(proof.verify(root, &gap(50)), Err(Refused::NotBetween));
    }
    // The neighbours of a wider gap, with the path of another pair.
    let mut wide = exclusion(&segment, &gap(50));
    wide.neighbours[1] = exclusion(&segment, &gap(51)).neighbours[1].clone();
    assert_eq!(wide.verify(root, &groups[51].shared), Err(Refused::OtherRoot));
    // None at all.
    let none = exclusion(&crate::segment(&[]), b"x");
    assert_eq!(none.verify(root, b"x"), Err(Refused::OtherRoot));
    // Three.
    let mut three = exclusion(&segment, &gap(50));
    three.neighbours.push(three.neighbours[1].clone());
    assert_eq!((three.verify(root, &gap(50)), three.encode()), (Err(Refused::NotBetween), None));
    assert!(matches!(Exclusion::decode(&[3; 900]), Err(Refused::Malformed(_))));
    // The form of an empty segment, which says that it has groups.
    let bytes = [&[0][..], &5_u64.to_be_bytes(), &[0; 8]].concat();
    assert!(matches!(Exclusion::decode(&bytes), Err(Refused::Malformed(_))));
}

#[test]
fn a_bit_is_proved_and_no_damaged_one() {
    let mut activity = Activity::all_active(1_300).unwrap();
    activity.kill(600);
    for (position, active) in [(0, true), (599, true), (600, false), (1_299, true)] {
        let proof = activity.prove(position).unwrap();
        assert_eq!(BitProof::decode(&proof.encode()), Ok(proof.clone()));
        assert_eq!(proof.verify(&activity.root(), position), Ok(active));
        let elsewhere = proof.verify(&activity.root(), (position + 512) % 1_536);
        assert!(matches!(elsewhere, Err(Refused::Malformed(_))));
        for damaged in damaged(&proof.encode()) {
            let read = BitProof::decode(&damaged);
            assert!(read.map_or(true, |read| read.verify(&activity.root(), position).is_err()));
        }
    }
    assert_eq!(activity.prove(1_300), None);
}

fn listed(from: &[u8]) -> Listed {
    Listed { from: from.to_vec(), groups: [1; 32], bits: [2; 32] }
}

#[test]
fn a_run_tells_which_segment_a_key_is_in() {
    for count in 0..9_usize {
        let run: Vec<Listed> = (0..count).map(|at| listed(&[b'b' + 2 * at as u8])).collect();
        let root = run_root(&run).unwrap();
        for key in b'a'..=b'w' {
            let proof = Coverage::of(&run, &[key]).unwrap();
            let bytes = proof.encode().unwrap();
            let read = Coverage::decode(&bytes).unwrap();
            assert_eq!(read, proof);
            let expected = run.iter().rfind(|segment| segment.from.as_slice() <= &[key][..]);
            assert_eq!(read.verify(&root, &[key]), Ok(expected), "{count} {key}");
            assert_eq!(read.verify(&[0; 32], &[key]), Err(Refused::OtherRoot));
            for damaged in damaged(&bytes) {
                let read = Coverage::decode(&damaged);
                assert!(read.map_or(true, |read| read.verify(&root, &[key]).is_err()));
            }
            // Under a key of another range it says nothing, or the same segment.
            let other = proof.verify(&root, &[key + 1]).map(Option::<&Listed>::cloned);
            let of_other = run.iter().rfind(|segment| segment.from.as_slice() <= &[key + 1][..]);
            assert!(other == Ok(of_other.cloned()) || other == Err(Refused::NotBetween));
        }
    }
    assert_eq!(run_root(&[listed(b"b"), listed(b"b")]), None);
    assert_eq!(run_root(&[listed(&[0; 70_000])]), None);
    assert_eq!(Coverage::of(&[listed(b"b"), listed(b"a")], b"c"), None);
}

#[test]
fn roots_differ_by_what_they_are_over() {
    let runs = [[1; 32], [2; 32]];
    let cold = cold_root(&runs, &[3; 32]).unwrap();
    assert_ne!(Some(cold), cold_root(&[[2; 32], [1; 32]], &[3; 32]));
    assert_ne!(Some(cold), cold_root(&runs[..1], &[3; 32]));
    assert_ne!(Some(cold), cold_root(&runs, &[4; 32]));
    // What is not a run is not taken for one.
    assert_ne!(Some(cold), cold_root(&runs[..1], &runs[1]));
    assert_ne!(cold, state_root(&runs[0], &runs[1]));
    assert_ne!(state_root(&runs[0], &runs[1]), state_root(&runs[1], &runs[0]));
    assert!(cold_root(&vec![[1; 32]; MAX_RUNS], &[3; 32]).is_some());
    assert_eq!(cold_root(&vec![[1; 32]; MAX_RUNS + 1], &[3; 32]), None);
}

//! Decoders of foreign bytes, for the fuzz targets.

use crate::{
    Activity, Filter, FilterWriter, Group, Located, Proof, Segment, WriteOptions,
    proof::{BitProof, Coverage, Exclusion, Inclusion, Listed, run_root},
    write,
};
use billchain_crypto::sm3::sm3;
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

/// Whether the bytes are a sound segment; then everything in it is found and proved.
pub fn segment(bytes: &[u8]) -> bool {
    let Ok(segment) = Segment::open(bytes.to_vec()) else { return false };
    // What a damaged one gives may be wrong, or an error.
    let keys = [&b""[..], b"a", b"group 1", &[0xFF; 40]];
    for key in keys {
        let _ = (segment.get(key), segment.get_group(key), segment.prove(key));
    }
    let read = segment.iter().take(1_000).all(|found| found.is_ok());
    if segment.verify().is_err() {
        return false;
    }
    assert!(read, "a sound segment cannot be read");
    for found in segment.iter().take(20) {
        let (position, group) = found.expect("it was read before");
        let located = segment.locate(&group.shared).expect("sound");
        assert_eq!(located, Located::Here { position, group: group.clone() });
        let proof = segment.prove(&group.shared).expect("sound");
        assert!(matches!(proof, Proof::Present { group: found, .. } if found == group));
    }
    true
}

/// Whether the bytes are a proof, or activity bits; then they have one form, and prove nothing
/// under a root that was never made.
pub fn proof(bytes: &[u8]) -> bool {
    let root = sm3(bytes);
    let inclusion = Inclusion::decode(bytes);
    if let Ok(proof) = &inclusion {
        assert_eq!(proof.encode(), bytes);
        assert!(proof.verify(&root, b"shared", &root).is_err());
    }
    let exclusion = Exclusion::decode(bytes);
    if let Ok(proof) = &exclusion {
        assert_eq!(proof.encode().as_deref(), Some(bytes));
        assert!(proof.verify(&root, b"shared").is_err());
    }
    let bit = BitProof::decode(bytes);
    if let Ok(proof) = &bit {
        assert_eq!(proof.encode(), bytes);
        assert!(proof.verify(&root, proof.path.first * 512).is_err());
    }
    let coverage = Coverage::decode(bytes);
    if let Ok(proof) = &coverage {
        assert_eq!(proof.encode().as_deref(), Some(bytes));
        assert!(proof.verify(&root, b"key").is_err());
    }
    let activity = Activity::decode(bytes);
    if let Ok(activity) = &activity {
        assert_eq!(activity.encode(), bytes);
        let proof = activity.prove(0).map(|proof| proof.verify(&activity.root(), 0));
        assert_eq!(proof, (activity.groups() > 0).then_some(Ok(activity.is_active(0))));
    }
    inclusion.is_ok() | exclusion.is_ok() | bit.is_ok() | coverage.is_ok() | activity.is_ok()
}

/// Whether the bytes are what a node keeps for itself: a group, or a filter; then they have one
/// form.
pub fn kept(bytes: &[u8]) -> bool {
    let group = Group::decode(bytes);
    if let Ok(group) = &group {
        assert_eq!(group.encode().expect("it was read"), bytes);
    }
    let root = bytes.get(28..).and_then(|rest| rest.first_chunk());
    let filter = root.and_then(|root| Filter::open(bytes.to_vec(), root, None).ok());
    if let Some(filter) = &filter {
        // A damaged page is an error.
        let _ = (filter.may_have(b""), filter.may_have(b"group 1"));
    }
    group.is_ok() | filter.is_some()
}

/// A filter of some groups.
fn filter() -> Vec<u8> {
    let path = scratch();
    let mut filter = FilterWriter::new(900, 7);
    (0..900).for_each(|at| filter.add(format!("group {at}").as_bytes()));
    filter.write(&path, &[1; 32]).expect("a sample can be written");
    let bytes = std::fs::read(&path).expect("it was written");
    let _ = std::fs::remove_file(&path);
    bytes
}

/// A path that nobody uses: targets may ask for their samples at the same time.
fn scratch() -> PathBuf {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let asked = ASKED.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("cold-sample-{}-{asked}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// A segment of so many groups.
fn sample(groups: u16) -> Vec<u8> {
    let path = scratch();
    let made = (0..groups).map(|at| {
        let values = (0..=(at % 3) as u8).map(|last| (last, vec![last; usize::from(at % 50)]));
        let shared = format!("group {at:05}").into_bytes();
        Ok::<_, crate::ColdError>(Group { shared, values: values.collect() })
    });
    let options = WriteOptions { block_bytes: 1 << 10, ..WriteOptions::default() };
    write(&path, options, made).expect("a sample can be written");
    let bytes = std::fs::read(&path).expect("it was written");
    let _ = std::fs::remove_file(&path);
    bytes
}

/// Real inputs: the target, and the bytes.
pub fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples: Vec<_> = [0, 1, 120].map(|groups| ("segment", sample(groups))).into();
    let segment = Segment::open(sample(120)).expect("a sample is sound");
    for shared in [&b"group 00077"[..], b"group 00077+", b"", b"z"] {
        samples.push(match segment.prove(shared).expect("a sample is sound") {
            Proof::Present { proof, .. } => ("proof", proof.encode()),
            Proof::Absent(proof) => ("proof", proof.encode().expect("short keys")),
        });
    }
    let mut activity = Activity::all_active(1_500).expect("few");
    activity.kill(700);
    samples.push(("proof", activity.encode()));
    samples.extend(activity.prove(700).map(|proof| ("proof", proof.encode())));
    let listed = |at: u8| Listed { from: vec![at], groups: [at; 32], bits: [at; 32] };
    let run = [listed(3), listed(5), listed(9)];
    assert!(run_root(&run).is_some());
    let coverage = Coverage::of(&run, &[6]).and_then(|coverage| coverage.encode());
    samples.extend(coverage.map(|coverage| ("proof", coverage)));
    let group = Group { shared: b"group 7".to_vec(), values: vec![(1, vec![]), (9, vec![7; 50])] };
    samples.push(("kept", group.encode().expect("a segment can hold it")));
    samples.push(("kept", filter()));
    samples
}

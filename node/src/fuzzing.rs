//! Entry points for fuzzers: what operators bring from elsewhere. Each returns whether
//! the bytes are what they should be; those that are read the same when written again.

use crate::snapshot::manifest::Manifest;

/// The manifest of a snapshot.
pub fn snapshot_manifest(data: &[u8]) -> bool {
    let Ok(manifest) = Manifest::from_bytes(data) else { return false };
    let written = manifest.to_bytes().expect("a manifest that was read");
    let again = Manifest::from_bytes(&written).expect("as it was written");
    assert_eq!(again, manifest);
    assert_eq!(again.block.header().expect("checked").number, again.block.height);
    true
}

/// A manifest of the first format.
pub fn snapshot_manifest_sample() -> Vec<u8> {
    include_bytes!("snapshot/fixtures/manifest-1.json").to_vec()
}

/// What nodes answer to `billchain doctor`, as a JSON array. Returns whether it is one.
pub fn doctor_answers(data: &[u8]) -> bool {
    crate::commands::doctor::judge_answers(data)
}

//! Segments against a model, their proofs, and what becomes of damaged ones.

mod activity;
mod damage;
mod model;
mod proofs;
mod vectors;
mod writing;

use billchain_cold::{ColdError, Group, Segment, WriteOptions, Written, write};
use std::{collections::BTreeMap, path::PathBuf};

/// Keys and values.
type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Small blocks, so that few groups make many of them.
const SMALL: WriteOptions = WriteOptions { block_bytes: 1 << 10, zstd_level: 3 };

/// The groups of the keys, in order.
fn groups(model: &Model) -> Vec<Group> {
    let mut groups: BTreeMap<Vec<u8>, Vec<(u8, Vec<u8>)>> = BTreeMap::new();
    for (key, value) in model {
        let (last, shared) = key.split_last().expect("keys are not empty");
        groups.entry(shared.to_vec()).or_default().push((*last, value.clone()));
    }
    groups.into_iter().map(|(shared, values)| Group { shared, values }).collect()
}

/// A directory, and a path in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("segment");
    (directory, path)
}

/// Writes groups; what was written, and the bytes of the file.
fn written(groups: &[Group], options: WriteOptions) -> (Written, Vec<u8>) {
    let (_directory, path) = place();
    let groups = groups.iter().cloned().map(Ok::<_, ColdError>);
    let written = write(&path, options, groups).expect("groups that a segment can hold");
    (written, std::fs::read(&path).expect("it is there"))
}

/// A segment in memory.
fn segment(groups: &[Group]) -> Segment<Vec<u8>> {
    Segment::open(written(groups, SMALL).1).expect("sound")
}

/// Group number `at` of many: one to three keys, values of 0 to 60 bytes.
fn group(at: usize) -> Group {
    let values = (0..=at % 3).map(|last| {
        let value = (0..at * 7 % 61).map(|byte| (byte * at) as u8).collect();
        (last as u8 + 4, value)
    });
    Group { shared: format!("group {at:06}").into_bytes(), values: values.collect() }
}

fn many(count: usize) -> Vec<Group> {
    (0..count).map(group).collect()
}

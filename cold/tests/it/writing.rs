//! What is refused, what a failure leaves behind, and the format.

use crate::{SMALL, group, many, place, written};
use billchain_cold::{
    ColdError, FORMAT, Group, LocalFile, MAX_GROUP, MAX_SHARED, Segment, Source as _, WriteOptions,
    write,
};
use std::{fs, io};

fn refused(groups: Vec<Group>) -> ColdError {
    let (directory, path) = place();
    let refused = write(&path, SMALL, groups.into_iter().map(Ok::<_, ColdError>)).unwrap_err();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "something is left");
    refused
}

#[test]
fn groups_out_of_order_are_refused() {
    for groups in [vec![group(2), group(1)], vec![group(2), group(2)]] {
        let text = refused(groups).to_string();
        assert!(text.ends_with("expected groups in ascending order, each once"), "{text}");
    }
}

#[test]
fn groups_that_no_segment_can_hold_are_refused() {
    let with = |shared: Vec<u8>, values: Vec<(u8, Vec<u8>)>| vec![Group { shared, values }];
    let cases = [
        (with(vec![1], vec![]), "it has no keys"),
        (with(vec![1], vec![(2, vec![]), (1, vec![])]), "out of order"),
        (with(vec![1], vec![(1, vec![]), (1, vec![])]), "out of order"),
        (with(vec![1; MAX_SHARED + 1], vec![(1, vec![])]), "share 1025 bytes, expected 1024"),
        (with(vec![1], vec![(1, vec![0; MAX_GROUP - 8])]), "it has 1048577 bytes"),
    ];
    for (groups, expected) in cases {
        let text = refused(groups).to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn the_largest_groups_are_held() {
    let largest = |at: u8| Group {
        shared: vec![at; MAX_SHARED],
        values: vec![(0, vec![at; MAX_GROUP - 3 - MAX_SHARED - 5])],
    };
    let all: Vec<(u8, Vec<u8>)> = (0..=255).map(|last| (last, vec![last; 4_000])).collect();
    let groups = [largest(1), largest(2), Group { shared: vec![3], values: all }];
    for block_bytes in [1 << 10, 1 << 20] {
        let (_, bytes) = written(&groups, WriteOptions { block_bytes, zstd_level: 1 });
        let segment = Segment::open(bytes).unwrap();
        segment.verify().unwrap();
        let found: Vec<_> = segment.iter().map(|found| found.unwrap().1).collect();
        assert_eq!(found, groups);
    }
}

#[test]
fn options_that_cannot_work_are_refused() {
    let (_directory, path) = place();
    for (block_bytes, zstd_level) in [(1_023, 3), ((1 << 20) + 1, 3), (4_096, 0), (4_096, 23)] {
        let options = WriteOptions { block_bytes, zstd_level };
        let refused = write::<ColdError>(&path, options, []).unwrap_err();
        assert!(matches!(refused, ColdError::Option { .. }), "{refused}");
    }
}

#[test]
fn a_segment_is_never_written_over_and_cannot_be_written_to() {
    let (_directory, path) = place();
    let groups = || many(10).into_iter().map(Ok::<_, ColdError>);
    write(&path, SMALL, groups()).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(fs::metadata(&path).unwrap().permissions().readonly());
    let refused = write(&path, SMALL, groups().take(3)).unwrap_err();
    assert!(refused.to_string().ends_with("never written over"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[derive(Debug)]
enum Failed {
    Own,
    Cold,
}

impl From<ColdError> for Failed {
    fn from(_: ColdError) -> Self {
        Self::Cold
    }
}

#[test]
fn what_fails_or_was_left_by_a_crash_is_no_segment() {
    let (directory, path) = place();
    let groups = many(5_000).into_iter().map(Ok).chain([Err(Failed::Own)]);
    assert!(matches!(write(&path, SMALL, groups), Err(Failed::Own)));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    // What a crash leaves, read-only as it is just before it gets its name.
    let partial = directory.path().join("segment.partial");
    fs::write(&partial, b"half of it").unwrap();
    let mut permissions = fs::metadata(&partial).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&partial, permissions).unwrap();
    fs::write(directory.path().join("segment.leaves"), b"leaves").unwrap();
    write(&path, SMALL, many(50).into_iter().map(Ok::<_, Failed>)).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    let segment = Segment::open(LocalFile::open(&path).unwrap()).unwrap();
    segment.verify().unwrap();
    assert!(matches!(Failed::from(LocalFile::open(&partial).unwrap_err()), Failed::Cold));
    // No directory.
    let nowhere = directory.path().join("none").join("segment");
    let text = write::<ColdError>(&nowhere, SMALL, []).unwrap_err().to_string();
    assert!(text.starts_with("cannot make ") && text.contains("segment.partial"), "{text}");
}

#[test]
fn a_group_alone_has_one_form() {
    for group in many(40) {
        let bytes = group.encode().unwrap();
        assert_eq!(Group::decode(&bytes), Ok(group));
        for length in 0..bytes.len() {
            assert!(Group::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert!(Group::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(Group::decode(&[&bytes[..], &bytes[..]].concat()).is_err(), "two groups");
    }
    let empty = Group { shared: vec![1], values: Vec::new() };
    assert!(matches!(empty.encode(), Err(ColdError::Group { .. })));
    assert!(Group::decode(&vec![0; MAX_GROUP + 1]).is_err());
}

#[test]
fn a_file_in_memory_reads_nothing_behind_its_end() {
    let bytes = vec![1, 2, 3];
    let mut two = [0; 2];
    bytes.read_exact_at(1, &mut two).unwrap();
    assert_eq!(two, [2, 3]);
    for offset in [2, 3, u64::MAX] {
        let refused = bytes.read_exact_at(offset, &mut two).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::UnexpectedEof);
    }
}

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/segment-v1.bin");

#[test]
fn the_format_is_that_of_the_fixture() {
    let groups = many(60);
    let (made, bytes) = written(&groups, SMALL);
    if std::env::var_os("COLD_WRITE_FIXTURE").is_some() {
        fs::write(FIXTURE, &bytes).unwrap();
    }
    // The bytes of blocks may change with zstd; what is read from the fixture may not.
    let segment = Segment::open(LocalFile::open(FIXTURE.as_ref()).unwrap()).unwrap();
    segment.verify().unwrap();
    let found: Vec<_> = segment.iter().map(|found| found.unwrap().1).collect();
    assert_eq!(found, groups);
    assert_eq!(*segment.root(), made.root);
    assert_eq!(
        hex::encode(made.root),
        "60bcd6022eaadc9870e4c58a6677f0414227ffc968fe3f0f0103a453585007c3"
    );
    assert_eq!(FORMAT, 1);
}

//! Files of cold segments: written, adopted, lost, damaged, and removed after a merge.

use crate::{
    chain::{options, scratch},
    cold::{prove_all, rows},
    cold_model::*,
};
use billchain_cold::{Filter, LocalFile, Segment, filter_path};
use billchain_storage::{ColdSegment, Cooling, StateDelta, Storage, StorageError, StorageOptions};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

pub fn open(path: &Path) -> Storage {
    Storage::open(path, options()).unwrap()
}

/// A closed store at [`LONG`], whose ended segments are all due.
pub fn due() -> tempfile::TempDir {
    let place = scratch();
    chain().grow(&begin(place.path(), options()), LONG);
    place
}

/// Writes all files that are due.
pub fn write_all(storage: &Storage) -> Vec<ColdSegment> {
    std::iter::from_fn(|| storage.write_due_segment().unwrap()).collect()
}

pub fn file(segment: &ColdSegment) -> &Path {
    segment.file.as_deref().unwrap()
}

/// The segment of which most is needed.
fn most_active(segments: &[ColdSegment]) -> &ColdSegment {
    segments.iter().max_by_key(|segment| segment.active).unwrap()
}

/// Changes a file, as somebody with the disk can.
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn segments_that_ended_are_written_and_everything_is_read_as_before() {
    let place = scratch();
    let storage = begin(place.path(), options());
    let (chain, mut old) = (chain(), None);
    for number in 1..=LONG {
        chain.grow(&storage, number);
        if number == LAST {
            old = Some(storage.state());
        }
        let head = storage.head().number;
        while let Some(written) = storage.write_due_segment().unwrap() {
            assert!(written.ended_at.unwrap() + 256 <= head);
        }
    }
    let segments = storage.cold_segments().unwrap();
    let ended: Vec<&ColdSegment> =
        segments.iter().filter(|segment| segment.ended_at.is_some()).collect();
    assert!(ended.len() > 3 && ended.len() < segments.len(), "{segments:#?}");
    for segment in &segments {
        assert_eq!(segment.file.is_some(), segment.ended_at.is_some());
    }
    for segment in &ended {
        let read = Segment::open(LocalFile::open(file(segment)).unwrap()).unwrap();
        read.verify().unwrap();
        assert_eq!((read.groups(), *read.root()), (segment.groups, segment.groups_root.0));
        assert_eq!(read.range().unwrap().0, segment.beginning);
        assert!(filter_path(file(segment)).exists());
        assert!(fs::metadata(file(segment)).unwrap().permissions().readonly());
    }
    assert!(storage.missing_segments().unwrap().is_empty());
    let (state, hot) = &chain.states[LONG as usize];
    let check = |storage: &Storage| {
        for number in LONG - 200..=LONG {
            let head = &chain.heads[number as usize];
            chain.check(&storage.state_at(&head.hash).unwrap());
        }
        prove_all(storage, state, hot);
        let stats = storage.stats().cold;
        assert_eq!((stats.files, stats.lost), (ended.len() as u64, 0));
        assert!(stats.cache_hits > 0 && stats.cache_bytes > 0);
    };
    check(&storage);
    // A state from before the files is read from them.
    let old = old.unwrap();
    let mut read = 0;
    for key in keys() {
        match old.get(&key) {
            Ok(value) => assert_eq!(value.as_ref(), chain.states[LAST as usize].0.get(&key)),
            Err(error) => panic!("{error}"),
        }
        read += u32::from(!hot.contains_key(&key));
    }
    assert!(read > 100);
    drop((old, storage));
    check(&open(place.path()));
    // The database holds the groups that have no file, and nothing of merged runs.
    let without: u64 = segments.iter().filter(|s| s.file.is_none()).map(|s| s.groups).sum();
    assert_eq!(rows(place.path(), "cooled").len() as u64, without);
    let nodes = rows(place.path(), "nodes").len() as u64;
    assert_eq!(nodes, without + without / 64);
    let records = rows(place.path(), "cold");
    assert!(!records.iter().any(|(key, _)| key.starts_with(b"r") && key.len() == 9));
    let of_segments = records.iter().filter(|(key, _)| key.starts_with(b"s")).count();
    assert_eq!(of_segments, segments.len());
}

#[test]
fn a_state_that_needs_a_run_that_was_removed_is_refused() {
    let place = scratch();
    let storage = begin(place.path(), options());
    let chain = chain();
    chain.grow(&storage, 12);
    let old = storage.state();
    chain.grow(&storage, LONG);
    chain.check(&old);
    write_all(&storage);
    let (state, hot) = &chain.states[12];
    let mut refused = 0;
    for key in keys() {
        match old.get(&key) {
            Ok(value) => assert_eq!(value.as_ref(), state.get(&key)),
            Err(StorageError::ColdNotKept { number: 12, oldest }) => {
                assert!(oldest > 12 && !hot.contains_key(&key));
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 100, "{refused}");
}

/// Blocks that write to cold groups, cool hot ones, end laps and merge, on two stores: one has
/// files.
#[test]
fn roots_do_not_depend_on_files() {
    let (one, other) = (due(), due());
    let (with, without) = (open(one.path()), open(other.path()));
    let mut expected = chain().states[LONG as usize].0.clone();
    for round in 0..40_u32 {
        write_all(&with);
        let hot: Vec<Vec<u8>> = with.state().keys_paged(b"bill", None, usize::MAX).unwrap();
        let mut delta = StateDelta::new();
        for at in 0..4 {
            let key = key(round.wrapping_mul(97).wrapping_add(at * 53) % 400);
            let value = (at > 0).then(|| vec![round as u8, at as u8]);
            crate::chain::apply(&mut expected, &[(key.clone(), value.clone())].into());
            delta.insert(key, value);
        }
        let mut groups: Vec<Vec<u8>> = hot.iter().map(|key| split(key).0).collect();
        groups.dedup();
        let groups = groups.into_iter().skip(5 * (round as usize % 4)).take(5);
        let cooling = Cooling {
            groups: groups.collect(),
            ends_lap: round % 4 == 3,
            segment_groups: 7,
            merge_groups: 6,
        };
        let head = commit(&with, delta.clone(), cooling.clone());
        assert_eq!(commit(&without, delta, cooling), head, "round {round}");
        for key in keys() {
            let value = expected.get(&key);
            assert_eq!(with.state().get(&key).unwrap().as_ref(), value, "{}", text(&key));
            assert_eq!(without.state().get(&key).unwrap().as_ref(), value, "{}", text(&key));
        }
    }
    let (files, tables) = (with.stats().cold, without.stats().cold);
    assert_eq!((files.runs, files.active), (tables.runs, tables.active));
    assert_eq!(tables.files, 0);
}

/// Reads every key of a store with damage: a value that is right, or an error.
pub fn read_all(storage: &Storage) -> usize {
    let state = &chain().states[LONG as usize].0;
    let mut errors = 0;
    for key in keys() {
        match storage.state().get(&key) {
            Ok(value) => assert_eq!(value.as_ref(), state.get(&key), "{}", text(&key)),
            Err(StorageError::Cold(_) | StorageError::SegmentLost { .. }) => errors += 1,
            Err(error) => panic!("{error}"),
        }
        match storage.prove(std::slice::from_ref(&key)) {
            Ok(proof) => {
                let proof = proof.unwrap();
                assert_eq!(proof.groups[0].values, [state.get(&key).cloned()], "{}", text(&key));
            }
            Err(StorageError::Cold(_) | StorageError::SegmentLost { .. }) => errors += 1,
            Err(error) => panic!("{error}"),
        }
    }
    errors
}

#[test]
fn a_damaged_file_gives_errors_and_never_another_value() {
    let place = due();
    let storage = open(place.path());
    let written = write_all(&storage);
    drop(storage);
    let path = file(most_active(&written)).to_owned();
    let good = fs::read(&path).unwrap();
    let mut told = 0;
    for at in (0..good.len()).step_by(good.len() / 40) {
        change(&path, |bytes| bytes[at] ^= 1);
        let storage = open(place.path());
        let errors = read_all(&storage);
        told += usize::from(errors > 0);
        let missing = storage.missing_segments().unwrap();
        assert!(missing.iter().all(|segment| segment.file.as_ref() == Some(&path)));
        drop(storage);
        change(&path, |bytes| bytes.clone_from(&good));
    }
    assert!(told > 30, "{told}");
    for length in [0, 11, good.len() / 2, good.len() - 1] {
        change(&path, |bytes| bytes.truncate(length));
        let storage = open(place.path());
        assert!(read_all(&storage) > 0);
        assert_eq!(storage.missing_segments().unwrap().len(), 1);
        drop(storage);
        change(&path, |bytes| bytes.clone_from(&good));
    }
    let storage = open(place.path());
    assert_eq!(read_all(&storage), 0);
}

#[test]
fn a_lost_file_stops_what_needs_it_until_one_is_adopted() {
    let (ours, theirs) = (due(), due());
    let (storage, other) = (open(ours.path()), open(theirs.path()));
    let (written, copies) = (write_all(&storage), write_all(&other));
    assert_eq!(written.len(), copies.len());
    drop(storage);
    let needed = most_active(&written);
    let others = written.iter().filter(|segment| segment.file != needed.file).step_by(2);
    let lost: Vec<&ColdSegment> = [needed].into_iter().chain(others).collect();
    for segment in &lost {
        fs::remove_file(file(segment)).unwrap();
    }
    let storage = open(ours.path());
    assert!(read_all(&storage) > 0);
    assert_eq!(storage.stats().cold.lost, lost.len() as u64);
    let missing = storage.missing_segments().unwrap();
    assert_eq!(missing.len(), lost.len());
    // A block that writes to a group of it cannot be computed; others can.
    let hot = &chain().states[LONG as usize].1;
    let is_lost = |key: &Vec<u8>| {
        !hot.keys().any(|other| split(other).0 == split(key).0)
            && matches!(storage.state().get(key), Err(StorageError::SegmentLost { .. }))
    };
    let key = keys().into_iter().find(is_lost).unwrap();
    let writes = StateDelta::from([(key, Some(vec![1]))]);
    let refused = storage.speculate(&writes, &Cooling::default()).unwrap_err();
    assert!(matches!(refused, StorageError::SegmentLost { .. }), "{refused}");
    let later = StateDelta::from([(b"later".to_vec(), Some(vec![1]))]);
    storage.speculate(&later, &Cooling::default()).unwrap();
    for segment in &missing {
        let same = |copy: &&ColdSegment| copy.groups_root == segment.groups_root;
        let copy = copies.iter().find(same).unwrap();
        let adopted = storage.adopt_segment(file(copy)).unwrap();
        assert_eq!(adopted.file, segment.file);
        assert_eq!((adopted.run, adopted.index), (segment.run, segment.index));
        assert_ne!(file(&adopted), file(copy));
    }
    assert!(storage.missing_segments().unwrap().is_empty());
    assert_eq!(read_all(&storage), 0);
    drop(storage);
    // One that is damaged within is replaced, too.
    let path = file(needed).to_owned();
    change(&path, |bytes| bytes[40] ^= 1);
    let storage = open(ours.path());
    assert!(read_all(&storage) > 0 && storage.missing_segments().unwrap().is_empty());
    let same = |copy: &&ColdSegment| copy.groups_root == needed.groups_root;
    storage.adopt_segment(file(copies.iter().find(same).unwrap())).unwrap();
    assert_eq!(read_all(&storage), 0);
    drop(storage);
    // One that is copied back by hand is found when the store is asked.
    let away = ours.path().join("away");
    fs::rename(&path, &away).unwrap();
    let storage = open(ours.path());
    assert_eq!(storage.missing_segments().unwrap().len(), 1);
    fs::rename(&away, &path).unwrap();
    assert!(storage.missing_segments().unwrap().is_empty());
    assert_eq!(read_all(&storage), 0);
    let head = commit(&storage, later.clone(), Cooling::default());
    assert_eq!(commit(&other, later, Cooling::default()), head);
}

#[test]
fn no_other_file_is_adopted() {
    let (ours, theirs) = (due(), due());
    let storage = open(ours.path());
    let copies = write_all(&open(theirs.path()));
    let refused = |path: &Path| match storage.adopt_segment(path) {
        Err(StorageError::NotAdopted { file, reason }) => {
            assert_eq!(file, path);
            reason
        }
        found => panic!("{found:?}"),
    };
    assert!(refused(&theirs.path().join("none")).contains("No such file"));
    let path = file(&copies[0]).to_owned();
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(good.len() / 25) {
        change(&path, |bytes| bytes[at] ^= 1);
        refused(&path);
        change(&path, |bytes| bytes.clone_from(&good));
    }
    // A sound segment that is not of this chain.
    let foreign = theirs.path().join("foreign");
    let group =
        billchain_cold::Group { shared: b"bill 000".to_vec(), values: vec![(b'1', vec![7])] };
    let groups = [Ok::<_, billchain_cold::ColdError>(group)];
    billchain_cold::write(&foreign, Default::default(), groups).unwrap();
    assert!(refused(&foreign).contains("no segment at the head has its root"));
    assert_eq!(storage.stats().cold.files, 0);
    // It takes the place of the rows, and is taken again as it is.
    for _ in 0..2 {
        let adopted = storage.adopt_segment(&path).unwrap();
        assert!(file(&adopted).starts_with(ours.path()));
    }
    assert_eq!(storage.stats().cold.files, 1);
    assert_eq!(write_all(&storage).len() + 1, copies.len());
    assert_eq!(read_all(&storage), 0);
}

#[test]
fn a_segment_that_is_not_due_is_neither_written_nor_adopted() {
    let (ours, theirs) = (scratch(), due());
    let storage = begin(ours.path(), options());
    chain().grow(&storage, LAST);
    assert_eq!(storage.write_due_segment().unwrap(), None);
    let other = open(theirs.path());
    for copy in write_all(&other) {
        let error = storage.adopt_segment(file(&copy)).unwrap_err().to_string();
        assert!(error.contains("did not end 256 blocks ago"), "{error}");
    }
    assert_eq!(storage.stats().cold.files, 0);
}

#[test]
fn filters_are_made_again_and_a_damaged_one_is_left_aside() {
    let place = due();
    let storage = open(place.path());
    let written = write_all(&storage);
    drop(storage);
    for (at, segment) in written.iter().enumerate() {
        let filter = filter_path(file(segment));
        match at % 3 {
            0 => fs::remove_file(&filter).unwrap(),
            1 => change(&filter, |bytes| bytes[20] ^= 1),
            _ => change(&filter, |bytes| bytes.truncate(50)),
        }
    }
    let are_whole = || {
        for segment in &written {
            let filter = LocalFile::open(&filter_path(file(segment))).unwrap();
            let filter = Filter::open(filter, &segment.groups_root.0, None).unwrap();
            assert!(filter.may_have(&segment.beginning).unwrap());
        }
    };
    // As they were opened; and a page that is read later.
    for _ in 0..2 {
        let storage = open(place.path());
        assert_eq!(read_all(&storage), 0);
        assert_eq!(write_all(&storage), []);
        assert_eq!(read_all(&storage), 0);
        are_whole();
        change(&filter_path(file(most_active(&written))), |bytes| bytes[200] ^= 1);
    }
}

#[test]
fn a_damaged_file_without_a_filter_does_not_keep_others_from_their_files() {
    let place = due();
    let storage = open(place.path());
    let first = storage.write_due_segment().unwrap().unwrap();
    drop(storage);
    change(file(&first), |bytes| bytes[40] ^= 1);
    fs::remove_file(filter_path(file(&first))).unwrap();
    let storage = open(place.path());
    let mut written = 0;
    let error = loop {
        match storage.write_due_segment() {
            Ok(Some(_)) => written += 1,
            Ok(None) => panic!("its filter cannot be made"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StorageError::Cold(_)), "{error}");
    assert!(written > 2, "{written}");
}

#[test]
fn what_a_crash_left_on_the_cold_path_is_used_or_written_over() {
    let (ours, theirs) = (due(), due());
    let copies = write_all(&open(theirs.path()));
    let directory = ours.path().join("cold");
    fs::create_dir(&directory).unwrap();
    for (at, copy) in copies.iter().enumerate() {
        let path = directory.join(file(copy).file_name().unwrap());
        let mut bytes = fs::read(file(copy)).unwrap();
        match at % 3 {
            // Whole, and not recorded.
            0 => {}
            1 => bytes[100] ^= 1,
            _ => bytes.truncate(90),
        }
        fs::write(&path, bytes).unwrap();
        fs::write(path.with_extension("segment.partial"), b"torn").unwrap();
        fs::write(path.with_extension("adopting"), b"torn").unwrap();
    }
    let storage = open(ours.path());
    assert_eq!(write_all(&storage).len(), copies.len());
    assert_eq!(read_all(&storage), 0);
    drop(storage);
    let storage = open(ours.path());
    assert_eq!(read_all(&storage), 0);
    for segment in storage.cold_segments().unwrap().iter().filter(|s| s.file.is_some()) {
        Segment::open(LocalFile::open(file(segment)).unwrap()).unwrap().verify().unwrap();
    }
}

#[test]
fn rows_that_a_crash_left_beside_their_file_go() {
    let place = due();
    let before = rows(place.path(), "cooled");
    let written = write_all(&open(place.path()));
    // Runs that were merged are gone; rows of segments that have files are put back.
    let of_file = |key: &[u8]| {
        written.iter().any(|segment| {
            let id = [&segment.run.to_be_bytes()[..], &segment.index.to_be_bytes()].concat();
            key.starts_with(&id)
        })
    };
    let kept = rows(place.path(), "cooled");
    assert!(!kept.iter().any(|(key, _)| of_file(key)));
    {
        let path = place.path().join("db");
        let names = rocksdb::DB::list_cf(&rocksdb::Options::default(), &path).unwrap();
        let db = rocksdb::DB::open_cf(&rocksdb::Options::default(), &path, names).unwrap();
        let cooled = db.cf_handle("cooled").unwrap();
        for (key, row) in before.iter().filter(|(key, _)| of_file(key)) {
            db.put_cf(cooled, key, row).unwrap();
        }
    }
    assert!(rows(place.path(), "cooled").len() > kept.len());
    let storage = open(place.path());
    assert_eq!(read_all(&storage), 0);
    assert_eq!(write_all(&storage), []);
    drop(storage);
    assert_eq!(rows(place.path(), "cooled"), kept);
}

#[test]
fn what_is_left_of_merged_runs_goes_without_a_file_being_written() {
    let place = due();
    let before = rows(place.path(), "cooled").len();
    {
        let storage = open(place.path());
        storage.tidy_segments().unwrap();
        let segments = storage.cold_segments().unwrap();
        assert!(!segments.is_empty() && segments.iter().all(|segment| segment.file.is_none()));
        assert_eq!(read_all(&storage), 0);
    }
    let after = rows(place.path(), "cooled").len();
    assert!(0 < after && after < before, "{before} rows before, {after} after");
}

#[test]
fn a_cold_path_of_its_own_is_used() {
    let (place, cold) = (due(), scratch());
    let elsewhere = StorageOptions { cold_path: Some(cold.path().join("deep/er")), ..options() };
    let storage = Storage::open(place.path(), elsewhere.clone()).unwrap();
    let written = write_all(&storage);
    assert!(written.iter().all(|segment| file(segment).starts_with(cold.path())));
    assert!(!place.path().join("cold").exists());
    drop(storage);
    assert_eq!(read_all(&Storage::open(place.path(), elsewhere).unwrap()), 0);
    // The disk is away.
    let storage = open(place.path());
    assert_eq!(storage.missing_segments().unwrap().len(), written.len());
    assert!(read_all(&storage) > 0);
}

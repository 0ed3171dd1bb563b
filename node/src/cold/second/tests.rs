use super::*;
use crate::config::ObjectsConfig;
use billchain_cold::{ColdError, Group, WriteOptions, write};
use std::os::unix::fs::PermissionsExt;

/// A segment of some groups, in a file.
fn segment(directory: &Path, groups: u8) -> (Identity, PathBuf) {
    let path = directory.join(format!("{groups}"));
    let all = (0..groups).map(|at| {
        let values = vec![(b'7', vec![at; 40])];
        Ok(Group { shared: vec![b'k', at], values })
    });
    let written = write::<ColdError>(&path, WriteOptions::default(), all).unwrap();
    (Identity { run: 3, index: 1, root: written.root.into() }, path)
}

fn second(path: &Path) -> Second {
    let second = Some(SecondPath::Directory(path.to_owned()));
    let config = ColdConfig { path: None, cache_bytes: 1 << 20, second };
    Second::open(&config, "node-1").unwrap().unwrap()
}

#[test]
fn a_file_is_copied_once_and_comes_back_whole() {
    let place = tempfile::tempdir().unwrap();
    let nas = place.path().join("nas");
    fs::create_dir(&nas).unwrap();
    let second = second(&nas);
    let (segment, file) = segment(place.path(), 200);
    let back = place.path().join("back");
    assert!(!second.holds(&segment).unwrap());
    assert!(!second.fetch(&segment, &back, u64::MAX).unwrap());
    assert!(second.keep(&segment, &file).unwrap());
    assert!(second.holds(&segment).unwrap());
    let copy = nas.join(segment.file_name());
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o222, 0, "it can be written");
    // It is there: the file is not read again.
    fs::rename(&file, place.path().join("away")).unwrap();
    assert!(!second.keep(&segment, &file).unwrap());
    let length = fs::metadata(&copy).unwrap().len();
    let error = format!("{:#}", second.fetch(&segment, &back, length - 1).unwrap_err());
    assert!(error.contains(&format!("there is room for {}", length - 1)), "{error}");
    assert!(!back.exists());
    assert!(second.fetch(&segment, &back, length).unwrap());
    assert_eq!(fs::read(&back).unwrap(), fs::read(copy).unwrap());
    assert_eq!(fs::read_dir(&nas).unwrap().count(), 1, "nothing else stays there");
    second.read(&segment).unwrap().unwrap().verify().unwrap();
}

#[test]
fn what_has_the_segments_name_and_is_another_is_told_and_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let nas = place.path().join("nas");
    fs::create_dir(&nas).unwrap();
    let second = second(&nas);
    let (one, file) = segment(place.path(), 5);
    let (_, other) = segment(place.path(), 6);
    let copy = nas.join(one.file_name());
    for (content, words) in [
        (fs::read(other).unwrap(), "its root is"),
        (fs::read(&file).unwrap()[..100].to_vec(), "no sound segment"),
        (Vec::new(), "no sound segment"),
    ] {
        fs::write(&copy, &content).unwrap();
        let error = format!("{:#}", second.keep(&one, &file).unwrap_err());
        assert!(error.contains(words), "{error}");
        assert_eq!(fs::read(&copy).unwrap(), content);
    }
    fs::remove_file(&copy).unwrap();
    fs::create_dir(&copy).unwrap();
    let error = format!("{:#}", second.keep(&one, &file).unwrap_err());
    assert!(error.contains("is no file"), "{error}");
}

#[test]
fn a_directory_that_is_not_mounted_is_not_empty() {
    let place = tempfile::tempdir().unwrap();
    let second = second(&place.path().join("nas"));
    let (segment, file) = segment(place.path(), 5);
    for error in [
        second.holds(&segment).unwrap_err(),
        second.keep(&segment, &file).unwrap_err(),
        second.fetch(&segment, &place.path().join("back"), u64::MAX).unwrap_err(),
        second.reach().unwrap_err(),
    ] {
        assert!(error.to_string().contains("is its disk mounted?"), "{error:#}");
    }
}

#[test]
fn what_a_crash_left_behind_is_written_over() {
    let place = tempfile::tempdir().unwrap();
    let nas = place.path().join("nas");
    fs::create_dir(&nas).unwrap();
    let second = second(&nas);
    let (segment, file) = segment(place.path(), 5);
    let partial = nas.join(format!("{}.{}.partial", segment.file_name(), second.tag));
    fs::write(&partial, "half").unwrap();
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(second.keep(&segment, &file).unwrap());
    assert!(!partial.exists());
    // It had its name and could be written to still; another node was faster then.
    let copy = nas.join(segment.file_name());
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&partial, "half").unwrap();
    assert!(!second.keep(&segment, &file).unwrap());
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o222, 0, "it can be written");
    assert!(!partial.exists());
    second.reach().unwrap();
}

/// Keys of any user, and the store that `BILLCHAIN_TEST_S3` names: `tests/s3/run` starts one.
fn objects(place: &Path, secret: &str) -> Second {
    let endpoint = std::env::var("BILLCHAIN_TEST_S3").expect("BILLCHAIN_TEST_S3 names a store");
    let keys_file = place.join("keys");
    let _ = fs::remove_file(&keys_file);
    fs::write(&keys_file, format!("key\n{secret}\n")).unwrap();
    fs::set_permissions(&keys_file, fs::Permissions::from_mode(0o600)).unwrap();
    let objects = ObjectsConfig {
        bucket: "bills".into(),
        prefix: format!("node-1/{}", std::process::id()),
        endpoint: Some(endpoint),
        region: "us-east-1".into(),
        keys_file,
        ca_file: None,
    };
    let second = Some(SecondPath::Objects(objects));
    let config = ColdConfig { path: None, cache_bytes: 1 << 20, second };
    Second::open(&config, "node-1").unwrap().unwrap()
}

/// A segment of more than one part: its values do not compress.
fn large(directory: &Path) -> (Identity, PathBuf) {
    let path = directory.join("large");
    let groups = (0..24_u32).map(|at| {
        let blocks = (0..30_000_u32).flat_map(|number| {
            billchain_primitives::sm3(&[at.to_be_bytes(), number.to_be_bytes()].concat())
        });
        let values = vec![(b'7', blocks.collect())];
        Ok(Group { shared: at.to_be_bytes().to_vec(), values })
    });
    let written = write::<ColdError>(&path, WriteOptions::default(), groups).unwrap();
    assert!(written.file_bytes > 20 << 20);
    (Identity { run: 4, index: 0, root: written.root.into() }, path)
}

#[test]
#[ignore = "needs a store that speaks S3: tests/s3/run starts one"]
fn a_store_that_speaks_s3_keeps_files_of_several_parts() {
    let place = tempfile::tempdir().unwrap();
    let second = objects(place.path(), "secret");
    let back = place.path().join("back");
    for (segment, file) in [segment(place.path(), 200), large(place.path())] {
        assert!(!second.holds(&segment).unwrap());
        assert!(!second.fetch(&segment, &back, u64::MAX).unwrap());
        assert!(second.keep(&segment, &file).unwrap());
        assert!(second.holds(&segment).unwrap());
        let whole = second.read(&segment).unwrap().unwrap();
        whole.verify().unwrap();
        // It is there: the file is not read again.
        assert!(!second.keep(&segment, Path::new("/nowhere")).unwrap());
        let length = fs::metadata(&file).unwrap().len();
        assert!(second.fetch(&segment, &back, length - 1).is_err() && !back.exists());
        assert!(second.fetch(&segment, &back, length).unwrap());
        assert!(fs::read(&back).unwrap() == fs::read(&file).unwrap(), "other bytes came back");
        fs::remove_file(&back).unwrap();
    }
    // What has the segment's name and is another is left as it is.
    let (one, _) = segment(place.path(), 9);
    let (_, other) = segment(place.path(), 10);
    let Place::Objects(store) = &second.place else { panic!("it is a store") };
    store.put(&other, &one.file_name()).unwrap();
    let error = format!("{:#}", second.keep(&one, &other).unwrap_err());
    assert!(error.contains("its root is"), "{error}");
}

#[test]
#[ignore = "needs a store that speaks S3: tests/s3/run starts one"]
fn a_bucket_that_is_not_there_is_an_error_and_not_empty() {
    let place = tempfile::tempdir().unwrap();
    let mut second = objects(place.path(), "secret");
    let (segment, file) = segment(place.path(), 5);
    let endpoint = std::env::var("BILLCHAIN_TEST_S3").unwrap();
    let config = ObjectsConfig {
        bucket: "nobodys".into(),
        prefix: String::new(),
        endpoint: Some(endpoint),
        region: "us-east-1".into(),
        keys_file: place.path().join("keys"),
        ca_file: None,
    };
    second.place = Place::Objects(Objects::open(&config).unwrap());
    let error = format!("{:#}", second.keep(&segment, &file).unwrap_err());
    assert!(error.contains("s3://nobodys"), "{error}");
}

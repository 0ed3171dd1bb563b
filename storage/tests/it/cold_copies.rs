//! The cold part of a copy that is served, of a store that is made of it, and of a checkpoint.

use crate::chain::{begin, copy, genesis, hash, new_key, next_block, open, options, tx_hash};
use billchain_storage::{
    Added, Assembly, Beginning, Cooling, CopyTable, Entries, Fetch, Fetched, Filled, OlderBlock,
    OperationsSource, StateCopy, Storage, StorageError, verify,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The block that is served. The segments of the first lap may have files by then, and those of
/// the second one not.
const SERVED: u32 = 360;
/// Segments then: of eight, eight and four groups; of eight, and three that are not all.
const SEGMENTS: usize = 5;
const FILES: usize = 3;

/// What a block cools: one group after the other of those that nobody writes to any more.
fn cooling(number: u32) -> Cooling {
    let group = match number {
        50..70 => number - 50,
        100..111 => number - 80,
        361..366 => number - 330,
        _ => return Cooling::default(),
    };
    let shared = [b"new".as_slice(), &group.to_be_bytes()].concat();
    let ends_lap = number == 69 || number == 365;
    Cooling { groups: vec![shared], ends_lap, segment_groups: 8, merge_groups: 0 }
}

/// Commits blocks until the head is `number`. Block 200 writes to a cold group.
fn grow(storage: &Storage, number: u32) {
    while storage.head().number < number {
        let mut block = next_block(storage);
        if block.number == 200 {
            block.delta.insert(new_key(1), Some(b"hot again".to_vec()));
        }
        block.cooling = cooling(block.number);
        block.state_root = storage.speculate(&block.delta, &block.cooling).unwrap();
        storage.commit(block).unwrap();
    }
}

/// A store whose first lap is in files, and a copy of it.
fn served(directory: &Path) -> (Storage, Arc<StateCopy>) {
    let storage = begin(&directory.join("source"));
    grow(&storage, SERVED);
    let mut written = 0;
    while storage.write_due_segment().unwrap().is_some() {
        written += 1;
    }
    assert_eq!((written, storage.cold_segments().unwrap().len()), (FILES, SEGMENTS));
    let into = directory.join("copy");
    let target = storage.copy_state(&into).unwrap();
    assert!(target.is_proven() && target.runs.len() == 2);
    (storage, Arc::new(StateCopy::open(&into).unwrap()))
}

/// Serves operations.
struct Server(Arc<StateCopy>);

impl OperationsSource for Server {
    fn fetch(&self, request: Vec<u8>) -> Fetch {
        let answer = self.0.operations(&request).unwrap().expect("a fair request");
        Box::pin(async move { Ok(Fetched { answer, verdict: Box::new(|_| ()) }) })
    }
}

/// All entries of a table in pages, as their last keys ask for them.
fn pages(copy: &StateCopy, table: CopyTable) -> Vec<Entries> {
    let (mut pages, mut after) = (Vec::new(), Vec::new());
    loop {
        let page = copy.page(table, &after, 200).unwrap();
        let Some((last, _)) = page.last() else { return pages };
        after = last.clone();
        pages.push(page);
    }
}

/// With the hot part.
fn hot(path: &Path, copy: &Arc<StateCopy>) -> Assembly {
    let source = Arc::new(Server(copy.clone()));
    let mut assembly = Assembly::begin(path, &options(), copy.target().clone(), source).unwrap();
    for page in pages(copy, CopyTable::State) {
        assert_eq!(assembly.add(&page).unwrap(), Added::Taken);
    }
    assembly
}

/// With the list of the cold part.
fn listed(path: &Path, copy: &Arc<StateCopy>) -> Assembly {
    let mut assembly = hot(path, copy);
    for table in [CopyTable::Cold, CopyTable::Bits] {
        for page in pages(copy, table) {
            assert_eq!(assembly.add_cold(table, &page), Added::Taken);
            assert_eq!(assembly.last_cold(table), page.last().unwrap().0);
        }
    }
    assert!(assembly.prove_cold().unwrap());
    assert_eq!(assembly.segments(), SEGMENTS);
    assembly
}

fn finish(assembly: Assembly, copy: &StateCopy) -> Result<(), StorageError> {
    let block = OlderBlock {
        number: SERVED,
        hash: hash(SERVED),
        state_root: copy.target().state_root,
        block: format!("block {SERVED}").into_bytes(),
        certificate: Vec::new(),
        tx_hashes: vec![tx_hash(SERVED, 0)],
    };
    let genesis = genesis();
    let beginning = Beginning {
        hash: genesis.hash,
        state_root: genesis.state_root,
        block: genesis.block,
        document: genesis.document,
    };
    assembly.finish(&block, &beginning, &[])
}

/// A store of what a copy serves, without the files.
fn joined(path: &Path, copy: &Arc<StateCopy>) -> Storage {
    let mut assembly = listed(path, copy);
    let mut became = Vec::new();
    while let Some((_, _, after)) = assembly.next_groups() {
        let page = copy.page(CopyTable::Cooled, &after, 200).unwrap();
        became.push(assembly.add_groups(&page).unwrap());
    }
    let count = |what: Filled| became.iter().filter(|one| **one == what).count();
    assert_eq!((count(Filled::InFile), count(Filled::Whole)), (FILES, SEGMENTS - FILES));
    assert!(count(Filled::More) > 0 && count(Filled::Refuted) == 0, "{became:?}");
    finish(assembly, copy).unwrap();
    open(path)
}

fn files(storage: &Storage) -> Vec<PathBuf> {
    storage.cold_segments().unwrap().into_iter().filter_map(|segment| segment.file).collect()
}

#[test]
fn a_store_with_cold_groups_is_made_of_what_a_copy_serves_and_goes_on_alike() {
    let directory = tempfile::tempdir().unwrap();
    let (source, copy) = served(directory.path());
    let path = directory.path().join("joined");
    let store = joined(&path, &copy);
    assert_eq!(store.head().state_root, source.head().state_root);

    // What has no file is read, what is in one not before it is here, and never as absent.
    let read = |storage: &Storage, number: u32| storage.state().get(&new_key(number));
    assert_eq!(read(&store, 65).unwrap(), read(&source, 65).unwrap());
    assert_eq!(store.missing_segments().unwrap().len(), FILES);
    assert!(matches!(read(&store, 30), Err(StorageError::SegmentLost { .. })));
    for file in files(&source) {
        store.adopt_segment(&file).unwrap();
    }
    assert_eq!(store.missing_segments().unwrap(), []);
    for number in 1..SERVED {
        assert_eq!(read(&store, number).unwrap(), read(&source, number).unwrap(), "{number}");
    }
    assert_eq!(read(&store, 1).unwrap().as_deref(), Some(&b"hot again"[..]));

    // Every later root is that of the store that executed all, also after a restart.
    grow(&source, SERVED + 30);
    grow(&store, SERVED + 10);
    drop(store);
    let store = open(&path);
    grow(&store, SERVED + 30);
    assert_eq!(store.head(), source.head());
    drop(store);
    let verified = verify(&path, options()).unwrap();
    assert_eq!((verified.segments as usize, verified.lost), (SEGMENTS, 0));
}

#[test]
fn no_lie_about_the_cold_part_comes_into_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let (_source, copy) = served(directory.path());
    let path = directory.path().join("joined");
    let mut assembly = hot(&path, &copy);
    let whole = |table| copy.page(table, &[], usize::MAX).unwrap();
    let (list, bits) = (whole(CopyTable::Cold), whole(CopyTable::Bits));
    let mut attempt = |list: &Entries, bits: &Entries| {
        assembly.clear_cold();
        assembly.add_cold(CopyTable::Cold, list) == Added::Taken
            && assembly.add_cold(CopyTable::Bits, bits) == Added::Taken
            && assembly.prove_cold().unwrap()
    };
    let without = |entries: &Entries, at: usize| {
        let mut entries = entries.clone();
        entries.remove(at);
        entries
    };
    for at in 0..list.len() {
        assert!(!attempt(&without(&list, at), &bits), "entry {at} of the list is left out");
    }
    for at in 0..bits.len() {
        assert!(!attempt(&list, &without(&bits, at)), "bits {at} are left out");
        for byte in 0..64 {
            let mut bits = bits.clone();
            bits[at].1[byte] ^= 1;
            assert!(!attempt(&list, &bits), "byte {byte} of bits {at} is another");
        }
    }
    // Laps, which run is over, which block began it or ended a segment: all is under the root.
    for at in 0..list.len() {
        for bit in 0..8 * list[at].1.len() {
            let mut list = list.clone();
            list[at].1[bit / 8] ^= 1 << (bit % 8);
            assert!(!attempt(&list, &bits), "bit {bit} of record {at} is another");
        }
    }
    let twice = [&list[..], &list[..1]].concat();
    assert!(!attempt(&twice, &bits));
    assert!(attempt(&list, &bits), "the truth");
    // It is no store before its groups are here.
    assert!(matches!(finish(assembly, &copy), Err(StorageError::Corrupt { .. })));
}

#[test]
fn groups_of_a_segment_that_are_wrong_are_refused_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (_source, copy) = served(directory.path());
    let path = directory.path().join("joined");
    let mut assembly = listed(&path, &copy);
    // Those in files first.
    for _ in 0..FILES {
        let (_, _, after) = assembly.next_groups().unwrap();
        let page = copy.page(CopyTable::Cooled, &after, usize::MAX).unwrap();
        assert_eq!(assembly.add_groups(&page).unwrap(), Filled::InFile);
    }
    let (run, index, after) = assembly.next_groups().unwrap();
    let rows = copy.page(CopyTable::Cooled, &after, usize::MAX).unwrap();
    let of_segment = rows.iter().take_while(|(key, _)| key.starts_with(&after)).count();
    assert_eq!(of_segment, 8);
    let mut lies: Vec<Entries> = Vec::new();
    for at in 0..of_segment {
        for byte in 0..rows[at].1.len() {
            let mut lie = rows.clone();
            lie[at].1[byte] ^= 1;
            lies.push(lie);
        }
        let mut lie = rows.clone();
        lie.remove(at);
        lies.push(lie);
    }
    lies.push(Vec::new());
    let mut reversed = rows.clone();
    reversed.swap(0, 1);
    lies.push(reversed);
    for lie in lies {
        assert_eq!(assembly.add_groups(&lie).unwrap(), Filled::Refuted);
        assert_eq!(assembly.next_groups(), Some((run, index, after.clone())));
    }
    // Half of it, which another peer does not go on with.
    assert_eq!(assembly.add_groups(&rows[..3].to_vec()).unwrap(), Filled::More);
    assert_ne!(assembly.next_groups(), Some((run, index, after.clone())));
    assembly.clear_groups().unwrap();
    assert_eq!(assembly.next_groups(), Some((run, index, after)));
    assert_eq!(assembly.add_groups(&rows).unwrap(), Filled::Whole);
    let (_, _, after) = assembly.next_groups().unwrap();
    let rows = copy.page(CopyTable::Cooled, &after, usize::MAX).unwrap();
    assert_eq!(assembly.add_groups(&rows).unwrap(), Filled::Whole);
    assert_eq!(assembly.next_groups(), None);
    finish(assembly, &copy).unwrap();
    drop(open(&path));
}

#[test]
fn a_checkpoint_has_the_files_and_is_verified_to_the_last_group() {
    let directory = tempfile::tempdir().unwrap();
    let (source, _served) = served(directory.path());
    let made = directory.path().join("checkpoint");
    source.checkpoint(&made).unwrap();
    assert!(source.link_segments(&made.join("cold")).unwrap());
    // What is linked is not written to.
    let into = directory.path().join("copied");
    copy(&made, &into);
    let verified = verify(&into, options()).unwrap();
    assert_eq!((verified.segments as usize, verified.lost), (SEGMENTS, 0));

    // A file that is not there is counted, one that is damaged is an error.
    let linked: Vec<PathBuf> = fs::read_dir(into.join("cold"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "segment"))
        .collect();
    assert_eq!(linked.len(), FILES);
    let whole = fs::read(&linked[0]).unwrap();
    fs::remove_file(&linked[0]).unwrap();
    assert_eq!(verify(&into, options()).unwrap().lost, 1);
    let mut damaged = whole.clone();
    damaged[20] ^= 1;
    fs::write(&linked[0], &damaged).unwrap();
    let error = verify(&into, options()).unwrap_err().to_string();
    assert!(error.contains("no sound segment"), "{error}");
    fs::write(&linked[0], whole).unwrap();
    assert_eq!(verify(&into, options()).unwrap().lost, 0);
    // The source's own can only be read.
    let mode = |file: &PathBuf| fs::metadata(file).unwrap().permissions().mode();
    assert!(files(&source).iter().all(|file| mode(file) & 0o222 == 0));
}

#[test]
fn groups_stay_in_the_database_until_their_second_copy_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let storage = begin(&path);
    grow(&storage, SERVED);
    let refused = storage.write_due_segment_with(|segment| {
        assert!(segment.file.as_ref().is_some_and(|file| file.is_file()));
        Err(StorageError::Stopped { reason: "no second copy".into() })
    });
    assert!(refused.unwrap_err().to_string().contains("no second copy"));
    assert_eq!(files(&storage), [] as [PathBuf; 0]);
    let expected = storage.state().get(&new_key(30)).unwrap();
    assert!(expected.is_some());
    // The next call finds the file, also after a restart.
    drop(storage);
    let storage = open(&path);
    let mut kept = 0;
    let written = storage.write_due_segment_with::<StorageError>(|_| {
        kept += 1;
        Ok(())
    });
    assert_eq!((written.unwrap().unwrap().index, kept), (0, 1));
    assert_eq!(
        (files(&storage).len(), storage.state().get(&new_key(3)).unwrap().is_some()),
        (1, true)
    );
    assert_eq!(storage.state().get(&new_key(30)).unwrap(), expected);
}

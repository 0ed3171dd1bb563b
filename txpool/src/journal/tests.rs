//! The format, and what crashes, cuts and damage leave of the files; bounds.

use super::{
    books::Books,
    format::{self, MAGIC, OtherVersion, parse},
    fuzzing::sample,
    writer::Task,
    *,
};
use crate::Source;
use billchain_crypto::sm3::sm3;
use std::{fs, time::Duration};

pub(super) fn tx(sender: u8, nonce: Nonce, length: usize) -> Arc<PoolTransaction> {
    let mut bytes = vec![sender; length];
    bytes.extend(nonce.to_le_bytes());
    Arc::new(PoolTransaction {
        hash: transaction_hash(&bytes),
        bytes: bytes.into(),
        sender: AccountId::new([sender; 32]),
        nonce,
        source: Source::Local,
    })
}

/// A journal with files of 2,000 bytes.
pub(super) fn open(directory: &Path, max_bytes: u64) -> Result<OpenJournal, JournalError> {
    let directory = directory.to_owned();
    Journal::open(JournalConfig { directory, max_bytes, segment_bytes: 2_000 })
}

pub(super) fn keep(journal: &Journal, tx: &Arc<PoolTransaction>) -> Result<(), JournalError> {
    let room = journal.reserve(tx.bytes.len())?;
    journal.begin(tx, room).blocking_recv().unwrap_or(Err(JournalError::Closed))
}

fn nonces(open: &OpenJournal) -> Vec<Nonce> {
    let mut nonces: Vec<Nonce> = open.kept.iter().map(|kept| kept.nonce).collect();
    nonces.sort_unstable();
    nonces
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Waits until the thread has done what it is to do.
fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        thread_sleep();
    }
    panic!("not within ten seconds: {what}");
}

fn thread_sleep() {
    std::thread::sleep(Duration::from_millis(10));
}

#[test]
fn the_format_is_the_one_that_was_released() {
    let file = sample(&[b"one", b"", &[7; 300]]);
    assert_eq!(file.len(), 8 + 3 * HEAD_BYTES + 303);
    let expected = "55017d719ae2d93475229f1ace665536ffa50ea9e3648ce2be2363d9e6504373";
    assert_eq!(hex(&sm3(&file)), expected);
    let contents = parse(&file, 7).unwrap();
    let lengths: Vec<u32> = contents.records.iter().map(|found| found.length).collect();
    assert_eq!((lengths, contents.damage, contents.end), (vec![3, 0, 300], vec![], 635));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_was_kept_is_there_in_the_next_run_and_the_one_after() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("journal");
    let all: Vec<_> = (0..30).map(|nonce| tx(1, nonce, 200)).collect();
    for run in all.chunks(10) {
        let journal = open(&place, 100_000).unwrap().journal;
        run.iter().for_each(|tx| keep(&journal, tx).unwrap());
    }
    let opened = open(&place, 100_000).unwrap();
    assert_eq!(nonces(&opened), (0..30).collect::<Vec<_>>());
    for tx in &all {
        assert_eq!(opened.journal.read(&tx.hash).unwrap().as_ref(), Some(&tx.bytes));
        let kept = opened.kept.iter().find(|kept| kept.hash == tx.hash).unwrap();
        assert_eq!((&kept.sender, kept.nonce), (&tx.sender, tx.nonce));
    }
    let used = opened.journal.shared.used.load(Ordering::Relaxed);
    let lengths = files(&place).into_iter().map(|file| fs::metadata(file).unwrap().len());
    assert_eq!(used, lengths.sum::<u64>());
}

#[test]
fn of_a_file_that_is_cut_anywhere_every_whole_record_reads() {
    let file = sample(&[b"one", &[], &[7; 90], b"four"]);
    let ends: Vec<u64> =
        parse(&file, 7).unwrap().records.iter().map(|found| found.transaction().end).collect();
    for length in 0..file.len() {
        let contents = parse(&file[..length], 7).unwrap();
        let whole = ends.iter().filter(|end| **end <= length as u64).count();
        assert_eq!(contents.records.len(), whole, "cut at {length}");
        assert_eq!(contents.damage, [], "cut at {length}");
        let end = match (whole, length) {
            (0, ..8) => 0,
            (0, _) => 8,
            (whole, _) => ends[whole - 1],
        };
        assert_eq!(contents.end, end, "cut at {length}");
    }
}

#[test]
fn a_changed_byte_costs_its_own_record_and_no_other() {
    let file = sample(&[b"one", &[], &[7; 90], b"four"]);
    let whole = parse(&file, 7).unwrap().records;
    for at in 0..file.len() {
        for bit in [1, 0x80] {
            let mut changed = file.clone();
            changed[at] ^= bit;
            let contents = parse(&changed, 7).unwrap();
            let is_hit = |found: &&format::Found| {
                (found.offset..found.transaction().end).contains(&(at as u64))
            };
            let hit = whole.iter().find(is_hit);
            let others: Vec<_> = whole.iter().filter(|found| !is_hit(found)).cloned().collect();
            assert_eq!(contents.records, others, "changed at {at}");
            let (damage, end) = match hit {
                None => (vec![(0, 8)], file.len() as u64),
                // The last one looks like one that was being written.
                Some(last) if *last == whole[3] => (vec![], last.offset),
                Some(hit) => (vec![(hit.offset, hit.transaction().end)], file.len() as u64),
            };
            let found: Vec<_> = contents.damage.iter().map(|part| (part.start, part.end)).collect();
            assert_eq!((found, contents.end), (damage, end), "changed at {at}");
        }
    }
}

#[test]
fn a_record_within_a_transaction_is_none() {
    let inner = sample(&[b"never accepted"]);
    let mut file = sample(&[&inner, b"accepted"]);
    assert_eq!(parse(&file, 7).unwrap().records.len(), 2);
    file[8 + 20] ^= 1;
    let found = parse(&file, 7).unwrap().records;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].hash, transaction_hash(b"accepted"));
    // Nor is one of another file.
    assert_eq!(parse(&file, 8).unwrap().records, []);
}

#[test]
fn a_torn_end_is_cut_off_and_damage_in_the_middle_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let journal = open(place, 100_000).unwrap().journal;
    (0..4).for_each(|nonce| keep(&journal, &tx(1, nonce, 100)).unwrap());
    drop(journal);
    let file = files(place).remove(0);
    let whole = fs::read(&file).unwrap();

    let torn = [&whole[..], &whole[8..150]].concat();
    fs::write(&file, &torn).unwrap();
    let opened = open(place, 100_000).unwrap();
    assert_eq!(nonces(&opened), [0, 1, 2, 3]);
    assert_eq!(opened.journal.metrics().damaged.get(), 0);
    assert_eq!(fs::read(&file).unwrap(), whole);
    drop(opened);

    let mut damaged = whole.clone();
    damaged[8 + 2 * 212 + 150] ^= 1;
    fs::write(&file, &damaged).unwrap();
    let opened = open(place, 100_000).unwrap();
    assert_eq!(nonces(&opened), [0, 1, 3]);
    assert_eq!(opened.journal.metrics().damaged.get(), 1);
    assert_eq!(fs::read(&file).unwrap(), damaged, "what is damaged stays as it is");
}

#[test]
fn a_file_of_another_version_is_left_alone_and_named() {
    assert_eq!(parse(b"BCJRNL02whatever", 7), Err(OtherVersion));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("0000000003.journal");
    fs::write(&file, b"BCJRNL02whatever").unwrap();
    let error = open(directory.path(), 100_000).unwrap_err().to_string();
    for words in [file.to_str().unwrap(), "another version", "move the file away"] {
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"BCJRNL02whatever");
}

#[test]
fn a_file_goes_when_nothing_in_it_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path(), 100_000).unwrap().journal;
    // Six of them fill a file.
    let all: Vec<_> = (0..14).map(|nonce| tx(1, nonce, 250)).collect();
    all.iter().for_each(|tx| keep(&journal, tx).unwrap());
    assert_eq!(files(directory.path()).len(), 3);
    journal.forget(all[..5].iter().map(|tx| &tx.hash));
    thread_sleep();
    assert_eq!(files(directory.path()).len(), 3, "one in the first is wanted");
    journal.forget([&all[5].hash].into_iter());
    until("two files", || files(directory.path()).len() == 2);
    journal.forget(all[6..].iter().map(|tx| &tx.hash));
    until("the one that is being written", || files(directory.path()).len() == 1);
    let rest = fs::metadata(&files(directory.path())[0]).unwrap().len();
    until("the bytes", || journal.shared.used.load(Ordering::Relaxed) == rest);
    drop(journal);
    assert_eq!(nonces(&open(directory.path(), 100_000).unwrap()), [12, 13], "found once more");
}

#[test]
fn what_is_wanted_of_sparse_files_is_written_again_when_there_is_little_room() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path(), 20_000).unwrap().journal;
    let mut wanted = Vec::new();
    // Far more than the bound, of which every sixth stays.
    for nonce in 0..120 {
        let tx = tx(1, nonce, 250);
        until("there is room", || journal.reserve(254).is_ok());
        keep(&journal, &tx).unwrap();
        if nonce % 6 == 0 {
            wanted.push(tx);
        } else {
            journal.forget([&tx.hash].into_iter());
        }
    }
    let held = |tx: &Arc<PoolTransaction>| journal.read(&tx.hash).unwrap();
    wanted.iter().for_each(|tx| assert_eq!(held(tx).as_ref(), Some(&tx.bytes)));
    drop(journal);
    let opened = open(directory.path(), 20_000).unwrap();
    let found = nonces(&opened);
    assert!(wanted.iter().all(|tx| found.contains(&tx.nonce)), "{found:?}");
    assert_eq!(opened.journal.metrics().damaged.get(), 0);
}

#[test]
fn a_full_journal_refuses_until_others_are_over() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path(), 4_000).unwrap().journal;
    let all: Vec<_> = (0..11).map(|nonce| tx(1, nonce, 250)).collect();
    // A reservation that is not used is given back.
    drop(journal.reserve(3_000).unwrap());
    all.iter().for_each(|tx| keep(&journal, tx).unwrap());
    match journal.reserve(254).map(drop) {
        Err(JournalError::Full { held, limit: 4_000 }) => assert!(held > 3_700, "{held}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(journal.metrics().full.get(), 1);
    journal.forget(all[..6].iter().map(|tx| &tx.hash));
    until("the first file is gone", || journal.reserve(254).is_ok());
}

#[test]
fn those_that_wait_together_are_written_together_and_the_forgotten_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let shared = Arc::new(Shared {
        config: JournalConfig::new(directory.path().to_owned(), 1 << 20),
        books: Mutex::new(Books::default()),
        work: Condvar::new(),
        used: AtomicU64::new(0),
        metrics: JournalMetrics::default(),
    });
    let journal = Journal { shared: shared.clone(), thread: None };
    let all: Vec<_> = (0..4).map(|nonce| tx(1, nonce, 100)).collect();
    let room = || journal.reserve(104).unwrap();
    let mut answers: Vec<Kept> = all.iter().map(|tx| journal.begin(tx, room())).collect();
    // Sent once more while it waits.
    answers.push(journal.begin(&all[0], room()));
    journal.forget([&all[1].hash].into_iter());
    assert!(answers[1].try_recv().unwrap().is_ok(), "nobody waits for what is over");
    let Some(Task::Write(batch)) = shared.next_task() else { panic!("there is work") };
    let batch: Vec<Nonce> = batch.iter().map(|tx| tx.nonce).collect();
    assert_eq!(batch, [0, 2, 3]);
    assert_eq!(shared.used.load(Ordering::Relaxed), 3 * format::size(104));
    assert!(answers[0].try_recv().is_err(), "it is not on disk yet");
    // The thread that would write them is gone.
    drop(writer::End(&shared));
    for mut answer in [answers.remove(0), answers.pop().unwrap()] {
        assert!(answer.try_recv().is_err());
    }
    assert!(matches!(journal.begin(&all[0], room()).try_recv(), Ok(Err(JournalError::Closed))));
}

#[test]
fn an_empty_file_and_one_without_a_head_go() {
    let directory = tempfile::tempdir().unwrap();
    for (number, bytes) in [(1, &b""[..]), (2, &MAGIC[..5]), (3, &[0; 500]), (4, MAGIC)] {
        fs::write(segment_path(directory.path(), number), bytes).unwrap();
    }
    fs::write(directory.path().join("notes.txt"), b"not ours").unwrap();
    let opened = open(directory.path(), 100_000).unwrap();
    assert_eq!(opened.kept, []);
    until("they are removed", || files(directory.path()).len() == 1);
    keep(&opened.journal, &tx(1, 0, 10)).unwrap();
    let names = files(directory.path());
    assert_eq!(names.len(), 2);
    assert!(names[0].ends_with("0000000005.journal"), "no number is used again: {names:?}");
}

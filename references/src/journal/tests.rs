use super::*;

fn record(requester: &str, elements: u32) -> Record<'_> {
    let (address, key) = ("127.0.0.1", "0123456789abcdef");
    Record { time_ms: 1_800_000_000_000, requester, address, key, elements, refused: 0 }
}

/// A log of this many entries, with files of two.
fn written(entries: u32, files: usize) -> (tempfile::TempDir, Head) {
    let directory = tempfile::tempdir().unwrap();
    let bounds = Bounds { file_bytes: 400, files };
    let mut journal = Journal::open(directory.path(), bounds, |_| ()).unwrap();
    for n in 1..=entries {
        journal.append(&record("hospital", n)).unwrap();
    }
    let head = journal.head().clone();
    (directory, head)
}

#[test]
fn a_log_goes_on_where_it_ended_and_verifies() {
    let (directory, head) = written(5, 100);
    assert_eq!(verify(directory.path()).unwrap(), (1, head.clone()));
    let mut seen = Vec::new();
    let mut journal =
        Journal::open(directory.path(), Bounds::default(), |entry| seen.push(entry.elements))
            .unwrap();
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(journal.head(), &head);
    journal.append(&record("insurer", 6)).unwrap();
    assert_eq!(verify(directory.path()).unwrap().1.number, 6);
}

#[test]
fn the_number_of_files_has_a_bound_and_the_rest_verifies() {
    let (directory, head) = written(50, 3);
    let kept = files(directory.path()).unwrap().len();
    assert_eq!(kept, 3);
    let (first, found) = verify(directory.path()).unwrap();
    assert!(first > 40, "{first}");
    assert_eq!(found, head);
}

#[test]
fn every_change_and_every_line_left_out_is_found() {
    let (directory, _) = written(6, 100);
    let all = files(directory.path()).unwrap();
    assert!(all.len() >= 3);
    let path = &all[1];
    let good = fs::read(path).unwrap();
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        fs::write(path, &changed).unwrap();
        assert!(verify(directory.path()).is_err(), "byte {at}");
        assert!(Journal::open(directory.path(), Bounds::default(), |_| ()).is_err(), "byte {at}");
    }
    let second = good.iter().position(|b| *b == b'\n').unwrap() + 1;
    for left in [&good[second..], &good[..second], b""] {
        fs::write(path, left).unwrap();
        assert!(verify(directory.path()).is_err());
    }
    fs::write(path, &good).unwrap();
    assert!(verify(directory.path()).is_ok());
    fs::remove_file(path).unwrap();
    assert!(verify(directory.path()).is_err(), "a file is missing");
}

#[test]
fn a_last_line_that_a_crash_cut_goes_and_the_log_goes_on() {
    let (directory, head) = written(4, 100);
    let path = files(directory.path()).unwrap().pop().unwrap();
    let good = fs::read(&path).unwrap();
    let mut torn = good.clone();
    torn.extend_from_slice(br#"{"number":5,"time_ms":18"#);
    fs::write(&path, &torn).unwrap();
    assert!(verify(directory.path()).is_err());
    let mut journal = Journal::open(directory.path(), Bounds::default(), |_| ()).unwrap();
    assert_eq!(journal.head(), &head);
    assert_eq!(fs::read(&path).unwrap(), good);
    journal.append(&record("hospital", 5)).unwrap();
    assert_eq!(verify(directory.path()).unwrap().1.number, 5);
}

#[test]
fn a_line_has_one_form_and_a_bound() {
    let (directory, _) = written(1, 100);
    let bytes = fs::read(files(directory.path()).unwrap().pop().unwrap()).unwrap();
    let line = &bytes[..bytes.len() - 1];
    assert_eq!(Entry::from_line(line).unwrap().number, 1);
    assert!(
        Entry::from_line(&[&b" "[..], line].concat()).unwrap_err().contains("as a log writes it")
    );
    assert!(Entry::from_line(&[b'a'; MAX_LINE + 1]).unwrap_err().contains("1024"));
}

//! What is there after a restart, and files that are not what they should be.

use super::*;

#[test]
fn what_was_put_is_there_after_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.redb");
    {
        let store = Store::open(&path, "work").unwrap();
        store.put(b"a/1", b"one").unwrap();
        let changes = [(b"a/2".to_vec(), Some(b"two".to_vec())), (b"b/1".to_vec(), Some(vec![]))];
        store.apply(&changes).unwrap();
        store.part("other").unwrap().put(b"a/1", b"another").unwrap();
        assert!(Store::open(&path, "work").is_err(), "one process has it");
    }
    let store = Store::open(&path, "work").unwrap();
    assert_eq!(store.get(b"a/1").unwrap().as_deref(), Some(&b"one"[..]));
    let keys = |prefix: &[u8], after: Option<&[u8]>, limit| {
        let entries = store.entries(prefix, after, limit).unwrap();
        entries.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(keys(b"a/", None, 10), [b"a/1", b"a/2"]);
    assert_eq!(keys(b"a/", Some(b"a/1"), 10), [b"a/2"]);
    assert_eq!(keys(b"", None, 1), [b"a/1"]);
    store.remove(b"a/1").unwrap();
    assert_eq!((store.get(b"a/1").unwrap(), store.len().unwrap()), (None, 2));
}

#[test]
fn keys_and_values_are_bounded_and_nothing_of_a_refused_change_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("worker.redb"), "work").unwrap();
    let good = (b"a".to_vec(), Some(b"b".to_vec()));
    let long = (b"c".to_vec(), Some(vec![0; MAX_VALUE + 1]));
    assert!(matches!(store.apply(&[good, long]), Err(StoreProblem::TooLong { what: "value", .. })));
    let key = vec![0; MAX_KEY + 1];
    assert!(matches!(store.put(&key, b""), Err(StoreProblem::TooLong { what: "key", .. })));
    assert!(store.is_empty().unwrap());
}

#[test]
fn a_file_that_is_cut_or_is_another_is_refused_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.redb");
    {
        let store = Store::open(&path, "work").unwrap();
        (0..500_u32).for_each(|n| store.put(&n.to_be_bytes(), &[7; 500]).unwrap());
    }
    let whole = std::fs::read(&path).unwrap();
    for bytes in [&whole[..whole.len() / 3], &b"not a store"[..]] {
        std::fs::write(&path, bytes).unwrap();
        let refused = Store::open(&path, "work").expect_err("it is no store").to_string();
        assert!(refused.contains("worker.redb"), "{refused}");
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(Store::open(&path, "work").unwrap().len().unwrap(), 500);
}

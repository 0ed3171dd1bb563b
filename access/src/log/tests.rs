//! The log: written, gone on with, cut, changed, searched.

use super::*;
use crate::config::LogConfig;
use std::fs;

fn config(directory: &Path, segment_bytes: u64) -> LogConfig {
    LogConfig { directory: directory.into(), segment_bytes, keep_segments: 0 }
}

fn entry(at: u64, who: &str) -> Entry {
    Entry {
        n: 0,
        at,
        who: who.into(),
        did: Some(format!("did:bill:{who}")),
        on: "members".into(),
        from: "10.0.0.1".into(),
        method: "bill_get".into(),
        about: Some("31060125/0000000101".into()),
        code: 0,
        bytes: 0,
        ms: 0,
    }
}

/// Writes these many lines, and waits until they are written.
fn write(log: &AccessLog, lines: u64) -> LogHead {
    let before = log.head().number;
    for number in 0..lines {
        let who = if number % 2 == 0 { "a" } else { "b" };
        let mut ticket = log.ticket(entry(number, who)).unwrap();
        ticket.ended(Outcome { code: 0, bytes: 7, ms: 1 });
    }
    while log.head().number < before + lines {
        std::thread::yield_now();
    }
    log.head()
}

#[test]
fn a_log_goes_on_after_a_restart_and_verifies_over_its_segments() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), 2_000);
    let first = write(&AccessLog::open(&config, "node-1").unwrap(), 40);
    let again = AccessLog::open(&config, "node-1").unwrap();
    assert_eq!(again.head(), first);
    let last = write(&again, 3);
    let verified = verify(directory.path(), &[first, last]).unwrap();
    assert_eq!((verified.first, verified.head), (1, last));
    assert!(verified.segments > 3 && verified.not_kept.is_empty());
    assert_eq!(verified.node, "node-1");
}

#[test]
fn what_was_torn_off_is_left_out_and_what_was_changed_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), 1 << 20);
    let head = write(&AccessLog::open(&config, "node-1").unwrap(), 10);
    let file = directory.path().join("access-00000000.log");
    let whole = fs::read(&file).unwrap();
    // Any cut leaves a log that goes on, or whose last whole line is a beginning of it.
    for cut in (0..whole.len()).step_by(7) {
        fs::write(&file, &whole[..cut]).unwrap();
        let log = AccessLog::open(&config, "node-1").unwrap();
        assert!(log.head().number <= 10);
        drop(log);
        assert!(verify(directory.path(), &[]).is_ok(), "cut at {cut}");
        let anchored = verify(directory.path(), &[head]);
        assert!(matches!(anchored, Err(LogError::Broken(_))), "cut at {cut}: the head is gone");
    }
    for at in (0..whole.len()).step_by(3) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&file, &changed).unwrap();
        let found = verify(directory.path(), &[head]);
        // A name in the header is chained to nothing; all else is.
        let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
        assert!(found.is_err() || at < header, "byte {at} of {} was changed", whole.len());
    }
    fs::write(&file, &whole).unwrap();
    assert!(verify(directory.path(), &[head]).is_ok());
}

#[test]
fn a_line_that_is_left_out_or_a_segment_that_is_missing_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), 2_000);
    write(&AccessLog::open(&config, "node-1").unwrap(), 40);
    let file = directory.path().join("access-00000001.log");
    let text = fs::read_to_string(&file).unwrap();
    let without: Vec<_> =
        text.lines().enumerate().filter(|(at, _)| *at != 2).map(|(_, line)| line).collect();
    fs::write(&file, format!("{}\n", without.join("\n"))).unwrap();
    let LogError::Broken(broken) = verify(directory.path(), &[]).unwrap_err() else { panic!("io") };
    assert_eq!(broken.line, 3, "{broken}");
    fs::remove_file(&file).unwrap();
    let missing = verify(directory.path(), &[]).unwrap_err();
    assert!(missing.to_string().contains("does not follow"), "{missing}");
    assert!(AccessLog::open(&config, "node-1").is_ok(), "the last segment is whole");
}

#[test]
fn a_log_whose_end_was_changed_is_not_gone_on_with() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), 1 << 20);
    write(&AccessLog::open(&config, "node-1").unwrap(), 5);
    let file = directory.path().join("access-00000000.log");
    let text = fs::read_to_string(&file).unwrap().replacen("\"who\":\"b\"", "\"who\":\"a\"", 1);
    fs::write(&file, text).unwrap();
    assert!(matches!(AccessLog::open(&config, "node-1"), Err(LogError::Broken(_))));
}

#[test]
fn old_segments_go_and_are_told_as_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { keep_segments: 2, ..config(directory.path(), 2_000) };
    let log = AccessLog::open(&config, "node-1").unwrap();
    let early = write(&log, 1);
    let last = write(&log, 60);
    let verified = verify(directory.path(), &[early, last]).unwrap();
    assert_eq!((verified.segments, verified.not_kept), (2, vec![early.number]));
    assert!(verified.first > 1);
}

#[test]
fn lines_are_found_by_what_they_say_a_part_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let log = AccessLog::open(&config(directory.path(), 2_000), "node-1").unwrap();
    write(&log, 50);
    let all = |query: Query, limit: usize| {
        let (mut found, mut cursor): (Vec<u64>, Option<String>) = (Vec::new(), None);
        loop {
            let part = search(directory.path(), &query, cursor.as_deref(), limit).unwrap().unwrap();
            assert!(part.entries.len() <= limit);
            found.extend(part.entries.iter().map(|entry| entry.n));
            match part.next {
                Some(next) => cursor = Some(next),
                None => return found,
            }
        }
    };
    assert_eq!(all(Query::default(), 7), (1..=50).collect::<Vec<_>>());
    let of_b = Query { who: Some("b".into()), ..Query::default() };
    assert_eq!(all(of_b, 3), (1..=50).filter(|n| n % 2 == 0).collect::<Vec<_>>());
    let early = Query { to: Some(4), method: Some("bill_".into()), ..Query::default() };
    assert_eq!(all(early, 100), [1, 2, 3, 4, 5]);
    let none = Query { code: Some(4_100), ..Query::default() };
    assert_eq!(all(none, 100), [0_u64; 0]);
    for cursor in ["", "x", "1", "1.x", "99999999999.0"] {
        assert!(search(directory.path(), &Query::default(), Some(cursor), 1).unwrap().is_err());
    }
}

#[test]
fn the_format_is_what_it_was() {
    let mut written = entry(1_796_083_200_000, "a");
    written.n = 1;
    let json = serde_json::to_string(&written).unwrap();
    let expected = "{\"n\":1,\"at\":1796083200000,\"who\":\"a\",\"did\":\"did:bill:a\",\"on\":\"members\",\
                    \"from\":\"10.0.0.1\",\"method\":\"bill_get\",\"about\":\"31060125/0000000101\",\
                    \"code\":0,\"bytes\":0,\"ms\":0}";
    assert_eq!(json, expected);
    let mut bytes = b"billchain-access-log-1".to_vec();
    bytes.extend([0; 32]);
    bytes.extend(json.as_bytes());
    assert_eq!(lines::hash(&GENESIS, json.as_bytes()), billchain_crypto::sm3::sm3(&bytes));
}

#[test]
fn a_line_that_is_too_long_is_shortened_before_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let log = AccessLog::open(&config(directory.path(), 1 << 20), "node-1").unwrap();
    let long = "票".repeat(10_000);
    let strange = Entry { who: long.clone(), about: Some(long), ..entry(1, "a") };
    drop(log.ticket(strange).unwrap());
    write(&log, 1);
    assert_eq!(verify(directory.path(), &[]).unwrap().head.number, 2);
}

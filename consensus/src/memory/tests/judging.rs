//! What a start makes of memory, log and chain.

use std::path::Path;

use super::*;
use crate::memory::SigningMemoryError as Error;
use crate::memory::log::{self, LogContents, LogState};
use crate::memory::start::{Judgement, LogRemedy, Start};
use crate::types::Address;

const HEIGHT: u64 = 10;

fn start(signed_in_chain: Option<u64>) -> Start<'static> {
    Start {
        memory: Path::new("signing-memory"),
        log: Path::new("consensus.wal"),
        genesis: GENESIS,
        signer: Address::from(SIGNER),
        height: HEIGHT,
        signed_in_chain,
    }
}

fn log_of(height: u64, intact_bytes: u64, own: &[(u32, Statement)]) -> LogState {
    let own = own.iter().map(|(round, statement)| (*round, signed(*statement, 1))).collect();
    LogState::Of(LogContents { height, own, intact_bytes, damage: None })
}

fn damaged(log: LogState) -> LogState {
    let LogState::Of(contents) = log else { return log };
    LogState::Of(LogContents { damage: Some("entry 3: CRC mismatch".into()), ..contents })
}

/// The validator pre-committed when the log had 500 bytes.
fn voted() -> Record {
    let last = Last { round: 1, signed: signed(precommit(1), 1) };
    Record { log_bytes: 500, ..record(HEIGHT, Some(last)) }
}

/// What came out, for comparison: the kind of the refusal, or the judgement.
fn verdict(start: &Start<'_>, memory: Option<&Record>, log: &LogState) -> String {
    match start.judge(memory, log) {
        Ok(Judgement::Fresh) => "fresh".into(),
        Ok(Judgement::Continue(LogRemedy::Keep)) => "vote".into(),
        Ok(Judgement::Continue(LogRemedy::Cut(length))) => format!("vote, cut at {length}"),
        Ok(Judgement::Continue(LogRemedy::SetAside(_))) => "vote, set aside".into(),
        Ok(Judgement::Follow { until, .. }) => format!("follow until {until}"),
        Err(Error::Missing { .. }) => "memory missing".into(),
        Err(Error::OutOfDate { .. }) => "memory out of date".into(),
        Err(Error::Foreign { .. }) => "memory foreign".into(),
        Err(Error::LogLost { .. }) => "log lost".into(),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn a_start_without_a_memory_needs_a_key_that_never_signed() {
    let ours = [(0, prevote(1))];
    let rows = [
        (None, LogState::Missing, "fresh"),
        (None, log_of(0, 12, &[]), "fresh"),
        (None, log_of(9, 12, &[]), "fresh"),
        (Some(9), LogState::Missing, "memory missing"),
        (None, log_of(4, 300, &ours), "memory missing"),
        (None, LogState::Unreadable("version".into()), "memory missing"),
        (None, damaged(log_of(4, 12, &[])), "memory missing"),
    ];
    for (signed_in_chain, log, expected) in rows {
        assert_eq!(verdict(&start(signed_in_chain), None, &log), expected, "{log:?}");
    }
}

#[test]
fn the_log_of_the_height_at_hand_must_explain_what_was_signed() {
    let ours = [(1, prevote(1)), (1, precommit(1))];
    let rows = [
        (log_of(HEIGHT, 700, &ours), "vote"),
        // The crash came between the two files.
        (log_of(HEIGHT, 500, &ours[..1]), "vote"),
        (log_of(HEIGHT, 499, &ours[..1]), "log lost"),
        (log_of(HEIGHT, 12, &[]), "log lost"),
        (log_of(HEIGHT - 1, 700, &[]), "log lost"),
        (LogState::Missing, "log lost"),
        (LogState::Unreadable("Invalid WAL version".into()), "log lost"),
        (damaged(log_of(HEIGHT, 400, &ours)), "log lost"),
        (damaged(log_of(HEIGHT, 600, &ours)), "vote, cut at 600"),
        // A log from another life has more than we know.
        (log_of(HEIGHT, 700, &[(2, prevote(1))]), "memory out of date"),
        (log_of(HEIGHT + 1, 700, &[(0, prevote(1))]), "memory out of date"),
        // The height was decided, and an older database was put back.
        (log_of(HEIGHT + 1, 12, &[]), "follow until 10"),
        (damaged(log_of(HEIGHT + 1, 12, &[])), "follow until 10"),
    ];
    for (log, expected) in rows {
        assert_eq!(verdict(&start(None), Some(&voted()), &log), expected, "{log:?}");
    }
}

#[test]
fn a_validator_follows_while_the_chain_is_below_what_it_may_have_signed() {
    let forbidden = record(HEIGHT, None);
    let ahead = record(HEIGHT + 5, Some(Last { round: 0, signed: signed(prevote(1), 1) }));
    let below = record(HEIGHT - 1, Some(Last { round: 0, signed: signed(prevote(1), 1) }));
    let broken = LogState::Unreadable("Invalid WAL version".into());
    let ours = log_of(HEIGHT, 300, &[(0, prevote(1))]);
    let rows = [
        (&forbidden, LogState::Missing, "follow until 10"),
        (&forbidden, ours.clone(), "follow until 10"),
        (&ahead, LogState::Missing, "follow until 15"),
        (&ahead, broken.clone(), "follow until 15"),
        (&below, log_of(HEIGHT, 12, &[]), "vote"),
        (&below, LogState::Missing, "vote"),
        (&below, broken, "vote, set aside"),
        (&below, ours, "memory out of date"),
    ];
    for (memory, log, expected) in rows {
        assert_eq!(verdict(&start(None), Some(memory), &log), expected, "{memory:?} {log:?}");
    }
}

#[test]
fn a_memory_of_another_key_chain_or_time_is_refused() {
    let good = record(HEIGHT - 1, None);
    let log = LogState::Missing;
    let other_key = Record { signer: [8; 32], ..good.clone() };
    assert_eq!(verdict(&start(None), Some(&other_key), &log), "memory foreign");
    let other_chain = Record { genesis: Hash::repeat_byte(1), ..good.clone() };
    assert_eq!(verdict(&start(None), Some(&other_chain), &log), "memory foreign");
    assert_eq!(verdict(&start(Some(HEIGHT - 1)), Some(&good), &log), "vote");
    let old = record(HEIGHT - 3, None);
    assert_eq!(verdict(&start(Some(HEIGHT - 1)), Some(&old), &log), "memory out of date");
}

#[test]
fn a_refusal_names_the_files_and_what_to_do() {
    let memory = voted();
    let refused = start(None).judge(Some(&memory), &LogState::Missing).expect_err("refused");
    let text = refused.to_string();
    for part in ["consensus.wal", "signing-memory", "missing", "height 10", "abstain"] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// The log of the engine itself, with a vote of ours, another's, and a timeout.
mod engine_log {
    use billchain_crypto::sm2::SecretKey;
    use malachitebft_app_channel::app::consensus::Input;
    use malachitebft_app_channel::app::engine::wal::encode_entry;
    use malachitebft_app_channel::app::types::core::{
        NilOrVal, Round, SignedMessage, Timeout, VoteType,
    };
    use malachitebft_app_channel::app::wal;

    use super::*;
    use crate::codec::ScaleCodec;
    use crate::types::{BillContext, Height, Vote};

    fn vote(seed: u8) -> Input<BillContext> {
        let key = SecretKey::from_seed(&[seed]);
        let vote = Vote {
            kind: VoteType::Prevote,
            height: Height::new(HEIGHT),
            round: Round::new(1),
            value: NilOrVal::Nil,
            voter: Address::from_public_key(&key.public()),
        };
        Input::Vote(SignedMessage::new(vote, key.sign(b"", b"the log does not check it")))
    }

    fn own() -> Address {
        Address::from_public_key(&SecretKey::from_seed(&[1]).public())
    }

    fn write(path: &Path) -> Vec<u8> {
        let mut log = wal::Log::open(path).expect("a log");
        log.reset(HEIGHT).expect("of this height");
        let timeout = Input::TimeoutElapsed(Timeout::propose(Round::new(1)));
        for input in [vote(2), vote(1), timeout] {
            let mut entry = Vec::new();
            encode_entry(input, &ScaleCodec, &mut entry).expect("encodes");
            log.append(entry).expect("written");
        }
        log.flush().expect("synced");
        std::fs::read(path).expect("readable")
    }

    #[test]
    fn what_the_engine_wrote_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("consensus.wal");
        assert_eq!(log::read(&path, &own()).expect("readable"), LogState::Missing);
        let bytes = write(&path);
        let LogState::Of(contents) = log::read(&path, &own()).expect("readable") else {
            panic!("unreadable");
        };
        assert_eq!((contents.height, contents.damage), (HEIGHT, None));
        let statements: Vec<_> =
            contents.own.iter().map(|(round, signed)| (*round, signed.statement)).collect();
        assert_eq!(statements, [(1, Statement::Prevote { block: None })]);
        assert_eq!(std::fs::read(&path).expect("readable"), bytes, "reading changed it");
    }

    /// However a log was cut or flipped, the part that is taken for good is a part
    /// of it, and what was lost is reported.
    #[test]
    fn every_cut_and_every_flip_of_a_log_is_seen() {
        let directory = tempfile::tempdir().expect("a directory");
        let whole = write(&directory.path().join("consensus.wal"));
        let LogState::Of(intact) = log::parse(whole.clone(), &own()) else { panic!("unreadable") };
        for length in 0..whole.len() {
            match log::parse(whole[..length].to_vec(), &own()) {
                LogState::Missing => assert_eq!(length, 0),
                LogState::Unreadable(_) => assert!(length < 12, "{length}"),
                LogState::Of(contents) => {
                    assert!(intact.own.starts_with(&contents.own), "{length}");
                    assert!(contents.intact_bytes <= length as u64, "{length}");
                }
            }
        }
        for byte in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[byte] ^= 0x10;
            match log::parse(flipped, &own()) {
                LogState::Of(contents) => assert!(
                    contents.height != HEIGHT || contents.intact_bytes <= byte as u64,
                    "byte {byte}: {contents:?}"
                ),
                LogState::Unreadable(_) => assert!(byte < 12, "{byte}"),
                LogState::Missing => panic!("byte {byte}"),
            }
        }
    }
}

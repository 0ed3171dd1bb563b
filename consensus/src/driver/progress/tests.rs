use billchain_primitives::Hash;

use super::*;

const H: Height = Height::new(7);
const NEXT: Height = Height::new(8);

fn block(byte: u8) -> BlockHash {
    Hash::repeat_byte(byte).into()
}

fn committing() -> Progress {
    let mut progress = Progress::new(H);
    assert_eq!(progress.decided(H, block(1), true), Decided::Commit);
    progress
}

#[test]
fn the_next_height_waits_for_the_commit_and_for_the_engine_in_either_order() {
    let mut asked_late = committing();
    assert_eq!(asked_late.committed(NEXT, false), Next::Nothing);
    assert_eq!(asked_late.asked(), Ok(Next::Wait));

    let mut asked_early = committing();
    assert_eq!(asked_early.asked(), Ok(Next::Nothing));
    assert_eq!(asked_early.committed(NEXT, false), Next::Wait);

    for mut progress in [asked_late, asked_early] {
        assert_eq!((progress.height(), progress.round()), (NEXT, Round::FIRST));
        assert!(progress.begin());
        assert_eq!(progress.phase(), Phase::Deciding);
        assert!(!progress.begin(), "there is one wait a height");
    }
}

#[test]
fn there_is_no_wait_when_others_have_begun_or_blocks_come_from_sync() {
    let mut heard = committing();
    assert_eq!(heard.committed(NEXT, false), Next::Nothing);
    assert_eq!(heard.others_began(), Next::Nothing, "the engine has not asked yet");
    assert_eq!(heard.asked(), Ok(Next::Begin));

    let mut waiting = committing();
    let _ = waiting.committed(NEXT, false);
    assert_eq!(waiting.asked(), Ok(Next::Wait));
    assert_eq!(waiting.others_began(), Next::Begin);

    let mut early = committing();
    let _ = early.asked();
    assert_eq!(early.committed(NEXT, true), Next::Begin, "a proposal was here already");

    let mut synced = committing();
    synced.synced(H);
    let _ = synced.asked();
    assert_eq!(synced.committed(NEXT, false), Next::Begin);
    assert!(synced.is_catching_up());
}

#[test]
fn what_others_began_is_forgotten_with_the_height() {
    let mut progress = Progress::new(H);
    let _ = progress.others_began();
    let _ = progress.decided(H, block(1), true);
    let _ = progress.asked();
    assert_eq!(progress.committed(NEXT, false), Next::Wait);
}

#[test]
fn a_decided_block_that_is_missing_is_committed_once_it_is_found() {
    let mut progress = Progress::new(H);
    assert_eq!(progress.decided(H, block(1), false), Decided::Fetch);
    assert_eq!(progress.missing(), Some(block(1)));
    assert!(!progress.is_open(), "no other block of the height is of use");
    assert_eq!(progress.asked(), Ok(Next::Nothing), "the engine need not wait to ask");
    assert!(!progress.found(&block(2)), "another block");
    assert!(progress.found(&block(1)));
    assert!(!progress.found(&block(1)), "once");
    assert_eq!(progress.phase(), Phase::Committing);
    assert_eq!(progress.committed(NEXT, false), Next::Wait);
}

#[test]
fn what_comes_out_of_turn_changes_nothing() {
    let mut progress = Progress::new(H);
    assert_eq!(progress.decided(NEXT, block(1), true), Decided::OutOfTurn);
    assert_eq!(progress.asked(), Err(Phase::Deciding));
    progress.started_round(NEXT, Round::new(4));
    assert_eq!(progress.round(), Round::FIRST, "a round of another height");
    progress.started_round(H, Round::new(4));
    assert_eq!(progress.round(), Round::new(4));
    assert_eq!(progress.decided(H, block(1), true), Decided::Commit);
    assert_eq!(progress.decided(H, block(2), true), Decided::OutOfTurn, "decided twice");
    assert!(!progress.begin());
}

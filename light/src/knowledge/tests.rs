//! What is learned from headers that test keys signed, and what is not.

use super::*;
use crate::testing::{BEGAN, BILL, FIRST, Made, QUORUM, SECOND, State, THIRD, genesis, knowledge};
use billchain_verifier::{Refusal, make::Decided, verify};

/// Blocks 10 and 20 change the validators; others come after.
fn changes() -> [Decided; 2] {
    let second = Made::change(10, 0, &SECOND).decided(&FIRST, &QUORUM);
    let third = Made::change(20, 10, &THIRD).decided(&SECOND, &QUORUM);
    [second, third]
}

fn change_bytes() -> Vec<Vec<u8>> {
    changes().iter().map(Decided::to_bytes).collect()
}

/// A client that knows block 30.
fn at_30() -> Knowledge {
    let mut known = knowledge();
    known.apply(&Made::plain(30, 20).update(&change_bytes(), &THIRD)).unwrap();
    known
}

fn lie(failure: Failure) -> Lie {
    match failure {
        Failure::Lie(lie) => lie,
        other => panic!("expected a lie, found {other:?}"),
    }
}

#[test]
fn a_head_is_followed_over_the_changes_before_it() {
    let mut known = knowledge();
    assert_eq!((known.head().hash, known.time()), (genesis(), None));
    assert_eq!(known.apply(&Made::plain(5, 0).update(&[], &FIRST)).unwrap().number, 5);
    assert_eq!(known.time(), Some(BEGAN + 5_000));
    let head = known.apply(&Made::plain(30, 20).update(&change_bytes(), &THIRD)).unwrap();
    assert_eq!((head.number, known.head(), known.time()), (30, head, Some(BEGAN + 30_000)));
    assert_eq!((known.validators().named_in().number, known.validators().count()), (20, 4));
    // Each block that was checked is known; sets before the last but one are not.
    assert_eq!(known.known.keys().copied().collect::<Vec<_>>(), [0, 5, 10, 20, 30]);
    assert_eq!(known.sets.len(), 2);
    // The head may be a change itself.
    let mut known = knowledge();
    let update = Made::change(10, 0, &SECOND).update(&[], &FIRST);
    assert_eq!(known.apply(&update).unwrap().number, 10);
    assert_eq!(known.validators().named_in().number, 10);
}

#[test]
fn a_server_that_is_behind_teaches_nothing_newer_and_is_no_liar() {
    let mut known = at_30();
    let (head, time) = (known.head(), known.time());
    let old = known.apply(&Made::plain(25, 20).update(&[], &THIRD)).unwrap();
    assert_eq!((old.number, known.head(), known.time()), (25, head, time));
    // Before the last change, too.
    assert_eq!(known.apply(&Made::plain(15, 10).update(&[], &SECOND)).unwrap().number, 15);
    // Before the last but one, nobody knows who decides.
    let failure = known.apply(&Made::plain(7, 0).update(&[], &FIRST)).unwrap_err();
    assert!(matches!(failure, Failure::Old { number: 7, oldest: 10 }), "{failure}");
    // A change that another server showed meanwhile is known already.
    assert!(known.apply(&Made::plain(31, 20).update(&change_bytes(), &THIRD)).is_ok());
}

#[test]
fn every_lie_is_found_out_and_teaches_nothing() {
    let good = Made::plain(5, 0).update(&[], &FIRST);
    let with_head = |head: Decided| Update { head: head.to_bytes(), ..good.clone() };
    let mut other_header = Made::plain(5, 0).decided(&FIRST, &QUORUM);
    other_header.header[40] ^= 1;
    let [last_change, time] = State::new(0, BEGAN + 9_000).key_proofs();
    let hidden = Made::change(3, 0, &SECOND).decided(&FIRST, &QUORUM).to_bytes();
    let refused = |refusal: Refusal| Lie::NotDecided { number: 5, refusal };
    let rows: [(&str, Update, Lie); 9] = [
        (
            "a header that was changed",
            with_head(other_header),
            refused(Refusal::Signature { number: 5, place: 0 }),
        ),
        (
            "a signature of somebody who is no validator",
            with_head(Made::plain(5, 0).decided(&[1, 2, 9, 4], &QUORUM)),
            refused(Refusal::Signature { number: 5, place: 2 }),
        ),
        (
            "signatures of too few",
            with_head(Made::plain(5, 0).decided(&FIRST, &[0, 1])),
            refused(Refusal::NotDecided { number: 5, signed: 2, all: 4 }),
        ),
        (
            "a place that no validator has",
            with_head(Made::plain(5, 0).decided(&[1, 2, 3, 4, 5], &[0, 1, 4])),
            refused(Refusal::Signature { number: 5, place: 4 }),
        ),
        (
            "a proof of another state",
            Update { last_change, ..good.clone() },
            Lie::Proof(Refusal::State),
        ),
        ("a time of another state", Update { time, ..good.clone() }, Lie::Proof(Refusal::State)),
        (
            "a head that leaves a change out",
            Made { last_change: 3, ..Made::plain(5, 0) }.update(&[], &FIRST),
            Lie::Hidden { number: 5, proved: 3, shown: 0 },
        ),
        (
            "a change that the state does not have",
            Made { last_change: 0, ..Made::plain(5, 0) }.update(&[hidden], &SECOND),
            Lie::Hidden { number: 5, proved: 0, shown: 3 },
        ),
        (
            "no header at all",
            Update { head: vec![1, 2, 3], ..good.clone() },
            Lie::Form {
                what: "header",
                reason: "the decided header cannot be read: it is cut short".into(),
            },
        ),
    ];
    for (what, update, expected) in rows {
        let mut known = knowledge();
        let failure = known.apply(&update).unwrap_err();
        assert_eq!(lie(failure), expected, "{what}");
        assert_eq!(known, knowledge(), "{what}: nothing was learned");
    }
}

#[test]
fn changes_are_decided_by_the_set_before_and_none_is_left_out() {
    let third = Made::change(20, 10, &THIRD).decided(&SECOND, &QUORUM).to_bytes();
    let gap = Refusal::Gap { number: 20, previous: 10, expected: 0 };
    let failure = knowledge().apply(&Made::plain(30, 20).update(&[third], &THIRD)).unwrap_err();
    assert_eq!(lie(failure), Lie::NotDecided { number: 20, refusal: gap });
    // Those who come do not name themselves.
    let second = Made::change(10, 0, &SECOND).decided(&SECOND, &QUORUM).to_bytes();
    let failure = knowledge().apply(&Made::plain(30, 10).update(&[second], &SECOND)).unwrap_err();
    let refusal = Refusal::Signature { number: 10, place: 0 };
    assert_eq!(lie(failure), Lie::NotDecided { number: 10, refusal });
    // Validators that were replaced decide nothing any more, whatever they sign.
    let late = Made::plain(30, 10).update(&change_bytes()[..1], &FIRST);
    assert!(matches!(lie(knowledge().apply(&late).unwrap_err()), Lie::NotDecided { .. }));
    // A change between two that are known was never one.
    let between = Made::change(15, 10, &FIRST).decided(&SECOND, &QUORUM).to_bytes();
    let failure = at_30().learn(&between).unwrap_err();
    assert_eq!(lie(failure), Lie::Changes { number: 15, previous: 10, known: 20 });
}

#[test]
fn two_decided_blocks_of_one_height_are_evidence() {
    let mut known = at_30();
    let other = Made { branch: 1, ..Made::plain(30, 20) };
    let failure = known.apply(&other.update(&[], &THIRD)).unwrap_err();
    assert!(failure.to_string().starts_with("FORK: two blocks of height 30"), "{failure}");
    let fork = known.fork().unwrap();
    assert_eq!(fork.first, Made::plain(30, 20).decided(&THIRD, &QUORUM).to_bytes());
    assert_eq!(fork.second, other.decided(&THIRD, &QUORUM).to_bytes());
    assert_eq!(known.head(), at_30().head());
    // Of a change as well, whose block is never let go.
    let mut known = at_30();
    let other = Made { branch: 1, ..Made::change(20, 10, &THIRD) };
    let decided = other.decided(&SECOND, &QUORUM).to_bytes();
    assert!(matches!(known.learn(&decided), Err(Failure::Forked(_))));
    // What the validators did not decide is no evidence against them.
    let mut known = at_30();
    let other = Made { branch: 1, ..Made::plain(30, 20) };
    let forged = other.decided(&THIRD, &[0, 1]).to_bytes();
    assert!(matches!(lie(known.learn(&forged).unwrap_err()), Lie::NotDecided { .. }));
    assert_eq!(known.fork(), None);
}

#[test]
fn a_certificate_is_taken_if_it_is_of_the_chain_that_is_known_and_not_old() {
    let changes = changes();
    let accept = |certificate: &[u8], behind| at_30().accept(certificate, BILL, &genesis(), behind);
    let new = Made::plain(31, 20).certificate(&changes, &THIRD);
    let accepted = accept(&new, 0).unwrap();
    assert_eq!((accepted.block.number, accepted.exists), (31, false));
    let old = Made::plain(25, 20).certificate(&changes, &THIRD);
    assert_eq!(accept(&old, 5).unwrap().block.number, 25);
    let failure = accept(&old, 4).unwrap_err();
    assert!(matches!(failure, Failure::Stale { block: 25, head: 30, most: 4 }), "{failure}");
    // Before the last change, by those who decided then; before the one before, by nobody.
    let old = Made::plain(15, 10).certificate(&changes[..1], &SECOND);
    assert_eq!(accept(&old, 20).unwrap().block.number, 15);
    let old = Made::plain(7, 0).certificate(&[], &FIRST);
    assert!(matches!(accept(&old, 100), Err(Failure::Old { number: 7, oldest: 10 })));
}

#[test]
fn a_certificate_may_start_at_the_oldest_change_that_is_known() {
    let (changes, known) = (changes(), at_30());
    let checkpoint = known.checkpoint();
    assert_eq!((checkpoint.number, knowledge().checkpoint().hash), (10, genesis()));
    let certificate = Made::plain(31, 20).certificate_from(&changes[0], &changes[1..], &THIRD);
    let accept =
        |mut known: Knowledge, checkpoint: &Digest| known.accept(&certificate, BILL, checkpoint, 0);
    let accepted = accept(known.clone(), &checkpoint.hash).unwrap();
    assert_eq!((accepted.block.number, accepted.checkpoint), (31, checkpoint));
    // The validators changed after it was asked for.
    let mut later = known.clone();
    let change = Made::change(31, 20, &SECOND).decided(&THIRD, &QUORUM).to_bytes();
    later.learn(&change).unwrap();
    assert_eq!(later.checkpoint().number, 20);
    let old = Made::plain(30, 20).certificate_from(&changes[0], &changes[1..], &THIRD);
    assert_eq!(later.accept(&old, BILL, &checkpoint.hash, 1).unwrap().block.number, 30);
    // It proves nothing to who asked for another start.
    let failure = accept(known, &genesis()).unwrap_err();
    assert!(matches!(lie(failure), Lie::Certificate(Refusal::StartsLater { .. })));
    // Nor what replaced validators sign, who are the ones that it starts with.
    let forged = Made::plain(40, 10).certificate_from(&changes[0], &[], &SECOND);
    let failure = at_30().accept(&forged, BILL, &checkpoint.hash, 100).unwrap_err();
    assert!(matches!(lie(failure), Lie::NotDecided { number: 40, .. }));
}

#[test]
fn a_certificate_of_validators_that_were_replaced_is_refused() {
    // It holds for whoever knows the genesis alone: the change is not in it.
    let forged = Made::plain(40, 10).certificate(&changes()[..1], &SECOND);
    assert!(verify(&forged, &genesis()).is_ok());
    let failure = at_30().accept(&forged, BILL, &genesis(), 100).unwrap_err();
    assert!(matches!(lie(failure), Lie::NotDecided { number: 40, .. }));
    // And of another block of a height that is known, it is evidence.
    let other = Made { branch: 1, ..Made::plain(30, 20) };
    let mut known = at_30();
    let failure =
        known.accept(&other.certificate(&changes(), &THIRD), BILL, &genesis(), 100).unwrap_err();
    assert!(matches!(failure, Failure::Forked(_)), "{failure}");
    assert_eq!(known.fork().unwrap().number, 30);
}

/// Keys of validators that were replaced may be stolen, and somebody who does not know yet that
/// they were replaced be shown a block that is far ahead.
#[test]
fn what_replaced_validators_signed_is_let_go_with_the_change() {
    let mut known = knowledge();
    let far = Made::plain(4_000, 0).update(&[], &FIRST);
    assert_eq!(known.apply(&far).unwrap().number, 4_000);
    let head = known.apply(&Made::plain(30, 20).update(&change_bytes(), &THIRD)).unwrap();
    assert_eq!((head.number, known.head(), known.time()), (30, head, Some(BEGAN + 30_000)));
    assert_eq!(known.known.keys().copied().collect::<Vec<_>>(), [0, 10, 20, 30]);
    // Certificates are measured by the chain's head again.
    let certificate = Made::plain(31, 20).certificate(&changes(), &THIRD);
    assert_eq!(known.accept(&certificate, BILL, &genesis(), 0).unwrap().block.number, 31);
    assert!(matches!(lie(known.apply(&far).unwrap_err()), Lie::NotDecided { number: 4_000, .. }));
}

#[test]
fn a_certificate_that_proves_nothing_or_something_else_is_a_lie() {
    let good = Made::plain(31, 20).certificate(&changes(), &THIRD);
    let mut bad = good.clone();
    // The last byte says how many runs of cold groups there are; before it stands a hash.
    let hash = bad.len() - 2;
    bad[hash] ^= 1;
    let failure = at_30().accept(&bad, BILL, &genesis(), 5).unwrap_err();
    assert_eq!(lie(failure), Lie::Certificate(Refusal::State));
    let failure = at_30().accept(&good, ("31060126", "0000000002"), &genesis(), 5).unwrap_err();
    let (asked, given) = ("31060126-0000000002".into(), "bill 31060126-0000000001".into());
    assert_eq!(lie(failure), Lie::OtherBill { asked, given });
}

#[test]
fn the_oldest_blocks_are_let_go_but_not_those_that_named_validators() {
    let mut known = at_30();
    for number in 31..131 {
        known.learn(&Made::plain(number, 20).decided(&THIRD, &QUORUM).to_bytes()).unwrap();
    }
    assert_eq!(known.known(), MAX_KNOWN);
    let kept: Vec<u32> = known.known.keys().copied().collect();
    assert_eq!((&kept[..3], kept.last()), (&[10, 20, 69][..], Some(&130)));
    assert!(known.to_bytes().len() < crate::MAX_BYTES);
}

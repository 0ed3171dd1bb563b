//! Ways back, against a server that gives anything.

use super::*;
use crate::testing::{FIRST, Made, QUORUM, SECOND, THIRD, first_bytes, genesis};
use billchain_verifier::make::Decided;
use codec::Encode;

fn change(number: u32, previous: u32) -> Vec<u8> {
    Made::change(number, previous, &SECOND).decided(&FIRST, &QUORUM).to_bytes()
}

#[test]
fn the_way_leads_from_the_last_change_to_the_known_one() {
    let mut walk = Walk::new(10, 40);
    assert_eq!(walk.wanted(), Some(40));
    walk.take(change(40, 25)).unwrap();
    assert_eq!(walk.wanted(), Some(25));
    walk.take(change(25, 10)).unwrap();
    assert_eq!(walk.wanted(), None);
    assert_eq!(walk.forward(), [change(25, 10), change(40, 25)]);
    for (known, last) in [(10, 10), (10, 3), (0, 0)] {
        assert_eq!(Walk::new(known, last).wanted(), None, "{known} to {last}");
    }
}

#[test]
fn a_way_that_leads_elsewhere_is_a_lie() {
    let rows: [(&str, Vec<u8>, Lie); 5] = [
        (
            "another block",
            change(41, 10),
            Lie::OtherBlock { asked: "40".into(), given: "41".into() },
        ),
        (
            "no change",
            Made::plain(40, 10).decided(&FIRST, &QUORUM).to_bytes(),
            Lie::NoChange { number: 40 },
        ),
        ("past the known one", change(40, 9), Lie::Changes { number: 40, previous: 9, known: 10 }),
        ("itself", change(40, 40), Lie::Changes { number: 40, previous: 40, known: 10 }),
        ("forwards", change(40, 77), Lie::Changes { number: 40, previous: 77, known: 10 }),
    ];
    for (what, bytes, expected) in rows {
        match Walk::new(10, 40).take(bytes) {
            Err(Failure::Lie(lie)) => assert_eq!(lie, expected, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    let cut = &change(40, 10)[..50];
    assert!(matches!(Walk::new(10, 40).take(cut.to_vec()), Err(Failure::Lie(Lie::Form { .. }))));
}

#[test]
fn a_way_without_end_is_left() {
    // Signatures are looked at later: none is needed here.
    let unsigned = |number: u32| Decided {
        header: Made::change(number, number - 1, &SECOND).header().encode(),
        round: 0,
        signatures: Vec::new(),
    };
    let last = MAX_CHANGES as u32 + 10;
    let mut walk = Walk::new(0, last);
    for number in (11..=last).rev() {
        walk.take(unsigned(number).to_bytes()).unwrap();
    }
    let failure = walk.take(unsigned(10).to_bytes()).unwrap_err();
    assert!(matches!(failure, Failure::TooFar { most: MAX_CHANGES, .. }), "{failure}");
}

/// Headers from a change at block 5 to block `last`, each with the hash of the one before.
fn linked(last: u32) -> Vec<(Digest, Vec<u8>)> {
    let mut blocks: Vec<(Digest, Vec<u8>)> = Vec::new();
    for number in 5..=last {
        let made = if number == 5 { Made::change(5, 0, &THIRD) } else { Made::plain(number, 5) };
        let mut header = made.header();
        if let Some((parent, _)) = blocks.last() {
            header.parent_hash = (*parent).into();
        }
        let bare = Decided { header: header.encode(), round: 0, signatures: Vec::new() };
        blocks.push((header.hash().0, bare.to_bytes()));
    }
    blocks
}

#[test]
fn a_checkpoint_leads_back_to_those_who_decide_after_it() {
    let blocks = linked(8);
    let mut descent = Descent::new(genesis(), blocks[3].0);
    for (hash, bytes) in blocks[1..].iter().rev() {
        assert_eq!(descent.wanted(), *hash);
        descent = match descent.take(bytes.clone()).unwrap() {
            Step::More(more) => more,
            Step::Done(_) => panic!("it names nobody"),
        };
    }
    let Step::Done(known) = descent.take(blocks[0].1.clone()).unwrap() else {
        panic!("block 5 names validators")
    };
    assert_eq!((known.start().number, known.start().hash), (8, blocks[3].0));
    assert_eq!((known.head(), known.genesis()), (known.start(), genesis()));
    assert_eq!(known.validators().named_in().hash, blocks[0].0);
}

#[test]
fn another_block_than_the_trusted_one_is_refused() {
    let blocks = linked(6);
    let descent = || Descent::new(genesis(), blocks[1].0);
    let other = descent().take(first_bytes()).err();
    assert!(matches!(other, Some(Failure::Lie(Lie::OtherBlock { .. }))));
    let Step::More(more) = descent().take(blocks[1].1.clone()).unwrap() else { panic!("more") };
    assert!(matches!(more.take(blocks[1].1.clone()), Err(Failure::Lie(Lie::OtherBlock { .. }))));
    assert!(matches!(descent().take(vec![0]), Err(Failure::Lie(Lie::Form { .. }))));
}

#[test]
fn a_checkpoint_too_far_behind_a_change_is_refused() {
    let blocks = linked(5 + MAX_PARENTS as u32 + 1);
    let mut descent = Descent::new(genesis(), blocks[blocks.len() - 1].0);
    let mut failure = None;
    for (_, bytes) in blocks.iter().rev() {
        match descent.take(bytes.clone()) {
            Ok(Step::More(more)) => descent = more,
            Ok(Step::Done(_)) => panic!("it was reached"),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    assert!(matches!(failure, Some(Failure::TooFar { most: MAX_PARENTS, .. })), "{failure:?}");
}

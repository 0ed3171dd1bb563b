//! A store of what peers serve, of which some lie in each message.

use crate::kit::{Fakes, INTERVAL, Lie, Node, certificate, known, open, options};
use billchain_primitives::Hash;
use billchain_state_sync::{
    JoinError, Joined, Known, Peers, find,
    wire::{self, Blocks, Changes, Opaque, Page, Question, Targets},
};
use billchain_storage::CopyTable;
use codec::{Decode, Encode};
use std::{path::Path, sync::Arc};
use tokio::runtime::Runtime;

fn joined(path: &Path, peers: &Arc<dyn Peers>, known: &Known) -> Result<Joined, JoinError> {
    let runtime = Runtime::new().unwrap();
    let offer = runtime.block_on(find(peers, known))?;
    offer.fetch(runtime.handle(), path, &options(), |_| {})
}

/// Changes an honest answer of one kind.
fn changed<T: Decode + Encode>(answer: &[u8], change: impl FnOnce(&mut T)) -> Option<Vec<u8>> {
    let mut known: T = wire::answer(answer).unwrap().ok()?;
    change(&mut known);
    Some(wire::encode_answer(Ok(known)))
}

/// One liar, and what it lies about.
fn lies() -> Vec<(&'static str, Lie)> {
    fn lie(
        is: fn(&Question) -> bool,
        change: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Lie {
        Box::new(move |question, answer| if is(question) { change(&answer) } else { Some(answer) })
    }
    let targets = |question: &Question| matches!(question, Question::Targets);
    let blocks = |question: &Question| matches!(question, Question::Blocks { below } if *below > 1);
    let first = |question: &Question| matches!(question, Question::Blocks { below: 1 });
    let operations = |question: &Question| matches!(question, Question::Operations { .. });
    let state = |question: &Question| matches!(question, Question::Page(of) if of.table == CopyTable::State);
    let cold =
        |question: &Question| matches!(question, Question::Page(of) if of.table == CopyTable::Cold);
    vec![
        ("is silent", Box::new(|_, _| None)),
        ("answers nonsense", Box::new(|_, _| Some(vec![7; 99]))),
        ("answers without end", Box::new(|_, _| Some(vec![0; wire::MAX_ANSWER_BYTES + 1]))),
        (
            "serves a state of its own",
            lie(targets, |answer| {
                changed::<Targets>(answer, |it| it.0[0].state_root = Hash::repeat_byte(9))
            }),
        ),
        (
            "serves another log",
            lie(targets, |answer| {
                changed::<Targets>(answer, |it| it.0[0].operations_root = Hash::repeat_byte(9))
            }),
        ),
        (
            "says that the log begins later",
            lie(targets, |answer| changed::<Targets>(answer, |it| it.0[0].start += 1)),
        ),
        (
            "serves other runs of cold segments",
            lie(targets, |answer| {
                changed::<Targets>(answer, |it| it.0[0].runs.push(Hash::repeat_byte(9)))
            }),
        ),
        (
            "makes a list of cold segments up",
            lie(cold, |answer| {
                changed::<Page>(answer, |it| it.0.push((b"runs".to_vec(), vec![7])))
            }),
        ),
        (
            "gives the block a certificate of too few",
            lie(blocks, |answer| {
                changed::<Blocks>(answer, |it| {
                    let header = billchain_primitives::Header::decode(&mut &it.0[0].bytes[..]);
                    let header = header.unwrap();
                    let genesis = Hash::zero();
                    it.0[0].certificate =
                        certificate(genesis, header.number, header.hash(), &[1, 2, 3]);
                })
            }),
        ),
        (
            "gives the block another body",
            lie(blocks, |answer| changed::<Blocks>(answer, |it| it.0[0].bytes.push(0))),
        ),
        (
            "has another first block",
            lie(first, |answer| changed::<Blocks>(answer, |it| it.0[0].bytes[0] ^= 1)),
        ),
        (
            "names validators that nobody chose",
            lie(
                |question| matches!(question, Question::Changes { .. }),
                |answer| {
                    let header = wire::Certified { bytes: vec![0; 99], certificate: Vec::new() };
                    changed::<Changes>(answer, |it| it.0 = vec![header])
                },
            ),
        ),
        (
            "changes an operation",
            lie(operations, |answer| changed::<Opaque>(answer, |it| it.0[40] ^= 1)),
        ),
        (
            "changes a value",
            lie(state, |answer| {
                changed::<Page>(answer, |it| {
                    if let Some((_, value)) = it.0.last_mut() {
                        value.push(0);
                    }
                })
            }),
        ),
        (
            "adds an entry",
            lie(state, |answer| changed::<Page>(answer, |it| it.0.push((vec![0xff; 40], vec![1])))),
        ),
        (
            "leaves an entry out",
            lie(state, |answer| changed::<Page>(answer, |it| drop(it.0.pop()))),
        ),
    ]
}

#[test]
fn whatever_one_peer_lies_about_the_state_of_the_chain_comes_from_the_others() {
    let node = Arc::new(Node::new());
    node.grow(2 * INTERVAL + 3);
    let known = known(&node);
    for (what, lie) in lies() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("chain");
        let mut fakes = Fakes::default();
        fakes.add(&node, Some(lie));
        fakes.add(&node, None);
        let peers: Arc<dyn Peers> = Arc::new(fakes);
        // Who is asked first is chance: several times.
        for _ in 0..2 {
            let _ = std::fs::remove_dir_all(&path);
            let joined = joined(&path, &peers, &known);
            let joined = joined.unwrap_or_else(|error| panic!("a peer that {what}: {error}"));
            assert_eq!(joined.target.number, 2 * INTERVAL, "a peer that {what}");
            let chain = open(&path, &known);
            assert_eq!(chain.head().hash, joined.target.hash);
            let expected = node.chain.storage().state_root_of(2 * INTERVAL).unwrap();
            assert_eq!(Some(chain.head().state_root), expected);
        }
    }
}

#[test]
fn if_all_lie_nothing_is_joined_and_the_reason_is_told() {
    let node = Arc::new(Node::new());
    node.grow(INTERVAL);
    let known = known(&node);
    for (what, lie) in lies() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("chain");
        let mut fakes = Fakes::default();
        fakes.add(&node, Some(lie));
        let peers: Arc<dyn Peers> = Arc::new(fakes);
        let error = joined(&path, &peers, &known).expect_err(what);
        let lost = matches!(error, JoinError::NothingServed(_) | JoinError::Lost { .. });
        assert!(lost, "a peer that {what}: {error}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn without_peers_or_before_the_first_copy_the_reason_is_told() {
    let node = Arc::new(Node::new());
    node.grow(INTERVAL - 1);
    let known = known(&node);
    let directory = tempfile::tempdir().unwrap();
    let none: Arc<dyn Peers> = Arc::new(Fakes::default());
    let error = joined(directory.path(), &none, &known).unwrap_err();
    assert!(matches!(error, JoinError::NoPeers));
    let mut fakes = Fakes::default();
    fakes.add(&node, None);
    let young: Arc<dyn Peers> = Arc::new(fakes);
    let error = joined(directory.path(), &young, &known).unwrap_err().to_string();
    assert!(error.contains("it serves no state yet"), "{error}");
}

#[test]
fn a_node_that_joined_goes_on_with_the_chain() {
    let node = Arc::new(Node::new());
    node.grow(2 * INTERVAL);
    let known = known(&node);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain");
    let mut fakes = Fakes::default();
    fakes.add(&node, None);
    let peers: Arc<dyn Peers> = Arc::new(fakes);
    joined(&path, &peers, &known).unwrap();
    node.grow(3 * INTERVAL + 1);
    let chain = open(&path, &known);
    assert_eq!(chain.genesis_hash(), node.chain.genesis_hash());
    for number in 2 * INTERVAL + 1..=3 * INTERVAL + 1 {
        let block = node.chain.storage().block(number).unwrap().unwrap();
        let block = chain.execute(block.into(), billchain_executor::ClockCheck::Decided).unwrap();
        chain.commit(block, Vec::new()).unwrap();
    }
    assert_eq!(chain.head(), node.chain.head());
    chain.verify_blocks().unwrap();
}

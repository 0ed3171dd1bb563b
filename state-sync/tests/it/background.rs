//! What a node that joined lacks comes in the background.

use crate::kit::{Fakes, INTERVAL, Lie, NODES, Node, known, open, options};
use billchain_executor::Chain;
use billchain_state_sync::{
    IndexFiller, Known, OlderBlocks, Peers, SyncMetrics, Voters, find,
    wire::{self, Blocks, Page, Question},
};
use billchain_storage::{CopyTable, StorageError};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{runtime::Runtime, time::timeout};

const PATIENCE: Duration = Duration::from_secs(60);

/// A node's chain that joined, and the directory.
fn joined(node: &Arc<Node>, known: &Known) -> (Chain, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain");
    let mut fakes = Fakes::default();
    fakes.add(node, None);
    let peers: Arc<dyn Peers> = Arc::new(fakes);
    let runtime = Runtime::new().unwrap();
    let offer = runtime.block_on(find(&peers, known)).unwrap();
    offer.fetch(runtime.handle(), &path, &options(), |_| {}).unwrap();
    (open(&path, known), directory)
}

fn older(chain: &Chain, known: &Known, peers: Fakes, keep: u32) -> OlderBlocks {
    OlderBlocks {
        chain: chain.clone(),
        peers: Arc::new(peers),
        validators: known.validators.clone(),
        keep,
        metrics: SyncMetrics::default(),
    }
}

#[test]
fn older_blocks_come_from_whoever_has_them_and_liars_are_found_out() {
    let node = Arc::new(Node::new());
    node.grow(2 * INTERVAL);
    let known = known(&node);
    let lies: [fn(&mut Blocks); 4] = [
        |blocks| blocks.0[0].bytes.push(0),
        |blocks| blocks.0[0].certificate[50] ^= 1,
        |blocks| drop(blocks.0.remove(0)),
        |blocks| blocks.0.truncate(0),
    ];
    for lie in lies {
        let (chain, _directory) = joined(&node, &known);
        let mut fakes = Fakes::default();
        let lie: Lie = Box::new(move |question, answer| match question {
            Question::Blocks { .. } => {
                let mut blocks: Blocks = wire::answer(&answer).unwrap().unwrap();
                lie(&mut blocks);
                Some(wire::encode_answer(Ok(blocks)))
            }
            _ => Some(answer),
        });
        fakes.add(&node, Some(lie));
        fakes.add(&node, None);
        let older = older(&chain, &known, fakes, u32::MAX);
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async { timeout(PATIENCE, older.run()).await }).unwrap().unwrap();
        assert_eq!(chain.storage().first_block(), 1);
        chain.verify_blocks().unwrap();
        for number in 1..=2 * INTERVAL {
            let of = |chain: &Chain| chain.storage().certificate(number).unwrap();
            assert_eq!(of(&chain), of(&node.chain), "block {number}");
        }
    }
}

#[test]
fn no_more_blocks_are_fetched_than_the_node_keeps() {
    let node = Arc::new(Node::new());
    node.grow(2 * INTERVAL);
    let known = known(&node);
    let (chain, _directory) = joined(&node, &known);
    let mut fakes = Fakes::default();
    fakes.add(&node, None);
    let runtime = Runtime::new().unwrap();
    let older = older(&chain, &known, fakes, INTERVAL);
    runtime.block_on(async { timeout(PATIENCE, older.run()).await }).unwrap().unwrap();
    assert_eq!(chain.storage().first_block(), INTERVAL);
}

/// Four nodes with one chain.
fn four() -> Vec<Arc<Node>> {
    let nodes: Vec<Arc<Node>> = (0..NODES).map(|_| Arc::new(Node::new())).collect();
    nodes[0].grow(2 * INTERVAL);
    nodes[1..].iter().for_each(|node| node.follow(&nodes[0].chain, 2 * INTERVAL));
    nodes
}

fn filler(chain: &Chain, fakes: Fakes) -> IndexFiller {
    let voters: Voters = fakes.ids().into_iter().map(|peer| (peer, 1)).collect();
    IndexFiller {
        chain: chain.clone(),
        peers: Arc::new(fakes),
        voters: Box::new(move || Ok(voters.clone())),
        metrics: SyncMetrics::default(),
    }
}

#[test]
fn the_index_is_taken_on_the_word_of_more_than_a_third_and_one_liar_changes_nothing() {
    let nodes = four();
    let known = known(&nodes[0]);
    let (chain, _directory) = joined(&nodes[0], &known);
    let refused = chain.storage().event_groups(3).unwrap_err();
    assert!(matches!(refused, StorageError::IndexIncomplete { block } if block == 2 * INTERVAL));
    let mut fakes = Fakes::default();
    let lie: Lie = Box::new(|question, answer| match question {
        Question::Page(of) if of.table != CopyTable::State => {
            let mut page: Page = wire::answer(&answer).unwrap().unwrap();
            page.0.push((vec![0xff; 30], b"made up".to_vec()));
            Some(wire::encode_answer(Ok(page)))
        }
        _ => Some(answer),
    });
    fakes.add(&nodes[0], Some(lie));
    for node in &nodes[1..] {
        fakes.add(node, None);
    }
    let filler = filler(&chain, fakes);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async { timeout(PATIENCE, filler.run()).await }).unwrap().unwrap();
    let (mine, theirs) = (chain.storage(), nodes[1].chain.storage());
    assert_eq!(mine.index_gap().unwrap(), None);
    for number in 1..=2 * INTERVAL {
        assert_eq!(mine.event_groups(number).unwrap(), theirs.event_groups(number).unwrap());
    }
    let all = |chain: &Chain| chain.storage().offchain_prefix(&[], None, 10_000).unwrap();
    assert_eq!(all(&chain), all(&nodes[1].chain));
}

#[test]
fn the_word_of_a_third_is_not_enough() {
    let nodes = four();
    let known = known(&nodes[0]);
    let (chain, _directory) = joined(&nodes[0], &known);
    let mut fakes = Fakes::default();
    fakes.add(&nodes[0], None);
    for node in &nodes[1..] {
        fakes.add(node, Some(Box::new(|_, _| None)));
    }
    let runtime = Runtime::new().unwrap();
    let filling = filler(&chain, fakes);
    let waited = runtime.block_on(async { timeout(Duration::from_secs(2), filling.run()).await });
    assert!(waited.is_err(), "it waits for others");
    assert!(chain.storage().index_gap().unwrap().is_some());
}

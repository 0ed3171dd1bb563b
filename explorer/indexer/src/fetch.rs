//! Blocks from several nodes: the first that holds is taken, what is wrong with one is remembered,
//! and events are believed when a second node tells the same, or the state proves them.

use crate::{
    block::{Belief, Block},
    lie::{Failure, Lie},
    node::{Node, events_key},
};
use billchain_primitives::{Hash, sm3};
use billchain_verifier::value_of;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Something that happened with a node, for the list of incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incident {
    pub(crate) sort: &'static str,
    pub(crate) node: String,
    pub(crate) block: Option<u32>,
    pub(crate) words: String,
}

/// A block that was fetched, or none; with what went wrong on the way.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) block: Option<Block>,
    pub(crate) incidents: Vec<Incident>,
}

/// The nodes, the best to ask first; `turn` spreads work among equals.
pub(crate) fn in_order(nodes: &[Arc<Node>], turn: usize) -> Vec<Arc<Node>> {
    let mut order: Vec<(usize, &Arc<Node>)> = nodes.iter().enumerate().collect();
    let count = nodes.len().max(1);
    order.sort_by_cached_key(|(at, node)| {
        let (shunned, rests) = node.record().rank();
        (shunned, rests, (at + count - turn % count) % count)
    });
    order.into_iter().map(|(_, node)| Arc::clone(node)).collect()
}

/// Why a block's events are not believed.
enum Doubt {
    /// They are a lie.
    Lie(Lie),
    /// Two nodes tell different ones, and nobody can say who is right.
    Open,
}

fn blame(node: &Node, block: u32, failure: &Failure, incidents: &mut Vec<Incident>) {
    let words = node.failed(failure);
    let sort = if matches!(failure, Failure::Lie(_)) { "lie" } else { "unable" };
    incidents.push(Incident { sort, node: node.url().to_owned(), block: Some(block), words });
}

/// Fetches a block. `head` says that it is the newest, so that the state may prove its events.
pub(crate) async fn fetch(nodes: &[Arc<Node>], number: u32, head: bool) -> Fetched {
    let mut fetched = Fetched::default();
    let order = in_order(nodes, number as usize);
    for node in &order {
        let has_it = node.record().head.is_none_or(|head| head >= number);
        if !has_it {
            continue;
        }
        let read = match node.block(number).await {
            Ok(told) => spawn_blocking(move || Block::read(told)).await,
            Err(failure) => {
                blame(node, number, &failure, &mut fetched.incidents);
                continue;
            }
        };
        let mut block = match read {
            Ok(Ok(block)) => block,
            Ok(Err(failure)) => {
                blame(node, number, &failure, &mut fetched.incidents);
                continue;
            }
            Err(_) => continue,
        };
        match corroborate(&order, node, &mut block, head, &mut fetched.incidents).await {
            Ok(()) => {}
            Err(Doubt::Lie(lie)) => {
                blame(node, number, &lie.into(), &mut fetched.incidents);
                continue;
            }
            // Neither is believed, and neither is blamed.
            Err(Doubt::Open) => break,
        }
        node.gave();
        fetched.block = Some(block);
        break;
    }
    fetched
}

/// Whether others tell the same events of the block, or the state proves them.
async fn corroborate(
    order: &[Arc<Node>],
    teller: &Arc<Node>,
    block: &mut Block,
    head: bool,
    incidents: &mut Vec<Incident>,
) -> Result<(), Doubt> {
    let number = block.number;
    if head && let Some(proved) = proved_events(order, block).await {
        return judge_proof(block, proved).map_err(Doubt::Lie);
    }
    let others = ask_others(order, teller, block, incidents).await;
    let agrees = |hash: &Hash| *hash == block.events_hash;
    match &others[..] {
        [] => Ok(()),
        [(_, one)] if agrees(one) => {
            block.belief = Belief::Agreed;
            Ok(())
        }
        [(liar, one), (_, two)] if agrees(two) && !agrees(one) => {
            let reason = format!("{} and another node tell the same", teller.url());
            let lie = Lie::OtherEvents { block: number, reason };
            blame(liar, number, &lie.into(), incidents);
            block.belief = Belief::Agreed;
            Ok(())
        }
        [(a, one), (b, two)] if one == two => {
            let reason = format!("{} and {} tell the same others", a.url(), b.url());
            Err(Doubt::Lie(Lie::OtherEvents { block: number, reason }))
        }
        [(other, _), ..] => {
            // Nobody can tell who is right: neither is believed until a third tells.
            incidents.push(Incident {
                sort: "disagreement",
                node: other.url().to_owned(),
                block: Some(number),
                words: format!(
                    "{} and {} tell different events of block {number}, and no third node says \
                     who is right",
                    teller.url(),
                    other.url()
                ),
            });
            Err(Doubt::Open)
        }
    }
}

/// What others tell of the block's events: until one agrees, or two told.
async fn ask_others(
    order: &[Arc<Node>],
    teller: &Arc<Node>,
    block: &Block,
    incidents: &mut Vec<Incident>,
) -> Vec<(Arc<Node>, Hash)> {
    let mut others = Vec::new();
    for node in order.iter().filter(|node| node.url() != teller.url()) {
        if node.record().is_shunned() {
            continue;
        }
        match node.events_hash(&block.hash).await {
            Ok(Some(hash)) => {
                others.push((Arc::clone(node), hash));
                // One that agrees is enough; one that does not needs a third.
                if hash == block.events_hash || others.len() == 2 {
                    break;
                }
            }
            Ok(None) => {}
            Err(failure) => {
                if matches!(failure, Failure::Lie(_)) {
                    blame(node, block.number, &failure, incidents);
                }
            }
        }
    }
    others
}

/// SM3 of the events by a proof of the state after the block, if a node's head is that block.
async fn proved_events(order: &[Arc<Node>], block: &Block) -> Option<Hash> {
    let key = events_key().to_vec();
    // Whoever gives the proof cannot forge it, so the first that answers is asked.
    for node in order.iter().take(2) {
        let Ok((at, proofs)) = node.proof(std::slice::from_ref(&key)).await else { continue };
        if at != block.hash {
            return None;
        }
        let root = block.header.state_root.0;
        let proof = proofs.first()?;
        match value_of(proof, &key, &root) {
            Ok(value) => return Some(Hash::from(sm3(value.unwrap_or(&[0])))),
            Err(refusal) => {
                let reason = refusal.to_string();
                node.failed(&Lie::Proof { block: block.number, reason }.into());
            }
        }
    }
    None
}

fn judge_proof(block: &mut Block, proved: Hash) -> Result<(), Lie> {
    if proved == block.events_hash {
        block.belief = Belief::Proved;
        return Ok(());
    }
    let reason = "the state root proves others".to_owned();
    Err(Lie::OtherEvents { block: block.number, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_lied_are_asked_last_and_equals_take_turns() {
        let nodes: Vec<Arc<Node>> = ["http://a", "http://b", "http://c"]
            .iter()
            .map(|url| Arc::new(Node::new(url).unwrap()))
            .collect();
        let urls = |turn| -> Vec<String> {
            in_order(&nodes, turn).iter().map(|node| node.url().to_owned()).collect()
        };
        assert_eq!(urls(0), ["http://a", "http://b", "http://c"]);
        assert_eq!(urls(1), ["http://b", "http://c", "http://a"]);
        nodes[1].failed(&Lie::OtherBlock { asked: 1, given: 2 }.into());
        assert_eq!(urls(1), ["http://c", "http://a", "http://b"]);
    }
}

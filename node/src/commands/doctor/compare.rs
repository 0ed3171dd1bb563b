//! What several nodes show together: clocks, rules, keys, blocks, and whose vote
//! nobody sees.

use super::ask::{Asked, BlockAt, Said, first_difference, short};
use super::finding::{Finding, Severity};
use super::one::{patience, quiet, seconds};
use billchain_consensus::MAX_VALIDATORS;
use billchain_rpc_types::{ConsensusStatusView, ValidatorSeenView};
use billchain_runtime::limits::MAX_AHEAD_MS;
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};

/// Clocks that differ by more are worth a look, in ms.
const APART_MS: u64 = 1_000;
/// Blocks that a node may lack of the others' newest.
const BEHIND: u32 = 20;

/// A node that said how it is.
pub(super) struct Node<'a> {
    pub(super) label: String,
    pub(super) asked: &'a Asked,
    pub(super) said: &'a Said,
}

impl Node<'_> {
    fn status(&self) -> &ConsensusStatusView {
        &self.said.status
    }
}

/// Those that said how they are.
pub(super) fn speaking(asked: &[Asked]) -> Vec<Node<'_>> {
    let nodes = asked.iter().filter_map(|asked| {
        let said = asked.said.as_ref().ok()?;
        Some(Node { label: asked.label(), asked, said })
    });
    nodes.collect()
}

/// Everything about several nodes that takes no more questions; of one node, whose
/// votes it misses.
pub(super) fn findings(nodes: &[Node<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(votes(nodes));
    found.extend(clocks(nodes));
    if nodes.len() > 1 {
        found.extend(chains(nodes));
        found.extend(twins(nodes));
        found.extend(behind(nodes));
    }
    found
}

/// The value that most have; of two that as many have, the smaller.
fn most<T: Ord + Clone>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::<T, usize>::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let most = counts.iter().max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(one.0)));
    most.map(|(value, _)| value.clone())
}

/// One chain, one release.
fn chains(nodes: &[Node<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    let genesis = most(nodes.iter().map(|node| node.status().chain.genesis));
    let release = most(nodes.iter().map(|node| {
        let chain = &node.status().chain;
        (chain.spec_name.clone(), chain.release, node.status().node.version.clone())
    }));
    let (Some(genesis), Some((name, release, version))) = (genesis, release) else { return found };
    for node in nodes {
        let (chain, of) = (&node.status().chain, &node.status().node);
        if chain.genesis != genesis {
            let what = format!(
                "it follows another chain: its genesis is {:?}, most others' {genesis:?}",
                chain.genesis
            );
            let advice = "Compare billchain chain-spec hash of all operators, and give it the \
                          right chain_spec and an empty data_dir.";
            found.push(Finding::critical("other-chain", &node.label, &what, advice));
            continue;
        }
        if (&chain.spec_name, chain.release) != (&name, release) {
            let what = format!(
                "its release is {} {}, most others' {name} {release}; its newest block is under \
                 rules {}",
                chain.spec_name, chain.release, chain.rules
            );
            let advice = "Install the release that the council scheduled: see \
                          docs/operations.md, Upgrading, and upgrade_status.";
            found.push(Finding::warning("release", &node.label, &what, advice));
        } else if of.version != version {
            let what = format!("its program is {}, most others' {version}", of.version);
            let advice = "Install the same program everywhere.";
            found.push(Finding::note("version", &node.label, &what, advice));
        }
    }
    found
}

/// Clocks that go apart. That of the doctor's machine is one of them.
fn clocks(nodes: &[Node<'_>]) -> Vec<Finding> {
    let mut all: Vec<i64> = nodes.iter().map(|node| node.said.ahead).chain([0]).collect();
    all.sort_unstable();
    // A single node is compared with this machine.
    let median = if nodes.len() == 1 { 0 } else { all[all.len() / 2] };
    let mut found = Vec::new();
    let mut judge = |label: &str, ahead: i64, uncertainty: u64| {
        let apart = ahead.saturating_sub(median);
        let sure = apart.unsigned_abs().saturating_sub(uncertainty);
        if sure <= APART_MS {
            return;
        }
        let severity = if sure >= MAX_AHEAD_MS { Severity::Critical } else { Severity::Warning };
        let which = if apart > 0 { "ahead of" } else { "behind" };
        let what = format!(
            "its clock is {} ms {which} the others' (± {uncertainty} ms)",
            apart.unsigned_abs()
        );
        let advice = "Mend its time service (timedatectl, chronyc tracking): see \
                      docs/runbooks/blocks-untimely.md.";
        found.push(Finding::new(severity, "clock", label, &what, advice));
    };
    for node in nodes {
        judge(&node.label, node.said.ahead, node.said.uncertainty);
    }
    if nodes.len() > 1 {
        judge("this machine", 0, 0);
    }
    found
}

/// One key or identity in two nodes: whoever signs twice breaks the protocol.
fn twins(nodes: &[Node<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut keys = BTreeMap::<H256, &Node<'_>>::new();
    let mut peers = BTreeMap::<&str, &Node<'_>>::new();
    for node in nodes {
        let of = &node.status().node;
        let same_url = |other: &Node<'_>| other.asked.url == node.asked.url;
        if let Some(other) = of.key.and_then(|key| keys.insert(key, node))
            && !same_url(other)
        {
            let what = format!("it has the consensus key of {}", other.label);
            let advice = "Stop one of the two at once, unless both addresses are of one node: a \
                          key may be at one machine only.";
            found.push(Finding::critical("key-twice", &node.label, &what, advice));
        } else if let Some(other) = peers.insert(&of.peer_id, node)
            && !same_url(other)
        {
            let what = format!("it has the network identity of {}", other.label);
            let advice = "Give each node a network key of its own (billchain keys network).";
            found.push(Finding::critical("identity-twice", &node.label, &what, advice));
        }
    }
    found
}

/// Nodes far below the highest.
fn behind(nodes: &[Node<'_>]) -> Vec<Finding> {
    let Some(genesis) = most(nodes.iter().map(|node| node.status().chain.genesis)) else {
        return Vec::new();
    };
    let ours = || nodes.iter().filter(move |node| node.status().chain.genesis == genesis);
    // The second highest: one node may say anything.
    let mut heights: Vec<u32> = ours().map(|node| node.status().chain.number).collect();
    heights.sort_unstable_by(|one, other| other.cmp(one));
    let Some(top) = heights.get(1).or(heights.first()).copied() else { return Vec::new() };
    let behind = ours().filter(|node| node.status().chain.number.saturating_add(BEHIND) < top);
    let find = |node: &Node<'_>| {
        let what = format!("it is at block {}, others at {top}", node.status().chain.number);
        let advice = "See docs/runbooks/node-behind.md.";
        Finding::warning("behind", &node.label, &what, advice)
    };
    behind.map(find).collect()
}

/// Validators whose votes are not seen, one finding each.
fn votes(nodes: &[Node<'_>]) -> Vec<Finding> {
    let genesis = most(nodes.iter().map(|node| node.status().chain.genesis));
    let nodes: Vec<&Node<'_>> =
        nodes.iter().filter(|node| Some(node.status().chain.genesis) == genesis).collect();
    // As most have them: one node may name any.
    let set = |node: &&Node<'_>| {
        let validators = node.status().validators.iter().take(MAX_VALIDATORS);
        validators.map(|one| (one.key, one.name.clone(), one.power)).collect::<Vec<_>>()
    };
    let validators = most(nodes.iter().map(set)).unwrap_or_default();
    let (mut found, mut missing) = (Vec::new(), 0_u64);
    for (key, name, power) in &validators {
        // Its own node hears its votes over no wire.
        let witnesses = nodes.iter().filter(|node| node.status().node.key != Some(*key));
        let seen: Vec<(&Node<'_>, &ValidatorSeenView)> = witnesses
            .filter_map(|node| {
                let of = node.status().validators.iter().find(|one| one.key == *key)?;
                Some((*node, of))
            })
            .collect();
        let blind: Vec<_> = seen.iter().filter(|(node, of)| is_missing(node, of)).collect();
        if blind.is_empty() {
            continue;
        }
        let all = blind.len() == seen.len();
        missing = missing.saturating_add(if all { *power } else { 0 });
        let words: Vec<String> =
            blind.iter().map(|(node, of)| last_seen(node.status(), of, &node.label)).collect();
        let (what, advice) = match all {
            true => (
                format!("its votes are missing: {}", words.join("; ")),
                "Start that validator, or mend the way to it: see docs/runbooks/node-down.md.",
            ),
            false => (
                format!("some do not see its votes: {}", words.join("; ")),
                "Mend the way from that validator to those nodes: see \
                 docs/runbooks/peers-missing.md.",
            ),
        };
        found.push(Finding::warning("vote-missing", &short(name), &what, advice));
    }
    found.extend(too_few(missing, validators.iter().map(|(_, _, power)| *power)));
    found
}

/// Whether a validator's last vote is older than it may be.
fn is_missing(node: &Node<'_>, of: &ValidatorSeenView) -> bool {
    quiet(node.status(), of) > patience(node.status())
}

fn last_seen(status: &ConsensusStatusView, of: &ValidatorSeenView, label: &str) -> String {
    let at = match &status.votes {
        Some(votes) => format!("height {}, round {}", votes.height, votes.round),
        None => format!("height {}", status.height),
    };
    let ago = seconds(quiet(status, of));
    match of.last {
        Some(last) => format!(
            "{label} saw the last one at height {}, round {}, {ago} s ago, and is at {at}",
            last.height, last.round
        ),
        None => format!("{label} has seen none since it started {ago} s ago, and is at {at}"),
    }
}

/// Whether those that are missing are too many for the others to decide.
fn too_few(missing: u64, powers: impl Iterator<Item = u64>) -> Option<Finding> {
    let total = powers.fold(0, u64::saturating_add);
    let left = total.saturating_sub(missing);
    // More than two thirds decide.
    (missing > 0 && u128::from(left) * 3 <= u128::from(total) * 2).then(|| {
        let what = format!("votes with a power of {missing} of {total} are missing");
        let advice = "The others are too few to decide: see docs/runbooks/quorum-lost.md.";
        Finding::critical("quorum", "the chain", &what, advice)
    })
}

/// Blocks in which nodes of one chain differ: asks each for the highest block that all
/// have, and looks for the first that differs.
pub(super) async fn divergence(nodes: &[Node<'_>]) -> Vec<Finding> {
    let genesis = most(nodes.iter().map(|node| node.status().chain.genesis));
    let ours: Vec<&Node<'_>> =
        nodes.iter().filter(|node| Some(node.status().chain.genesis) == genesis).collect();
    let heights: BTreeSet<u32> = ours.iter().map(|node| node.status().chain.number).collect();
    let Some(common) = heights.first().copied().filter(|_| ours.len() > 1) else {
        return Vec::new();
    };
    let answers = ours.iter().map(|node| async move { (*node, node.asked.block(common).await) });
    let answers = futures::future::join_all(answers).await;
    let mut found = Vec::new();
    let mut blocks: Vec<(&Node<'_>, BlockAt)> = Vec::new();
    for (node, answer) in answers {
        match answer {
            Ok(block) => blocks.push((node, block)),
            Err(words) => {
                let what = format!("it does not show block {common}: {words}");
                let advice = "Ask again; if it stays so, look into its log.";
                found.push(Finding::warning("block", &node.label, &what, advice));
            }
        }
    }
    let usual = most(blocks.iter().map(|(_, block)| (block.hash, block.state_root)));
    let differs = |block: &BlockAt| usual != Some((block.hash, block.state_root));
    let Some(model) = blocks.iter().find(|(_, block)| !differs(block)) else { return found };
    for (node, block) in blocks.iter().filter(|(_, block)| differs(block)) {
        found.push(differing(node, *block, *model, common).await);
    }
    found
}

async fn differing(
    node: &Node<'_>,
    block: BlockAt,
    (model, usual): (&Node<'_>, BlockAt),
    common: u32,
) -> Finding {
    let first = match first_difference(node.asked, model.asked, common).await {
        Ok(first) => format!("they differ from block {first} on"),
        Err(words) => format!("the first difference was not found: {words}"),
    };
    let what = format!(
        "at block {common} it has hash {:?} and state root {:?}, {} has {:?} and {:?}; {first}",
        block.hash, block.state_root, model.label, usual.hash, usual.state_root
    );
    let advice = "Stop it, keep its data_dir as evidence, and let it fetch the chain again: see \
                  docs/runbooks/invalid-blocks.md.";
    Finding::critical("diverged", &node.label, &what, advice)
}

#[cfg(test)]
mod tests;

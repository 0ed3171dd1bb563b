//! What one node's own words show. Times are compared with the same node's clock, so
//! that no clock has to be right.

use super::finding::{Finding, Severity};
use billchain_rpc_types::{
    ConsensusStatusView, MachineView, PeerSeenView, PhaseView, ValidatorSeenView, VoteSeenView,
    VotesView,
};
use std::time::Duration;

/// How long a chain, or a validator, may be quiet beside three empty blocks.
pub(super) const QUIET: Duration = Duration::from_secs(10);
/// Less memory than this is little for the next full blocks.
const LITTLE_MEMORY: u64 = 256 << 20;
/// Part of the files that may be open.
const FILES_PERCENT: u64 = 80;

/// How long something of a node may take, in ms.
pub(super) fn patience(status: &ConsensusStatusView) -> u64 {
    let quiet = u64::try_from(QUIET.as_millis()).unwrap_or(u64::MAX);
    status.node.empty_interval.saturating_mul(3).saturating_add(quiet)
}

/// Seconds, of ms.
pub(super) fn seconds(ms: u64) -> u64 {
    ms / 1_000
}

/// Whether a node's newest block is older than it may be, and how old, in ms.
pub(super) fn age(status: &ConsensusStatusView) -> Option<u64> {
    let age = status.node.time.saturating_sub(status.chain.time);
    (age > patience(status)).then_some(age)
}

/// For how long a validator was not seen, in ms; since the node's start, if it never was.
pub(super) fn quiet(status: &ConsensusStatusView, validator: &ValidatorSeenView) -> u64 {
    let last = validator.last.map_or(status.node.started, |last| last.at);
    status.node.time.saturating_sub(last)
}

/// Everything about one node that needs no other.
pub(super) fn findings(status: &ConsensusStatusView, label: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(blocks(status, label));
    found.extend(vote(status, label));
    found.extend(index(status, label));
    found.extend(peers(status, label));
    found.extend(machine(&status.machine, label));
    found
}

/// Whether blocks come.
fn blocks(status: &ConsensusStatusView, label: &str) -> Option<Finding> {
    let age = age(status)?;
    let (height, round) = (status.height, status.round);
    let since = seconds(status.node.time.saturating_sub(status.since));
    let at = format!(
        "its newest block, {}, is {} s old; at height {height}, round {round}, it is {} since \
         {since} s",
        status.chain.number,
        seconds(age),
        phase(status.phase),
    );
    let missing = match &status.votes {
        Some(votes) if status.phase == PhaseView::Deciding => missing(status, votes),
        _ => None,
    };
    let (what, advice) = match (status.phase, missing) {
        (_, Some(missing)) => (
            format!("{at}; {missing}"),
            "See docs/runbooks/chain-stalled.md: start the validators whose votes are missing, \
             or mend the way to them.",
        ),
        (PhaseView::Fetching, None) => {
            (at, "The block is decided and no peer gives it: see docs/runbooks/blocks-missing.md.")
        }
        (PhaseView::Committing, None) => {
            (at, "The disk does not take the block: see docs/runbooks/commits-slow.md.")
        }
        (_, None) => {
            (at, "See docs/runbooks/chain-stalled.md, and node-behind.md if others go on.")
        }
    };
    Some(Finding::critical("stalled", label, &what, advice))
}

fn phase(phase: PhaseView) -> &'static str {
    match phase {
        PhaseView::Starting => "starting",
        PhaseView::Deciding => "deciding",
        PhaseView::Fetching => "fetching the decided block",
        PhaseView::Committing => "committing",
        PhaseView::Waiting => "waiting for work",
    }
}

/// Whose votes are missing in a round, in words.
fn missing(status: &ConsensusStatusView, votes: &VotesView) -> Option<String> {
    let names = |vote: fn(&ValidatorSeenView) -> VoteSeenView| {
        let missing = status.validators.iter().filter(|one| vote(one) == VoteSeenView::Missing);
        missing.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (first, second) = (names(|one| one.prevote), names(|one| one.precommit));
    let of = format!("of height {}, round {}", votes.height, votes.round);
    match (first.as_str(), second.as_str()) {
        ("", "") => None,
        (first, second) if first == second => Some(format!("no vote {of} has come from {first}")),
        ("", second) => Some(format!("no second vote {of} has come from {second}")),
        (first, "") => Some(format!("no first vote {of} has come from {first}")),
        (first, second) => Some(format!(
            "no first vote {of} has come from {first}, and no second one from {second}"
        )),
    }
}

/// Whether the node's index is whole.
fn index(status: &ConsensusStatusView, label: &str) -> Option<Finding> {
    let block = status.chain.index_lacks_to?;
    let what = format!(
        "its index lacks what blocks up to {block} left there: what needs it is refused with 4005"
    );
    let advice = "It comes from the members while the node runs. Ask another node until then; \
                  if it never comes, connect validators with more than a third of the power.";
    Some(Finding::note("index", label, &what, advice))
}

/// Whether the node votes as it should.
fn vote(status: &ConsensusStatusView, label: &str) -> Option<Finding> {
    let node = &status.node;
    if !node.is_member {
        let what = format!(
            "its network identity {} is no validator's or observer's at block {}",
            node.peer_id, status.chain.number
        );
        let advice = "It joins and is still behind, or was removed: see \
                      docs/runbooks/not-a-member.md.";
        return Some(Finding::critical("no-member", label, &what, advice));
    }
    let key = node.key?;
    if !status.validators.iter().any(|one| one.key == key) {
        let what = format!("its consensus key {key:?} is no validator's");
        let advice = "Put the key that the council has given it into keys.consensus and start \
                      it again, or leave the key out of an observer's configuration.";
        return Some(Finding::critical("key", label, &what, advice));
    }
    if let Some(until) = node.abstains_until {
        let what = format!(
            "it follows without its vote up to height {until}, and is at {}",
            status.height
        );
        let advice = "It votes by itself when that height is decided: see \
                      docs/runbooks/node-not-voting.md.";
        return Some(Finding::warning("abstains", label, &what, advice));
    }
    // Before the first round of a run it has not been asked for its vote.
    let silent = !node.votes && status.phase != PhaseView::Starting && age(status).is_none();
    silent.then(|| {
        let what =
            format!("it has a validator's key and does not vote at height {}", status.height);
        Finding::warning("not-voting", label, &what, "See docs/runbooks/node-not-voting.md.")
    })
}

/// Whether the others are connected.
fn peers(status: &ConsensusStatusView, label: &str) -> Vec<Finding> {
    let heard = |at: Option<u64>| match at {
        Some(at) => format!("heard last {} s ago", seconds(status.node.time.saturating_sub(at))),
        None => "not heard since it started".to_owned(),
    };
    let find = |peer: &PeerSeenView| {
        let name = &peer.name;
        // What an observer misses is its own affair, and it may be gone for days.
        let severity = if peer.validator { Severity::Warning } else { Severity::Note };
        if peer.connected.is_none() {
            let what = format!("{name} is not connected (TCP), {}", heard(peer.heard));
            let advice = "Start that node, or open the p2p port between the two for TCP: see \
                          docs/runbooks/peers-missing.md.";
            return Some(Finding::new(severity, "peer-tcp", label, &what, advice));
        }
        (!peer.gossip).then(|| {
            let what = format!("{name} is connected for consensus and not for transactions (UDP)");
            let advice = "Open the p2p port between the two for UDP: see \
                          docs/runbooks/peers-missing.md.";
            Finding::new(severity, "peer-udp", label, &what, advice)
        })
    };
    status.peers.iter().filter_map(find).collect()
}

/// Whether the machine has room.
pub(super) fn machine(machine: &MachineView, label: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(disk) = machine.disk {
        let what = format!(
            "its disk has {} of {} MiB free, and it takes work from {} MiB on",
            disk.free >> 20,
            disk.total >> 20,
            disk.least >> 20
        );
        let advice = "Make room or give it a larger disk: see docs/runbooks/disk-low.md.";
        if disk.is_low {
            found.push(Finding::critical("disk-low", label, &what, advice));
        } else if disk.free < disk.least.saturating_mul(2) {
            found.push(Finding::warning("disk-soon", label, &what, advice));
        }
    }
    if let Some(available) = machine.memory_available.filter(|left| *left < LITTLE_MEMORY) {
        let what = format!("its machine has {} MiB of memory left", available >> 20);
        let advice = "See docs/runbooks/memory-high.md.";
        found.push(Finding::warning("memory", label, &what, advice));
    }
    if let (Some(open), Some(limit)) = (machine.files, machine.files_limit)
        && open > limit / 100 * FILES_PERCENT
    {
        let what = format!("it has {open} of {limit} files open");
        let advice = "Raise the hard limit (LimitNOFILE= of the service), or let a proxy limit \
                      connections.";
        found.push(Finding::warning("files", label, &what, advice));
    }
    found
}

#[cfg(test)]
mod tests;

use super::*;
use crate::commands::doctor::testing::{healthy, key};
use billchain_rpc_types::{DiskView, LastVoteView, RoundStepView};

fn codes(status: &ConsensusStatusView) -> Vec<&'static str> {
    findings(status, "node-1").into_iter().map(|one| one.code).collect()
}

#[test]
fn a_healthy_node_has_nothing() {
    assert!(codes(&healthy(1)).is_empty());
    let mut observer = healthy(1);
    (observer.node.key, observer.node.votes) = (None, false);
    assert!(codes(&observer).is_empty(), "it has no vote to give");
}

#[test]
fn a_chain_that_stands_names_height_round_and_whose_votes_are_missing() {
    let mut status = healthy(1);
    status.node.time += 60_000;
    (status.height, status.round, status.phase) = (101, 7, PhaseView::Deciding);
    status.votes = Some(VotesView {
        height: 101,
        round: 7,
        step: RoundStepView::Precommit,
        proposer: Some(key(2)),
    });
    status.validators[2].prevote = VoteSeenView::Missing;
    status.validators[2].precommit = VoteSeenView::Missing;
    status.validators[3].precommit = VoteSeenView::Missing;
    let found = findings(&status, "node-1");
    assert_eq!(found[0].code, "stalled");
    for part in ["height 101, round 7", "no first vote", "from node-3,", "from node-3, node-4"] {
        assert!(found[0].what.contains(part), "{part}: {}", found[0].what);
    }
    status.phase = PhaseView::Committing;
    assert!(findings(&status, "node-1")[0].advice.contains("commits-slow"));
}

#[test]
fn a_node_that_does_not_vote_says_why() {
    let change = |change: fn(&mut ConsensusStatusView)| {
        let mut status = healthy(1);
        change(&mut status);
        codes(&status)
    };
    assert_eq!(change(|status| status.node.is_member = false), ["no-member"]);
    assert_eq!(change(|status| status.node.key = Some(key(9))), ["key"]);
    assert_eq!(change(|status| status.node.abstains_until = Some(500)), ["abstains"]);
    assert_eq!(change(|status| status.node.votes = false), ["not-voting"]);
}

#[test]
fn an_index_that_is_still_fetched_is_noted() {
    let mut status = healthy(1);
    status.chain.index_lacks_to = Some(4_096);
    let [finding] = &findings(&status, "node-1")[..] else { panic!("one") };
    assert_eq!((finding.code, finding.severity), ("index", Severity::Note));
    assert!(finding.what.contains("up to 4096"), "{}", finding.what);
}

#[test]
fn a_peer_is_missing_by_tcp_or_by_udp() {
    let mut status = healthy(1);
    status.peers[0].connected = None;
    status.peers[1].gossip = false;
    status.peers.push(PeerSeenView {
        peer_id: "observer".into(),
        name: "audit".into(),
        validator: false,
        connected: None,
        heard: None,
        gossip: false,
    });
    let found = findings(&status, "node-1");
    let told: Vec<_> = found.iter().map(|one| (one.severity, one.code)).collect();
    let (warning, note) = (Severity::Warning, Severity::Note);
    assert_eq!(told, [(warning, "peer-tcp"), (warning, "peer-udp"), (note, "peer-tcp")]);
    assert!(found[0].what.contains("heard last"), "{}", found[0].what);
    assert!(found[2].what.contains("not heard since it started"), "{}", found[2].what);
}

#[test]
fn a_machine_without_room_is_found() {
    let mut status = healthy(1);
    let disk = |free, is_low| Some(DiskView { free, total: 100 << 30, least: 1 << 30, is_low });
    status.machine.disk = disk(1 << 31, false);
    assert!(codes(&status).is_empty());
    status.machine.disk = disk((1 << 31) - 1, false);
    assert_eq!(codes(&status), ["disk-soon"]);
    status.machine.disk = disk(1 << 20, true);
    status.machine.memory_available = Some(1 << 20);
    (status.machine.files, status.machine.files_limit) = (Some(900), Some(1_000));
    assert_eq!(codes(&status), ["disk-low", "memory", "files"]);
}

/// Every number may be anything.
#[test]
fn no_number_that_a_node_says_does_harm() {
    for number in [0, 1, u64::MAX] {
        for other in [0, 1, u64::MAX] {
            let mut status = healthy(1);
            (status.node.time, status.node.started, status.node.empty_interval) =
                (number, other, other);
            (status.height, status.since, status.chain.time) = (other, other, other);
            status.node.abstains_until = Some(number);
            let last = Some(LastVoteView { height: number, round: u32::MAX, at: other });
            status.validators.iter_mut().for_each(|one| (one.last, one.power) = (last, number));
            status.peers.iter_mut().for_each(|one| one.heard = Some(other));
            status.machine.disk =
                Some(DiskView { free: number, total: other, least: other, is_low: true });
            (status.machine.files, status.machine.files_limit) = (Some(number), Some(other));
            let _ = findings(&status, "node-1");
        }
    }
}

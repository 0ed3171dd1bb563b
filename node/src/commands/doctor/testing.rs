//! What healthy nodes say, for tests.

use billchain_rpc_types::{
    ChainStatusView, ConsensusStatusView, LastVoteView, MachineView, NodeStatusView, PeerSeenView,
    PhaseView, RoundStepView, ValidatorSeenView, VoteSeenView, VotesView,
};
use sp_core::H256;

const NOW: u64 = 1_800_000_000_000;

/// Key of a validator.
pub(super) fn key(node: u8) -> H256 {
    H256::repeat_byte(node)
}

/// What node `number` of four says, which waits for work at height 101.
pub(super) fn healthy(number: u8) -> ConsensusStatusView {
    let validator = |node: u8| ValidatorSeenView {
        key: key(node),
        name: format!("node-{node}"),
        power: 1,
        prevote: VoteSeenView::Block,
        precommit: VoteSeenView::Block,
        last: Some(LastVoteView { height: 100, round: 0, at: NOW - 900 }),
    };
    let peer = |node: u8| PeerSeenView {
        peer_id: format!("peer-{node}"),
        name: format!("node-{node}"),
        validator: true,
        connected: Some(NOW - 3_600_000),
        heard: Some(NOW - 100),
        gossip: true,
    };
    ConsensusStatusView {
        node: NodeStatusView {
            name: format!("node-{number}"),
            version: "0.1.0".into(),
            peer_id: format!("peer-{number}"),
            time: NOW,
            started: NOW - 3_600_000,
            key: Some(key(number)),
            is_member: true,
            votes: true,
            abstains_until: None,
            signed: Some(100),
            empty_interval: 3_000,
        },
        chain: ChainStatusView {
            genesis: H256::repeat_byte(0xaa),
            spec_name: "billchain".into(),
            release: 3,
            rules: 3,
            number: 100,
            hash: H256::repeat_byte(0xbb),
            state_root: H256::repeat_byte(0xcc),
            time: NOW - 1_000,
            first_block: 1,
            index_lacks_to: None,
        },
        height: 101,
        round: 0,
        phase: PhaseView::Waiting,
        since: NOW - 900,
        votes: Some(VotesView {
            height: 100,
            round: 0,
            step: RoundStepView::Decided,
            proposer: Some(key(1)),
        }),
        validators: (1..=4).map(validator).collect(),
        peers: (1..=4).filter(|node| *node != number).map(peer).collect(),
        machine: MachineView {
            disk: None,
            memory: Some(200 << 20),
            memory_available: Some(4 << 30),
            files: Some(100),
            files_limit: Some(4_096),
        },
    }
}

//! Where this node stands, put together for `consensus_status`.
//!
//! Clients may ask as often as they like, and the engine is asked for it. So those who
//! come together get one answer, and one that is older than [`FRESH`] is made anew.

use crate::{application::now_ms, disk::Disk, machine, membership::Membership};
use anyhow::Result;
use billchain_consensus::{
    Address, Contact, HeldKeys, Phase, Report, ReportReader, Sighting, Step, Tally, signing_summary,
};
use billchain_crypto::sm2;
use billchain_executor::Chain;
use billchain_primitives::sm3;
use billchain_rpc::StatusSource;
use billchain_rpc_types::{
    ChainStatusView, ConsensusStatusView, LastVoteView, NodeStatusView, PeerSeenView, PhaseView,
    RoundStepView, ValidatorSeenView, VoteSeenView, VotesView,
};
use billchain_runtime::{Timestamp, Upgrade, VERSION, Validators};
use futures::future::{BoxFuture, FutureExt};
use libp2p::PeerId;
use pallet_validators::{Observer, Validator};
use sp_core::H256;
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{Mutex, watch},
    task::spawn_blocking,
};

/// How old an answer may be, but for the clock in it.
const FRESH: Duration = Duration::from_millis(200);

/// Answers, one after the other. Cheap to clone; clones share the last one.
#[derive(Clone)]
pub(crate) struct NodeStatus {
    pub(crate) parts: Arc<Parts>,
    last: Arc<Mutex<Option<(Instant, ConsensusStatusView)>>>,
}

/// Everything that is asked.
pub(crate) struct Parts {
    pub(crate) chain: Chain,
    pub(crate) membership: Membership,
    pub(crate) consensus: ReportReader,
    /// Peers that are connected for transactions.
    pub(crate) gossip: watch::Receiver<Vec<PeerId>>,
    pub(crate) disk: Disk,
    pub(crate) name: String,
    pub(crate) peer: PeerId,
    /// The consensus keys that the node holds.
    pub(crate) keys: HeldKeys,
    pub(crate) signing_memory: PathBuf,
    pub(crate) empty_interval: Duration,
    pub(crate) started: SystemTime,
}

impl fmt::Debug for NodeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeStatus").field("name", &self.parts.name).finish_non_exhaustive()
    }
}

impl StatusSource for NodeStatus {
    fn status(&self) -> BoxFuture<'static, Result<ConsensusStatusView, String>> {
        let this = self.clone();
        async move { this.answer().await.map_err(|error| format!("{error:#}")) }.boxed()
    }
}

impl NodeStatus {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), last: Arc::default() }
    }

    async fn answer(&self) -> Result<ConsensusStatusView> {
        let mut last = self.last.lock().await;
        let view = match &*last {
            Some((at, view)) if at.elapsed() < FRESH => view.clone(),
            _ => {
                let report = self.parts.consensus.report().await;
                let parts = self.parts.clone();
                let view = spawn_blocking(move || parts.view(&report)).await??;
                *last = Some((Instant::now(), view.clone()));
                view
            }
        };
        let node = NodeStatusView { time: now_ms(), ..view.node };
        Ok(ConsensusStatusView { node, ..view })
    }
}

impl Parts {
    /// Reads the state and the signing memory. Blocking.
    fn view(&self, report: &Report) -> Result<ConsensusStatusView> {
        let read = || {
            let (rules, time) = (Upgrade::rules_in_force(), Timestamp::get());
            (rules, time, Validators::validators(), Validators::observers())
        };
        let (head, storage) = (self.chain.head(), self.chain.storage());
        let (rules, time, validators, observers) = self.chain.read(read)?;
        let status = &report.status;
        Ok(ConsensusStatusView {
            node: self.node(report)?,
            chain: ChainStatusView {
                genesis: self.chain.genesis_hash(),
                spec_name: VERSION.spec_name.to_string(),
                release: VERSION.spec_version,
                rules,
                number: head.number,
                hash: head.hash,
                state_root: head.state_root,
                time,
                first_block: storage.first_block(),
                index_lacks_to: storage.index_gap()?.map(|gap| gap.block),
            },
            height: status.height.get(),
            round: status.round.get(),
            phase: phase(status.phase),
            since: status.since.map_or(0, milliseconds),
            votes: report.tally.as_ref().map(votes),
            validators: seen(&validators, report),
            peers: self.peers(&validators, &observers, &report.contacts),
            machine: machine::view(self.disk.view()),
        })
    }

    fn node(&self, report: &Report) -> Result<NodeStatusView> {
        // A file that does not read is for the node's start to judge.
        let signed = signing_summary(&self.signing_memory).ok().flatten();
        let key = self.key()?;
        Ok(NodeStatusView {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            peer_id: self.peer.to_string(),
            time: now_ms(),
            started: milliseconds(self.started),
            key: key.map(|key| H256(*key.as_bytes())),
            is_member: self.membership.look()?.is_member,
            votes: report.status.is_validator,
            abstains_until: report.status.abstains_until.map(|height| height.get()),
            signed: signed.filter(|_| key.is_some()).map(|memory| memory.height),
            empty_interval: u64::try_from(self.empty_interval.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// The key that votes on the next block, else the first that the node holds.
    fn key(&self) -> Result<Option<Address>> {
        let held = self.keys.public_keys();
        let validators = self.chain.read(Validators::validators)?;
        let votes = |key: &&[u8; 33]| validators.iter().any(|one| one.consensus_key == **key);
        let key = held.iter().find(votes).or_else(|| held.first());
        Ok(key.map(|key| Address::from(sm3(key))))
    }

    /// The other nodes of the chain.
    fn peers(
        &self,
        validators: &[Validator],
        observers: &[Observer],
        contacts: &[Contact],
    ) -> Vec<PeerSeenView> {
        let contacts: HashMap<PeerId, &Contact> =
            contacts.iter().map(|contact| (contact.peer, contact)).collect();
        let gossip: BTreeSet<PeerId> = self.gossip.borrow().iter().copied().collect();
        let view = |name: &str, id: &[u8], validator: bool| {
            // The pallet bounds the bytes; what is no identity is nobody's.
            let peer = PeerId::from_bytes(id).ok().filter(|peer| *peer != self.peer)?;
            let contact = contacts.get(&peer);
            Some(PeerSeenView {
                peer_id: peer.to_string(),
                name: name.to_owned(),
                validator,
                connected: contact.and_then(|one| one.connected).map(milliseconds),
                heard: contact.map(|one| milliseconds(one.heard)),
                gossip: gossip.contains(&peer),
            })
        };
        let validators =
            validators.iter().map(|one| view(&one.name.to_string(), &one.peer_id, true));
        let observers =
            observers.iter().map(|one| view(&one.name.to_string(), &one.peer_id, false));
        validators.chain(observers).flatten().collect()
    }
}

/// What was seen of each validator.
fn seen(validators: &[Validator], report: &Report) -> Vec<ValidatorSeenView> {
    let sightings: HashMap<Address, &Sighting> =
        report.sightings.iter().map(|sighting| (sighting.validator, sighting)).collect();
    let vote = |votes: Option<&Vec<(Address, _)>>, key: &Address| {
        let found = votes.and_then(|votes| votes.iter().find(|(voter, _)| voter == key));
        match found {
            None => VoteSeenView::Missing,
            Some((_, None)) => VoteSeenView::Nil,
            Some((_, Some(_))) => VoteSeenView::Block,
        }
    };
    let tally = report.tally.as_ref();
    let view = |one: &Validator| {
        // The chain took the key for one.
        let key = sm2::PublicKey::from_compressed(&one.consensus_key).ok()?;
        let key = Address::from_public_key(&key);
        let last = sightings.get(&key).map(|sighting| LastVoteView {
            height: sighting.height.get(),
            round: sighting.round.get(),
            at: milliseconds(sighting.at),
        });
        Some(ValidatorSeenView {
            key: H256(*key.as_bytes()),
            name: one.name.to_string(),
            power: one.power,
            prevote: vote(tally.map(|tally| &tally.prevotes), &key),
            precommit: vote(tally.map(|tally| &tally.precommits), &key),
            last,
        })
    };
    validators.iter().filter_map(view).collect()
}

fn votes(tally: &Tally) -> VotesView {
    VotesView {
        height: tally.height.get(),
        round: tally.round.get(),
        step: match tally.step {
            Step::New => RoundStepView::New,
            Step::Propose => RoundStepView::Propose,
            Step::Prevote => RoundStepView::Prevote,
            Step::Precommit => RoundStepView::Precommit,
            Step::Decided => RoundStepView::Decided,
        },
        proposer: tally.proposer.map(|proposer| H256(*proposer.as_bytes())),
    }
}

fn phase(phase: Phase) -> PhaseView {
    match phase {
        Phase::Starting => PhaseView::Starting,
        Phase::Deciding => PhaseView::Deciding,
        Phase::Fetching => PhaseView::Fetching,
        Phase::Committing => PhaseView::Committing,
        Phase::Waiting => PhaseView::Waiting,
    }
}

/// Milliseconds since 1970.
fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

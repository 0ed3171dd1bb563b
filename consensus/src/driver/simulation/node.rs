//! One validator: Malachite's core and the driver's pure parts, joined as the
//! driver joins them, with the world in place of engine, lane and disk.

mod side;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use billchain_crypto::sm2::Signature;
use billchain_primitives::{Equivocation, ParentCommit};
use bytes::Bytes;
use malachitebft_app_channel::app::consensus::{
    self as core, Effect, Input, LivenessMsg, LocallyProposedValue, Params, ProposedValue,
    Resumable, Resume, SignedConsensusMsg, State,
};
use malachitebft_app_channel::app::metrics::Metrics;
use malachitebft_app_channel::app::types::PeerId;
use malachitebft_app_channel::app::types::core::{
    LinearTimeouts, PolkaCertificate, Round as EngineRound, RoundCertificate, SignedMessage,
    Timeout, Validity, ValueOrigin, ValuePayload, ValueResponse, VoteExtensionPolicy,
};

use super::super::late::Late;
use super::super::progress::{Decided, Next, Phase, Progress};
use super::super::proposals::{Proposals, Taken, Verdict, View};
use super::super::repeat::Repeated;
use super::super::work::Queue;
use super::oracle::BlockId;
use super::register::{Judgement, Register, bytes_of, hash_of, id_of};
use crate::application::CheckMode;
use crate::certificate::CommitCertificate;
use crate::lane::Received;
use crate::misbehavior::equivocations;
use crate::parts::Wanted;
use crate::support::{Polka, Support, weigh};
use crate::types::{
    Address, Announcement, BillContext, BlockHash, BlockValue, Height, Round, SignedAnnouncement,
    ValidatorSet,
};
use crate::undecided::{StoredBlock, UndecidedStore};

pub(super) type Port = ();

/// What travels.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Consensus(SignedConsensusMsg<BillContext>),
    Polka(PolkaCertificate<BillContext>),
    RoundCertificate(RoundCertificate<BillContext>),
    /// A whole block with its announcement.
    Block(SignedAnnouncement, Bytes),
    /// Decided blocks from this height on are wanted.
    Ask(Height),
    /// A decided block.
    Decided(Bytes, CommitCertificate),
}

/// What a node wants of the world.
pub(super) enum Wish {
    Send(Message),
    SendTo(usize, Message),
    Timer(Timeout, u64, Duration),
    /// The lane is busy for so long.
    Lane(Duration),
    /// The next height should begin after so long.
    Pause(Duration),
    Committed(BlockHash, CommitCertificate),
    /// Validators were seen to sign twice.
    Charged(Vec<Equivocation>),
    /// A message has been signed and is about to be seen.
    Signed(SignedConsensusMsg<BillContext>),
    /// A block is to be built on this parent, with the commit of it.
    Build {
        height: Height,
        round: Round,
        parent: BlockId,
        commit: Option<ParentCommit>,
    },
}

pub(super) enum Job {
    Commit(Arc<StoredBlock>, CommitCertificate),
    /// A decided block: from value sync, or the one that is missing.
    Decided(Bytes, Option<(Round, Address)>),
    Propose(Round),
    Check(Box<Received<Port>>, CheckMode),
}

/// What survives a kill.
#[derive(Clone, Default)]
pub(super) struct Disk {
    pub chain: Vec<(Bytes, CommitCertificate)>,
    log: Vec<Input<BillContext>>,
    /// The height that the log is of, as the engine's log says it: a timeout in it has a
    /// round alone.
    log_height: Height,
    /// Entries of the log that are flushed.
    flushed: usize,
    undecided: BTreeMap<BlockHash, Arc<StoredBlock>>,
}

impl Disk {
    pub(super) fn head(&self) -> BlockId {
        self.chain.last().map_or(0, |(bytes, _)| id_of(bytes))
    }

    fn next_height(&self) -> Height {
        Height::new(self.chain.len() as u64 + 1)
    }

    /// The power goes: of what was not flushed, `keep` entries are still there.
    pub(super) fn cut(&mut self, keep: usize) {
        self.log.truncate(self.flushed.saturating_add(keep));
        self.flushed = self.log.len();
    }

    /// The directory of undecided blocks is gone.
    pub(super) fn lose_undecided(&mut self) {
        self.undecided.clear();
    }

    pub(super) fn has_undecided(&self) -> bool {
        !self.undecided.is_empty()
    }
}

/// A validator that runs.
pub(super) struct Node {
    core: State<BillContext>,
    metrics: Metrics,
    side: Side,
}

/// All but the core, which is borrowed while it asks.
pub(super) struct Side {
    own: Address,
    peer: PeerId,
    validators: ValidatorSet,
    signature: Signature,
    pub disk: Disk,
    recovering: bool,
    progress: Progress,
    proposals: Proposals<Port>,
    support: Support,
    repeated: Repeated,
    late: Late,
    /// The block at hand came by value sync; there may be more.
    behind: bool,
    store: UndecidedStore,
    missing: Option<CommitCertificate>,
    work: Queue<Job>,
    under_way: Option<Job>,
    timers: HashMap<Timeout, u64>,
    ticks: u64,
    inbox: VecDeque<Input<BillContext>>,
    pub wishes: Vec<Wish>,
}

impl Node {
    pub(super) fn start(
        own: Address,
        validators: ValidatorSet,
        signature: Signature,
        metrics: Metrics,
        disk: Disk,
    ) -> Self {
        let height = disk.next_height();
        let params = Params {
            address: own,
            threshold_params: Default::default(),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: true,
        };
        let core = State::new(BillContext, height, validators.clone(), params, 10, 500);
        let store = UndecidedStore::in_memory(disk.undecided.values().cloned());
        let peer = [&[0x12, 32], &own.as_bytes()[..]].concat();
        let side = Side {
            own,
            peer: PeerId::from_bytes(&peer).expect("a well-formed multihash"),
            validators,
            signature,
            disk,
            recovering: false,
            progress: Progress::new(height),
            proposals: Proposals::default(),
            support: Support::default(),
            repeated: Repeated::default(),
            late: Late::default(),
            behind: false,
            store,
            missing: None,
            work: Queue::default(),
            under_way: None,
            timers: HashMap::new(),
            ticks: 0,
            inbox: VecDeque::new(),
            wishes: Vec::new(),
        };
        let mut node = Self { core, metrics, side };
        node.begin(height);
        node
    }

    /// The engine begins a height, and reads its log of it.
    fn begin(&mut self, height: Height) {
        let disk = &mut self.side.disk;
        if disk.log_height != height {
            disk.log.clear();
            disk.flushed = 0;
            disk.log_height = height;
        }
        let log = disk.log.clone();
        let set = self.side.validators.clone();
        let begin = Input::StartHeight(height, set, false, None, VoteExtensionPolicy::Disabled);
        self.input(begin);
        if !log.is_empty() {
            self.side.recovering = true;
            self.core.index_wal_entries(log.iter());
            for entry in log {
                self.input(entry);
            }
            self.core.reset_entries_index();
            self.side.recovering = false;
        }
        self.settle();
    }

    fn input(&mut self, input: Input<BillContext>) {
        let Self { core, metrics, side } = self;
        let result: Result<(), core::Error<BillContext>> = malachitebft_app_channel::app::consensus::process!(
            input: input,
            state: core,
            metrics: metrics,
            with: effect => side.effect(effect)
        );
        result.expect("the core takes every input");
    }

    /// Handles what has come in, begins heights that are due, feeds the lane.
    fn settle(&mut self) {
        while let Some(input) = self.side.inbox.pop_front() {
            self.input(input);
        }
        self.side.feed();
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.side.disk
    }

    pub(super) fn into_disk(self) -> Disk {
        self.side.disk
    }

    pub(super) fn wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.side.wishes)
    }

    pub(super) fn height(&self) -> Height {
        self.side.progress.height()
    }

    pub(super) fn parent_commit(&self) -> Option<ParentCommit> {
        self.side.parent_commit()
    }

    pub(super) fn is_locked(&self) -> bool {
        let deciding = self.side.progress.phase() == Phase::Deciding;
        deciding && self.core.driver.round_state().locked.is_some()
    }

    /// Where it stands, for the message of a failure.
    pub(super) fn describe(&self) -> String {
        let state = self.core.driver.round_state();
        let value = |value: Option<_>| format!("{value:?}");
        format!(
            "{:?} round {} step {:?} locked {} valid {} leader {:?} kept {}",
            self.side.progress,
            state.round,
            state.step,
            value(state.locked.as_ref().map(|locked| (locked.round, locked.value))),
            value(state.valid.as_ref().map(|valid| (valid.round, valid.value))),
            self.side.support.leader(),
            self.side.proposals.kept(),
        )
    }

    pub(super) fn timeout(&mut self, timeout: Timeout, tick: u64) {
        if self.side.timers.get(&timeout) == Some(&tick) {
            self.side.timers.remove(&timeout);
            self.input(Input::TimeoutElapsed(timeout));
            self.settle();
        }
    }

    pub(super) fn message(&mut self, from: usize, message: Message) {
        match message {
            Message::Consensus(message) => {
                self.side.late.hear(&message, |_| true);
                let waiting = self.side.progress.phase() == Phase::Waiting;
                if waiting && message.height() == self.side.progress.height() {
                    let next = self.side.progress.others_began();
                    self.go_on(next);
                }
                self.input(match message {
                    SignedConsensusMsg::Vote(vote) => Input::Vote(vote),
                    SignedConsensusMsg::Proposal(proposal) => Input::Proposal(proposal),
                });
            }
            Message::Polka(certificate) => {
                if certificate.height == self.side.progress.height() {
                    self.side.on_polka(certificate.clone());
                }
                self.input(Input::PolkaCertificate(certificate));
            }
            Message::RoundCertificate(certificate) => {
                self.input(Input::RoundCertificate(certificate));
            }
            Message::Block(announced, bytes) => {
                let next = self.side.on_block(announced, bytes);
                self.go_on(next);
            }
            Message::Ask(height) => self.side.on_ask(from, height),
            Message::Decided(bytes, certificate) => self.on_decided_block(bytes, certificate),
        }
        self.settle();
    }

    fn on_decided_block(&mut self, bytes: Bytes, certificate: CommitCertificate) {
        if certificate.height != self.height() {
            return;
        }
        if self.side.missing.is_some() {
            self.side.work.decided = Some(Job::Decided(bytes, None));
        } else if self.side.progress.phase() == Phase::Deciding {
            let peer = self.side.peer;
            let value = ValueResponse::new(peer, bytes, certificate.to_engine());
            self.input(Input::SyncValueResponse(value));
        }
    }

    /// The lane is done; the register says what it found.
    pub(super) fn lane_done(&mut self, register: &Register, now_ms: u64) {
        self.side.work.busy = false;
        match self.side.under_way.take() {
            None => {}
            Some(Job::Commit(block, certificate)) => {
                let validators = register.validators_after(id_of(&block.bytes));
                let next = self.side.on_committed(&block, certificate, validators);
                self.go_on(next);
            }
            Some(Job::Propose(round)) => {
                let (height, parent) = (self.side.progress.height(), self.side.disk.head());
                let commit = self.side.parent_commit();
                self.side.wishes.push(Wish::Build { height, round, parent, commit });
            }
            Some(Job::Decided(bytes, sync)) => {
                let judgement = self.side.judged(register, now_ms, &bytes, CheckMode::Voted);
                self.side.on_decided_checked(bytes, sync, judgement);
            }
            Some(Job::Check(received, mode)) => {
                let judgement = self.side.judged(register, now_ms, &received.bytes, mode);
                self.side.on_checked(*received, judgement);
            }
        }
        self.settle();
    }

    /// A block was built for a round.
    pub(super) fn built(&mut self, height: Height, round: Round, id: BlockId) {
        if self.side.progress.height() == height {
            self.side.on_built(round, id);
            self.settle();
        }
    }

    /// The pause between two heights is over.
    pub(super) fn pause_over(&mut self) {
        self.go_on(Next::Begin);
        self.settle();
    }

    fn go_on(&mut self, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Wait => self.side.wishes.push(Wish::Pause(Duration::from_millis(250))),
            Next::Begin => {
                if self.side.progress.begin() {
                    let height = self.side.progress.height();
                    self.begin(height);
                }
            }
        }
    }

    /// Time until the next tick.
    pub(super) fn pause(&self) -> Duration {
        self.side.repeated.pause(timeouts().rebroadcast)
    }

    /// What the driver does now and then while a height is undecided.
    pub(super) fn tick(&mut self) {
        let side = &mut self.side;
        let height = side.progress.height();
        if side.progress.phase() == Phase::Deciding && self.core.height() == height {
            let rounds = self.core.driver.votes().all_rounds().values();
            let votes = rounds.flat_map(|round| round.received_votes());
            let (support, polka) = weigh(height, &side.own, &side.validators, votes);
            side.support.add(support);
            let proposals = &self.core.full_proposal_keeper;
            let proposal = |round: EngineRound, hash: &BlockHash| {
                let full = proposals.full_proposal_at_round_and_value(&height, round, hash);
                full.map(|full| SignedConsensusMsg::Proposal(full.proposal.clone()))
            };
            match side.repeated.highest(polka) {
                Some(polka) => {
                    let (round, hash) = (polka.certificate.round, polka.certificate.value_id);
                    side.repeat(polka, proposal(round, &hash));
                }
                None => {
                    if let Some(block) = side.own_block(height, side.progress.round()) {
                        side.repeat_own(&block, proposal(block.round.into(), &block.hash));
                    }
                }
            }
        }
        if let Some(certificate) = side.missing.clone() {
            for vote in super::super::missing::precommits(&certificate) {
                side.wishes.push(Wish::Send(Message::Consensus(SignedConsensusMsg::Vote(vote))));
            }
        }
        side.wishes.push(Wish::Send(Message::Ask(height)));
        self.settle();
        let kept = self.side.proposals.kept();
        assert!(kept <= 4 * 3, "{kept} blocks of four proposers are kept");
    }
}

fn view<'a>(progress: &Progress, validators: &'a ValidatorSet, support: &'a Support) -> View<'a> {
    View {
        height: progress.height(),
        round: progress.round(),
        open: progress.is_open(),
        missing: progress.missing(),
        validators,
        support,
    }
}

pub(super) fn announced(
    height: Height,
    round: Round,
    proposer: Address,
    block_hash: BlockHash,
    signature: Signature,
) -> SignedAnnouncement {
    let content = block_hash.get().0;
    let announcement = Announcement { height, round, proposer, block_hash, size: 8, content };
    SignedAnnouncement { announcement, signature }
}

/// A node's, as the default settings have them.
fn timeouts() -> LinearTimeouts {
    let millis = Duration::from_millis;
    LinearTimeouts {
        propose: millis(1500),
        propose_delta: millis(500),
        prevote: millis(1000),
        prevote_delta: millis(250),
        precommit: millis(1000),
        precommit_delta: millis(250),
        rebroadcast: millis(500),
        max_timeout: millis(8000),
    }
}

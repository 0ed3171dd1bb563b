//! Clock, network, disks and what befalls them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use billchain_crypto::sm2::{DEFAULT_ID, SecretKey, Signature};
use billchain_primitives::ParentCommit;
use malachitebft_app_channel::app::consensus::SignedConsensusMsg;
use malachitebft_app_channel::app::metrics::Metrics;
use malachitebft_app_channel::app::types::core::{NilOrVal, Timeout, VoteType};

use super::node::{Disk, Message, Node, Wish};
use super::oracle::{BlockFacts, BlockId, Oracle};
use super::random::Random;
use super::register::{Register, id_of};
use crate::certificate::CommitCertificate;
use crate::types::{Address, BillContext, BlockHash, Height, Round, Validator, ValidatorSet};

pub(super) const NODES: usize = 4;

/// What the network does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Messages lost and doubled, of a hundred.
    pub lost: u64,
    pub doubled: u64,
    /// Longest time a message is under way.
    pub delay_ms: u64,
}

pub(super) const CALM: Weather = Weather { lost: 0, doubled: 0, delay_ms: 20 };

#[derive(Clone)]
pub(super) enum Event {
    Deliver {
        to: usize,
        from: usize,
        message: Message,
    },
    Timeout {
        node: usize,
        run: u64,
        timeout: Timeout,
        tick: u64,
    },
    Lane {
        node: usize,
        run: u64,
    },
    Pause {
        node: usize,
        run: u64,
    },
    Tick {
        node: usize,
        run: u64,
    },
    Start(usize),
    /// Of what was not flushed so many entries stay.
    Kill {
        node: usize,
        keep: usize,
        undecided_too: bool,
    },
    Weather(Weather),
}

struct Slot {
    running: Option<Node>,
    disk: Disk,
    run: u64,
}

pub(super) struct World {
    pub now_ms: u64,
    pub random: Random,
    pub oracle: Oracle,
    pub weather: Weather,
    /// Who lies, if one does.
    pub liar: Option<usize>,
    pub addresses: Vec<Address>,
    /// In which round each height was decided, and who would have proposed in the first.
    pub rounds: BTreeMap<Height, (Round, usize)>,
    pub signature: Signature,
    register: Register,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
    scheduled: u64,
    slots: Vec<Slot>,
    metrics: Metrics,
}

impl World {
    pub(super) fn new(seed: u64, metrics: &Metrics) -> Self {
        let keys: Vec<SecretKey> = (0..NODES as u8).map(|n| SecretKey::from_seed(&[n])).collect();
        let validators = keys.iter().map(|key| Validator::new(key.public(), 1));
        let validators = ValidatorSet::new(validators).expect("four keys");
        let slot = || Slot { running: None, disk: Disk::default(), run: 0 };
        Self {
            now_ms: 1_000_000,
            random: Random::new(seed),
            oracle: Oracle::default(),
            weather: CALM,
            liar: None,
            register: Register::new(validators),
            addresses: keys.iter().map(|key| Address::from_public_key(&key.public())).collect(),
            rounds: BTreeMap::new(),
            signature: keys[0].sign(DEFAULT_ID, b"nobody verifies it"),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            scheduled: 0,
            slots: (0..NODES).map(|_| slot()).collect(),
            metrics: metrics.clone(),
        }
    }

    pub(super) fn at(&mut self, time_ms: u64, event: Event) {
        self.scheduled += 1;
        self.queue.push(Reverse((time_ms.max(self.now_ms), self.scheduled)));
        self.events.insert(self.scheduled, event);
    }

    /// Lets the next event happen; `false` if none is due before `until_ms`.
    pub(super) fn step(&mut self, until_ms: u64) -> bool {
        let due = self.queue.peek().filter(|Reverse((time, _))| *time <= until_ms);
        let Some(Reverse((time, id))) = due.copied() else {
            self.now_ms = self.now_ms.max(until_ms);
            return false;
        };
        self.queue.pop();
        self.now_ms = time;
        if let Some(event) = self.events.remove(&id) {
            self.happen(event);
        }
        true
    }

    pub(super) fn node(&self, node: usize) -> Option<&Node> {
        self.slots[node].running.as_ref()
    }

    pub(super) fn is_honest(&self, node: usize) -> bool {
        self.liar != Some(node)
    }

    pub(super) fn start(&mut self, node: usize) {
        if self.slots[node].running.is_some() {
            return;
        }
        self.slots[node].run += 1;
        let disk = std::mem::take(&mut self.slots[node].disk);
        let (own, set) = (self.addresses[node], self.register.validators_after(disk.head()));
        let started = Node::start(own, set, self.signature, self.metrics.clone(), disk);
        self.slots[node].running = Some(started);
        let run = self.slots[node].run;
        self.tick(node, run, 2);
        self.fulfil(node);
    }

    /// Sets the next tick of a node, after a part of its pause.
    fn tick(&mut self, node: usize, run: u64, part: u64) {
        if let Some(running) = running(&mut self.slots, node, run) {
            let after = running.pause().as_millis() as u64 / part;
            self.at(self.now_ms + after, Event::Tick { node, run });
        }
    }

    pub(super) fn kill(&mut self, node: usize, keep: usize) {
        if let Some(running) = self.slots[node].running.take() {
            self.slots[node].disk = running.into_disk();
            self.slots[node].disk.cut(keep);
        }
    }

    pub(super) fn lose_undecided(&mut self, node: usize) {
        self.slots[node].disk.lose_undecided();
    }

    pub(super) fn has_undecided(&self, node: usize) -> bool {
        self.slots[node].disk.has_undecided()
    }

    /// Height a node has committed.
    pub(super) fn committed(&self, node: usize) -> u64 {
        let slot = &self.slots[node];
        let disk = slot.running.as_ref().map_or(&slot.disk, Node::disk);
        disk.chain.len() as u64
    }

    /// A new block in the register.
    pub(super) fn block(
        &mut self,
        (height, parent): (u64, BlockId),
        valid: bool,
        time_ms: u64,
        commit: Option<&ParentCommit>,
    ) -> BlockId {
        let id = self.register.add((height, parent), valid, time_ms, commit);
        self.oracle.blocks.insert(id, BlockFacts { height, parent, valid });
        id
    }

    /// A block of this height that somebody has made, if there is one.
    pub(super) fn any_block(&mut self, height: u64) -> Option<BlockHash> {
        let last = self.register.last_of(height);
        let count = last.len() as u64;
        (count > 0).then(|| last[self.random.below(count) as usize])
    }

    /// The place of a validator.
    pub(super) fn place(&self, address: &Address) -> Option<usize> {
        self.addresses.iter().position(|other| other == address)
    }

    /// Who proposes first at the height after the last one of this node.
    pub(super) fn proposer(&self, node: usize) -> usize {
        let (head, next) = (self.head(node), Height::new(self.committed(node) + 1));
        let validators = self.register.validators_after(head);
        self.place(validators.proposer(next, Round::FIRST).address()).expect("one of the four")
    }

    pub(super) fn head(&self, node: usize) -> BlockId {
        let slot = &self.slots[node];
        slot.running.as_ref().map_or(&slot.disk, Node::disk).head()
    }

    fn happen(&mut self, event: Event) {
        let (now, slots) = (self.now_ms, &mut self.slots);
        let node = match event {
            Event::Start(node) => return self.start(node),
            Event::Kill { node, keep, undecided_too } => {
                self.kill(node, keep);
                if undecided_too {
                    self.lose_undecided(node);
                }
                return;
            }
            Event::Weather(weather) => {
                self.weather = weather;
                return;
            }
            Event::Deliver { to, from, message } => {
                if let Some(node) = &mut slots[to].running {
                    node.message(from, message);
                }
                to
            }
            Event::Timeout { node, run, timeout, tick } => {
                if let Some(running) = running(slots, node, run) {
                    running.timeout(timeout, tick);
                }
                node
            }
            Event::Lane { node, run } => {
                let register = &self.register;
                if let Some(running) = running(slots, node, run) {
                    running.lane_done(register, now);
                }
                node
            }
            Event::Pause { node, run } => {
                if let Some(running) = running(slots, node, run) {
                    running.pause_over();
                }
                node
            }
            Event::Tick { node, run } => {
                if let Some(running) = running(slots, node, run) {
                    running.tick();
                    self.tick(node, run, 1);
                    if !self.is_honest(node) {
                        self.announce(node);
                    }
                }
                node
            }
        };
        self.fulfil(node);
    }

    /// Does what a node wants.
    fn fulfil(&mut self, node: usize) {
        loop {
            let Some(running) = &mut self.slots[node].running else { return };
            let wishes = running.wishes();
            if wishes.is_empty() {
                return;
            }
            let (run, now) = (self.slots[node].run, self.now_ms);
            for wish in wishes {
                match wish {
                    Wish::Send(message) => self.broadcast(node, &message),
                    Wish::SendTo(to, message) => self.send(node, to, message),
                    Wish::Timer(timeout, tick, after) => {
                        let time = now + after.as_millis() as u64;
                        self.at(time, Event::Timeout { node, run, timeout, tick });
                    }
                    Wish::Lane(after) => {
                        self.at(now + after.as_millis() as u64, Event::Lane { node, run });
                    }
                    Wish::Pause(after) => {
                        self.at(now + after.as_millis() as u64, Event::Pause { node, run });
                    }
                    Wish::Charged(charges) => {
                        let at = |address: &[u8; 32]| {
                            self.addresses.iter().position(|other| other.as_bytes() == address)
                        };
                        for charge in charges {
                            let offender = at(charge.offender.as_ref());
                            self.oracle.charged(node, offender, self.liar);
                        }
                    }
                    Wish::Signed(message) => self.record(node, &message),
                    Wish::Build { height, round, parent, commit } => {
                        let about = (height.get(), parent);
                        let id = self.block(about, true, now, commit.as_ref());
                        if let Some(running) = &mut self.slots[node].running {
                            running.built(height, round, id);
                        }
                    }
                    Wish::Committed(hash, certificate) => {
                        self.committed_by(node, hash, certificate)
                    }
                }
            }
        }
    }

    fn committed_by(&mut self, node: usize, hash: BlockHash, certificate: CommitCertificate) {
        if !self.is_honest(node) {
            return;
        }
        let entries = certificate.signatures.iter();
        let signers: Vec<usize> = entries.filter_map(|entry| self.place(&entry.address)).collect();
        let (height, id) = (certificate.height, id_of(&hash.get().0[24..]));
        let parent = self.oracle.blocks[&id].parent;
        let validators = self.register.validators_after(parent);
        let first = self.place(validators.proposer(height, Round::FIRST).address());
        self.rounds.insert(height, (certificate.round, first.expect("one of the four")));
        self.oracle.committed(node, height.get(), id, &signers);
    }

    fn record(&mut self, node: usize, message: &SignedConsensusMsg<BillContext>) {
        if !self.is_honest(node) {
            return;
        }
        let kind = match message {
            SignedConsensusMsg::Proposal(_) => "proposal",
            SignedConsensusMsg::Vote(vote) if vote.message.kind == VoteType::Prevote => "prevote",
            SignedConsensusMsg::Vote(_) => "precommit",
        };
        let what = match message {
            SignedConsensusMsg::Proposal(proposal) => {
                format!("{} {}", proposal.message.value.0, proposal.message.pol_round)
            }
            SignedConsensusMsg::Vote(vote) => match vote.message.value {
                NilOrVal::Nil => "nil".to_owned(),
                NilOrVal::Val(hash) => hash.to_string(),
            },
        };
        let step = (message.height().get(), message.round().as_i64(), kind);
        self.oracle.signed(node, step, what);
    }

    pub(super) fn broadcast(&mut self, from: usize, message: &Message) {
        for to in (0..NODES).filter(|to| *to != from) {
            if self.is_honest(from) {
                self.send(from, to, message.clone());
            } else {
                for message in self.twist(from, message) {
                    self.send(from, to, message);
                }
            }
        }
    }

    pub(super) fn send(&mut self, from: usize, to: usize, message: Message) {
        let Weather { lost, doubled, delay_ms } = self.weather;
        if self.random.percent(lost) {
            return;
        }
        let copies = if self.random.percent(doubled) { 2 } else { 1 };
        for _ in 0..copies {
            let time = self.now_ms + self.random.between(1, delay_ms);
            self.at(time, Event::Deliver { to, from, message: message.clone() });
        }
    }

    /// Where the nodes stand.
    pub(super) fn describe(&self) -> String {
        let nodes = (0..NODES).filter_map(|node| Some((node, self.node(node)?.describe())));
        nodes.map(|(node, text)| format!("node {node}: {text}\n")).collect()
    }

    /// Height at which the node is.
    pub(super) fn height(&self, node: usize) -> Option<Height> {
        self.node(node).map(Node::height)
    }
}

fn running(slots: &mut [Slot], node: usize, run: u64) -> Option<&mut Node> {
    let slot = &mut slots[node];
    slot.running.as_mut().filter(|_| slot.run == run)
}

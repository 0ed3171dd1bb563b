//! Joining: a store with the state of a recent block, made of what peers serve.

mod cold;

use crate::{
    Peers, SetError, ValidatorSets,
    peers::{Circle, Unanswered, ask},
    sets::header_of,
    wire::{
        Blocks, Certified, Changes, MAX_CHANGES, Opaque, Page, PageOf, Question, Request, Targets,
    },
};
use billchain_consensus::PeerId;
use billchain_executor::{ChainError, StoredBlock};
use billchain_primitives::{Hash, Header};
use billchain_storage::{
    Added, Assembly, Beginning, CopyTable, Fetch, Fetched, KeptHeader, OlderBlock,
    OperationsSource, StorageError, StorageOptions, SyncTarget,
};
use codec::Encode;
use futures::future::join_all;
use std::{path::Path, sync::Arc};
use tokio::{runtime::Handle, task::JoinHandle};

/// Answers about changes of the validators that are asked of one peer at most.
const MAX_ANSWERS: usize = 1_024;

/// What the chain is known by, without any of its blocks.
#[derive(Clone, Debug)]
pub struct Known {
    /// Hash of the first block.
    pub genesis: Hash,
    /// Digest of the document that the chain was made from.
    pub document: Hash,
    /// The validators that decide the block after the first.
    pub validators: ValidatorSets,
}

/// What was joined.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The block whose state the store has.
    pub target: SyncTarget,
    /// Groups of keys of the state that are hot.
    pub groups: u64,
    /// Segments of its cold part. The files of those that ended long ago are still missing.
    pub segments: usize,
    /// Peers that were caught lying.
    pub refuted: usize,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The commitment is there.
    Committed {
        /// Groups of keys of the state: keys that differ in their last byte alone.
        groups: u64,
    },
    /// The entries of so many groups are there.
    Entries {
        /// How many.
        groups: u64,
        /// Of how many.
        of: u64,
    },
    /// The list of the cold part is proven.
    Listed {
        /// Its segments.
        segments: usize,
    },
}

/// Why nothing was joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// There is no connection to any peer.
    #[error("no peer is connected")]
    NoPeers,
    /// No peer serves a state that the validators have decided.
    #[error("no peer serves a state of the chain; {}", .0.join("; "))]
    NothingServed(Vec<String>),
    /// The peers that served it do so no more, or lied.
    #[error("the state of block {block} was not fetched: {reason}")]
    Lost {
        /// The block.
        block: u32,
        /// Why.
        reason: String,
    },
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The block.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// A block of the chain whose state is served, and who serves it.
pub struct Offer {
    known: Known,
    target: SyncTarget,
    validators: ValidatorSets,
    /// Headers that named other validators.
    changes: Vec<KeptHeader>,
    peers: Arc<dyn Peers>,
    circle: Arc<Circle>,
}

/// Finds the newest block of the chain whose state is served.
pub async fn find(peers: &Arc<dyn Peers>, known: &Known) -> Result<Offer, JoinError> {
    let connected = peers.connected();
    if connected.is_empty() {
        return Err(JoinError::NoPeers);
    }
    let asked = connected
        .into_iter()
        .map(async |peer| (peer, offers(&**peers, peer, &known.validators).await));
    let mut reasons: Vec<String> = Vec::new();
    let mut offered: Vec<(PeerId, Offered)> = Vec::new();
    for (peer, answer) in join_all(asked).await {
        match answer {
            Ok(one) => offered.push((peer, one)),
            Err(reason) => reasons.push(format!("{peer}: {reason}")),
        }
    }
    let mut best: Option<(&SyncTarget, &Offered)> = None;
    for (peer, one) in &offered {
        for target in &one.targets {
            if best.is_some_and(|(best, _)| best.number >= target.number) {
                continue;
            }
            match decided(&**peers, *peer, target, &one.validators).await {
                Ok(()) => best = Some((target, one)),
                Err(reason) => reasons.push(format!("{peer}: {reason}")),
            }
        }
    }
    let (target, one) = best.ok_or(JoinError::NothingServed(reasons))?;
    let serves =
        |(peer, offered): &(PeerId, Offered)| offered.targets.contains(target).then_some(*peer);
    Ok(Offer {
        known: known.clone(),
        target: target.clone(),
        validators: one.validators.clone(),
        changes: one.changes.clone(),
        peers: peers.clone(),
        circle: Arc::new(Circle::new(offered.iter().filter_map(serves).collect())),
    })
}

impl Offer {
    /// What is served.
    pub fn target(&self) -> &SyncTarget {
        &self.target
    }

    /// How many peers serve it.
    pub fn peers(&self) -> usize {
        self.circle.len()
    }

    /// Makes a store of it in the directory `path`, where there is nothing. Blocks on the
    /// disk and on the peers, which are asked on `runtime`; to be called outside of it.
    pub fn fetch(
        self,
        runtime: &Handle,
        path: &Path,
        options: &StorageOptions,
        mut tell: impl FnMut(Progress),
    ) -> Result<Joined, JoinError> {
        let serving = self.circle.len();
        let session = Session {
            runtime,
            peers: &self.peers,
            circle: &self.circle,
            block: self.target.number,
        };
        let beginning = session.beginning(&self.known)?;
        let block = session.block(&self.target, &self.validators)?;
        let source = Arc::new(Operations {
            peers: self.peers.clone(),
            circle: self.circle.clone(),
            block: self.target.number,
        });
        let begun = Assembly::begin(path, options, self.target.clone(), source);
        let mut assembly = begun.map_err(|error| session.lost(error))?;
        tell(Progress::Committed { groups: assembly.committed() });
        session.entries(&mut assembly, &mut tell)?;
        cold::fetch(&session, &mut assembly, &mut tell)?;
        let (groups, segments) = (assembly.groups(), assembly.segments());
        assembly.finish(&block, &beginning, &self.changes)?;
        let refuted = serving.saturating_sub(self.circle.len());
        Ok(Joined { target: self.target, groups, segments, refuted })
    }
}

/// What one peer offers.
struct Offered {
    targets: Vec<SyncTarget>,
    validators: ValidatorSets,
    changes: Vec<KeptHeader>,
}

async fn offers(peers: &dyn Peers, peer: PeerId, first: &ValidatorSets) -> Result<Offered, String> {
    let words = |error: Unanswered| error.to_string();
    let Targets(targets) = ask(peers, peer, &Question::Targets).await.map_err(words)?;
    if targets.is_empty() {
        let words = "it serves no state yet: the first is of the block storage.copy_interval. A node \
                     of so young a chain starts without joining, and fetches all blocks";
        return Err(words.into());
    }
    if let Some(target) = targets.iter().find(|target| !target.is_proven()) {
        return Err(format!("the state root of block {} proves another log", target.number));
    }
    for target in &targets {
        let request = Request(target.last_request());
        let question = Question::Operations { block: target.number, request };
        let Opaque(answer) = ask(peers, peer, &question).await.map_err(words)?;
        if !target.begins_rightly(&answer) {
            return Err(format!("the log of block {} does not begin there", target.number));
        }
    }
    let (validators, changes) = follow(peers, peer, first).await?;
    Ok(Offered { targets, validators, changes })
}

/// The validators as a peer's headers prove them.
pub(crate) async fn follow(
    peers: &dyn Peers,
    peer: PeerId,
    first: &ValidatorSets,
) -> Result<(ValidatorSets, Vec<KeptHeader>), String> {
    let (mut validators, mut followed) = (first.clone(), Vec::new());
    for _ in 0..MAX_ANSWERS {
        let after = validators.last_change();
        let answer = ask(peers, peer, &Question::Changes { after }).await;
        let Changes(changes) = answer.map_err(|error| error.to_string())?;
        let count = changes.len();
        for change in changes {
            let (number, hash) = validators.follow(&change).map_err(|error| error.to_string())?;
            let Certified { bytes: header, certificate } = change;
            followed.push(KeptHeader { number, hash, header, certificate });
        }
        if count < MAX_CHANGES {
            return Ok((validators, followed));
        }
    }
    Err(format!("more than {} changes of the validators", MAX_ANSWERS * MAX_CHANGES))
}

/// Whether the validators have decided the block of a target.
async fn decided(
    peers: &dyn Peers,
    peer: PeerId,
    target: &SyncTarget,
    validators: &ValidatorSets,
) -> Result<(), String> {
    let one = certified(peers, peer, target.number).await.map_err(|error| error.to_string())?;
    is_of(&one, target, validators).map(drop)
}

/// One block.
async fn certified(peers: &dyn Peers, peer: PeerId, number: u32) -> Result<Certified, Unanswered> {
    let below = number.saturating_add(1);
    let Blocks(mut blocks) = ask(peers, peer, &Question::Blocks { below }).await?;
    if blocks.is_empty() {
        return Err(Unanswered::Malformed("no block".into()));
    }
    Ok(blocks.swap_remove(0))
}

/// The header of the target's block, if this is the block.
fn is_of(
    block: &Certified,
    target: &SyncTarget,
    validators: &ValidatorSets,
) -> Result<Header, String> {
    let header = header_of(&block.bytes).ok_or("its block is unreadable")?;
    let found = (header.number, header.hash(), header.state_root);
    if found != (target.number, target.hash, target.state_root) {
        return Err(format!("it offers block {}, and another comes", target.number));
    }
    let judged: Result<(), SetError> = validators.judge(&header, &block.certificate);
    judged.map_err(|error| error.to_string())?;
    Ok(header)
}

/// Asks for one block's state.
struct Session<'a> {
    runtime: &'a Handle,
    peers: &'a Arc<dyn Peers>,
    circle: &'a Circle,
    block: u32,
}

impl Session<'_> {
    fn lost(&self, error: StorageError) -> JoinError {
        match error {
            StorageError::NotFetched { reason } => JoinError::Lost { block: self.block, reason },
            error => error.into(),
        }
    }

    fn next(&self) -> Result<PeerId, JoinError> {
        self.circle.next().map_err(|reason| JoinError::Lost { block: self.block, reason })
    }

    /// The first block, which is known by its hash.
    fn beginning(&self, known: &Known) -> Result<Beginning, JoinError> {
        loop {
            let peer = self.next()?;
            let block = match self.runtime.block_on(certified(&**self.peers, peer, 0)) {
                Ok(block) => block.bytes,
                Err(why) => {
                    self.circle.failed(peer, &why);
                    continue;
                }
            };
            match header_of(&block).filter(|header| header.hash() == known.genesis) {
                Some(header) => {
                    let document = known.document;
                    let (hash, state_root) = (known.genesis, header.state_root);
                    // The first block is its header and no transaction.
                    let block = [header.encode(), vec![0]].concat();
                    return Ok(Beginning { hash, state_root, block, document });
                }
                None => self.circle.refuted(peer, "it has another first block"),
            }
        }
    }

    /// The block itself, whole.
    fn block(
        &self,
        target: &SyncTarget,
        validators: &ValidatorSets,
    ) -> Result<OlderBlock, JoinError> {
        loop {
            let peer = self.next()?;
            let asked = certified(&**self.peers, peer, target.number);
            let block = match self.runtime.block_on(asked) {
                Ok(block) => block,
                Err(why) => {
                    self.circle.failed(peer, &why);
                    continue;
                }
            };
            let opened = is_of(&block, target, validators).and_then(|_| {
                StoredBlock::open(block.bytes.into()).map_err(|error| error.to_string())
            });
            match opened {
                Ok(opened) => return Ok(older(opened, block.certificate)),
                Err(what) => self.circle.refuted(peer, &what),
            }
        }
    }

    /// Every entry of the state.
    ///
    /// An entry that is wrong convicts its peer at once. One that was left out shows when
    /// all are here: if one peer gave them all, it is convicted; if several did, they are
    /// asked again one by one.
    fn entries(
        &self,
        assembly: &mut Assembly,
        tell: &mut impl FnMut(Progress),
    ) -> Result<(), JoinError> {
        let mut must_be_one = false;
        loop {
            let walked = self.walk(assembly, must_be_one, tell)?;
            if assembly.groups() == assembly.committed() {
                return Ok(());
            }
            match walked[..] {
                [peer] => self.circle.refuted(peer, "it left entries of the state out"),
                _ => must_be_one = true,
            }
            assembly.clear()?;
        }
    }

    /// Walks over all entries, and says who gave them. With `must_be_one` a peer that fails
    /// takes what it gave with it. The next page travels while one is compared.
    fn walk(
        &self,
        assembly: &mut Assembly,
        must_be_one: bool,
        tell: &mut impl FnMut(Progress),
    ) -> Result<Vec<PeerId>, JoinError> {
        let mut givers: Vec<PeerId> = Vec::new();
        let mut peer = self.next()?;
        let mut coming = self.page(peer, assembly.last());
        loop {
            let came = self.runtime.block_on(coming);
            let answer = came.unwrap_or_else(|error| Err(Unanswered::Failed(error.to_string())));
            let entries = match answer {
                Ok(Page(entries)) if entries.is_empty() => return Ok(givers),
                Ok(Page(entries)) => entries,
                Err(why) => {
                    self.circle.failed(peer, &why);
                    peer = self.another(assembly, must_be_one, &mut givers)?;
                    coming = self.page(peer, assembly.last());
                    continue;
                }
            };
            let last = entries.last().map_or(&[][..], |(key, _)| key);
            coming = self.page(peer, last);
            match assembly.add(&entries)? {
                Added::Taken => {
                    self.circle.answered(peer);
                    if !givers.contains(&peer) {
                        givers.push(peer);
                    }
                    let (groups, of) = (assembly.groups(), assembly.committed());
                    tell(Progress::Entries { groups, of });
                }
                Added::Refuted { key } => {
                    coming.abort();
                    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
                    self.circle.refuted(peer, &format!("the state has no such entry 0x{key}"));
                    peer = self.another(assembly, must_be_one, &mut givers)?;
                    coming = self.page(peer, assembly.last());
                }
            }
        }
    }

    /// The peer that goes on.
    fn another(
        &self,
        assembly: &mut Assembly,
        must_be_one: bool,
        givers: &mut Vec<PeerId>,
    ) -> Result<PeerId, JoinError> {
        if must_be_one && !givers.is_empty() {
            assembly.clear()?;
            givers.clear();
        }
        self.next()
    }

    /// Asks for the entries above a key.
    fn page(&self, peer: PeerId, after: &[u8]) -> JoinHandle<Result<Page, Unanswered>> {
        let of = PageOf { block: self.block, table: CopyTable::State, after: after.to_vec() };
        let peers = self.peers.clone();
        self.runtime.spawn(async move { ask::<Page>(&*peers, peer, &Question::Page(of)).await })
    }
}

pub(crate) fn older(block: StoredBlock, certificate: Vec<u8>) -> OlderBlock {
    let StoredBlock { header, hash, bytes, tx_hashes } = block;
    OlderBlock {
        number: header.number,
        hash,
        state_root: header.state_root,
        block: bytes.to_vec(),
        certificate,
        tx_hashes,
    }
}

/// Operations from the peers that serve them.
struct Operations {
    peers: Arc<dyn Peers>,
    circle: Arc<Circle>,
    block: u32,
}

impl OperationsSource for Operations {
    fn fetch(&self, request: Vec<u8>) -> Fetch {
        let (peers, circle) = (self.peers.clone(), self.circle.clone());
        let question = Question::Operations { block: self.block, request: Request(request) };
        Box::pin(async move {
            loop {
                let peer = circle.next()?;
                match ask::<Opaque>(&*peers, peer, &question).await {
                    Ok(Opaque(answer)) => {
                        let verdict = Box::new(move |is_right: bool| {
                            if is_right {
                                circle.answered(peer);
                            } else {
                                circle.refuted(peer, "operations of the state commitment");
                            }
                        });
                        return Ok(Fetched { answer, verdict });
                    }
                    Err(why) => circle.failed(peer, &why),
                }
            }
        })
    }
}

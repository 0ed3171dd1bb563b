//! A chain with certificates, nodes that serve it, and some that lie.

use billchain_chain_spec::{ChainSpec, dev};
use billchain_consensus::{
    Address, ChainDomain, CommitCertificate, CommitSignature, Height, PeerId, Round, Validator,
    ValidatorSet,
};
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_executor::{BuildParams, Chain, ClockCheck};
use billchain_primitives::Hash;
use billchain_state_sync::{Copies, Known, Peers, Server, ValidatorSets, wire};
use billchain_storage::{Storage, StorageOptions};
use bytes::Bytes;
use codec::DecodeAll;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use wire::Question;

pub const NODES: u32 = 4;
/// Blocks between two copies.
pub const INTERVAL: u32 = 16;
/// Small: many stores are open at once.
pub fn options() -> StorageOptions {
    StorageOptions {
        block_cache_bytes: 1 << 20,
        write_buffer_bytes: 4 << 20,
        commitment_cache_bytes: 1 << 20,
        ..StorageOptions::default()
    }
}

pub fn secret(node: u32) -> SecretKey {
    dev::secret(&format!("//node-{node}//consensus"))
}

pub fn validators() -> ValidatorSet {
    let validators = (1..=NODES).map(|node| Validator::new(secret(node).public(), 1));
    ValidatorSet::new(validators.collect::<Vec<_>>()).unwrap()
}

/// A certificate by these nodes.
pub fn certificate(genesis: Hash, height: u32, hash: Hash, nodes: &[u32]) -> Vec<u8> {
    let (domain, round) = (ChainDomain::new(genesis), Round::FIRST);
    let height = Height::new(height.into());
    let mut signatures: Vec<CommitSignature> = nodes
        .iter()
        .map(|node| {
            let secret = secret(*node);
            let address = Address::from_public_key(&secret.public());
            let bytes = domain.precommit_bytes(height, round, hash.into(), address);
            CommitSignature { address, signature: secret.sign(DEFAULT_ID, &bytes) }
        })
        .collect();
    signatures.sort_by_key(|entry| entry.address);
    CommitCertificate { height, round, block_hash: hash.into(), signatures }.to_bytes()
}

/// One node: its chain, and what it serves.
pub struct Node {
    pub chain: Chain,
    pub server: Server,
    pub copies: Arc<Copies>,
    _directory: TempDir,
}

impl Node {
    /// A node with an empty chain.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage::open(&directory.path().join("chain"), options()).unwrap();
        let state = ChainSpec::development().genesis_state().unwrap();
        let chain = Chain::with_genesis(Arc::new(storage), &state).unwrap();
        let copies = Arc::new(Copies::open(&directory.path().join("copies"), INTERVAL).unwrap());
        let server = Server::new(chain.clone(), copies.clone());
        Self { chain, server, copies, _directory: directory }
    }

    /// Builds and commits blocks up to this number.
    pub fn grow(&self, to: u32) {
        while self.chain.head().number < to {
            let params = BuildParams {
                timestamp_ms: 1_800_000_000_000,
                max_block_bytes: 1 << 20,
                deadline: Instant::now() + Duration::from_secs(60),
            };
            let built = self.chain.build(params, &mut std::iter::empty()).unwrap();
            let (number, hash) = (built.block.number(), built.block.hash());
            let genesis = self.chain.genesis_hash();
            self.chain.commit(built.block, certificate(genesis, number, hash, &[1, 2, 3])).unwrap();
            self.copies.committed(self.chain.storage(), number);
        }
    }

    /// Executes and commits the blocks of another up to this number.
    pub fn follow(&self, other: &Chain, to: u32) {
        for number in self.chain.head().number + 1..=to {
            let block = other.storage().block(number).unwrap().unwrap();
            let block = self.chain.execute(block.into(), ClockCheck::Decided).unwrap();
            let certificate = other.storage().certificate(number).unwrap().unwrap();
            self.chain.commit(block, certificate).unwrap();
            self.copies.committed(self.chain.storage(), number);
        }
    }
}

/// What a lying peer makes of an honest answer; `None`: it is silent.
pub type Lie = Box<dyn Fn(&Question, Vec<u8>) -> Option<Vec<u8>> + Send + Sync>;

/// Peers in this process.
#[derive(Default)]
pub struct Fakes {
    peers: BTreeMap<PeerId, (Arc<Node>, Option<Lie>)>,
    /// Who was asked what.
    pub asked: Mutex<Vec<(PeerId, Question)>>,
}

impl Fakes {
    pub fn add(&mut self, node: &Arc<Node>, lie: Option<Lie>) -> PeerId {
        let peer = PeerId::random();
        self.peers.insert(peer, (node.clone(), lie));
        peer
    }

    pub fn ids(&self) -> Vec<PeerId> {
        self.peers.keys().copied().collect()
    }
}

impl Peers for Fakes {
    fn connected(&self) -> Vec<PeerId> {
        self.ids()
    }

    fn ask(&self, peer: PeerId, question: Vec<u8>) -> BoxFuture<'static, Result<Bytes, String>> {
        let (node, lie) = &self.peers[&peer];
        let asked = Question::decode_all(&mut &question[..]).expect("a fair question");
        self.asked.lock().push((peer, asked.clone()));
        let answer = node.server.answer(&question);
        let answer = match lie {
            Some(lie) => lie(&asked, answer),
            None => Some(answer),
        };
        Box::pin(async move { answer.map(Bytes::from).ok_or_else(|| "silence".to_owned()) })
    }
}

/// What is known of the chain of a node.
pub fn known(node: &Node) -> Known {
    let genesis = node.chain.genesis_hash();
    let document = node.chain.storage().document().unwrap().unwrap();
    Known { genesis, document, validators: ValidatorSets::new(genesis, validators()) }
}

/// The chain that was joined in a directory.
pub fn open(path: &Path, known: &Known) -> Chain {
    let storage = Storage::open(path, options()).unwrap();
    let none = || -> Result<_, billchain_executor::ChainError> { panic!("it has a genesis") };
    Chain::open(Arc::new(storage), known.document, none).unwrap()
}

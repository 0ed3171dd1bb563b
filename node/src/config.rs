//! The node's configuration file.
//!
//! TOML, read whole: every problem is found and reported at once, with its
//! key; an unknown key is a problem, and nothing is clamped silently.

mod access;
mod cold;
mod named;
mod reader;

use crate::text_files;
use access::access_file;
use billchain_runtime::limits::{MAX_PROPOSE_TIMEOUT_MS, MAX_TRANSACTION_BYTES};
use billchain_txpool::JournalConfig;
pub use cold::{ColdConfig, ObjectsConfig, SecondPath};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use named::Kind;
use reader::Reader;
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Longest name: peers are told it.
const MAX_NAME_BYTES: usize = 64;

/// Everything a node is told by its operator.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name in logs and metrics.
    pub name: String,
    /// Directory of the database, the journal, the write-ahead log and undecided
    /// blocks.
    pub data_dir: PathBuf,
    /// The chain specification, a JSON file.
    pub chain_spec: PathBuf,
    /// Keys of the node.
    pub keys: KeysConfig,
    /// Peer-to-peer network.
    pub network: NetworkConfig,
    /// Pace and patience of consensus.
    pub consensus: ConsensusConfig,
    /// Transaction pool.
    pub pool: PoolConfig,
    /// JSON-RPC server.
    pub rpc: RpcConfig,
    /// Configuration of access: listeners, identities and limits; without it RPC has one
    /// plain listener.
    pub access: Option<PathBuf>,
    /// Where Prometheus reads metrics.
    pub metrics_listen: SocketAddr,
    /// Database.
    pub storage: StorageConfig,
    /// What the node's workers do: a worker file; none without it.
    pub workers: Option<PathBuf>,
}

impl Config {
    /// Directory of the database of the chain.
    pub(crate) fn chain_directory(&self) -> PathBuf {
        self.data_dir.join("chain")
    }

    /// Directory of the files of cold segments.
    pub(crate) fn cold_directory(&self) -> PathBuf {
        self.storage.cold.path.clone().unwrap_or_else(|| self.chain_directory().join("cold"))
    }

    /// Directory of consensus: the log, undecided blocks, the signing memory,
    /// equivocations.
    pub(crate) fn consensus_directory(&self) -> PathBuf {
        self.data_dir.join("consensus")
    }

    /// Directory of the transactions that were accepted from clients.
    pub(crate) fn journal(&self) -> PathBuf {
        self.data_dir.join("journal")
    }

    /// Equivocations that were seen and are not recorded yet.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.consensus_directory().join("evidence")
    }

    /// What a validator remembers of its signatures.
    pub(crate) fn signing_memory(&self) -> PathBuf {
        billchain_consensus::signing_memory_path(&self.consensus_directory())
    }
}

/// `[keys]`.
#[derive(Clone, Debug)]
pub struct KeysConfig {
    /// SM2 key that votes, encrypted PKCS#8 PEM. A node without one follows
    /// the chain and votes on nothing.
    pub consensus: Option<PathBuf>,
    /// Directory of further keys that vote, `*.pem`: read while the node runs.
    pub directory: Option<PathBuf>,
    /// File with the password of all these keys; without it the environment
    /// variable `BILLCHAIN_KEY_PASSWORD` is read.
    pub password_file: Option<PathBuf>,
    /// Ed25519 key that identifies the node to its peers.
    pub network: PathBuf,
}

/// `[network]`.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// Address to listen on; consensus uses TCP, transaction gossip UDP of the
    /// same port.
    pub listen: SocketAddr,
    /// The other nodes.
    pub peers: Vec<Peer>,
}

/// A peer as the configuration names it: `/ip4/…/tcp/…/p2p/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Identity; must be a validator or observer of the chain.
    pub id: PeerId,
    /// Host part of the address.
    pub host: Multiaddr,
    /// Port, the same for TCP and UDP.
    pub port: u16,
}

impl Peer {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected /ip4/<address>/tcp/<port>/p2p/<peer id> (or /ip6, /dns4, /dns6)";
        let address: Multiaddr = text.parse().map_err(|e| format!("{expected}: {e}"))?;
        let parts: Vec<_> = address.iter().collect();
        match &parts[..] {
            [
                host
                @ (Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns4(_) | Protocol::Dns6(_)),
                Protocol::Tcp(port),
                Protocol::P2p(id),
            ] => Ok(Self { id: *id, host: Multiaddr::empty().with(host.clone()), port: *port }),
            _ => Err(format!("{expected}, found {text}")),
        }
    }

    /// Where consensus connects to.
    pub fn tcp(&self) -> Multiaddr {
        self.host.clone().with(Protocol::Tcp(self.port)).with(Protocol::P2p(self.id))
    }

    /// Where transaction gossip connects to.
    pub fn quic(&self) -> Multiaddr {
        self.host.clone().with(Protocol::Udp(self.port)).with(Protocol::QuicV1)
    }
}

/// `[consensus]`, durations in milliseconds.
#[derive(Clone, Debug)]
pub struct ConsensusConfig {
    /// Least time between the starts of two blocks.
    pub min_block_interval: Duration,
    /// An empty block is made after this time without work.
    pub empty_block_interval: Duration,
    /// How long validators wait for a proposal in the first round.
    pub propose_timeout: Duration,
    /// How long they wait for a quorum of votes in the first round.
    pub vote_timeout: Duration,
    /// Time a proposer spends on filling a block.
    pub build_time: Duration,
    /// Largest block that this node builds, in bytes; what is valid the chain
    /// says.
    pub max_block_bytes: usize,
}

/// `[pool]`.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Most transactions held.
    pub max_transactions: usize,
    /// Most bytes held.
    pub max_bytes: usize,
    /// Most transactions held of one sender.
    pub max_per_sender: usize,
    /// Most bytes held of one sender.
    pub max_sender_bytes: usize,
    /// Most bytes of the journal of accepted transactions.
    pub max_journal_bytes: u64,
}

/// `[rpc]`.
#[derive(Clone, Debug)]
pub struct RpcConfig {
    /// Address of the HTTP and WebSocket server.
    pub listen: SocketAddr,
    /// Largest request, in bytes.
    pub max_request_bytes: u32,
    /// Largest response, in bytes.
    pub max_response_bytes: u32,
    /// Most connections.
    pub max_connections: u32,
    /// Most requests of one batch.
    pub max_batch: u32,
    /// Most subscriptions of one connection.
    pub max_subscriptions: u32,
    /// Most messages of one WebSocket that are read and not answered yet.
    pub max_requests_under_way: u32,
    /// Most bytes of requests and answers held for all connections.
    pub max_bytes_held: u32,
    /// How long a client may take to send a message or to take an answer.
    pub transfer_timeout: Duration,
    /// Interval between pings of a WebSocket.
    pub ping_interval: Duration,
}

/// `[storage]`.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// Block cache, in MiB.
    pub cache_mib: usize,
    /// How many recent blocks' states can be read.
    pub state_window: u32,
    /// Bytes that must be free on the disk of `data_dir` for work to be taken.
    pub min_free_bytes: u64,
    /// Blocks between two copies of the state, from which nodes that join are served; 0
    /// for none. The same on all nodes, so that they serve the same states.
    pub copy_interval: u32,
    /// Newest blocks that are kept whole; all without it. Older ones are let go when a
    /// snapshot holds them.
    pub keep_blocks: Option<u32>,
    /// Cold segments.
    pub cold: ColdConfig,
}

/// Every problem of a configuration file.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "configuration {} has {} problem{}:",
            self.file.display(),
            self.problems.len(),
            if self.problems.len() == 1 { "" } else { "s" }
        )?;
        for problem in &self.problems {
            write!(f, "\n  - {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks the file. Relative paths in it are relative to its
    /// directory.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let parsed = contents(file).and_then(|text| Self::parse(&text, base(file)));
        parsed.map_err(|problems| ConfigError { file: file.into(), problems })
    }

    /// Reads and checks the file as [`Self::load`] does, and looks whether the files and
    /// directories that it names are there and may be used. Fails with every problem.
    pub fn check(file: &Path) -> Result<(), ConfigError> {
        let reader = contents(file).and_then(|text| Reader::new(&text, base(file)));
        let problems = match reader {
            Ok(mut reader) => {
                // A key that does not read is among the reader's problems.
                let _ = Self::read(&mut reader);
                reader.look();
                reader.finish()
            }
            Err(problems) => problems,
        };
        match problems.is_empty() {
            true => Ok(()),
            false => Err(ConfigError { file: file.into(), problems }),
        }
    }

    /// Checks a file's contents, with paths relative to `base`. Fails with every
    /// problem.
    pub fn parse(text: &str, base: &Path) -> Result<Self, Vec<String>> {
        let mut reader = Reader::new(text, base)?;
        let config = Self::read(&mut reader);
        let problems = reader.finish();
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(problems),
        }
    }

    /// Reads every key, so that every problem is recorded, before it gives up.
    fn read(r: &mut Reader) -> Option<Self> {
        let name = r.parsed("name", None, |text| match text.trim() {
            name if (1..=MAX_NAME_BYTES).contains(&name.len()) => Ok(name.to_owned()),
            _ => Err(format!("expected 1 to {MAX_NAME_BYTES} bytes")),
        });
        let data_dir = r.path("data_dir", Kind::Made);
        let chain_spec = r.path("chain_spec", Kind::File);
        let keys = KeysConfig {
            consensus: r.optional_path("keys.consensus", Kind::File),
            directory: r.optional_path("keys.directory", Kind::Directory),
            password_file: r.optional_path("keys.password_file", Kind::File),
            network: r.path("keys.network", Kind::File).unwrap_or_default(),
        };
        let network_listen = r.parsed("network.listen", None, |s| {
            s.parse::<SocketAddr>().map_err(|_| "expected <address>:<port>".into())
        });
        let peers = r.list("network.peers", Peer::parse);
        let consensus = ConsensusConfig::read(r);
        let pool = PoolConfig::read(r);
        let rpc = RpcConfig::read(r);
        let access = access_file(r, rpc.as_ref());
        let metrics_listen = r.parsed("metrics.listen", Some("127.0.0.1:9615"), |s| {
            s.parse::<SocketAddr>().map_err(|_| "expected <address>:<port>".into())
        });
        let storage = StorageConfig::read(r);
        let workers = r.optional_path("workers.file", Kind::File);
        Some(Self {
            name: name?,
            data_dir: data_dir?,
            chain_spec: chain_spec?,
            keys,
            network: NetworkConfig { listen: network_listen?, peers },
            consensus: consensus?,
            pool: pool?,
            rpc: rpc?,
            access,
            metrics_listen: metrics_listen?,
            storage: storage?,
            workers,
        })
    }
}

/// A configuration file's text.
fn contents(file: &Path) -> Result<String, Vec<String>> {
    let bytes = std::fs::read(file).map_err(|error| vec![format!("cannot read it: {error}")])?;
    let text = text_files::text_of(&bytes).map_err(|error| vec![error.to_string()])?;
    Ok(text.into_owned())
}

/// Where relative paths in a configuration file begin.
fn base(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

impl ConsensusConfig {
    fn read(r: &mut Reader) -> Option<Self> {
        let min_block_interval = r.millis("consensus.min_block_interval_ms", 0, 0..=60_000);
        let empty_block_interval =
            r.millis("consensus.empty_block_interval_ms", 3_000, 100..=600_000);
        // Consensus lets no timeout grow beyond 8 s, and the chain's bound for the age
        // of a proposal holds two of them.
        let longest = MAX_PROPOSE_TIMEOUT_MS;
        let propose_timeout = r.millis("consensus.propose_timeout_ms", 1_500, 100..=longest);
        let vote_timeout = r.millis("consensus.vote_timeout_ms", 1_000, 50..=8_000);
        let build_time = r.millis("consensus.build_time_ms", 120, 10..=30_000);
        let max_block_bytes = r.number("consensus.max_block_bytes", 4 << 20, 1 << 16..=5 << 20);
        if let (Some(build), Some(propose)) = (build_time, propose_timeout)
            && build >= propose
        {
            r.problem(
                "consensus.build_time_ms",
                "must be less than consensus.propose_timeout_ms, or no proposal is in time",
            );
        }
        if let (Some(least), Some(empty)) = (min_block_interval, empty_block_interval)
            && least > empty
        {
            r.problem(
                "consensus.min_block_interval_ms",
                "must not exceed consensus.empty_block_interval_ms",
            );
        }
        Some(Self {
            min_block_interval: min_block_interval?,
            empty_block_interval: empty_block_interval?,
            propose_timeout: propose_timeout?,
            vote_timeout: vote_timeout?,
            build_time: build_time?,
            max_block_bytes: max_block_bytes?,
        })
    }
}

impl StorageConfig {
    fn read(r: &mut Reader) -> Option<Self> {
        let cache_mib = r.number("storage.cache_mib", 256, 16..=1 << 20);
        let state_window = r.number("storage.state_window", 256, 1..=1 << 16);
        // At least what votes and others' blocks take while somebody makes room.
        let min_free_mib = r.number("storage.min_free_mib", 1_024_u64, 16..=1 << 24);
        let copy_interval = r.number("storage.copy_interval", 4_096, 0..=1 << 24);
        // What a node needs that was away for a while, and RPC's clients.
        let keep_blocks = r.optional_number("storage.keep_blocks", 256..=u32::MAX);
        let cold = ColdConfig::read(r);
        Some(Self {
            cache_mib: cache_mib?,
            state_window: state_window?,
            min_free_bytes: min_free_mib? << 20,
            copy_interval: copy_interval?,
            keep_blocks,
            cold: cold?,
        })
    }
}

impl PoolConfig {
    fn read(r: &mut Reader) -> Option<Self> {
        let max_transactions = r.number("pool.max_transactions", 65_536, 1..=1 << 24);
        // Each of the pool's rooms holds a transaction of any length.
        let longest = MAX_TRANSACTION_BYTES as usize;
        let max_bytes = r.number("pool.max_bytes", 128 << 20, 2 * longest..=1 << 34);
        // A quarter of the pool.
        let max_sender_bytes = r.number(
            "pool.max_sender_bytes",
            (max_bytes.unwrap_or(128 << 20) / 4).max(longest),
            longest..=1 << 34,
        );
        let max_per_sender = r.number("pool.max_per_sender", 16_384, 1..=1 << 24);
        // All that the pool holds, and as much that is over, which goes file by file.
        let least = JournalConfig::LEAST_BYTES;
        let max_journal_bytes = r.number(
            "pool.max_journal_bytes",
            (2 * max_bytes.unwrap_or(128 << 20) as u64).max(least),
            least..=1 << 36,
        );
        if let (Some(of_one), Some(all)) = (max_per_sender, max_transactions)
            && of_one > all
        {
            r.problem(
                "pool.max_per_sender",
                format_args!("must not exceed pool.max_transactions ({all}), found {of_one}"),
            );
        }
        if let (Some(of_one), Some(all)) = (max_sender_bytes, max_bytes)
            && of_one > all
        {
            r.problem(
                "pool.max_sender_bytes",
                format_args!("must not exceed pool.max_bytes ({all}), found {of_one}"),
            );
        }
        Some(Self {
            max_transactions: max_transactions?,
            max_bytes: max_bytes?,
            max_per_sender: max_per_sender?,
            max_sender_bytes: max_sender_bytes?,
            max_journal_bytes: max_journal_bytes?,
        })
    }
}

impl RpcConfig {
    fn read(r: &mut Reader) -> Option<Self> {
        let listen = r.parsed("rpc.listen", Some("127.0.0.1:9944"), |s| {
            s.parse::<SocketAddr>().map_err(|_| "expected <address>:<port>".into())
        });
        let max_request_bytes = r.number("rpc.max_request_bytes", 6 << 20, 1 << 10..=64 << 20);
        let max_response_bytes = r.number("rpc.max_response_bytes", 16 << 20, 1 << 10..=256 << 20);
        let max_connections = r.number("rpc.max_connections", 1_000, 1..=65_536);
        let max_batch = r.number("rpc.max_batch", 512, 1..=65_536);
        let max_subscriptions = r.number("rpc.max_subscriptions", 1_024, 1..=65_536);
        let max_requests_under_way = r.number("rpc.max_requests_under_way", 64, 1..=1_024);
        let max_bytes_held = r.number("rpc.max_bytes_held", 64 << 20, 4 << 20..=4_000_000_000);
        let transfer_timeout = r.millis("rpc.transfer_timeout_ms", 30_000, 100..=600_000);
        let ping_interval = r.millis("rpc.ping_interval_ms", 20_000, 100..=600_000);
        if let (Some(request), Some(response), Some(connections), Some(held)) =
            (max_request_bytes, max_response_bytes, max_connections, max_bytes_held)
        {
            let least = billchain_rpc::least_bytes_held(request, response, connections);
            if u64::from(held) < least {
                let problem = format_args!(
                    "must be at least {least}, for a request of rpc.max_request_bytes and an \
                     answer of rpc.max_response_bytes, and 16 KiB for each of rpc.max_connections"
                );
                r.problem("rpc.max_bytes_held", problem);
            }
        }
        Some(Self {
            listen: listen?,
            max_request_bytes: max_request_bytes?,
            max_response_bytes: max_response_bytes?,
            max_connections: max_connections?,
            max_batch: max_batch?,
            max_subscriptions: max_subscriptions?,
            max_requests_under_way: max_requests_under_way?,
            max_bytes_held: max_bytes_held?,
            transfer_timeout: transfer_timeout?,
            ping_interval: ping_interval?,
        })
    }
}

#[cfg(test)]
mod tests;

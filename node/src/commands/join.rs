//! `billchain join`: a new node's data from the state that members serve.

use super::keys as key_files;
use crate::{
    cold::{fetching::Fetcher, second::Second},
    config::Config,
    database::{
        chain_directory, ensure_cold_path, genesis_hash, load_spec, remove, rename, restoring,
        storage_options,
    },
    signing::Memory,
    snapshot::{manifest::COLD, trust},
    state_sync::AskPeers,
};
use anyhow::{Context, Error, Result, ensure};
use billchain_primitives::Hash;
use billchain_state_sync::{Known, Offer, Peers, Progress, ValidatorSets, find};
use billchain_storage::{ColdSegment, OpenMode, Storage};
use billchain_txpool::gossip::{self, AskOnly};
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, time::sleep};

/// How long members may take to be there, when the first one is.
const OTHERS: Duration = Duration::from_secs(3);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// Time between two lines on how far it is.
const LINES: Duration = Duration::from_secs(5);
/// Times that all members are asked for files of cold segments, and the pause before the next:
/// what has come by then would have to come again.
const FILES: (u32, Duration) = (5, Duration::from_secs(10));

/// Options of `billchain join`.
#[derive(Args)]
pub(crate) struct Options {
    /// The node's configuration: its chain specification, keys, and a member's address.
    #[arg(long)]
    config: PathBuf,
    /// Height up to which the validator signs nothing, where no memory says what its key
    /// has signed: one that the chain has not reached yet.
    #[arg(long, value_name = "HEIGHT")]
    abstain_up_to: Option<u64>,
    /// Hash of the first block, for a release that cannot make it from the chain
    /// specification any more: as a member whom you trust has told it.
    #[arg(long, value_name = "HASH")]
    genesis_hash: Option<Hash>,
    /// Seconds in which a member must be reached.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

/// Runs `billchain join`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let config = Config::load(&options.config)?;
    let place = chain_directory(&config);
    ensure!(
        !place.exists(),
        "{} exists: a node joins where no database is; move it away first",
        place.display()
    );
    ensure_cold_path(&config)?;
    let document = load_spec(&config.chain_spec)?;
    let genesis = genesis_hash(&document.spec, options.genesis_hash)?;
    let validators = ValidatorSets::new(genesis, trust::validators(&document.spec)?);
    let known = Known { genesis, document: document.digest, validators };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let asking = runtime.block_on(connect(&config, genesis))?;
    let joined = joined(&runtime, &config, options, &known, &asking);
    runtime.block_on(asking.stop());
    joined
}

/// Connects to the members that the configuration names, to ask them.
pub(super) async fn connect(config: &Config, genesis: Hash) -> Result<AskOnly> {
    ensure!(
        !config.network.peers.is_empty(),
        "network.peers names nobody: expected the address of at least one member"
    );
    let key = key_files::load_network(&config.keys.network)?;
    let own = key.public().to_peer_id();
    let others = config.network.peers.iter().filter(|peer| peer.id != own);
    let peers = others.map(|peer| gossip::Peer { id: peer.id, addresses: vec![peer.quic()] });
    Ok(gossip::ask_only(key, peers.collect(), &genesis).await?)
}

/// Waits for members.
pub(super) async fn reached(peers: &dyn Peers, expected: usize, patience: Duration) -> Result<()> {
    let begun = Instant::now();
    let mut first = None;
    loop {
        let count = peers.connected().len();
        if count > 0 {
            let since = *first.get_or_insert_with(Instant::now);
            if count >= expected || since.elapsed() >= OTHERS {
                return Ok(());
            }
        }
        ensure!(
            first.is_some() || begun.elapsed() < patience,
            "no member was reached in {patience:?}. Is the address in network.peers right, does \
             its UDP port let this machine in, and is this node on the chain's list \
             (billchain admin validators list)?"
        );
        sleep(PAUSE).await;
    }
}

fn joined(
    runtime: &Runtime,
    config: &Config,
    options: &Options,
    known: &Known,
    asking: &AskOnly,
) -> Result<()> {
    let asker = AskPeers::new(asking.asker());
    let received = asker.received();
    let peers: Arc<dyn Peers> = Arc::new(asker);
    let patience = Duration::from_secs(options.patience);
    let expected = config.network.peers.len();
    let offer = runtime.block_on(async {
        reached(&*peers, expected, patience).await?;
        Ok::<Offer, anyhow::Error>(find(&peers, known).await?)
    })?;
    let target = offer.target().clone();
    println!("block         {}, hash {:?}", target.number, target.hash);
    println!("state root    {:?}", target.state_root);
    println!(
        "served by     {} of {} members that were reached",
        offer.peers(),
        peers.connected().len()
    );
    let memory = Memory::look(config, known.genesis, target.number, options.abstain_up_to)?;
    let (place, begun) = (chain_directory(config), Instant::now());
    let making = restoring(&place);
    remove(&making)?;
    fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make data_dir {}", config.data_dir.display()))?;
    let storage = storage_options(config, OpenMode::CreateIfMissing);
    let mut lines = Lines::default();
    let fetched = offer.fetch(runtime.handle(), &making, &storage, |progress| lines.tell(progress));
    let fetched = fetched
        .map_err(Error::from)
        .and_then(|fetched| Ok((fetched, cold_files(runtime, config, &making, &*peers)?)));
    let (fetched, files) = match fetched {
        Ok(fetched) => fetched,
        Err(error) => {
            remove(&making)?;
            return Err(error);
        }
    };
    // Before the node can start: it must not sign what it may have signed.
    let memory = memory.settle(config, known.genesis, target.number)?;
    rename(&making, &place)?;
    println!("groups        {} of keys, each compared with the state root", fetched.groups);
    if fetched.segments > 0 {
        println!("cold          {} segments, {files} files fetched", fetched.segments);
    }
    println!("received      {} bytes of answers", received.load(Ordering::Relaxed));
    println!("took          {:.1} s", begun.elapsed().as_secs_f64());
    if fetched.refuted > 0 {
        println!("members that gave what the chain refutes, or nothing: {}", fetched.refuted);
    }
    println!("joined in     {}", place.display());
    println!("{memory}");
    Ok(())
}

/// Brings the files of cold segments that the store in `path` lacks, from the second path or
/// from members, each verified whole. How many came. What lies on `storage.cold_path` from
/// before is used.
fn cold_files(runtime: &Runtime, config: &Config, path: &Path, peers: &dyn Peers) -> Result<usize> {
    let storage = Storage::open(path, storage_options(config, OpenMode::MustExist))?;
    let missing = storage.missing_segments()?;
    if missing.is_empty() {
        return Ok(0);
    }
    let directory = config.storage.cold.path.clone().unwrap_or_else(|| path.join(COLD));
    let mut files = Files {
        storage: &storage,
        peers,
        second: Second::open(&config.storage.cold, &config.name)?,
        fetcher: Fetcher::new(directory, config)?,
    };
    let mut left: Vec<&ColdSegment> = missing.iter().collect();
    for attempt in 1..=FILES.0 {
        let mut failed = None;
        left.retain(|segment| match files.bring(runtime, segment) {
            Ok(()) => false,
            Err(error) => {
                tracing::warn!("{error:#}");
                failed = Some(error);
                true
            }
        });
        let Some(error) = failed else { break };
        println!("cold files    {} of {} are missing", left.len(), missing.len());
        if attempt == FILES.0 {
            return Err(
                error.context(format!("{} files of cold segments did not come", left.len()))
            );
        }
        thread::sleep(FILES.1);
    }
    Ok(missing.len())
}

/// What files of cold segments come from.
struct Files<'a> {
    storage: &'a Storage,
    peers: &'a dyn Peers,
    second: Option<Second>,
    fetcher: Fetcher,
}

impl Files<'_> {
    fn bring(&mut self, runtime: &Runtime, segment: &ColdSegment) -> Result<()> {
        // What the second path cannot give, members may have.
        let own = self.fetcher.bring_from_second(self.storage, self.second.as_ref(), segment);
        if let Err(error) = &own {
            tracing::warn!("{error:#}");
        }
        if !matches!(own, Ok(true)) {
            runtime.block_on(self.fetcher.bring_from_members(self.storage, self.peers, segment))?;
        }
        println!("cold file     {}/{}", segment.run, segment.index);
        Ok(())
    }
}

/// Says how far it is, now and then.
#[derive(Default)]
struct Lines {
    last: Option<Instant>,
}

impl Lines {
    fn tell(&mut self, progress: Progress) {
        let is_due = self.last.is_none_or(|last| last.elapsed() >= LINES);
        match progress {
            Progress::Committed { groups } => {
                println!("commitment    proven: the state has {groups} groups of keys");
            }
            Progress::Listed { segments: 0 } => return,
            Progress::Listed { segments } => {
                println!("cold          proven: the state has {segments} cold segments");
            }
            Progress::Entries { groups, of } if is_due => {
                println!("groups        {groups} of {of}");
            }
            Progress::Entries { .. } => return,
        }
        self.last = Some(Instant::now());
    }
}

//! Runs a node: opens what it needs, starts it, and stops it when it is told to
//! or a part of it fails.

use crate::{
    access,
    commands::keys as key_files,
    config::Config,
    database::{open_chain_with, storage_options},
    files::FileBudget,
    keyring::KeyRing,
    ports,
    release::Needed,
    running::{Running, Startup},
};
use anyhow::Result;
use billchain_crypto::sm2::SecretKey;
use billchain_storage::{OpenMode, StorageOptions};
use std::time::Duration;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    signal::unix::{SignalKind, signal},
};

/// How much less urgent the threads of clients are to the system than those of
/// consensus: on a busy machine a vote goes first.
const CLIENT_NICENESS: i32 = 5;
/// And those of clients' requests that cost much.
const DEAR_NICENESS: i32 = 15;
/// Threads for what blocks: fewer than the requests that may wait for them.
const CLIENT_THREADS: usize = 32;
/// How long answers to clients may take when the node has stopped.
const FAREWELL: Duration = Duration::from_secs(1);

/// Runs a node until it is told to stop or a part of it fails.
pub(crate) fn run(config: Config) -> Result<()> {
    let node = Builder::new_multi_thread().thread_name("node").enable_all().build()?;
    let front = client_runtime(CLIENT_NICENESS).max_blocking_threads(CLIENT_THREADS).build()?;
    let dear = dear_runtime()?;
    let on = (front.handle().clone(), dear.handle().clone());
    let outcome = node.block_on(run_on(config, on));
    front.shutdown_timeout(FAREWELL);
    dear.shutdown_timeout(FAREWELL);
    outcome
}

/// A runtime for what clients ask, with threads of its own for what blocks, less
/// urgent by `niceness`.
fn client_runtime(niceness: i32) -> Builder {
    let lower = move || {
        let thread = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(thread), niceness) {
            tracing::debug!(%error, "a client thread keeps the node's priority");
        }
    };
    let mut builder = Builder::new_multi_thread();
    builder.thread_name("clients").on_thread_start(lower).enable_all();
    builder
}

/// The runtime on whose threads the dear requests of clients run: half as many
/// as there are processors, so that quick ones find a free processor.
fn dear_runtime() -> Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let mut builder = client_runtime(DEAR_NICENESS);
    builder.thread_name("dear").worker_threads(1);
    Ok(builder.max_blocking_threads(processors.div_ceil(2)).build()?)
}

async fn run_on(config: Config, on: (Handle, Handle)) -> Result<()> {
    let mut running = Running::start(prepare(config, on)?).await?;
    tracing::info!("ready");
    let mut terminate = signal(SignalKind::terminate())?;
    let reloads = tokio::spawn(access::follow_hangup(running.access()));
    let failure = tokio::select! {
        _ = terminate.recv() => None,
        _ = tokio::signal::ctrl_c() => None,
        failure = running.first_failure() => Some(failure),
    };
    match &failure {
        None => tracing::info!("stopping"),
        Some(error) => match Needed::of(error) {
            Some((_, words)) => tracing::warn!("stopping: {words}"),
            None => tracing::error!("stopping: {error:#}"),
        },
    }
    reloads.abort();
    let stopped = running.stop().await;
    match failure {
        // What stopping says then follows from it.
        Some(error) => Err(error),
        None => stopped,
    }
}

/// Opens the chain and the keys, and checks what would fail later.
fn prepare(config: Config, (front, dear): (Handle, Handle)) -> Result<Startup> {
    let files = FileBudget::of_process(config.rpc.max_connections)?;
    files.report(config.rpc.max_connections);
    let options = StorageOptions {
        max_open_files: files.tables,
        ..storage_options(&config, OpenMode::CreateIfMissing)
    };
    let (spec, chain) = open_chain_with(&config, options)?;
    chain.ensure_rules()?;
    let network_key = key_files::load_network(&config.keys.network)?;
    let (ring, keys) = KeyRing::open(&config)?;
    let local_id = network_key.public().to_peer_id();
    ports::check(&config)?;
    tracing::info!(
        chain = %spec.id, genesis = %chain.genesis_hash(), height = chain.head().number,
        peer = %local_id, rpc = %config.rpc.listen, metrics = %config.metrics_listen,
        "starting"
    );
    Ok(Startup { config, spec, chain, network_key, ring, keys, files, front, dear })
}

/// The key that the configuration names, if it names one.
pub(crate) fn validator_key(config: &Config) -> Result<Option<SecretKey>> {
    let Some(file) = &config.keys.consensus else { return Ok(None) };
    let password = key_files::Password { password_file: config.keys.password_file.clone() };
    key_files::load_sm2(file, &password.read(&file.display().to_string())?).map(Some)
}

//! The worker's process: its bounds, its watchdog, and its end.
//!
//! A node starts it with [`crate::supervisor`]; it can be started by hand, too. It writes a
//! pulse each second as a line of JSON, and ends when its standard input ends: so it does not
//! outlive the node that started it.

use crate::{
    connector::{Making, Registry},
    engine::{End, Engine, Parts},
    http::Http,
    journal::Journal,
    node::Node,
    settings::WorkerFile,
    store::Store,
    tools::{SystemClock, Tools},
};
use billchain_rpc_types::PulseView;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{
    io::{Read, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Exit code of a worker whose connector does not come back.
pub const STUCK: u8 = 71;
/// Exit code of a worker whose own loop stands still.
pub const STILL: u8 = 72;
/// Exit code of a worker whose connector was changed on the chain: it is built anew.
pub const CHANGED: u8 = 73;
/// Exit code of a worker whose settings cannot be used.
pub const UNUSABLE: u8 = 78;

/// How long the loop may stand still.
const WATCH: Duration = Duration::from_secs(20);
/// How often a node that is not there is tried.
const TRY: Duration = Duration::from_millis(500);

/// What a process is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The operator's worker file.
    pub file: PathBuf,
    /// The connector's endpoint.
    pub endpoint: String,
    /// The node's JSON-RPC.
    pub node: String,
    /// Whether it ends when its standard input ends.
    pub follows_input: bool,
}

/// Runs a worker until it ends; its exit code and why.
pub fn run(options: Options, registry: &Registry) -> (u8, String) {
    let problem = |words: String| (UNUSABLE, words);
    let file = match WorkerFile::load(&options.file) {
        Ok(file) => file,
        Err(error) => return problem(error.to_string()),
    };
    let Some(settings) = file.connector(&options.endpoint) else {
        let words = format!("{}: no connector {:?}", options.file.display(), options.endpoint);
        return problem(words);
    };
    if let Err(error) = bound(settings.memory_mib) {
        return problem(format!("the bounds of the process: {error}"));
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return problem(error.to_string()),
    };
    let (stopper, stop) = tokio::sync::watch::channel(false);
    if options.follows_input {
        thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            let _ = stopper.send(true);
        });
    } else {
        runtime.spawn(async move {
            let _ = tokio::signal::ctrl_c().await;
            let _ = stopper.send(true);
        });
    }
    let ended = runtime.block_on(work(&options, settings, registry, stop));
    // A thread that a connector blocks is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(End::Stopped) => (0, "stopped".to_owned()),
        Ok(End::Stuck(what)) => (STUCK, End::Stuck(what).to_string()),
        Ok(End::Changed) => (CHANGED, End::Changed.to_string()),
        Ok(End::Store(error)) => (1, error.to_string()),
        Err(words) => problem(words),
    }
}

/// What the system outside answered to an entry, from the store of a worker that does not run;
/// `None`: the store has it not, or no longer.
pub fn answer(file: &WorkerFile, endpoint: &str, seq: u64) -> Result<Option<Vec<u8>>, String> {
    let settings = file.connector(endpoint);
    let settings = settings.ok_or_else(|| format!("no connector {endpoint:?} in the file"))?;
    let path = settings.store.unwrap_or_default();
    if !path.exists() {
        return Err(format!("{}: there is no such store", path.display()));
    }
    let store = Store::open(&path, "work").map_err(|error| error.to_string())?;
    Journal::new(store).answer(seq).map_err(|error| error.to_string())
}

/// Bounds the process: its memory, its files, and that it writes no dump.
fn bound(memory_mib: u64) -> rustix::io::Result<()> {
    let limit = |most| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Data, limit(memory_mib << 20))?;
    setrlimit(Resource::Core, limit(0))?;
    setrlimit(Resource::Nofile, limit(1_024))
}

async fn work(
    options: &Options,
    settings: crate::settings::WorkerSettings,
    registry: &Registry,
    mut stop: tokio::sync::watch::Receiver<bool>,
) -> Result<End, String> {
    let key = settings.secret().map_err(|error| error.to_string())?;
    let beat = Arc::new(AtomicU64::new(0));
    let (node, view, did) = loop {
        match Node::open(&options.node, &options.endpoint, &key).await {
            Ok(Some(found)) => break found,
            Ok(None) => pulse(&waiting("no connector on the chain has this endpoint")),
            Err(error) => pulse(&waiting(&error.to_string())),
        }
        tokio::select! {
            () = tokio::time::sleep(TRY) => {}
            _ = stop.changed() => return Ok(End::Stopped),
        }
    };
    let build = registry.get(&view.format).ok_or_else(|| {
        let known: Vec<_> = registry.formats().collect();
        format!("format {}: expected one of {}", view.format, known.join(", "))
    })?;
    let path = settings.store.clone().unwrap_or_default();
    let store = Store::open(&path, "work").map_err(|error| error.to_string())?;
    let node = Arc::new(node);
    let tools = Tools {
        http: Http::new(settings.http.clone()).map_err(|error| error.to_string())?,
        store: store.part("connector").map_err(|error| error.to_string())?,
        chain: node.clone(),
        key,
        clock: Arc::new(SystemClock),
    };
    let connector = build(Making {
        connector: view.connector,
        kind: view.kind,
        endpoint: view.endpoint.clone(),
        settings: settings.settings.clone(),
        tools: Arc::new(tools),
    })?;
    watch(beat.clone());
    let parts = Parts {
        node,
        view,
        did,
        connector: Arc::from(connector),
        journal: Journal::new(store),
        settings,
        beat,
        pulses: Box::new(pulse),
    };
    match Engine::new(parts) {
        Ok(engine) => Ok(engine.run(stop).await),
        Err(error) => Ok(End::Store(error)),
    }
}

fn waiting(why: &str) -> PulseView {
    let last_error = Some(why.chars().take(300).collect());
    PulseView { circuit: "closed".into(), last_error, ..PulseView::default() }
}

/// Writes a pulse. Whoever reads them may be gone.
fn pulse(pulse: &PulseView) {
    if let Ok(line) = serde_json::to_string(pulse) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// Ends the process when the loop stands still: then it cannot end itself.
fn watch(beat: Arc<AtomicU64>) {
    thread::spawn(move || {
        let mut last = beat.load(Ordering::Relaxed);
        loop {
            thread::sleep(WATCH);
            let now = beat.load(Ordering::Relaxed);
            if now == last {
                let _ = writeln!(std::io::stderr(), "billchain: the worker stands still");
                std::process::exit(STILL.into());
            }
            last = now;
        }
    });
}

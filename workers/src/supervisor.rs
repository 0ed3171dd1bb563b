//! Keeps the workers' processes of a node running: starts them, listens to their pulses,
//! kills what does not come back, starts again after a while, and counts.
//!
//! Nothing of a worker's runs in the node: what it says is a bounded line of JSON, which is
//! shown and counted and never believed.

use crate::{backoff::Backoff, process};
use billchain_rpc_types::{PulseView, WorkerView};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

/// Without a pulse for so long a process is killed.
const SILENCE: Duration = Duration::from_secs(30);
/// Longest line of a pulse, in bytes.
const LINE: u64 = 16 << 10;
/// A process that ran so long is started again at once.
const HEALTHY: Duration = Duration::from_secs(60);

/// How processes are started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// The operator's worker file.
    pub file: PathBuf,
    /// The node's JSON-RPC.
    pub node: String,
}

impl Launch {
    fn command(&self, endpoint: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["worker", "run", "--follow-input", "--file"])
            .arg(&self.file)
            .args(["--node", &self.node, "--endpoint", endpoint])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// What is known of the workers, by endpoint. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Workers(Arc<Mutex<BTreeMap<String, WorkerView>>>);

impl Workers {
    /// The worker of an endpoint.
    pub fn get(&self, endpoint: &str) -> Option<WorkerView> {
        self.0.lock().get(endpoint).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<(String, WorkerView)> {
        self.0.lock().iter().map(|(endpoint, view)| (endpoint.clone(), view.clone())).collect()
    }

    fn change(&self, endpoint: &str, change: impl FnOnce(&mut WorkerView)) {
        change(self.0.lock().entry(endpoint.to_owned()).or_default());
    }
}

/// The running workers of a node.
#[derive(Debug)]
pub struct Supervisor {
    workers: Workers,
    tasks: Vec<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts a process for each endpoint, on the runtime at hand.
    pub fn start(launch: &Launch, endpoints: Vec<String>) -> Self {
        let workers = Workers::default();
        let keep = |endpoint: String| {
            workers.change(&endpoint, |view| view.state = "starting".into());
            tokio::spawn(keep_running(launch.clone(), endpoint, workers.clone()))
        };
        let tasks = endpoints.into_iter().map(keep).collect();
        Self { workers, tasks }
    }

    /// What is known of them.
    pub fn workers(&self) -> Workers {
        self.workers.clone()
    }

    /// Kills them all.
    pub fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn keep_running(launch: Launch, endpoint: String, workers: Workers) {
    let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
    let mut failures = 0_u32;
    loop {
        let began = Instant::now();
        let reason = match launch.command(&endpoint).spawn() {
            Ok(child) => {
                workers.change(&endpoint, |view| {
                    view.state = "starting".into();
                    view.pid = child.id();
                    view.starts += 1;
                });
                follow(child, &endpoint, &workers).await
            }
            Err(error) => format!("not started: {error}"),
        };
        tracing::warn!(endpoint, reason, "a worker ended");
        workers.change(&endpoint, |view| {
            view.state = "stopped".into();
            view.pid = None;
            view.pulse = None;
            let kind = reason.split(':').next().unwrap_or_default().to_owned();
            *view.ends.entry(kind).or_default() += 1;
            view.last_end = Some(reason.clone());
        });
        failures = if began.elapsed() > HEALTHY { 1 } else { failures.saturating_add(1) };
        tokio::time::sleep(backoff.pause(failures)).await;
    }
}

/// Listens to a process until it ends; why it did.
async fn follow(mut child: Child, endpoint: &str, workers: &Workers) -> String {
    let Some(output) = child.stdout.take() else { return "not started: no output".into() };
    // Held: the process ends when it is dropped.
    let input = child.stdin.take();
    let mut lines = BufReader::new(output);
    let ended = loop {
        let mut line = Vec::new();
        let read = async { (&mut lines).take(LINE).read_until(b'\n', &mut line).await };
        match tokio::time::timeout(SILENCE, read).await {
            Ok(Ok(0) | Err(_)) => break None,
            Ok(Ok(_)) => on_line(&line, endpoint, workers),
            Err(_) => break Some("silent: it gave no pulse"),
        }
    };
    drop(input);
    if let Some(reason) = ended {
        workers.change(endpoint, |view| view.state = "stuck".into());
        let _ = child.kill().await;
        return reason.to_owned();
    }
    match tokio::time::timeout(SILENCE, child.wait()).await {
        Ok(Ok(status)) => words(status),
        Ok(Err(error)) => format!("lost: {error}"),
        Err(_) => {
            let _ = child.kill().await;
            "silent: it closed its output and did not end".to_owned()
        }
    }
}

fn on_line(line: &[u8], endpoint: &str, workers: &Workers) {
    let Ok(pulse) = serde_json::from_slice::<PulseView>(line) else { return };
    let state = if pulse.holds_lease { "working" } else { "standing_by" };
    workers.change(endpoint, |view| {
        view.state = state.into();
        view.pulse = Some(pulse);
    });
}

/// Why a process ended, its kind first.
fn words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    match (code, status.signal()) {
        (Some(0), _) => "stopped: it ended by itself".into(),
        (Some(process::STUCK), _) => "stuck: the connector did not come back".into(),
        (Some(process::STILL), _) => "stuck: its loop stood still".into(),
        (Some(process::CHANGED), _) => "changed: the connector's terms are others now".into(),
        (Some(process::UNUSABLE), _) => "unusable: its settings, as it said itself".into(),
        // Memory that it may not have ends a Rust program so.
        (_, Some(6)) => "aborted: it had no more memory, or a panic within a panic".into(),
        (_, Some(9)) => "killed: by signal 9".into(),
        (_, Some(signal)) => format!("signal: {signal}"),
        (code, None) => format!("failed: exit code {code:?}"),
    }
}

#[cfg(test)]
mod tests;

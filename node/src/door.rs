//! The operator's door: a socket in the data directory, by which commands on the same
//! machine ask a node that runs for what nobody else may ask.
//!
//! Only the user that the node runs as, and root, can open it: by the permissions of
//! the file, and by what the system says of who connects. One message a line, JSON:
//! a [`Request`], an [`Answer`]. A stage of files lasts as long as its connection; the
//! cold segments are told at once.

use crate::{
    cold::{keeper::Watch, report::ColdReport},
    config::Config,
    snapshot::{copies::Places, manifest::Subject},
};
use anyhow::{Context, Result, bail};
use billchain_executor::Chain;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, Permissions},
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    os::{
        fd::AsRawFd,
        unix::{fs::PermissionsExt, net::UnixStream as Stream},
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader as Buffered},
    net::{UnixListener, UnixStream},
    sync::{Mutex, Semaphore},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Connections at once.
const PLACES: usize = 4;
/// Bytes of a request, at most.
const MAX_REQUEST: u64 = 256;
/// Bytes of an answer, at most: those of all segments that are told.
const MAX_ANSWER: u64 = 4 << 20;
/// How long a connection may take for its request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the node may take to make a stage.
const MAKING: Duration = Duration::from_secs(600);
/// How long a stage lasts at most: its files take disk while the chain goes on.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Longest path that the system takes for a socket.
const MAX_PATH: usize = 100;
/// Pause after a connection could not be taken, for lack of open files for instance.
const PAUSE: Duration = Duration::from_secs(1);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Request {
    /// Copies of the files at one height, for as long as the connection lasts.
    Stage,
    /// They were read.
    Done,
    /// They were read, and a snapshot keeps them.
    Kept,
    /// The cold segments.
    Cold,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Answer {
    /// The copies are there, of this block.
    Staged(Box<Subject>),
    /// They were there until now.
    Stayed,
    /// The cold segments.
    Cold(Box<ColdReport>),
    /// Why not.
    Refused(String),
}

/// What the door counts.
#[derive(Clone, Default)]
struct DoorMetrics {
    stages: Counter,
    height: Gauge,
    time: Gauge,
}

impl DoorMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "snapshots",
            "Copies of the data that were made for snapshots and rehearsals since start",
            self.stages.clone(),
        );
        registry.register(
            "snapshot_height",
            "Height of the newest of these copies, 0 before the first",
            self.height.clone(),
        );
        registry.register(
            "snapshot_time_seconds",
            "When it was made, in seconds since 1970, 0 before the first",
            self.time.clone(),
        );
    }

    fn made(&self, height: u32) {
        self.stages.inc();
        self.height.set(height.into());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.time.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    }
}

/// The socket.
pub(crate) fn path(config: &Config) -> PathBuf {
    config.data_dir.join("door")
}

/// The socket's path in a form that is short enough; `File` keeps it valid.
fn short(path: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(ErrorKind::InvalidInput.into());
    };
    if path.as_os_str().len() <= MAX_PATH {
        return Ok((path.to_owned(), None));
    }
    let directory = File::open(parent)?;
    let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
    Ok((short, Some(directory)))
}

// -- the node -----------------------------------------------------------------

/// Opens the door of a node, whose data directory this process holds. A node without
/// a door can do all that the chain needs: why there is none is only logged.
pub(crate) fn start(
    config: &Config,
    chain: &Chain,
    cold: Watch,
    registry: &mut Registry,
) -> Option<JoinHandle<()>> {
    let metrics = DoorMetrics::default();
    metrics.register(registry);
    let staging = Places::of(config);
    match staging.remove().and_then(|()| bind(&path(config))) {
        Ok(listener) => {
            let (chain, one) = (chain.clone(), Mutex::new(()));
            let door = Door { chain, cold, staging, one, metrics };
            Some(tokio::spawn(serve(listener, Arc::new(door))))
        }
        Err(error) => {
            tracing::warn!("no snapshot can be made of the running node: {error:#}");
            None
        }
    }
}

fn bind(path: &Path) -> Result<UnixListener> {
    let make = || -> io::Result<UnixListener> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (place, _directory) = short(path)?;
        let listener = UnixListener::bind(place)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    make().with_context(|| format!("cannot open the socket {}", path.display()))
}

struct Door {
    chain: Chain,
    cold: Watch,
    staging: Places,
    /// One stage at a time.
    one: Mutex<()>,
    metrics: DoorMetrics,
}

async fn serve(listener: UnixListener, door: Arc<Door>) {
    let places = Arc::new(Semaphore::new(PLACES));
    loop {
        // Nobody closes the semaphore.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let door = door.clone();
                tokio::spawn(async move {
                    if let Err(error) = door.hear(stream).await {
                        tracing::debug!("at the door: {error:#}");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the door could not be taken");
                sleep(PAUSE).await;
            }
        }
    }
}

impl Door {
    async fn hear(&self, stream: UnixStream) -> Result<()> {
        let user = stream.peer_cred()?.uid();
        let own = rustix::process::geteuid().as_raw();
        let (input, mut output) = stream.into_split();
        let mut input = Buffered::new(input);
        if user != own && user != 0 {
            let reason = format!("user {user} is neither the node's ({own}) nor root");
            return say(&mut output, &Answer::Refused(reason)).await;
        }
        match timeout(PATIENCE, request(&mut input)).await? {
            Ok(Some(Request::Stage)) => {}
            Ok(Some(Request::Cold)) => return say(&mut output, &self.cold().await).await,
            Ok(_) => bail!("nothing was asked for"),
            Err(error) => {
                let reason =
                    format!("expected \"stage\" or \"cold\" in one line of JSON: {error:#}");
                return say(&mut output, &Answer::Refused(reason)).await;
            }
        }
        let Ok(_one) = self.one.try_lock() else {
            let reason = "another snapshot or rehearsal reads the node's files: wait for its end";
            return say(&mut output, &Answer::Refused(reason.into())).await;
        };
        let answer = match self.stage().await {
            Ok(subject) => Answer::Staged(Box::new(subject)),
            Err(error) => Answer::Refused(format!("{error:#}")),
        };
        let staged = matches!(answer, Answer::Staged(_));
        let mut outcome = say(&mut output, &answer).await;
        if staged && outcome.is_ok() {
            // Whatever ends the connection ends the stage.
            let last = timeout(LONGEST, request(&mut input)).await;
            if let (Ok(Ok(Some(Request::Kept))), Answer::Staged(subject)) = (&last, &answer) {
                self.note_held(subject.height).await?;
            }
            if let Ok(Ok(Some(Request::Done | Request::Kept))) = last {
                outcome = say(&mut output, &Answer::Stayed).await;
            }
        }
        let staging = self.staging.clone();
        tokio::task::spawn_blocking(move || staging.remove()).await??;
        outcome
    }

    /// The cold segments, and what their thread fails at.
    async fn cold(&self) -> Answer {
        let chain = self.chain.clone();
        let read = tokio::task::spawn_blocking(move || ColdReport::of(chain.storage())).await;
        match read.map_err(anyhow::Error::from).and_then(|read| Ok(read?)) {
            Ok(report) => {
                Answer::Cold(Box::new(ColdReport { failing: self.cold.failing(), ..report }))
            }
            Err(error) => Answer::Refused(format!("{error:#}")),
        }
    }

    /// The chain's old blocks may go that a snapshot holds.
    async fn note_held(&self, height: u32) -> Result<()> {
        let chain = self.chain.clone();
        tokio::task::spawn_blocking(move || chain.storage().note_held(height)).await??;
        Ok(())
    }

    async fn stage(&self) -> Result<Subject> {
        let (chain, staging) = (self.chain.clone(), self.staging.clone());
        let subject = tokio::task::spawn_blocking(move || staging.make(&chain)).await??;
        self.metrics.made(subject.height);
        tracing::info!(height = subject.height, "copies of the data were made at the door");
        Ok(subject)
    }
}

/// The next line; `None` at the end.
async fn request(input: &mut Buffered<tokio::net::unix::OwnedReadHalf>) -> Result<Option<Request>> {
    let mut line = Vec::new();
    input.take(MAX_REQUEST).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

async fn say(output: &mut tokio::net::unix::OwnedWriteHalf, answer: &Answer) -> Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    Ok(timeout(PATIENCE, output.write_all(&line)).await??)
}

// -- the command --------------------------------------------------------------

/// A stage that a node keeps for us.
pub(crate) struct Lease {
    stream: BufReader<Stream>,
}

/// Connects to the node of this configuration; `None` if none runs.
fn connect(config: &Config) -> Result<Option<Lease>> {
    let path = path(config);
    let connected = short(&path).and_then(|(place, _directory)| Stream::connect(place));
    let opened = match connected {
        Err(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
        {
            return Ok(None);
        }
        opened => opened.and_then(|stream| {
            stream.set_read_timeout(Some(MAKING))?;
            Ok(Lease { stream: BufReader::new(stream) })
        }),
    };
    opened.map(Some).with_context(|| at(config))
}

/// What people call the socket.
fn at(config: &Config) -> String {
    format!("the node's socket {}", path(config).display())
}

/// Asks the node of this configuration for a stage; `None` if none runs.
pub(crate) fn ask(config: &Config) -> Result<Option<(Lease, Subject)>> {
    let Some(mut lease) = connect(config)? else { return Ok(None) };
    match lease.ask(Request::Stage).with_context(|| at(config))? {
        Answer::Staged(subject) => Ok(Some((lease, *subject))),
        Answer::Refused(reason) => bail!("the node refused: {reason}"),
        Answer::Stayed | Answer::Cold(_) => bail!("{} answers out of turn", at(config)),
    }
}

/// Asks the node of this configuration for its cold segments; `None` if none runs.
pub(crate) fn ask_cold(config: &Config) -> Result<Option<ColdReport>> {
    let Some(mut lease) = connect(config)? else { return Ok(None) };
    match lease.ask(Request::Cold).with_context(|| at(config))? {
        Answer::Cold(report) => Ok(Some(*report)),
        Answer::Refused(reason) => bail!("the node refused: {reason}"),
        Answer::Stayed | Answer::Staged(_) => bail!("{} answers out of turn", at(config)),
    }
}

impl Lease {
    fn ask(&mut self, request: Request) -> Result<Answer> {
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        let mut answer = Vec::new();
        (&mut self.stream).take(MAX_ANSWER).read_until(b'\n', &mut answer)?;
        serde_json::from_slice(&answer).context("an answer that this program does not know")
    }

    /// Ends it; whether the files stayed until now. `is_kept`: a snapshot has them.
    pub(crate) fn end(mut self, is_kept: bool) -> Result<bool> {
        let last = if is_kept { Request::Kept } else { Request::Done };
        Ok(matches!(self.ask(last), Ok(Answer::Stayed)))
    }
}

#[cfg(test)]
mod tests;

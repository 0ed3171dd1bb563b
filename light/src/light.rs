//! The client: several servers, what is known, and the file that keeps it.

use crate::{
    Accepted, Failure, FileError, Knowledge, Lie, NoCertificate,
    file::{keep, load},
    server::Server,
    walk::{Descent, Step},
};
use billchain_client::ClientError;
use billchain_primitives::Hash;
use billchain_verifier::{Block, Digest};
use futures::{StreamExt, future::try_join_all, stream::FuturesUnordered};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::Mutex,
    task::spawn_blocking,
    time::{sleep, timeout},
};

/// How long a server may take to show its head with the way to it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a server may take to show a checkpoint with the way from it.
const BEGIN: Duration = Duration::from_secs(300);
/// How long one server alone is asked for a certificate; then the next one is asked, too.
const HEAD_START: Duration = Duration::from_secs(1);
/// Age of the newest block from which on it counts as old, in milliseconds: an idle chain makes
/// a block every few seconds.
const OLD_MS: i64 = 60_000;

/// What a user says of the client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Nodes' JSON-RPC.
    pub servers: Vec<String>,
    /// Hash of the chain's genesis, from somewhere that the user trusts.
    pub genesis: Digest,
    /// Hash of a later block that the user trusts: the client begins there.
    pub checkpoint: Option<Digest>,
    /// The state file.
    pub state: PathBuf,
    /// How many blocks a certificate may be behind the newest known one.
    pub behind: u32,
}

/// Why a client cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Begin {
    /// There is no server to ask.
    #[error("no server is named")]
    NoServer,
    /// An address of a server cannot be used.
    #[error(transparent)]
    Url(#[from] ClientError),
    /// The state file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// No server showed the block that is trusted.
    #[error("no server showed the trusted block: {}", .0.join("; "))]
    NoStart(Vec<String>),
}

/// A certificate that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its bytes.
    pub certificate: Vec<u8>,
    /// What it was accepted for.
    pub accepted: Accepted,
    /// The newest known block.
    pub head: Block,
    /// Who gave it.
    pub server: String,
}

/// Where the client stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Hash of the chain's genesis.
    pub genesis: Hash,
    /// The block that the user trusts.
    pub start: BlockStatus,
    /// The newest known block.
    pub head: BlockStatus,
    /// Time by the chain, in milliseconds since 1970, of the newest block whose state a server
    /// proved: the head, or shortly before it. Null before a server was followed.
    pub head_time: Option<u64>,
    /// By how much this machine's clock is ahead of that, in milliseconds.
    pub head_age: Option<i64>,
    /// Whether the newest block is older than a minute: the chain stands still, or every server
    /// keeps newer blocks back, or this machine's clock is ahead. Which, nobody can tell from
    /// here.
    pub is_old: bool,
    /// How many validators decide the next block.
    pub validators: usize,
    /// The block that named them.
    pub validators_named_in: BlockStatus,
    /// How many blocks are kept to tell a fork.
    pub known_blocks: usize,
    /// The evidence of a fork.
    pub fork: Option<ForkStatus>,
    /// The servers, in the order given.
    pub servers: Vec<ServerStatus>,
}

/// Names a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BlockStatus {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: Hash,
}

impl From<Block> for BlockStatus {
    fn from(block: Block) -> Self {
        Self { number: block.number, hash: block.hash.into() }
    }
}

/// Two decided blocks of one height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForkStatus {
    /// The height.
    pub number: u32,
    /// Both decided headers, `0x` hex.
    pub headers: [String; 2],
}

/// What is remembered of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerStatus {
    /// Where it is.
    pub url: String,
    /// Number of its newest block that was shown to be one.
    pub head: Option<u32>,
    /// How often it lied since the client runs.
    pub lies: u64,
    /// Its last lie.
    pub lie: Option<String>,
    /// What was wrong the last time; null if it was of use.
    pub failure: Option<String>,
}

/// A light client.
pub struct Light {
    servers: Vec<Server>,
    knowledge: Arc<Mutex<Knowledge>>,
    state: PathBuf,
    behind: u32,
}

impl Light {
    /// Goes on from the state file, or begins: asks servers for the trusted block.
    ///
    /// # Errors
    /// The file cannot be used, or no server shows the trusted block.
    pub async fn open(settings: &Settings) -> Result<Self, Begin> {
        let Settings { servers, genesis, checkpoint, state, behind } = settings;
        if servers.is_empty() {
            return Err(Begin::NoServer);
        }
        let servers: Vec<Server> =
            servers.iter().map(|url| Server::new(url)).collect::<Result<_, _>>()?;
        let knowledge = match load(state)? {
            Some(known) => {
                fits(&known, genesis, checkpoint.as_ref(), state)?;
                known
            }
            None => {
                let trusted = checkpoint.unwrap_or(*genesis);
                let begun = begin(&servers, *genesis, trusted).await?;
                keep(state, &begun.to_bytes())?;
                begun
            }
        };
        let knowledge = Arc::new(Mutex::new(knowledge));
        Ok(Self { servers, knowledge, state: state.clone(), behind: *behind })
    }

    /// Asks all servers for their heads, at once. What is wrong with one is remembered.
    ///
    /// # Errors
    /// What became known could not be kept.
    pub async fn follow(&self) -> Result<(), FileError> {
        try_join_all(self.servers.iter().map(|server| self.look_at(server))).await.map(drop)
    }

    /// Asks each server for its head again and again, with so much time between: one that is
    /// slow keeps nobody from following the others.
    ///
    /// # Errors
    /// What became known could not be kept. It ends with nothing else.
    pub async fn follow_on(&self, every: Duration) -> Result<(), FileError> {
        let followed = self.servers.iter().map(|server| self.look_on(server, every));
        try_join_all(followed).await.map(drop)
    }

    async fn look_on(&self, server: &Server, every: Duration) -> Result<(), FileError> {
        loop {
            self.look_at(server).await?;
            sleep(every).await;
        }
    }

    async fn look_at(&self, server: &Server) -> Result<(), FileError> {
        match self.follow_one(server).await {
            Ok(()) => {}
            Err(Failure::File(error)) => return Err(error),
            Err(failure) => server.failed(&failure),
        }
        Ok(())
    }

    async fn follow_one(&self, server: &Server) -> Result<(), Failure> {
        let known = {
            let known = self.knowledge.lock().await;
            if known.fork().is_some() {
                // Nothing is learned any more, and no server is to blame for that.
                return Ok(());
            }
            known.validators().named_in().number
        };
        let update = timeout(PATIENCE, server.update(known)).await;
        let update = update.map_err(|_| Failure::Slow(PATIENCE))??;
        let head = self.learn(move |known| known.apply(&update)).await?;
        server.showed(head.number);
        Ok(())
    }

    /// Judges something with what is known, and keeps what became known by it.
    async fn learn<T: Send + 'static>(
        &self,
        judge: impl FnOnce(&mut Knowledge) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut known = self.knowledge.clone().lock_owned().await;
        if let Some(fork) = known.fork() {
            return Err(Failure::Forked(Box::new(fork.clone())));
        }
        let path = self.state.clone();
        // Signatures take milliseconds, and the disk may take longer. Whoever waits may go away:
        // the next one waits for the disk all the same.
        let judged = spawn_blocking(move || {
            let mut after = known.clone();
            let judged = judge(&mut after);
            if after != *known {
                keep(&path, &after.to_bytes())?;
                *known = after;
            }
            Ok::<_, FileError>(judged)
        });
        let judged =
            judged.await.expect("a judgement does not panic, and nobody aborts it; qed")?;
        if let Err(Failure::Forked(fork)) = &judged {
            tracing::error!(height = fork.number, "FORK: two blocks of one height are decided");
        }
        judged
    }

    /// A certificate of a bill, or that there is no such bill: the first that a server gives, that
    /// holds and is not old. Those that lied lately are asked last. One that does not answer at
    /// once is waited for while the next one is asked.
    ///
    /// # Errors
    /// No server gave one; or a fork is known.
    pub async fn certificate(&self, code: &str, number: &str) -> Result<Answer, NoCertificate> {
        if let Some(fork) = self.knowledge.lock().await.fork() {
            return Err(NoCertificate::Forked(Box::new(fork.clone())));
        }
        let mut others = self.in_order().into_iter();
        let mut asked = FuturesUnordered::new();
        let mut refused = Vec::new();
        loop {
            if let Some(server) = others.next() {
                asked.push(self.ask(server, code, number));
            }
            // Each question has an end of its own.
            let answer = match others.len() {
                0 => asked.next().await,
                _ => match timeout(HEAD_START, asked.next()).await {
                    Ok(answer) => answer,
                    Err(_) => continue,
                },
            };
            match answer {
                None => return Err(NoCertificate::None { refused }),
                Some((_, Ok(answer))) => return Ok(answer),
                Some((_, Err(Failure::File(error)))) => return Err(error.into()),
                Some((server, Err(failure))) => {
                    server.failed(&failure);
                    if let Failure::Forked(fork) = failure {
                        return Err(NoCertificate::Forked(fork));
                    }
                    let words = server.record().failure.unwrap_or_default();
                    refused.push(format!("{}: {words}", server.url));
                }
            }
        }
    }

    /// What a server gives, and which one.
    async fn ask<'a>(
        &self,
        server: &'a Server,
        code: &str,
        number: &str,
    ) -> (&'a Server, Result<Answer, Failure>) {
        (server, self.certificate_of(server, code, number).await)
    }

    /// The servers, the best to ask first.
    fn in_order(&self) -> Vec<&Server> {
        let mut servers: Vec<&Server> = self.servers.iter().collect();
        servers.sort_by_cached_key(|server| {
            let record = server.record();
            (record.is_shunned(), record.failure.is_some(), u32::MAX - record.head.unwrap_or(0))
        });
        servers
    }

    async fn certificate_of(
        &self,
        server: &Server,
        code: &str,
        number: &str,
    ) -> Result<Answer, Failure> {
        // What it has newer than what is known comes first: an old certificate is then told.
        self.follow_one(server).await?;
        // Others may teach newer validators meanwhile: what was asked for is then as good.
        let checkpoint = self.knowledge.lock().await.checkpoint().hash;
        let certificate = server.certificate(code, number, &checkpoint).await?;
        let accepted = match self.accept(&certificate, code, number, checkpoint).await {
            // The validators may have changed since.
            Err(Failure::Lie(Lie::NotDecided { .. })) => {
                self.follow_one(server).await?;
                self.accept(&certificate, code, number, checkpoint).await?
            }
            accepted => accepted?,
        };
        let head = self.knowledge.lock().await.head();
        Ok(Answer { certificate, accepted, head, server: server.url.clone() })
    }

    async fn accept(
        &self,
        certificate: &[u8],
        code: &str,
        number: &str,
        checkpoint: Digest,
    ) -> Result<Accepted, Failure> {
        let (certificate, behind) = (certificate.to_vec(), self.behind);
        let (code, number) = (code.to_owned(), number.to_owned());
        self.learn(move |known| {
            known.accept(&certificate, (code.as_str(), number.as_str()), &checkpoint, behind)
        })
        .await
    }

    /// Where the client stands.
    pub async fn status(&self) -> Status {
        let known = self.knowledge.lock().await.clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let head_age =
            known.time().map(|time| now.saturating_sub(i64::try_from(time).unwrap_or(i64::MAX)));
        let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        Status {
            genesis: known.genesis().into(),
            start: known.start().into(),
            head: known.head().into(),
            head_time: known.time(),
            head_age,
            is_old: head_age.is_none_or(|age| age > OLD_MS),
            validators: known.validators().count(),
            validators_named_in: known.validators().named_in().into(),
            known_blocks: known.known(),
            fork: known.fork().map(|fork| ForkStatus {
                number: fork.number,
                headers: [hex(&fork.first), hex(&fork.second)],
            }),
            servers: self.servers.iter().map(status_of).collect(),
        }
    }
}

fn status_of(server: &Server) -> ServerStatus {
    let record = server.record();
    ServerStatus {
        url: server.url.clone(),
        head: record.head,
        lies: record.lies,
        lie: record.lie,
        failure: record.failure,
    }
}

/// That a state file is of this chain, and began at this checkpoint if one is named.
fn fits(
    known: &Knowledge,
    genesis: &Digest,
    checkpoint: Option<&Digest>,
    state: &Path,
) -> Result<(), FileError> {
    let other = |what: &str, found: Digest, expected: &Digest| FileError::Other {
        path: state.to_owned(),
        found: format!("{what} {:?}", Hash::from(found)),
        expected: format!("{:?}", Hash::from(*expected)),
    };
    if known.genesis() != *genesis {
        return Err(other("the chain with genesis", known.genesis(), genesis));
    }
    match checkpoint {
        Some(checkpoint) if known.start().hash != *checkpoint => {
            Err(other("a client that began at", known.start().hash, checkpoint))
        }
        _ => Ok(()),
    }
}

/// Knows the trusted block, from the first server that shows it. All are asked at once.
async fn begin(servers: &[Server], genesis: Digest, trusted: Digest) -> Result<Knowledge, Begin> {
    let mut asked: FuturesUnordered<_> =
        servers.iter().map(|server| start(server, genesis, trusted)).collect();
    let mut failures = Vec::new();
    while let Some(started) = asked.next().await {
        match started {
            Ok(known) => return Ok(known),
            Err(words) => failures.push(words),
        }
    }
    Err(Begin::NoStart(failures))
}

/// What is known by way of one server; or which one it is, and what was wrong.
async fn start(server: &Server, genesis: Digest, trusted: Digest) -> Result<Knowledge, String> {
    let begun = timeout(BEGIN, descend(server, genesis, trusted)).await;
    begun.unwrap_or(Err(Failure::Slow(BEGIN))).map_err(|failure| {
        server.failed(&failure);
        format!("{}: {}", server.url, server.record().failure.unwrap_or_default())
    })
}

async fn descend(server: &Server, genesis: Digest, trusted: Digest) -> Result<Knowledge, Failure> {
    let mut descent = Descent::new(genesis, trusted);
    loop {
        let header = server.header_of(&descent.wanted()).await?;
        match descent.take(header)? {
            Step::More(more) => descent = more,
            Step::Done(known) => return Ok(*known),
        }
    }
}

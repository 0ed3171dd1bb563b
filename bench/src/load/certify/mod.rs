//! Certificates beside the writes: some connections ask one node for certificates of bills, each
//! as fast as it answers, and every answer is checked as whoever trusts no node checks it.

mod asked;
mod check;
mod record;

pub(crate) use record::CertificateRecord;

use super::{drain::TICK, lanes::shortened, reads::Library};
use crate::workload::Chance;
use anyhow::{Context, Result, anyhow};
use asked::Asked;
use billchain_client::Connection;
use check::{Answer, Checker, Waiting};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// Share of questions that are about numbers that no bill has.
const ABSENT: f64 = 0.1;
/// Between two questions about many bills.
const TOTALS: Duration = Duration::from_secs(1);

/// What all share who ask.
pub(super) struct Shared {
    /// Bills that are final.
    pub(super) library: Arc<Mutex<Library>>,
    pub(super) seed: u64,
    /// Number of the run's first bill.
    pub(super) first: u64,
    pub(super) start: Instant,
    /// When nobody asks any more, from the start.
    pub(super) end: Duration,
}

/// Those who ask, and whoever checks.
pub(super) struct Certifier {
    askers: JoinSet<BTreeMap<String, u64>>,
    checker: Checker,
    connections: usize,
}

/// Opens `count` connections to the last node, and one more for questions about many bills; none if
/// `count` is 0.
pub(super) async fn open(nodes: &[String], count: usize) -> Result<Vec<Connection>> {
    let mut connections = Vec::new();
    let Some(url) = nodes.last().filter(|_| count > 0) else { return Ok(connections) };
    for _ in 0..=count {
        connections.push(Connection::open(url).await?);
    }
    Ok(connections)
}

impl Certifier {
    /// Asks over these connections, the last one's questions being about many bills; none if there
    /// are none.
    pub(super) fn start(mut connections: Vec<Connection>, shared: Shared) -> Option<Self> {
        let last = connections.pop()?;
        let checker = Checker::start(last.genesis().0);
        let (shared, count) = (Arc::new(shared), connections.len());
        let asker = |node| Asker {
            node,
            shared: shared.clone(),
            waiting: checker.waiting.clone(),
            failed: BTreeMap::new(),
        };
        let mut askers = JoinSet::new();
        for (number, node) in connections.into_iter().enumerate() {
            let chance = Chance::new(shared.seed, &format!("certificates {number}"));
            askers.spawn(asker(node).bills(chance));
        }
        askers.spawn(asker(last).totals());
        Some(Self { askers, checker, connections: count })
    }

    /// Waits for the last answers, and checks what is not checked yet; counted are so many seconds
    /// from a moment on.
    pub(super) async fn finish(self, counted: (f64, f64)) -> Result<CertificateRecord> {
        let Self { mut askers, checker, connections } = self;
        let mut failed: BTreeMap<String, u64> = BTreeMap::new();
        while let Some(part) = askers.join_next().await {
            for (reason, count) in part.context("an asker failed")? {
                *failed.entry(reason).or_default() += count;
            }
        }
        let checks = tokio::task::spawn_blocking(|| checker.finish()).await?;
        let checks = checks.map_err(|_| anyhow!("the thread that checks certificates failed"))?;
        let record = CertificateRecord::new(&checks, counted);
        Ok(CertificateRecord { connections, failed, ..record })
    }
}

/// One connection.
struct Asker {
    node: Connection,
    shared: Arc<Shared>,
    waiting: Arc<Waiting>,
    failed: BTreeMap<String, u64>,
}

impl Asker {
    /// Asks about one bill after the other; questions without a certificate, by reason.
    async fn bills(mut self, mut chance: Chance) -> BTreeMap<String, u64> {
        while !self.is_over() {
            let asked = if self.waiting.is_full() { None } else { self.choose(&mut chance) };
            let is_answered = match asked {
                Some(asked) => self.ask(asked).await,
                None => false,
            };
            if !is_answered {
                sleep(TICK).await;
            }
        }
        self.failed
    }

    /// Asks about many bills now and then.
    async fn totals(mut self) -> BTreeMap<String, u64> {
        let mut is_month = false;
        while !self.is_over() {
            if !self.waiting.is_full() {
                let asked = match is_month {
                    true => Asked::month(),
                    false => Asked::numbers(self.shared.first),
                };
                self.ask(asked).await;
                is_month = !is_month;
            }
            sleep(TOTALS).await;
        }
        self.failed
    }

    fn is_over(&self) -> bool {
        self.shared.start.elapsed() >= self.shared.end
    }

    /// A bill that is final or a number that none has; none if there is no final one yet.
    fn choose(&self, chance: &mut Chance) -> Option<Asked> {
        if chance.happens(ABSENT) {
            return Some(Asked::absent(self.shared.first, chance));
        }
        let library = self.shared.library.lock().expect("nobody panics with the library; qed");
        Some(Asked::Bill(library.draw(chance)?.key))
    }

    /// Whether a certificate came.
    async fn ask(&mut self, asked: Asked) -> bool {
        let at = self.shared.start.elapsed();
        match asked.ask(&self.node).await {
            Ok(certificate) => {
                let latency = self.shared.start.elapsed().saturating_sub(at);
                self.waiting.add(Answer { asked, at, latency, certificate });
                true
            }
            Err(error) => {
                *self.failed.entry(shortened(&error)).or_default() += 1;
                false
            }
        }
    }
}

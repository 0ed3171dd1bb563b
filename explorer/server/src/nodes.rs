//! Nodes, asked: certificates, which are checked here before they are handed on, and how nodes are.

use crate::{Refusal, metrics::Metrics};
use billchain_client::{Asker, ClientError};
use billchain_print::{Font, print};
use billchain_rpc_types::{ConsensusStatusView, UpgradeView};
use billchain_verifier::{MAX_BYTES, Statement, verify};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// How long a node may take for an answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// Longest answer: a certificate as hexadecimal digits.
const LONGEST: u32 = 64 << 20;
/// How long the state of the nodes is shown again.
const FRESH: Duration = Duration::from_millis(1500);
/// Certificates that are checked or printed at once.
const AT_ONCE: usize = 4;

/// A node.
struct Node {
    address: String,
    asker: Asker,
}

/// The nodes.
pub struct Nodes {
    nodes: Vec<Node>,
    genesis: [u8; 32],
    next: AtomicUsize,
    places: Semaphore,
    font: Option<Font>,
    metrics: Arc<Metrics>,
    /// Nodes whose answers were refuted.
    liars: Mutex<BTreeSet<String>>,
    shown: tokio::sync::Mutex<Option<(Instant, Seen)>>,
}

/// How nodes are.
#[derive(Clone, Default)]
pub struct Seen {
    /// Each node.
    pub nodes: Vec<NodeHealth>,
    /// What is scheduled, by a node that answers.
    pub upgrade: Option<Upgrade>,
}

/// A node, as operators see it.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct NodeHealth {
    /// Its name; its address until it has said its name.
    pub name: String,
    /// Where it is asked.
    pub address: String,
    /// Whether it answers.
    pub reachable: bool,
    /// Its newest block.
    pub height: Option<u64>,
    /// How far its newest block is behind that of the others, in ms.
    pub lag_ms: Option<u64>,
    /// Nodes that it is connected to.
    pub peers: Option<u64>,
    /// Version of its program.
    pub version: Option<String>,
    /// Rules of its newest block.
    pub rules: Option<u32>,
    /// Rules of its program.
    pub release: Option<u32>,
    /// Bytes that it can still write.
    pub disk_free: Option<u64>,
    /// Bytes of its disk.
    pub disk_total: Option<u64>,
    /// Bytes of memory of its process.
    pub memory: Option<u64>,
    /// What is wrong, in words.
    pub problem: Option<String>,
    /// Whether the index follows it.
    pub following: bool,
}

/// The upgrade that is scheduled.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Upgrade {
    /// Rules in force.
    pub rules: u32,
    /// What is scheduled.
    pub scheduled: Option<Scheduled>,
    /// Voting power that confirmed.
    pub ready: u64,
    /// All voting power.
    pub power: u64,
    /// Accounts of the operators that confirmed.
    pub confirmed: Vec<String>,
}

/// A scheduled release.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Scheduled {
    /// Its rules.
    pub spec_version: u32,
    /// The first block under them.
    pub height: u32,
}

/// A certificate that was checked.
pub struct Certificate {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Number of the block that it proves the bill at.
    pub block: u32,
    /// Whether it proves a bill, and not that there is none.
    pub present: bool,
}

impl Nodes {
    /// The nodes at these addresses, of the chain of this genesis.
    ///
    /// # Errors
    /// If an address is none.
    pub fn new(
        addresses: &[String],
        genesis: [u8; 32],
        font: Option<Font>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ClientError> {
        let node = |address: &String| {
            Ok(Node { address: address.clone(), asker: Asker::new(address, PATIENCE, LONGEST)? })
        };
        Ok(Self {
            nodes: addresses.iter().map(node).collect::<Result<_, ClientError>>()?,
            genesis,
            next: AtomicUsize::new(0),
            places: Semaphore::new(AT_ONCE),
            font,
            metrics,
            liars: Mutex::default(),
            shown: tokio::sync::Mutex::new(None),
        })
    }

    /// Nodes whose answers were refuted.
    pub fn liars(&self) -> Vec<String> {
        self.liars.lock().iter().cloned().collect()
    }

    /// The certificate of a bill, or of one of its versions, from the first node whose answer
    /// holds.
    ///
    /// # Errors
    /// If no node gives one that holds.
    pub async fn certificate(
        &self,
        code: &str,
        number: &str,
        version: Option<i64>,
    ) -> Result<Certificate, Refusal> {
        let _place = self.places.acquire().await.map_err(Refusal::internal)?;
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let mut said = Vec::new();
        for at in 0..self.nodes.len() {
            let node = &self.nodes[(start + at) % self.nodes.len()];
            let (method, mut params): (_, Vec<Value>) = match version {
                None => ("bill_certificate", vec![code.into(), number.into()]),
                Some(version) => {
                    ("bill_versionCertificate", vec![code.into(), number.into(), version.into()])
                }
            };
            params.push(Value::Null);
            match node.asker.ask::<String>(method, params).await {
                Ok(text) => match self.judged(text, code, number, version).await {
                    Ok(certificate) => return Ok(certificate),
                    Err(why) => self.refuted(node, &why, &mut said),
                },
                Err(error) => said.push(error.to_string()),
            }
        }
        Err(Refusal::node(format!("no node gives the certificate: {}", said.join("; "))))
    }

    fn refuted(&self, node: &Node, why: &str, said: &mut Vec<String>) {
        tracing::error!(node = node.address, why, "a node gave a certificate that does not hold");
        self.metrics.refuted.inc();
        self.liars.lock().insert(node.address.clone());
        said.push(format!("{}: its certificate does not hold: {why}", node.address));
    }

    async fn judged(
        &self,
        text: String,
        code: &str,
        number: &str,
        version: Option<i64>,
    ) -> Result<Certificate, String> {
        let (genesis, asked) = (self.genesis, (code.to_owned(), number.to_owned()));
        let judge = move || -> Result<Certificate, String> {
            let digits = text.strip_prefix("0x").ok_or("no hexadecimal digits")?;
            if digits.len() / 2 > MAX_BYTES {
                return Err(format!("more than {MAX_BYTES} bytes"));
            }
            let bytes = hex::decode(digits).map_err(|error| error.to_string())?;
            let proved = verify(&bytes, &genesis).map_err(|refusal| refusal.to_string())?;
            let (block, present) =
                (proved.block.number, about(&proved.statement, &asked, version)?);
            drop(proved);
            Ok(Certificate { bytes, block, present })
        };
        spawn_blocking(judge).await.map_err(|error| error.to_string())?
    }

    /// The printed form of a certificate.
    ///
    /// # Errors
    /// If it has none, or this machine has no font.
    pub async fn printed(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let _place = self.places.acquire().await.map_err(Refusal::internal)?;
        let (genesis, font) = (self.genesis, self.font()?);
        let work = move || -> Result<Vec<u8>, String> {
            let proved = verify(&bytes, &genesis).map_err(|refusal| refusal.to_string())?;
            print(&proved, &bytes, &font).map_err(|error| error.to_string())
        };
        spawn_blocking(work).await.map_err(Refusal::internal)?.map_err(Refusal::internal)
    }

    /// The font of PDFs.
    ///
    /// # Errors
    /// If this machine has none.
    pub fn font(&self) -> Result<Font, Refusal> {
        self.font.clone().ok_or_else(|| {
            Refusal::internal(
                "there is no font with Chinese characters: install fonts-noto-cjk, or set font",
            )
        })
    }

    /// How the nodes are, at most a moment ago.
    pub async fn seen(&self) -> Seen {
        let mut shown = self.shown.lock().await;
        if let Some((since, seen)) = &*shown
            && since.elapsed() < FRESH
        {
            return seen.clone();
        }
        let seen = self.look().await;
        *shown = Some((Instant::now(), seen.clone()));
        seen
    }

    async fn look(&self) -> Seen {
        let asked = self.nodes.iter().map(|node| async move {
            let status =
                node.asker.ask::<ConsensusStatusView>("consensus_status", Vec::new()).await;
            (node, status)
        });
        let told = futures::future::join_all(asked).await;
        let newest = told
            .iter()
            .filter_map(|(_, told)| told.as_ref().ok())
            .map(|status| status.chain.time)
            .max();
        let nodes = told.iter().map(|(node, told)| match told {
            Ok(status) => health(&node.address, status, newest.unwrap_or(0), &self.genesis),
            Err(error) => NodeHealth {
                name: node.address.clone(),
                address: node.address.clone(),
                problem: Some(error.to_string()),
                ..NodeHealth::default()
            },
        });
        let nodes = nodes.collect();
        let mut upgrade = None;
        for (node, _) in told.iter().filter(|(_, told)| told.is_ok()) {
            if let Ok(view) = node.asker.ask::<UpgradeView>("upgrade_status", Vec::new()).await {
                upgrade = Some(view.into());
                break;
            }
        }
        Seen { nodes, upgrade }
    }
}

/// Whether what is proved is about the bill that was asked for: true if there is such a bill.
fn about(
    statement: &Statement<'_>,
    asked: &(String, String),
    version: Option<i64>,
) -> Result<bool, String> {
    let (code, number, present) = match (statement, version) {
        (Statement::Present { bill, .. }, None) => (bill.code, bill.number, true),
        (Statement::Absent { code, number }, None) => (*code, *number, false),
        (Statement::Version { bill, .. }, Some(version)) if i64::from(bill.version) == version => {
            (bill.code, bill.number, true)
        }
        _ => return Err("it proves something else than what was asked".to_owned()),
    };
    if (code, number) == (asked.0.as_str(), asked.1.as_str()) {
        Ok(present)
    } else {
        Err(format!("it is of the bill {code}-{number}"))
    }
}

fn health(
    address: &str,
    status: &ConsensusStatusView,
    newest: u64,
    genesis: &[u8; 32],
) -> NodeHealth {
    let (node, chain, machine) = (&status.node, &status.chain, &status.machine);
    let mut problems = Vec::new();
    if chain.genesis.as_bytes() != genesis {
        problems.push(format!("it follows another chain, {:?}", chain.genesis));
    }
    if machine.disk.as_ref().is_some_and(|disk| disk.is_low) {
        problems.push("its disk is nearly full: it takes no transactions".to_owned());
    }
    if node.is_member && !node.votes && node.key.is_some() {
        problems.push("it does not vote".to_owned());
    }
    NodeHealth {
        name: node.name.clone(),
        address: address.to_owned(),
        reachable: true,
        height: Some(chain.number.into()),
        lag_ms: Some(newest.saturating_sub(chain.time)),
        peers: Some(status.peers.iter().filter(|peer| peer.connected.is_some()).count() as u64),
        version: Some(node.version.clone()),
        rules: Some(chain.rules),
        release: Some(chain.release),
        disk_free: machine.disk.as_ref().map(|disk| disk.free),
        disk_total: machine.disk.as_ref().map(|disk| disk.total),
        memory: machine.memory,
        problem: (!problems.is_empty()).then(|| problems.join("; ")),
        following: false,
    }
}

impl From<UpgradeView> for Upgrade {
    fn from(view: UpgradeView) -> Self {
        Self {
            rules: view.rules,
            scheduled: view
                .scheduled
                .map(|release| Scheduled { spec_version: release.rules, height: release.height }),
            ready: view.ready,
            power: view.of,
            confirmed: view.confirmed.iter().map(|account| format!("{account:?}")).collect(),
        }
    }
}

//! What a connector is to the workers: the part that knows one city system.
//!
//! A worker takes entries of the outbox, asks its node for what they are about, and
//! gives them as [`Notice`]s to a [`Connector`], which tells the system outside and
//! says what it answered. Everything else is the worker's: leases, order, retries with
//! back-off, the circuit breaker, concurrency and rate, what is on record, and the
//! acknowledgement on the chain.
//!
//! A connector is built by a [`Build`] function that is known under the format's name
//! of the connector's registration on the chain (see [`Registry`]).

use async_trait::async_trait;
use billchain_primitives::{
    Moment,
    outbox::{ConnectorId, ConnectorKind, Entry},
};
use billchain_rpc_types::{BillVersionView, GrantView, ParticipantView};
use std::{collections::BTreeMap, sync::Arc};

use crate::tools::Tools;

/// One thing that the system outside has to be told.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The entry's number: with the connector's it names the entry for good.
    pub seq: u64,
    /// The entry as the chain has it: topic, subject, version, block, time.
    pub entry: Entry,
    /// Goes with every request about this entry, in a header or field of the system's
    /// choice, as 64 digits of lower-case hex: the system does the work once for each.
    /// The same on all nodes and in all attempts.
    pub idempotency_key: [u8; 32],
    /// The version of the subject that the entry is about.
    pub content: Content,
    /// Number of this attempt, from 1, as this node counts them.
    pub attempt: u32,
}

impl Notice {
    /// The idempotency key as requests carry it.
    pub fn key_hex(&self) -> String {
        hex::encode(self.idempotency_key)
    }
}

/// What an entry is about, in the form of the node's JSON-RPC.
#[derive(Clone, Debug)]
pub enum Content {
    /// A version of a bill: of `entry.version`, not of now.
    Bill(Box<BillVersionView>),
    /// A grant as it is now; its version may be a later one than the entry's.
    Grant(Box<GrantView>),
    /// A participant as it is now; its version may be a later one than the entry's.
    Participant(Box<ParticipantView>),
}

/// The system outside did what it was told, now or at an earlier attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The bytes of its answer that prove it: the body as received, or a receipt. Their
    /// SM3 goes onto the chain, they themselves stay in the worker's store.
    pub answer: Vec<u8>,
}

/// The system outside did not, or it is not known whether it did.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// Trying again may help: no answer, a time-out, a 5xx, "busy". It is tried again
    /// after a pause, for as long as it takes; the circuit breaker counts it.
    #[error("{what}")]
    Passing {
        /// What was wrong, for the operator.
        what: String,
        /// The answer, if there was one.
        answer: Vec<u8>,
    },
    /// The system refuses this entry for what it says: the same request will be refused
    /// again. After as many of these as the registration says it is a dead letter, and
    /// the council or an acknowledger looks at it.
    #[error("refused: {what}")]
    Refused {
        /// What was wrong, for the operator.
        what: String,
        /// The answer.
        answer: Vec<u8>,
    },
}

impl Failure {
    /// A passing failure without an answer.
    pub fn passing(what: impl ToString) -> Self {
        Self::Passing { what: what.to_string(), answer: Vec::new() }
    }
}

/// The way to one system outside.
///
/// Calls may be dropped at any await point (time-outs, loss of the lease), and come again
/// with the same idempotency key. A connector must not block a thread, and must bound what
/// it reads of an answer: [`Tools::http`] helps with both. One that does otherwise is
/// killed with its process and counted; nothing else in the node notices.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// Most notices of one [`deliver`](Self::deliver); at least 1. Where the volume asks
    /// (a Merkle root for the evidence chain, a batch for Kafka) more than 1.
    fn batch(&self) -> usize {
        1
    }

    /// Tells the system outside these notices, in their order, and says of each what
    /// became of it, in the same order.
    ///
    /// No two notices that are under way at the same time, in this call or another, are
    /// about the same subject, unless [`keeps_order`](Self::keeps_order) says that the
    /// connector itself keeps them in order.
    async fn deliver(&self, notices: &[Notice]) -> Vec<Result<Told, Failure>>;

    /// Whether [`deliver`](Self::deliver) takes notices about one subject together: then
    /// it is called with one batch at a time, in exactly the chain's order, and an outcome
    /// counts only if all before it in the batch succeeded. For Kafka.
    fn keeps_order(&self) -> bool {
        false
    }

    /// Asks whether the system outside is there, without an effect there. The circuit
    /// breaker asks before it lets work through again.
    async fn probe(&self) -> Result<(), Failure>;

    /// Called about each second while this worker holds the connector's lease and the
    /// circuit is closed, never twice at the same time: for work that no entry asks for,
    /// such as fetching receipts and the nightly comparison. Does a little and returns;
    /// what it has to remember lies in [`Tools::store`]. Returns when it has to be called
    /// again early because more work is there.
    async fn tend(&self, now: Moment) -> Result<Tended, Failure> {
        let _ = now;
        Ok(Tended::Rested)
    }
}

/// What [`Connector::tend`] leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tended {
    /// Nothing to do for now.
    Rested,
    /// More to do: call again soon.
    More,
}

/// What a connector is built of.
#[derive(Clone)]
pub struct Making {
    /// Its number on the chain.
    pub connector: ConnectorId,
    /// Its kind on the chain.
    pub kind: ConnectorKind,
    /// The endpoint's name on the chain, by which the operator's settings are found.
    pub endpoint: String,
    /// The table `settings` of the connector in the operator's worker file: URLs, paths of
    /// keys, `app_id` and the like. The connector says all that is wrong with it.
    pub settings: toml::Table,
    /// What it works with.
    pub tools: Arc<Tools>,
}

/// Builds a connector. The error names every setting that is wrong, what was expected and
/// what was found; it ends the worker, and the operator reads it.
pub type Build = fn(Making) -> Result<Box<dyn Connector>, String>;

/// The connectors that a program knows, by the name of their format, such as
/// `mof-public-service/1`.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Build>);

impl Registry {
    /// With one more; a name that is known already is replaced.
    pub fn with(mut self, format: &'static str, build: Build) -> Self {
        self.0.insert(format, build);
        self
    }

    /// How a connector of this format is built.
    pub fn get(&self, format: &str) -> Option<Build> {
        self.0.get(format).copied()
    }

    /// The formats, sorted.
    pub fn formats(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

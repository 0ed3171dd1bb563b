//! What a connector works with: HTTP with bounds, a durable store, the operator's key,
//! and the chain.

use async_trait::async_trait;
use billchain_crypto::sm2;
use billchain_primitives::{BillKey, Hash, Moment, Reason};
use billchain_rpc_types::BillVersionView;
use std::sync::Arc;

pub use crate::{
    http::{Answer, Http, HttpProblem, HttpSettings, Request},
    store::{Store, StoreProblem},
};

/// What a connector works with. It belongs to one connector.
pub struct Tools {
    /// Requests over HTTP and HTTPS: each with a time-out, each answer with a bound.
    pub http: Http,
    /// What has to survive a restart: keys and values of the connector's own.
    pub store: Store,
    /// The chain, through the operator's own node.
    pub chain: Arc<dyn Chain>,
    /// The SM2 key of this worker: it signs transactions, and requests to systems that
    /// ask for a signature of the sender.
    pub key: sm2::SecretKey,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The time; tests have their own.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Moment;
}

/// The machine's clock.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Why the chain could not be asked, or refused.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the chain: {0}")]
pub struct ChainProblem(pub String);

/// What a connector may ask the chain beside its notices.
#[async_trait]
pub trait Chain: Send + Sync + 'static {
    /// Hash of the genesis.
    fn genesis(&self) -> Hash;

    /// A bill's present version; none: there is no such bill.
    async fn bill(&self, key: BillKey) -> Result<Option<BillVersionView>, ChainProblem>;

    /// Any read of the node's JSON-RPC: a method of `docs/rpc.md` with its parameters in
    /// order. Bounded by the node.
    async fn ask(
        &self,
        method: &str,
        params: Vec<serde_json::Value>,
    ) -> Result<serde_json::Value, ChainProblem>;

    /// Has the outbox tell this connector's system the present version of a bill again:
    /// an audited act on the chain, with its reason. Returns once that is final. At most
    /// [`MAX_RETOLD`] bills.
    async fn retell(&self, bills: Vec<BillKey>, reason: Reason) -> Result<(), ChainProblem>;
}

/// Most bills of one [`Chain::retell`].
pub const MAX_RETOLD: usize = 500;

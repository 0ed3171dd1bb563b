//! What the methods work on.

use crate::{
    caller::Standings, config::RpcConfig, headers::Headers, metrics::RpcMetrics, traces::Traces,
};
use billchain_access::{Access, ConfigError};
use billchain_certificate::Maker;
use billchain_chain_spec::ChainType;
use billchain_executor::Chain;
use billchain_rpc_types::{ConsensusStatusView, WorkerView};
use billchain_txpool::Pool;
use futures::future::BoxFuture;
use libp2p::PeerId;
use std::{fmt, sync::Arc};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc, oneshot, watch},
};

/// Refused transactions that are looked up in the blocks at once.
const LOOK_UPS: usize = 4;

/// Asks for the configuration of access to be read again.
pub(crate) type Reload = oneshot::Sender<Result<(), ConfigError>>;

/// What the methods work on.
#[derive(Clone)]
pub struct RpcContext {
    /// The local chain.
    pub chain: Chain,
    /// The transaction pool.
    pub pool: Arc<Pool>,
    /// What the node knows of itself.
    pub node: NodeInfo,
    /// The runtime on whose blocking threads heavy methods run: few, and less
    /// urgent than the others.
    pub dear: Handle,
}

/// What the node knows of itself.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Name of the node.
    pub name: String,
    /// Name of the chain.
    pub chain_name: String,
    /// Sort of chain; clients warn of development keys by it.
    pub chain_type: ChainType,
    /// Identity of this node in the peer network.
    pub peer_id: String,
    /// Whether it votes.
    pub is_validator: bool,
    /// Connected peers.
    pub peers: watch::Receiver<Vec<PeerId>>,
    /// Who says where the node stands; `None` where no consensus runs.
    pub status: Option<Arc<dyn StatusSource>>,
    /// Who says what the node's workers do; `None` where it runs none.
    pub workers: Option<Arc<dyn WorkerSource>>,
}

/// Says where the node stands.
pub trait StatusSource: fmt::Debug + Send + Sync {
    /// Consensus, peers and machine at this moment. An error says what failed in the
    /// node.
    fn status(&self) -> BoxFuture<'static, Result<ConsensusStatusView, String>>;
}

/// Says what the node's workers do.
pub trait WorkerSource: fmt::Debug + Send + Sync {
    /// The worker of the connector with this endpoint; `None`: the node runs none for it.
    fn worker(&self, endpoint: &str) -> Option<WorkerView>;
}

/// What methods find beside their parameters.
pub(crate) struct Context {
    pub(crate) deps: RpcContext,
    /// Who may ask for what.
    pub(crate) access: Access,
    /// Asks for the configuration of access to be read again.
    pub(crate) reloads: mpsc::Sender<Reload>,
    pub(crate) standings: Standings,
    pub(crate) metrics: RpcMetrics,
    pub(crate) config: RpcConfig,
    pub(crate) about: About,
    pub(crate) headers: Headers,
    pub(crate) traces: Traces,
    pub(crate) certificates: Maker,
    /// Places for those that look up a refused transaction.
    pub(crate) look_ups: Arc<Semaphore>,
}

impl Context {
    pub(crate) fn new(
        deps: RpcContext,
        config: RpcConfig,
        about: About,
        (access, reloads): (Access, mpsc::Sender<Reload>),
    ) -> Self {
        // A transaction that is not in the pool comes into no block.
        let traces = Traces::new(deps.pool.config().max_count);
        let certificates = Maker::new(deps.chain.clone());
        Self {
            deps,
            access,
            reloads,
            standings: Standings::default(),
            certificates,
            traces,
            metrics: RpcMetrics::default(),
            config,
            about,
            headers: Headers::default(),
            look_ups: Arc::new(Semaphore::new(LOOK_UPS)),
        }
    }
}

/// The methods about methods.
pub(crate) struct About {
    /// Names of all methods, in order.
    pub(crate) names: Vec<&'static str>,
    /// The OpenRPC document, as JSON.
    pub(crate) document: String,
}

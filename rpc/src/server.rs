//! The server: methods, limits, start and stop.

use crate::{
    ConfigError, RpcConfig, RpcContext, RpcMetrics, RpcMetricsLayer, accept::accept, access_node,
    allotment, author, authorization, batch::BatchLayer, bill, bill_lists, block, compose, dispute,
    error::Answer, heads, history, openrpc, params::Args, participant, party, permission, policy,
    scene, state, system, transaction, verify,
};
use jsonrpsee::{
    RpcModule,
    core::{RegisterMethodError, middleware::RpcServiceBuilder},
    server::{
        BatchRequestConfig, RandomStringIdProvider, Server, ServerConfig, ServerHandle,
        serve_with_graceful_shutdown, stop_channel,
    },
};
use serde::Serialize;
use serde_json::json;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for RPC (key rpc.listen): {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// Two methods have one name; a fault of the program.
    #[error("RPC methods: {0}")]
    Methods(#[from] RegisterMethodError),
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct RpcServer {
    handle: ServerHandle,
    address: SocketAddr,
    metrics: RpcMetrics,
}

/// How long requests under way may take when the server stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// What methods find beside their parameters.
pub(crate) struct Context {
    pub(crate) deps: RpcContext,
    pub(crate) metrics: RpcMetrics,
    pub(crate) config: RpcConfig,
}

/// The methods under construction.
pub(crate) type Module = RpcModule<Context>;

/// Starts the server on the current tokio runtime.
pub async fn serve(config: RpcConfig, context: RpcContext) -> Result<RpcServer, RpcError> {
    config.check()?;
    let metrics = RpcMetrics::default();
    let module = methods(config.clone(), context, metrics.clone())?;
    let layer = RpcMetricsLayer::new(metrics.clone(), module.method_names());
    let batches = BatchLayer { max_response_bytes: config.max_response_bytes };
    let listen = |source| RpcError::Listen { address: config.listen, source };
    let services = Server::builder()
        .set_config(limits(&config))
        .set_rpc_middleware(RpcServiceBuilder::new().layer(layer).layer(batches))
        .to_service_builder();
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    tracing::info!(%address, "RPC is listening");
    let (stop, handle) = stop_channel();
    let stopping = stop.clone();
    let serve = move |connection| {
        let service = services.clone().build(module.clone(), stopping.clone());
        let stopped = stopping.clone().shutdown();
        tokio::spawn(async move {
            // What a client does wrong with its connection is its affair.
            let _ = serve_with_graceful_shutdown(connection, service, stopped).await;
        });
    };
    tokio::spawn(accept(listener, config.max_connections, metrics.clone(), stop, serve));
    Ok(RpcServer { handle, address, metrics })
}

impl RpcServer {
    /// What the server counts; register it once.
    pub fn metrics(&self) -> &RpcMetrics {
        &self.metrics
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves when the server has stopped. May be dropped and called again.
    pub async fn ended(&self) {
        self.handle.clone().stopped().await;
    }

    /// Takes no more requests, and waits some seconds for those under way.
    pub async fn stop(self) {
        // Stopped already is as good.
        let _ = self.handle.stop();
        if tokio::time::timeout(PATIENCE, self.handle.stopped()).await.is_err() {
            tracing::warn!("RPC connections were still open when the server stopped");
        }
    }
}

fn limits(config: &RpcConfig) -> ServerConfig {
    ServerConfig::builder()
        .max_request_body_size(config.max_request_bytes)
        .max_response_body_size(config.max_response_bytes)
        .max_connections(config.max_connections)
        .max_subscriptions_per_connection(config.max_subscriptions_per_connection)
        .set_batch_request_config(BatchRequestConfig::Limit(config.max_batch))
        .set_message_buffer_capacity(config.message_buffer)
        .set_id_provider(RandomStringIdProvider::new(16))
        .build()
}

/// All methods.
fn methods(
    config: RpcConfig,
    deps: RpcContext,
    metrics: RpcMetrics,
) -> Result<Module, RegisterMethodError> {
    let mut module = RpcModule::new(Context { deps, metrics, config });
    system::register(&mut module)?;
    block::register(&mut module)?;
    heads::register(&mut module)?;
    state::register(&mut module)?;
    author::register(&mut module)?;
    bill::register(&mut module)?;
    party::register(&mut module)?;
    history::register(&mut module)?;
    participant::register(&mut module)?;
    permission::register(&mut module)?;
    scene::register(&mut module)?;
    bill_lists::register(&mut module)?;
    access_node::register(&mut module)?;
    allotment::register(&mut module)?;
    authorization::register(&mut module)?;
    policy::register(&mut module)?;
    transaction::register(&mut module)?;
    compose::register(&mut module)?;
    openrpc::register(&mut module)?;
    verify::register(&mut module)?;
    dispute::register(&mut module)?;
    let mut names: Vec<&'static str> = module.method_names().collect();
    names.push("rpc_methods");
    names.sort_unstable();
    module.register_method("rpc_methods", move |_, _, _| json!({ "methods": names }))?;
    Ok(module)
}

/// Registers a method that reads: it runs on a blocking thread.
pub(crate) fn reading<T, F>(
    module: &mut Module,
    name: &'static str,
    aliases: &[&'static str],
    method: F,
) -> Result<(), RegisterMethodError>
where
    T: Serialize + Clone + Send + 'static,
    F: Fn(&Context, &Args) -> Answer<T> + Clone + Send + Sync + 'static,
{
    module.register_blocking_method(name, move |params, context: Arc<Context>, _| {
        method(&context, &Args::of(&params)?)
    })?;
    for alias in aliases {
        module.register_alias(alias, name)?;
    }
    Ok(())
}

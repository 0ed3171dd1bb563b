//! The server: methods, limits, start and stop.

mod accept;
mod batch;
mod layer;

use crate::{
    config::{ConfigError, RpcConfig},
    context::{About, Context, RpcContext},
    method::{Handler, Method, Subscription},
    methods,
    metrics::RpcMetrics,
    openrpc,
};
use accept::accept;
use batch::BatchLayer;
use jsonrpsee::{
    RpcModule,
    core::{RegisterMethodError, middleware::RpcServiceBuilder},
    server::{
        BatchRequestConfig, RandomStringIdProvider, Server, ServerConfig, ServerHandle,
        serve_with_graceful_shutdown, stop_channel,
    },
};
use layer::RpcMetricsLayer;
use std::{net::SocketAddr, time::Duration};
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

/// Starts the server on the current tokio runtime.
pub async fn serve(config: RpcConfig, context: RpcContext) -> Result<RpcServer, RpcError> {
    config.check()?;
    let metrics = RpcMetrics::default();
    let context =
        Context { deps: context, metrics: metrics.clone(), config: config.clone(), about: about() };
    let module = module(context)?;
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

/// The methods' names and description.
fn about() -> About {
    let mut names: Vec<_> = methods::all().flat_map(Method::names).collect();
    names.sort_unstable();
    About { names, document: openrpc::document(methods::all()) }
}

/// All methods, registered.
fn module(context: Context) -> Result<RpcModule<Context>, RegisterMethodError> {
    let mut module = RpcModule::new(context);
    for method in methods::all() {
        register(&mut module, method)?;
        // An unsubscription is registered with its subscription.
        for alias in method.aliases {
            module.register_alias(alias, method.name)?;
        }
    }
    Ok(module)
}

fn register(
    module: &mut RpcModule<Context>,
    method: &'static Method,
) -> Result<(), RegisterMethodError> {
    let name = method.name;
    match method.handler {
        Handler::Memory(answer) => {
            module.register_method(name, move |params, context, _| {
                answer(context, &method.args(params.as_str())?)
            })?;
        }
        Handler::Read(answer) => {
            module.register_blocking_method(name, move |params, context, _| {
                answer(&context, &method.args(params.as_str())?)
            })?;
        }
        Handler::Wait(answer) => {
            module.register_async_method(name, move |params, context, _| {
                let args = method.args(params.as_str());
                async move { answer(context, args?).await }
            })?;
        }
        Handler::Subscribe(Subscription { start, notification, unsubscribe, .. }) => {
            module.register_subscription(
                name,
                notification,
                unsubscribe,
                move |params, pending, context, _| {
                    let args = method.args(params.as_str());
                    async move {
                        match args {
                            Ok(args) => start(context, args, pending).await,
                            Err(error) => {
                                pending.reject(error).await;
                                Ok(())
                            }
                        }
                    }
                },
            )?;
        }
        Handler::Unsubscribe => {}
    }
    Ok(())
}

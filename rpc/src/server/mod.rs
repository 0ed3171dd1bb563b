//! The server: connections, their messages, start and stop.

mod accept;
mod answer;
mod answers;
mod batch;
mod envelope;
mod http;
mod metered;
mod reads;
mod session;
mod shared;
mod socket;
mod subscriptions;
mod unique;

use crate::{
    config::{ConfigError, RpcConfig},
    context::{About, Context, RpcContext},
    method::Method,
    methods,
    metrics::RpcMetrics,
    openrpc,
    substrate::keep_headers,
};
use accept::{Connection, accept};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use session::Session;
use shared::Methods;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

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
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct RpcServer {
    stop: DropGuard,
    /// Cancelled when no more connections are taken.
    ended: CancellationToken,
    /// Closed when the last connection is.
    connections: mpsc::Receiver<()>,
    address: SocketAddr,
    metrics: RpcMetrics,
}

/// How long requests under way may take when the server stops.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may ask nothing.
const IDLE: Duration = Duration::from_secs(30);
/// Longest head of a request, and what is read of its body at a time.
const BUFFER: usize = 16 << 10;
/// Interval between looks for clients that do not read.
const LOOKS: Duration = Duration::from_millis(500);

/// Starts the server on the current tokio runtime.
pub async fn serve(config: RpcConfig, context: RpcContext) -> Result<RpcServer, RpcError> {
    config.check()?;
    let context = Arc::new(Context::new(context, config.clone(), about()));
    let metrics = context.metrics.clone();
    let methods = Arc::new(Methods::new(context.clone(), methods::all()));
    let listen = |source| RpcError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    tracing::info!(%address, "RPC is listening");
    let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
    let (open, connections) = mpsc::channel(1);
    let budget = methods.budget.clone();
    let serve = {
        let stop = stop.clone();
        move |connection| {
            let (methods, stop, open) = (methods.clone(), stop.clone(), open.clone());
            tokio::spawn(async move {
                converse(connection, &methods, stop).await;
                drop(open);
            });
        }
    };
    let (until, over) = (stop.clone(), ended.clone().drop_guard());
    let (most, counted) = (config.max_connections, metrics.clone());
    tokio::spawn(async move {
        let looks = async {
            let mut looks = tokio::time::interval(LOOKS);
            loop {
                looks.tick().await;
                budget.close_slow(config.transfer_timeout);
            }
        };
        tokio::select! {
            () = accept(listener, most, counted, until, serve) => {}
            () = looks => {}
            () = keep_headers(&context) => {}
            () = context.traces.follow(context.deps.chain.subscribe()) => {}
        }
        drop(over);
    });
    Ok(RpcServer { stop: stop.drop_guard(), ended, connections, address, metrics })
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
        self.ended.cancelled().await;
    }

    /// Takes no more requests, and waits some seconds for those under way.
    pub async fn stop(self) {
        let Self { stop, mut connections, .. } = self;
        stop.disarm().cancel();
        // Nothing is ever sent: it ends when the last connection does.
        if tokio::time::timeout(PATIENCE, connections.recv()).await.is_err() {
            tracing::warn!("RPC connections were still open when the server stopped");
        }
    }
}

/// Serves a connection until it ends, has to close or the server stops.
async fn converse(connection: Connection, methods: &Arc<Methods>, stop: CancellationToken) {
    let session = Session::of(methods.clone());
    let closing = session.share.closing();
    let stops = stop.clone();
    let answer = service_fn(move |request| http::respond(session.clone(), request, stops.clone()));
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(connection), answer)
        .with_upgrades();
    let mut conversation = std::pin::pin!(conversation);
    tokio::select! {
        // What a client does wrong with its connection is its affair.
        _ = &mut conversation => return,
        () = closing.cancelled() => return,
        () = stop.cancelled() => {}
    }
    conversation.as_mut().graceful_shutdown();
    tokio::select! {
        _ = conversation => {}
        () = closing.cancelled() => {}
    }
}

/// The methods' names and description.
fn about() -> About {
    let mut names: Vec<_> = methods::all().flat_map(Method::names).collect();
    names.sort_unstable();
    About { names, document: openrpc::document(methods::all()).to_string() }
}

#[cfg(test)]
mod tests;

//! The server: connections, their messages, start and stop.

mod accept;
mod admission;
mod answer;
mod answers;
mod batch;
mod cross;
mod doors;
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
    context::{About, Context, Reload, RpcContext},
    method::Method,
    methods,
    metrics::RpcMetrics,
    openrpc,
    substrate::keep_headers,
};
use accept::Connection;
use billchain_access::{Access, ConfigError as AccessConfigError};
use doors::Doors;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use session::Session;
use shared::Methods;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address} for RPC (rpc.listen, or a listener of access.file): {source}"
    )]
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
    addresses: doors::Addresses,
    reloader: AccessReloader,
    metrics: RpcMetrics,
}

/// Has a running server read its configuration of access again.
#[derive(Clone, Debug)]
pub struct AccessReloader(mpsc::Sender<Reload>);

impl AccessReloader {
    /// Reads it again. It takes effect whole, or not at all.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the key to change.
    pub async fn reload(&self) -> Result<(), AccessConfigError> {
        let (tell, told) = oneshot::channel();
        let stopped = || AccessConfigError {
            file: Default::default(),
            problems: vec!["the server has stopped".into()],
        };
        self.0.send(tell).await.map_err(|_| stopped())?;
        told.await.map_err(|_| stopped())?
    }
}

/// How long requests under way may take when the server stops.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may ask nothing.
const IDLE: Duration = Duration::from_secs(30);
/// Longest head of a request, and what is read of its body at a time.
const BUFFER: usize = 16 << 10;
/// Interval between looks for clients that do not read.
const LOOKS: Duration = Duration::from_millis(500);

/// Name of the listener of the configuration's own address.
const LOCAL: &str = "local";

/// Starts the server on the current tokio runtime.
pub async fn serve(config: RpcConfig, context: RpcContext) -> Result<RpcServer, RpcError> {
    let access = Access::plain(config.listen, config.max_connections);
    serve_with(config, context, access).await
}

/// Starts the server with the listeners and rules of `access`, of which the first is
/// `config`'s own.
pub async fn serve_with(
    config: RpcConfig,
    context: RpcContext,
    access: Access,
) -> Result<RpcServer, RpcError> {
    config.check()?;
    let (asks, asked) = mpsc::channel(1);
    let reloader = AccessReloader(asks.clone());
    let reach = (access.clone(), asks);
    let context = Arc::new(Context::new(context, config.clone(), about(), reach));
    let metrics = context.metrics.clone();
    let methods = Arc::new(Methods::new(context.clone(), methods::all()));
    let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
    let (open, connections) = mpsc::channel(1);
    let budget = methods.budget.clone();
    let serve = move |connection, stop| {
        let (methods, open) = (methods.clone(), open.clone());
        tokio::spawn(async move {
            converse(connection, &methods, stop).await;
            drop(open);
        });
    };
    let most = config.max_connections;
    let mut doors = Doors::new(access, metrics.clone(), most, stop.clone(), Arc::new(serve));
    let opened = doors.open_all().await;
    opened.map_err(|(address, source)| RpcError::Listen { address, source })?;
    let addresses = doors.addresses.clone();
    let address = addresses.lock().get(LOCAL).copied().unwrap_or(config.listen);
    let (until, over) = (stop.clone(), ended.clone().drop_guard());
    tokio::spawn(async move {
        let looks = async {
            let mut looks = tokio::time::interval(LOOKS);
            loop {
                looks.tick().await;
                budget.close_slow(config.transfer_timeout);
            }
        };
        tokio::select! {
            () = until.cancelled() => {}
            () = doors.follow(asked) => {}
            () = looks => {}
            () = keep_headers(&context) => {}
            () = context.traces.follow(context.deps.chain.subscribe()) => {}
        }
        drop(over);
    });
    let stop = stop.drop_guard();
    Ok(RpcServer { stop, ended, connections, address, addresses, reloader, metrics })
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

    /// Where a listener of the configuration of access listens, by its name.
    pub fn address_of(&self, listener: &str) -> Option<SocketAddr> {
        self.addresses.lock().get(listener).copied()
    }

    /// What has it read its configuration of access again.
    pub fn reloader(&self) -> AccessReloader {
        self.reloader.clone()
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
    let session = Session::of(methods.clone(), connection.peer.clone());
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

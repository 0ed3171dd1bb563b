//! The listeners of a server: opened, closed, and replaced when the configuration is read
//! again.
//!
//! New addresses are bound before anything changes, so that a configuration whose address is
//! taken is refused whole.

use super::accept::{Door, Serve, accept};
use crate::{context::Reload, metrics::RpcMetrics};
use billchain_access::{Access, ConfigError, ListenerConfig};
use parking_lot::Mutex;
use std::{collections::HashMap, io, net::SocketAddr, sync::Arc};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Where each listener is.
pub(super) type Addresses = Arc<Mutex<HashMap<String, SocketAddr>>>;

/// The listeners of a server.
pub(super) struct Doors {
    pub(super) access: Access,
    pub(super) metrics: RpcMetrics,
    /// Places of all connections.
    pub(super) places: Arc<Semaphore>,
    pub(super) stop: CancellationToken,
    pub(super) serve: Serve,
    pub(super) addresses: Addresses,
    open: Vec<Open>,
}

/// A listener that is open; it ends when this is dropped.
struct Open {
    name: String,
    listen: SocketAddr,
    _stop: DropGuard,
}

impl Doors {
    /// None is open yet.
    pub(super) fn new(
        access: Access,
        metrics: RpcMetrics,
        most: u32,
        stop: CancellationToken,
        serve: Serve,
    ) -> Self {
        let places = Arc::new(Semaphore::new(most as usize));
        let (addresses, open) = (Addresses::default(), Vec::new());
        Self { access, metrics, places, stop, serve, addresses, open }
    }

    /// Opens what the rules of now name.
    pub(super) async fn open_all(&mut self) -> Result<(), (SocketAddr, io::Error)> {
        let rules = self.access.rules();
        for listener in &rules.config.listeners {
            let bound = TcpListener::bind(listener.listen).await;
            let bound = bound.map_err(|error| (listener.listen, error))?;
            self.open(listener, bound).map_err(|error| (listener.listen, error))?;
        }
        Ok(())
    }

    fn open(&mut self, listener: &ListenerConfig, bound: TcpListener) -> io::Result<()> {
        let address = bound.local_addr()?;
        tracing::info!(%address, listener = %listener.name, "RPC is listening");
        self.addresses.lock().insert(listener.name.clone(), address);
        let stop = self.stop.child_token();
        let door = Door {
            name: listener.name.as_str().into(),
            access: self.access.clone(),
            places: self.places.clone(),
            metrics: self.metrics.clone(),
            stop: stop.clone(),
        };
        tokio::spawn(accept(bound, door, self.serve.clone()));
        let (name, listen) = (listener.name.clone(), listener.listen);
        self.open.push(Open { name, listen, _stop: stop.drop_guard() });
        Ok(())
    }

    /// Reads the configuration again when it is asked to, for ever.
    pub(super) async fn follow(mut self, mut asked: mpsc::Receiver<Reload>) {
        while let Some(tell) = asked.recv().await {
            let done = self.reload().await;
            match &done {
                Ok(()) => tracing::info!("the configuration of access was read again"),
                Err(error) => tracing::warn!(%error, "the configuration of access stays as it was"),
            }
            // Who asked may be gone.
            let _ = tell.send(done);
        }
        self.stop.cancelled().await;
    }

    async fn reload(&mut self) -> Result<(), ConfigError> {
        let proposed = self.access.propose()?;
        let listeners = proposed.rules().config.listeners.clone();
        let (mut fresh, mut problems) = (Vec::new(), Vec::new());
        for listener in &listeners {
            if self.open.iter().any(|open| open.is(listener)) {
                continue;
            }
            match TcpListener::bind(listener.listen).await {
                Ok(bound) => fresh.push((listener, bound)),
                Err(error) => {
                    let (name, at) = (&listener.name, listener.listen);
                    problems.push(format!(
                        "listener \"{name}\".listen: cannot listen on {at}: {error}"
                    ));
                }
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError { file: Default::default(), problems });
        }
        self.access.adopt(proposed);
        self.open.retain(|open| listeners.iter().any(|listener| open.is(listener)));
        self.addresses.lock().retain(|name, _| listeners.iter().any(|one| one.name == *name));
        for (listener, bound) in fresh {
            if let Err(error) = self.open(listener, bound) {
                tracing::error!(%error, listener = %listener.name, "a listener has no address");
            }
        }
        Ok(())
    }
}

impl Open {
    fn is(&self, listener: &ListenerConfig) -> bool {
        self.name == listener.name && self.listen == listener.listen
    }
}

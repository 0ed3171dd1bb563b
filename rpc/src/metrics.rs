//! What the server counts.

use core::fmt;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Label of per-method metrics. Only the names of methods that exist: clients
/// must not be able to make series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Method {
    pub(crate) method: String,
}

/// Why the node closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Cause {
    /// It took too long to send a message or to take an answer.
    Slow,
    /// Others needed the room.
    GaveWay,
    /// It answered no ping.
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Closed {
    cause: Cause,
}

/// What the server counts. Clones share the counts.
#[derive(Clone)]
pub struct RpcMetrics {
    pub(crate) requests: Family<Method, Counter>,
    pub(crate) errors: Family<Method, Counter>,
    pub(crate) seconds: Histogram,
    subscriptions: Gauge,
    refused: Counter,
    held: Gauge,
    closed: Family<Closed, Counter>,
    busy: Counter,
}

impl fmt::Debug for RpcMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcMetrics").finish_non_exhaustive()
    }
}

impl Default for RpcMetrics {
    fn default() -> Self {
        let buckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
        Self {
            requests: Family::default(),
            errors: Family::default(),
            seconds: Histogram::new(buckets),
            subscriptions: Gauge::default(),
            refused: Counter::default(),
            held: Gauge::default(),
            closed: Family::default(),
            busy: Counter::default(),
        }
    }
}

impl RpcMetrics {
    /// Registers every metric.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("rpc_requests", "Requests answered, by method", self.requests.clone());
        registry.register("rpc_errors", "Requests answered with an error", self.errors.clone());
        registry.register("rpc_seconds", "Time to answer a request", self.seconds.clone());
        registry.register("rpc_subscriptions", "Open subscriptions", self.subscriptions.clone());
        registry.register(
            "rpc_refused_connections",
            "Connections closed because all were taken",
            self.refused.clone(),
        );
        registry.register(
            "rpc_held_bytes",
            "Bytes of requests and answers that are held for clients",
            self.held.clone(),
        );
        registry.register(
            "rpc_closed_connections",
            "Connections that the node closed, by cause",
            self.closed.clone(),
        );
        registry.register(
            "rpc_busy_refusals",
            "Requests refused because there was no room for them",
            self.busy.clone(),
        );
    }

    /// Notes how many bytes are held for clients.
    pub(crate) fn held(&self, bytes: usize) {
        self.held.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(crate) fn closed(&self, cause: Cause) {
        self.closed.get_or_create(&Closed { cause }).inc();
    }

    pub(crate) fn refused_busy(&self) {
        self.busy.inc();
    }

    pub(crate) fn connection_refused(&self) {
        self.refused.inc();
    }

    /// Counts a subscription as open until the guard is dropped.
    pub(crate) fn subscription(&self) -> impl Drop + Send + 'static {
        struct Open(Gauge);
        impl Drop for Open {
            fn drop(&mut self) {
                self.0.dec();
            }
        }
        self.subscriptions.inc();
        Open(self.subscriptions.clone())
    }
}

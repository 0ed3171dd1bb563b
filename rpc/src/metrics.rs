//! What the server counts.

use core::fmt;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Label of per-method metrics. Only the names of methods that exist: clients
/// must not be able to make series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Method {
    pub(crate) method: String,
}

/// What the server counts. Clones share the counts.
#[derive(Clone)]
pub struct RpcMetrics {
    pub(crate) requests: Family<Method, Counter>,
    pub(crate) errors: Family<Method, Counter>,
    pub(crate) seconds: Histogram,
    subscriptions: Gauge,
    refused: Counter,
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

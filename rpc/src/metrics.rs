//! What the server counts.

use core::fmt;
use jsonrpsee::{
    MethodResponse,
    core::middleware::{Batch, BatchEntry, Notification, RpcServiceT},
    types::Request,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{collections::BTreeSet, sync::Arc, time::Instant};

/// Label of per-method metrics. Only the names of methods that exist: clients
/// must not be able to make series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    method: String,
}

/// What the server counts. Clones share the counts.
#[derive(Clone)]
pub struct RpcMetrics {
    requests: Family<Method, Counter>,
    errors: Family<Method, Counter>,
    seconds: Histogram,
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

/// Counts requests on their way through the server.
#[derive(Clone, Debug)]
pub struct RpcMetricsLayer {
    metrics: RpcMetrics,
    methods: Arc<BTreeSet<&'static str>>,
}

impl RpcMetricsLayer {
    pub(crate) fn new(metrics: RpcMetrics, methods: impl Iterator<Item = &'static str>) -> Self {
        Self { metrics, methods: Arc::new(methods.collect()) }
    }

    fn label(&self, method: &str) -> Method {
        let known = self.methods.get(method).copied().unwrap_or("unknown");
        Method { method: known.to_owned() }
    }
}

impl<S> tower::Layer<S> for RpcMetricsLayer {
    type Service = RpcMetricsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RpcMetricsService { inner, layer: self.clone() }
    }
}

/// See [`RpcMetricsLayer`].
#[derive(Clone, Debug)]
pub struct RpcMetricsService<S> {
    inner: S,
    layer: RpcMetricsLayer,
}

impl<S> RpcServiceT for RpcMetricsService<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Clone + Send + Sync + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = S::NotificationResponse;
    type BatchResponse = S::BatchResponse;

    fn call<'a>(
        &self,
        request: Request<'a>,
    ) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let label = this.layer.label(request.method_name());
            let began = Instant::now();
            let response = this.inner.call(request).await;
            let metrics = &this.layer.metrics;
            metrics.seconds.observe(began.elapsed().as_secs_f64());
            if response.is_error() {
                metrics.errors.get_or_create(&label).inc();
            }
            metrics.requests.get_or_create(&label).inc();
            response
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        // The inner service answers a batch's requests itself; they are
        // counted, but timed and judged only as a whole.
        for entry in batch.iter().flatten() {
            if let BatchEntry::Call(request) = entry {
                let label = self.layer.label(request.method_name());
                self.layer.metrics.requests.get_or_create(&label).inc();
            }
        }
        self.inner.batch(batch)
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}

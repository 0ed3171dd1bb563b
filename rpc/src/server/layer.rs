//! Counts requests on their way through the server.

use crate::metrics::{Method, RpcMetrics};
use jsonrpsee::{
    MethodResponse,
    core::middleware::{Batch, BatchEntry, Notification, RpcServiceT},
    types::Request,
};
use std::{collections::BTreeSet, sync::Arc, time::Instant};
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

//! Exports the ways of transactions to a collector, as OpenTelemetry spans over HTTP
//! (OTLP): one span for each request, with what became of its transactions as events.
//!
//! A collector that is slow or away costs the node nothing: spans wait in a queue of
//! [`QUEUE`], and what does not fit is dropped.

use anyhow::{Context, Result, bail};
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider},
};
use std::time::Duration;

/// Spans that wait for the collector.
const QUEUE: usize = 8_192;
/// Spans sent at once.
const AT_ONCE: usize = 512;
/// Longest time that a span waits for others to go with it.
const DELAY: Duration = Duration::from_secs(1);
/// How long the collector may take for an answer, and what a node that stops waits for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Exports while it lives; the rest when it is dropped.
pub(crate) struct Spans(SdkTracerProvider);

impl Spans {
    /// Exports to the collector at `endpoint`, such as `http://127.0.0.1:4318`.
    pub(crate) fn to(endpoint: &str) -> Result<Self> {
        let base = endpoint.trim_end_matches('/');
        if !(base.starts_with("http://") || base.starts_with("https://")) {
            bail!("--otlp-endpoint: {endpoint} is no address, expected http://HOST:PORT");
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{base}/v1/traces"))
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .build()
            .with_context(|| format!("--otlp-endpoint {endpoint}"))?;
        let limits = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(AT_ONCE)
            .with_scheduled_delay(DELAY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(limits).build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource =
            Resource::builder().with_service_name("billchain").with_attribute(version).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// What makes the spans.
    pub(crate) fn tracer(&self) -> SdkTracer {
        self.0.tracer("billchain")
    }
}

impl Drop for Spans {
    fn drop(&mut self) {
        // A collector that is away keeps nobody from stopping.
        let _ = self.0.shutdown_with_timeout(PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_is_no_address_is_refused_by_the_options_name() {
        for wrong in ["", "127.0.0.1:4318", "grpc://host"] {
            let error = Spans::to(wrong).err().expect("refused").to_string();
            assert!(error.contains("--otlp-endpoint"), "{error}");
        }
    }
}

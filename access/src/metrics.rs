//! What access counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Took {
    effect: &'static str,
}

/// What access counts. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct AccessMetrics {
    denied: Family<Code, Counter>,
    handshakes: Counter,
    addresses: Counter,
    reloads: Family<Took, Counter>,
    logged: Counter,
    log_head: Gauge,
}

impl AccessMetrics {
    /// Registers every metric.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "access_denied",
            "Requests and connections refused, by the code of the refusal",
            self.denied.clone(),
        );
        registry.register(
            "access_failed_handshakes",
            "TLS handshakes that failed: certificates of other authorities among them",
            self.handshakes.clone(),
        );
        registry.register(
            "access_refused_addresses",
            "Connections closed for their address, or because it had too many",
            self.addresses.clone(),
        );
        registry.register(
            "access_reloads",
            "Times that the configuration of access was read again, by whether it took effect",
            self.reloads.clone(),
        );
        registry.register("access_logged", "Lines of the log of access", self.logged.clone());
        registry.register(
            "access_log_number",
            "Number of the last line of the log of access",
            self.log_head.clone(),
        );
    }

    /// Counts a refusal.
    pub fn denied(&self, code: i32) {
        self.denied.get_or_create(&Code { code }).inc();
    }

    /// Counts a TLS handshake that failed.
    pub fn handshake_failed(&self) {
        self.handshakes.inc();
    }

    /// Counts a connection that was closed for its address.
    pub fn address_refused(&self) {
        self.addresses.inc();
    }

    pub(crate) fn reloaded(&self, took_effect: bool) {
        let effect = if took_effect { "taken" } else { "refused" };
        self.reloads.get_or_create(&Took { effect }).inc();
    }

    /// Counts a line of the log.
    pub fn logged(&self, number: u64) {
        self.logged.inc();
        self.log_head.set(i64::try_from(number).unwrap_or(i64::MAX));
    }
}

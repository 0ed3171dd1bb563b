//! What state sync counts.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// Counts of one node. Cheap to clone; clones are the same counts.
#[derive(Clone, Debug, Default)]
pub struct SyncMetrics {
    /// Questions of peers that were answered.
    pub answered: Counter,
    /// Answers of peers that the chain refutes.
    pub refuted: Counter,
    /// The oldest block that is kept whole.
    pub first_block: Gauge,
    /// Whether the index lacks what older blocks left: 1 or 0.
    pub index_gap: Gauge,
}

impl SyncMetrics {
    /// Registers all of them.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("state_sync");
        registry.register(
            "answered",
            "Peers' questions about the chain that were answered",
            self.answered.clone(),
        );
        registry.register("refuted", "Peers' answers that the chain refutes", self.refuted.clone());
        registry.register(
            "first_block",
            "The oldest block that is kept whole",
            self.first_block.clone(),
        );
        registry.register(
            "index_gap",
            "1 while the index lacks what blocks before the joining left, else 0",
            self.index_gap.clone(),
        );
    }
}

//! What connectors have to tell, as the chain has it, asked for at each scrape.

use billchain_executor::Chain;
use billchain_primitives::outbox::ConnectorId;
use billchain_runtime::{Outbox, Runtime};
use pallet_outbox::{Connectors, Tally};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};
use std::fmt;

/// Reads the tallies at the head. One series for each connector, which the chain bounds.
pub(super) struct ConnectorMetrics(pub(super) Chain);

impl fmt::Debug for ConnectorMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorMetrics").finish_non_exhaustive()
    }
}

/// Name, help, and which number.
type Row = (&'static str, &'static str, fn(&Tally) -> u64);

const ROWS: [Row; 4] = [
    ("connector_waiting", "Entries that wait to be told", |tally| tally.waiting.into()),
    ("connector_dead", "Dead letters, at which somebody has to look", |tally| tally.dead.into()),
    ("connector_acknowledged", "Entries that were acknowledged", |tally| tally.acknowledged),
    ("connector_omitted", "Facts left out because too many waited", |tally| tally.omitted),
];

impl Collector for ConnectorMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let read = || {
            let count = u16::try_from(Connectors::<Runtime>::count()).unwrap_or(u16::MAX);
            let named = |connector| {
                let found = Connectors::<Runtime>::get(connector)?;
                Some((found.terms.endpoint.to_string(), Outbox::tally(connector)))
            };
            (1..=count).map(ConnectorId).filter_map(named).collect::<Vec<_>>()
        };
        // A storage that fails ends the node elsewhere.
        let Ok(mut tallies) = self.0.read(read) else { return Ok(()) };
        // An endpoint's retired connectors come before the one that has it now.
        tallies.reverse();
        tallies.sort_by(|(a, _), (b, _)| a.cmp(b));
        tallies.dedup_by(|(later, _), (first, _)| later == first);
        for (name, help, value) in ROWS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (endpoint, tally) in &tallies {
                let value = i64::try_from(value(tally)).unwrap_or(i64::MAX);
                let labels = [("endpoint", endpoint.as_str())];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

//! Who takes part in consensus, as the chain has it, asked for at each scrape.

use billchain_executor::Chain;
use billchain_primitives::PublicKey;
use billchain_runtime::{Participation, Validators};
use pallet_participation::Standing;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use std::fmt;

/// Reads how validators take part at the head. One series for each validator, which the
/// chain bounds.
pub(super) struct ParticipationMetrics(pub(super) Chain);

impl fmt::Debug for ParticipationMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParticipationMetrics").finish_non_exhaustive()
    }
}

/// A validator's name with how it takes part.
type Named = (String, Standing);

impl Collector for ParticipationMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // A storage that fails ends the node elsewhere.
        let Ok((validators, standings)) =
            self.0.read(|| (Validators::validators(), Participation::standings()))
        else {
            return Ok(());
        };
        let name = |standing: Standing| {
            let validator = validators.iter().find(|one| {
                PublicKey::Sm2(one.consensus_key).account_id() == standing.record.validator
            })?;
            Some((validator.name.to_string(), standing))
        };
        let named: Vec<Named> = standings.into_iter().filter_map(name).collect();
        let encoder = &mut encoder;
        let help = "Last blocks in a row whose commits lack the validator's pre-commit";
        gauges(encoder, "validator_missed", help, &named, |one| one.record.missed)?;
        let help = "Newest block whose commit holds the validator's pre-commit";
        gauges(encoder, "validator_last_seen_height", help, &named, |one| one.last_seen)?;
        let help = "The validator's last turns in a row in which no block was decided";
        gauges(encoder, "validator_failed_turns", help, &named, |one| one.record.failed)?;
        let help = "Whether the validator takes turns to propose";
        gauges(encoder, "validator_takes_turns", help, &named, |one| one.takes_turns.into())?;
        let help = "Blocks whose commits lack the validator's pre-commit";
        let mut family = encoder.encode_descriptor(
            "validator_missed_blocks",
            help,
            None,
            MetricType::Counter,
        )?;
        for (name, standing) in &named {
            let value = ConstCounter::new(standing.record.missed_in_all);
            value.encode(family.encode_family(&[("validator", name.as_str())])?)?;
        }
        Ok(())
    }
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    metric: &str,
    help: &str,
    named: &[Named],
    value: impl Fn(&Standing) -> u32,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(metric, help, None, MetricType::Gauge)?;
    for (name, standing) in named {
        let gauge = ConstGauge::new(i64::from(value(standing)));
        gauge.encode(family.encode_family(&[("validator", name.as_str())])?)?;
    }
    Ok(())
}

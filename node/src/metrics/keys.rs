//! How old the validators' keys are, asked for at each scrape.

use billchain_executor::Chain;
use billchain_primitives::PublicKey;
use billchain_runtime::Validators;
use parking_lot::Mutex;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Unit,
};
use std::{collections::BTreeMap, fmt};

/// Reads from which height, and since when, each validator's key decides.
pub(super) struct KeyAges {
    chain: Chain,
    /// Times of blocks in seconds since 1970, by height: one for each key.
    times: Mutex<BTreeMap<u32, i64>>,
}

/// A key in force.
struct InForce {
    validator: String,
    operator: String,
    key: String,
    from: u32,
}

impl KeyAges {
    pub(super) fn new(chain: Chain) -> Self {
        Self { chain, times: Mutex::default() }
    }

    /// The keys in force; none if the state does not read, which ends the node elsewhere.
    fn keys(&self) -> Vec<InForce> {
        let read = || {
            let validators = Validators::validators().into_iter();
            let in_force = validators.filter_map(|one| {
                let from = Validators::tenure(&one.consensus_key)?.from;
                Some(InForce {
                    validator: label(&one.name.to_string()),
                    operator: format!("0x{}", hex::encode(&one.operator)),
                    key: PublicKey::Sm2(one.consensus_key).to_string(),
                    from,
                })
            });
            in_force.collect()
        };
        self.chain.read(read).unwrap_or_default()
    }

    /// When a key decided its first block; none while that lies ahead, or if the block is
    /// not kept.
    fn since(&self, from: u32) -> Option<i64> {
        let mut times = self.times.lock();
        if let Some(known) = times.get(&from) {
            return Some(*known);
        }
        let moment = self.chain.block_time(from).ok()??;
        let seconds = i64::try_from(moment / 1000).ok()?;
        times.insert(from, seconds);
        Some(seconds)
    }

    fn forget_others(&self, keys: &[InForce]) {
        self.times.lock().retain(|height, _| keys.iter().any(|key| key.from == *height));
    }
}

/// A name without what would end a label.
fn label(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect()
}

impl fmt::Debug for KeyAges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyAges").finish_non_exhaustive()
    }
}

impl Collector for KeyAges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let keys = self.keys();
        self.forget_others(&keys);
        let labels = |key: &InForce| {
            [
                ("validator", key.validator.clone()),
                ("operator", key.operator.clone()),
                ("key", key.key.clone()),
            ]
        };
        let help = "First height that the validator's consensus key decides";
        let gauge = MetricType::Gauge;
        let mut family =
            encoder.encode_descriptor("consensus_key_from_height", help, None, gauge)?;
        for key in &keys {
            let value = ConstGauge::new(i64::from(key.from));
            value.encode(family.encode_family(&labels(key))?)?;
        }
        let help = "Time of the first block that the validator's consensus key decided, since 1970";
        let (unit, gauge) = (Unit::Seconds, MetricType::Gauge);
        let mut family =
            encoder.encode_descriptor("consensus_key_since", help, Some(&unit), gauge)?;
        for key in &keys {
            let Some(since) = self.since(key.from) else { continue };
            let value = ConstGauge::new(since);
            value.encode(family.encode_family(&labels(key))?)?;
        }
        Ok(())
    }
}

//! Bounds of the pool: each is enforced, none is clamped.

/// Bounds of the pool. Defaults suit a node with 2 GiB for the pool and the
/// chain together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Transactions held, ready and future together.
    pub max_count: usize,
    /// Bytes of transactions held (their encoding; the bookkeeping of each
    /// takes about 600 more).
    pub max_bytes: usize,
    /// Longest transaction taken, in bytes. At most the largest that a block
    /// may hold.
    pub max_transaction_bytes: usize,
    /// Transactions of one sender.
    pub max_per_sender: usize,
    /// Bytes of one sender's transactions.
    pub max_sender_bytes: usize,
    /// Transactions that wait for an earlier nonce.
    pub max_future: usize,
    /// How far beyond the sender's next executable nonce one may be.
    pub max_nonce_gap: u32,
    /// Blocks after which a transaction that still waits for an earlier nonce is dropped.
    pub future_lifetime: u32,
    /// Blocks after which a waiting transaction's validity is checked again.
    pub revalidate_after: u32,
    /// Transactions whose validity is checked again in one go.
    pub revalidate_batch: usize,
    /// Threads that check what came through the asynchronous entrance, and as
    /// many for gossip.
    pub validation_threads: usize,
    /// Submissions at the asynchronous entrance that wait to be checked. Their
    /// bytes are bounded by a quarter of `max_bytes`, apart from those held. A
    /// sixteenth of both is for senders of the reserve.
    pub max_waiting: usize,
    /// Open status subscriptions.
    pub max_watchers: usize,
    /// Hashes of included transactions that are remembered, so that a late
    /// copy is refused without executing anything.
    pub remember_included: usize,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_count: 50_000,
            max_bytes: 128 << 20,
            max_transaction_bytes: 1 << 20,
            max_per_sender: 20_000,
            max_sender_bytes: 64 << 20,
            max_future: 20_000,
            max_nonce_gap: 20_000,
            future_lifetime: 600,
            revalidate_after: 16,
            revalidate_batch: 256,
            validation_threads: 2,
            max_waiting: 8_192,
            max_watchers: 4_096,
            remember_included: 65_536,
        }
    }
}

/// Everything that is wrong with a configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration is not usable: {}", problems.join("; "))]
pub struct ConfigError {
    /// One sentence a problem; each begins with the key to change.
    pub problems: Vec<String>,
}

impl PoolConfig {
    /// Checks each bound and the relations between them.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        for (key, value) in [
            ("max_count", self.max_count),
            ("max_bytes", self.max_bytes),
            ("max_transaction_bytes", self.max_transaction_bytes),
            ("max_per_sender", self.max_per_sender),
            ("max_nonce_gap", self.max_nonce_gap as usize),
            ("future_lifetime", self.future_lifetime as usize),
            ("revalidate_after", self.revalidate_after as usize),
            ("revalidate_batch", self.revalidate_batch),
            ("validation_threads", self.validation_threads),
            ("max_waiting", self.max_waiting),
        ] {
            if value == 0 {
                problems.push(format!("{key} must be at least 1"));
            }
        }
        let half = self.max_bytes / 2;
        for (key, value, above, limit) in [
            // Each room holds one of any length.
            ("max_transaction_bytes", self.max_transaction_bytes, "half of max_bytes", half),
            ("max_per_sender", self.max_per_sender, "max_count", self.max_count),
            ("max_sender_bytes", self.max_sender_bytes, "max_bytes", self.max_bytes),
            ("max_future", self.max_future, "max_count", self.max_count),
        ] {
            if value > limit {
                problems.push(format!("{key} ({value}) must not exceed {above} ({limit})"));
            }
        }
        if self.validation_threads > 256 {
            problems.push(format!(
                "validation_threads ({}) must not exceed 256",
                self.validation_threads
            ));
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_usable() {
        assert_eq!(PoolConfig::default().check(), Ok(()));
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let config = PoolConfig {
            max_count: 10,
            max_per_sender: 11,
            max_future: 12,
            revalidate_batch: 0,
            validation_threads: 1_000,
            ..PoolConfig::default()
        };
        let problems = config.check().unwrap_err().problems;
        assert_eq!(
            problems,
            [
                "revalidate_batch must be at least 1",
                "max_per_sender (11) must not exceed max_count (10)",
                "max_future (12) must not exceed max_count (10)",
                "validation_threads (1000) must not exceed 256",
            ]
        );
    }
}

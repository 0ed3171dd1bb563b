//! The limits and quotas a chain begins with, checked whole before they are
//! written.

use crate::{
    Config, Error, GenesisConfig, Limits, MIN_BLOCK_BYTES, MIN_BLOCK_TIME_US,
    MIN_TRANSACTION_BYTES, Pallet,
};
use frame::prelude::Get;

impl<T: Config> GenesisConfig<T> {
    /// Everything that is wrong with the configuration, each with the entry it
    /// concerns; empty if it can be built.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.limit_problems();
        let words = |error: Error<T>| format!("{error:?}");
        if let Err(error) = Pallet::<T>::check_quotas(&self.quotas) {
            problems.push(format!("performance.quotas: {}", words(error)));
        }
        for (at, (did, quota)) in self.own_quotas.iter().enumerate() {
            let mut problem = |text: String| {
                problems.push(format!("performance.participants[{at}] ({did}): {text}"));
            };
            if let Err(error) = Pallet::<T>::check_quota(quota) {
                problem(words(error));
            }
            if self.own_quotas[..at].iter().any(|(earlier, _)| earlier == did) {
                problem("the DID stands twice".into());
            }
        }
        let (most, found) = (T::MaxOwnQuotas::get() as usize, self.own_quotas.len());
        if found > most {
            problems
                .push(format!("performance.participants: expected at most {most}, found {found}"));
        }
        problems
    }

    fn limit_problems(&self) -> Vec<String> {
        let hard = T::HardLimits::get();
        let Limits { max_block_bytes, max_transaction_bytes, max_block_time_us } = self.limits;
        [
            ("maxBlockBytes", max_block_bytes, MIN_BLOCK_BYTES, hard.max_block_bytes),
            (
                "maxTransactionBytes",
                max_transaction_bytes,
                MIN_TRANSACTION_BYTES,
                hard.max_transaction_bytes,
            ),
            ("maxBlockTimeUs", max_block_time_us, MIN_BLOCK_TIME_US, hard.max_block_time_us),
        ]
        .into_iter()
        .filter(|(_, found, least, most)| !(least..=most).contains(&found))
        .map(|(name, found, least, most)| {
            format!("performance.limits.{name}: expected {least} to {most}, found {found}")
        })
        .collect()
    }
}

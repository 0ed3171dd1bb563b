//! The first state of a chain.

use crate::{GenesisState, Moment, Runtime, RuntimeGenesisConfig};
use frame_support::traits::BuildGenesisConfig;
use sp_state_machine::BasicExternalities;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The state that `config` gives, with the chain's time at `timestamp_ms`.
/// Equal arguments give equal states.
///
/// FRAME's pallets refuse a genesis by panicking; the message is the error.
pub fn build_state(
    config: &RuntimeGenesisConfig,
    timestamp_ms: Moment,
) -> Result<GenesisState, String> {
    let mut ext = BasicExternalities::new_empty();
    catch_unwind(AssertUnwindSafe(|| {
        ext.execute_with(|| {
            config.build();
            // The pallet has no genesis of its own.
            pallet_timestamp::Now::<Runtime>::put(timestamp_ms);
        });
    }))
    .map_err(|panic| {
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "the genesis was refused without a message".to_owned())
    })?;
    Ok(ext.into_storages().top)
}

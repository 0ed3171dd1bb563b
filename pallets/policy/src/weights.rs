//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! The base times are estimates on the safe side until the node's benchmarks
//! replace them.

use crate::types::{MAX_KEYWORDS, MAX_OPERATIONS, MAX_REFERENCES, MAX_SCENES};
use frame::weights_prelude::*;

/// Weights of the contract's calls.
pub trait WeightInfo {
    /// Weight of `submit` with a document of `bytes` bytes.
    fn submit(bytes: u32) -> Weight;
    /// Weight of `submit_approval`.
    fn submit_approval() -> Weight;
    /// Weight of `finalize_approval`.
    fn finalize_approval() -> Weight;
    /// Weight of `set_status`.
    fn set_status() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// Scenes that conditions can name: 3 bytes each of at most 4,096.
const VALUES: u64 = 1_365;

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads: the sender twice, head, count, name, time, flow, and what the
    // document names; a keyword's list is read and written.
    fn submit(bytes: u32) -> Weight {
        let named = u64::from(MAX_SCENES + MAX_KEYWORDS + MAX_REFERENCES) + VALUES;
        Weight::from_parts(60_000_000, 0)
            .saturating_add(Weight::from_parts(20_000, 0).saturating_mul(bytes.into()))
            .saturating_add(T::DbWeight::get().reads_writes(8 + named, 7 + u64::from(MAX_KEYWORDS)))
    }
    fn submit_approval() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    fn finalize_approval() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(5, 2))
    }
    // Every list of the replaced version and of this one.
    fn set_status() -> Weight {
        let lists = 2 * u64::from(MAX_SCENES * MAX_OPERATIONS);
        Weight::from_parts(60_000_000, 0)
            .saturating_add(Weight::from_parts(20_000_000, 0).saturating_mul(lists))
            .saturating_add(
                T::DbWeight::get().reads_writes(9 + u64::from(MAX_REFERENCES) + lists, 9 + lists),
            )
    }
}

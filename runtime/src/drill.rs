//! The migration of the rules after these, in builds for drills of an upgrade only.

use crate::{Performance, Runtime, limits::DbWeight};
use frame_support::{traits::OnRuntimeUpgrade, weights::Weight};
use pallet_performance::Next;

/// Halves the largest block: a change of a contract's storage that anybody can read.
pub struct HalveBlocks;

impl OnRuntimeUpgrade for HalveBlocks {
    fn on_runtime_upgrade() -> Weight {
        let mut settings = Performance::settings();
        settings.limits.max_block_bytes /= 2;
        Next::<Runtime>::put(settings);
        DbWeight::get().reads_writes(1, 1)
    }
}

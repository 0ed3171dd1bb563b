//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-30
//! - Machine: Intel(R) Xeon(R) Processor, 2 cores, linux 6.18
//! - Ledger: 1_000_000 bills; steps: 10, repeats: 20

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `admin_lock`.
    fn admin_lock() -> Weight;
    /// Weight of `admin_unlock`.
    fn admin_unlock() -> Weight;
    /// Weight of `announce`; `n` is 1 to 32.
    fn announce(n: u32) -> Weight;
    /// Weight of `close_case`.
    fn close_case() -> Weight;
    /// Weight of `open_case`; `n` is 1 to 16.
    fn open_case(n: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 367.8 µs, its reads 239.6 µs, commit of its block 661.2 µs.
    fn admin_lock() -> Weight {
        let time = Weight::from_parts(367_829_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(13, 6))
    }
    // At most: call 169.5 µs, its reads 134.6 µs, commit of its block 755.0 µs.
    fn admin_unlock() -> Weight {
        let time = Weight::from_parts(169_530_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(11, 6))
    }
    // At most: call 1_267.5 µs, its reads 663.3 µs, commit of its block 6_035.1 µs.
    fn announce(n: u32) -> Weight {
        let time = Weight::from_parts(181_039_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(5, 0));
        let time = Weight::from_parts(32_779_750, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(3, 2));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 42.5 µs, its reads 11.3 µs, commit of its block 766.2 µs.
    fn close_case() -> Weight {
        let time = Weight::from_parts(42_586_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    // At most: call 73.8 µs, its reads 44.9 µs, commit of its block 676.3 µs.
    fn open_case(n: u32) -> Weight {
        let time = Weight::from_parts(44_928_750, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(6, 3));
        let time = Weight::from_parts(1_890_250, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
}

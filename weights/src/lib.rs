//! What the contracts' calls cost, measured: FRAME's benchmarks run natively
//! over the node's own storage.
//!
//! # What it does
//! A [`Ledger`] is a development chain in a temporary directory, RocksDB and
//! QMDB as in a node, filled with bills through the commit path. [`measure`]
//! runs one pallet's benchmarks over it: each sets the worst case up, commits
//! it as a block, runs one call, commits that as a block, and takes everything
//! back. [`weights_rs`] turns the samples into the pallet's `weights.rs`;
//! [`measure_prices`] measures what a read and a write of the state, an empty
//! block and an empty transaction cost, which `runtime/src/limits.rs` holds.
//!
//! # What a weight is made of
//! The time of the call without the time its reads took, and the keys it read
//! and wrote, which the runtime prices ([`Config::DbWeight`]). If the reads
//! took longer than their price, as those of large values do, the excess counts
//! as the call's time. Reads are counted once a key; keys that every block
//! reads anyway (block number, events) are not counted.
//!
//! # What it does not do
//! It is no part of a chain: no node runs this code except for
//! `billchain benchmark-weights`.
//!
//! [`Config::DbWeight`]: frame_system::Config::DbWeight

#![forbid(unsafe_code)]

mod benchmarks;
mod clock;
mod error;
mod externalities;
mod fit;
mod ledger;
mod measure;
mod prices;
mod render;
mod setup;
mod store;

pub use benchmarks::{Pallet, pallets};
pub use error::WeightsError;
pub use fit::{Cost, fit};
pub use ledger::Ledger;
pub use measure::{Component, Effort, Measured, Sample, check, measure};
pub use prices::{Prices, measure_prices};
pub use render::{Origin, weights_rs};

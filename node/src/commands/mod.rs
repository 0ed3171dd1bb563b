//! The commands of `billchain`, one module each.

pub(crate) mod access;
pub(crate) mod admin;
pub(crate) mod benchmark_weights;
pub(crate) mod bill;
pub(crate) mod blocks;
pub(crate) mod chain_spec;
pub(crate) mod check_state;
pub(crate) mod cold;
pub(crate) mod config;
pub(crate) mod describe;
pub(crate) mod devnet;
pub(crate) mod doctor;
pub(crate) mod join;
pub(crate) mod keys;
pub(crate) mod light;
pub(crate) mod rehearse;
pub(crate) mod reindex;
pub(crate) mod release;
mod shell;
pub mod signing_memory;
pub(crate) mod snapshot;
pub(crate) mod verify;
pub(crate) mod worker;

//! Drives a network and accounts for every transaction.
//!
//! Open loop: a transaction is sent at its intended time whatever became of
//! those before it, and its latency counts from that time, so that a network
//! that stalls cannot hide it by slowing its clients down. Each transaction
//! that a node accepted is found in a final block, or counted as lost.

mod book;
mod certify;
mod clients;
mod drain;
mod lanes;
mod observe;
mod options;
mod outcome;
mod preload;
mod probe;
mod reads;
mod record;
mod run;
mod saturate;
mod target;
mod times;

pub(crate) use certify::CertificateRecord;
pub(crate) use clients::{Options as ClientOptions, run as run_clients};
pub(crate) use options::Options;
pub(crate) use record::{BlockPoint, LoadRecord};
#[cfg(test)]
pub(crate) use record::{Costs, Second, Setting};
pub(crate) use run::run;

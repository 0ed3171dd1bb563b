//! Transactions on their way into a block: the pool, and the gossip that
//! brings those submitted at one node to the others.
//!
//! The pool promises: it holds what the chain's own rules accept (asked
//! through [`TransactionValidator`]), within the bounds of [`PoolConfig`],
//! offers each sender's transactions by nonce and all in a fair order, and says for
//! each refusal what was wrong ([`PoolError`]). What clients submitted is in the
//! [`journal`] before they are answered, if the pool has one, and comes back when
//! the node starts again; what only peers sent is theirs to send again.
//!
//! Gossip promises: a transaction submitted here reaches every peer on the
//! list that is, or comes to be, connected while the transaction is pending.
//! It assumes a full mesh of few nodes, and that a node passes on only what
//! was submitted to it.

#![forbid(unsafe_code)]

mod awaited;
mod config;
mod door;
mod error;
pub mod gossip;
mod included;
pub mod journal;
mod metrics;
mod order;
mod outgoing;
mod pool;
mod recent;
mod rooms;
mod state;
mod status;
mod transaction;

pub use config::{ConfigError, PoolConfig};
pub use error::{PoolError, Rejection};
pub use journal::{Journal, JournalConfig, JournalError};
pub(crate) use metrics::JournalMetrics;
pub use metrics::{GossipMetrics, PoolMetrics};
pub use pool::{Best, Pool};
pub use rooms::{SenderClass, SenderQuota};
pub use state::PoolStats;
pub use status::{StatusStream, TxStatus};
pub use transaction::{CommittedBlock, PoolTransaction, Source, TransactionValidator, TxInfo};

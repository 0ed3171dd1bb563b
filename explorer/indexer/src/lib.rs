//! The auditors' index: follows the chain from nodes that it does not trust, and keeps blocks,
//! bills, participants and rules as tables.
//!
//! [`Indexer`] writes the tables, [`Queries`] reads them, [`recount`](recount::recount) holds them
//! against what the chain's state proves. Money is whole fen, time milliseconds, days are those of
//! UTC+8.
//!
//! What is believed: the genesis that the chain specification makes; SM2 and SM3; and that no more
//! than a third of the voting power signs what is not so. Headers and transactions of a block are
//! checked against its commit certificate. Events are no part of a header: they have to fit the
//! transactions and every bill's version hash, a second node has to tell the same or the state to
//! prove them, and the state proves the totals of all bills at the head.

#![forbid(unsafe_code)]

pub mod block;
mod fetch;
mod follow;
mod insert;
mod ledger;
pub mod lie;
pub mod names;
pub mod node;
mod prove;
pub mod query;
pub mod recount;
mod schema;
pub mod shape;
pub mod status;
pub mod stored;
mod tables;
pub mod words;
mod write;

pub use follow::{GenesisError, Indexer, IndexerError, MAX_NODES, Settings};
pub use query::Queries;
pub use status::Status;
pub use tables::{Dialect, Tables, TablesError};
pub use write::WriteError;

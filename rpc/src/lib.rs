//! The node's interface for clients: JSON-RPC 2.0 over HTTP and WebSocket on
//! one port.
//!
//! Two dialects. Substrate's (`system_*`, `chain_*`, `state_*`, `author_*`, and those of
//! the JSON-RPC specification: `archive_v1_*`, `chainHead_v1_*` and their kin), in its exact shapes, so that
//! existing libraries work; and plain JSON for platform services that know nothing
//! of SCALE (every other family; the rows stand in `methods.rs`, the types in
//! [`billchain_rpc_types`]).
//!
//! It promises that every committed block is final when it is announced: new
//! and finalised heads are the same. Reads of old states reach as far as the
//! storage keeps them, and say so beyond. Everything a client can make the
//! node hold is bounded by [`RpcConfig`]. A subscriber that does not read is
//! dropped with a notice. Reads run on blocking threads, those that cost much on
//! others than those that do not, so that a slow one delays no quick one.
//!
//! Who may call what is [`billchain_access`]'s: without a configuration of it whoever can
//! connect can read everything and submit what the chain admits.

#![forbid(unsafe_code)]

mod access;
mod bill;
mod budget;
mod caller;
mod config;
mod connection;
mod connectors;
mod context;
mod describe;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod governance;
mod headers;
mod lanes;
mod method;
mod methods;
mod metrics;
mod openrpc;
mod outbox;
mod parties;
mod server;
mod substrate;
mod traces;
mod transaction;
mod visible;

pub use config::{ConfigError, RpcConfig, least_bytes_held};
pub use context::{NodeInfo, RpcContext, StatusSource, WorkerSource};
pub use describe::{TEXTS, interface};
pub use metrics::RpcMetrics;
pub use server::{AccessReloader, RpcError, RpcServer, serve, serve_with};

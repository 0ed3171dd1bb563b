//! The node's interface for clients: JSON-RPC 2.0 over HTTP and WebSocket on
//! one port.
//!
//! Two dialects. Substrate's (`system_*`, `chain_*`, `state_*`, `author_*`), in
//! its exact shapes, so that existing libraries work; and plain JSON for
//! platform services that know nothing of SCALE (`bill_*`, `participant_*`,
//! `node_*`, `scene_*`, `permission_*`, `authorization_*`, `policy_*`,
//! `dispute_*`, `transaction_status`;
//! see [`billchain_rpc_types`]).
//!
//! It promises that every committed block is final when it is announced: new
//! and finalised heads are the same. Reads of old states reach as far as the
//! storage keeps them, and say so beyond. Everything a client can make the
//! node hold is bounded by [`RpcConfig`]. A subscriber that does not read is
//! dropped with a notice. Reads run on blocking threads, so that a slow one
//! does not delay the others.
//!
//! It has no accounts and no secrets: whoever can connect can read everything
//! and submit what the chain admits. Encryption and authentication are a
//! reverse proxy's work.

#![forbid(unsafe_code)]

mod accept;
mod access_node;
mod allotment;
mod author;
mod authorization;
mod batch;
mod bill;
mod bill_lists;
mod block;
mod compose;
mod config;
mod dispute;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod heads;
mod history;
mod metrics;
mod names;
mod node;
mod openrpc;
mod page;
mod params;
mod participant;
mod party;
mod permission;
mod policy;
mod registration;
mod scene;
mod server;
mod state;
mod subscription;
mod system;
mod transaction;
mod verify;

pub use config::{ConfigError, RpcConfig};
pub use metrics::{RpcMetrics, RpcMetricsLayer};
pub use node::{NodeInfo, RpcContext};
pub use server::{RpcError, RpcServer, serve};

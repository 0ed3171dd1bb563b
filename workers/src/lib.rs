//! Workers (链下工作进程): they tell the city's systems what the chain decided, each thing
//! once with effect, and put on the chain what was answered.
//!
//! What has to be told lies in the chain's outbox (`pallet-outbox`). A worker is a process
//! of its own, one a connector, beside an operator's node: after each final block it looks
//! for entries, holds the connector's lease or leaves the work to who does, lets a
//! [`Connector`] tell them, and reports. It promises at least one request an entry, each
//! with the entry's idempotency key; facts about one subject in their order; nothing lost
//! when it, its node or the other side dies. Nothing of it runs in the node's process.
//! `docs/workers.md` is for operators; `docs/decisions/0069-workers.md` says why.

#![forbid(unsafe_code)]

mod backoff;
mod breaker;
pub mod connector;
mod engine;
mod http;
mod journal;
mod node;
pub mod process;
mod queue;
mod rate;
mod settings;
mod store;
pub mod supervisor;
pub mod tools;

pub use connector::{Build, Connector, Content, Failure, Making, Notice, Registry, Tended, Told};
pub use settings::{SettingsProblem, WorkerFile, WorkerSettings};
pub use tools::{Chain, ChainProblem, Clock, SystemClock, Tools};

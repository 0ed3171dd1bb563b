//! The auditors' explorer (财票链浏览器): REST with an OpenAPI document, server-sent events, and the
//! page, for the public, participants, operators, auditors and administrators.
//!
//! What it shows comes from the index (`explorer/indexer`), which believes no node; certificates are
//! fetched from nodes and checked before they are handed on, and again in the reader's browser.
//! Every look at somebody's bill is in the access log before it is answered. `API.md` says what may
//! be asked by whom; `docs/explorer.md` how it is run.

#![forbid(unsafe_code)]

mod answers;
pub mod api;
pub mod app;
pub mod auth;
pub mod call;
pub mod command;
pub mod config;
pub mod events;
pub mod export;
pub mod follow;
pub mod given;
pub mod http;
pub mod index;
pub mod lists;
pub mod metrics;
pub mod nodes;
pub mod openapi;
mod random;
mod refusal;
mod report;
pub mod route;
pub mod server;
pub mod store;
pub mod time;

pub use app::App;
pub use call::{Answer, Call, json};
pub use given::Param;
pub use refusal::{Refusal, Refused};

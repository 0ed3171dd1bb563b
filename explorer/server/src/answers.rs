//! Shapes of answers that the server makes itself, and names for those of the index.

use crate::{
    auth::User,
    nodes::{NodeHealth, Upgrade},
    store::UserView,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// An object whose fields `API.md` names.
#[derive(Serialize, JsonSchema)]
pub struct Loose(pub serde_json::Map<String, Value>);

/// A page of a list.
#[derive(Serialize, JsonSchema)]
pub struct ListOf<Row> {
    /// The rows.
    pub items: Vec<Row>,
    /// Cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// Rows in all, where that is known.
    pub total: Option<u64>,
}

/// Who is signed in.
#[derive(Serialize, JsonSchema)]
pub struct SessionAnswer {
    /// The user; null: nobody.
    pub user: Option<User>,
    /// Goes as `x-csrf-token` with whatever changes something.
    pub csrf: String,
    /// Ways to sign in.
    pub methods: Vec<&'static str>,
}

/// A challenge.
#[derive(Serialize, JsonSchema)]
pub struct Challenged {
    /// Names it.
    pub id: String,
    /// Its bytes.
    pub challenge: String,
    /// The bytes to be signed.
    pub message: String,
    /// When it ends.
    pub expires: u64,
}

/// The users.
#[derive(Serialize, JsonSchema)]
pub struct UsersAnswer {
    /// By name.
    pub items: Vec<UserView>,
}

/// Whether a bill is real, and used.
#[derive(Serialize, JsonSchema)]
pub struct Verdict {
    /// `genuine`, `used`, `invalid`, `mismatch` or `not_found`.
    pub verdict: &'static str,
    /// The bill, as far as the asker may see it.
    pub bill: Option<Value>,
    /// What was compared.
    pub elements: Vec<Element>,
}

/// What was compared.
#[derive(Serialize, JsonSchema)]
pub struct Element {
    /// Which field.
    pub field: &'static str,
    /// Whether it is the same.
    pub matches: bool,
}

/// Whether all is well.
#[derive(Serialize, JsonSchema)]
pub struct Health {
    /// Whether all is well.
    pub healthy: bool,
    /// What is not.
    pub problems: Vec<String>,
    /// Newest block of the index.
    pub indexed: u64,
    /// Newest block of the nodes.
    pub head: u64,
    /// Milliseconds that the index is behind.
    pub lag_ms: u64,
    /// Blocks that it skipped.
    pub gaps: u64,
}

/// How the nodes are.
#[derive(Serialize, JsonSchema)]
pub struct Operations {
    /// Each node.
    pub nodes: Vec<NodeHealth>,
    /// What is scheduled.
    pub upgrade: Option<Upgrade>,
    /// The index.
    pub index: IndexHealth,
}

/// How the index is.
#[derive(Serialize, JsonSchema)]
pub struct IndexHealth {
    /// Its newest block.
    pub height: u64,
    /// Blocks a second, lately.
    pub blocks_per_second: f64,
    /// Bytes of its file; 0 where it is a database's.
    pub size: u64,
    /// What went wrong lately.
    pub errors: Vec<String>,
}

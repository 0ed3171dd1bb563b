//! The log of access, and reading its configuration again.

use crate::schema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// What is looked for in the log of access: all that is given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessLogQuery {
    /// First moment, in milliseconds since 1970.
    pub from: Option<u64>,
    /// Last moment.
    pub to: Option<u64>,
    /// Name of the identity; `-` for who has none.
    pub who: Option<String>,
    /// DID of its participant.
    pub did: Option<String>,
    /// Beginning of the method's name.
    pub method: Option<String>,
    /// What it was about: `code/number` of a bill, or a DID.
    pub about: Option<String>,
    /// Address that it came from.
    pub address: Option<String>,
    /// Code of the outcome, 0 for what was done.
    pub code: Option<i32>,
}

/// A part of the log of access.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccessLogView {
    /// Lines as they are in the log, without their hashes.
    pub items: Vec<serde_json::Value>,
    /// Where to go on: there may be more, were there none in this part.
    pub next: Option<String>,
}

/// The last line of the log of access.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccessLogHeadView {
    /// Its number, from 1; 0 before the first.
    pub number: u64,
    /// Its hash.
    #[schemars(with = "schema::Hash")]
    pub hash: H256,
}

/// Whether the configuration of access took effect.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccessReloadView {
    /// Whether it did; otherwise the one before holds on.
    pub taken: bool,
    /// What is wrong with it, each with the key to change.
    pub problems: Vec<String>,
}

/// Where the log of access of an operator's node stood on a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccessAnchorView {
    /// Days since 1970-01-01, UTC.
    pub day: u32,
    /// Number of the last line.
    pub number: u64,
    /// Its hash.
    #[schemars(with = "schema::Hash")]
    pub hash: H256,
}

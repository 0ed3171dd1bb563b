//! Upgrade at height: the release that is scheduled, and who is ready for it.

use crate::schema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Rules of the chain and of the node, and what is scheduled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UpgradeView {
    /// Rules that the last block was made under.
    pub rules: u32,
    /// Rules of the node that answers.
    pub release: u32,
    /// The release that is scheduled; none: `null`.
    pub scheduled: Option<ReleaseView>,
    /// Accounts of the operators that have confirmed it.
    #[schemars(with = "Vec<schema::Hash>")]
    pub confirmed: Vec<H256>,
    /// Voting power of those that have confirmed.
    pub ready: u64,
    /// Voting power of all. More than two thirds must be ready at the height.
    pub of: u64,
}

/// A release that the council has scheduled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseView {
    /// Its rules.
    pub rules: u32,
    /// The first block under its rules.
    pub height: u32,
    /// SM3 of its manifest.
    #[schemars(with = "schema::Hash")]
    pub manifest: H256,
}

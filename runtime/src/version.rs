//! Which rules this binary follows.

use crate::apis::RUNTIME_API_VERSIONS;
use sp_version::RuntimeVersion;
use std::borrow::Cow;

/// This release's rules.
#[cfg(not(feature = "upgrade-drill"))]
const SPEC_VERSION: u32 = 5;
#[cfg(feature = "upgrade-drill")]
const SPEC_VERSION: u32 = 6;

/// What changes the state's form with the first block under these rules, in this
/// order.
#[cfg(not(feature = "upgrade-drill"))]
pub(crate) type Migrations = ();
#[cfg(feature = "upgrade-drill")]
pub(crate) type Migrations = crate::drill::HalveBlocks;

/// Version of the rules. `spec_version` grows with every change of what a
/// block means; `transaction_version` with every change of how an existing
/// call is encoded. Both are signed by every sender.
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("billchain"),
    impl_name: Cow::Borrowed("billchain-native"),
    authoring_version: 1,
    spec_version: SPEC_VERSION,
    impl_version: 1,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 2,
    // Above 1: the extrinsics root is a trie of format 1. The state's version
    // plays no part, its root is the storage's own commitment.
    system_version: 2,
};

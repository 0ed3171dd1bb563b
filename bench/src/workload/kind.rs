//! Sorts of transactions.

use serde::{Deserialize, Serialize};

/// Sort of a transaction, for the accounts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// One bill.
    Register,
    /// A batch of bills.
    Batch,
    /// A bill that is on the chain already.
    Duplicate,
    /// A reversal in red.
    RedReverse,
    /// A claimant's lock.
    Lock,
    /// One of two locks of a bill at the same time.
    ContestedLock,
    /// A lock given back.
    Unlock,
    /// A reimbursement.
    Reimburse,
}

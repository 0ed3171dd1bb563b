//! What is sent: the load model of fiscal bills, as transactions in the order
//! in which they are meant to be sent.
//!
//! A seed fixes everything but the moments at which claimants sign: bills,
//! amounts, who issues, what becomes of each bill and when.

mod bills;
mod plan;
mod random;
mod senders;
mod stock;

pub(crate) use bills::{Maker, first_number};
pub(crate) use plan::{Action, Mix, Needs, Op, Pace, Planner};
pub(crate) use random::Chance;
pub(crate) use senders::Senders;
pub(crate) use stock::{Effect, Prepared, Stock, Transaction, sign};

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

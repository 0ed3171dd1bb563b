//! What is sent: the load model of fiscal bills, as transactions in the order
//! in which they are meant to be sent.
//!
//! A seed fixes everything but the moments at which claimants sign: bills,
//! amounts, who issues, what becomes of each bill and when.

mod bills;
mod kind;
mod plan;
mod random;
mod senders;
mod stock;

pub(crate) use bills::{
    ISSUED, Maker, bill_number, first_number, issue_month, issuer_did, outpatient,
};
pub(crate) use kind::Kind;
pub(crate) use plan::{Action, Mix, Needs, Op, Pace, Planner};
pub(crate) use random::Chance;
pub(crate) use senders::Senders;
pub(crate) use stock::{Effect, Prepared, Signed, Stock, Transaction, sign};

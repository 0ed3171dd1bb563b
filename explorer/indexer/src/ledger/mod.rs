//! What blocks do to the tables: blocks, with the bills that they touch at hand, become rows.
//!
//! Nothing here asks a node or a database: what a batch of blocks needs is loaded before, and what
//! it makes is written after it, in one database transaction.

mod apply;
mod bills;
mod calls;
mod councils;
mod genesis;
mod governance;
mod needs;
mod rollups;
mod rows;
mod rules;
mod state;
mod versions;

pub use genesis::GenesisError;
pub(crate) use genesis::{Genesis, genesis};
pub(crate) use needs::Needs;
pub(crate) use rollups::TallyName;
pub(crate) use rows::Batch;
pub(crate) use state::{Motion, Seat, State};

use crate::lie::Lie;

/// The tables' state, and what the blocks at hand add to it.
pub(crate) struct Ledger {
    pub(crate) state: State,
    pub(crate) batch: Batch,
}

/// A transaction, or a block by itself: where events happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) block: u32,
    pub(crate) place: Option<u32>,
    pub(crate) tx: i64,
    pub(crate) time: u64,
    pub(crate) month: i64,
    pub(crate) day: i64,
}

impl At {
    /// That events cannot be as they are.
    pub(crate) fn wrong(&self, reason: impl Into<String>) -> Lie {
        Lie::Events { block: self.block, reason: reason.into() }
    }
}

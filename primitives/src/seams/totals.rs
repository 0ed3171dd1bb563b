//! Totals of bills (合计), and the whole ledger for who counts them again.

use crate::Bill;

/// The totals of numbers and of issuers' months. Played by the totals pallet.
pub trait Totals {
    /// Counts a bill as it stands now, and no longer as it stood `before`;
    /// `None`: it is new. Both are the bill of one code and number.
    ///
    /// The ledger says so with each version that it writes, in the same
    /// transaction. It is never refused: what it would contradict is logged, and
    /// found by a recount.
    fn changed(before: Option<&Bill>, after: &Bill);
}

/// Every bill of the chain. Played by the bill-register contract.
pub trait Census {
    /// Shows each bill once, as stored, in the order of code and number. Reads
    /// the whole ledger: for checks of a state, never for a block.
    fn for_each(visit: impl FnMut(&Bill));
}

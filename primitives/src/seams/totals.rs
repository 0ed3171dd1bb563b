//! Totals of bills (合计), and the whole ledger for who counts them again.

use crate::{Bill, BillKey};

/// The totals of numbers and of issuers' months. Played by the totals pallet.
pub trait Totals {
    /// Counts a bill as it stands now, and no longer as it stood `before`;
    /// `None`: it is new. Both are the bill of one code and number.
    ///
    /// The ledger says so with each version that it writes, in the same
    /// transaction. It is never refused: what it would contradict is logged, and
    /// found by a recount.
    fn changed(before: Option<&Bill>, after: &Bill);

    /// Whether a bill is counted whose number is of the same hundred of the code.
    fn has_near(key: &BillKey) -> bool;

    /// Shows each bill that is counted and cold, in the order of code and number.
    ///
    /// Nobody can go through cold bills: the tallies say how many there are of each
    /// hundred numbers, and these are asked for. Reads the whole ledger: for checks of a
    /// state, never for a block.
    fn for_each_cold(visit: impl FnMut(&Bill));
}

/// The bills of the chain. Played by the bill-register contract.
pub trait Census {
    /// Each hot bill once, as stored, in the order of code and number. Reads
    /// the whole ledger: for checks of a state, never for a block.
    fn hot() -> impl Iterator<Item = Bill>;

    /// The bill of a code and a number, hot or cold.
    fn find(key: &BillKey) -> Option<Bill>;
}

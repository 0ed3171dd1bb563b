//! What reading costs that may be cold.

use crate::Moment;

/// What reads of cold data add to a block's work. Played by the cooling pallet.
///
/// Whether an entry is cold is the storage's matter, and reads of both kinds are alike.
/// What an entry says of its last change tells whether it may be cold: that is charged,
/// whatever becomes of the transaction.
pub trait ColdReads {
    /// Whether anything may be cold.
    fn is_any() -> bool;

    /// An entry was read that was written at the moment `written` for the last time; 0: that is
    /// not known, or its group has to come back for a new entry.
    fn charge(written: Moment);

    /// An entry was looked for that is nowhere, so that every run was asked.
    fn charge_missing();
}

/// Where nothing is cold.
impl ColdReads for () {
    fn is_any() -> bool {
        false
    }

    fn charge(_: Moment) {}

    fn charge_missing() {}
}

//! Allotment of bill numbers (赋码): which issuer may use which numbers.

use crate::{BillKey, Did};

/// Why an issuer may not use a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AllotmentProblem {
    /// The number lies in no range of the issuer: it is another's or nobody's.
    NotAllotted,
    /// The number was voided before it was used.
    Voided,
}

/// The ranges of numbers. Played by the allotment contract.
pub trait Allotments {
    /// Uses the number of a new bill of `issuer`, if it is the issuer's. Each
    /// number is used once: the ledger calls this for a bill that it takes, and
    /// no bill is taken twice. Writes nothing if it refuses.
    fn use_number(issuer: &Did, key: &BillKey) -> Result<(), AllotmentProblem>;
}

//! All methods of a node, by family.

use crate::{
    access, bill, connectors, governance, method::Method, parties, substrate, transaction,
};

/// Every method, in the order of the documentation.
pub(crate) fn all() -> impl Iterator<Item = &'static Method> {
    [
        bill::METHODS,
        parties::METHODS,
        governance::METHODS,
        connectors::METHODS,
        transaction::METHODS,
        access::METHODS,
    ]
    .into_iter()
    .chain(substrate::METHODS.iter().copied())
    .flatten()
}

//! Errors of methods: what each tells, in one table.

use billchain_rpc_types::code;

/// What an error tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    InvalidParams,
    Internal,
    UnknownBlock,
    BlockNotKept,
    StateNotKept,
    IndexIncomplete,
    NoCertificate,
    RuntimeCall,
    Malformed,
    InvalidTransaction,
    NotChecked,
    NonceTaken,
    PoolRefuses,
    TooManyFollowed,
    NotPinned,
    WithoutRuntime,
    NotWaiting,
    NamedTwice,
}

/// Name, code and meaning.
type Described = (&'static str, i32, &'static str);

/// In the order of the variants.
const DESCRIBED: [(Failure, Described); 18] = [
    (
        Failure::InvalidParams,
        (
            "InvalidParams",
            code::INVALID_PARAMS,
            "A parameter is missing, malformed or out of range",
        ),
    ),
    (
        Failure::Internal,
        ("Internal", code::INTERNAL, "The node failed; nothing is wrong with the request"),
    ),
    (
        Failure::UnknownBlock,
        ("UnknownBlock", code::UNKNOWN_BLOCK, "There is no block with this hash or number"),
    ),
    (
        Failure::BlockNotKept,
        ("BlockNotKept", code::BLOCK_NOT_KEPT, "The node has not this block, or not whole"),
    ),
    (
        Failure::StateNotKept,
        (
            "StateNotKept",
            code::STATE_NOT_KEPT,
            "The state after this block is no longer kept: ask a newer block",
        ),
    ),
    (
        Failure::IndexIncomplete,
        (
            "IndexIncomplete",
            code::INDEX_INCOMPLETE,
            "The node joined lately and still fetches what earlier blocks left in its index: ask another node, or later",
        ),
    ),
    (
        Failure::NoCertificate,
        (
            "NoCertificate",
            code::NO_CERTIFICATE,
            "A block, or the version of a bill, that the certificate needs is not here: ask another node, or later",
        ),
    ),
    (
        Failure::RuntimeCall,
        (
            "RuntimeCall",
            code::RUNTIME_CALL,
            "The runtime API does not exist or failed on its arguments",
        ),
    ),
    (Failure::Malformed, ("Malformed", code::BAD_FORMAT, "These bytes are not a transaction")),
    (
        Failure::InvalidTransaction,
        (
            "InvalidTransaction",
            code::INVALID_TRANSACTION,
            "The transaction is not valid; `data` says why",
        ),
    ),
    (
        Failure::NotChecked,
        (
            "NotChecked",
            code::UNKNOWN_VALIDITY,
            "The transaction could not be checked or watched now",
        ),
    ),
    (
        Failure::NonceTaken,
        (
            "NonceTaken",
            code::TOO_LOW_PRIORITY,
            "Another transaction with this nonce is in the pool",
        ),
    ),
    (
        Failure::PoolRefuses,
        (
            "PoolRefuses",
            code::IMMEDIATELY_DROPPED,
            "The pool has no room for the transaction now; `data` says why and whether it helps to wait",
        ),
    ),
    (
        Failure::TooManyFollowed,
        (
            "TooManyFollowed",
            code::TOO_MANY_FOLLOWED,
            "The connection follows the head of the chain as often as it may",
        ),
    ),
    (
        Failure::NotPinned,
        (
            "NotPinned",
            code::NOT_PINNED,
            "The block is not pinned by the subscription that is named",
        ),
    ),
    (
        Failure::WithoutRuntime,
        (
            "WithoutRuntime",
            code::WITHOUT_RUNTIME,
            "The subscription that is named was begun without the runtime",
        ),
    ),
    (
        Failure::NotWaiting,
        ("NotWaiting", code::NOT_WAITING, "The operation that is named does not wait to go on"),
    ),
    (Failure::NamedTwice, ("NamedTwice", code::NAMED_TWICE, "A block is named twice")),
];

impl Failure {
    /// Each of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        DESCRIBED.into_iter().map(|(failure, _)| failure)
    }

    /// Name, code and meaning.
    pub(crate) fn description(self) -> Described {
        DESCRIBED[self as usize].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_own_row_and_code() {
        let mut codes = std::collections::BTreeSet::new();
        for (at, failure) in Failure::all().enumerate() {
            let (name, code, words) = failure.description();
            assert_eq!(at, failure as usize);
            assert_eq!(name, format!("{failure:?}"));
            assert!(codes.insert(code) && !words.is_empty(), "{name}");
        }
    }
}

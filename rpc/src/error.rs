//! From what went wrong to what a client is told. The codes are
//! [`billchain_rpc_types::code`]'s.

use billchain_executor::{CallError, ChainError, DryRunError, TransactionError};
use billchain_rpc_types::code;
use billchain_storage::StorageError;
use billchain_txpool::PoolError;
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::json;

/// Outcome of a method.
pub(crate) type Answer<T> = Result<T, ErrorObjectOwned>;

/// A parameter that cannot be used.
pub(crate) fn invalid(parameter: &str, expected: &str, found: &str) -> ErrorObjectOwned {
    let found: String = found.chars().take(120).collect();
    let text = format!("{parameter}: expected {expected}, found \"{found}\"");
    ErrorObjectOwned::owned(code::INVALID_PARAMS, text, None::<()>)
}

/// An answer that would be longer than the method gives.
pub(crate) fn answer_too_long(most: usize) -> ErrorObjectOwned {
    let text = format!("the answer would be longer than {most} bytes: ask for less");
    ErrorObjectOwned::owned(code::ANSWER_TOO_LONG, text, None::<()>)
}

/// A block that this node does not have.
pub(crate) fn unknown_block(which: impl core::fmt::Display) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code::UNKNOWN_BLOCK, format!("unknown block {which}"), None::<()>)
}

/// A failure of the node.
pub(crate) fn internal(error: impl core::fmt::Display) -> ErrorObjectOwned {
    tracing::error!(%error, "an RPC request failed");
    ErrorObjectOwned::owned(code::INTERNAL, error.to_string(), None::<()>)
}

pub(crate) fn storage(error: StorageError) -> ErrorObjectOwned {
    match error {
        StorageError::StateNotKept { .. } => {
            ErrorObjectOwned::owned(code::STATE_NOT_KEPT, error.to_string(), None::<()>)
        }
        StorageError::UnknownBlock { .. } => {
            ErrorObjectOwned::owned(code::UNKNOWN_BLOCK, error.to_string(), None::<()>)
        }
        other => internal(other),
    }
}

pub(crate) fn chain(error: ChainError) -> ErrorObjectOwned {
    match error {
        ChainError::Storage(error) => storage(error),
        other => internal(other),
    }
}

pub(crate) fn call(error: CallError) -> ErrorObjectOwned {
    match error {
        CallError::Chain(error) => chain(error),
        other => ErrorObjectOwned::owned(code::RUNTIME_CALL, other.to_string(), None::<()>),
    }
}

pub(crate) fn dry_run(error: DryRunError) -> ErrorObjectOwned {
    match error {
        DryRunError::Chain(error) => chain(error),
        DryRunError::Transaction(TransactionError::Panicked(failure)) => {
            ErrorObjectOwned::owned(code::RUNTIME_CALL, failure.to_string(), None::<()>)
        }
        DryRunError::Transaction(error) => invalid("extrinsic", &error.to_string(), "0x…"),
    }
}

/// Substrate's code, the pool's words, and the pool's own code as data.
pub(crate) fn pool(error: &PoolError) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(
        error.substrate_code(),
        error.to_string(),
        Some(json!({ "code": error.code(), "temporary": error.is_temporary() })),
    )
}

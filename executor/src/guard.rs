//! Runtime code that panics, held back.
//!
//! FRAME was written for a Wasm sandbox: its `Executive` and some pallets
//! answer a block that breaks their rules with a panic. Run natively, such a
//! panic would take the node down. The checks of this crate come first and
//! answer with errors; what still panics is caught here and makes the block or
//! the transaction invalid, nothing more.
//!
//! Catching is sound because everything the code may have left half-written
//! is in the execution's overlay, which the caller drops or rolls back, and
//! because the thread-local externalities are restored while unwinding.
//! `panic = "unwind"` in the workspace's profile is required. A stack overflow
//! cannot be caught; nesting is bounded before execution instead
//! ([`crate::transaction`]).

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runtime code panicked with this message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the runtime panicked: {0}")]
pub struct Panicked(pub String);

/// The result of `f`, or how it panicked.
pub(crate) fn guarded<R>(f: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| Panicked(message(&*payload)))
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(guarded(|| 7), Ok(7));
        assert_eq!(guarded(|| panic!("one {}", 2)), Err::<(), _>(Panicked("one 2".into())));
        assert_eq!(guarded(|| panic!("two")), Err::<(), _>(Panicked("two".into())));
    }
}

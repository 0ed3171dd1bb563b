//! Who may call which method, and what of its answer it sees.
//!
//! [`billchain_access`] knows callers and limits; here is what a bill, a grant and a
//! participant are. Each method has a [`Rule`] in one table ([`rules`]): its class, and its
//! sight, which says how an answer is kept to what the caller may see. A method without a rule
//! is called by nobody but the node's own plain listener.

mod admit;
mod log;
mod rules;
mod sight;
mod view;

pub(crate) use admit::{Admitted, Judge, Standings, note_stranger};
pub(crate) use log::METHODS;
pub(crate) use rules::rule;
pub(crate) use view::View;

use crate::error::Refusal;
use billchain_access::Denied;
use serde_json::json;

/// What a caller is told that is not served. `data` says when to come back, where time helps.
pub(crate) fn refusal(denied: &Denied) -> Refusal {
    let data = denied.retry_after.map(|wait| {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        json!({ "retry_after_ms": ms })
    });
    Refusal::owned(denied.code, denied.words.clone(), data)
}

#[cfg(test)]
mod tests {
    #[test]
    fn clients_know_every_code_of_access() {
        let (here, told) =
            (include_str!("../../../access/src/code.rs"), include_str!("../../types/src/code.rs"));
        let codes: Vec<_> = here.lines().filter(|line| line.contains(": i32 = ")).collect();
        assert_eq!(codes.len(), billchain_access::code::ALL.len());
        for line in codes {
            assert!(told.contains(line), "rpc/types/src/code.rs lacks: {line}");
        }
    }
}

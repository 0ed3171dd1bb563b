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

pub(crate) use admit::{Admitted, Judge, note_stranger};
pub(crate) use log::METHODS;
pub(crate) use rules::rule;

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

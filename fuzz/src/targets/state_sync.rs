//! What nodes that join and those that serve them read from each other.

use crate::Verdict;
use billchain_state_sync::fuzzing;

/// Questions of peers about the chain and its state.
pub fn state_question(data: &[u8]) -> Verdict {
    fuzzing::question(data).into()
}

/// Answers to them, as each kind.
pub fn state_answer(data: &[u8]) -> Verdict {
    fuzzing::answer(data).into()
}

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let (questions, answers) = fuzzing::samples();
    match name {
        "state_question" => questions,
        _ => answers,
    }
}

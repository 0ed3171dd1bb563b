//! What the city's systems and callers of the gateway send to connectors.

use crate::Verdict;
use billchain_connectors::fuzzing;

/// Answers of the old bill system: signed fields, and archives.
pub fn old_system_answer(data: &[u8]) -> Verdict {
    fuzzing::old_system_answer(data).into()
}

/// Receipts of the evidence chain.
pub fn evidence_answer(data: &[u8]) -> Verdict {
    fuzzing::evidence_answer(data).into()
}

/// Reports of the signing chain, and receipts of insurers.
pub fn signing_report(data: &[u8]) -> Verdict {
    fuzzing::signing_report(data).into()
}

/// Signed requests to the gateway.
pub fn signed_request(data: &[u8]) -> Verdict {
    fuzzing::signed_request(data).into()
}

pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    fuzzing::seeds(target)
}

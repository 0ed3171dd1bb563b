//! Segments of cold groups, and what they prove.

use crate::{Verdict, targets::samples_of};
use billchain_cold::fuzzing;

/// Segments: on another disk, in an object store, or from another operator.
pub fn cold_segment(data: &[u8]) -> Verdict {
    fuzzing::segment(data).into()
}

/// Proofs from segments, and activity bits.
pub fn cold_proof(data: &[u8]) -> Verdict {
    fuzzing::proof(data).into()
}

/// Groups and filters, as a node keeps them for itself.
pub fn cold_kept(data: &[u8]) -> Verdict {
    fuzzing::kept(data).into()
}

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let name = name.strip_prefix("cold_").unwrap_or(name);
    samples_of(name, fuzzing::samples())
}

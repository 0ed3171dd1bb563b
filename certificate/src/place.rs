//! What the storage proves of groups, in the form of certificates.

use billchain_storage::{Missing, OperationProof, Place, StateProof};
use billchain_verifier::make;

/// Of what the state root is made.
pub(crate) fn roots(proof: &StateProof) -> make::Roots {
    let runs = proof.run_roots.iter().map(|root| root.0).collect();
    make::Roots { hot: proof.hot_root.0, runs, records: proof.records.0 }
}

/// Where a group is.
pub(crate) fn place(place: Place) -> make::Place {
    match place {
        Place::Hot { group, next, operation: proof } => {
            make::Place::Hot { group, next: next.0, proof: operation(&proof) }
        }
        Place::Cold { run, coverage, inclusion, bit, group } => {
            make::Place::Cold { group, run, coverage, inclusion, bit }
        }
        Place::Nowhere { neighbour, operation: proof, runs } => make::Place::Nowhere {
            neighbour: neighbour.map(|digest| digest.0),
            proof: operation(&proof),
            runs: runs.into_iter().map(missing).collect(),
        },
    }
}

/// Why a run does not have a group.
fn missing(missing: Missing) -> make::Missing {
    match missing {
        Missing::Uncovered(coverage) => make::Missing::Uncovered(coverage),
        Missing::Between { coverage, exclusion } => make::Missing::Between { coverage, exclusion },
        Missing::Left { coverage, inclusion, group, bit } => {
            make::Missing::Left { coverage, inclusion, group: group.0, bit }
        }
    }
}

fn operation(proof: &OperationProof) -> make::OperationProof {
    make::OperationProof {
        location: proof.location,
        leaves: proof.leaves,
        inactive_peaks: proof.inactive_peaks,
        plain: proof.plain.0,
        bits: proof.bits,
        partial: proof.partial.map(|digest| digest.0),
        digests: proof.digests.iter().map(|digest| digest.0).collect(),
    }
}

#[cfg(test)]
mod tests;

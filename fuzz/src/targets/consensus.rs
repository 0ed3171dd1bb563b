//! Messages of consensus and what it keeps on disk.

use crate::{Verdict, targets::samples_of};
use billchain_consensus::fuzzing;

macro_rules! targets {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(data: &[u8]) -> Verdict {
            fuzzing::$name(data).into()
        }
    )*};
}

targets! {
    /// Votes and proposals, from peers and the write-ahead log.
    consensus_message;
    /// Votes, polkas and skip certificates that peers repeat.
    liveness_message;
    /// Parts of proposed blocks in their streams.
    stream_message;
    /// Parts of proposed blocks.
    proposal_part;
    /// Checked blocks in the write-ahead log.
    proposed_value;
    /// Polkas in the write-ahead log.
    polka_certificate;
    /// Proofs that an identity is a validator's.
    validator_proof;
    /// What peers say they have.
    sync_status;
    /// What peers ask for.
    sync_request;
    /// Decided blocks from peers.
    sync_response;
    /// Commit certificates, from peers and the database.
    commit_certificate;
    /// Files of undecided blocks.
    undecided_record;
}

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    samples_of(name, fuzzing::samples())
}

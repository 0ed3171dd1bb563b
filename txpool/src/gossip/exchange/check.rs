//! What becomes of a peer's batch: each transaction goes to the pool, and its
//! sender learns the outcome.

use crate::{
    Pool, PoolError, Rejection, Source,
    gossip::exchange::wire::{Batch, Outcome},
};
use billchain_primitives::Hash;
use bytes::Bytes;

/// A batch, checked.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// One a transaction, in their order.
    pub(super) outcomes: Vec<Outcome>,
    /// Points against the peer.
    pub(super) garbage: u32,
    /// The first transaction that no honest peer sends, in words.
    pub(super) example: Option<String>,
}

/// Puts a peer's transactions into the pool.
pub(super) fn import(pool: &Pool, batch: Batch) -> Verdict {
    let batch = batch.into_iter().map(Bytes::from).collect();
    let mut verdict = Verdict::default();
    for result in pool.submit_all(batch, Source::Peer) {
        verdict.add(&result);
    }
    verdict
}

impl Verdict {
    fn add(&mut self, result: &Result<Hash, PoolError>) {
        let Err(error) = result else {
            self.outcomes.push(Outcome::Taken);
            return;
        };
        let points = points(error);
        if points > 0 {
            self.garbage = self.garbage.saturating_add(points);
            self.example.get_or_insert_with(|| error.to_string());
        }
        self.outcomes.push(outcome(error));
    }
}

/// Points against a peer. An honest node checks before it passes on. A wrong
/// signature weighs little: two nodes on either side of an upgrade disagree on
/// what was signed.
fn points(error: &PoolError) -> u32 {
    match error {
        PoolError::Rejected(Rejection::Undecodable { .. } | Rejection::Unsigned) => 10,
        PoolError::Rejected(Rejection::BadSignature | Rejection::WrongChain { .. }) => 1,
        _ => 0,
    }
}

/// What the peer learns. What is refused because of its sender's share holds
/// back that sender's transactions; only what is wrong with this node itself
/// holds back everybody's.
fn outcome(error: &PoolError) -> Outcome {
    match error {
        PoolError::AlreadyImported(_) | PoolError::AlreadyIncluded { .. } => Outcome::Known,
        PoolError::Full { .. }
        | PoolError::GaveWay { .. }
        | PoolError::SenderFull { .. }
        | PoolError::SenderFullBytes { .. }
        | PoolError::FutureTooFar { .. }
        | PoolError::FutureFull { .. } => Outcome::Later,
        error if error.is_temporary() => Outcome::Full,
        error => Outcome::Refused(error.code()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::AccountId;

    #[test]
    fn a_senders_share_holds_back_nobody_else() {
        let account = || AccountId::new([1; 32]);
        let hash = Hash::repeat_byte(1);
        let full = PoolError::Full { account: account(), transactions: 1, bytes: 1 };
        let bytes = PoolError::SenderFullBytes { account: account(), held: 2, limit: 1 };
        let failed = Rejection::CheckFailed { detail: "disk".into() };
        for (error, expected) in [
            (full, Outcome::Later),
            (PoolError::GaveWay { account: account() }, Outcome::Later),
            (PoolError::SenderFull { account: account(), limit: 1 }, Outcome::Later),
            (bytes, Outcome::Later),
            (PoolError::FutureTooFar { next: 1, got: 9, max_ahead: 1 }, Outcome::Later),
            (PoolError::FutureFull { limit: 1 }, Outcome::Later),
            (PoolError::Stopping, Outcome::Full),
            (PoolError::Busy { waiting: 1 }, Outcome::Full),
            (PoolError::DiskLow { free_mib: 1, least_mib: 2 }, Outcome::Full),
            (failed.into(), Outcome::Full),
            (PoolError::AlreadyImported(hash), Outcome::Known),
            (PoolError::AlreadyIncluded { hash, block: hash }, Outcome::Known),
            (Rejection::BadSignature.into(), Outcome::Refused(2102)),
        ] {
            assert_eq!(outcome(&error), expected, "{error}");
        }
    }

    #[test]
    fn only_what_no_honest_peer_sends_counts_against_a_peer() {
        let mut verdict = Verdict::default();
        let stale = Rejection::Stale { expected: 2, got: 1 };
        let unreadable = Rejection::Undecodable { reason: "short".into() };
        for error in [stale, Rejection::BadSignature, unreadable] {
            verdict.add(&Err(error.into()));
        }
        verdict.add(&Ok(Hash::repeat_byte(1)));
        assert_eq!(verdict.garbage, 11);
        assert_eq!(verdict.example, Some(Rejection::BadSignature.to_string()));
        assert_eq!(verdict.outcomes.len(), 4);
    }
}

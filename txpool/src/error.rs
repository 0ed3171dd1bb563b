//! Why a transaction is refused, in a form that a client, a peer and an
//! operator can each act on.
//!
//! Codes are stable: a number is never given another meaning, and a new kind
//! takes the next free number of its group.

use billchain_primitives::{AccountId, BlockNumber, Hash, Nonce};

/// Verdict of the chain's rules on one transaction: it cannot be executed on
/// the head as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The bytes are not one transaction of this chain.
    #[error("the bytes are not a transaction of this chain: {reason}")]
    Undecodable {
        /// What the decoder met, and where if it knows.
        reason: String,
    },
    /// The transaction carries no signature; only a block's proposer adds such ones.
    #[error("the transaction is not signed; only signed transactions are taken")]
    Unsigned,
    /// The signature does not fit the sender and the payload.
    #[error(
        "the signature does not fit the sender and the payload; a payload signed for another \
         chain, runtime version or birth block of the mortality fails in the same way"
    )]
    BadSignature,
    /// The transaction names another chain.
    #[error("the transaction is for another chain: {detail}")]
    WrongChain {
        /// What it was made for and what this chain is.
        detail: String,
    },
    /// The sender is neither an active participant nor a node's operator.
    #[error("account {account} may not send transactions: {reason}")]
    NotAParticipant {
        /// The sender.
        account: AccountId,
        /// Unknown, suspended, withdrawn and the like.
        reason: String,
    },
    /// The nonce was used already.
    #[error("the nonce is used already: expected {expected} or later, got {got}")]
    Stale {
        /// Next nonce of the account at the head.
        expected: Nonce,
        /// Nonce of the transaction.
        got: Nonce,
    },
    /// The transaction's mortality ended, or its birth block is not known.
    #[error("the transaction's mortality period does not include the head: {detail}")]
    Mortality {
        /// Which bound was missed.
        detail: String,
    },
    /// The transaction alone exceeds what a block may hold.
    #[error("the transaction exceeds what a block may hold: {detail}")]
    TooHeavy {
        /// The limit that it exceeds.
        detail: String,
    },
    /// The runtime refuses the transaction for another reason.
    #[error("the runtime refuses the transaction (code {code}): {detail}")]
    Refused {
        /// The runtime's own code, 0 where it has none.
        code: u8,
        /// The runtime's words.
        detail: String,
    },
    /// The runtime could not be asked: a failure of this node, not of the transaction.
    #[error("this node could not check the transaction: {detail}")]
    CheckFailed {
        /// What failed.
        detail: String,
    },
}

/// Why the pool does not hold a transaction (any longer).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The chain's rules refuse it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It is in the pool.
    #[error("transaction {0} is in the pool already")]
    AlreadyImported(Hash),
    /// It is in a block.
    #[error("transaction {hash} is in block {block} already")]
    AlreadyIncluded {
        /// The transaction.
        hash: Hash,
        /// The block that holds it.
        block: Hash,
    },
    /// It is longer than the pool takes.
    #[error("the transaction has {size} bytes, at most {max} are taken")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// `max_transaction_bytes` of the configuration.
        max: usize,
    },
    /// The sender's room is full, and nobody has a larger share of it.
    #[error(
        "the pool is full ({transactions} transactions, {bytes} bytes), and no sender has a \
         larger share than account {account}; send again after the next blocks"
    )]
    Full {
        /// The sender.
        account: AccountId,
        /// Transactions that the room may hold.
        transactions: usize,
        /// Bytes that it may hold.
        bytes: usize,
    },
    /// The pool holds as many transactions with a gap before them as it may.
    #[error(
        "the pool holds {limit} transactions that wait for an earlier nonce and takes no more \
         of them"
    )]
    FutureFull {
        /// `max_future` of the configuration.
        limit: usize,
    },
    /// The sender has as many transactions in the pool as one sender may.
    #[error("account {account} has {limit} transactions in the pool, as many as one may have")]
    SenderFull {
        /// The sender.
        account: AccountId,
        /// `max_per_sender` of the configuration.
        limit: usize,
    },
    /// The sender's transactions in the pool have as many bytes as one
    /// sender's may.
    #[error(
        "account {account} has {held} bytes of transactions in the pool, at most {limit} are one \
         sender's; send again after the next blocks"
    )]
    SenderFullBytes {
        /// The sender.
        account: AccountId,
        /// Bytes that it has.
        held: usize,
        /// The smaller of its quota on the chain and `max_sender_bytes`.
        limit: usize,
    },
    /// The pool was full, and the sender had the largest share of it.
    #[error(
        "dropped to make room for others: the pool was full, and account {account} had the \
         largest share of it; send again after the next blocks"
    )]
    GaveWay {
        /// The sender.
        account: AccountId,
    },
    /// The nonce is too far ahead of the sender's next one.
    #[error("nonce {got} is too far ahead: the next one is {next}, at most {max_ahead} beyond it")]
    FutureTooFar {
        /// Next nonce that would be executable.
        next: Nonce,
        /// Nonce of the transaction.
        got: Nonce,
        /// `max_nonce_gap` of the configuration.
        max_ahead: u32,
    },
    /// Another transaction of the sender has the nonce; the pool never
    /// replaces one, so that no node proposes what another has dropped.
    #[error("nonce {nonce} is taken by transaction {by} of the same account")]
    NonceTaken {
        /// The nonce.
        nonce: Nonce,
        /// Hash of the transaction that has it.
        by: Hash,
    },
    /// Its last block has gone by.
    #[error(
        "the transaction expired: it had to be in a block before {dies_at}, the head is {head}"
    )]
    Expired {
        /// First block that may no longer hold it.
        dies_at: BlockNumber,
        /// The head.
        head: BlockNumber,
    },
    /// It waited too long for the nonces before it.
    #[error("dropped after {blocks} blocks of waiting for an earlier nonce of its account")]
    FutureTimedOut {
        /// `future_lifetime` of the configuration.
        blocks: u32,
    },
    /// It passes the check at the door but not when a block is built.
    #[error("the transaction could not be put into a block that was being built")]
    NotIncludable,
    /// No more status subscriptions.
    #[error("{limit} transaction status subscriptions are open, as many as may be")]
    TooManyWatchers {
        /// `max_watchers` of the configuration.
        limit: usize,
    },
    /// A transaction that the pool does not hold cannot be watched.
    #[error("transaction {0} is not in the pool")]
    Unknown(Hash),
    /// The pool is shutting down.
    #[error("the node is stopping")]
    Stopping,
    /// As many submissions wait to be checked as may.
    #[error("the node is busy: {waiting} submissions wait to be checked; send again in a moment")]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// The journal of accepted transactions is full.
    #[error(
        "the node's journal of accepted transactions is full ({held} of {limit} bytes); send \
         again after the next blocks, or to another node; its operator can raise \
         pool.max_journal_bytes"
    )]
    JournalFull {
        /// Bytes that it has.
        held: u64,
        /// `pool.max_journal_bytes` of the configuration.
        limit: u64,
    },
    /// The node's disk is nearly full.
    #[error(
        "the node takes no transactions: its disk has {free_mib} MiB free, and it takes them from \
         {least_mib} MiB on; send to another node, or again when its operator has made room \
         (storage.min_free_mib)"
    )]
    DiskLow {
        /// MiB that are free.
        free_mib: u64,
        /// `storage.min_free_mib` of the configuration.
        least_mib: u64,
    },
    /// The transaction could not be written to the journal.
    #[error(
        "the node could not keep the transaction: {reason}. It is not promised, and may come \
         into a block all the same: send the same bytes again, here or to another node"
    )]
    NotKept {
        /// What refused.
        reason: String,
    },
}

impl Rejection {
    /// Number of the kind, stable across versions: 2100–2199.
    pub fn code(&self) -> i32 {
        match self {
            Self::Undecodable { .. } => 2100,
            Self::Unsigned => 2101,
            Self::BadSignature => 2102,
            Self::WrongChain { .. } => 2103,
            Self::NotAParticipant { .. } => 2104,
            Self::Stale { .. } => 2105,
            Self::Mortality { .. } => 2106,
            Self::TooHeavy { .. } => 2107,
            Self::Refused { .. } => 2108,
            Self::CheckFailed { .. } => 2109,
        }
    }
}

impl PoolError {
    /// Number of the kind, stable across versions: 2000–2099 for the pool's
    /// own reasons, 2100–2199 for the chain's rules.
    pub fn code(&self) -> i32 {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::AlreadyImported(_) => 2000,
            Self::AlreadyIncluded { .. } => 2001,
            Self::TooLarge { .. } => 2002,
            Self::Full { .. } => 2003,
            Self::FutureFull { .. } => 2005,
            Self::SenderFull { .. } => 2006,
            Self::FutureTooFar { .. } => 2007,
            Self::NonceTaken { .. } => 2008,
            Self::Expired { .. } => 2009,
            Self::FutureTimedOut { .. } => 2010,
            Self::NotIncludable => 2011,
            Self::TooManyWatchers { .. } => 2012,
            Self::Unknown(_) => 2013,
            Self::Stopping => 2014,
            Self::Busy { .. } => 2015,
            Self::SenderFullBytes { .. } => 2016,
            Self::GaveWay { .. } => 2017,
            Self::JournalFull { .. } => 2018,
            Self::NotKept { .. } => 2019,
            Self::DiskLow { .. } => 2020,
        }
    }

    /// Number that Substrate's `author_*` methods give for the same kind, for
    /// clients that know only those.
    pub fn substrate_code(&self) -> i32 {
        match self {
            // The bytes did not decode.
            Self::Rejected(Rejection::Undecodable { .. }) => 1001,
            Self::Rejected(Rejection::CheckFailed { .. }) | Self::TooManyWatchers { .. } => 1011,
            Self::Rejected(_)
            | Self::TooLarge { .. }
            | Self::AlreadyIncluded { .. }
            | Self::FutureTooFar { .. }
            | Self::Expired { .. }
            | Self::FutureTimedOut { .. }
            | Self::NotIncludable
            | Self::Unknown(_) => 1010,
            Self::AlreadyImported(_) => 1013,
            Self::NonceTaken { .. } => 1014,
            Self::Full { .. }
            | Self::FutureFull { .. }
            | Self::SenderFull { .. }
            | Self::SenderFullBytes { .. }
            | Self::GaveWay { .. }
            | Self::Stopping
            | Self::Busy { .. }
            | Self::JournalFull { .. }
            | Self::NotKept { .. }
            | Self::DiskLow { .. } => 1016,
        }
    }

    /// Whether the same bytes may be taken later without any change: the node
    /// lacks room, not the transaction validity.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Full { .. }
                | Self::FutureFull { .. }
                | Self::SenderFull { .. }
                | Self::SenderFullBytes { .. }
                | Self::GaveWay { .. }
                | Self::FutureTooFar { .. }
                | Self::TooManyWatchers { .. }
                | Self::Stopping
                | Self::Busy { .. }
                | Self::JournalFull { .. }
                | Self::NotKept { .. }
                | Self::DiskLow { .. }
                | Self::Rejected(Rejection::CheckFailed { .. })
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<PoolError> {
        let hash = Hash::repeat_byte(1);
        let account = AccountId::new([7; 32]);
        let detail = || "d".to_string();
        vec![
            Rejection::Undecodable { reason: detail() }.into(),
            Rejection::Unsigned.into(),
            Rejection::BadSignature.into(),
            Rejection::WrongChain { detail: detail() }.into(),
            Rejection::NotAParticipant { account: account.clone(), reason: detail() }.into(),
            Rejection::Stale { expected: 2, got: 1 }.into(),
            Rejection::Mortality { detail: detail() }.into(),
            Rejection::TooHeavy { detail: detail() }.into(),
            Rejection::Refused { code: 3, detail: detail() }.into(),
            Rejection::CheckFailed { detail: detail() }.into(),
            PoolError::AlreadyImported(hash),
            PoolError::AlreadyIncluded { hash, block: hash },
            PoolError::TooLarge { size: 2, max: 1 },
            PoolError::Full { account: account.clone(), transactions: 1, bytes: 1 },
            PoolError::FutureFull { limit: 1 },
            PoolError::SenderFull { account: account.clone(), limit: 1 },
            PoolError::SenderFullBytes { account: account.clone(), held: 2, limit: 1 },
            PoolError::GaveWay { account },
            PoolError::FutureTooFar { next: 1, got: 9, max_ahead: 3 },
            PoolError::NonceTaken { nonce: 1, by: hash },
            PoolError::Expired { dies_at: 1, head: 2 },
            PoolError::FutureTimedOut { blocks: 1 },
            PoolError::NotIncludable,
            PoolError::TooManyWatchers { limit: 1 },
            PoolError::Unknown(hash),
            PoolError::Stopping,
            PoolError::Busy { waiting: 1 },
            PoolError::JournalFull { held: 1, limit: 1 },
            PoolError::NotKept { reason: detail() },
            PoolError::DiskLow { free_mib: 1, least_mib: 2 },
        ]
    }

    #[test]
    fn every_kind_has_its_own_code_in_its_range() {
        let errors = samples();
        let codes: std::collections::BTreeSet<i32> = errors.iter().map(PoolError::code).collect();
        assert_eq!(codes.len(), errors.len());
        for error in &errors {
            let range = match error {
                PoolError::Rejected(_) => 2100..2200,
                _ => 2000..2100,
            };
            assert!(range.contains(&error.code()), "{error:?}");
            assert!((1001..=1016).contains(&error.substrate_code()), "{error:?}");
            assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn messages_name_what_was_expected_and_found() {
        let stale: PoolError = Rejection::Stale { expected: 8, got: 5 }.into();
        assert_eq!(stale.to_string(), "the nonce is used already: expected 8 or later, got 5");
        let far = PoolError::FutureTooFar { next: 4, got: 99, max_ahead: 10 };
        assert_eq!(
            far.to_string(),
            "nonce 99 is too far ahead: the next one is 4, at most 10 beyond it"
        );
    }
}

//! A transaction as the pool holds it, and what the chain says of it.

use crate::{Rejection, SenderClass, SenderQuota};
use billchain_primitives::{AccountId, BlockNumber, Hash, Nonce};
use bytes::Bytes;

/// Where a transaction came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Submitted to this node; it is passed on to the peers.
    Local,
    /// Received from a peer, which passes it on to the others itself.
    Peer,
}

/// A transaction in the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolTransaction {
    /// SM3 of `bytes`.
    pub hash: Hash,
    /// The encoding with its length prefix, as it stands in a block.
    pub bytes: Bytes,
    /// Account that signed it.
    pub sender: AccountId,
    /// Its nonce.
    pub nonce: Nonce,
    /// Where it came from.
    pub source: Source,
}

/// What the chain says of a valid transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxInfo {
    /// Account that signed it.
    pub sender: AccountId,
    /// Its nonce.
    pub nonce: Nonce,
    /// Next nonce of the sender in the state that was asked.
    pub account_nonce: Nonce,
    /// First block that may no longer hold it; `None` if it never expires.
    pub dies_at: Option<BlockNumber>,
    /// Number of the block whose state was asked.
    pub at: BlockNumber,
    /// What the chain grants the sender.
    pub quota: SenderQuota,
}

/// The chain's rules, as the pool asks them.
///
/// Called from several threads at once and never under the pool's lock. An
/// answer may be out of date when it arrives; [`TxInfo::at`] tells. A
/// transaction whose nonce is ahead of the account's is valid here: the pool
/// holds it until its turn. It must answer for any bytes without panicking.
pub trait TransactionValidator: Send + Sync + 'static {
    /// Whether each of `txs`, encodings with their length prefix, may be
    /// executed on the head, now or after earlier nonces of its sender: an
    /// answer for each, in their order.
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>>;

    /// Next nonce of an account in the head's state. Asked at the start only, so that
    /// what was kept and is final is not checked again; `None`, as by default, has
    /// everything checked.
    fn account_nonce(&self, account: &AccountId) -> Option<Nonce> {
        let _ = account;
        None
    }

    /// Who signed `tx` by its own account, and that account's class. Nothing is
    /// verified: the answer must cost far less than a signature. Asked only when
    /// the line at the asynchronous entrance is full; where nobody has a class, as
    /// by default, the entrance's reserve is nobody's.
    fn claimed(&self, tx: &[u8]) -> Option<(AccountId, SenderClass)> {
        let _ = tx;
        None
    }
}

/// What a committed block means for the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedBlock {
    /// Its number.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: Hash,
    /// Hashes of its transactions, inherents included or not.
    pub included: Vec<Hash>,
    /// Next nonce of each account that sent one of them, after the block.
    pub nonces: Vec<(AccountId, Nonce)>,
}

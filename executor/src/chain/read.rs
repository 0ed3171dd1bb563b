//! Reading the state, and validating transactions for the pool.

use crate::{
    CallError, Chain, ChainError, Panicked, TransactionError,
    externalities::StateExternalities,
    guard::guarded,
    state::ReadView,
    transaction::{self, transaction_hash},
};
use billchain_primitives::{AccountId, Address, BlockNumber, Hash, Nonce};
use billchain_runtime::{Executive, System, UncheckedExtrinsic, api, nonce_of};
use billchain_storage::StateSnapshot;
use sp_runtime::transaction_validity::{
    InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
};

/// A transaction that the chain would take, now or once the sender's earlier
/// ones are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// Its hash.
    pub hash: Hash,
    /// Who signed it.
    pub sender: AccountId,
    /// Its nonce.
    pub nonce: Nonce,
    /// The nonce of the sender's next transaction in a block. If it is below
    /// [`Self::nonce`], the transaction waits.
    pub account_nonce: Nonce,
    /// What the runtime says of priority and longevity (in blocks).
    pub validity: ValidTransaction,
    /// The head it was validated on.
    pub head: BlockNumber,
}

/// Why a transaction was not found valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// It is not.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// It could not be judged.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Chain {
    /// Runs runtime code, for instance the runtime's queries, on the head's
    /// state. What it writes is dropped.
    pub fn read<R>(&self, f: impl FnOnce() -> R) -> Result<R, ChainError> {
        run_on(self.storage().state(), f)
    }

    /// As [`Self::read`], on the state after block `hash`. States of old
    /// blocks are not kept.
    pub fn read_at<R>(&self, hash: &Hash, f: impl FnOnce() -> R) -> Result<R, ChainError> {
        run_on(self.storage().state_at(hash)?, f)
    }

    /// Calls a runtime API by name with encoded arguments on the state after
    /// block `at`, or the head's. What it writes is dropped.
    pub fn call(&self, at: Option<&Hash>, method: &str, data: &[u8]) -> Result<Vec<u8>, CallError> {
        let snapshot = match at {
            Some(hash) => self.storage().state_at(hash).map_err(ChainError::from)?,
            None => self.storage().state(),
        };
        run_guarded(snapshot, || api::dispatch(method, data))
            .map_err(CallError::Chain)??
            .ok_or_else(|| CallError::UnknownMethod(method.chars().take(100).collect()))
    }

    /// Validates a transaction on the head's state, as the pool needs it.
    pub fn validate_transaction(&self, bytes: &[u8]) -> Result<Validated, ValidationError> {
        let extrinsic = transaction::decode(bytes)?;
        let Some((sender, nonce)) = signer(&extrinsic) else {
            return Err(TransactionError::Refused(TransactionValidityError::Invalid(
                InvalidTransaction::UnknownOrigin,
            ))
            .into());
        };
        // The head may move in between; both belong together only for the
        // snapshot, whose number is asked for below.
        let snapshot = self.storage().state();
        let number = snapshot.number();
        let hash = self.storage().hash_of(number).map_err(ChainError::from)?.unwrap_or_default();
        let who = sender.clone();
        let (validity, account_nonce) = run_guarded(snapshot, || {
            let account_nonce = System::account_nonce(&who);
            let source = TransactionSource::External;
            (Executive::validate_transaction(source, extrinsic, hash), account_nonce)
        })?
        .map_err(TransactionError::from)?;
        let validity = validity.map_err(TransactionError::Refused)?;
        Ok(Validated {
            hash: transaction_hash(bytes),
            sender,
            nonce,
            account_nonce,
            validity,
            head: number,
        })
    }
}

/// Who signed a transaction, and with which nonce.
fn signer(extrinsic: &UncheckedExtrinsic) -> Option<(AccountId, Nonce)> {
    let (address, _, extension) = extrinsic.signed_parts()?;
    let nonce = nonce_of(extension);
    match address {
        Address::Id(account) => Some((account.clone(), nonce)),
        _ => None,
    }
}

fn run_on<R>(snapshot: StateSnapshot, f: impl FnOnce() -> R) -> Result<R, ChainError> {
    let mut ext = StateExternalities::new(ReadView(snapshot));
    let result = ext.run(f);
    // A read that failed gave "absent": then the result means nothing.
    match ext.take_failure() {
        Some(failure) => Err(failure.into()),
        None => Ok(result),
    }
}

/// As [`run_on`]; a panic of the runtime is an error of its own, unless a
/// failed read explains it.
fn run_guarded<R>(
    snapshot: StateSnapshot,
    f: impl FnOnce() -> R,
) -> Result<Result<R, Panicked>, ChainError> {
    let mut ext = StateExternalities::new(ReadView(snapshot));
    let result = guarded(|| ext.run(f));
    match ext.take_failure() {
        Some(failure) => Err(failure.into()),
        None => Ok(result),
    }
}

//! Reading the state, and validating transactions for the pool.

use crate::{
    CallError, Chain, ChainError, Panicked, TransactionError,
    externalities::StateExternalities,
    guard::guarded,
    state::ReadView,
    transaction::{self, Measured, transaction_hash},
};
use billchain_primitives::{
    AccountId, Address, BlockNumber, Hash, Header, Nonce, transaction_hashes,
};
use billchain_runtime::{Executive, System, UncheckedExtrinsic, api, execution, nonce_of};
use billchain_storage::StateSnapshot;
use codec::Encode;
use sp_externalities::Externalities;
use sp_runtime::{
    generic::Digest,
    transaction_validity::{InvalidTransaction, TransactionSource, ValidTransaction},
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

    /// Applies a transaction as the first of the block after `at`, or after the
    /// head, and drops what it wrote: the encoded result of applying it.
    ///
    /// The block is begun first, so that a transaction is judged as the pool
    /// and a proposer judge it: a mortal one is alive from the head on.
    pub fn dry_run(&self, at: Option<&Hash>, bytes: &[u8]) -> Result<Vec<u8>, DryRunError> {
        let extrinsic = transaction::decode(bytes)?;
        let snapshot = match at {
            Some(hash) => self.storage().state_at(hash).map_err(ChainError::from)?,
            None => self.storage().state(),
        };
        let parent = snapshot.number();
        let header = Header {
            parent_hash: self
                .storage()
                .hash_of(parent)
                .map_err(ChainError::from)?
                .unwrap_or_default(),
            number: parent.saturating_add(1),
            state_root: Hash::zero(),
            extrinsics_root: Hash::zero(),
            digest: Digest::default(),
        };
        let hash = transaction_hash(bytes);
        let applied = run_guarded(snapshot, || {
            Executive::initialize_block(&header);
            execution::apply(extrinsic, bytes, hash).encode()
        });
        Ok(applied?.map_err(TransactionError::from)?)
    }

    /// Validates transactions on the head's state, as the pool needs it: each
    /// by itself, all on one state. What is found valid is kept decoded for
    /// the block it will be in.
    pub fn validate_transactions<T: AsRef<[u8]>>(
        &self,
        txs: &[T],
    ) -> Result<Vec<Result<Validated, TransactionError>>, ChainError> {
        let snapshot = self.storage().state();
        // The head may move meanwhile: the snapshot says which block it is of.
        let number = snapshot.number();
        let hash = self.storage().hash_of(number)?.unwrap_or_default();
        let mut validation = Validation::begin(snapshot, number, hash);
        let judge = |(bytes, hash): (&T, Hash)| {
            let bytes = bytes.as_ref();
            let Measured { extrinsic, decoded_size } = match transaction::decode_measured(bytes) {
                Ok(measured) => measured,
                Err(error) => return Ok(Err(error)),
            };
            let judged = validation.judge(&extrinsic, hash, bytes.len())?;
            if judged.is_ok() {
                self.inner.decoded.keep(hash, extrinsic, decoded_size);
            }
            Ok(judged)
        };
        txs.iter().zip(transaction_hashes(txs)).map(judge).collect()
    }
}

/// Why a transaction could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// It is no transaction, or the runtime failed on it.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// This node failed, or does not keep the state.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// A state made ready for validating transactions on it.
struct Validation {
    ext: StateExternalities<ReadView>,
    head: BlockNumber,
}

impl Validation {
    fn begin(snapshot: StateSnapshot, head: BlockNumber, head_hash: Hash) -> Self {
        let mut ext = StateExternalities::new(ReadView(snapshot));
        ext.run(|| execution::begin_validation(head, head_hash));
        Self { ext, head }
    }

    /// Judges one; it leaves no trace for the next.
    fn judge(
        &mut self,
        extrinsic: &UncheckedExtrinsic,
        hash: Hash,
        encoded_len: usize,
    ) -> Result<Result<Validated, TransactionError>, ChainError> {
        let Some((sender, nonce)) = signer(extrinsic) else {
            return Ok(Err(TransactionError::Refused(InvalidTransaction::UnknownOrigin.into())));
        };
        let depth = self.ext.depth();
        self.ext.storage_start_transaction();
        let judged = guarded(|| {
            self.ext.run(|| {
                let source = TransactionSource::External;
                let validity = execution::validate(source, extrinsic.clone(), encoded_len, hash);
                (validity, System::account_nonce(&sender))
            })
        });
        self.ext.roll_back_to(depth);
        // A read that failed gave "absent": it explains any verdict.
        if let Some(failure) = self.ext.take_failure() {
            return Err(failure.into());
        }
        Ok(match judged {
            Ok((Ok(validity), account_nonce)) => {
                Ok(Validated { hash, sender, nonce, account_nonce, validity, head: self.head })
            }
            Ok((Err(refused), _)) => Err(TransactionError::Refused(refused)),
            Err(panicked) => Err(panicked.into()),
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

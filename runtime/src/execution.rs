//! Applying and validating transactions that were decoded already.
//!
//! [`Executive`] takes an extrinsic from anywhere: it encodes it again,
//! decodes that again, and describes it in hexadecimal for a trace. Whoever
//! holds a transaction in its canonical bytes and decoded, as the executor
//! does, asks here instead. Step by step this is what `Executive` does; a test
//! compares the two.

use crate::{
    BlockNumber, Cooling, Executive, Hash, Performance, Runtime, SigningContext, System,
    UncheckedExtrinsic,
};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
use sp_runtime::{
    ApplyExtrinsicResult,
    traits::{Applyable, Checkable},
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidity},
};

/// Applies `extrinsic`, whose canonical encoding is `encoded` and has this `hash`,
/// to the block under execution. On a refusal the caller rolls back what was
/// written.
///
/// What it read of cold data weighs in the block, whatever became of its calls.
pub fn apply(extrinsic: UncheckedExtrinsic, encoded: &[u8], hash: Hash) -> ApplyExtrinsicResult {
    Cooling::charging(|| apply_as_executive(extrinsic, encoded, hash))
}

fn apply_as_executive(
    extrinsic: UncheckedExtrinsic,
    encoded: &[u8],
    hash: Hash,
) -> ApplyExtrinsicResult {
    if extrinsic.signed_parts().is_none() || !System::inherents_applied() {
        // Inherents, and the end of them, are `Executive`'s.
        return Executive::apply_extrinsic(extrinsic);
    }
    let checked = extrinsic.check(&SigningContext::of(hash))?;
    let info = checked.get_dispatch_info();
    System::note_extrinsic(encoded.to_vec());
    let result = Applyable::apply::<Runtime>(checked, &info, encoded.len())?;
    if result.is_err() && info.class == DispatchClass::Mandatory {
        return Err(InvalidTransaction::BadMandatory.into());
    }
    System::note_applied_extrinsic(&result, info);
    Ok(result.map(|_| ()).map_err(|error| error.error))
}

/// Makes the state ready for [`validate`]: as if block `head + 1` had begun.
pub fn begin_validation(head: BlockNumber, head_hash: Hash) {
    System::initialize(&head.saturating_add(1), &head_hash, &Default::default());
    Performance::begin_block();
}

/// Whether `extrinsic`, whose canonical encoding has `encoded_len` bytes and this
/// `hash`, may be in the next block. [`begin_validation`] comes first, once for any
/// number of them.
pub fn validate(
    source: TransactionSource,
    extrinsic: UncheckedExtrinsic,
    encoded_len: usize,
    hash: Hash,
) -> TransactionValidity {
    let checked = extrinsic.check(&SigningContext::of(hash))?;
    let info = checked.get_dispatch_info();
    if info.class == DispatchClass::Mandatory {
        return Err(InvalidTransaction::MandatoryValidation.into());
    }
    checked.validate::<Runtime>(source, &info, encoded_len)
}

//! Signatures of a block that arrives cold: checked on all processors before
//! the block is executed on one.

use crate::{guard::guarded, run::Run};
use billchain_primitives::{
    AccountId, Address, Hash, Signature, SignatureAdmission, VerificationId,
};
use billchain_runtime::{SigningContext, UncheckedExtrinsic};
use std::{num::NonZeroUsize, thread};

/// Signatures for which another thread pays.
const MIN_PER_THREAD: usize = 16;

/// Threads, at most.
const MAX_THREADS: usize = 16;

/// A signature, what it covers and who is said to have made it.
struct Claim<'a> {
    id: VerificationId,
    signature: &'a Signature,
    payload: Vec<u8>,
    signer: &'a AccountId,
}

/// Checks the signatures of `cold`: transactions that did not pass this node's
/// pool, by their hashes, and whose signers the chain admits. Decides nothing:
/// those found valid are remembered ([`Signature::verify_by`]), and the
/// execution that follows asks for every one.
pub(super) fn check_ahead<'a>(
    run: &mut Run,
    cold: impl Iterator<Item = (Hash, &'a UncheckedExtrinsic)>,
) {
    let cold: Vec<_> = cold.collect();
    let threads = threads_for(cold.len());
    if threads < 2 {
        return;
    }
    // What the execution cannot make of a transaction either, it refuses.
    let claims: Vec<Claim<'_>> = run.ask(|| {
        let claims = |(hash, extrinsic)| guarded(|| claim(hash, extrinsic)).ok()?;
        cold.into_iter().filter_map(claims).collect()
    });
    let check = |claims: &[Claim<'_>]| {
        for Claim { id, signature, payload, signer } in claims {
            signature.verify_by(*id, || payload, signer);
        }
    };
    let share = claims.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        for claims in claims.chunks(share) {
            scope.spawn(move || check(claims));
        }
    });
}

fn threads_for(signatures: usize) -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    processors.min(MAX_THREADS).min(signatures / MIN_PER_THREAD)
}

fn claim(hash: Hash, extrinsic: &UncheckedExtrinsic) -> Option<Claim<'_>> {
    let (Address::Id(signer), signature, _) = extrinsic.signed_parts()? else { return None };
    SigningContext::of(hash).admit_signer(signer).ok()?;
    let implied = extrinsic.implied().ok()??;
    let id = VerificationId::of_transaction(&hash, &implied);
    Some(Claim { id, signature, payload: extrinsic.signed_payload(&implied), signer })
}

//! Signatures of a block that arrives cold: checked on all processors before
//! the block is executed on one.

use crate::{guard::guarded, run::Run};
use billchain_primitives::{AccountId, Address, Signature, SignatureAdmission};
use billchain_runtime::{SigningContext, UncheckedExtrinsic};
use std::{num::NonZeroUsize, thread};

/// Signatures for which another thread pays.
const MIN_PER_THREAD: usize = 16;

/// Threads, at most.
const MAX_THREADS: usize = 16;

/// A signature, what it covers and who is said to have made it.
struct Claim<'a> {
    signature: &'a Signature,
    payload: Vec<u8>,
    signer: &'a AccountId,
}

/// Checks the signatures of `cold`: transactions that did not pass this node's
/// pool, and whose signers the chain admits. Decides nothing: those found valid are remembered
/// ([`Signature::verify_payload`]), and the execution that follows asks for
/// every one.
pub(super) fn check_ahead<'a>(run: &mut Run, cold: impl Iterator<Item = &'a UncheckedExtrinsic>) {
    let cold: Vec<_> = cold.collect();
    let threads = threads_for(cold.len());
    if threads < 2 {
        return;
    }
    // What the execution cannot make of a transaction either, it refuses.
    let claims: Vec<Claim<'_>> = run.ask(|| {
        cold.into_iter().filter_map(|extrinsic| guarded(|| claim(extrinsic)).ok()?).collect()
    });
    let check = |claims: &[Claim<'_>]| {
        for Claim { signature, payload, signer } in claims {
            signature.verify_payload(payload, signer);
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

fn claim(extrinsic: &UncheckedExtrinsic) -> Option<Claim<'_>> {
    let (Address::Id(signer), signature, _) = extrinsic.signed_parts()? else { return None };
    SigningContext.admit_signer(signer).ok()?;
    let payload = extrinsic.signed_payload().ok()??;
    Some(Claim { signature, payload, signer })
}

//! Decided headers and proofs of the state: for whoever follows the chain without a node of
//! its own.

use super::chain::{hash_of, number_of};
use crate::{
    context::Context,
    error::{
        Answer, Refusal, answer_too_long, busy, chain, internal, invalid, no_certificate,
        not_the_head, unknown_block,
    },
    method::{Args, to_hex},
};
use billchain_certificate::CertificateError;
use billchain_primitives::Hash;
use billchain_rpc_types::{BlockRef, DecidedHeaderView, ReadProofView};
use serde_json::Value;

/// Most keys of one `state_getReadProof`.
pub(super) const MAX_PROVED: usize = 64;
/// Most that is read for a key: it and its group, a last byte each; and of each of at most 64 runs
/// of the cold part a page of a filter, two of an index, a block, and nodes in four places.
pub(super) const MAX_BESIDE: u32 = 257 + 64 * 8;

/// Of a block's hash or number, or of the head.
pub(super) fn decided_header(context: &Context, args: &Args) -> Answer<Option<DecidedHeaderView>> {
    let Some(block) = asked(context, args)? else { return Ok(None) };
    let decided =
        context.certificates.decided(block.number).map_err(|error| refusal(error, block))?;
    Ok(Some(DecidedHeaderView { block, decided: to_hex(&decided.to_bytes()) }))
}

/// The block that the first parameter names, if this node knows it; the head without one.
fn asked(context: &Context, args: &Args) -> Answer<Option<BlockRef>> {
    let of = |number, hash| Some(BlockRef { number, hash });
    Ok(match args.value(0) {
        Value::Null => {
            let head = context.deps.chain.head();
            of(head.number, head.hash)
        }
        Value::String(text) if text.len() == 66 => {
            let hash = args.hash(0, "block")?;
            number_of(context, &hash)?.and_then(|number| of(number, hash))
        }
        _ => {
            let number = args.number(0, "block")?;
            hash_of(context, number)?.and_then(|hash| of(number, hash))
        }
    })
}

/// What the head's state holds of keys, with the proofs. The state is no trie: what proves
/// it is in the form of `docs/certificates.md`, and there is no proof of an older state.
pub(super) fn read_proof(context: &Context, args: &Args) -> Answer<ReadProofView> {
    let keys = args.keys(0, "keys", MAX_PROVED)?;
    if keys.iter().any(Vec::is_empty) {
        return Err(invalid("keys", "keys of one byte at least", "0x"));
    }
    let at = args.optional_hash(1, "at")?;
    let head = context.deps.chain.head();
    of_the_head(context, at, head.number, head.hash)?;
    let proved = context.certificates.prove(&keys);
    let block = BlockRef { number: head.number, hash: head.hash };
    let proved = proved.map_err(|error| refusal(error, block))?;
    // A block may have come since.
    of_the_head(context, at, proved.head.number, proved.head.hash)?;
    let bytes: usize = proved.proofs.iter().map(Vec::len).sum();
    if bytes.saturating_mul(2) > args.answer_bytes() {
        return Err(answer_too_long(args.answer_bytes()));
    }
    let proof = proved.proofs.iter().map(|proof| to_hex(proof)).collect();
    Ok(ReadProofView { at: proved.head.hash, proof })
}

/// That the block that was asked for, if one was, is the head.
fn of_the_head(context: &Context, at: Option<Hash>, number: u32, head: Hash) -> Answer<()> {
    match at {
        Some(hash) if hash != head => match number_of(context, &hash)? {
            Some(asked) => Err(not_the_head(asked, number)),
            None => Err(unknown_block(format!("{hash:?}"))),
        },
        _ => Ok(()),
    }
}

fn refusal(error: CertificateError, block: BlockRef) -> Refusal {
    match error {
        CertificateError::Chain(error) => chain(error),
        CertificateError::Busy => busy(&error),
        CertificateError::NotKept { .. } => {
            no_certificate(&format!("who decided block {} is not kept here", block.number))
        }
        other => internal(other),
    }
}

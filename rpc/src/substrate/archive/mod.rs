//! `archive_v1_*`: reads at any height that the node keeps, in the shapes of the
//! JSON-RPC specification.
//!
//! What the specification calls the finalised height is the head's. An unknown hash
//! is answered with null. A block that is known and not kept whole, which the
//! specification has no answer for, is an error; a state that is not kept is told
//! where the specification tells failures: in the result of a call, in the last
//! notification of a subscription.

mod differences;
mod entries;
mod feed;

pub(super) use differences::follow as follow_differences;
pub(super) use entries::follow as follow_entries;
pub(super) use feed::MAX_ENTRIES;

use super::chain::{self, block_bytes, hash_of, number_of};
use crate::{
    context::Context,
    error::{self, Answer, answer_too_long, block_not_kept},
    method::{Args, to_hex},
};
use billchain_primitives::{Hash, OpaqueBlock};
use billchain_rpc_types::{ArchiveCallView, code};
use codec::Encode;
use feed::{MAX_ITEMS, Walk};
use serde_json::{Value, json};

/// Hash of the genesis.
pub(super) fn genesis_hash(context: &Context, _: &Args) -> Answer<Hash> {
    Ok(context.deps.chain.genesis_hash())
}

/// Number of the head, which is final.
pub(super) fn height(context: &Context, _: &Args) -> Answer<u32> {
    Ok(context.deps.chain.head().number)
}

/// The hash of the block of a number; none beyond the head.
pub(super) fn hash_by_height(context: &Context, args: &Args) -> Answer<Vec<Hash>> {
    let height = args.number(0, "height")?;
    // Read first: a block that comes in between is no gap.
    let head = context.deps.chain.head().number;
    match hash_of(context, height)? {
        Some(hash) => Ok(vec![hash]),
        None if height > head => Ok(Vec::new()),
        None => Err(not_kept(context, height)),
    }
}

/// The encoded header of a block.
pub(super) fn header(context: &Context, args: &Args) -> Answer<Option<String>> {
    let hash = args.hash(0, "hash")?;
    let Some(number) = number_of(context, &hash)? else { return Ok(None) };
    Ok(chain::header(context, &hash, number)?.map(|header| to_hex(&header.encode())))
}

/// The encoded transactions of a block.
pub(super) fn body(context: &Context, args: &Args) -> Answer<Option<Value>> {
    let hash = args.hash(0, "hash")?;
    let Some(number) = number_of(context, &hash)? else { return Ok(None) };
    let bytes = block_bytes(context, number)?.ok_or_else(|| not_kept(context, number))?;
    // Two digits a byte: one that cannot fit is not taken apart.
    if bytes.len().saturating_mul(2) > args.answer_bytes() {
        return Err(answer_too_long(args.answer_bytes()));
    }
    let block: OpaqueBlock = chain::decode("block", &bytes)?;
    Ok(Some(json!(block.extrinsics)))
}

fn not_kept(context: &Context, number: u32) -> error::Refusal {
    block_not_kept(number, context.deps.chain.storage().first_block())
}

/// Calls a runtime API on the state after a block.
pub(super) fn call_api(context: &Context, args: &Args) -> Answer<Option<ArchiveCallView>> {
    let hash = args.hash(0, "hash")?;
    let (function, data) = (args.text(1, "function")?, args.call_parameters(2)?);
    let failed = match context.deps.chain.call(Some(&hash), function, &data) {
        Ok(value) => {
            let value = Some(to_hex(&value));
            return Ok(Some(ArchiveCallView { success: true, value, error: None }));
        }
        Err(failed) => error::short(&error::call(failed)),
    };
    match failed.code() {
        code::UNKNOWN_BLOCK => Ok(None),
        code::RUNTIME_CALL | code::STATE_NOT_KEPT => {
            let error = Some(failed.message().to_owned());
            Ok(Some(ArchiveCallView { success: false, value: None, error }))
        }
        _ => Err(failed),
    }
}

/// Reads parameters as both subscriptions do; for fuzzers.
pub(crate) fn read_items(args: &Args) {
    assert!(entries::read(args).map_or(0, |asked| asked.items()) <= MAX_ITEMS);
    assert!(differences::read(args).map_or(0, |asked| asked.items()) <= MAX_ITEMS);
    assert!(super::head::read_items(args).map_or(0, |asked| asked.len()) <= MAX_ITEMS);
}

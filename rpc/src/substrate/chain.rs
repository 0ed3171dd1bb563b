//! `chain_*`: blocks and headers.

use crate::{
    context::Context,
    error::{Answer, answer_too_long, internal, storage, unknown_block},
    method::{Args, number, to_hex},
};
use billchain_primitives::{Hash, Header, OpaqueBlock};
use billchain_rpc_types::{BlockRef, CertificateView};
use codec::{Compact, Decode};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

/// Most numbers that one `chain_getBlockHash` may ask for.
pub(super) const MAX_NUMBERS: usize = 1_024;

/// Hash of the head, which is final.
pub(super) fn head_hash(context: &Context, _: &Args) -> Answer<Hash> {
    Ok(context.deps.chain.head().hash)
}

/// Header of the head.
pub(super) fn head_header(context: &Context) -> Answer<Header> {
    let head = context.deps.chain.head();
    header(context, &head.hash, head.number)?.ok_or_else(|| unknown_block(head.number))
}

/// Header of a block: kept, or read with the whole block.
pub(super) fn header(context: &Context, hash: &Hash, number: u32) -> Answer<Option<Header>> {
    if let Some(header) = context.headers.get(hash) {
        return Ok(Some(header));
    }
    let bytes = match block_bytes(context, number)? {
        Some(block) => Some(block),
        // Of a block that is not kept whole.
        None => context.deps.chain.storage().header(number).map_err(storage)?,
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let header: Header = decode("header", &bytes)?;
    context.headers.keep(*hash, header.clone());
    Ok(Some(header))
}

/// Keeps the header of each new block, so that none of them is read for it.
pub(crate) async fn keep_headers(context: &Context) {
    let mut news = context.deps.chain.subscribe();
    loop {
        match news.recv().await {
            Ok(block) => context.headers.keep(block.hash, block.header.clone()),
            // What was missed is read when it is asked for.
            Err(RecvError::Lagged(_)) => {}
            // The chain ends with the node.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Number of the block `hash`, if this node has it.
pub(super) fn number_of(context: &Context, hash: &Hash) -> Answer<Option<u32>> {
    context.deps.chain.storage().number_of(hash).map_err(storage)
}

/// Hash of the block `number`, if this node has it.
pub(crate) fn hash_of(context: &Context, number: u32) -> Answer<Option<Hash>> {
    context.deps.chain.storage().hash_of(number).map_err(storage)
}

/// The encoded block `number`, if it is kept whole.
pub(super) fn block_bytes(context: &Context, number: u32) -> Answer<Option<Vec<u8>>> {
    context.deps.chain.storage().block(number).map_err(storage)
}

/// The transaction at `index` of the block `number`, with its length prefix;
/// `None` if there is none. Only its bytes are copied: a status is asked for
/// every transaction, and a block may hold thousands.
pub(crate) fn extrinsic(context: &Context, number: u32, index: u32) -> Answer<Option<Vec<u8>>> {
    let Some(bytes) = block_bytes(context, number)? else { return Ok(None) };
    let damaged = |error| internal(format!("block {number}: {error}"));
    nth_extrinsic(&bytes, index).map(|found| found.map(<[u8]>::to_vec)).map_err(damaged)
}

fn nth_extrinsic(mut block: &[u8], index: u32) -> Result<Option<&[u8]>, codec::Error> {
    Header::decode(&mut block)?;
    let count = Compact::<u32>::decode(&mut block)?.0;
    if index >= count {
        return Ok(None);
    }
    for at in 0..=index {
        let begin = block;
        let length = Compact::<u32>::decode(&mut block)?.0 as usize;
        let rest = block.get(length..).ok_or("a transaction is longer than its block")?;
        if at == index {
            return Ok(begin.get(..begin.len() - rest.len()));
        }
        block = rest;
    }
    Ok(None)
}

pub(super) fn decode<T: Decode>(what: &str, mut bytes: &[u8]) -> Answer<T> {
    T::decode(&mut bytes).map_err(|error| internal(format!("stored {what}: {error}")))
}

/// Hash and number of the block that the first parameter names, if this node
/// has it; of the head without one.
fn asked(context: &Context, args: &Args) -> Answer<Option<(Hash, u32)>> {
    Ok(match args.optional_hash(0, "hash")? {
        Some(hash) => number_of(context, &hash)?.map(|number| (hash, number)),
        None => {
            let head = context.deps.chain.head();
            Some((head.hash, head.number))
        }
    })
}

pub(super) fn get_block(context: &Context, args: &Args) -> Answer<Option<Value>> {
    let Some((_, number)) = asked(context, args)? else { return Ok(None) };
    let Some(bytes) = block_bytes(context, number)? else { return Ok(None) };
    // Two digits a byte: one that cannot fit is not taken apart.
    if bytes.len().saturating_mul(2) > args.answer_bytes() {
        return Err(answer_too_long(args.answer_bytes()));
    }
    let block: OpaqueBlock = decode("block", &bytes)?;
    Ok(Some(json!({ "block": block, "justifications": null })))
}

pub(super) fn get_header(context: &Context, args: &Args) -> Answer<Option<Header>> {
    match asked(context, args)? {
        Some((hash, number)) => header(context, &hash, number),
        None => Ok(None),
    }
}

/// Of a number, a list of numbers, or the head.
pub(super) fn get_block_hash(context: &Context, args: &Args) -> Answer<Value> {
    match args.value(0) {
        Value::Null => Ok(json!(context.deps.chain.head().hash)),
        Value::Array(numbers) if numbers.len() > MAX_NUMBERS => Err(crate::error::invalid(
            "numbers",
            &format!("at most {MAX_NUMBERS}"),
            &numbers.len().to_string(),
        )),
        Value::Array(numbers) => {
            let hashes: Vec<Option<Hash>> = numbers
                .iter()
                .map(|value| hash_of(context, number(value, "number")?))
                .collect::<Answer<_>>()?;
            Ok(json!(hashes))
        }
        value => Ok(json!(hash_of(context, number(value, "number")?)?)),
    }
}

/// Of a block's hash or number.
pub(super) fn get_certificate(context: &Context, args: &Args) -> Answer<Option<CertificateView>> {
    let is_hash = args.value(0).as_str().is_some_and(|text| text.len() == 66);
    let number = if is_hash {
        number_of(context, &args.hash(0, "hash")?)?
    } else {
        Some(args.number(0, "number")?)
    };
    let Some(number) = number else { return Ok(None) };
    let Some(hash) = hash_of(context, number)? else { return Ok(None) };
    let certificate = context.deps.chain.storage().certificate(number).map_err(storage)?;
    Ok(certificate.map(|bytes| CertificateView {
        block: BlockRef { number, hash },
        certificate: to_hex(&bytes),
    }))
}

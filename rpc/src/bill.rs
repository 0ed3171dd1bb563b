//! `bill_*`: bills in plain JSON.

use crate::{
    error::{Answer, internal, storage},
    params::Args,
    server::{Context, Module, reading},
};
use billchain_primitives::{
    BillCode, BillKey, BillNumber, CheckCode, history::VersionRecord, index, traits::Bill,
};
use billchain_rpc_types::{BillVersionView, BillView};
use codec::{Decode, Encode};
use frame_support::storage::storage_prefix;
use jsonrpsee::core::RegisterMethodError;

/// Most bills of one transaction, and versions of one bill, in an answer.
const MAX_ENTRIES: usize = 1_024;

/// Registers the methods.
pub(crate) fn register(module: &mut Module) -> Result<(), RegisterMethodError> {
    reading(module, "bill_get", &[], |context, args| {
        Ok(bill(context, &key(args, 0)?)?.map(|bill| BillView::from(&bill)))
    })?;
    reading(module, "bill_byCodes", &[], by_codes)?;
    reading(module, "bill_byTransaction", &[], by_transaction)?;
    reading(module, "bill_history", &[], history)
}

/// Code and number, the parameters at `index` and after it.
pub(crate) fn key(args: &Args, index: usize) -> Answer<BillKey> {
    Ok(BillKey {
        code: args.parsed::<BillCode>(index, "code")?,
        number: args.parsed::<BillNumber>(index + 1, "number")?,
    })
}

/// The bill at the head.
///
/// Read by its raw key: this is the commonest request, and needs no runtime.
pub(crate) fn bill(context: &Context, key: &BillKey) -> Answer<Option<Bill>> {
    let mut raw = storage_prefix(b"BillRegister", b"Bills").to_vec();
    // The map's hasher is the identity.
    key.encode_to(&mut raw);
    let value = context.deps.chain.storage().state().get(&raw).map_err(storage)?;
    value.map(|value| decode("bill", &value)).transpose()
}

pub(crate) fn decode<T: Decode>(what: &str, mut bytes: &[u8]) -> Answer<T> {
    T::decode(&mut bytes).map_err(|error| internal(format!("stored {what}: {error}")))
}

/// By the three codes: nothing if any of them is wrong.
fn by_codes(context: &Context, args: &Args) -> Answer<Option<BillView>> {
    let check: CheckCode = args.parsed(2, "check_code")?;
    let bill = bill(context, &key(args, 0)?)?;
    Ok(bill.filter(|bill| bill.summary.check_code == check).map(|bill| BillView::from(&bill)))
}

/// The bills that a transaction touched, as they are now; `null` if no block
/// holds the transaction.
fn by_transaction(context: &Context, args: &Args) -> Answer<Option<Vec<BillView>>> {
    let Some(keys) = touched(context, args)? else { return Ok(None) };
    let mut bills = Vec::with_capacity(keys.len());
    for key in keys {
        bills.extend(bill(context, &key)?.map(|bill| BillView::from(&bill)));
    }
    Ok(Some(bills))
}

/// Keys of the bills that the transaction with the hash in the first parameter
/// touched; `None` if no block holds it.
pub(crate) fn touched(context: &Context, args: &Args) -> Answer<Option<Vec<BillKey>>> {
    let hash = args.hash(0, "hash")?;
    let store = context.deps.chain.storage();
    let Some((number, extrinsic)) = store.tx(&hash).map_err(storage)? else { return Ok(None) };
    let prefix = index::block_bills_prefix(number, extrinsic);
    let entries = store.offchain_prefix(&prefix, None, MAX_ENTRIES).map_err(storage)?;
    entries.iter().map(|(_, value)| decode("bill key", value)).collect::<Answer<_>>().map(Some)
}

/// Every version of a bill, the first first; `null` if there is no such bill.
fn history(context: &Context, args: &Args) -> Answer<Option<Vec<BillVersionView>>> {
    let key = key(args, 0)?;
    if bill(context, &key)?.is_none() {
        return Ok(None);
    }
    let prefix = index::history_prefix(&key);
    let entries = context
        .deps
        .chain
        .storage()
        .offchain_prefix(&prefix, None, MAX_ENTRIES)
        .map_err(storage)?;
    let versions = entries
        .iter()
        .map(|(_, value)| Ok(BillVersionView::from(&decode::<VersionRecord>("version", value)?)))
        .collect::<Answer<_>>()?;
    Ok(Some(versions))
}

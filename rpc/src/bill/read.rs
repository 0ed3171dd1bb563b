//! `bill_*`: bills in plain JSON.

use crate::{
    context::Context,
    error::{Answer, chain, internal, invalid, storage},
    method::{Args, decode, parse},
};
use billchain_primitives::{Bill, BillCode, BillKey, BillNumber, CheckCode, ThreeCodes, index};
use billchain_rpc_types::{AdjustmentView, BillView};
use billchain_runtime::{BillQuery, BillUpdate};
use codec::Encode;
use frame_support::storage::storage_prefix;
use pallet_bill_query::MAX_QUERIES;
use serde_json::Value;
use std::collections::BTreeSet;

/// Most bills of one transaction in an answer.
pub(super) const MAX_TOUCHED: usize = 4_096;
/// Entries of the index read at a time.
const ENTRIES: usize = 1_024;

/// A bill by code and number; `null` if there is none.
pub(super) fn get(context: &Context, args: &Args) -> Answer<Option<BillView>> {
    match bill(context, &key(args, 0)?)? {
        Some(bill) => args.view().show(context, &bill),
        None => Ok(None),
    }
}

/// Code and number, the parameters at `index` and after it.
pub(crate) fn key(args: &Args, index: usize) -> Answer<BillKey> {
    Ok(BillKey {
        code: args.parsed::<BillCode>(index, "code")?,
        number: args.parsed::<BillNumber>(index + 1, "number")?,
    })
}

/// The bill at the head, as the next transaction finds it: a lock whose time
/// is over, by the head's time, counts as released.
pub(crate) fn bill(context: &Context, key: &BillKey) -> Answer<Option<Bill>> {
    match stored(context, key)? {
        Some(bill) if bill.state.lock.is_some() => {
            context.deps.chain.read(|| BillQuery::by_key(key).ok()).map_err(chain)
        }
        other => Ok(other),
    }
}

/// The bill at the head, as it is stored.
///
/// Read by its raw key: this is the commonest request, and needs no runtime.
pub(super) fn stored(context: &Context, key: &BillKey) -> Answer<Option<Bill>> {
    let mut raw = storage_prefix(b"BillRegister", b"Bills").to_vec();
    // The map's hasher is the identity.
    key.encode_to(&mut raw);
    let value = context.deps.chain.storage().state().get(&raw).map_err(storage)?;
    value.map(|value| decode("bill", &value)).transpose()
}

/// By the three codes: nothing if any of them is wrong.
pub(super) fn by_codes(context: &Context, args: &Args) -> Answer<Option<BillView>> {
    let codes = ThreeCodes { key: key(args, 0)?, check_code: args.parsed(2, "check_code")? };
    let found = bill(context, &codes.key)?;
    let right = found.filter(|bill| bill.summary.check_code == codes.check_code);
    right.map_or(Ok(None), |bill| args.view().show(context, &bill))
}

/// Bills by code and number, in the order asked; `null` for what there is not.
pub(super) fn get_batch(context: &Context, args: &Args) -> Answer<Vec<Option<BillView>>> {
    let keys = keys(args)?;
    views(context, args, || BillQuery::by_keys(&keys))
}

fn keys(args: &Args) -> Answer<Vec<BillKey>> {
    tuples(args, "bills", "[code, number]", |[code, number]| {
        Ok(BillKey { code: parse(code, "code")?, number: parse(number, "number")? })
    })
}

/// The same by the three codes.
pub(super) fn by_codes_batch(context: &Context, args: &Args) -> Answer<Vec<Option<BillView>>> {
    let codes = codes(args)?;
    views(context, args, || BillQuery::by_codes_batch(&codes))
}

fn codes(args: &Args) -> Answer<Vec<ThreeCodes>> {
    tuples(args, "bills", "[code, number, check code]", |[code, number, check]| {
        let key = BillKey { code: parse(code, "code")?, number: parse(number, "number")? };
        Ok(ThreeCodes { key, check_code: parse::<CheckCode>(check, "check_code")? })
    })
}

/// Reads the first parameter as both batches do; for fuzzers.
pub(crate) fn read_batches(args: &Args) {
    assert!(keys(args).map_or(0, |keys| keys.len()) <= MAX_QUERIES);
    assert!(codes(args).map_or(0, |codes| codes.len()) <= MAX_QUERIES);
}

type Found = Result<Bill, pallet_bill_query::QueryProblem>;

fn views(
    context: &Context,
    args: &Args,
    ask: impl FnOnce() -> Result<Vec<Found>, pallet_bill_query::QueryProblem>,
) -> Answer<Vec<Option<BillView>>> {
    let answers = context.deps.chain.read(ask).map_err(chain)?.map_err(internal)?;
    let shown = answers.iter().map(|found| match found {
        Ok(bill) => args.view().show(context, bill),
        Err(_) => Ok(None),
    });
    shown.collect()
}

/// The first parameter: a list of lists of `N` values each, at most as many as
/// the contract answers at once.
fn tuples<const N: usize, T>(
    args: &Args,
    name: &str,
    form: &str,
    read: impl Fn(&[Value; N]) -> Answer<T>,
) -> Answer<Vec<T>> {
    let expected = format!("a list of at most {MAX_QUERIES} of {form}");
    let value = args.value(0);
    let list = value.as_array().ok_or_else(|| invalid(name, &expected, &value.to_string()))?;
    if list.len() > MAX_QUERIES {
        return Err(invalid(name, &expected, &list.len().to_string()));
    }
    list.iter()
        .map(|item| {
            let parts = item.as_array().and_then(|parts| <&[Value; N]>::try_from(&parts[..]).ok());
            read(parts.ok_or_else(|| invalid(name, form, &item.to_string()))?)
        })
        .collect()
}

/// The adjustment of a bill that waits for a second administrator; `null` if
/// none does.
pub(super) fn adjustment(context: &Context, args: &Args) -> Answer<Option<AdjustmentView>> {
    let key = key(args, 0)?;
    let found = context.deps.chain.read(|| BillUpdate::adjustment(&key)).map_err(chain)?;
    Ok(found.map(|adjustment| AdjustmentView {
        proposal: adjustment.hash(),
        proposer: adjustment.proposer,
        at: adjustment.at.into(),
        version: adjustment.version,
        to: adjustment.to,
        reason: adjustment.reason.to_string(),
        evidence: adjustment.evidence.into(),
    }))
}

/// The bills that a transaction touched, as they are now; `null` if no block
/// holds the transaction.
pub(super) fn by_transaction(context: &Context, args: &Args) -> Answer<Option<Vec<BillView>>> {
    let Some(keys) = touched(context, args)? else { return Ok(None) };
    let mut bills = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(bill) = bill(context, &key)? {
            bills.extend(args.view().show(context, &bill)?);
        }
    }
    Ok(Some(bills))
}

/// Keys of the bills that the transaction with the hash in the first parameter
/// touched, each once; `None` if no block holds it.
pub(super) fn touched(context: &Context, args: &Args) -> Answer<Option<Vec<BillKey>>> {
    let hash = args.hash(0, "hash")?;
    let store = context.deps.chain.storage();
    let Some((number, extrinsic)) = store.tx(&hash).map_err(storage)? else { return Ok(None) };
    let prefix = index::block_bills_prefix(number, extrinsic);
    let (mut keys, mut known) = (Vec::new(), BTreeSet::new());
    let mut after: Option<Vec<u8>> = None;
    loop {
        let entries = store.offchain_prefix(&prefix, after.as_deref(), ENTRIES).map_err(storage)?;
        for (_, value) in &entries {
            let key: BillKey = decode("bill key", value)?;
            // Two versions that it made of one bill are two entries.
            if known.insert(key) {
                keys.push(key);
            }
        }
        if keys.len() > MAX_TOUCHED {
            let expected = format!("a transaction that touched at most {MAX_TOUCHED} bills");
            return Err(invalid("hash", &expected, &format!("{hash:?}")));
        }
        match entries.last() {
            Some((last, _)) if entries.len() == ENTRIES => after = Some(last.clone()),
            _ => return Ok(Some(keys)),
        }
    }
}

//! `bill_history` and what is asked of a bill's versions: in what they differ,
//! the proof of it, and whether they are the bill's history.

use super::read::{key, stored};
use crate::{
    context::Context,
    error::{Answer, chain, internal, invalid, storage},
    method::{Args, decode, to_hex},
};
use billchain_primitives::{
    Bill, BillKey,
    history::{BillField, FieldProof, MAX_LATER, VersionRecord, changes},
    index,
};
use billchain_rpc_types::{BillVersionView, DifferenceView, FieldProofView, HistoryCheckView};
use billchain_runtime::BillQuery;
use codec::Encode;
use jsonrpsee::types::ErrorObjectOwned;

/// Most versions in an answer, and those read at a time.
pub(super) const MAX_VERSIONS: u32 = 1_024;
/// Most versions that are checked for one request.
pub(super) const MAX_CHECKED: u32 = 100_000;

/// The versions of a bill from the one given on, the first by default; `null`
/// if there is no such bill.
pub(super) fn history(context: &Context, args: &Args) -> Answer<Option<Vec<BillVersionView>>> {
    let key = key(args, 0)?;
    let from = args.optional_number(2, "from", 1..=u32::MAX)?.unwrap_or(1);
    let limit = args.optional_number(3, "limit", 1..=MAX_VERSIONS)?.unwrap_or(MAX_VERSIONS);
    let Some(Bill { receipt, .. }) = stored(context, &key)? else { return Ok(None) };
    let versions = records(context, &key, from, limit)?;
    Ok(Some(versions.iter().map(|record| BillVersionView::new(record, receipt)).collect()))
}

/// At most `limit` versions from number `from` on.
fn records(context: &Context, key: &BillKey, from: u32, limit: u32) -> Answer<Vec<VersionRecord>> {
    let before = from.checked_sub(1).map(|version| index::history_key(key, version));
    let prefix = index::history_prefix(key);
    context
        .deps
        .chain
        .storage()
        .offchain_prefix(&prefix, before.as_deref(), limit as usize)
        .map_err(storage)?
        .iter()
        .map(|(_, value)| decode("version", value))
        .collect()
}

fn record(context: &Context, key: &BillKey, version: u32) -> Answer<VersionRecord> {
    let stored = context
        .deps
        .chain
        .storage()
        .offchain_get(&index::history_key(key, version))
        .map_err(storage)?
        .ok_or_else(|| internal(format!("bill {key}: version {version} is not in the index")))?;
    decode("version", &stored)
}

/// In what two versions differ: by default the present one and the one before
/// it; `null` if there is no such bill.
pub(super) fn difference(context: &Context, args: &Args) -> Answer<Option<DifferenceView>> {
    let key = key(args, 0)?;
    let Some(bill) = stored(context, &key)? else { return Ok(None) };
    let to = version(args, 3, "to", &bill)?;
    let from = args.optional_number(2, "from", 1..=to - 1)?.unwrap_or(to - 1);
    let (old, new) = (record(context, &key, from)?, record(context, &key, to)?);
    let changed = changes((&old.body).into(), (&new.body).into());
    let root = new.difference.filter(|_| from == to - 1);
    Ok(Some(DifferenceView {
        code: key.code,
        number: key.number,
        from,
        to,
        root: root.map(Into::into),
        changes: changed.iter().map(Into::into).collect(),
    }))
}

/// A version that changed something, by default the present one.
fn version(args: &Args, index: usize, name: &str, bill: &Bill) -> Answer<u32> {
    let present = bill.state.version;
    if present < 2 {
        return Err(invalid(name, "a bill that was changed", "a bill with one version"));
    }
    Ok(args.optional_number(index, name, 2..=present)?.unwrap_or(present))
}

/// The proof that a version changed a field; `null` if there is no such bill.
pub(super) fn prove_field(context: &Context, args: &Args) -> Answer<Option<FieldProofView>> {
    let key = key(args, 0)?;
    let field: BillField = args.parsed(3, "field")?;
    let Some(bill) = stored(context, &key)? else { return Ok(None) };
    let version = version(args, 2, "version", &bill)?;
    let (before, after) = (record(context, &key, version - 1)?, record(context, &key, version)?);
    let later = bill.state.version - version;
    if later > MAX_LATER {
        let oldest = bill.state.version - MAX_LATER;
        let expected = format!("a version from {oldest} on: a proof spans {MAX_LATER} versions");
        return Err(invalid("version", &expected, &version.to_string()));
    }
    // A version made since the bill was read is none of this answer's.
    let heads = match later {
        0 => Vec::new(),
        later => {
            let later = records(context, &key, version + 1, later)?;
            later.iter().map(VersionRecord::head).collect()
        }
    };
    let proof = FieldProof::new(&before, &after, heads, field)
        .map_err(|problem| invalid("field", &problem.to_string(), &field.to_string()))?;
    let hash = bill.state.version_hash;
    proof.verify(&hash).map_err(|problem| internal(format!("bill {key}: {problem}")))?;
    Ok(Some(FieldProofView::new(&proof, hash.into(), to_hex(&proof.encode()))))
}

/// Whether the versions in this node's index are the history of the bill;
/// `null` if there is no such bill.
pub(super) fn verify_history(context: &Context, args: &Args) -> Answer<Option<HistoryCheckView>> {
    let key = key(args, 0)?;
    if let Some(bill) = stored(context, &key)?
        && bill.state.version > MAX_CHECKED
    {
        let expected =
            format!("a bill of at most {MAX_CHECKED} versions; check-state checks longer ones");
        return Err(invalid("number", &expected, &bill.state.version.to_string()));
    }
    let (mut failure, mut next, mut page) = (None, 1, Vec::new().into_iter());
    let versions = std::iter::from_fn(|| {
        if let Some(record) = page.next() {
            return Some(record);
        }
        page = read_on(context, &key, &mut next, &mut failure).into_iter();
        page.next()
    });
    let check =
        context.deps.chain.read(|| BillQuery::verify_history(&key, versions)).map_err(chain)?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    Ok(check.ok().map(|check| HistoryCheckView {
        valid: check.problem.is_none(),
        problem: check.problem.map(|problem| problem.to_string()),
        versions: check.versions,
        version_hash: check.version_hash.into(),
    }))
}

/// The next versions; none at the end, or after a failure.
fn read_on(
    context: &Context,
    key: &BillKey,
    next: &mut u32,
    failure: &mut Option<ErrorObjectOwned>,
) -> Vec<VersionRecord> {
    match records(context, key, *next, MAX_VERSIONS) {
        Ok(read) => {
            *next = read.last().map_or(u32::MAX, |last| last.body.version.saturating_add(1));
            read
        }
        Err(error) => {
            *failure = Some(error);
            Vec::new()
        }
    }
}

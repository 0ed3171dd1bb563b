//! `bill_history` and what is asked of a bill's versions: in what they differ,
//! the proof of it, and whether they are the bill's history.

use super::read::{key, stored};
use crate::{
    context::Context,
    error::{Answer, Refusal, answer_too_long, chain, internal, invalid, storage},
    method::{Args, decode, to_hex},
};
use billchain_primitives::{
    Bill, BillKey, BillState, Receipt, SummaryFields,
    history::{BillField, FieldProof, MAX_LATER, VersionRecord, changes},
    index,
};
use billchain_rpc_types::{BillVersionView, DifferenceView, FieldProofView, HistoryCheckView};
use billchain_runtime::BillQuery;
use codec::{Decode, DecodeAll, Encode};
use pallet_bill_query::HistoryCheck;

/// Most versions in an answer, and most that are checked for one request.
pub(super) const MAX_VERSIONS: u32 = 1_024;
/// Versions that are read at a time: whole ones have room in a short answer's.
const AT_A_TIME: usize = 64;
/// Times that a history is checked while the bill changes.
const TRIES: usize = 3;

/// The versions of a bill from the one given on, the first by default; `null`
/// if there is no such bill.
pub(super) fn history(context: &Context, args: &Args) -> Answer<Option<Vec<BillVersionView>>> {
    let key = key(args, 0)?;
    let from = args.optional_number(2, "from", 1..=u32::MAX)?.unwrap_or(1);
    let limit = args.optional_number(3, "limit", 1..=MAX_VERSIONS)?.unwrap_or(MAX_VERSIONS);
    let Some(Bill { receipt, .. }) = stored(context, &key)? else { return Ok(None) };
    let (mut versions, mut used, most) = (Vec::new(), 0, args.answer_bytes());
    for record in Records::of(context, &key, from, limit) {
        let (record, bytes) = record?;
        // No version is shorter in JSON than as it is stored.
        used += bytes;
        if used > most {
            return Err(answer_too_long(most));
        }
        versions.push(BillVersionView::new(&record, receipt));
    }
    Ok(Some(versions))
}

/// Versions of a bill in their order, each with the length of what is stored,
/// read a few at a time. Ends after the first that cannot be read.
struct Records<'a> {
    context: &'a Context,
    prefix: Vec<u8>,
    /// Key of the last entry that was read.
    last: Option<Vec<u8>>,
    read: std::vec::IntoIter<(Vec<u8>, Vec<u8>)>,
    /// How many may still be read.
    left: usize,
}

impl<'a> Records<'a> {
    /// At most `limit` versions from number `from` on.
    fn of(context: &'a Context, key: &BillKey, from: u32, limit: u32) -> Self {
        let last = from.checked_sub(1).map(|version| index::history_key(key, version));
        let prefix = index::history_prefix(key);
        Self { context, prefix, last, read: Vec::new().into_iter(), left: limit as usize }
    }

    fn next_entry(&mut self) -> Answer<Option<Vec<u8>>> {
        if self.read.len() == 0 && self.left > 0 {
            let asked = self.left.min(AT_A_TIME);
            let store = self.context.deps.chain.storage();
            let read = store.offchain_prefix(&self.prefix, self.last.as_deref(), asked);
            self.read = read.map_err(storage)?.into_iter();
            self.left = if self.read.len() < asked { 0 } else { self.left - asked };
        }
        Ok(self.read.next().map(|(key, value)| {
            self.last = Some(key);
            value
        }))
    }
}

impl Iterator for Records<'_> {
    type Item = Answer<(VersionRecord, usize)>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.next_entry().transpose()?;
        let record = record.and_then(|value| Ok((decode("version", &value)?, value.len())));
        if record.is_err() {
            (self.read, self.left) = (Vec::new().into_iter(), 0);
        }
        Some(record)
    }
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

/// One version of a bill; `None`: there is no such bill, or not that many versions.
pub(crate) fn version_of(
    context: &Context,
    key: &BillKey,
    version: u32,
) -> Answer<Option<BillVersionView>> {
    let Some(bill) = stored(context, key)? else { return Ok(None) };
    if !(1..=bill.state.version).contains(&version) {
        return Ok(None);
    }
    let record = record(context, key, version)?;
    Ok(Some(BillVersionView::new(&record, bill.receipt)))
}

/// The versions of a bill that block `number` made, in their order.
pub(crate) fn changed_in(
    context: &Context,
    key: &BillKey,
    number: u32,
) -> Answer<Vec<BillVersionView>> {
    let Some(bill) = stored(context, key)? else { return Ok(Vec::new()) };
    // Versions stand in the order of their blocks: the first one is found by halving.
    let (mut first, mut end) = (1, bill.state.version.saturating_add(1));
    while first < end {
        let middle = first + (end - first) / 2;
        match record(context, key, middle)?.body.at.block < number {
            true => first = middle + 1,
            false => end = middle,
        }
    }
    let mut versions = Vec::new();
    for version in first..=bill.state.version {
        let record = record(context, key, version)?;
        if record.body.at.block != number {
            break;
        }
        versions.push(BillVersionView::new(&record, bill.receipt));
    }
    Ok(versions)
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
    let heads = Records::of(context, &key, version + 1, later);
    let heads = heads.map(|record| Ok(record?.0.head())).collect::<Answer<_>>()?;
    let proof = FieldProof::new(&before, &after, heads, field)
        .map_err(|problem| invalid("field", &problem.to_string(), &field.to_string()))?;
    let hash = bill.state.version_hash;
    proof.verify(&hash).map_err(|problem| internal(format!("bill {key}: {problem}")))?;
    Ok(Some(FieldProofView::new(&proof, hash.into(), to_hex(&proof.encode()))))
}

/// Whether the versions in this node's index are the history of the bill, a
/// part at a time; `null` if there is no such bill.
pub(super) fn verify_history(context: &Context, args: &Args) -> Answer<Option<HistoryCheckView>> {
    let key = key(args, 0)?;
    let place = args.optional_bytes(2, "cursor")?.map(|bytes| Place::read(&bytes)).transpose()?;
    let limit = args.optional_number(3, "limit", 1..=MAX_VERSIONS)?.unwrap_or(MAX_VERSIONS);
    let last = match &place {
        Some(place) => match stored(context, &key)? {
            Some(bill) => Some(place.bill(context, &key, bill.state.version)?),
            None => return Ok(None),
        },
        None => None,
    };
    let mut tries = TRIES;
    loop {
        let Some(check) = checked(context, &key, last.clone(), limit)? else { return Ok(None) };
        tries -= 1;
        // A version that was made while the others were read is no problem.
        let is_as_read =
            |bill: Option<Bill>| bill.is_some_and(|bill| bill.state.version == check.versions);
        if check.problem.is_none() || tries == 0 || is_as_read(stored(context, &key)?) {
            return Ok(Some(HistoryCheckView {
                valid: check.problem.is_none(),
                problem: check.problem.map(|problem| problem.to_string()),
                versions: check.versions,
                version_hash: check.version_hash.into(),
                next: check.checked.map(|bill| to_hex(&Place::of(&bill).encode())),
            }));
        }
    }
}

/// Checks at most `limit` versions after `last`; `None` if there is no such bill.
fn checked(
    context: &Context,
    key: &BillKey,
    last: Option<Bill>,
    limit: u32,
) -> Answer<Option<HistoryCheck>> {
    let next = last.as_ref().map_or(1, |last| last.state.version + 1);
    let mut failed = None;
    let records = Records::of(context, key, next, limit).map_while(|record| {
        let record = record.map_err(|error| failed = Some(error));
        record.ok().map(|(record, _)| record)
    });
    let check = context
        .deps
        .chain
        .read(|| BillQuery::verify_history(key, last, records, limit as usize))
        .map_err(chain)?;
    match failed {
        Some(error) => Err(error),
        None => Ok(check.ok()),
    }
}

/// Where the check of a history goes on: after a version whose hash is known,
/// with what had been filled in until then.
#[derive(Encode, Decode)]
struct Place {
    version: u32,
    hash: [u8; 32],
    filled_in: SummaryFields,
}

impl Place {
    fn of(bill: &Bill) -> Self {
        let (BillState { version, version_hash: hash, .. }, receipt) = (&bill.state, bill.receipt);
        Self { version: *version, hash: *hash, filled_in: receipt.filled_in }
    }

    fn read(bytes: &[u8]) -> Answer<Self> {
        Self::decode_all(&mut &bytes[..]).map_err(|_| Self::refused(bytes))
    }

    fn refused(found: &[u8]) -> Refusal {
        invalid("cursor", "`next` of the part before, of the same bill", &to_hex(found))
    }

    /// The bill as the version left it, which an earlier part has checked.
    fn bill(&self, context: &Context, key: &BillKey, present: u32) -> Answer<Bill> {
        let refused = || Self::refused(&self.encode());
        if !(1..present).contains(&self.version) {
            return Err(refused());
        }
        let (first, last) = (record(context, key, 1)?, record(context, key, self.version)?);
        if last.hash() != self.hash {
            return Err(refused());
        }
        let receipt = first.receipt().ok_or_else(refused)?;
        Ok(last.bill(Receipt { filled_in: self.filled_in, ..receipt }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Bound;
    use codec::MaxEncodedLen;

    #[test]
    fn the_versions_that_are_read_at_a_time_have_room_in_a_short_answers() {
        let longest = AT_A_TIME * VersionRecord::max_encoded_len();
        assert!(longest + size_of::<VersionRecord>() < Bound::ONE.answer as usize, "{longest}");
    }
}

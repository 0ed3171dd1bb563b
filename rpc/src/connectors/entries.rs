//! `outbox_*`: entries, what became of them, and the proof.

use super::connector::id;
use crate::{
    bill,
    context::Context,
    error::{Answer, chain, internal, invalid, storage},
    method::{Args, decode, index_page, show, to_hex},
    parties::{grant, participant},
};
use billchain_primitives::{
    GrantId, Hash,
    index::{outbox_node_key, outbox_place_key, outbox_places_prefix, outbox_traces_prefix},
    outbox::{ConnectorId, Entry, Subject, Trace, idempotency_key},
};
use billchain_rpc_types::{NoticeView, OutboxEntryView, OutboxProofView, Page};
use billchain_runtime::{Outbox, Runtime};
use codec::{Decode, Encode};
use pallet_outbox::{Connectors, Trails};
use serde_json::Value;

/// The number of an entry, the parameter at `index`.
fn seq(args: &Args, index: usize, name: &str) -> Answer<u64> {
    let value = args.value(index);
    value.as_u64().ok_or_else(|| invalid(name, "a number from 0 to 2^64 − 1", &value.to_string()))
}

/// An entry, or what became of it; `null` if the connector never had it.
pub(super) fn get(context: &Context, args: &Args) -> Answer<Option<OutboxEntryView>> {
    let (connector, seq) = (id(args, 0)?, seq(args, 1, "seq")?);
    let entry = context.deps.chain.read(|| Outbox::entry(connector, seq)).map_err(chain)?;
    if let Some(entry) = entry {
        return Ok(Some(OutboxEntryView::of_entry(connector, seq, &entry)));
    }
    let found = placed(context, connector, seq)?;
    Ok(found.map(|(_, trace)| OutboxEntryView::of_trace(&trace)))
}

/// The trace of an entry that ended, and which leaf it is.
fn placed(context: &Context, connector: ConnectorId, seq: u64) -> Answer<Option<(u64, Trace)>> {
    let store = context.deps.chain.storage();
    let place = store.offchain_get(&outbox_place_key(connector, seq)).map_err(storage)?;
    let Some(place) = place else { return Ok(None) };
    let (place, key): (u64, Vec<u8>) = decode("place of an entry", &place)?;
    let trace = store.offchain_get(&key).map_err(storage)?;
    let trace =
        trace.ok_or_else(|| internal(format!("trace {} is not in the index", to_hex(&key))))?;
    Ok(Some((place, decode("trace", &trace)?)))
}

/// Entries that were not acknowledged, after a number.
pub(super) fn pending(context: &Context, args: &Args) -> Answer<Vec<NoticeView>> {
    let connector = id(args, 0)?;
    let after = match args.value(1) {
        Value::Null => None,
        _ => Some(seq(args, 1, "after")?),
    };
    let limit = args.limit(2)?;
    let node = &context.deps.chain;
    let read = || Outbox::pending(connector, after).take(limit).collect::<Vec<_>>();
    let entries = node.read(read).map_err(chain)?;
    let genesis = node.genesis_hash();
    entries
        .into_iter()
        .map(|(seq, entry)| notice(context, &genesis, connector, seq, &entry))
        .collect()
}

fn notice(
    context: &Context,
    genesis: &Hash,
    connector: ConnectorId,
    seq: u64,
    entry: &Entry,
) -> Answer<NoticeView> {
    let mut notice = NoticeView {
        entry: OutboxEntryView::of_entry(connector, seq, entry),
        idempotency_key: idempotency_key(genesis, connector, seq).into(),
        bill: None,
        grant: None,
        participant: None,
    };
    match &entry.subject {
        Subject::Bill(key) => notice.bill = bill::version_of(context, key, entry.version)?,
        Subject::Grant(hash) => notice.grant = grant(context, &GrantId(*hash))?,
        Subject::Participant(did) => notice.participant = participant(context, did)?,
    }
    Ok(notice)
}

/// Of a bill.
pub(super) fn of_bill(context: &Context, args: &Args) -> Answer<Page<OutboxEntryView>> {
    of_subject(context, &Subject::Bill(bill::key(args, 0)?), args, 2)
}

/// Of a grant.
pub(super) fn of_grant(context: &Context, args: &Args) -> Answer<Page<OutboxEntryView>> {
    of_subject(context, &Subject::Grant(args.hash(0, "grant")?), args, 1)
}

/// Of a participant.
pub(super) fn of_participant(context: &Context, args: &Args) -> Answer<Page<OutboxEntryView>> {
    of_subject(context, &Subject::Participant(args.parsed(0, "participant")?), args, 1)
}

/// What became of the entries about a subject, paged, and with the last page those that have
/// not ended.
fn of_subject(
    context: &Context,
    subject: &Subject,
    args: &Args,
    index: usize,
) -> Answer<Page<OutboxEntryView>> {
    let page = index_page(context, &outbox_traces_prefix(subject), args, index)?;
    let mut page =
        show(page, |bytes| Ok(OutboxEntryView::of_trace(&decode::<Trace>("trace", &bytes)?)))?;
    if page.next.is_some() {
        return Ok(page);
    }
    let read = || {
        let count = u16::try_from(Connectors::<Runtime>::count()).unwrap_or(u16::MAX);
        let all = (1..=count).map(ConnectorId);
        let of =
            |connector| Outbox::lane(connector, subject).into_iter().map(move |it| (connector, it));
        all.flat_map(of).collect::<Vec<_>>()
    };
    let waiting = context.deps.chain.read(read).map_err(chain)?;
    page.items.extend(
        waiting
            .iter()
            .map(|(connector, (seq, entry))| OutboxEntryView::of_entry(*connector, *seq, entry)),
    );
    Ok(page)
}

/// What became of a connector's entries, by their numbers, paged.
pub(super) fn history(context: &Context, args: &Args) -> Answer<Page<OutboxEntryView>> {
    let connector = id(args, 0)?;
    let page = index_page(context, &outbox_places_prefix(connector), args, 1)?;
    show(page, |place| {
        let (_, key): (u64, Vec<u8>) = decode("place of an entry", &place)?;
        let trace = context.deps.chain.storage().offchain_get(&key).map_err(storage)?;
        let trace = trace.ok_or_else(|| internal("a trace is not in the index"))?;
        Ok(OutboxEntryView::of_trace(&decode::<Trace>("trace", &trace)?))
    })
}

/// The proof of what became of an entry; `null` if it has not ended.
pub(super) fn proof(context: &Context, args: &Args) -> Answer<Option<OutboxProofView>> {
    let (connector, seq) = (id(args, 0)?, seq(args, 1, "seq")?);
    let Some((place, trace)) = placed(context, connector, seq)? else { return Ok(None) };
    let store = context.deps.chain.storage();
    let (head, state) = store.head_state().map_err(storage)?;
    let key = Trails::<Runtime>::hashed_key_for(connector);
    let value = state.get(&key).map_err(storage)?.unwrap_or_default();
    let trail = billchain_primitives::outbox::Trail::decode(&mut &value[..])
        .map_err(|error| internal(format!("stored trail: {error}")))?;
    let node = |height, place| {
        let hash = store.offchain_get(&outbox_node_key(connector, height, place)).ok().flatten()?;
        <[u8; 32]>::try_from(hash.as_slice()).ok()
    };
    // A leaf of a block that came since the state was read is proved by the next one.
    let Some(proof) = trail.prove(place, node) else { return Ok(None) };
    Ok(Some(OutboxProofView {
        entry: OutboxEntryView::of_trace(&trace),
        trace: to_hex(&trace.encode()),
        place: proof.place,
        siblings: proof.siblings.into_iter().map(Into::into).collect(),
        trail: to_hex(&value),
        key: to_hex(&key),
        block: head.number,
        block_hash: head.hash,
    }))
}

//! Keys of the node-local index that pallets write through FRAME's off-chain
//! indexing. It is no part of the state root and can be rebuilt from the
//! blocks at any time.

use crate::{
    BillKey, Did, Stamp,
    outbox::{ConnectorId, Subject},
};
use codec::Encode;

/// Prefix of version records.
pub const HISTORY: &[u8] = b"h/";
/// Prefix of the bills a transaction touched.
pub const BLOCK_BILLS: &[u8] = b"t/";
/// Prefix of the bills of a party (参与方).
pub const PARTY_BILLS: &[u8] = b"pb/";
/// Prefix of the red and balance bills of a bill.
pub const RELATED: &[u8] = b"rb/";

/// Prefix of what became of the outbox's entries, by their subject.
pub const OUTBOX_TRACES: &[u8] = b"ot/";
/// Prefix of the places of the outbox's entries in their connector's trail.
pub const OUTBOX_PLACES: &[u8] = b"op/";
/// Prefix of the nodes of the connectors' trails.
pub const OUTBOX_NODES: &[u8] = b"on/";

/// Where the record of one version of a bill lies: versions of a bill sort
/// together, ascending.
pub fn history_key(bill: &BillKey, version: u32) -> Vec<u8> {
    let mut key = history_prefix(bill);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// What the keys of all versions of `bill` begin with.
pub fn history_prefix(bill: &BillKey) -> Vec<u8> {
    let mut key = HISTORY.to_vec();
    bill.encode_to(&mut key);
    key
}

/// Where the `seq`-th bill touched by extrinsic `extrinsic` of block `block`
/// lies; the value is the encoded [`BillKey`].
pub fn block_bills_key(block: u32, extrinsic: u32, seq: u32) -> Vec<u8> {
    let mut key = block_bills_prefix(block, extrinsic);
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// What the keys of all bills touched by one block begin with, in the order of its transactions.
pub fn block_prefix(block: u32) -> Vec<u8> {
    let mut key = BLOCK_BILLS.to_vec();
    key.extend_from_slice(&block.to_be_bytes());
    key
}

/// What the keys of all bills touched by one extrinsic begin with.
pub fn block_bills_prefix(block: u32, extrinsic: u32) -> Vec<u8> {
    let mut key = BLOCK_BILLS.to_vec();
    key.extend_from_slice(&block.to_be_bytes());
    key.extend_from_slice(&extrinsic.to_be_bytes());
    key
}

/// Where a bill stands among those of a party: by the time at which it became
/// one of them. A party may stand in several relations to a bill; `relation`
/// tells them apart.
pub fn party_bill_key(party: &Did, since: &Stamp, bill: &BillKey, relation: u8) -> Vec<u8> {
    let mut key = party_bills_prefix(party);
    key.extend_from_slice(&since.block.to_be_bytes());
    key.extend_from_slice(&since.extrinsic.unwrap_or(u32::MAX).to_be_bytes());
    bill.encode_to(&mut key);
    key.push(relation);
    key
}

/// What the keys of all bills of one party begin with.
pub fn party_bills_prefix(party: &Did) -> Vec<u8> {
    // The encoding begins with the length, so no DID is a prefix of another.
    let mut key = PARTY_BILLS.to_vec();
    party.encode_to(&mut key);
    key
}

/// Where a red or balance bill lies under the bill that it reverses or
/// replaces; the value is its encoded [`BillKey`].
pub fn related_key(original: &BillKey, related: &BillKey) -> Vec<u8> {
    let mut key = related_prefix(original);
    related.encode_to(&mut key);
    key
}

/// What the keys of all red and balance bills of `original` begin with.
pub fn related_prefix(original: &BillKey) -> Vec<u8> {
    let mut key = RELATED.to_vec();
    original.encode_to(&mut key);
    key
}

/// Where what became of an entry of the outbox lies: those about one subject together, in
/// the order of its versions. The value is the encoded [`Trace`](crate::outbox::Trace).
pub fn outbox_trace_key(
    subject: &Subject,
    version: u32,
    connector: ConnectorId,
    seq: u64,
) -> Vec<u8> {
    let mut key = outbox_traces_prefix(subject);
    key.extend_from_slice(&version.to_be_bytes());
    key.extend_from_slice(&connector.0.to_be_bytes());
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// What the keys of all traces about one subject begin with.
pub fn outbox_traces_prefix(subject: &Subject) -> Vec<u8> {
    // A subject's encoding tells its own length, so none is a prefix of another.
    let mut key = OUTBOX_TRACES.to_vec();
    subject.encode_to(&mut key);
    key
}

/// Where the place of an entry's trace in its connector's trail lies, with the key of the
/// trace: the value is the SCALE encoding of a `u64` and the bytes of that key.
pub fn outbox_place_key(connector: ConnectorId, seq: u64) -> Vec<u8> {
    let mut key = outbox_places_prefix(connector);
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// What the keys of all places of one connector begin with.
pub fn outbox_places_prefix(connector: ConnectorId) -> Vec<u8> {
    let mut key = OUTBOX_PLACES.to_vec();
    key.extend_from_slice(&connector.0.to_be_bytes());
    key
}

/// Where a node of a connector's trail lies; the value is its hash.
pub fn outbox_node_key(connector: ConnectorId, height: u32, place: u64) -> Vec<u8> {
    let mut key = OUTBOX_NODES.to_vec();
    key.extend_from_slice(&connector.0.to_be_bytes());
    key.extend_from_slice(&height.to_be_bytes());
    key.extend_from_slice(&place.to_be_bytes());
    key
}

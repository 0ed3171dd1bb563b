//! Keys of the node-local index that pallets write through FRAME's off-chain
//! indexing. It is no part of the state root and can be rebuilt from the
//! blocks at any time.

use crate::BillKey;
use codec::Encode;

/// Prefix of version records.
pub const HISTORY: &[u8] = b"h/";
/// Prefix of the bills a transaction touched.
pub const BLOCK_BILLS: &[u8] = b"t/";

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

/// What the keys of all bills touched by one extrinsic begin with.
pub fn block_bills_prefix(block: u32, extrinsic: u32) -> Vec<u8> {
    let mut key = BLOCK_BILLS.to_vec();
    key.extend_from_slice(&block.to_be_bytes());
    key.extend_from_slice(&extrinsic.to_be_bytes());
    key
}

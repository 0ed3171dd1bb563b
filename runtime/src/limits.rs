//! How much a block and a transaction may hold.
//!
//! Time is weight: 1 s of one core of the reference machine is 10^12. The
//! prices of storage come from measurements of this storage (RocksDB for
//! values, QMDB for the commitment), which is much cheaper to write than the
//! trie FRAME's defaults are for.

use billchain_primitives::BlockNumber;
use frame_support::{
    dispatch::DispatchClass,
    parameter_types,
    weights::{
        RuntimeDbWeight, Weight,
        constants::{WEIGHT_REF_TIME_PER_MICROS, WEIGHT_REF_TIME_PER_SECOND},
    },
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::Perbill;

/// Largest block, in bytes of its encoding.
pub const MAX_BLOCK_BYTES: u32 = 5 * 1024 * 1024;

/// Largest transaction, in bytes of its encoding: a batch of 500 bills with
/// room to spare.
pub const MAX_TRANSACTION_BYTES: u32 = 512 * 1024;

/// Deepest nesting of a transaction's encoding: calls within calls (a motion
/// that proposes a batch) and their arguments. Keeps decoding and dispatch far
/// from the end of the stack, natively an overflow would end the node.
pub const MAX_TRANSACTION_DEPTH: u32 = billchain_primitives::MAX_EXTRINSIC_DEPTH;

/// Most work in a block.
pub const MAX_BLOCK_WEIGHT: Weight = Weight::from_parts(2 * WEIGHT_REF_TIME_PER_SECOND, u64::MAX);

/// Work of any transaction before its call: decoding, the check of its
/// signature (SM2, key not seen before), events of its own.
pub const BASE_EXTRINSIC_WEIGHT: Weight = Weight::from_parts(130 * WEIGHT_REF_TIME_PER_MICROS, 0);

/// Work of an empty block.
pub const BASE_BLOCK_WEIGHT: Weight = Weight::from_parts(2_000 * WEIGHT_REF_TIME_PER_MICROS, 0);

/// Share of a block that ordinary transactions may fill; the rest is kept for
/// the council.
const NORMAL_SHARE: Perbill = Perbill::from_percent(75);

/// How many blocks' hashes the state remembers, which bounds the era of a
/// mortal transaction.
pub const BLOCK_HASH_COUNT: BlockNumber = 2_400;

parameter_types! {
    /// See [`BLOCK_HASH_COUNT`].
    pub const BlockHashCount: BlockNumber = BLOCK_HASH_COUNT;
    /// See [`MAX_BLOCK_WEIGHT`].
    pub RuntimeBlockWeights: BlockWeights = block_weights();
    /// See [`MAX_BLOCK_BYTES`].
    pub RuntimeBlockLength: BlockLength = block_length();
    /// What a read and a write of the state cost. A write includes its share
    /// of the commitment and of the synced batch.
    pub const DbWeight: RuntimeDbWeight = RuntimeDbWeight {
        read: 8 * WEIGHT_REF_TIME_PER_MICROS,
        write: 20 * WEIGHT_REF_TIME_PER_MICROS,
    };
}

fn block_weights() -> BlockWeights {
    let normal = NORMAL_SHARE * MAX_BLOCK_WEIGHT;
    BlockWeights::builder()
        .base_block(BASE_BLOCK_WEIGHT)
        .for_class(DispatchClass::all(), |class| {
            class.base_extrinsic = BASE_EXTRINSIC_WEIGHT;
        })
        .for_class(DispatchClass::Normal, |class| {
            class.max_total = Some(normal);
            class.max_extrinsic = Some(normal - BASE_EXTRINSIC_WEIGHT - BASE_BLOCK_WEIGHT);
        })
        .for_class(DispatchClass::Operational, |class| {
            class.max_total = Some(MAX_BLOCK_WEIGHT);
            class.max_extrinsic =
                Some(MAX_BLOCK_WEIGHT - BASE_EXTRINSIC_WEIGHT - BASE_BLOCK_WEIGHT);
            class.reserved = Some(MAX_BLOCK_WEIGHT - normal);
        })
        .build_or_panic()
}

fn block_length() -> BlockLength {
    BlockLength::builder()
        .max_length(MAX_BLOCK_BYTES)
        .modify_max_length_for_class(DispatchClass::Normal, |bytes| {
            *bytes = NORMAL_SHARE * MAX_BLOCK_BYTES;
        })
        .build()
}

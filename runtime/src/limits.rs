//! How much a block and a transaction may hold at most. A chain may set less,
//! by motion: see the performance contract, which holds its own limits within
//! these.
//!
//! Time is weight: 1 s of one core of the reference machine is 10^12. The
//! prices of storage come from measurements of this storage (RocksDB for
//! values, QMDB for the commitment), which is much cheaper to write than the
//! trie FRAME's defaults are for.

use billchain_primitives::{BlockNumber, Moment};
use core::ops::Mul;
use frame_support::{
    dispatch::DispatchClass,
    parameter_types,
    weights::{
        RuntimeDbWeight, Weight,
        constants::{WEIGHT_REF_TIME_PER_MICROS, WEIGHT_REF_TIME_PER_SECOND},
    },
};
use frame_system::limits::{BlockLength, BlockWeights};
use pallet_performance::Limits;
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

/// What a read of a cold entry takes, in microseconds: two pages of an index and a block, read
/// from a path that answers in two thirds of a millisecond, checked and decompressed. From
/// memory it takes 100 to 400: see `docs/decisions/0066-what-cools.md`.
pub const COLD_READ_US: u64 = 2_000;

/// What it takes to ask a run for an entry that it does not have, in microseconds: its filter, and
/// in one case of a hundred what [`COLD_READ_US`] says, for ten numbers at once.
pub const MISSING_US: u64 = 5;

/// Share of a block that ordinary transactions may fill; the rest is kept for
/// the council.
const NORMAL_SHARE: Perbill = Perbill::from_percent(75);

/// The limits above, as the performance contract has them.
pub const fn hard_limits() -> Limits {
    Limits {
        max_block_bytes: MAX_BLOCK_BYTES,
        max_transaction_bytes: MAX_TRANSACTION_BYTES,
        max_block_time_us: (MAX_BLOCK_WEIGHT.ref_time() / WEIGHT_REF_TIME_PER_MICROS) as u32,
    }
}

/// Most work in a block under `limits`.
pub(crate) fn work(limits: &Limits) -> u64 {
    u64::from(limits.max_block_time_us).saturating_mul(WEIGHT_REF_TIME_PER_MICROS)
}

/// What of `all` ordinary transactions may fill.
pub(crate) fn normal_share<N>(all: N) -> N
where
    Perbill: Mul<N, Output = N>,
{
    NORMAL_SHARE * all
}

/// How many blocks' hashes the state remembers, which bounds the era of a
/// mortal transaction. Blocks follow work: twenty a second under load, one in 3 s
/// at rest, so that an era of some blocks is no time at all. This is the longest
/// era whose birth block is exact in the format: `@polkadot/api` asks for the
/// longest that the metadata allows, and signs a longer one wrongly.
pub const BLOCK_HASH_COUNT: BlockNumber = 4_096;

/// How far ahead of a validator's clock a proposal's time may be, in milliseconds.
/// The chain's, not a node's setting: a validator with laxer bounds would let a
/// proposer void the locks of its block.
pub const MAX_AHEAD_MS: Moment = 5_000;

/// How far behind it may be: a timeout for the proposal ([`MAX_PROPOSE_TIMEOUT_MS`])
/// for building and the way, as much again for a proposal that waits for its round,
/// and what the clocks may differ.
pub const MAX_BEHIND_MS: Moment = 25_000;

/// Longest that a node may be set to wait for a proposal, in milliseconds. A
/// proposal for which two thirds have voted in an earlier round has no age.
pub const MAX_PROPOSE_TIMEOUT_MS: Moment = 8_000;

/// What a signer's clock and the way of its lock may take, to either side of true
/// time, in milliseconds.
pub const SIGNER_SLACK_MS: Moment = 5_000;

/// How far the parent's time may be ahead of a validator's clock for it to vote for a
/// block that stamps the first moment after its parent: when all clocks were set back,
/// the chain goes on by its own time until they have caught up. Who sets them back by
/// more has to look first. Milliseconds.
pub const MAX_CLOCK_BACK_MS: Moment = 10 * 60 * 1_000;

const _: () = assert!(MAX_BEHIND_MS >= 2 * MAX_PROPOSE_TIMEOUT_MS + MAX_AHEAD_MS);

parameter_types! {
    /// How long before its block's time a lock may have been signed: one within
    /// [`SIGNER_SLACK_MS`] of true time is in bounds whatever the proposer stamps.
    pub const MaxSignedBefore: Moment = SIGNER_SLACK_MS + MAX_AHEAD_MS;
    /// How long after its block's time a lock may have been signed.
    pub const MaxSignedAfter: Moment = SIGNER_SLACK_MS + MAX_BEHIND_MS;
    /// See [`hard_limits`].
    pub const HardLimits: Limits = hard_limits();
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

//! What a chain may be told of its performance.

use billchain_primitives::{Moment, Role};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::prelude::{BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Smallest bound on a block, in bytes: two of the largest transactions fit.
pub const MIN_BLOCK_BYTES: u32 = 2 * 1024 * 1024;
/// Smallest bound on a transaction, in bytes: any motion that mends a bound
/// fits many times.
pub const MIN_TRANSACTION_BYTES: u32 = 64 * 1024;
/// Smallest bound on a block's work, in microseconds.
pub const MIN_BLOCK_TIME_US: u32 = 500_000;
/// Shortest and longest interval of quotas, in milliseconds of block time.
pub const INTERVAL_MS: core::ops::RangeInclusive<Moment> = 1_000..=86_400_000;
/// Most transactions that a sender's share of a pool may hold.
pub const MAX_POOL_TRANSACTIONS: u32 = 1 << 20;
/// Most bytes that a sender's share of a pool may hold; the fewest are those of
/// the largest transaction.
pub const MAX_POOL_BYTES: u32 = 1 << 30;
/// Most roles that may have a quota of their own: all there are.
pub const MAX_ROLES: u32 = Role::ALL.len() as u32;

/// What blocks and transactions are valid. The node's own settings say what it
/// builds, which may be less.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Most bytes of an encoded block.
    pub max_block_bytes: u32,
    /// Most bytes of an encoded transaction.
    pub max_transaction_bytes: u32,
    /// Most work in a block, in microseconds of the reference machine.
    pub max_block_time_us: u32,
}

/// What a sender may bring into blocks in one interval.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Allowance {
    /// Most transactions; not 0.
    pub transactions: u32,
    /// Bytes of them, after which no further one is taken; not 0.
    pub bytes: u32,
}

impl Allowance {
    /// The more of each.
    fn or_more(self, other: Self) -> Self {
        Self {
            transactions: self.transactions.max(other.transactions),
            bytes: self.bytes.max(other.bytes),
        }
    }
}

/// What a sender may have waiting in each node's pool.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoolShare {
    /// Most transactions.
    pub transactions: u32,
    /// Most bytes of them.
    pub bytes: u32,
}

/// What one sender may use of the chain (用票性能配置).
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// Into blocks, in each interval; none: as much as blocks take.
    #[serde(default)]
    pub allowance: Option<Allowance>,
    /// In each node's pool.
    pub pool: PoolShare,
}

impl Quota {
    /// The more of everything: a participant with several roles may use what
    /// any of them may.
    pub(crate) fn or_more(self, other: Self) -> Self {
        let allowance = match (self.allowance, other.allowance) {
            (Some(one), Some(another)) => Some(one.or_more(another)),
            _ => None,
        };
        let pool = PoolShare {
            transactions: self.pool.transactions.max(other.pool.transactions),
            bytes: self.pool.bytes.max(other.pool.bytes),
        };
        Self { allowance, pool }
    }
}

/// The quota of participants with one role.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleQuota {
    /// The role.
    pub role: Role,
    /// What each participant with it may use.
    pub quota: Quota,
}

/// The quotas of a chain but those of single participants.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quotas {
    /// Length of an interval, in milliseconds of block time. Intervals follow
    /// one another from 1970 on.
    pub interval_ms: Moment,
    /// Of participants whose roles have none of their own.
    pub ordinary: Quota,
    /// Of participants with a role, each role once.
    pub roles: BoundedVec<RoleQuota, ConstU32<MAX_ROLES>>,
    /// Share of the pool of each council member, security administrator and
    /// validator's operator; blocks take all they send.
    pub reserved: PoolShare,
}

impl Default for Quotas {
    /// Blocks take all that comes; what waits is bounded.
    fn default() -> Self {
        let pool = PoolShare { transactions: 16_384, bytes: 32 << 20 };
        Self {
            interval_ms: 60_000,
            ordinary: Quota { allowance: None, pool },
            roles: BoundedVec::new(),
            reserved: PoolShare { transactions: 4_096, bytes: 16 << 20 },
        }
    }
}

/// Everything that is asked for each transaction, in one value.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Settings {
    /// What is valid.
    pub limits: Limits,
    /// Who may use how much.
    pub quotas: Quotas,
    /// How many participants have a quota of their own.
    pub own_quotas: u32,
}

impl Settings {
    /// Whether blocks take all that anybody sends, so that nothing is counted.
    pub fn is_unmetered(&self) -> bool {
        let unmetered = |quota: &Quota| quota.allowance.is_none();
        self.own_quotas == 0
            && unmetered(&self.quotas.ordinary)
            && self.quotas.roles.iter().all(|of| unmetered(&of.quota))
    }
}

/// What a participant brought into blocks in the interval it was last heard in.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Usage {
    /// Number of the interval: the block's time by the interval's length.
    pub interval: u64,
    /// Transactions so far.
    pub transactions: u32,
    /// Bytes of them.
    pub bytes: u32,
}

impl Usage {
    /// Whether nothing more is taken in its interval.
    pub fn exhausts(&self, allowance: &Allowance) -> bool {
        self.transactions >= allowance.transactions || self.bytes >= allowance.bytes
    }
}

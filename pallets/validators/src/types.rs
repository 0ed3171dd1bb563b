//! Who votes, and who may follow.

use billchain_primitives::{AccountId, BlockNumber, Equivocation, Name, Stamp};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::prelude::{BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Longest libp2p identity, in bytes of its multihash.
pub const MAX_PEER_ID: u32 = 64;
/// libp2p identity of a node: the bytes of its multihash.
pub type PeerIdBytes = BoundedVec<u8, ConstU32<MAX_PEER_ID>>;

/// Longest name of a machine, in bytes: the longest that the DNS knows.
pub const MAX_HOST_NAME: u32 = 253;

pub use billchain_primitives::{MAX_OBSERVERS, MAX_VALIDATORS};
/// Highest voting power of one validator: low enough that consensus can sum
/// and multiply the powers of all without leaving 64 bits.
pub const MAX_POWER: u64 = 1_000_000_000;

/// Whether `bytes` are a libp2p identity: the multihash of a public key, which
/// is the key itself (36 to 42 bytes; Ed25519 and its like) or its SHA-256.
pub fn is_peer_id(bytes: &[u8]) -> bool {
    const IDENTITY: u8 = 0x00;
    const SHA2_256: u8 = 0x12;
    let [code, length, digest @ ..] = bytes else { return false };
    usize::from(*length) == digest.len()
        && match *code {
            IDENTITY => (36..=42).contains(&digest.len()),
            SHA2_256 => digest.len() == 32,
            _ => false,
        }
}

/// A validator (共识节点).
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
pub struct Validator {
    /// Account of its operator.
    pub operator: AccountId,
    /// Name to show.
    pub name: Name,
    /// Compressed SM2 key it votes with.
    #[serde(with = "sp_key")]
    pub consensus_key: [u8; 33],
    /// Its node's libp2p identity.
    pub peer_id: PeerIdBytes,
    /// Its voting power, 1 to [`MAX_POWER`].
    pub power: u64,
}

/// A node that follows without a vote (观察节点).
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
pub struct Observer {
    /// Name to show.
    pub name: Name,
    /// Its libp2p identity.
    pub peer_id: PeerIdBytes,
}

/// Which heights a consensus key decides, and whose it is.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Tenure {
    /// Compressed SM2 key.
    pub key: [u8; 33],
    /// Account of the operator.
    pub operator: AccountId,
    /// First height that it decides.
    pub from: BlockNumber,
    /// Last height that it decides; none while it is a validator's.
    pub until: Option<BlockNumber>,
}

impl Tenure {
    /// Whether the key decides this height.
    pub fn covers(&self, height: u64) -> bool {
        u64::from(self.from) <= height && self.until.is_none_or(|until| height <= u64::from(until))
    }
}

/// An equivocation that the chain has verified.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct EquivocationRecord {
    /// The proof: who, where, and both signed statements.
    pub equivocation: Equivocation,
    /// Account of the operator whose key it was.
    pub operator: AccountId,
    /// When it was recorded.
    pub at: Stamp,
}

/// Most equivocations on record of one key.
pub const MAX_RECORDS: u32 = 16;

/// Most equivocations that one block records.
pub const MAX_REPORTS: u32 = 4;

/// Keys that vote no more and are remembered, with their equivocations.
pub const MAX_FORMER_KEYS: u32 = 64;

/// How many blocks an equivocation may be back when it is recorded. Who has seen
/// one brings it into the next block that it proposes; what comes much later was
/// made later, by who found an old key.
///
/// Blocks, although they follow work and are no time (83 minutes under full load,
/// three days at rest): the state does not know when an earlier height was decided,
/// and the statements that are judged name a height and no time. What this has to
/// leave room for is counted in blocks too: 1,500 turns to propose of each of 64
/// validators.
pub const MAX_REPORT_AGE: u64 = 100_000;

/// How long a record stays before a newer one of the same key may take its place,
/// in milliseconds of block time: longer than any motion that cites it is open.
pub const RECORD_PERIOD_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Serde of an SM2 key as `sm2:hex`.
mod sp_key {
    use billchain_primitives::PublicKey;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(key: &[u8; 33], s: S) -> Result<S::Ok, S::Error> {
        PublicKey::Sm2(*key).serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 33], D::Error> {
        match PublicKey::deserialize(d)? {
            PublicKey::Sm2(key) => Ok(key),
            other => Err(D::Error::custom(format!("expected an SM2 key, found {other}"))),
        }
    }
}

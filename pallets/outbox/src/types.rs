//! What is kept of a connector, and what calls carry.

use billchain_primitives::{
    BlockNumber, Did, Moment, SceneId, Stamp,
    outbox::{ConnectorId, ConnectorKind, Fact, Label, Topics},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::prelude::*;
use serde::{Deserialize, Serialize};

/// Most connectors that are not retired: what a fact may cost at most.
pub const MAX_ROUTES: u32 = 16;
/// Most scenes that a connector names.
pub const MAX_SCENES: u32 = 64;
/// Most participants that acknowledge for a connector.
pub const MAX_ACKNOWLEDGERS: u32 = 16;
/// Most outcomes of one report, and most bills that are told again at once.
pub const MAX_OUTCOMES: u32 = 500;
/// Most entries that may wait for a connector.
pub const MAX_WAITING: u32 = 2_000_000;
/// Most entries about one subject that may wait for a connector.
pub const MAX_LANE: u32 = 64;
/// Most refusals of an entry before it is a dead letter.
pub const MAX_REFUSALS: u32 = 100;
/// How long a lease holds without a sign of its holder, in milliseconds of block time.
pub const LEASE_MS: Moment = 5_000;
/// How many blocks a lease holds at least: a block whose time jumps takes it from nobody who
/// had no chance to show up.
pub const LEASE_BLOCKS: BlockNumber = 2;

/// Facts of which scenes a connector is told. Participants belong to no scene.
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
#[serde(rename_all = "snake_case")]
pub enum SceneFilter {
    /// Of all scenes.
    All,
    /// Of these, each once.
    Only(BoundedVec<SceneId, ConstU32<MAX_SCENES>>),
}

/// What the council says of a connector.
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
pub struct Terms {
    /// Which sort of system it leads to.
    pub kind: ConnectorKind,
    /// Name of the endpoint, by which each operator's settings say where it is: addresses and
    /// secrets are no matter of the chain.
    pub endpoint: Label,
    /// Which facts it is told.
    pub topics: Topics,
    /// Of which scenes.
    pub scenes: SceneFilter,
    /// In which form, such as `mof-public-service/1`.
    pub format: Label,
    /// The participants whose workers do its work and acknowledge, each once: one a node.
    pub acknowledgers: BoundedVec<Did, ConstU32<MAX_ACKNOWLEDGERS>>,
    /// How often the system outside may refuse an entry before it is a dead letter, 1 to 100.
    pub max_refusals: u32,
    /// Most entries that wait, 1 to 2,000,000; facts beyond it are left out and counted.
    pub max_waiting: u32,
}

/// State of a connector.
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
#[serde(rename_all = "snake_case")]
pub enum ConnectorStatus {
    /// Facts become entries, workers tell them.
    Active,
    /// Facts become entries, nobody tells them.
    Paused,
    /// Facts become no entries any more, which is final; what waits can be discarded.
    Retired,
}

/// A connector.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Connector {
    /// What the council says of it.
    pub terms: Terms,
    /// Its state.
    pub status: ConnectorStatus,
    /// When it was registered.
    pub registered: Stamp,
    /// When its terms or its state changed last.
    pub updated: Stamp,
}

/// What a fact is compared with: a connector's part of the one value that is read for it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Route {
    /// The connector.
    pub connector: ConnectorId,
    /// Which facts it is told.
    pub topics: Topics,
    /// Of which scenes.
    pub scenes: SceneFilter,
    /// Most entries that wait.
    pub max_waiting: u32,
}

impl Route {
    /// Whether the connector is told of the fact.
    pub(crate) fn takes(&self, fact: &Fact) -> bool {
        let is_of = |scene: &Option<SceneId>, of: &[SceneId]| {
            scene.as_ref().is_some_and(|scene| of.contains(scene))
        };
        self.topics.contains(fact.topic)
            && match &self.scenes {
                SceneFilter::All => true,
                SceneFilter::Only(_) if fact.scene.is_none() => true,
                SceneFilter::Only(of) => is_of(&fact.scene, of) || is_of(&fact.claim, of),
            }
    }
}

/// What is counted of a connector's entries. `last` = `waiting` + `dead` + `acknowledged` +
/// `discarded`.
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
pub struct Tally {
    /// Number of the last entry; the first has 1.
    pub last: u64,
    /// Entries that wait.
    pub waiting: u32,
    /// Dead letters.
    pub dead: u32,
    /// Entries that were acknowledged.
    pub acknowledged: u64,
    /// Entries that were discarded.
    pub discarded: u64,
    /// Facts that became no entries, because too many waited.
    pub omitted: u64,
    /// Block of the last of these; 0: there is none.
    pub omitted_at: BlockNumber,
}

/// The entries about one subject that a connector has.
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
)]
pub struct Lane {
    /// The last of them.
    pub last: u64,
    /// How many there are.
    pub entries: u32,
}

/// Who does a connector's work (租约).
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Lease {
    /// The participant whose worker does it.
    pub holder: Did,
    /// Since when it has it.
    pub since: Stamp,
    /// Last moment at which it is its.
    pub until: Moment,
    /// Last block in which it is its; it is over when both are.
    pub until_block: BlockNumber,
}

impl Lease {
    /// Whether it is over in a block of this number and time.
    pub const fn is_over(&self, block: BlockNumber, now: Moment) -> bool {
        block > self.until_block && now > self.until
    }
}

/// What became of an attempt to tell an entry.
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
)]
pub enum Answer {
    /// The system outside was told.
    Told {
        /// SM3 of its answer.
        answer: [u8; 32],
    },
    /// The system outside refuses it.
    Refused {
        /// SM3 of its answer.
        answer: [u8; 32],
    },
}

/// One item of a report.
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
)]
pub struct Outcome {
    /// The entry.
    pub seq: u64,
    /// Attempts of the reporting worker since its last report of the entry.
    pub attempts: u32,
    /// What became of it.
    pub answer: Answer,
}

//! Connectors, and entries of the outbox (发件箱).

use crate::{BillVersionView, GrantView, ParticipantView, StampView, schema};
use billchain_primitives::{
    Did, SceneId, Stamp,
    outbox::{ConnectorId, ConnectorKind, Ending, Entry, EntryStatus, Subject, Topic, Trace},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A connector (连接器), and where it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorView {
    /// Its number.
    #[schemars(with = "schema::ConnectorId")]
    pub connector: ConnectorId,
    /// Which sort of system it leads to.
    #[schemars(with = "schema::ConnectorKind")]
    pub kind: ConnectorKind,
    /// Name of the endpoint.
    pub endpoint: String,
    /// In which form it is told.
    pub format: String,
    /// Which facts it is told.
    #[schemars(with = "Vec<schema::Topic>")]
    pub topics: Vec<Topic>,
    /// Of which scenes; none: of all.
    #[schemars(with = "Option<Vec<schema::SceneId>>")]
    pub scenes: Option<Vec<SceneId>>,
    /// DIDs of the participants whose workers do its work.
    #[schemars(with = "Vec<schema::Did>")]
    pub acknowledgers: Vec<Did>,
    /// Refusals after which an entry is a dead letter.
    pub max_refusals: u32,
    /// Most entries that wait.
    pub max_waiting: u32,
    /// `active`, `paused` or `retired`.
    pub status: String,
    /// When it was registered.
    pub registered: StampView,
    /// When its terms or its state changed last.
    pub updated: StampView,
    /// Its entries, counted.
    pub entries: TallyView,
    /// The entry that waits longest; none: none does.
    pub oldest: Option<OldestView>,
    /// Who does its work, or did it last: it is over when its time and its block are. None:
    /// nobody has it.
    pub lease: Option<LeaseView>,
    /// The worker that the node which answers runs for it; none: it runs none.
    pub worker: Option<WorkerView>,
}

/// Entries, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TallyView {
    /// Number of the last one.
    pub last: u64,
    /// How many wait.
    pub waiting: u32,
    /// How many are dead letters (死信).
    pub dead: u32,
    /// How many were acknowledged (回执).
    pub acknowledged: u64,
    /// How many were given up.
    pub discarded: u64,
    /// Facts that became none, because too many waited.
    pub omitted: u64,
    /// Block of the last of these; none: there is none.
    pub omitted_at: Option<u32>,
}

/// The entry that waits longest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OldestView {
    /// Its number.
    pub seq: u64,
    /// Block that decided it.
    pub block: u32,
    /// Time of that block.
    pub time: u64,
}

/// Who does a connector's work (租约).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LeaseView {
    /// DID of the participant whose worker does it.
    #[schemars(with = "schema::Did")]
    pub holder: Did,
    /// Since when.
    pub since: StampView,
    /// Until which block time at least, unless it shows up before.
    pub until: u64,
    /// Until which block at least.
    pub until_block: u32,
}

/// A worker, as its node sees it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkerView {
    /// `starting`, `working`, `standing_by`, `stopped` or `stuck`.
    pub state: String,
    /// Its process; none: it has none now.
    pub pid: Option<u32>,
    /// How often it was started.
    pub starts: u64,
    /// How often it ended by itself or was stopped, for each reason.
    pub ends: std::collections::BTreeMap<String, u64>,
    /// Why it ended last.
    pub last_end: Option<String>,
    /// What it said last of its work; none: nothing yet.
    pub pulse: Option<PulseView>,
}

/// What a worker says of its work, each second.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct PulseView {
    /// Block up to which it has looked for entries.
    pub cursor: u32,
    /// Whether it holds the lease.
    pub holds_lease: bool,
    /// Entries that it has at hand and has not told.
    pub at_hand: u64,
    /// Requests under way.
    pub under_way: u64,
    /// Entries that were told and not yet acknowledged on the chain.
    pub unreported: u64,
    /// Entries that it told, since its start.
    pub told: u64,
    /// Attempts that failed and are tried again, since its start.
    pub failed: u64,
    /// Entries that the system outside refused, since its start.
    pub refused: u64,
    /// `closed` (work goes through), `open` (it does not) or `half_open` (it is tried).
    pub circuit: String,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// An entry of the outbox, or what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OutboxEntryView {
    /// The connector.
    #[schemars(with = "schema::ConnectorId")]
    pub connector: ConnectorId,
    /// Its number, of the connector's.
    pub seq: u64,
    /// What happened.
    #[schemars(with = "schema::Topic")]
    pub topic: Topic,
    /// To what: `{"bill": {"code", "number"}}`, `{"grant": …}` or `{"participant": …}`.
    #[schemars(with = "schema::Subject")]
    pub subject: Subject,
    /// Version of the subject that it made.
    pub version: u32,
    /// In which scene; none: it is no matter of a scene.
    #[schemars(with = "Option<schema::SceneId>")]
    pub scene: Option<SceneId>,
    /// Hash of that version.
    #[schemars(with = "schema::Hash")]
    pub digest: H256,
    /// The entry about the same subject that went first, if one did.
    pub previous: Option<u64>,
    /// When it was decided, and in which transaction.
    pub at: StampView,
    /// `waiting`, `dead`, `acknowledged` or `discarded`.
    pub status: String,
    /// Attempts that were reported.
    pub attempts: u32,
    /// How often the system outside has refused it since it waits.
    pub refusals: u32,
    /// SM3 of the last refusal; none: there was none.
    #[schemars(with = "Option<schema::Hash>")]
    pub refusal: Option<H256>,
    /// SM3 of the answer, of an acknowledged one.
    #[schemars(with = "Option<schema::Hash>")]
    pub answer: Option<H256>,
    /// Why it was given up, of a discarded one.
    pub reason: Option<String>,
    /// DID of who reported the end; none: it has not ended, or the council ended it.
    #[schemars(with = "Option<schema::Did>")]
    pub by: Option<Did>,
    /// When it ended, and in which transaction; none: it has not.
    pub ended: Option<StampView>,
}

impl OutboxEntryView {
    /// One that has not ended.
    pub fn of_entry(connector: ConnectorId, seq: u64, entry: &Entry) -> Self {
        let known = |hash: [u8; 32]| (hash != [0; 32]).then_some(H256(hash));
        let at = Stamp { block: entry.block, extrinsic: entry.extrinsic, moment: entry.moment };
        Self {
            connector,
            seq,
            topic: entry.topic,
            subject: entry.subject.clone(),
            version: entry.version,
            scene: entry.scene,
            digest: H256(entry.digest),
            previous: entry.previous,
            at: at.into(),
            status: match entry.status {
                EntryStatus::Waiting => "waiting",
                EntryStatus::Dead => "dead",
            }
            .to_owned(),
            attempts: entry.attempts,
            refusals: entry.refusals,
            refusal: known(entry.refusal),
            answer: None,
            reason: None,
            by: None,
            ended: None,
        }
    }

    /// What became of one.
    pub fn of_trace(trace: &Trace) -> Self {
        let (status, answer, reason) = match &trace.ending {
            Ending::Acknowledged { answer } => ("acknowledged", Some(H256(*answer)), None),
            Ending::Discarded { reason } => ("discarded", None, Some(reason.to_string())),
        };
        Self {
            status: status.to_owned(),
            answer,
            reason,
            by: trace.by.clone(),
            ended: Some(trace.at.into()),
            ..Self::of_entry(trace.connector, trace.seq, &trace.entry)
        }
    }

    /// The entry, of one that has not ended.
    pub fn entry(&self) -> Option<Entry> {
        let status = match self.status.as_str() {
            "waiting" => EntryStatus::Waiting,
            "dead" => EntryStatus::Dead,
            _ => return None,
        };
        Some(Entry {
            topic: self.topic,
            subject: self.subject.clone(),
            version: self.version,
            scene: self.scene,
            digest: self.digest.0,
            previous: self.previous,
            block: self.at.block,
            extrinsic: self.at.extrinsic,
            moment: self.at.time,
            status,
            attempts: self.attempts,
            refusals: self.refusals,
            refusal: self.refusal.unwrap_or_default().0,
        })
    }
}

/// An entry that waits, with what it is about: what a worker needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NoticeView {
    /// The entry.
    pub entry: OutboxEntryView,
    /// What requests about it carry: see `docs/workers.md`.
    #[schemars(with = "schema::Hash")]
    pub idempotency_key: H256,
    /// The version of the bill, if it is about one.
    pub bill: Option<BillVersionView>,
    /// The grant as it is now, if it is about one.
    pub grant: Option<GrantView>,
    /// The participant as it is now, if it is about one.
    pub participant: Option<ParticipantView>,
}

/// That an entry ended as its trace says: the trace is a leaf of the trail, of which the state
/// after every later block holds the peaks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OutboxProofView {
    /// What became of the entry.
    pub entry: OutboxEntryView,
    /// The trace, SCALE as `0x` hex: its leaf is `SM3(0x08 ‖ trace)`.
    pub trace: String,
    /// Number of the leaf, from 0.
    pub place: u64,
    /// The nodes beside the way from the leaf to its peak, from below; a node is
    /// `SM3(0x09 ‖ left ‖ right)`.
    #[schemars(with = "Vec<schema::Hash>")]
    pub siblings: Vec<H256>,
    /// The trail of the connector after block `block`, SCALE as `0x` hex: number of leaves
    /// (`u64`, lowest byte first) and peaks, the highest mountain's first.
    pub trail: String,
    /// Key of the trail in the state: `state_getReadProof` proves its value.
    pub key: String,
    /// The block.
    pub block: u32,
    /// Hash of the block.
    #[schemars(with = "schema::Hash")]
    pub block_hash: H256,
}

//! What platforms are told of an entry: one JSON object, the same by webhook and by Kafka.
//!
//! ```json
//! {"format": "billchain-event/1", "chain": "0x…", "connector": 3, "seq": 17, "id": "…",
//!  "topic": "bill_locked", "subject": {"bill": "31060125-0000000001"}, "version": 2,
//!  "digest": "0x…", "scene": 1, "block": 42, "extrinsic": 3, "time": 1767196800000,
//!  "content": { … as the node's JSON-RPC has it … }}
//! ```

use billchain_primitives::{
    BlockNumber, Hash, Moment, SceneId,
    outbox::{ConnectorId, Entry, Subject, Topic, idempotency_key},
};
use billchain_workers::{Content, Notice};
use serde_json::{Value, json};

/// Name of the form.
pub const FORMAT: &str = "billchain-event/1";

/// A subject as text: a bill's `code-number`, a grant's id, a DID.
pub fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Bill(key) => key.to_string(),
        Subject::Grant(grant) => format!("{grant:?}"),
        Subject::Participant(did) => did.as_str().to_owned(),
    }
}

/// What of it is told in which category: the topics of Kafka, the filters of platforms.
pub const fn category(subject: &Subject) -> &'static str {
    match subject {
        Subject::Bill(_) => "bills",
        Subject::Grant(_) => "grants",
        Subject::Participant(_) => "participants",
    }
}

/// A topic as text, such as `bill_locked`.
pub fn topic_text(topic: Topic) -> String {
    match serde_json::to_value(topic) {
        Ok(Value::String(text)) => text,
        _ => format!("{topic:?}"),
    }
}

/// An event before it is JSON.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Number of the entry.
    pub seq: u64,
    /// What happened.
    pub topic: Topic,
    /// To what.
    pub subject: Subject,
    /// Version of the subject that it made.
    pub version: u32,
    /// Hash of that version.
    pub digest: [u8; 32],
    /// In which scene.
    pub scene: Option<SceneId>,
    /// Block, transaction in it, and time of the block.
    pub at: (BlockNumber, Option<u32>, Moment),
    /// The subject as the node's JSON-RPC has it.
    pub content: Value,
}

impl Parts {
    /// Of a notice.
    pub fn of(notice: &Notice) -> Self {
        let Entry { topic, subject, version, digest, scene, .. } = notice.entry.clone();
        let content = match &notice.content {
            Content::Bill(bill) => json!(bill),
            Content::Grant(grant) => json!(grant),
            Content::Participant(participant) => json!(participant),
        };
        let at = (notice.entry.block, notice.entry.extrinsic, notice.entry.moment);
        Self { seq: notice.seq, topic, subject, version, digest, scene, at, content }
    }

    /// The event, as JSON.
    pub fn event(&self, chain: Hash, connector: ConnectorId) -> Value {
        let kind = match &self.subject {
            Subject::Bill(_) => "bill",
            Subject::Grant(_) => "grant",
            Subject::Participant(_) => "participant",
        };
        let (block, extrinsic, time) = self.at;
        json!({
            "format": FORMAT,
            "chain": format!("{chain:?}"),
            "connector": connector,
            "seq": self.seq,
            "id": hex::encode(idempotency_key(&chain, connector, self.seq)),
            "topic": self.topic,
            "subject": {kind: subject_text(&self.subject)},
            "version": self.version,
            "digest": format!("0x{}", hex::encode(self.digest)),
            "scene": self.scene,
            "block": block,
            "extrinsic": extrinsic,
            "time": time,
            "content": self.content,
        })
    }
}

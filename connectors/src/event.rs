//! What platforms are told of an entry: one JSON object, the same by webhook and by Kafka.
//!
//! ```json
//! {"format": "billchain-event/1", "chain": "0x…", "connector": 3, "seq": 17, "id": "…",
//!  "topic": "bill_locked", "subject": {"bill": "31060125-0000000001"}, "version": 2,
//!  "digest": "0x…", "scene": 1, "block": 42, "extrinsic": 3, "time": 1767196800000,
//!  "content": { … as the node's JSON-RPC has it … }}
//! ```

use billchain_primitives::{
    Hash,
    outbox::{ConnectorId, Subject, Topic},
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

/// The event of a notice.
pub fn event(chain: Hash, connector: ConnectorId, notice: &Notice) -> Value {
    let entry = &notice.entry;
    let (kind, content) = match &notice.content {
        Content::Bill(bill) => ("bill", json!(bill)),
        Content::Grant(grant) => ("grant", json!(grant)),
        Content::Participant(participant) => ("participant", json!(participant)),
    };
    json!({
        "format": FORMAT,
        "chain": format!("{chain:?}"),
        "connector": connector,
        "seq": notice.seq,
        "id": notice.key_hex(),
        "topic": entry.topic,
        "subject": {kind: subject_text(&entry.subject)},
        "version": entry.version,
        "digest": format!("0x{}", hex::encode(entry.digest)),
        "scene": entry.scene,
        "block": entry.block,
        "extrinsic": entry.extrinsic,
        "time": entry.moment,
        "content": content,
    })
}

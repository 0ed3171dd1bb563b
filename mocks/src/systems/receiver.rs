//! A platform that takes webhooks: it verifies each, does the work once, and says so.

use serde_json::{Value, json};

use super::{Knowledge, request};
use crate::{
    effects::{Effect, Effects},
    server::{Call, Reply, System},
};

/// The platform.
pub struct Receiver {
    callers: Vec<String>,
}

impl Receiver {
    /// That knows these callers.
    pub fn new(knowledge: Knowledge) -> Self {
        Self { callers: knowledge.callers }
    }
}

impl System for Receiver {
    fn answer(&self, call: &Call, effects: &Effects) -> Reply {
        let id = match request::signed(call, &self.callers, effects) {
            Ok(id) => id,
            Err(refusal) => return refusal,
        };
        if call.method == "GET" {
            return Reply::json(200, &json!({"ready": true}));
        }
        let body = call.json();
        if body["format"] != "billchain-event/1" || body["id"].as_str() != Some(&id) {
            effects.count_refused();
            return Reply::json(422, &json!({"error": "format or id: not as expected"}));
        }
        let effect = Effect {
            number: 0,
            key: id.clone(),
            kind: "event".to_owned(),
            subject: body["subject"].to_string(),
            version: body["version"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            body: slim(&body),
        };
        match effects.once(effect, |_| {}) {
            Ok(seen) => Reply::json(200, &json!({"received": id, "number": seen.number()})),
            Err(error) => Reply::json(500, &json!({"error": error.to_string()})),
        }
    }

    fn recall(&self, _: &Effect) {}
}

/// What is kept of an event: all but its content.
fn slim(body: &Value) -> Value {
    let mut kept = body.clone();
    if let Some(fields) = kept.as_object_mut() {
        fields.remove("content");
        fields.insert("retold".to_owned(), json!(body["topic"] == "bill_retold"));
    }
    kept
}

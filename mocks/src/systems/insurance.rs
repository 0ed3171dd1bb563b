//! Medical insurance (医保) or an insurer (商业保险): it takes credentials that are pushed.

use billchain_crypto::{sm2::SecretKey, sm3::sm3};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Knowledge, request};
use crate::{
    effects::{Effect, Effects},
    server::{Call, Reply, System},
};

/// The insurer.
pub struct Insurance {
    knowledge: Knowledge,
    key: SecretKey,
    /// Newest word about each grant.
    grants: Mutex<BTreeMap<String, Value>>,
}

impl Insurance {
    /// Without a credential.
    pub fn new(knowledge: Knowledge) -> Self {
        let key = SecretKey::from_seed(knowledge.key_seed.as_bytes());
        Self { knowledge, key, grants: Mutex::default() }
    }
}

impl System for Insurance {
    fn answer(&self, call: &Call, effects: &Effects) -> Reply {
        let id = match request::signed(call, &self.knowledge.callers, effects) {
            Ok(id) => id,
            Err(refusal) => return refusal,
        };
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/v1/ready") => return Reply::json(200, &json!({"code": "0"})),
            ("POST", "/v1/credentials") => {}
            _ => return Reply::not_found(),
        }
        let body = call.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let dids = &self.knowledge.dids;
        if body["request_id"].as_str() != Some(&id) || text("grant").len() != 66 {
            effects.count_refused();
            return Reply::json(422, &json!({"code": "4000", "error": "request_id or grant"}));
        }
        if !dids.is_empty() && !dids.contains(&text("subject")) {
            effects.count_refused();
            return Reply::json(422, &json!({"code": "4001", "error": "subject: not one of ours"}));
        }
        let effect = Effect {
            number: 0,
            key: id.clone(),
            kind: "credential".to_owned(),
            subject: text("grant"),
            version: body["version"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            body: body.clone(),
        };
        match effects.once(effect, |effect| self.recall(effect)) {
            Ok(seen) => {
                let digest = hex::encode(sm3(&call.body));
                let number = seen.number();
                let signed = format!("credential-receipt/1\n{id}\n{number}");
                Reply::json(
                    200,
                    &json!({
                        "code": "0", "request_id": id, "number": number, "digest": digest,
                        "public_key": request::public(&self.key),
                        "signature": request::sign(&self.key, &signed),
                    }),
                )
            }
            Err(error) => Reply::json(500, &json!({"code": "9999", "error": error.to_string()})),
        }
    }

    fn recall(&self, effect: &Effect) {
        self.grants.lock().insert(effect.subject.clone(), effect.body.clone());
    }

    /// `GET /grants/0x…`: the newest word about a grant; `GET /key`.
    fn look(&self, call: &Call, _: &Effects) -> Option<Reply> {
        if call.path == "/key" {
            return Some(Reply::json(200, &json!({"public_key": request::public(&self.key)})));
        }
        let grant = call.path.strip_prefix("/grants/")?;
        Some(match self.grants.lock().get(grant) {
            Some(body) => Reply::json(200, body),
            None => Reply::not_found(),
        })
    }
}

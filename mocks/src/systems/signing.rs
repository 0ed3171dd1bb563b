//! The signing chain (签约链): a process from a template, signed by a person, with file, report
//! and a trace that can be replayed.

use billchain_crypto::{sm2::SecretKey, sm3::sm3};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Knowledge, request};
use crate::{
    effects::{Effect, Effects},
    server::{Call, Reply, System},
};

/// A process.
#[derive(Clone, Default)]
struct Process {
    id: String,
    template: String,
    fields: Value,
    /// Acts so far: name, who, when.
    acts: Vec<(String, String, u64)>,
    asked: u32,
}

impl Process {
    fn state(&self) -> &'static str {
        match self.acts.last().map(|(act, _, _)| act.as_str()) {
            Some("sign") => "signed",
            Some("cancel") => "cancelled",
            _ => "waiting",
        }
    }

    fn file(&self) -> Vec<u8> {
        let signer = self.fields["holder"].as_str().unwrap_or_default();
        format!("授权书 {}\n{}\n签署人 {signer}\n", self.template, self.fields).into_bytes()
    }

    /// The steps, each with the hash over all before it.
    fn trace(&self) -> Vec<Value> {
        let mut previous = hex::encode([0; 32]);
        let file = hex::encode(sm3(&self.file()));
        let steps = self.acts.iter().enumerate().map(|(n, (act, who, time))| {
            let id = &self.id;
            let text =
                format!("signing-step/1\n{previous}\n{id}\n{n}\n{act}\n{who}\n{time}\n{file}");
            let hash = hex::encode(sm3(text.as_bytes()));
            let step = json!({
                "n": n, "act": act, "who": who, "time": time, "file": file,
                "previous": previous, "hash": hash,
            });
            previous = hash;
            step
        });
        steps.collect()
    }
}

/// The chain.
pub struct Signing {
    callers: Vec<String>,
    key: SecretKey,
    processes: Mutex<BTreeMap<String, Process>>,
}

impl Signing {
    /// Without a process.
    pub fn new(knowledge: Knowledge) -> Self {
        let key = SecretKey::from_seed(knowledge.key_seed.as_bytes());
        Self { callers: knowledge.callers, key, processes: Mutex::default() }
    }

    fn begin(&self, id: &str, body: Value, effects: &Effects, kind: &str) -> Reply {
        let effect = Effect {
            number: 0,
            key: id.to_owned(),
            kind: kind.to_owned(),
            subject: body["subject"].as_str().unwrap_or_default().to_owned(),
            version: body["version"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            body,
        };
        let known = kind == "start" || self.of_subject(&effect.subject).is_some();
        if !known {
            return Reply::json(404, &json!({"code": "4004", "error": "no such process"}));
        }
        let subject = effect.subject.clone();
        if let Err(error) = effects.once(effect, |effect| self.recall(effect)) {
            return Reply::json(500, &json!({"code": "9999", "error": error.to_string()}));
        }
        match self.of_subject(&subject) {
            Some(process) => self.signed(id, &process),
            None => Reply::json(500, &json!({"code": "9999"})),
        }
    }

    fn of_subject(&self, subject: &str) -> Option<Process> {
        self.processes.lock().get(subject).cloned()
    }

    fn signed(&self, request_id: &str, process: &Process) -> Reply {
        let state = process.state();
        let text = format!("signing-state/1\n{request_id}\n{}\n{state}", process.id);
        Reply::json(
            200,
            &json!({
                "code": "0", "request_id": request_id, "process_id": process.id, "state": state,
                "public_key": request::public(&self.key), "signature": request::sign(&self.key, &text),
            }),
        )
    }

    fn report(&self, process: &Process) -> Reply {
        let trace = process.trace();
        let file = hex::encode(sm3(&process.file()));
        let head = trace.last().map_or("", |step| step["hash"].as_str().unwrap_or_default());
        let text = format!("signing-report/1\n{}\n{file}\n{head}", process.id);
        Reply::json(
            200,
            &json!({
                "code": "0", "process_id": process.id, "file": file, "trace": trace,
                "public_key": request::public(&self.key), "signature": request::sign(&self.key, &text),
            }),
        )
    }
}

impl System for Signing {
    fn answer(&self, call: &Call, effects: &Effects) -> Reply {
        let id = match request::signed(call, &self.callers, effects) {
            Ok(id) => id,
            Err(refusal) => return refusal,
        };
        let body = call.json();
        let parts: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("GET", ["v1", "ready"]) => Reply::json(200, &json!({"code": "0"})),
            ("GET", ["v1", "templates"]) => {
                Reply::json(200, &json!({"code": "0", "templates": ["authorization/1"]}))
            }
            ("POST", ["v1", "processes"]) => {
                let named = body["request_id"].as_str() == Some(&id);
                if !named || body["template"] != "authorization/1" {
                    effects.count_refused();
                    return Reply::json(
                        422,
                        &json!({"code": "4000", "error": "request_id or template"}),
                    );
                }
                self.begin(&id, body, effects, "start")
            }
            ("POST", ["v1", "cancel"]) => self.begin(&id, body, effects, "cancel"),
            ("GET", ["v1", "processes", subject, rest @ ..]) => {
                let mut processes = self.processes.lock();
                let Some(process) = processes.get_mut(*subject) else { return Reply::not_found() };
                process.asked += 1;
                // The person signs between the first and the second look.
                if process.asked == 2 && process.state() == "waiting" {
                    let who = process.fields["holder"].as_str().unwrap_or_default().to_owned();
                    process.acts.push(("sign".to_owned(), who, request::now()));
                }
                match rest {
                    [] => self.signed(&id, process),
                    ["file"] => Reply {
                        status: 200,
                        content_type: "application/octet-stream",
                        body: process.file(),
                    },
                    ["report"] => self.report(process),
                    _ => Reply::not_found(),
                }
            }
            _ => Reply::not_found(),
        }
    }

    fn recall(&self, effect: &Effect) {
        let mut processes = self.processes.lock();
        let process = processes.entry(effect.subject.clone()).or_default();
        let time = effect.body["time"].as_u64().unwrap_or_default();
        if effect.kind == "start" {
            process.id = format!("P{:012}", effect.number);
            process.template = effect.body["template"].as_str().unwrap_or_default().to_owned();
            process.fields = effect.body["fields"].clone();
        }
        process.acts.push((effect.kind.clone(), "billchain".to_owned(), time));
    }

    /// `GET /processes/SUBJECT`; `GET /key`.
    fn look(&self, call: &Call, _: &Effects) -> Option<Reply> {
        if call.path == "/key" {
            return Some(Reply::json(200, &json!({"public_key": request::public(&self.key)})));
        }
        let subject = call.path.strip_prefix("/processes/")?;
        Some(match self.of_subject(subject) {
            Some(process) => Reply::json(
                200,
                &json!({
                    "process_id": process.id, "state": process.state(), "trace": process.trace(),
                }),
            ),
            None => Reply::not_found(),
        })
    }
}

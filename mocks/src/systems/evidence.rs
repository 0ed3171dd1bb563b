//! The evidence chain (存证链): hashes, originals and batches, each with a signed receipt.

use base64::{Engine, engine::general_purpose::STANDARD};
use billchain_crypto::{sm2::SecretKey, sm3::sm3};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Knowledge, request};
use crate::{
    effects::{Effect, Effects, Seen},
    server::{Call, Reply, System},
};

/// Most leaves of a batch.
const MAX_LEAVES: usize = 1_024;

/// Where the hash of an item is.
#[derive(Clone)]
struct Place {
    batch: u64,
    index: usize,
}

/// What was put down together: one item alone, or a batch.
struct Batch {
    kind: String,
    /// Item's own key and digest.
    leaves: Vec<(String, [u8; 32])>,
    time: u64,
}

#[derive(Default)]
struct State {
    batches: Vec<Batch>,
    by_key: BTreeMap<String, Place>,
    by_digest: BTreeMap<[u8; 32], String>,
}

/// The chain.
pub struct Evidence {
    callers: Vec<String>,
    key: SecretKey,
    state: Mutex<State>,
    /// One request at a time takes items down.
    working: Mutex<()>,
}

fn digest_of(value: &Value) -> Option<[u8; 32]> {
    hex::decode(value.as_str()?).ok()?.try_into().ok()
}

/// Levels of the tree, lowest first: leaf SM3(0 ‖ digest), node SM3(1 ‖ left ‖ right), a last
/// one without a neighbour goes up as it is.
fn levels(digests: &[[u8; 32]]) -> Vec<Vec<[u8; 32]>> {
    let leaf = |digest: &[u8; 32]| sm3(&[&[0][..], digest].concat());
    let mut levels = vec![digests.iter().map(leaf).collect::<Vec<_>>()];
    while levels.last().is_some_and(|level| level.len() > 1) {
        let below = &levels[levels.len() - 1];
        let above = below.chunks(2).map(|pair| match pair {
            [left, right] => sm3(&[&[1][..], left, right].concat()),
            other => other[0],
        });
        let above = above.collect();
        levels.push(above);
    }
    levels
}

fn path(levels: &[Vec<[u8; 32]>], mut index: usize) -> Vec<Value> {
    let mut path = Vec::new();
    for level in levels {
        if let Some(beside) = level.get(index ^ 1) {
            let side = if index & 1 == 1 { "left" } else { "right" };
            path.push(json!({"side": side, "hash": hex::encode(beside)}));
        }
        index /= 2;
    }
    path
}

impl Evidence {
    /// Without evidence.
    pub fn new(knowledge: Knowledge) -> Self {
        let key = SecretKey::from_seed(knowledge.key_seed.as_bytes());
        Self { callers: knowledge.callers, key, state: Mutex::default(), working: Mutex::default() }
    }

    /// The receipt of an item, with its path to the digest that the receipt is about.
    fn receipt(&self, item: &str, finality: &str) -> Option<Value> {
        let state = self.state.lock();
        let place = state.by_key.get(item)?;
        let batch = state.batches.get(usize::try_from(place.batch).ok()?)?;
        let digests: Vec<[u8; 32]> = batch.leaves.iter().map(|(_, digest)| *digest).collect();
        let (digest, steps) = if batch.kind == "batch" {
            let levels = levels(&digests);
            (levels.last()?[0], path(&levels, place.index))
        } else {
            (digests[0], Vec::new())
        };
        let (id, block, time) = (format!("E{:012}", place.batch), place.batch + 1, batch.time);
        let digest = hex::encode(digest);
        let kind = &batch.kind;
        let text =
            format!("evidence-receipt/1\n{id}\n{kind}\n{digest}\n{block}\n{time}\n{finality}");
        Some(json!({
            "request_id": item, "receipt_id": id, "kind": kind, "digest": digest, "block": block,
            "time": time, "state": finality, "path": steps,
            "public_key": request::public(&self.key), "signature": request::sign(&self.key, &text),
        }))
    }

    /// Takes down items that are not down yet, and tells the receipts of all.
    fn put_down(&self, kind: &str, items: &[Value], effects: &Effects) -> Reply {
        let _working = self.working.lock();
        let mut seen_new = Vec::new();
        for item in items {
            let (Some(id), Some(digest)) =
                (item["request_id"].as_str(), digest_of(&item["digest"]))
            else {
                return Reply::json(422, &json!({"code": "4000", "error": "request_id or digest"}));
            };
            let known = self.state.lock().by_key.contains_key(id);
            if known || effects.of_key(id).is_some() {
                // Counted as a repetition.
                let _ = effects.once(effect_of(kind, item, 0), |_| {});
            } else {
                seen_new.push((id.to_owned(), digest, item.clone()));
            }
        }
        let first = effects.counts().effects + 1;
        for (_, _, item) in &seen_new {
            match effects.once(effect_of(kind, item, first), |_| {}) {
                Ok(Seen::First(_) | Seen::Again(_)) => {}
                Err(error) => {
                    return Reply::json(500, &json!({"code": "9999", "error": error.to_string()}));
                }
            }
        }
        let leaves: Vec<_> = seen_new.into_iter().map(|(id, digest, _)| (id, digest)).collect();
        self.state.lock().add(kind, leaves, request::now());
        let receipts: Option<Vec<Value>> = items
            .iter()
            .map(|item| self.receipt(item["request_id"].as_str().unwrap_or_default(), "accepted"))
            .collect();
        match receipts {
            Some(items) => Reply::json(200, &json!({"code": "0", "items": items})),
            None => Reply::json(500, &json!({"code": "9999", "error": "no receipt"})),
        }
    }
}

impl State {
    fn add(&mut self, kind: &str, leaves: Vec<(String, [u8; 32])>, time: u64) {
        if leaves.is_empty() {
            return;
        }
        let batch = self.batches.len() as u64;
        for (index, (id, digest)) in leaves.iter().enumerate() {
            self.by_key.insert(id.clone(), Place { batch, index });
            self.by_digest.insert(*digest, id.clone());
        }
        self.batches.push(Batch { kind: kind.to_owned(), leaves, time });
    }
}

fn effect_of(kind: &str, item: &Value, batch: u64) -> Effect {
    let mut body = item.clone();
    body["batch"] = json!(batch);
    Effect {
        number: 0,
        key: item["request_id"].as_str().unwrap_or_default().to_owned(),
        kind: kind.to_owned(),
        subject: item["subject"].as_str().unwrap_or_default().to_owned(),
        version: item["version"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        body,
    }
}

impl System for Evidence {
    fn answer(&self, call: &Call, effects: &Effects) -> Reply {
        if let Err(refusal) = request::signed(call, &self.callers, effects) {
            return refusal;
        }
        let body = call.json();
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/v1/ready") => Reply::json(200, &json!({"code": "0"})),
            ("POST", "/v1/hashes") => self.put_down("hash", &[body], effects),
            ("POST", "/v1/originals") => {
                let content = STANDARD.decode(body["content"].as_str().unwrap_or_default());
                match content {
                    Ok(content) if Some(sm3(&content)) == digest_of(&body["digest"]) => {
                        self.put_down("original", &[body], effects)
                    }
                    _ => Reply::json(
                        422,
                        &json!({"code": "4002", "error": "content: not of that digest"}),
                    ),
                }
            }
            ("POST", "/v1/batches") => match body["items"].as_array() {
                Some(items) if (1..=MAX_LEAVES).contains(&items.len()) => {
                    self.put_down("batch", items, effects)
                }
                _ => Reply::json(422, &json!({"code": "4000", "error": "items: 1 to 1024"})),
            },
            ("POST", "/v1/verify") => {
                let digest = digest_of(&body["digest"]).unwrap_or_default();
                let item = self.state.lock().by_digest.get(&digest).cloned();
                let receipt = item.and_then(|item| self.receipt(&item, "final"));
                Reply::json(
                    200,
                    &json!({"code": "0", "found": receipt.is_some(), "receipt": receipt}),
                )
            }
            ("GET", path) => match path.strip_prefix("/v1/receipts/") {
                Some(item) => match self.receipt(item, "final") {
                    Some(receipt) => Reply::json(200, &json!({"code": "0", "items": [receipt]})),
                    None => Reply::json(404, &json!({"code": "4004", "error": "no such receipt"})),
                },
                None => Reply::not_found(),
            },
            _ => Reply::not_found(),
        }
    }

    fn recall(&self, effect: &Effect) {
        let Some(digest) = digest_of(&effect.body["digest"]) else { return };
        let mut state = self.state.lock();
        // Items of one batch come one after the other, and name it by its first effect.
        let together = effect.kind == "batch" && effect.body["batch"] != json!(effect.number);
        let index = state.batches.last().map_or(0, |batch| batch.leaves.len());
        match state.batches.last_mut() {
            Some(batch) if together => {
                batch.leaves.push((effect.key.clone(), digest));
                let batch = state.batches.len() as u64 - 1;
                state.by_key.insert(effect.key.clone(), Place { batch, index });
                state.by_digest.insert(digest, effect.key.clone());
            }
            _ => state.add(&effect.kind, vec![(effect.key.clone(), digest)], 0),
        }
    }

    /// `GET /digests/HEX`: whether the digest is down, and under which item; `GET /key`.
    fn look(&self, call: &Call, _: &Effects) -> Option<Reply> {
        if call.path == "/key" {
            return Some(Reply::json(200, &json!({"public_key": request::public(&self.key)})));
        }
        let digest = call.path.strip_prefix("/digests/")?;
        let digest = digest_of(&json!(digest)).unwrap_or_default();
        let item = self.state.lock().by_digest.get(&digest).cloned();
        Some(match item {
            Some(item) => Reply::json(200, &json!({"request_id": item})),
            None => Reply::not_found(),
        })
    }
}

//! Webhooks: each event (see [`crate::event`]) in a signed POST to a platform.
//!
//! The platform verifies the signature (`docs/connectors.md`, "Signed requests"; receivers in
//! TypeScript and Python are in `connectors/receivers/`), does the work once for each
//! `x-billchain-id`, and answers 2xx. Anything else is tried again, but for the statuses that
//! say that this request is at fault. `GET` on the same URL asks whether it is there.
//!
//! A platform that lost what it had asks for it again in an answer to either:
//! `x-billchain-replay-from: HEIGHT` (重放). Then all events from that height on come once more,
//! in their order, with `x-billchain-replay: 1` and the same ids.

use async_trait::async_trait;
use billchain_primitives::Moment;
use billchain_workers::{
    Connector, Failure, Making, Notice, Tended, Told, Tools,
    tools::{Answer, Request},
};
use billchain_primitives::outbox::ConnectorId;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

use crate::{
    answer::{by_status, unanswered},
    event::event,
    settings::{self, Problems},
    signed,
};

/// Name of the format.
pub const FORMAT: &str = "webhook/1";
/// Events that one call of `tend` replays.
const REPLAYED_AT_ONCE: usize = 64;
/// Events that are kept for a replay unless the settings say otherwise.
const KEEP: u64 = 100_000;
/// Most events that can be kept.
const MAX_KEEP: u64 = 10_000_000;
/// Where a replay is: the key of the last event that went out again.
const REPLAY: &[u8] = b"replay";
const SENT: &[u8] = b"sent/";
const COUNT: &[u8] = b"count";

/// The operator's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whole URL of the receiver.
    pub url: String,
    /// How many sent events are kept for replays.
    #[serde(default = "keep")]
    pub keep: u64,
}

const fn keep() -> u64 {
    KEEP
}

struct Webhook {
    settings: Settings,
    connector: ConnectorId,
    tools: Arc<Tools>,
}

/// Builds the connector.
pub fn build(making: Making) -> Result<Box<dyn Connector>, String> {
    let settings: Settings = settings::read(making.settings)?;
    let mut problems = Problems::default();
    let is_url = settings::is_base_url(settings.url.trim_end_matches('/'));
    problems.expect(is_url, "url", "a URL", &settings.url);
    let kept = settings.keep.to_string();
    problems.expect((1..=MAX_KEEP).contains(&settings.keep), "keep", "1 to 10000000", &kept);
    problems.end()?;
    Ok(Box::new(Webhook { settings, connector: making.connector, tools: making.tools }))
}

/// The height that an answer wants events from again.
pub fn wanted_again(answer: &Answer) -> Option<u32> {
    answer.header("x-billchain-replay-from")?.trim().parse().ok()
}

/// Keys of sent events are in the order of the chain.
fn sent_key(height: u32, seq: u64) -> Vec<u8> {
    format!("sent/{height:010}/{seq:020}").into_bytes()
}

impl Webhook {
    async fn send(&self, request: Request, id: &str) -> Result<Answer, Failure> {
        let request = signed::sign(request, id, self.tools.clock.now(), &self.tools.key);
        let answer = self.tools.http.send(request).await.map_err(unanswered)?;
        by_status(&answer)?;
        if let Some(height) = wanted_again(&answer) {
            // One that replays already begins anew from the lower of both.
            let from = sent_key(height, 0);
            let present = self.tools.store.get(REPLAY).map_err(Failure::passing)?;
            let from = present.map_or(from.clone(), |present| present.min(from));
            self.tools.store.put(REPLAY, &from).map_err(Failure::passing)?;
        }
        Ok(answer)
    }

    async fn tell(&self, notice: &Notice) -> Result<Told, Failure> {
        let id = notice.key_hex();
        let chain = self.tools.chain.genesis();
        let body = event(chain, self.connector, notice).to_string().into_bytes();
        let request = Request::post(&self.settings.url, "application/json", body.clone());
        let answer = self.send(request, &id).await?;
        self.keep(notice, &id, body)?;
        let answer = json!({"status": answer.status, "body": hex::encode(billchain_crypto::sm3::sm3(&answer.body)), "id": id});
        Ok(Told { answer: answer.to_string().into_bytes() })
    }

    /// Keeps a sent event, and forgets the oldest beyond what is to be kept.
    fn keep(&self, notice: &Notice, id: &str, body: Vec<u8>) -> Result<(), Failure> {
        let store = &self.tools.store;
        let key = sent_key(notice.entry.block, notice.seq);
        if store.get(&key).map_err(Failure::passing)?.is_some() {
            return Ok(());
        }
        let count = store.get(COUNT).map_err(Failure::passing)?;
        let count = count.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes) + 1;
        let mut changes = vec![(key, Some([id.as_bytes(), &body].concat()))];
        let beyond = usize::try_from(count.saturating_sub(self.settings.keep)).unwrap_or(0).min(8);
        for (old, _) in store.entries(SENT, None, beyond).map_err(Failure::passing)? {
            changes.push((old, None));
        }
        let left = count - (changes.len() as u64 - 1);
        changes.push((COUNT.to_vec(), Some(left.to_le_bytes().to_vec())));
        store.apply(&changes).map_err(Failure::passing)
    }
}

#[async_trait]
impl Connector for Webhook {
    async fn deliver(&self, notices: &[Notice]) -> Vec<Result<Told, Failure>> {
        let mut outcomes = Vec::with_capacity(notices.len());
        for notice in notices {
            outcomes.push(self.tell(notice).await);
        }
        outcomes
    }

    async fn probe(&self) -> Result<(), Failure> {
        let id = signed::question_id("ready");
        self.send(Request::get(&self.settings.url), &id).await.map(|_| ())
    }

    async fn tend(&self, _: Moment) -> Result<Tended, Failure> {
        let store = &self.tools.store;
        let Some(after) = store.get(REPLAY).map_err(Failure::passing)? else {
            return Ok(Tended::Rested);
        };
        let events = store.entries(SENT, Some(&after), REPLAYED_AT_ONCE).map_err(Failure::passing)?;
        for (key, kept) in &events {
            let (id, body) = kept.split_at(kept.len().min(64));
            let id = String::from_utf8_lossy(id).into_owned();
            let request = Request::post(&self.settings.url, "application/json", body.to_vec());
            let request = request.header("x-billchain-replay", "1");
            let request = signed::sign(request, &id, self.tools.clock.now(), &self.tools.key);
            let answer = self.tools.http.send(request).await.map_err(unanswered)?;
            by_status(&answer)?;
            store.put(REPLAY, key).map_err(Failure::passing)?;
        }
        if events.len() < REPLAYED_AT_ONCE {
            store.remove(REPLAY).map_err(Failure::passing)?;
            return Ok(Tended::Rested);
        }
        Ok(Tended::More)
    }
}

//! Webhooks: each event (see [`crate::event`]) in a signed POST to a platform.
//!
//! The platform verifies the signature (`docs/connectors.md`, "Signed requests"; receivers in
//! TypeScript and Python are in `connectors/receivers/`), does the work once for each
//! `x-billchain-id`, and answers 2xx. Anything else is tried again, but for the statuses that
//! say that this request is at fault. `GET` on the same URL asks whether it is there.
//!
//! A platform that lost what it had asks for it again in an answer to either:
//! `x-billchain-replay-from: HEIGHT` (重放). Then the events of that height and later that were
//! told before come once more, in their order and with the same ids, beside
//! `x-billchain-replay: 1`. They are made again from the chain, so any worker can, however old
//! they are; bills as of the event, grants and participants as they are now.

use async_trait::async_trait;
use billchain_primitives::{
    Moment,
    outbox::{ConnectorId, Subject, idempotency_key},
};
use billchain_rpc_types::{BillVersionView, OutboxEntryView};
use billchain_workers::{
    Connector, Failure, Making, Notice, Tended, Told, Tools,
    tools::{Answer, Request},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::{
    answer::{by_status, unanswered},
    event::Parts,
    settings::{self, Problems},
    signed,
};

/// Name of the format.
pub const FORMAT: &str = "webhook/1";
/// Events that one call of `tend` replays.
const REPLAYED_AT_ONCE: u64 = 32;
/// Where the store has a replay.
const REPLAY: &[u8] = b"replay";

/// The operator's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whole URL of the receiver.
    pub url: String,
}

/// A replay under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Replay {
    /// From this height on.
    height: u32,
    /// Number of the next entry; 0: it has to be found.
    next: u64,
    /// Number of the last one: later ones come by themselves.
    last: u64,
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
    problems.end()?;
    Ok(Box::new(Webhook { settings, connector: making.connector, tools: making.tools }))
}

/// The height that an answer wants events from again.
pub fn wanted_again(answer: &Answer) -> Option<u32> {
    answer.header("x-billchain-replay-from")?.trim().parse().ok()
}

impl Webhook {
    async fn send(&self, request: Request, id: &str) -> Result<Answer, Failure> {
        let request = signed::sign(request, id, self.tools.clock.now(), &self.tools.key);
        let answer = self.tools.http.send(request).await.map_err(unanswered)?;
        by_status(&answer)?;
        Ok(answer)
    }

    /// Notes that an answer wants a replay; the lower height of two counts.
    fn note(&self, answer: &Answer, last: u64) -> Result<(), Failure> {
        let Some(height) = wanted_again(answer) else { return Ok(()) };
        let present = self.replay()?.filter(|present| present.height <= height);
        match present {
            Some(present) => self.put(Replay { last: present.last.max(last), ..present }),
            None => self.put(Replay { height, next: 0, last }),
        }
    }

    fn replay(&self) -> Result<Option<Replay>, Failure> {
        let kept = self.tools.store.get(REPLAY).map_err(Failure::passing)?;
        kept.map(|bytes| serde_json::from_slice(&bytes).map_err(Failure::passing)).transpose()
    }

    fn put(&self, replay: Replay) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(&replay).map_err(Failure::passing)?;
        self.tools.store.put(REPLAY, &bytes).map_err(Failure::passing)
    }

    async fn tell(&self, notice: &Notice) -> Result<Told, Failure> {
        let id = notice.key_hex();
        let event = Parts::of(notice).event(self.tools.chain.genesis(), self.connector);
        let body = event.to_string().into_bytes();
        let answer =
            self.send(Request::post(&self.settings.url, "application/json", body), &id).await?;
        self.note(&answer, notice.seq)?;
        Ok(Told { answer: answer.body })
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, Failure> {
        let params = params.as_array().cloned().unwrap_or_default();
        let answer = self.tools.chain.ask(method, params).await.map_err(Failure::passing)?;
        serde_json::from_value(answer)
            .map_err(|error| Failure::passing(format!("{method}: {error}")))
    }

    async fn entry(&self, seq: u64) -> Result<Option<OutboxEntryView>, Failure> {
        self.ask("outbox_entry", json!([self.connector, seq])).await
    }

    /// The first entry of a height or later, up to `last`: numbers follow the chain.
    async fn first_of(&self, height: u32, last: u64) -> Result<u64, Failure> {
        let (mut low, mut high) = (1, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(middle).await?;
            match entry {
                Some(entry) if entry.at.block < height => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Tells one entry again; one that waits still comes by itself.
    async fn tell_again(&self, seq: u64) -> Result<(), Failure> {
        let Some(entry) = self.entry(seq).await?.filter(|entry| entry.status == "acknowledged")
        else {
            return Ok(());
        };
        let content = match &entry.subject {
            Subject::Bill(key) => {
                let params = json!([key.code, key.number, entry.version, 1]);
                let versions: Option<Vec<BillVersionView>> =
                    self.ask("bill_history", params).await?;
                json!(versions.unwrap_or_default().first())
            }
            Subject::Grant(grant) => self.ask("authorization_get", json!([grant])).await?,
            Subject::Participant(did) => self.ask("participant_resolve", json!([did])).await?,
        };
        let at = (entry.at.block, entry.at.extrinsic, entry.at.time);
        let OutboxEntryView { topic, subject, version, scene, .. } = entry;
        let digest = entry.digest.0;
        let parts = Parts { seq, topic, subject, version, digest, scene, at, content };
        let genesis = self.tools.chain.genesis();
        let body = parts.event(genesis, self.connector).to_string().into_bytes();
        let request = Request::post(&self.settings.url, "application/json", body);
        let id = hex::encode(idempotency_key(&genesis, self.connector, seq));
        self.send(request.header("x-billchain-replay", "1"), &id).await.map(|_| ())
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
        let Some(mut replay) = self.replay()? else { return Ok(Tended::Rested) };
        if replay.next == 0 {
            replay.next = self.first_of(replay.height, replay.last).await?;
        }
        let until = replay.last.min(replay.next.saturating_add(REPLAYED_AT_ONCE - 1));
        for seq in replay.next..=until {
            self.tell_again(seq).await?;
            replay.next = seq + 1;
            self.put(replay)?;
        }
        if replay.next > replay.last {
            self.tools.store.remove(REPLAY).map_err(Failure::passing)?;
            return Ok(Tended::Rested);
        }
        Ok(Tended::More)
    }
}

//! The server of one operator.
//!
//! | path | answer |
//! | --- | --- |
//! | `POST /v1/evaluate` | elements times a key, with a proof; for requesters only |
//! | `GET /v1/keys` | the operator's public keys |
//! | `GET /health` | 200 while questions are answered, with the log's newest hash |
//! | `GET /metrics` | for Prometheus |
//!
//! Whoever reaches the port can hold a connection for 30 seconds at most, of which there
//! are 256. A requester has four questions at once at most, within its own limits.

mod config;
mod listener;
mod metrics;

pub use config::{Config, Requesters};
pub use listener::Peer;

use crate::{
    auth::{self, Signed},
    journal::{Journal, JournalError, Record},
    keyfile::Held,
    limits::{MAX_AT_ONCE, Meter, Refusal, is_same_day},
    wire::{self, KeyView, KeysView, MAX_BODY, Question},
};
use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use billchain_oprf::Evaluation;
use listener::Places;
use metrics::{Metrics, Outcome};
use parking_lot::Mutex;
use serde_json::json;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// Path of questions.
pub const EVALUATE: &str = "/v1/evaluate";

/// Whom the operator knows.
struct Requester {
    key: auth::Key,
    meter: Mutex<Meter>,
    /// Questions that were refused since the last entry.
    refused: Mutex<u64>,
    at_once: Arc<Semaphore>,
}

struct Operator {
    held: Vec<Arc<Held>>,
    requesters: HashMap<String, Requester>,
    journal: Mutex<Journal>,
    workers: Arc<Semaphore>,
    metrics: Metrics,
}

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error(transparent)]
    Body(#[from] wire::WireError),
    #[error("key: there is no key {0} here; GET /v1/keys says which there are")]
    Key(String),
    #[error(transparent)]
    Limited(#[from] Refusal),
    #[error(transparent)]
    Evaluation(#[from] billchain_oprf::Error),
    #[error("the log of questions cannot be written: {0}")]
    Journal(#[from] JournalError),
    #[error("the answer was given up: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

impl Refused {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Unauthorized(_) => Outcome::Unauthorized,
            Self::Body(_) | Self::Key(_) => Outcome::Malformed,
            Self::Limited(_) => Outcome::Limited,
            Self::Evaluation(_) | Self::Journal(_) | Self::Stopped(_) => Outcome::Failed,
        }
    }

    fn answer(&self) -> Response {
        let status = match self {
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::Key(_) => StatusCode::NOT_FOUND,
            Self::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Evaluation(_) | Self::Journal(_) | Self::Stopped(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        // What fails within is for the operator's own eyes.
        let text = match self {
            Self::Journal(_) | Self::Stopped(_) => "the operator cannot answer now".to_owned(),
            told => told.to_string(),
        };
        let mut answer =
            (status, json_type(), json!({ "error": text }).to_string()).into_response();
        if let Self::Limited(refusal) = self {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(refusal.after_s()));
        }
        answer
    }
}

fn json_type() -> [(header::HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "application/json")]
}

/// A service that listens.
pub struct Service {
    /// Where.
    pub address: SocketAddr,
    listener: Places,
    router: Router,
}

impl Service {
    /// Opens keys, requesters and log, and the port.
    ///
    /// # Errors
    /// What of the configuration cannot be used.
    pub async fn open(config: &Config) -> Result<Self> {
        let operator = Arc::new(Operator::open(config)?);
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("listen: cannot listen at {}", config.listen))?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route(EVALUATE, post(evaluate))
            .route("/v1/keys", get(keys))
            .route("/health", get(health))
            .route("/metrics", get(metrics))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(operator);
        Ok(Self { address, listener: Places::new(listener), router })
    }

    /// Answers until `stop` is ready, then ends what it has begun.
    ///
    /// # Errors
    /// What the system says of the port.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let router = self.router.into_make_service_with_connect_info::<Peer>();
        Ok(axum::serve(self.listener, router).with_graceful_shutdown(stop).await?)
    }
}

impl Operator {
    fn open(config: &Config) -> Result<Self> {
        let now = now_ms();
        let mut used: HashMap<String, u64> = HashMap::new();
        let journal = Journal::open(&config.log_dir, config.log, |entry| {
            if is_same_day(entry.time_ms, now) {
                *used.entry(entry.requester.clone()).or_default() += u64::from(entry.elements);
            }
        })
        .context("log_dir")?;
        let requesters = Requesters::read(&config.requesters_file)?.requester;
        let requesters = requesters.into_iter().map(|requester| {
            let used = used.get(&requester.id).copied().unwrap_or(0);
            let known = Requester {
                key: requester.key,
                meter: Mutex::new(Meter::new(requester.limits, now, used)),
                refused: Mutex::new(0),
                at_once: Arc::new(Semaphore::new(MAX_AT_ONCE)),
            };
            (requester.id, known)
        });
        Ok(Self {
            held: config.held()?.into_iter().map(Arc::new).collect(),
            requesters: requesters.collect(),
            journal: Mutex::new(journal),
            workers: Arc::new(Semaphore::new(config.workers)),
            metrics: Metrics::default(),
        })
    }

    /// Who asks, if the code is right.
    fn requester(&self, headers: &HeaderMap, body: &[u8]) -> Result<(&str, &Requester), Refused> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let wrong = Refused::Unauthorized;
        let id = text(auth::REQUESTER).ok_or(wrong("header billchain-requester is missing"))?;
        let code = text(auth::CODE).ok_or(wrong("header billchain-code is missing"))?;
        let time_ms: u64 = text(auth::TIME)
            .and_then(|time| time.parse().ok())
            .ok_or(wrong("header billchain-time: expected milliseconds since 1970"))?;
        // One answer for an unknown id and a wrong code: nobody learns who is known.
        let unknown = "billchain-requester, billchain-code: no such requester, or not its code";
        let (id, requester) = self.requesters.get_key_value(id).ok_or(wrong(unknown))?;
        let signed = Signed { path: EVALUATE, requester: id, time_ms, body };
        if !signed.is_signed_by(&requester.key, code) {
            return Err(wrong(unknown));
        }
        let now = now_ms();
        if time_ms.abs_diff(now) > auth::WINDOW_MS {
            return Err(wrong("billchain-time: more than a minute from this operator's clock"));
        }
        requester.meter.lock().remember(now, signed.code(&requester.key))?;
        Ok((id, requester))
    }

    async fn evaluate(
        self: &Arc<Self>,
        peer: SocketAddr,
        id: &str,
        requester: &Requester,
        body: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        let question = Question::from_json(body)?;
        let held = self.held.iter().find(|held| held.keys.id() == question.key);
        let held = held.cloned().ok_or_else(|| Refused::Key(question.key.clone()))?;
        let place = requester.at_once.clone().try_acquire_owned();
        let place = place.map_err(|_| Refusal::AtOnce)?;
        requester.meter.lock().take(now_ms(), question.elements.len())?;
        // Each requester waits with four questions at most, so that the queue is bounded.
        let worker = self.workers.clone().acquire_owned().await;
        let worker = worker.expect("nobody closes the semaphore; qed");
        let refused = std::mem::take(&mut *requester.refused.lock());
        let (operator, id) = (self.clone(), id.to_owned());
        let work = move || {
            let _held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, worker);
            operator.answer(&held, &question, peer, &id, refused)
        };
        tokio::task::spawn_blocking(work).await?
    }

    /// Writes the entry, then evaluates.
    fn answer(
        &self,
        held: &Held,
        question: &Question,
        peer: SocketAddr,
        id: &str,
        refused: u64,
    ) -> Result<Vec<u8>, Refused> {
        let elements = u32::try_from(question.elements.len()).expect("MAX_BATCH is less");
        self.journal.lock().append(&Record {
            time_ms: now_ms(),
            requester: id,
            address: &peer.ip().to_string(),
            key: &question.key,
            elements,
            refused,
        })?;
        let began = Instant::now();
        let answer = Evaluation::answer(&held.keys, &held.share, &question.elements)?;
        self.metrics.evaluated(id, elements, began.elapsed());
        Ok(wire::answer_to_json(&question.key, &answer))
    }
}

async fn evaluate(
    State(operator): State<Arc<Operator>>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let known = match operator.requester(&headers, &body) {
        Ok((id, requester)) => (id.to_owned(), requester),
        Err(refused) => {
            operator.metrics.asked("", refused.outcome());
            return refused.answer();
        }
    };
    let (id, requester) = known;
    match operator.evaluate(peer, &id, requester, &body).await {
        Ok(answer) => {
            operator.metrics.asked(&id, Outcome::Answered);
            (json_type(), answer).into_response()
        }
        Err(refused) => {
            operator.metrics.asked(&id, refused.outcome());
            if let Refused::Journal(_) | Refused::Stopped(_) | Refused::Evaluation(_) = &refused {
                eprintln!("billchain-refs: a question of {id} failed: {refused}");
            }
            *requester.refused.lock() += 1;
            refused.answer()
        }
    }
}

async fn keys(State(operator): State<Arc<Operator>>) -> Response {
    let view = |held: &Arc<Held>| KeyView {
        id: held.keys.id(),
        purpose: held.keys.purpose().name().to_owned(),
        index: held.share.index,
        public: hex::encode(held.keys.to_bytes()),
    };
    let keys = KeysView { keys: operator.held.iter().map(view).collect() };
    let text = serde_json::to_string(&keys).expect("text and numbers are JSON");
    (json_type(), text).into_response()
}

async fn health(State(operator): State<Arc<Operator>>) -> Response {
    let (head, failed) = {
        let journal = operator.journal.lock();
        (journal.head().clone(), journal.has_failed())
    };
    let status = if failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let text = json!({
        "status": if failed { "the log of questions cannot be written" } else { "ok" },
        "log": { "number": head.number, "hash": head.hash },
    });
    (status, json_type(), text.to_string()).into_response()
}

async fn metrics(State(operator): State<Arc<Operator>>) -> Response {
    const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, TYPE)], operator.metrics.text()).into_response()
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

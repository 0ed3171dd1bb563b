//! The gateway's HTTP: bounded, every request signed, none taken twice.

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use serde_json::json;
use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

use super::{Gateway, Refusal, Reply};
use crate::signed;

/// Most connections at a time.
const MAX_CONNECTIONS: usize = 256;
/// Most bytes of a request's body.
const MAX_BODY: usize = 16 << 10;
/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a request may take in all.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// Most requests whose ids are remembered.
const MAX_IDS: usize = 100_000;

/// A gateway that runs. It ends when it is dropped.
pub struct Running {
    /// Where it answers.
    pub listen: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// Waits for ever.
    pub async fn wait(mut self) -> Result<()> {
        (&mut self.task).await?;
        Err(anyhow!("the listener ended"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ids of requests of the last minutes: one that comes again is a replay.
#[derive(Default)]
struct Ids(Mutex<HashMap<String, u64>>);

impl Ids {
    fn is_new(&self, id: &str, now: u64) -> Result<(), Refusal> {
        let mut ids = self.0.lock();
        if ids.contains_key(id) {
            return Err(Refusal(409, "x-billchain-id: the request was there before".to_owned()));
        }
        if ids.len() >= MAX_IDS {
            ids.retain(|_, until| *until >= now);
        }
        if ids.len() >= MAX_IDS {
            return Err(Refusal(503, "too many requests".to_owned()));
        }
        // A request is too old twice the age after it could be early.
        ids.insert(id.to_owned(), now + 2 * signed::MAX_AGE);
        Ok(())
    }
}

/// Starts it.
pub async fn start(gateway: Arc<Gateway>, listen: SocketAddr) -> Result<Running> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("listen: {listen}"))?;
    let listen = listener.local_addr()?;
    let (ids, room) = (Arc::new(Ids::default()), Arc::new(Semaphore::new(MAX_CONNECTIONS)));
    let task = tokio::spawn(async move {
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (gateway, ids) = (gateway.clone(), ids.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let (gateway, ids) = (gateway.clone(), ids.clone());
                    async move { Ok::<_, hyper::Error>(answer(request, &gateway, &ids).await) }
                });
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                drop(permit);
            });
        }
    });
    Ok(Running { listen, task })
}

async fn answer(request: Request<Incoming>, gateway: &Gateway, ids: &Ids) -> Response<Full<Bytes>> {
    let answered = tokio::time::timeout(REQUEST_TIME, checked(request, gateway, ids)).await;
    let answered = answered.unwrap_or_else(|_| Err(Refusal(504, "it took too long".to_owned())));
    let (status, kind, body) = match answered {
        Ok(Reply::Json(value)) => (200, "application/json", value.to_string().into_bytes()),
        Ok(Reply::Zip(zip)) => (200, crate::form::ZIP, zip),
        Err(Refusal(status, error)) => {
            (status, "application/json", json!({"error": error}).to_string().into_bytes())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

async fn checked(
    request: Request<Incoming>,
    gateway: &Gateway,
    ids: &Ids,
) -> Result<Reply, Refusal> {
    let (head, body) = request.into_parts();
    if head.method != "POST" {
        return Err(Refusal(405, "expected POST".to_owned()));
    }
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|error| Refusal(413, format!("the body: {error}")))?.to_bytes();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let now = gateway.now();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let verified = signed::verify("POST", target, header, &body, now);
    let verified = verified.map_err(|problem| Refusal(401, problem))?;
    let by = gateway.participant(&verified.key).await?;
    ids.is_new(&verified.id, now)?;
    gateway.answer(head.uri.path(), &body, &by).await
}

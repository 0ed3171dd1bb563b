//! The server of every stand-in: TLS, faults, counting, and a second port that is not part of
//! the contract, by which tests set faults and look at effects.

use crate::{
    certificates,
    effects::{Effect, Effects},
    faults::{Dice, Fate, Faults, Wrong},
};
use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// Most bytes of a request.
const MAX_REQUEST: usize = 8 << 20;
/// Most effects of one answer of the second port.
const MAX_EFFECTS: usize = 20_000;

/// A request, whole.
#[derive(Clone, Debug)]
pub struct Call {
    /// `POST` and the like.
    pub method: String,
    /// Path without query, such as `/public/bill_status`.
    pub path: String,
    /// The query, undecoded.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A number of the query; 0 if it is not there.
    pub fn number(&self, name: &str) -> u64 {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        let found = pairs.find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
    }
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its type.
    pub content_type: &'static str,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer in JSON.
    pub fn json(status: u16, value: &Value) -> Self {
        let body = value.to_string().into_bytes();
        Self { status, content_type: "application/json;charset=utf-8", body }
    }

    /// There is no such thing.
    pub fn not_found() -> Self {
        Self::json(404, &json!({"error": "not found"}))
    }
}

/// A system that is stood in for.
pub trait System: Send + Sync + 'static {
    /// A request of the contract.
    fn answer(&self, call: &Call, effects: &Effects) -> Reply;

    /// Takes an effect into the state: of the journal when it starts.
    fn recall(&self, effect: &Effect);

    /// A request of the second port that is this system's own; none: there is no such.
    fn look(&self, call: &Call, effects: &Effects) -> Option<Reply> {
        let _ = (call, effects);
        None
    }
}

/// How a stand-in is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the contract is answered.
    pub listen: SocketAddr,
    /// Where tests set faults and look.
    pub admin: SocketAddr,
    /// File of the effects; none: they live as long as the process.
    pub journal: Option<PathBuf>,
    /// Directory of `server.pem` and the like; none: plain HTTP.
    pub tls: Option<PathBuf>,
    /// Seed of the faults.
    pub seed: u64,
}

/// What all connections share.
struct Shared {
    system: Arc<dyn System>,
    effects: Effects,
    faults: Mutex<Faults>,
    dice: Mutex<Dice>,
    /// Changes when connections have to end.
    era: watch::Sender<u64>,
    valid: Option<TlsAcceptor>,
    expired: Option<TlsAcceptor>,
}

/// A stand-in that runs. It ends when it is dropped.
pub struct Running {
    /// Where the contract is answered.
    pub listen: SocketAddr,
    /// Where tests set faults and look.
    pub admin: SocketAddr,
    tasks: [JoinHandle<()>; 2],
    shared: Arc<Shared>,
}

impl Running {
    /// Sets the faults.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.set_faults(faults);
    }

    /// The effects.
    pub fn effects(&self) -> &Effects {
        &self.shared.effects
    }

    /// Waits for ever.
    pub async fn wait(mut self) -> Result<()> {
        let [contract, admin] = &mut self.tasks;
        tokio::select! { ended = contract => ended?, ended = admin => ended? }
        Err(anyhow!("a listener ended"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.shared.era.send_modify(|era| *era += 1);
    }
}

impl Shared {
    fn set_faults(&self, faults: Faults) {
        let mut present = self.faults.lock();
        let ends = (faults.cut && !present.cut)
            || faults.certificate_expired != present.certificate_expired;
        *present = faults;
        if ends {
            self.era.send_modify(|era| *era += 1);
        }
    }
}

/// Starts a stand-in.
pub async fn start(system: Arc<dyn System>, options: &Options) -> Result<Running> {
    let effects = match &options.journal {
        Some(path) => Effects::open(path)?,
        None => Effects::default(),
    };
    effects.replay(|effect| system.recall(effect));
    let acceptor = |name: &str| -> Result<Option<TlsAcceptor>> {
        let Some(directory) = &options.tls else { return Ok(None) };
        Ok(Some(TlsAcceptor::from(certificates::server(directory, name)?)))
    };
    let shared = Arc::new(Shared {
        system,
        effects,
        faults: Mutex::default(),
        dice: Mutex::new(Dice::new(options.seed)),
        era: watch::Sender::new(0),
        valid: acceptor("server")?,
        expired: acceptor("expired")?,
    });
    let contract = TcpListener::bind(options.listen).await.context("the contract's port")?;
    let admin = TcpListener::bind(options.admin).await.context("the tests' port")?;
    let (listen, admin_at) = (contract.local_addr()?, admin.local_addr()?);
    let tasks = [
        tokio::spawn(listen_contract(contract, shared.clone())),
        tokio::spawn(listen_admin(admin, shared.clone())),
    ];
    Ok(Running { listen, admin: admin_at, tasks, shared })
}

async fn accepted(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                return stream;
            }
            // Out of descriptors: others have to end first.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn listen_contract(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let stream = accepted(&listener).await;
        let faults = shared.faults.lock().clone();
        if faults.cut {
            continue;
        }
        let shared = shared.clone();
        let acceptor =
            if faults.certificate_expired { shared.expired.clone() } else { shared.valid.clone() };
        tokio::spawn(async move {
            let mut era = shared.era.subscribe();
            era.mark_unchanged();
            let served = async {
                match acceptor {
                    None => serve(stream, shared.clone()).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve(stream, shared.clone()).await;
                        }
                    }
                }
            };
            tokio::select! { () = served => {}, _ = era.changed() => {} }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { contract(request, &shared).await }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    // What ends a connection, the other side or a fault, is nothing to report.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn read(request: Request<Incoming>) -> Result<Call> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_REQUEST).collect().await;
    let headers = head.headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    Ok(Call {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: body.map_err(|error| anyhow!("the request's body: {error}"))?.to_bytes(),
    })
}

async fn contract(request: Request<Incoming>, shared: &Shared) -> Result<Response<Full<Bytes>>> {
    let call = read(request).await?;
    let faults = shared.faults.lock().clone();
    let fate = shared.dice.lock().fate(&faults);
    shared.effects.count_request();
    tokio::time::sleep(fate.wait).await;
    let reply = suffered(&call, shared, &fate)?;
    Ok(response(reply))
}

/// The answer after the faults that its fate has.
fn suffered(call: &Call, shared: &Shared, fate: &Fate) -> Result<Reply> {
    if fate.error {
        return Ok(Reply::json(500, &json!({"error": "internal error"})));
    }
    let nonsense = || {
        let (status, content_type, body) = shared.dice.lock().nonsense();
        Reply { status, content_type, body: body.to_vec() }
    };
    if fate.wrong == Some(Wrong::Before) {
        return Ok(nonsense());
    }
    let mut reply = shared.system.answer(call, &shared.effects);
    if fate.duplicated {
        reply = shared.system.answer(call, &shared.effects);
    }
    if fate.lost {
        return Err(anyhow!("the answer is lost"));
    }
    Ok(if fate.wrong.is_some() { nonsense() } else { reply })
}

async fn listen_admin(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let stream = accepted(&listener).await;
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { read(request).await.map(|call| response(look(&call, &shared))) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The second port: `GET` and `PUT /faults`, `GET /counts`, `GET /effects?after=N&limit=N`.
fn look(call: &Call, shared: &Shared) -> Reply {
    match (call.method.as_str(), call.path.as_str()) {
        ("GET", "/faults") => Reply::json(200, &json!(*shared.faults.lock())),
        ("PUT", "/faults") => match serde_json::from_slice::<Faults>(&call.body) {
            Ok(faults) => match faults.problem() {
                None => {
                    shared.set_faults(faults.clone());
                    Reply::json(200, &json!(faults))
                }
                Some(problem) => Reply::json(400, &json!({"error": problem})),
            },
            Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
        },
        ("GET", "/counts") => Reply::json(200, &json!(shared.effects.counts())),
        ("GET", "/effects") => {
            let limit = usize::try_from(call.number("limit")).unwrap_or(MAX_EFFECTS);
            let limit = if limit == 0 { MAX_EFFECTS } else { limit.min(MAX_EFFECTS) };
            Reply::json(200, &json!(shared.effects.after(call.number("after"), limit)))
        }
        _ => shared.system.look(call, &shared.effects).unwrap_or_else(Reply::not_found),
    }
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status)
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let value = hyper::header::HeaderValue::from_static(reply.content_type);
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, value);
    response
}

//! The whole server over its own port, with the index of a chain's genesis: who may ask what, what is
//! refused, and what every answer has. The same with four real nodes is in `tests/explorer/run`.

mod login;
mod matrix;
mod refusals;

use billchain_chain_spec::ChainSpec;
use billchain_explorer::{
    App,
    auth::{Role, User},
    config::Settings,
    index::Standing,
    server,
};
use billchain_explorer_indexer::{Indexer, Queries, Settings as Indexed, Tables};
use reqwest::{Method, Response, StatusCode, header::HeaderMap};
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// A server.
pub struct Server {
    /// What it serves.
    pub app: Arc<App>,
    /// Where.
    pub address: String,
    _folder: TempDir,
}

/// Somebody who asks, with a session's cookie and token.
pub struct Asker {
    server: String,
    cookie: String,
    csrf: String,
    http: reqwest::Client,
}

impl Server {
    /// One whose settings are changed so.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("index.db");
        let url = format!("sqlite://{}", file.display());
        let mut settings = Settings {
            nodes: vec!["http://127.0.0.1:1".to_owned()],
            database: file.display().to_string(),
            own: folder.path().join("own.db"),
            ..Settings::default()
        };
        // Tests ask more often than people do.
        (settings.limits.session_rate, settings.limits.address_rate) = (10_000, 10_000);
        change(&mut settings);
        let indexed = Indexed {
            tables: url.clone(),
            nodes: settings.nodes.clone(),
            spec: ChainSpec::development(),
            genesis: None,
        };
        let indexer = Indexer::open(&indexed).await.unwrap();
        let status = indexer.status().borrow().clone();
        let genesis = billchain_explorer::index::hash(&status.genesis).unwrap();
        let tables = Tables::open_for_reading(&url, 4).await.unwrap();
        let app = App::open(settings, Queries::new(tables), genesis).await.unwrap();
        app.index.stands(Standing {
            genesis: status.genesis,
            head: 7,
            lag_ms: 3,
            ..Standing::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serving = app.clone();
        tokio::spawn(
            async move { server::serve(&serving, listener, std::future::pending()).await },
        );
        Self { app, address, _folder: folder }
    }

    /// With the settings that it has by default.
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// Somebody of a role, already signed in; none: nobody is.
    pub fn as_role(&self, role: Option<Role>) -> Asker {
        let cookie = match role {
            None => "ab".repeat(32),
            Some(role) => {
                let did = (role == Role::Participant).then(|| "did:bill:nobody".to_owned());
                let user = User { name: format!("a-{}", role.name()), role, did };
                self.app.sessions.begin(user, billchain_explorer::time::now())
            }
        };
        let csrf = self.app.sessions.token(&cookie);
        Asker { server: self.address.clone(), cookie, csrf, http: client() }
    }

    /// Somebody with the cookie that the server gives.
    pub async fn visitor(&self) -> Asker {
        let mut asker = Asker {
            server: self.address.clone(),
            cookie: String::new(),
            csrf: String::new(),
            http: client(),
        };
        let answer = asker.get("/api/v1/session").await;
        asker.take(answer).await;
        asker
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

impl Asker {
    /// A request as the page makes it.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.server));
        request
            .header("cookie", format!("billchain_session={}", self.cookie))
            .header("x-csrf-token", &self.csrf)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// POST.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        request.body(body.to_string()).send().await.unwrap()
    }

    /// Takes cookie and token of an answer that begins a session.
    pub async fn take(&mut self, answer: Response) -> Value {
        assert_eq!(answer.status(), StatusCode::OK);
        self.cookie = cookie(answer.headers()).expect("a cookie");
        let body = value(answer).await;
        self.csrf = body["csrf"].as_str().unwrap().to_owned();
        body
    }
}

/// The session's cookie that an answer sets.
pub fn cookie(headers: &HeaderMap) -> Option<String> {
    let set = headers.get("set-cookie")?.to_str().ok()?;
    Some(set.split(';').next()?.split_once('=')?.1.to_owned())
}

/// The JSON of an answer.
pub async fn value(answer: Response) -> Value {
    let bytes = answer.bytes().await.unwrap();
    serde_json::from_slice(&bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)))
}

/// The code of a refusal.
pub async fn code(answer: Response) -> String {
    value(answer).await["error"]["code"].as_str().unwrap_or_default().to_owned()
}

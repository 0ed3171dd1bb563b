//! The gateway (对外查询网关): what people wait for and no entry of the outbox asks for, in a process
//! of its own beside a node.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /query`, three codes | the bill with its `origin`: `chain`, or `old_system` for one that is older than the chain (以票查票) [76, 86] |
//! | `POST /download`, three codes | the original of an older bill, a ZIP |
//! | `POST /codes`, `{"grant": "0x…"}`, by its holder or registrar | a dynamic code (授权动态码), once, for five minutes [137] |
//! | `POST /credentials`, `{"code": "…"}`, by the grant's subject | the grant and its credential [87, 88, 136] |
//!
//! Every request is signed (see [`crate::signed`]) with the key of an active participant of the
//! chain. The chain is asked first and wins; an older bill is said to be of the old system, and
//! is not proved by anything but its word. Who holds a code can be read from no answer.

mod codes;
mod node;
mod server;

pub use node::Node;
pub use server::{Running, start};

use billchain_crypto::sm3::sm3;
use billchain_primitives::{GrantId, Hash, Moment};
use billchain_rpc_types::{GrantView, ParticipantView};
use billchain_workers::{Chain, Failure, Tools};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use crate::{
    credentials::credential,
    old_system::{Codes as ThreeCodes, OldSystem, Settings as OldSettings},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use codes::Codes;

/// The gateway's file of settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it answers.
    pub listen: SocketAddr,
    /// The node's JSON-RPC, such as `http://127.0.0.1:9944`.
    pub node: String,
    /// File of what it remembers.
    pub store: PathBuf,
    /// The old system; none: there is none to ask.
    pub old_system: Option<OldSettings>,
    /// How requests to the old system go out.
    #[serde(default)]
    pub http: billchain_workers::tools::HttpSettings,
    /// Directory of credentials, named `GRANT.jwt` by 64 digits of hex.
    pub credentials_dir: Option<PathBuf>,
}

/// Why a request has no result: an HTTP status, and words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal(pub u16, pub String);

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(502, failure.to_string())
    }
}

/// A result.
pub enum Reply {
    /// JSON.
    Json(Value),
    /// A ZIP archive.
    Zip(Vec<u8>),
}

/// What answers.
pub struct Gateway {
    tools: Arc<Tools>,
    old: Option<OldSystem>,
    credentials: Option<PathBuf>,
    codes: Codes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    grant: Hash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    code: String,
}

impl Gateway {
    /// A gateway with these tools.
    pub fn new(settings: &Settings, tools: Arc<Tools>) -> Result<Self, String> {
        let old = settings.old_system.as_ref();
        let old = old.map(|old| OldSystem::new(old, tools.clone())).transpose()?;
        Ok(Self {
            tools,
            old,
            credentials: settings.credentials_dir.clone(),
            codes: Codes::default(),
        })
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.tools.clock.now()
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Vec<Value>,
    ) -> Result<T, Refusal> {
        let answer = self.tools.chain.ask(method, params).await;
        let answer = answer.map_err(|problem| Refusal(502, problem.to_string()))?;
        serde_json::from_value(answer).map_err(|error| Refusal(502, format!("{method}: {error}")))
    }

    /// The active participant that a key belongs to.
    pub async fn participant(&self, key: &[u8; 33]) -> Result<ParticipantView, Refusal> {
        let account = format!("0x{}", hex::encode(sm3(key)));
        let found: Option<ParticipantView> =
            self.ask("participant_byAccount", vec![json!(account)]).await?;
        found.filter(|participant| json!(participant.status) == "active").ok_or_else(|| {
            Refusal(403, "x-billchain-key: not the key of an active participant".to_owned())
        })
    }

    /// A request of an active participant.
    pub async fn answer(
        &self,
        path: &str,
        body: &[u8],
        by: &ParticipantView,
    ) -> Result<Reply, Refusal> {
        match path {
            "/query" => self.query(&parse(body)?).await.map(Reply::Json),
            "/download" => self.download(&parse(body)?).await,
            "/codes" => self.issue(&parse(body)?, by).await.map(Reply::Json),
            "/credentials" => self.redeem(&parse(body)?, by).await.map(Reply::Json),
            _ => Err(Refusal(404, "expected /query, /download, /codes or /credentials".to_owned())),
        }
    }

    /// A bill by its three codes: the chain's, else the old system's.
    pub async fn query(&self, codes: &ThreeCodes) -> Result<Value, Refusal> {
        let ThreeCodes { bill_code, bill_number, check_code } = codes;
        let params = vec![json!(bill_code), json!(bill_number), json!(check_code)];
        let bill: Value = self.ask("bill_byCodes", params).await?;
        if !bill.is_null() {
            return Ok(json!({"origin": "chain", "bill": bill}));
        }
        // The chain may have it under another check code: then nobody else is asked.
        let there: Value = self.ask("bill_get", vec![json!(bill_code), json!(bill_number)]).await?;
        let Some(old) = self.old.as_ref().filter(|_| there.is_null()) else {
            return Ok(json!({"origin": null, "bill": null}));
        };
        Ok(match old.query(codes).await? {
            Some(bill) => json!({"origin": "old_system", "bill": bill}),
            None => json!({"origin": null, "bill": null}),
        })
    }

    async fn download(&self, codes: &ThreeCodes) -> Result<Reply, Refusal> {
        let old =
            self.old.as_ref().ok_or_else(|| Refusal(404, "there is no old system".to_owned()))?;
        match old.download(codes).await? {
            Some(download) => Ok(Reply::Zip(download.zip)),
            None => Err(Refusal(404, "the old system has no such bill".to_owned())),
        }
    }

    async fn grant(&self, grant: Hash) -> Result<GrantView, Refusal> {
        let found: Option<GrantView> =
            self.ask("authorization_get", vec![json!(GrantId(grant))]).await?;
        let grant = found.ok_or_else(|| Refusal(404, "there is no such grant".to_owned()))?;
        let now = self.now();
        if grant.status != "active" || now > grant.valid_until || now < grant.valid_from {
            return Err(Refusal(409, format!("the grant is {}, or not valid now", grant.status)));
        }
        Ok(grant)
    }

    async fn issue(&self, request: &GrantRequest, by: &ParticipantView) -> Result<Value, Refusal> {
        let grant = self.grant(request.grant).await?;
        if by.did != grant.holder && by.did != grant.registrar {
            return Err(Refusal(
                403,
                "only holder and registrar of a grant get its code".to_owned(),
            ));
        }
        let (code, until) = self.codes.issue(request.grant, self.now())?;
        Ok(json!({"code": code, "until": until}))
    }

    async fn redeem(&self, request: &CodeRequest, by: &ParticipantView) -> Result<Value, Refusal> {
        let grant = self.codes.grant(&request.code, self.now())?;
        let view = self.grant(grant).await?;
        if by.did != view.subject {
            return Err(Refusal(403, "the grant is for somebody else".to_owned()));
        }
        let credential = credential(self.credentials.as_ref(), &grant.0).await?;
        self.codes.spend(&request.code);
        Ok(json!({"grant": view, "credential": credential.map(|bytes| STANDARD.encode(bytes))}))
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal(400, format!("the body: {error}")))
}

/// Runs the gateway of a file of settings until it is stopped.
pub async fn run(file: &std::path::Path) -> anyhow::Result<()> {
    use anyhow::{Context, anyhow};
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let settings: Settings = toml::from_str(&text).with_context(|| file.display().to_string())?;
    let node = Node::connect(&settings.node).await.map_err(|problem| anyhow!("{problem}"))?;
    let tools = Arc::new(Tools {
        http: billchain_workers::tools::Http::new(settings.http.clone())?,
        store: billchain_workers::tools::Store::open(&settings.store, "gateway")?,
        chain: Arc::new(node) as Arc<dyn Chain>,
        key: billchain_crypto::sm2::SecretKey::generate(),
        clock: Arc::new(billchain_workers::SystemClock),
    });
    let gateway = Gateway::new(&settings, tools).map_err(|problem| anyhow!(problem))?;
    let running = start(Arc::new(gateway), settings.listen).await?;
    println!("listening on {}", running.listen);
    running.wait().await
}

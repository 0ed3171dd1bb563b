//! Medical insurance (医保) and insurers (商业保险): credentials that a holder granted are pushed to
//! whom they are for, by DID [87, 88, 136]. Pull by dynamic code is the gateway's.
//!
//! `POST /v1/credentials`, signed, with the grant as the chain has it and, if the operator has
//! it, the credential itself in base64; the answer names the request and is signed by the
//! insurer. A grant for a DID that is not on the list is for somebody else: nothing is sent, and
//! the acknowledgement says so.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use billchain_crypto::sm3::sm3;
use billchain_primitives::outbox::Subject;
use billchain_rpc_types::GrantView;
use billchain_workers::{Connector, Content, Failure, Making, Notice, Told, Tools, tools::Request};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use crate::{
    answer::{by_status, is_signed, json as read_json, passing, refused, unanswered},
    event::topic_text,
    settings::{self, Problems},
    signed,
};

/// Name of the format.
pub const FORMAT: &str = "credential-push/1";
/// Most receivers of one connector.
const MAX_RECEIVERS: usize = 1_000;
/// Longest credential, in bytes.
const MAX_CREDENTIAL: u64 = 1 << 20;

/// The operator's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who is told, by DID (商保清单).
    pub receivers: BTreeMap<String, Receiver>,
    /// Directory of credentials, named `GRANT.jwt` by 64 digits of hex.
    pub credentials_dir: Option<PathBuf>,
}

/// One that is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// Base of its URLs.
    pub url: String,
    /// Its SM2 key: 66 digits of hex.
    pub public_key: String,
}

/// A receiver whose settings were read.
struct Known {
    url: String,
    key: [u8; 33],
}

struct Push {
    receivers: BTreeMap<String, Known>,
    directory: Option<PathBuf>,
    tools: Arc<Tools>,
}

#[derive(Deserialize)]
struct Receipt {
    code: String,
    request_id: String,
    number: u64,
    signature: String,
}

/// Builds the connector.
pub fn build(making: Making) -> Result<Box<dyn Connector>, String> {
    let settings: Settings = settings::read(making.settings)?;
    let mut problems = Problems::default();
    let number = settings.receivers.len();
    problems.expect(
        (1..=MAX_RECEIVERS).contains(&number),
        "receivers",
        "1 to 1000",
        &number.to_string(),
    );
    let mut receivers = BTreeMap::new();
    for (did, receiver) in settings.receivers {
        let setting = format!("receivers.{did}.url");
        problems.expect(
            settings::is_base_url(&receiver.url),
            &setting,
            "a URL without / at its end",
            &receiver.url,
        );
        let setting = format!("receivers.{did}.public_key");
        if let Some(key) = problems.take(settings::public_key(&setting, &receiver.public_key)) {
            receivers.insert(did, Known { url: receiver.url, key });
        }
    }
    if let Some(directory) = &settings.credentials_dir {
        problems.expect(
            directory.is_dir(),
            "credentials_dir",
            "a directory",
            &directory.display().to_string(),
        );
    }
    problems.end()?;
    Ok(Box::new(Push { receivers, directory: settings.credentials_dir, tools: making.tools }))
}

/// The credential of a grant, if the operator has it: its SM3 is the grant's id.
pub async fn credential(
    directory: Option<&PathBuf>,
    grant: &[u8; 32],
) -> Result<Option<Vec<u8>>, Failure> {
    let Some(directory) = directory else { return Ok(None) };
    let path = directory.join(format!("{}.jwt", hex::encode(grant)));
    let Ok(about) = tokio::fs::metadata(&path).await else { return Ok(None) };
    if about.len() > MAX_CREDENTIAL {
        return Err(refused(
            format!("{}: longer than {MAX_CREDENTIAL} bytes", path.display()),
            &[],
        ));
    }
    let content = tokio::fs::read(&path).await.map_err(Failure::passing)?;
    if sm3(&content) != *grant {
        return Err(Failure::passing(format!("{}: its SM3 is not the grant's id", path.display())));
    }
    Ok(Some(content))
}

/// What a receiver's answer to a push has to be. It names the entry, not the bytes: a repeated
/// push carries the grant as it is by then.
pub fn check(answer: &[u8], id: &str, key: &[u8; 33]) -> Result<(), Failure> {
    let receipt: Receipt = read_json(answer)?;
    if receipt.code != "0" || receipt.request_id != id {
        return Err(passing("code or request_id: not as expected", answer));
    }
    let text = format!("credential-receipt/1\n{id}\n{}", receipt.number);
    if !is_signed(key, &text, &receipt.signature) {
        return Err(passing("signature: does not fit", answer));
    }
    Ok(())
}

impl Push {
    async fn push(
        &self,
        notice: &Notice,
        grant: &[u8; 32],
        view: &GrantView,
    ) -> Result<Told, Failure> {
        let Some(receiver) = self.receivers.get(view.subject.as_str()) else {
            let answer =
                json!({"told": false, "why": "its subject is not on this connector's list"});
            return Ok(Told { answer: answer.to_string().into_bytes() });
        };
        let id = notice.key_hex();
        let credential = credential(self.directory.as_ref(), grant).await?;
        let mut body = serde_json::to_value(view).map_err(Failure::passing)?;
        body["request_id"] = json!(id);
        body["event"] = json!(topic_text(notice.entry.topic));
        body["version"] = json!(notice.entry.version);
        body["credential"] = json!(credential.map(|bytes| STANDARD.encode(bytes)));
        let body = body.to_string().into_bytes();
        let request =
            Request::post(format!("{}/v1/credentials", receiver.url), "application/json", body);
        let request = signed::sign(request, &id, self.tools.clock.now(), &self.tools.key);
        let answer = self.tools.http.send(request).await.map_err(unanswered)?;
        by_status(&answer)?;
        check(&answer.body, &id, &receiver.key)?;
        Ok(Told { answer: answer.body })
    }
}

#[async_trait]
impl Connector for Push {
    async fn deliver(&self, notices: &[Notice]) -> Vec<Result<Told, Failure>> {
        let mut outcomes = Vec::with_capacity(notices.len());
        for notice in notices {
            outcomes.push(match (&notice.entry.subject, &notice.content) {
                (Subject::Grant(grant), Content::Grant(view)) => {
                    self.push(notice, &grant.0, view).await
                }
                _ => Err(refused("insurers are told of grants only", &[])),
            });
        }
        outcomes
    }

    /// One receiver that is there is enough: others have entries of their own, which wait.
    async fn probe(&self) -> Result<(), Failure> {
        let mut last = Failure::passing("no receiver");
        for receiver in self.receivers.values() {
            let request = Request::get(format!("{}/v1/ready", receiver.url));
            let id = signed::question_id("ready");
            let request = signed::sign(request, &id, self.tools.clock.now(), &self.tools.key);
            let answer = self.tools.http.send(request).await.map_err(unanswered);
            match answer.and_then(|answer| by_status(&answer)) {
                Ok(()) => return Ok(()),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }
}

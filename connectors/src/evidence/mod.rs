//! The evidence chain (存证链): the hash of each fact, originals of authorization files, batches
//! under one Merkle root; receipts are verified, fetched again when they are final, and kept
//! [175, 178–180].
//!
//! | request | for | answer |
//! | --- | --- | --- |
//! | `POST /v1/hashes` | a fact's digest (哈希存证) | a receipt |
//! | `POST /v1/originals` | a credential of `originals_dir` whose SM3 is the grant's id (原文存证) | a receipt |
//! | `POST /v1/batches` | up to `batch` digests of bills, each with its own key | a receipt each, with the path to the root |
//! | `GET /v1/receipts/ID` | the final receipt | a receipt |
//! | `POST /v1/verify` | query and verification of a digest (查询核验) | a receipt, or that there is none |
//!
//! Requests are signed (`signed`), receipts too, by the chain's key in `public_key`. The digest
//! of a fact is its entry's: the hash of that version, which covers all before it.

mod receipt;

pub use receipt::{Answer, Finality, Receipt, Verified, verify};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use billchain_crypto::sm3::sm3;
use billchain_primitives::{
    Moment,
    outbox::{Subject, Topic},
};
use billchain_workers::{Connector, Failure, Making, Notice, Tended, Told, Tools, tools::Request};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};

use crate::{
    answer::{by_status, passing, refused, unanswered},
    event::{subject_text, topic_text},
    settings::{self, Problems},
    signed,
};

/// Name of the format.
pub const FORMAT: &str = "evidence/1";
/// Most digests of a batch.
const MAX_BATCH: usize = 1_024;
/// Final receipts that one call of `tend` fetches.
const FETCHED_AT_ONCE: usize = 32;
/// Longest original, in bytes.
const MAX_ORIGINAL: u64 = 4 << 20;

/// The operator's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Base of the URLs.
    pub url: String,
    /// The evidence chain's SM2 key: 66 digits of hex.
    pub public_key: String,
    /// Digests of one batch; 1: each goes alone.
    #[serde(default = "one")]
    pub batch: usize,
    /// Directory of credentials, named `GRANT.jwt` by 64 digits of hex; none: their hashes
    /// alone are evidence.
    pub originals_dir: Option<PathBuf>,
}

const fn one() -> usize {
    1
}

/// The connector.
pub struct Evidence {
    settings: Settings,
    key: [u8; 33],
    tools: Arc<Tools>,
}

/// Builds the connector.
pub fn build(making: Making) -> Result<Box<dyn Connector>, String> {
    Evidence::new(settings::read(making.settings)?, making.tools)
        .map(|connector| Box::new(connector) as Box<dyn Connector>)
}

impl Evidence {
    /// A client of the evidence chain.
    pub fn new(settings: Settings, tools: Arc<Tools>) -> Result<Self, String> {
        let mut problems = Problems::default();
        problems.expect(
            settings::is_base_url(&settings.url),
            "url",
            "a URL without / at its end",
            &settings.url,
        );
        let batch = settings.batch;
        problems.expect((1..=MAX_BATCH).contains(&batch), "batch", "1 to 1024", &batch.to_string());
        if let Some(directory) = &settings.originals_dir {
            let found = directory.display().to_string();
            problems.expect(directory.is_dir(), "originals_dir", "a directory", &found);
        }
        let key = problems.take(settings::public_key("public_key", &settings.public_key));
        problems.end()?;
        Ok(Self { settings, key: key.unwrap_or([0; 33]), tools })
    }

    async fn send(
        &self,
        request: Request,
        id: &str,
    ) -> Result<billchain_workers::tools::Answer, Failure> {
        let request = signed::sign(request, id, self.tools.clock.now(), &self.tools.key);
        let answer = self.tools.http.send(request).await.map_err(unanswered)?;
        by_status(&answer)?;
        Ok(answer)
    }

    fn post(&self, path: &str, body: &Value) -> Request {
        Request::post(
            format!("{}{path}", self.settings.url),
            "application/json",
            body.to_string().into_bytes(),
        )
    }

    /// The credential of a grant, if the operator has it: its SM3 is the grant's id.
    async fn original(&self, notice: &Notice) -> Result<Option<Vec<u8>>, Failure> {
        let (Some(directory), Subject::Grant(grant), Topic::GrantRegistered) =
            (&self.settings.originals_dir, &notice.entry.subject, notice.entry.topic)
        else {
            return Ok(None);
        };
        let path = directory.join(format!("{}.jwt", hex::encode(grant)));
        let Ok(about) = tokio::fs::metadata(&path).await else { return Ok(None) };
        if about.len() > MAX_ORIGINAL {
            return Err(refused(
                format!("{}: longer than {MAX_ORIGINAL} bytes", path.display()),
                &[],
            ));
        }
        let content = tokio::fs::read(&path).await.map_err(Failure::passing)?;
        if sm3(&content) != grant.0 {
            return Err(Failure::passing(format!(
                "{}: its SM3 is not the grant's id",
                path.display()
            )));
        }
        Ok(Some(content))
    }

    fn item(notice: &Notice) -> Value {
        json!({
            "request_id": notice.key_hex(),
            "digest": hex::encode(notice.entry.digest),
            "type": topic_text(notice.entry.topic),
            "subject": subject_text(&notice.entry.subject),
            "version": notice.entry.version,
            "time": notice.entry.moment,
            "retold": notice.entry.topic == Topic::BillRetold,
        })
    }

    /// One notice alone: its original, or its digest.
    async fn put_one(&self, notice: &Notice) -> Result<Told, Failure> {
        let mut item = Self::item(notice);
        let mut digest = notice.entry.digest;
        let path = match self.original(notice).await? {
            Some(content) => {
                digest = sm3(&content);
                item["digest"] = json!(hex::encode(digest));
                item["content"] = json!(STANDARD.encode(content));
                "/v1/originals"
            }
            None => "/v1/hashes",
        };
        let id = notice.key_hex();
        let answer = self.send(self.post(path, &item), &id).await?;
        let mut told = self.receipts(&answer.body, &[(id, digest)])?;
        told.pop().ok_or_else(|| passing("the answer has no receipt", &answer.body))
    }

    /// Many digests at once.
    async fn put_many(&self, notices: &[Notice]) -> Result<Vec<Told>, Failure> {
        let items: Vec<Value> = notices.iter().map(Self::item).collect();
        let ids: Vec<_> =
            notices.iter().map(|notice| (notice.key_hex(), notice.entry.digest)).collect();
        let names: Vec<&str> = ids.iter().map(|(id, _)| id.as_str()).collect();
        let id = signed::question_id(&names.join(" "));
        let answer = self.send(self.post("/v1/batches", &json!({"items": items})), &id).await?;
        self.receipts(&answer.body, &ids)
    }

    /// The receipts of an answer, verified and kept.
    fn receipts(&self, body: &[u8], expected: &[(String, [u8; 32])]) -> Result<Vec<Told>, Failure> {
        let verified = verify(body, expected, &self.key)?;
        let mut changes = Vec::new();
        for receipt in &verified {
            let id = &receipt.request_id;
            let mark =
                matches!(receipt.finality, Finality::Accepted).then(|| receipt.digest.to_vec());
            changes.push((pending_key(id), mark));
            changes.push((receipt_key(id), Some(receipt.bytes.clone())));
        }
        self.tools.store.apply(&changes).map_err(Failure::passing)?;
        Ok(verified.into_iter().map(|receipt| Told { answer: receipt.bytes }).collect())
    }

    /// Fetches the final receipt of an item.
    async fn fetch(&self, id: &str, digest: [u8; 32]) -> Result<(), Failure> {
        let request = Request::get(format!("{}/v1/receipts/{id}", self.settings.url));
        let answer = self.send(request, id).await?;
        self.receipts(&answer.body, &[(id.to_owned(), digest)]).map(|_| ())
    }

    /// The receipt that was kept of an item.
    pub fn kept(&self, id: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.tools.store.get(&receipt_key(id)).map_err(Failure::passing)
    }

    /// Asks the evidence chain for a digest (查询核验): its verified receipt, if it has it.
    pub async fn verify_digest(&self, digest: [u8; 32]) -> Result<Option<Verified>, Failure> {
        let body = json!({"digest": hex::encode(digest)});
        let id = signed::question_id(&body.to_string());
        let answer = self.send(self.post("/v1/verify", &body), &id).await?;
        receipt::verify_found(&answer.body, digest, &self.key)
    }
}

fn pending_key(id: &str) -> Vec<u8> {
    format!("pending/{id}").into_bytes()
}

fn receipt_key(id: &str) -> Vec<u8> {
    format!("receipt/{id}").into_bytes()
}

#[async_trait]
impl Connector for Evidence {
    fn batch(&self) -> usize {
        self.settings.batch
    }

    /// Bills go together, where the batch is larger than one; what concerns a grant or a
    /// participant goes alone, with its original if there is one.
    async fn deliver(&self, notices: &[Notice]) -> Vec<Result<Told, Failure>> {
        let is_bill = |notice: &&Notice| matches!(notice.entry.subject, Subject::Bill(_));
        let bills: Vec<Notice> = notices.iter().filter(is_bill).cloned().collect();
        let mut together = match bills.len() {
            0 | 1 => None,
            _ => Some(self.put_many(&bills).await.map(Vec::into_iter)),
        };
        let mut outcomes = Vec::with_capacity(notices.len());
        for notice in notices {
            let outcome = match (&mut together, is_bill(&notice)) {
                (Some(Ok(told)), true) => {
                    told.next().ok_or_else(|| Failure::passing("the answer lacks a receipt"))
                }
                (Some(Err(failure)), true) => Err(failure.clone()),
                _ => self.put_one(notice).await,
            };
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn probe(&self) -> Result<(), Failure> {
        let request = Request::get(format!("{}/v1/ready", self.settings.url));
        self.send(request, &signed::question_id("ready")).await.map(|_| ())
    }

    async fn tend(&self, _: Moment) -> Result<Tended, Failure> {
        let pending = self.tools.store.entries(b"pending/", None, FETCHED_AT_ONCE);
        let pending = pending.map_err(Failure::passing)?;
        let more = pending.len() == FETCHED_AT_ONCE;
        for (key, digest) in pending {
            let id = String::from_utf8_lossy(&key[b"pending/".len()..]).into_owned();
            let digest = <[u8; 32]>::try_from(digest)
                .map_err(|_| Failure::passing("a digest in the store has not 32 bytes"))?;
            self.fetch(&id, digest).await?;
        }
        Ok(if more { Tended::More } else { Tended::Rested })
    }
}

//! The signing chain (签约链): for each grant an authorization file is started from a template and
//! signed by the holder there; the signed file and the report are fetched, the whole process is
//! replayed and verified, and all is kept. A grant that is revoked cancels its process
//! [181–183].
//!
//! | request | for | answer |
//! | --- | --- | --- |
//! | `POST /v1/processes` | a registered grant: `template`, `subject` (the grant), `fields` | `process_id` and `state`, signed |
//! | `POST /v1/cancel` | a revoked grant | the same |
//! | `GET /v1/processes/SUBJECT` | how far it is | the same |
//! | `GET …/file`, `GET …/report` | once it is signed | the file; the trace of all steps, signed |
//!
//! Each step of a trace is hashed over the one before it (`signing-step/1`), so that who has
//! the report can replay the whole process (签署溯源) and see that nothing is missing.

use async_trait::async_trait;
use billchain_crypto::sm3::sm3;
use billchain_primitives::{
    Moment,
    outbox::{Subject, Topic},
};
use billchain_workers::{
    Connector, Content, Failure, Making, Notice, Tended, Told, Tools,
    tools::{Answer, Request},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::{
    answer::{by_status, is_signed, json as read_json, passing, refused, unanswered},
    settings::{self, Problems},
    signed,
};

/// Name of the format.
pub const FORMAT: &str = "signing/1";
/// Processes that one call of `tend` looks at.
const LOOKED_AT: usize = 16;
/// Longest signed file: what the store takes.
const MAX_FILE: usize = 1 << 20;
/// Most steps of a process.
const MAX_STEPS: usize = 1_000;

/// The operator's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Base of the URLs.
    pub url: String,
    /// The signing chain's SM2 key: 66 digits of hex.
    pub public_key: String,
    /// Name of the template of an authorization file.
    pub template: String,
}

/// Where a process stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The holder has to sign.
    Waiting,
    /// It is signed.
    Signed,
    /// The holder refused.
    Refused,
    /// It was cancelled.
    Cancelled,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Signed => "signed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Deserialize)]
struct Standing {
    code: String,
    request_id: String,
    process_id: String,
    state: State,
    signature: String,
}

/// One step of a process.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Its number, from 0.
    pub n: u64,
    /// What was done: `start`, `sign`, `cancel`.
    pub act: String,
    /// By whom.
    pub who: String,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// SM3 of the file then: 64 digits of hex.
    pub file: String,
    /// Hash of the step before; zeros for the first.
    pub previous: String,
    /// Hash of this one.
    pub hash: String,
}

/// The report of a process.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// `0`.
    pub code: String,
    /// The process.
    pub process_id: String,
    /// SM3 of the signed file: 64 digits of hex.
    pub file: String,
    /// All steps, oldest first.
    pub trace: Vec<Step>,
    /// By the signing chain's key over `signing-report/1`, `process_id`, `file` and the last
    /// step's hash, one a line.
    pub signature: String,
}

/// Replays a report: every step follows from the one before, the last act is the signature,
/// and the file is the one that was signed.
pub fn replay(
    body: &[u8],
    process_id: &str,
    file: &[u8],
    key: &[u8; 33],
) -> Result<Report, Failure> {
    let report: Report = read_json(body)?;
    let bad = |what: &str| Err(passing(format!("the report does not hold: {what}"), body));
    if report.code != "0" || report.process_id != process_id {
        return bad("code or process_id");
    }
    if report.trace.len() > MAX_STEPS {
        return bad("too many steps");
    }
    let digest = hex::encode(sm3(file));
    let mut previous = hex::encode([0; 32]);
    for (n, step) in report.trace.iter().enumerate() {
        let Step { act, who, time, file, .. } = step;
        if step.n != n as u64
            || step.previous != previous
            || [act, who, file].iter().any(|part| part.contains('\n'))
        {
            return bad("a step does not follow the one before");
        }
        let text =
            format!("signing-step/1\n{previous}\n{process_id}\n{n}\n{act}\n{who}\n{time}\n{file}");
        if hex::encode(sm3(text.as_bytes())) != step.hash {
            return bad("a step's hash");
        }
        previous.clone_from(&step.hash);
    }
    let is_signed_last =
        report.trace.last().is_some_and(|step| step.act == "sign" && step.file == digest);
    if !is_signed_last || report.file != digest {
        return bad("the file is not the one that was signed");
    }
    let text = format!("signing-report/1\n{process_id}\n{digest}\n{previous}");
    if !is_signed(key, &text, &report.signature) {
        return bad("its signature");
    }
    Ok(report)
}

/// The connector.
pub struct Signing {
    settings: Settings,
    key: [u8; 33],
    tools: Arc<Tools>,
}

/// Builds the connector.
pub fn build(making: Making) -> Result<Box<dyn Connector>, String> {
    Signing::new(settings::read(making.settings)?, making.tools)
        .map(|connector| Box::new(connector) as Box<dyn Connector>)
}

impl Signing {
    /// A client of the signing chain.
    pub fn new(settings: Settings, tools: Arc<Tools>) -> Result<Self, String> {
        let mut problems = Problems::default();
        problems.expect(
            settings::is_base_url(&settings.url),
            "url",
            "a URL without / at its end",
            &settings.url,
        );
        let is_name = (1..=64).contains(&settings.template.len());
        problems.expect(is_name, "template", "1 to 64 characters", &settings.template);
        let key = problems.take(settings::public_key("public_key", &settings.public_key));
        problems.end()?;
        Ok(Self { settings, key: key.unwrap_or([0; 33]), tools })
    }

    async fn send(&self, request: Request, id: &str) -> Result<Answer, Failure> {
        let request = signed::sign(request, id, self.tools.clock.now(), &self.tools.key);
        let answer = self.tools.http.send(request).await.map_err(unanswered)?;
        by_status(&answer)?;
        Ok(answer)
    }

    async fn get(&self, subject: &str, rest: &str) -> Result<(Answer, String), Failure> {
        let url = format!("{}/v1/processes/{subject}{rest}", self.settings.url);
        let id = signed::question_id(&url);
        let mut request = Request::get(url);
        request.max_answer_bytes = Some(MAX_FILE);
        Ok((self.send(request, &id).await?, id))
    }

    /// The templates that the signing chain offers.
    pub async fn templates(&self) -> Result<Vec<String>, Failure> {
        #[derive(Deserialize)]
        struct Templates {
            templates: Vec<String>,
        }
        let request = Request::get(format!("{}/v1/templates", self.settings.url));
        let answer = self.send(request, &signed::question_id("templates")).await?;
        read_json::<Templates>(&answer.body).map(|templates| templates.templates)
    }

    /// Where a process stands, as its chain signed it.
    fn standing(&self, body: &[u8], id: &str) -> Result<(String, State), Failure> {
        let standing: Standing = read_json(body)?;
        let Standing { process_id, state, .. } = &standing;
        let one_line = process_id.len() <= 64 && !process_id.contains(['\n', '/']);
        if standing.code != "0" || standing.request_id != id || !one_line {
            return Err(passing("code, request_id or process_id: not as expected", body));
        }
        let text = format!("signing-state/1\n{id}\n{process_id}\n{}", state.word());
        if !is_signed(&self.key, &text, &standing.signature) {
            return Err(passing("signature: does not fit", body));
        }
        Ok((standing.process_id, standing.state))
    }

    /// Starts a process, or cancels it.
    async fn begin(&self, notice: &Notice, grant: &str) -> Result<Told, Failure> {
        let Content::Grant(view) = &notice.content else {
            return Err(refused("the signing chain takes grants only", &[]));
        };
        let id = notice.key_hex();
        let path = match notice.entry.topic {
            Topic::GrantRegistered => "/v1/processes",
            Topic::GrantChanged if view.status == "revoked" => "/v1/cancel",
            _ => return Ok(nothing_to_do("the process goes on as it is")),
        };
        let body = json!({
            "request_id": id, "template": self.settings.template, "subject": grant,
            "version": notice.entry.version, "time": notice.entry.moment,
            "fields": {
                "holder": view.holder, "subject": view.subject, "scene": view.scene,
                "valid_from": view.valid_from, "valid_until": view.valid_until,
                "bills": view.bills, "condition": view.condition,
            },
        });
        let url = format!("{}{path}", self.settings.url);
        let request = Request::post(url, "application/json", body.to_string().into_bytes());
        let answer = self.send(request, &id).await?;
        let (process, state) = self.standing(&answer.body, &id)?;
        let mark =
            (state == State::Waiting || state == State::Signed).then(|| process.into_bytes());
        let store = &self.tools.store;
        store.apply(&[(open_key(grant), mark)]).map_err(Failure::passing)?;
        Ok(Told { answer: answer.body })
    }

    /// Looks at a process, and fetches what there is when it is signed.
    async fn look(&self, grant: &str) -> Result<(), Failure> {
        let (answer, id) = self.get(grant, "").await?;
        let (process, state) = self.standing(&answer.body, &id)?;
        let end = |state: State, more: Vec<(Vec<u8>, Option<Vec<u8>>)>| {
            let mut changes = vec![
                (open_key(grant), None),
                (format!("state/{grant}").into_bytes(), Some(state.word().into())),
            ];
            changes.extend(more);
            self.tools.store.apply(&changes).map_err(Failure::passing)
        };
        match state {
            State::Waiting => Ok(()),
            State::Refused | State::Cancelled => end(state, Vec::new()),
            State::Signed => {
                let (file, _) = self.get(grant, "/file").await?;
                let (report, _) = self.get(grant, "/report").await?;
                replay(&report.body, &process, &file.body, &self.key)?;
                end(
                    state,
                    vec![
                        (format!("file/{grant}").into_bytes(), Some(file.body)),
                        (format!("report/{grant}").into_bytes(), Some(report.body)),
                    ],
                )
            }
        }
    }
}

fn open_key(grant: &str) -> Vec<u8> {
    format!("open/{grant}").into_bytes()
}

fn nothing_to_do(why: &str) -> Told {
    let answer: Value = json!({"told": false, "why": why});
    Told { answer: answer.to_string().into_bytes() }
}

#[async_trait]
impl Connector for Signing {
    async fn deliver(&self, notices: &[Notice]) -> Vec<Result<Told, Failure>> {
        let mut outcomes = Vec::with_capacity(notices.len());
        for notice in notices {
            outcomes.push(match &notice.entry.subject {
                Subject::Grant(grant) => self.begin(notice, &hex::encode(grant)).await,
                _ => Err(refused("the signing chain takes grants only", &[])),
            });
        }
        outcomes
    }

    async fn probe(&self) -> Result<(), Failure> {
        let request = Request::get(format!("{}/v1/ready", self.settings.url));
        self.send(request, &signed::question_id("ready")).await.map(|_| ())
    }

    /// Goes round the open processes, a few at each call.
    async fn tend(&self, _: Moment) -> Result<Tended, Failure> {
        let store = &self.tools.store;
        let after = store.get(b"tended").map_err(Failure::passing)?;
        let open =
            store.entries(b"open/", after.as_deref(), LOOKED_AT).map_err(Failure::passing)?;
        for (key, _) in &open {
            let grant = String::from_utf8_lossy(&key[b"open/".len()..]).into_owned();
            self.look(&grant).await?;
        }
        let is_round = open.len() < LOOKED_AT;
        let next = open.last().filter(|_| !is_round).map(|(key, _)| key.clone());
        if next != after {
            store.apply(&[(b"tended".to_vec(), next)]).map_err(Failure::passing)?;
        }
        Ok(if is_round { Tended::Rested } else { Tended::More })
    }
}

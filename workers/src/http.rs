//! HTTP and HTTPS as connectors use it: every request has a time-out, every answer a
//! bound, redirects are answers, and only the authorities that the operator named are
//! believed.

use reqwest::{Certificate, Client, Identity, Method, redirect::Policy};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// Most bytes of a status line's reason or an error's words that an operator is shown.
const SHOWN: usize = 200;

/// How requests go out; the table `http` of a connector's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// PEM file of the authorities that may vouch for the other side's certificate. Empty:
    /// those of the machine.
    pub authorities: Option<PathBuf>,
    /// PEM file of this side's certificate and key, where the other side asks for one.
    pub identity: Option<PathBuf>,
    /// How long it may take to connect, in milliseconds.
    pub connect_ms: u64,
    /// How long a request may take until its answer is there whole, in milliseconds.
    pub request_ms: u64,
    /// Most bytes of an answer's body.
    pub max_answer_bytes: usize,
    /// Whether plain HTTP is allowed, which nobody should do outside of tests and closed nets.
    pub plain: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            authorities: None,
            identity: None,
            connect_ms: 3_000,
            request_ms: 10_000,
            max_answer_bytes: 1 << 20,
            plain: false,
        }
    }
}

/// Why a client could not be made, or a request has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HttpProblem {
    /// A setting cannot be used.
    #[error("http.{setting}: {reason}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The request cannot be sent at all: its URL or a header is malformed.
    #[error("the request cannot be sent: {0}")]
    Malformed(String),
    /// No answer in time. The other side may have done what it was asked for.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The other side could not be reached, or the connection broke. It may have done what
    /// it was asked for.
    #[error("the other side cannot be reached: {0}")]
    Unreachable(String),
    /// The answer is longer than it may be.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// A request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// `GET`, `POST` and the like.
    pub method: &'static str,
    /// Whole URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Another bound of the answer than the settings'; none: theirs.
    pub max_answer_bytes: Option<usize>,
}

impl Request {
    /// A POST of a body of this type.
    pub fn post(url: impl Into<String>, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { method: "POST", url: url.into(), headers, body, max_answer_bytes: None }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET",
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            max_answer_bytes: None,
        }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// An answer, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Its status, such as 200.
    pub status: u16,
    /// Names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Sends requests.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    settings: HttpSettings,
}

impl Http {
    /// A client with these settings.
    pub fn new(settings: HttpSettings) -> Result<Self, HttpProblem> {
        if settings.request_ms == 0 || settings.connect_ms == 0 {
            let reason = "expected a number of milliseconds above 0".to_owned();
            return Err(HttpProblem::Setting { setting: "request_ms", reason });
        }
        let mut builder = Client::builder()
            .user_agent(concat!("billchain-worker/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_millis(settings.connect_ms))
            .timeout(Duration::from_millis(settings.request_ms))
            .redirect(Policy::none())
            .no_proxy()
            .https_only(!settings.plain);
        if let Some(path) = &settings.authorities {
            let pem = read("authorities", path)?;
            let certificates = Certificate::from_pem_bundle(&pem)
                .map_err(|error| unusable("authorities", path, &error))?;
            if certificates.is_empty() {
                return Err(unusable("authorities", path, &"no certificate is in it"));
            }
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(path) = &settings.identity {
            let pem = read("identity", path)?;
            let identity =
                Identity::from_pem(&pem).map_err(|error| unusable("identity", path, &error))?;
            builder = builder.identity(identity);
        }
        let client = builder.build().map_err(|error| HttpProblem::Setting {
            setting: "authorities",
            reason: whole(&error),
        })?;
        Ok(Self { client, settings })
    }

    /// Sends a request; its answer, whatever the status.
    pub async fn send(&self, request: Request) -> Result<Answer, HttpProblem> {
        let most = request.max_answer_bytes.unwrap_or(self.settings.max_answer_bytes);
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|error| HttpProblem::Malformed(error.to_string()))?;
        let mut building = self.client.request(method, &request.url).body(request.body);
        for (name, value) in &request.headers {
            building = building.header(name, value);
        }
        let mut response = building.send().await.map_err(|error| self.problem(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(HttpProblem::TooLong(most));
        }
        let mut body = Vec::new();
        while let Some(more) = response.chunk().await.map_err(|error| self.problem(&error))? {
            if more.len() > most.saturating_sub(body.len()) {
                return Err(HttpProblem::TooLong(most));
            }
            body.extend_from_slice(&more);
        }
        Ok(Answer { status, headers, body })
    }

    fn problem(&self, error: &reqwest::Error) -> HttpProblem {
        if error.is_timeout() {
            HttpProblem::TimedOut(Duration::from_millis(self.settings.request_ms))
        } else if error.is_builder() {
            HttpProblem::Malformed(whole(error))
        } else {
            HttpProblem::Unreachable(whole(error))
        }
    }
}

fn read(setting: &'static str, path: &PathBuf) -> Result<Vec<u8>, HttpProblem> {
    std::fs::read(path).map_err(|error| unusable(setting, path, &error))
}

fn unusable(
    setting: &'static str,
    path: &std::path::Path,
    reason: &dyn std::fmt::Display,
) -> HttpProblem {
    HttpProblem::Setting { setting, reason: format!("{}: {reason}", path.display()) }
}

/// An error with what it comes from, bounded.
fn whole(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        words = format!("{words}: {inner}");
        source = inner.source();
    }
    words.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests;

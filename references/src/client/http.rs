//! One question over HTTP/1.1, with bounds on time and length.
//!
//! Plain HTTP is enough for what is asked: elements are blinded, questions and answers
//! cannot be changed unseen, keys do not travel. Who also wants to hide who asks when puts
//! a tunnel or a reverse proxy around it.

use crate::{
    auth::{CODE, REQUESTER, Signed, TIME},
    wire::MAX_BODY,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    body::Bytes,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use std::{fmt, str::FromStr, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Characters of an error's text that are shown.
const SHOWN: usize = 300;

/// Where an operator is: `http://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}: expected http://HOST:PORT");
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let is_plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/");
        match (uri.host(), uri.port_u16()) {
            (Some(host), Some(port)) if is_plain && uri.query().is_none() => {
                Ok(Self { host: host.to_owned(), port })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("{0}")]
    Request(#[from] hyper::http::Error),
    #[error("its answer: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("it refuses ({status}): {text}")]
    Refused { status: StatusCode, text: String },
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
}

impl Endpoint {
    /// Asks, and gives the body of the answer.
    pub(super) async fn post(
        &self,
        signed: &Signed<'_>,
        code: &[u8; 32],
    ) -> Result<Bytes, HttpError> {
        timeout(PATIENCE, self.exchange(signed, code)).await.map_err(|_| HttpError::Late)?
    }

    async fn exchange(&self, signed: &Signed<'_>, code: &[u8; 32]) -> Result<Bytes, HttpError> {
        // Brackets around an IPv6 address belong to the URI only.
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await.map_err(HttpError::Connect)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = Request::post(signed.path)
            .header(HOST, format!("{}:{}", self.host, self.port))
            .header(CONTENT_TYPE, "application/json")
            .header(REQUESTER, signed.requester)
            .header(TIME, signed.time_ms.to_string())
            .header(CODE, hex::encode(code))
            .body(Full::new(Bytes::copy_from_slice(signed.body)))?;
        let answer = sender.send_request(request).await;
        let read = match answer {
            Ok(answer) => {
                let status = answer.status();
                let body = Limited::new(answer.into_body(), MAX_BODY).collect().await;
                body.map(|body| (status, body.to_bytes())).map_err(HttpError::Body)
            }
            Err(error) => Err(error.into()),
        };
        driver.abort();
        let (status, body) = read?;
        if status != StatusCode::OK {
            let text = String::from_utf8_lossy(&body).chars().take(SHOWN).collect();
            return Err(HttpError::Refused { status, text });
        }
        Ok(body)
    }
}

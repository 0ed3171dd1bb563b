//! Why a request is refused: one JSON shape, a stable code each, and no word about what the
//! asker may not know.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

/// A refusal, as `API.md` lists them.
#[derive(Debug)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable name of the kind.
    pub code: &'static str,
    /// In words.
    pub message: String,
    /// Parameter or field that it is about.
    pub field: Option<String>,
    /// What would have been right.
    pub expected: Option<String>,
    /// Seconds after which to ask again.
    pub retry_after: Option<u64>,
}

/// The body of a refusal.
#[derive(Serialize, JsonSchema)]
pub struct Refused {
    /// What was wrong.
    pub error: Said,
}

/// What was wrong.
#[derive(Serialize, JsonSchema)]
pub struct Said {
    /// Stable name of the kind.
    pub code: String,
    /// In words.
    pub message: String,
    /// Parameter or field that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What would have been right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, code, message, field: None, expected: None, retry_after: None }
    }

    /// The parameter or field that it is about.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// What would have been right.
    #[must_use]
    pub fn expecting(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Seconds after which to ask again.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// A parameter or body that is not what it must be.
    pub fn malformed(field: impl Into<String>, expected: impl Into<String>) -> Self {
        let (field, expected) = (field.into(), expected.into());
        Self::new(StatusCode::BAD_REQUEST, "malformed", format!("{field} is not what it must be"))
            .at(field)
            .expecting(expected)
    }

    /// Nobody is signed in.
    pub fn login_required() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "login_required",
            "sign in first; a session may have expired",
        )
    }

    /// Name, password, code, key or challenge do not fit.
    pub fn wrong_credentials() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "wrong_credentials",
            "what was given does not sign anybody in",
        )
    }

    /// The role may not.
    pub fn forbidden(allowed: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "this role may not ask that")
            .expecting(allowed)
    }

    /// The request may have been forged by another page.
    pub fn csrf(why: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "csrf", why)
            .expecting("the token of GET /api/v1/session in x-csrf-token")
    }

    /// There is no such thing, or none that the asker may see.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}, or it is not yours to see"),
        )
    }

    /// It contradicts what there is.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// Too many failures.
    pub fn locked(seconds: u64) -> Self {
        Self::new(StatusCode::LOCKED, "locked", "too many failed attempts")
            .expecting(format!("an attempt after {seconds} s"))
            .after(seconds)
    }

    /// Over the rate.
    pub fn too_many(seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", "more requests than the rate allows")
            .after(seconds)
    }

    /// As much is under way as may be.
    pub fn busy(what: &str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            format!("{what}: as many are under way as may be"),
        )
        .after(1)
    }

    /// The index holds nothing yet.
    pub fn not_ready() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "the index holds no block yet")
            .after(1)
    }

    /// No node answers, or what it said was refuted.
    pub fn node(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "node", message)
    }

    /// A failure of the server, whose cause goes into the log and nowhere else.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed; its log has more under x-request-id",
        )
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(cause: sqlx::Error) -> Self {
        match cause {
            sqlx::Error::PoolTimedOut => Self::busy("database"),
            cause => Self::internal(cause),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code, message, field, expected, retry_after } = self;
        let said = Said { code: code.to_owned(), message, field, expected };
        // Texts and nothing else: that is always JSON.
        let body = serde_json::to_vec(&Refused { error: said }).unwrap_or_default();
        let kind = HeaderValue::from_static("application/json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // The code for the metrics; the layer that counts takes it away.
        response.headers_mut().insert(CODE, HeaderValue::from_static(code));
        response
    }
}

/// Carries the code of a refusal to the layer that counts.
pub(crate) const CODE: HeaderName = HeaderName::from_static("x-refusal");

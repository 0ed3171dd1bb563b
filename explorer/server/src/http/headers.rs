//! Around every answer: a name for the request, how far the index is, what browsers may do with it, a
//! bound on its time, and what the metrics count.

use crate::{App, Refusal, refusal::CODE};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};
use tracing::Instrument as _;

/// What the page may do: everything of its own, nothing of others.
pub const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
img-src 'self' data: blob:; worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
frame-ancestors 'none'; form-action 'self'";

const ALWAYS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// The route that answered, for the metrics.
#[derive(Clone, Copy)]
pub struct Routed(pub &'static str);

/// Answers within the bounds, and with what every answer has.
pub async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id(request.headers());
    let span = tracing::info_span!("request", id = %id, method = %request.method(), path = %request.uri().path());
    let mut response = bounded(&app, request, next).instrument(span.clone()).await;
    let _entered = span.enter();
    let code = response.headers_mut().remove(CODE);
    let code = code.as_ref().and_then(|code| code.to_str().ok()).unwrap_or("");
    let route = response.extensions().get::<Routed>().map_or("page", |routed| routed.0);
    app.metrics.answered(route, response.status().as_u16(), code, began.elapsed());
    tracing::debug!(
        status = response.status().as_u16(),
        code,
        ms = began.elapsed().as_millis(),
        "answered"
    );
    mark(&app, &id, response.headers_mut());
    response
}

async fn bounded(app: &App, request: Request, next: Next) -> Response {
    let Ok(_place) = app.places.try_acquire() else {
        return Refusal::busy("requests").into_response();
    };
    let seconds = app.settings.limits.seconds;
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(std::time::Duration::from_secs(seconds), answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Refusal::internal("a handler panicked").into_response(),
        Err(_) => {
            let said = format!("the answer took longer than {seconds} s");
            Refusal::new(StatusCode::GATEWAY_TIMEOUT, "timeout", said).into_response()
        }
    }
}

fn mark(app: &App, id: &str, headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if app.settings.is_secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    // Answers of the interface are somebody's: no cache keeps them.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let standing = app.index.standing();
    let problem = standing.problem.as_deref().map(|problem| {
        percent_encoding::utf8_percent_encode(problem, percent_encoding::NON_ALPHANUMERIC)
            .to_string()
    });
    for (name, value) in [
        ("x-request-id", Some(id.to_owned())),
        ("x-explorer-height", Some(standing.indexed.to_string())),
        ("x-explorer-head", Some(standing.head.to_string())),
        ("x-explorer-lag-ms", Some(standing.lag_ms.to_string())),
        ("x-explorer-problem", problem),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The request's name as it was given, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let good = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    given.filter(good).map_or_else(|| hex::encode(crate::random::bytes::<8>()), str::to_owned)
}

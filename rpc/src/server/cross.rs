//! What pages of a browser need (Fetch standard, CORS), `GET /health`, and answers that are
//! compressed.

use super::{answers::error_text, envelope::NO_ID, session::Session};
use crate::{access::note_stranger, error};
use billchain_access::{Access, Denied, ListenerConfig, code};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
        CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER, VARY,
    },
};
use std::io::Write;

/// Shorter answers are not compressed.
pub(super) const SHORT: usize = 1 << 10;

/// Headers that pages may send.
const ASKED: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, x-api-key, x-billchain-key, x-billchain-nonce, \
     x-billchain-signature, x-billchain-timestamp, x-request-id",
);

/// The origin of the page that asks, if one does and may.
pub(super) fn origin(
    listener: &ListenerConfig,
    headers: &HeaderMap,
) -> Result<Option<HeaderValue>, Denied> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(None) };
    let text = origin.to_str().unwrap_or_default();
    if origins.next().is_none() && listener.takes_origin(text) {
        return Ok(Some(origin.clone()));
    }
    let shown: String = text.chars().take(64).collect();
    let words = format!("pages of \"{shown}\" may not call this listener (access: origins)");
    Err(Denied::new(code::ORIGIN_REFUSED, words))
}

/// Lets the page read the answer.
pub(super) fn readable(response: &mut Response<Full<Bytes>>, origin: Option<HeaderValue>) {
    let Some(origin) = origin else { return };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("x-request-id, retry-after"),
    );
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// The answer to what a browser asks before it asks.
pub(super) fn preflight() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ASKED);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers
        .insert(HeaderName::from_static("allow"), HeaderValue::from_static("GET, OPTIONS, POST"));
    response
}

/// `GET /health`: that the node answers, and how far it is.
pub(super) fn health(session: &Session) -> Response<Full<Bytes>> {
    let height = session.methods.context.deps.chain.head().number;
    let body = format!("{{\"status\":\"ok\",\"height\":{height}}}\n");
    let mut response = Response::new(Full::new(Bytes::from(body)));
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The answer to who is not served at all, counted and noted.
pub(super) fn denied(session: &Session, denied: &Denied) -> Response<Full<Bytes>> {
    let peer = &session.peer;
    note_stranger(&session.methods.context, &peer.listener, peer.address, denied);
    let text = error_text(NO_ID, &error::denied(denied));
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() =
        StatusCode::from_u16(denied.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    if let Some(wait) = denied.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
    response
}

/// Whether a long answer is compressed.
pub(super) fn accepts(listener: &ListenerConfig, headers: &HeaderMap) -> bool {
    listener.compress && accepts_gzip(headers)
}

/// Whether `gzip` stands in `Accept-Encoding`, and not with a weight of nothing.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_nothing = |part: &str| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| {
                weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0)
            })
        };
        is_gzip && !parts.any(is_nothing)
    })
}

/// The text, compressed quickly.
pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

/// Says that the answer is compressed.
pub(super) fn is_gzip(response: &mut Response<Full<Bytes>>) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
}

/// Whether the caller is known only when the body is.
pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    Access::is_signed(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        [(name, HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    #[test]
    fn gzip_is_accepted_where_it_stands() {
        for (text, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(&headers(ACCEPT_ENCODING, text)), expected, "{text}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn pages_of_this_machine_may_call_the_plain_listener_and_others_not() {
        let access = Access::plain(([127, 0, 0, 1], 0).into(), 1);
        let rules = access.rules();
        let listener = rules.listener("local").unwrap();
        for (text, expected) in [
            ("http://localhost:3000", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:80", true),
            ("http://localhost.evil.example", false),
            ("http://localhost:x", false),
            ("https://evil.example", false),
            ("null", false),
        ] {
            let found = origin(listener, &headers(ORIGIN, text));
            assert_eq!(found.is_ok(), expected, "{text}");
        }
        assert_eq!(origin(listener, &HeaderMap::new()), Ok(None));
    }
}

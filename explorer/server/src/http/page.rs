//! The page, which is part of the program.

use crate::Refusal;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// A file of the page.
pub struct File {
    path: &'static str,
    tag: &'static str,
    bytes: &'static [u8],
    /// Packed by gzip; empty if that is not worth it.
    packed: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The file at a path; for the page's own routes the page.
pub fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if path == "/api" || path.starts_with("/api/") {
        return Refusal::not_found("path").into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", "a page is read")
            .into_response();
    }
    // A DID has dots, so a route of the page may look like a file's name; files of the page lie in
    // `/assets/` or are asked for by one name at the root.
    let at_root = !path.trim_start_matches('/').contains('/') && path.contains('.');
    let is_route = !path.starts_with("/assets/") && !at_root;
    let find = |path: &str| FILES.iter().find(|file| file.path == path);
    match find(path).or_else(|| find("/index.html").filter(|_| is_route)) {
        Some(file) => file.answer(headers),
        None => Refusal::not_found("file").into_response(),
    }
}

impl File {
    fn answer(&self, asked: &HeaderMap) -> Response {
        let contains = |name, text: &str| {
            asked
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
                .is_some_and(|value| value.contains(text))
        };
        let tag = format!("\"{}\"", self.tag);
        let forever = self.path.starts_with("/assets/");
        let cache = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
        let unchanged = contains(header::IF_NONE_MATCH, &tag);
        let packed = !self.packed.is_empty() && contains(header::ACCEPT_ENCODING, "gzip");
        let body = match (unchanged, packed) {
            (true, _) => Body::empty(),
            (false, true) => Body::from(self.packed),
            (false, false) => Body::from(self.bytes),
        };
        let mut response = Response::new(body);
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        if packed && !unchanged {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn kind(&self) -> &'static str {
        match self.path.rsplit('.').next().unwrap_or_default() {
            "html" => "text/html; charset=utf-8",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "json" | "map" => "application/json",
            "webmanifest" => "application/manifest+json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "ico" => "image/x-icon",
            "woff2" => "font/woff2",
            "wasm" => "application/wasm",
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_of_the_page_give_the_page_and_missing_files_do_not() {
        let status = |path: &str| answer(&Method::GET, path, &HeaderMap::new()).status();
        for path in [
            "/",
            "/bills",
            "/bills/31060125-0000000101",
            "/participants/did:bill:a.b",
            "/index.html",
        ] {
            assert_eq!(status(path), StatusCode::OK, "{path}");
        }
        for path in ["/nothing.js", "/assets/../Cargo.toml", "/api/v1/nothing", "/api"] {
            assert_eq!(status(path), StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(
            answer(&Method::POST, "/", &HeaderMap::new()).status(),
            StatusCode::METHOD_NOT_ALLOWED
        );
    }

    #[test]
    fn what_did_not_change_is_not_sent_again() {
        let first = answer(&Method::GET, "/", &HeaderMap::new());
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer(&Method::GET, "/", &headers).status(), StatusCode::NOT_MODIFIED);
    }
}

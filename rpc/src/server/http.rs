//! HTTP/1.1: one request after the other on a connection.

use super::{
    answer::answer,
    answers::{Reply, error_text},
    cross,
    envelope::NO_ID,
    session::Session,
    socket,
};
use crate::{
    budget::{Room, Waits},
    error,
    lanes::PATIENCE,
    traces::{request_id, request_span},
};
use billchain_access::{Denied, Head, ListenerConfig, code};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use soketto::handshake;
use std::convert::Infallible;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

const JSON: &str = "application/json; charset=utf-8";
/// Room that a body has before any of it comes, in bytes, as far as it announces so
/// many. One whose length was not announced takes its room in multiples of it.
const FIRST: usize = 4 << 10;
const TEXT: &str = "text/plain; charset=utf-8";
/// The request's id, in the request and in the answer.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request, in its span.
pub(super) async fn respond(
    session: Session,
    request: Request<Incoming>,
    stop: CancellationToken,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let id = request_id(request.headers().get(&REQUEST_ID));
    let answered = respond_within(session, request, stop).instrument(request_span(&id)).await;
    answered.map(|mut response| {
        response.headers_mut().insert(REQUEST_ID.clone(), id);
        response
    })
}

async fn respond_within(
    session: Session,
    request: Request<Incoming>,
    stop: CancellationToken,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let rules = session.methods.context.access.rules();
    let Some(listener) = rules.listener(&session.peer.listener) else {
        let words = "the listener is no more: the configuration was changed";
        return Ok(cross::denied(&session, &Denied::new(code::LISTENER_CLOSED, words)));
    };
    let origin = match cross::origin(listener, request.headers()) {
        Ok(origin) => origin,
        Err(denied) => {
            session.methods.context.access.count(&denied);
            return Ok(cross::denied(&session, &denied));
        }
    };
    let refuses = session.clone();
    let answered = answered(session, request, stop, listener).await;
    if answered.as_ref().is_ok_and(|response| response.status() == StatusCode::UNAUTHORIZED) {
        refuses.penalty().await;
    }
    answered.map(|mut response| {
        cross::readable(&mut response, origin);
        response
    })
}

/// The answer to a request of a page that may ask, or of no page.
async fn answered(
    session: Session,
    request: Request<Incoming>,
    stop: CancellationToken,
    listener: &ListenerConfig,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::OPTIONS {
        return Ok(cross::preflight());
    }
    let is_upgrade = handshake::http::is_upgrade_request(&request);
    if request.method() == Method::GET && request.uri().path() == "/health" && !is_upgrade {
        return Ok(cross::health(&session));
    }
    let is_signed = cross::is_signed(request.headers());
    let session = match is_signed && !is_upgrade {
        true => session,
        // Who is nobody is told so before a body is read.
        false => match known(session, &request_head(&request), listener, &[]) {
            Ok(session) => session,
            Err(response) => return Ok(*response),
        },
    };
    if is_upgrade {
        return Ok(upgrade(session, request, stop));
    }
    if request.method() != Method::POST {
        return Ok(plain(StatusCode::METHOD_NOT_ALLOWED, "POST is expected\n"));
    }
    if !is_json(request.headers().get(CONTENT_TYPE)) {
        let words = "Content-Type: application/json is expected\n";
        return Ok(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    }
    let head = request_head(&request);
    let (message, room) = match read(&session, request.into_body()).await {
        Ok(read) => read,
        Err(Unread::Broken) => return Ok(plain(StatusCode::BAD_REQUEST, "the body ended early\n")),
        Err(Unread::Refused(status, error)) => {
            return Ok(response(status, JSON, error_text(NO_ID, &error).into()));
        }
    };
    let session = match is_signed {
        false => session,
        true => match known(session, &head, listener, &message) {
            Ok(session) => session,
            Err(response) => return Ok(*response),
        },
    };
    let Some(reply) = answer(&session, message, room).await else {
        // Nothing but notifications.
        return Ok(response(StatusCode::NO_CONTENT, JSON, Bytes::new()));
    };
    Ok(packed(&session, reply, cross::accepts(listener, &head.headers)).await)
}

/// The answer, compressed if it may be and that is worth it.
async fn packed(session: &Session, reply: Reply, accepts_gzip: bool) -> Response<Full<Bytes>> {
    let length = reply.text.len();
    let mut text = reply.text.into_bytes();
    let is_gzip = accepts_gzip && length >= cross::SHORT;
    if is_gzip {
        // Long ones in a turn. If the node stops meanwhile, nobody waits for it.
        text = session.turns.read(length, move || cross::gzip(&text)).await.unwrap_or_default();
    }
    let waits = session.share.waits_for_reader();
    let held = Held { text, _room: reply.room, _waits: waits };
    let mut response = response(StatusCode::OK, JSON, Bytes::from_owner(held));
    if is_gzip {
        cross::is_gzip(&mut response);
    }
    response
}

/// What says who asks.
struct RequestHead {
    method: Method,
    target: String,
    headers: HeaderMap,
}

fn request_head<B>(request: &Request<B>) -> RequestHead {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    RequestHead { method: request.method().clone(), target, headers: request.headers().clone() }
}

/// The session of who asks, or what it is told.
fn known(
    session: Session,
    head: &RequestHead,
    listener: &ListenerConfig,
    body: &[u8],
) -> Result<Session, Box<Response<Full<Bytes>>>> {
    let peer = &session.peer;
    let asked = Head {
        address: peer.address,
        certificate: peer.certificate,
        method: head.method.as_str(),
        target: &head.target,
        headers: &head.headers,
    };
    match session.methods.context.access.identify(listener, asked, body) {
        Ok(caller) => Ok(session.called_by(caller)),
        Err(denied) => Err(Box::new(cross::denied(&session, &denied))),
    }
}

/// An answer with what it holds until it was written.
struct Held {
    text: Vec<u8>,
    _room: Room,
    _waits: Waits,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

fn upgrade(
    session: Session,
    request: Request<Incoming>,
    stop: CancellationToken,
) -> Response<Full<Bytes>> {
    let mut handshake = handshake::http::Server::new();
    match handshake.receive_request(&request) {
        Ok(accepted) => {
            let conversation = async move {
                // What a client does wrong with its connection is its affair.
                if let Ok(upgraded) = hyper::upgrade::on(request).await {
                    socket::serve(session, upgraded, handshake, stop).await;
                }
            };
            tokio::spawn(conversation.in_current_span());
            accepted.map(|()| Full::default())
        }
        Err(error) => plain(StatusCode::BAD_REQUEST, &format!("no WebSocket: {error}\n")),
    }
}

/// Why there is no message.
enum Unread {
    /// The client ended it.
    Broken,
    Refused(StatusCode, error::Refusal),
}

/// The body, whose bytes take room as they come: when some come beyond the
/// first, all that was announced does.
async fn read(session: &Session, mut body: Incoming) -> Result<(Bytes, Room), Unread> {
    let limit = session.methods.context.config.max_request_bytes;
    let too_long =
        || Unread::Refused(StatusCode::PAYLOAD_TOO_LARGE, error::request_too_long(limit));
    let most = limit as usize;
    let busy = |full| {
        session.methods.context.metrics.refused_busy();
        Unread::Refused(StatusCode::SERVICE_UNAVAILABLE, error::busy(&full))
    };
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > most {
        return Err(too_long());
    }
    let share = &session.share;
    let room = share.wait(announced.clamp(1, FIRST), PATIENCE).await;
    let (mut message, mut room) = (Vec::new(), room.map_err(busy)?);
    let mut waits = share.waits_for_rest();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        let length = message.len() + frame.len();
        if length > most {
            return Err(too_long());
        }
        if length > room.bytes() {
            // By an eighth, so that what has come is moved a few times only.
            let step = (length + length / 8).next_multiple_of(FIRST).min(most);
            let more = announced.max(step) - room.bytes();
            if share.grow(&mut room, more).is_err() {
                // Meanwhile it is the client that waits.
                drop(waits);
                let rest = share.wait_for_message(room.bytes(), more, PATIENCE).await;
                room.add(rest.map_err(busy)?);
                waits = share.waits_for_rest();
            }
        }
        message.reserve_exact(room.bytes() - message.len());
        message.extend_from_slice(&frame);
    }
    drop(waits);
    Ok((message.into(), room))
}

/// Whether a content type is JSON's, whatever its parameters.
fn is_json(value: Option<&HeaderValue>) -> bool {
    let Some(value) = value.and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let is_utf8 = parts.all(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else { return parameter.is_empty() };
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    is_utf8
        && ["application/json", "application/json-rpc"]
            .iter()
            .any(|json| kind.eq_ignore_ascii_case(json))
}

fn plain(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    response(status, TEXT, Bytes::copy_from_slice(words.as_bytes()))
}

fn response(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_in_quotes_is_a_charset() {
        for (text, expected) in [
            ("application/json", true),
            ("Application/JSON;charset=utf-8", true),
            ("application/json; charset=\"UTF-8\"", true),
            ("application/json; charset = utf-8 ; v=1", true),
            ("application/json-rpc", true),
            ("application/json; charset=gbk", false),
            ("application/json; charset=\"gb18030\"", false),
            ("text/plain", false),
            ("", false),
        ] {
            let value = HeaderValue::from_str(text).unwrap();
            assert_eq!(is_json(Some(&value)), expected, "{text}");
        }
        assert!(!is_json(None));
    }
}

//! From a request to its handler: rate, session, role, token against forgery, parameters. Whatever
//! does not fit is refused before a handler sees it.

use super::{headers::Routed, rates::Whose};
use crate::{
    Answer, App, Call, Refusal,
    auth::{User, sessions::Sessions},
    given::Given,
    route::{Method, Pace, Route},
    time,
};
use axum::{
    RequestExt as _,
    extract::{ConnectInfo, RawPathParams, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

/// Longest body.
const MAX_BODY: usize = 16 * 1024;

/// Answers a request by its route.
pub async fn run(app: Arc<App>, route: &'static Route, request: Request) -> Response {
    let answer = checked(app, route, request).await;
    let mut response = answer.unwrap_or_else(axum::response::IntoResponse::into_response);
    response.extensions_mut().insert(Routed(route.path));
    response
}

async fn checked(app: Arc<App>, route: &'static Route, mut request: Request) -> Answer {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address = asker(peer, request.headers(), &app.settings.trusted_proxies);
    let cookie = cookie_of(&app, request.headers());
    let signed_in = cookie.as_deref().and_then(|cookie| app.sessions.user(cookie, time::now()));
    let user = signed_in.or_else(|| anyone(&app));
    pace(&app, route, user.as_ref(), &address)?;
    if !route.who.admits(user.as_ref().map(|user| user.role)) {
        return Err(if user.is_none() {
            Refusal::login_required()
        } else {
            Refusal::forbidden(route.who.told())
        });
    }
    if route.method != Method::Get {
        own_page(&app, request.headers(), cookie.as_deref())?;
    }
    let mut given = of_path(&mut request, route).await?;
    given.join(Given::of_query(request.uri().query().unwrap_or_default(), route.query)?);
    if matches!(route.method, Method::Post | Method::Put) {
        given.join(of_body(request, route).await?);
    }
    let cookie = cookie.unwrap_or_else(Sessions::anonymous);
    (route.handler)(Call { app, user, given, cookie, address }).await
}

/// Who is not signed in, where a demonstration gives everybody a role.
fn anyone(app: &App) -> Option<User> {
    let role = app.settings.login.anyone?;
    Some(User { name: "anyone".to_owned(), role, did: None })
}

/// Takes one request of the asker's rate.
fn pace(app: &App, route: &Route, user: Option<&User>, address: &str) -> Result<(), Refusal> {
    let whose = match (route.pace, user) {
        (Pace::Login, _) => Whose::Login(address.to_owned()),
        (Pace::Reading, Some(user)) => Whose::User(user.name.clone()),
        (Pace::Reading, None) => Whose::Address(address.to_owned()),
    };
    app.rates.take(whose, Instant::now()).map_err(Refusal::too_many)
}

/// The address that asks: the last in `x-forwarded-for` that is no trusted proxy, if the peer is one.
fn asker(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpAddr]) -> String {
    let Some(peer) = peer else { return "unknown".to_owned() };
    if !proxies.contains(&peer) {
        return peer.to_string();
    }
    let all: Vec<_> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let named = all.iter().rev().flat_map(|value| value.rsplit(','));
    let mut parsed = named.map_while(|text| text.trim().parse::<IpAddr>().ok());
    parsed.find(|address| !proxies.contains(address)).unwrap_or(peer).to_string()
}

/// Name of the cookie.
pub fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-billchain_session" } else { "billchain_session" }
}

/// The header that gives a cookie to the browser.
///
/// # Errors
/// Never: the values are digits.
pub fn cookie_header(app: &App, value: &str) -> Result<HeaderValue, Refusal> {
    let secure = app.settings.is_secure();
    let (name, mark) = (cookie_name(secure), if secure { "; Secure" } else { "" });
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{mark}");
    HeaderValue::from_str(&text).map_err(Refusal::internal)
}

fn cookie_of(app: &App, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(app.settings.is_secure());
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned());
    found.filter(|value| Sessions::is_cookie(value))
}

/// Whether a request that changes something comes from our own page.
fn own_page(app: &App, headers: &HeaderMap, cookie: Option<&str>) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site")
        && !matches!(site, "same-origin" | "none")
    {
        return Err(Refusal::csrf("the request comes from another site"));
    }
    if let Some(origin) = text("origin") {
        let host = text("host").unwrap_or_default();
        let own = origin == app.settings.address()
            || origin
                .split_once("://")
                .is_some_and(|(_, authority)| authority == host && !host.is_empty());
        if !own {
            return Err(Refusal::csrf("the request comes from another origin"));
        }
    }
    let token = text("x-csrf-token").unwrap_or_default();
    match cookie {
        Some(cookie) if app.sessions.is_token(cookie, token) => Ok(()),
        Some(_) => Err(Refusal::csrf("x-csrf-token is missing or another session's")),
        None => Err(Refusal::csrf("there is no session cookie")),
    }
}

async fn of_path(request: &mut Request, route: &Route) -> Result<Given, Refusal> {
    if route.places.is_empty() {
        return Ok(Given::default());
    }
    let bad = |_| Refusal::malformed("path", "UTF-8");
    let params = request.extract_parts::<RawPathParams>().await.map_err(bad)?;
    let texts = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Given::of_texts(texts.collect::<Vec<_>>(), route.places)
}

async fn of_body(request: Request, route: &Route) -> Result<Given, Refusal> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != "application/json" {
        let said = Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            "the body is no application/json",
        );
        return Err(said.expecting("content-type: application/json"));
    }
    let body = axum::body::to_bytes(request.into_body(), MAX_BODY).await.map_err(|_| {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the body is too large, or did not come whole",
        )
        .expecting(format!("at most {MAX_BODY} bytes"))
    })?;
    match serde_json::from_slice(&body) {
        Ok(serde_json::Value::Object(object)) => Given::of_object(object, route.body),
        Ok(_) => Err(Refusal::malformed("body", "a JSON object")),
        Err(error) => Err(Refusal::malformed("body", format!("a JSON object: {error}"))),
    }
}

/// The answer to a method that a path does not have.
pub async fn other_method() -> Response {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", "the path has another method")
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_who_asks() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("1.1.1.1, 2.2.2.2, 10.0.0.1"));
        let asks = |peer: &str, proxies: &[IpAddr]| asker(peer.parse().ok(), &headers, proxies);
        assert_eq!(asks("10.0.0.1", &[proxy]), "2.2.2.2");
        assert_eq!(asks("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(asks("9.9.9.9", &[proxy]), "9.9.9.9");
        headers.insert("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(asker(Some(proxy), &headers, &[proxy]), "10.0.0.1");
    }
}

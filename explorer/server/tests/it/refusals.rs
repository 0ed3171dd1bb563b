//! What every answer has, and what is refused before any handler sees it.

use crate::{Server, code, value};
use billchain_explorer::auth::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn every_answer_says_where_the_index_is_and_forbids_everything_foreign() {
    let server = Server::new().await;
    let asker = server.as_role(None);
    for path in [
        "/",
        "/bills",
        "/api/v1/status",
        "/api/v1/bills",
        "/api/v1/nothing",
        "/nothing.js",
        "/health",
    ] {
        let answer = asker.get(path).await;
        let headers = answer.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'self'") && !policy.contains("unsafe-inline"),
            "{path}"
        );
        assert!(!policy.contains("http"), "{path}: {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-explorer-height", "0"),
            ("x-explorer-head", "7"),
            ("x-explorer-lag-ms", "3"),
        ] {
            assert_eq!(headers[name], value, "{path} {name}");
        }
        assert!(
            !headers["x-request-id"].is_empty() && !headers.contains_key("x-refusal"),
            "{path}"
        );
    }
    assert_eq!(asker.get("/api/v1/status").await.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn what_changes_something_needs_the_sessions_token_and_our_own_page() {
    let server = Server::new().await;
    let auditor = server.as_role(Some(Role::Auditor));
    let body = json!({"what": "scenes", "format": "csv"}).to_string();
    let send = |name: &'static str, value: String| {
        let request = auditor.request(Method::POST, "/api/v1/exports");
        let mut request = request.build().unwrap();
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        request.headers_mut().insert(name, value.parse().unwrap());
        *request.body_mut() = Some(body.clone().into());
        async move { reqwest::Client::new().execute(request).await.unwrap() }
    };
    let other = server.as_role(Some(Role::Auditor)).csrf;
    for (name, value) in [
        ("x-csrf-token", String::new()),
        ("x-csrf-token", other),
        ("origin", "https://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
        ("cookie", String::new()),
    ] {
        let answer = send(name, value.clone()).await;
        assert!(answer.status().is_client_error(), "{name}: {value}");
        assert!(
            matches!(code(answer).await.as_str(), "csrf" | "login_required"),
            "{name}: {value}"
        );
    }
    assert_eq!(send("origin", server.address.clone()).await.status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn bodies_and_parameters_that_do_not_fit_are_named() {
    let server = Server::new().await;
    let asker = server.as_role(Some(Role::Auditor));
    let post = |kind: &'static str, body: String| {
        let request =
            asker.request(Method::POST, "/api/v1/verify").header("content-type", kind).body(body);
        async move { request.send().await.unwrap() }
    };
    assert_eq!(code(post("text/plain", "{}".into()).await).await, "media_type");
    assert_eq!(code(post("application/json", " ".repeat(20_000)).await).await, "too_large");
    for (body, field) in [
        ("", "body"),
        ("[]", "body"),
        ("{\"code\": \"31060125\"", "body"),
        ("{}", "code"),
        ("{\"code\": 31060125, \"number\": \"0000000101\"}", "code"),
        ("{\"code\": \"31060125\", \"number\": \"0000000101\", \"x\": 1}", "x"),
        ("{\"code\": \"31060125\", \"number\": \"0000000101\", \"kind\": \"xml\"}", "kind"),
    ] {
        let answer = post("application/json", body.into()).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(value(answer).await["error"]["field"], field, "{body}");
    }
    for (path, field) in [
        ("/api/v1/bills?limit=101", "limit"),
        ("/api/v1/bills?payer=0x12", "payer"),
        ("/api/v1/bills?status=used", "status"),
        ("/api/v1/bills?cursor=nonsense", "cursor"),
        ("/api/v1/bills/31060125-1", "bill"),
        ("/api/v1/scenes/70000", "id"),
        ("/api/v1/blocks/0x12", "id"),
        ("/api/v1/statistics", "by"),
    ] {
        let answer = asker.get(path).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(value(answer).await["error"]["field"], field, "{path}");
    }
    assert_eq!(
        asker.request(Method::PATCH, "/api/v1/bills").send().await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn who_asks_too_often_waits() {
    let server = Server::with(|settings| settings.limits.address_rate = 1).await;
    let asker = server.as_role(None);
    let mut codes = Vec::new();
    for _ in 0..10 {
        let answer = asker.get("/api/v1/status").await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers().contains_key("retry-after"));
        }
        codes.push(answer.status().as_u16());
    }
    assert_eq!(codes[..4], [200; 4]);
    assert_eq!(codes[9], 429);
}

#[tokio::test]
async fn guessing_check_codes_is_slowed_and_tells_nothing() {
    let server = Server::new().await;
    let asker = server.as_role(None);
    let ask = |number: u32| {
        let body =
            json!({"code": "31060125", "number": format!("{number:010}"), "check_code": "aaaaaa"});
        let asker = &asker;
        async move { asker.post("/api/v1/verify", &body).await }
    };
    for number in 0..5 {
        let answer = value(ask(number).await).await;
        assert_eq!(
            (answer["verdict"].as_str(), answer["bill"].is_null()),
            (Some("not_found"), true)
        );
    }
    assert_eq!(ask(6).await.status(), StatusCode::LOCKED);
    // Without a check code the public is told what is missing.
    let body = json!({"code": "31060125", "number": "0000000101"});
    assert_eq!(
        value(asker.post("/api/v1/verify", &body).await).await["error"]["field"],
        "check_code"
    );
}

#[tokio::test]
async fn a_bill_outside_ones_scope_is_as_if_it_were_not_there_and_the_look_is_logged() {
    let server = Server::new().await;
    let participant = server.as_role(Some(Role::Participant));
    assert_eq!(code(participant.get("/api/v1/bills/31060125-0000000101").await).await, "not_found");
    let log = value(
        server.as_role(Some(Role::Auditor)).get("/api/v1/access-log?action=bill_refused").await,
    )
    .await;
    assert_eq!(log["items"][0]["who"], "a-participant");
    assert_eq!(log["items"][0]["target"], "31060125-0000000101");
    let check =
        value(server.as_role(Some(Role::Auditor)).get("/api/v1/access-log/check").await).await;
    assert_eq!(check["intact"], true);
}

#[tokio::test]
async fn an_export_is_written_and_belongs_to_who_began_it() {
    let server = Server::new().await;
    let auditor = server.as_role(Some(Role::Auditor));
    for format in ["csv", "xlsx"] {
        let begun = value(
            auditor.post("/api/v1/exports", &json!({"what": "scenes", "format": format})).await,
        )
        .await;
        let place = format!("/api/v1/exports/{}", begun["id"].as_str().unwrap());
        let done = loop {
            let shown = value(auditor.get(&place).await).await;
            if shown["state"] != "running" {
                break shown;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(
            (done["state"].as_str(), &done["problem"]),
            (Some("done"), &serde_json::Value::Null)
        );
        let stranger = server.as_role(Some(Role::Administrator));
        assert_eq!(stranger.get(&place).await.status(), StatusCode::NOT_FOUND);
        let file = auditor.get(done["url"].as_str().unwrap()).await;
        assert!(
            file.headers()["content-disposition"].to_str().unwrap().contains("billchain-scenes-")
        );
        assert!(!file.bytes().await.unwrap().is_empty());
        let gone = auditor.request(Method::DELETE, &place).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NO_CONTENT);
        assert_eq!(auditor.get(&place).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn events_begin_with_the_status_and_lines_are_bounded() {
    let server = Server::new().await;
    let asker = server.as_role(None);
    let mut lines = Vec::new();
    for _ in 0..4 {
        let mut line = asker.get("/api/v1/events").await;
        assert_eq!(line.headers()["content-type"], "text/event-stream");
        let first = line.chunk().await.unwrap().unwrap();
        assert!(first.starts_with(b"event: status\ndata: {"), "{first:?}");
        lines.push(line);
    }
    assert_eq!(asker.get("/api/v1/events").await.status(), StatusCode::TOO_MANY_REQUESTS);
}

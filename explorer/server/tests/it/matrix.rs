//! Every route against every role.

use crate::{Server, code};
use billchain_explorer::{api::routes, auth::Role, route::Method};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Who may, written down again: p(ublic), P(articipant), O(perator), A(uditor), X (administrator).
const MAY: &[(&str, &str, &str)] = &[
    ("get", "/session", "pPOAX"),
    ("post", "/session/challenge", "pPOAX"),
    ("post", "/session/sm2", "pPOAX"),
    ("post", "/session/password", "pPOAX"),
    ("get", "/session/oidc", "pPOAX"),
    ("get", "/session/oidc/callback", "pPOAX"),
    ("post", "/session/logout", "pPOAX"),
    ("post", "/session/password/change", "POAX"),
    ("get", "/users", "X"),
    ("post", "/users", "X"),
    ("put", "/users/{name}", "X"),
    ("delete", "/users/{name}", "X"),
    ("post", "/verify", "pPOAX"),
    ("get", "/bills", "POAX"),
    ("get", "/bills/{bill}", "POAX"),
    ("get", "/bills/{bill}/certificate", "pPOAX"),
    ("get", "/bills/{bill}/certificate.pdf", "pPOAX"),
    ("get", "/search", "pPOAX"),
    ("get", "/blocks", "pPOAX"),
    ("get", "/blocks/{id}", "pPOAX"),
    ("get", "/transactions", "POAX"),
    ("get", "/transactions/{id}", "POAX"),
    ("get", "/participants", "POAX"),
    ("get", "/participants/{did}", "POAX"),
    ("get", "/nodes", "POAX"),
    ("get", "/nodes/{did}", "POAX"),
    ("get", "/scenes", "POAX"),
    ("get", "/scenes/{id}", "POAX"),
    ("get", "/policies", "POAX"),
    ("get", "/policies/{id}", "POAX"),
    ("get", "/rules", "POAX"),
    ("get", "/grants", "POAX"),
    ("get", "/grants/{id}", "POAX"),
    ("get", "/disputes", "POAX"),
    ("get", "/disputes/{id}", "POAX"),
    ("get", "/motions", "POAX"),
    ("get", "/motions/{id}", "POAX"),
    ("get", "/validators", "pPOAX"),
    ("get", "/status", "pPOAX"),
    ("get", "/health", "pPOAX"),
    ("get", "/openapi.json", "pPOAX"),
    ("get", "/events", "pPOAX"),
    ("get", "/summary", "pPOAX"),
    ("get", "/statistics", "POAX"),
    ("get", "/reports/month.pdf", "POAX"),
    ("get", "/operations", "OAX"),
    ("get", "/access-log", "PAX"),
    ("get", "/access-log/check", "AX"),
    ("post", "/exports", "POAX"),
    ("get", "/exports/{id}", "POAX"),
    ("delete", "/exports/{id}", "POAX"),
    ("get", "/exports/{id}/file", "POAX"),
];

/// A path and a body that the route takes.
fn example(path: &str) -> (String, Value) {
    let hash = format!("0x{}", "ab".repeat(32));
    let place = path
        .replace("{bill}", "31060125-0000000101")
        .replace("{did}", "did:bill:nobody")
        .replace("/grants/{id}", &format!("/grants/{hash}"))
        .replace("/transactions/{id}", &format!("/transactions/{hash}"))
        .replace("{id}", "1")
        .replace("{name}", "nobody");
    let query = match path {
        "/search" => "?q=nothing",
        "/statistics" => "?by=month",
        "/reports/month.pdf" => "?month=202503",
        "/session/oidc/callback" => "?state=a&code=b",
        "/bills/{bill}/certificate" | "/bills/{bill}/certificate.pdf" => "?check_code=abcdef",
        _ => "",
    };
    let body = match path {
        "/session/sm2" => {
            json!({"id": "a", "public_key": format!("0x{}", "02".repeat(33)), "signature": format!("0x{}", "11".repeat(64))})
        }
        "/session/password" => json!({"name": "nobody", "password": "wrong"}),
        "/session/password/change" => json!({"old": "wrong", "new": "another one that is long"}),
        "/users" => json!({"name": "a b", "role": "auditor"}),
        "/users/{name}" => json!({"unlock": true}),
        "/verify" => json!({"code": "31060125", "number": "0000000101", "check_code": "abcdef"}),
        "/exports" => json!({"what": "scenes", "format": "csv"}),
        _ => json!({}),
    };
    (format!("/api/v1{place}{query}"), body)
}

#[test]
fn the_table_has_every_route_once() {
    let mut written: Vec<_> = MAY.iter().map(|(method, path, _)| (*method, *path)).collect();
    let mut served: Vec<_> =
        routes().iter().map(|route| (route.method.name(), route.path)).collect();
    written.sort_unstable();
    served.sort_unstable();
    assert_eq!(written, served);
}

#[tokio::test]
async fn each_role_is_let_in_where_it_may_and_nowhere_else() {
    let server = Server::new().await;
    let roles = [
        ('p', None),
        ('P', Some(Role::Participant)),
        ('O', Some(Role::Operator)),
        ('A', Some(Role::Auditor)),
        ('X', Some(Role::Administrator)),
    ];
    for (letter, role) in roles {
        for route in routes() {
            let asker = server.as_role(role);
            let (path, body) = example(route.path);
            let method = route.method.name().to_ascii_uppercase().parse().unwrap();
            let mut request = asker.request(method, &path);
            if matches!(route.method, Method::Post | Method::Put) {
                request = request.header("content-type", "application/json").body(body.to_string());
            }
            let answer = request.send().await.unwrap();
            let (status, told) =
                (answer.status(), format!("{letter} {} {path}", route.method.name()));
            assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{told}");
            let (_, _, may) = MAY
                .iter()
                .find(|(name, path, _)| (*name, *path) == (route.method.name(), route.path))
                .unwrap();
            // A line of events never ends, and other answers need not be read.
            let said = if status.is_client_error() { code(answer).await } else { String::new() };
            if may.contains(letter) {
                assert_ne!(said, "login_required", "{told}");
                let offered = route.path.starts_with("/session");
                assert!(said != "forbidden" || offered, "{told}");
            } else if role.is_none() {
                assert_eq!(
                    (status, said.as_str()),
                    (StatusCode::UNAUTHORIZED, "login_required"),
                    "{told}"
                );
            } else {
                assert_eq!((status, said.as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{told}");
            }
        }
    }
}

#[tokio::test]
async fn the_openapi_document_names_every_route_and_resolves() {
    let server = Server::new().await;
    let document = crate::value(server.as_role(None).get("/api/v1/openapi.json").await).await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for route in routes() {
        assert!(paths[route.path][route.method.name()].is_object(), "{}", route.path);
    }
    let text = document.to_string();
    for name in text
        .match_indices("#/components/schemas/")
        .map(|(at, found)| text[at + found.len()..].split('"').next().unwrap())
    {
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

//! Signing in, by each way; lock-out; the end of sessions.

use crate::{Server, code, cookie, value};
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_explorer::{
    auth::Role,
    store::{Line, NewUser},
    time,
};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::StatusCode;
use serde_json::json;
use sha1::Sha1;

/// RFC 6238, on its own: not the code that is judged.
fn one_time_code(user: &NewUser, steps: i64) -> String {
    let secret = BASE32_NOPAD.decode(user.totp_secret.as_bytes()).unwrap();
    let step = i64::try_from(time::now() / 30_000).unwrap() + steps;
    let mut mac = Hmac::<Sha1>::new_from_slice(&secret).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] % 16);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[tokio::test]
async fn password_and_code_sign_in_and_change_cookie_and_token() {
    let server = Server::new().await;
    let user = server.app.users.add("li", Role::Auditor, None).await.unwrap();
    let mut visitor = server.visitor().await;
    let (before, forged) = (visitor.cookie.clone(), visitor.csrf.clone());
    let body = json!({"name": "li", "password": user.password});
    assert_eq!(code(visitor.post("/api/v1/session/password", &body).await).await, "totp_required");
    let given = one_time_code(&user, 0);
    let body = json!({"name": "li", "password": user.password, "totp": given});
    let answer = visitor.post("/api/v1/session/password", &body).await;
    let session = visitor.take(answer).await;
    assert_eq!(session["user"]["role"], "auditor");
    assert_ne!(visitor.cookie, before);
    assert_ne!(visitor.csrf, forged);
    assert_eq!(visitor.get("/api/v1/access-log").await.status(), StatusCode::OK);
    // The code was taken once.
    let other = server.visitor().await;
    assert_eq!(
        code(other.post("/api/v1/session/password", &body).await).await,
        "wrong_credentials"
    );
    // Signed out, the cookie names nobody.
    assert_eq!(
        visitor.post("/api/v1/session/logout", &json!({})).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(code(visitor.get("/api/v1/access-log").await).await, "login_required");
}

#[tokio::test]
async fn five_failures_lock_a_name_and_an_administrator_opens_it() {
    let server = Server::new().await;
    let user = server.app.users.add("li", Role::Auditor, None).await.unwrap();
    let visitor = server.visitor().await;
    let wrong = json!({"name": "li", "password": "wrong wrong wrong", "totp": "000000"});
    for _ in 0..5 {
        assert_eq!(
            code(visitor.post("/api/v1/session/password", &wrong).await).await,
            "wrong_credentials"
        );
    }
    let right = json!({"name": "li", "password": user.password, "totp": one_time_code(&user, 0)});
    let answer = visitor.post("/api/v1/session/password", &right).await;
    assert_eq!(answer.status(), StatusCode::LOCKED);
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 800);
    let administrator = server.as_role(Some(Role::Administrator));
    let users = value(administrator.get("/api/v1/users").await).await;
    assert!(users["items"][0]["locked_until"].as_u64().unwrap() > time::now());
    let unlock = administrator.request(reqwest::Method::PUT, "/api/v1/users/li");
    let unlock = unlock.header("content-type", "application/json").body(r#"{"unlock": true}"#);
    assert_eq!(unlock.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(visitor.post("/api/v1/session/password", &right).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_name_that_nobody_has_is_refused_as_a_wrong_password_is() {
    let server = Server::new().await;
    server.app.users.add("li", Role::Auditor, None).await.unwrap();
    let visitor = server.visitor().await;
    let mut said = Vec::new();
    for name in ["li", "nobody"] {
        let body = json!({"name": name, "password": "wrong wrong wrong"});
        said.push(value(visitor.post("/api/v1/session/password", &body).await).await);
    }
    assert_eq!(said[0], said[1]);
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once() {
    let server = Server::new().await;
    server.app.users.add("li", Role::Auditor, None).await.unwrap();
    let user = billchain_explorer::auth::User { name: "li".into(), role: Role::Auditor, did: None };
    let mut li = server.visitor().await;
    li.cookie = server.app.sessions.begin(user, time::now());
    assert_eq!(li.get("/api/v1/bills").await.status(), StatusCode::OK);
    let administrator = server.as_role(Some(Role::Administrator));
    let disable = administrator.request(reqwest::Method::PUT, "/api/v1/users/li");
    let disable = disable.header("content-type", "application/json").body(r#"{"disabled": true}"#);
    assert_eq!(disable.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(code(li.get("/api/v1/bills").await).await, "login_required");
}

#[tokio::test]
async fn a_session_ends_and_says_so() {
    let server = Server::new().await;
    let auditor = server.as_role(Some(Role::Auditor));
    assert_eq!(auditor.get("/api/v1/bills").await.status(), StatusCode::OK);
    // As if the idle time were over.
    let later = time::now() + server.app.settings.lasting().idle + 1;
    assert!(server.app.sessions.user(&auditor.cookie, later).is_none());
    assert_eq!(code(auditor.get("/api/v1/bills").await).await, "login_required");
}

#[tokio::test]
async fn a_participants_key_signs_in_once_and_another_key_does_not() {
    let server = Server::new().await;
    let (did, key) = ("did:bill:hospital", billchain_chain_spec::dev::secret("//hospital"));
    let mut visitor = server.visitor().await;
    let asked = value(visitor.post("/api/v1/session/challenge", &json!({"did": did})).await).await;
    let answer = signed(&key, &asked);
    let stranger = signed(&SecretKey::generate(), &asked);
    assert_eq!(
        code(server.visitor().await.post("/api/v1/session/sm2", &stranger).await).await,
        "wrong_credentials"
    );
    // The stranger's session spoilt the challenge: it is asked for again.
    let asked = value(visitor.post("/api/v1/session/challenge", &json!({})).await).await;
    let again = signed(&key, &asked);
    assert_ne!(answer, again);
    let session = visitor.post("/api/v1/session/sm2", &again).await;
    let session = visitor.take(session).await;
    assert_eq!(session["user"]["did"], did);
    let twice = server.visitor().await.post("/api/v1/session/sm2", &again).await;
    assert_eq!(code(twice).await, "wrong_credentials");
}

fn signed(key: &SecretKey, asked: &serde_json::Value) -> serde_json::Value {
    let message = hex::decode(asked["message"].as_str().unwrap().trim_start_matches("0x")).unwrap();
    assert!(message.starts_with(b"billchain identity challenge:"));
    let signature = key.sign(DEFAULT_ID, &message).to_bytes();
    json!({
        "id": asked["id"],
        "public_key": format!("0x{}", hex::encode(key.public().to_compressed())),
        "signature": format!("0x{}", hex::encode(signature)),
    })
}

#[tokio::test]
async fn who_signs_in_and_who_does_not_is_in_the_log() {
    let server = Server::new().await;
    let visitor = server.visitor().await;
    let body = json!({"name": "nobody", "password": "wrong wrong wrong"});
    visitor.post("/api/v1/session/password", &body).await;
    let entries = server.app.log.entries(&Line { limit: 10, ..Line::default() }).await.unwrap();
    assert_eq!(
        (entries[0].action.as_str(), entries[0].target.as_str()),
        ("login_refused", "nobody")
    );
    assert!(!format!("{entries:?}").contains("wrong wrong"));
}

#[tokio::test]
async fn cookies_are_for_this_server_alone() {
    let server =
        Server::with(|settings| settings.public_url = Some("https://explorer.example".into()))
            .await;
    let answer = server.as_role(None).get("/api/v1/session").await;
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.starts_with("__Host-billchain_session="), "{set}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(answer.headers().contains_key("strict-transport-security"));
    assert_eq!(cookie(answer.headers()).unwrap().len(), 64);
}

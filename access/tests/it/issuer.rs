//! OAuth2 client credentials (RFC 6749, section 4.4) against an issuer of tokens that is a
//! server of its own: it knows clients by their secrets, signs ES256, and gives its keys at a
//! URL.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use billchain_access::{Access, Caller, Head, code};
use http::{HeaderMap, HeaderValue};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// An issuer of tokens.
struct Issuer {
    url: String,
    /// How often its keys were asked for.
    asked: Arc<AtomicU32>,
}

impl Issuer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicU32::new(0));
        let (counts, own) = (asked.clone(), url.clone());
        std::thread::spawn(move || {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            for stream in listener.incoming() {
                serve(stream.unwrap(), &key, &own, &counts);
            }
        });
        Self { url, asked }
    }

    /// What the token endpoint answers to a client.
    async fn token(&self, client: &str, secret: &str) -> (u16, serde_json::Value) {
        let answer = reqwest::Client::new()
            .post(format!("{}/token", self.url))
            .header(
                "authorization",
                format!("Basic {}", STANDARD.encode(format!("{client}:{secret}"))),
            )
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }
}

fn serve(mut stream: TcpStream, key: &EcdsaKeyPair, url: &str, asked: &AtomicU32) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut basic, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => basic = value.trim().trim_start_matches("Basic ").to_owned(),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let encode = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let (status, answer) = if first.starts_with("GET /jwks ") {
        asked.fetch_add(1, Ordering::Relaxed);
        let point = key.public_key().as_ref();
        let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
        (
            200,
            format!(
                r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"1","use":"sig","x":"{x}","y":"{y}"}}]}}"#
            ),
        )
    } else if first.starts_with("POST /token ") && body == b"grant_type=client_credentials" {
        let known = STANDARD.decode(&basic).unwrap_or_default();
        match std::str::from_utf8(&known).unwrap_or_default().split_once(':') {
            Some((client, "secret")) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
                let claims = format!(
                    r#"{{"iss":"{url}","aud":"billchain","client_id":"{client}","iat":{now},"exp":{}}}"#,
                    now + 60
                );
                let header = encode(br#"{"alg":"ES256","kid":"1"}"#);
                let signed = format!("{header}.{}", encode(claims.as_bytes()));
                let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
                let token = format!("{signed}.{}", encode(signature.as_ref()));
                (
                    200,
                    format!(
                        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":60}}"#
                    ),
                )
            }
            _ => (401, r#"{"error":"invalid_client"}"#.into()),
        }
    } else {
        (404, "{}".into())
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(answer.as_bytes()).unwrap();
}

fn identify(access: &Access, token: &str) -> Result<Caller, i32> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    let rules = access.rules();
    let listener = rules.listener("members").unwrap();
    let address = [127, 0, 0, 1].into();
    let head = Head { address, certificate: None, method: "POST", target: "/", headers: &headers };
    access.identify(listener, head, b"").map_err(|denied| denied.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_client_credentials_names_the_client_that_got_it() {
    let issuer = Issuer::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("access.toml");
    let text = format!(
        r#"
[[listener]]
name = "members"
listen = "127.0.0.1:0"
classes = ["read"]

[[issuer]]
name = "sso"
issuer = "{url}"
audience = "billchain"
algorithms = ["ES256"]
keys_url = "{url}/jwks"

[[identity]]
name = "huashan"
classes = ["read"]
subjects = [{{ issuer = "sso", client_id = "huashan-his" }}]
"#,
        url = issuer.url
    );
    std::fs::write(&file, text).unwrap();
    let access =
        Access::open(file, |_| Ok(()), (([127, 0, 0, 1], 0).into(), 10), "node-1").unwrap();
    let (status, answer) = issuer.token("huashan-his", "secret").await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["access_token"].as_str().unwrap();
    let began = Instant::now();
    let caller = loop {
        // The keys are being fetched.
        match identify(&access, token) {
            Err(code::TOKEN_KEYS_MISSING) if began.elapsed() < Duration::from_secs(20) => {
                tokio::task::yield_now().await;
            }
            other => break other.unwrap(),
        }
    };
    assert_eq!(&*caller.identity.unwrap().name, "huashan");
    assert_eq!(issuer.token("huashan-his", "wrong").await.0, 401);
    let (_, answer) = issuer.token("somebody", "secret").await;
    let other = identify(&access, answer["access_token"].as_str().unwrap()).unwrap_err();
    assert_eq!(other, code::NOT_BOUND);
    assert_eq!(issuer.asked.load(Ordering::Relaxed), 1, "keys are fetched now and then");
    let proposed = access.propose().unwrap();
    access.adopt(proposed);
    assert!(identify(&access, token).is_ok(), "keys outlive a configuration");
}

//! Callers and what proves them, from a file that is read again.

use super::*;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use http::{HeaderName, HeaderValue};
use std::{path::Path, time::UNIX_EPOCH};

const KEY: &str = "bck_0000000000000000000000000000000000000000000000000000000000000000";

fn write(directory: &Path, extra: &str, revoked: bool) {
    let secret = SecretKey::from_seed(b"issuer");
    let point = secret.public().to_uncompressed();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let keys = format!(r#"{{"keys":[{{"kty":"EC","crv":"SM2","x":"{x}","y":"{y}"}}]}}"#);
    std::fs::write(directory.join("keys.json"), keys).unwrap();
    let sm2 = hex::encode(SecretKey::from_seed(b"caller").public().to_compressed());
    let sm3 = hex::encode(sm3(KEY.as_bytes()));
    let text = format!(
        r#"
[[listener]]
name = "members"
listen = "127.0.0.1:0"
classes = ["verify", "read"]

[[issuer]]
name = "sso"
issuer = "https://sso.example"
audience = "billchain"
algorithms = ["SM2-SM3"]
keys_file = "keys.json"

[[identity]]
name = "hospital"
participant = "did:bill:hospital"
classes = ["read", "write"]
keys = [{{ sm3 = "{sm3}", revoked = {revoked} }}]
signing = [{{ id = "h1", sm2 = "{sm2}" }}]
subjects = [{{ issuer = "sso", client_id = "app" }}]
certificates = ["{}"]
{extra}
"#,
        "07".repeat(32)
    );
    std::fs::write(directory.join("access.toml"), text).unwrap();
}

fn open(directory: &Path) -> Access {
    write(directory, "", false);
    let file = directory.join("access.toml");
    Access::open(file, |_| Ok(()), (([127, 0, 0, 1], 0).into(), 10), "node-1").unwrap()
}

fn identify(
    access: &Access,
    headers: &[(&str, &str)],
    certificate: Option<[u8; 32]>,
) -> Result<Caller, i32> {
    let all: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect();
    let rules = access.rules();
    let listener = rules.listener("members").unwrap();
    let address = [10, 0, 0, 1].into();
    let head = Head { address, certificate, method: "POST", target: "/", headers: &all };
    access.identify(listener, head, b"{}").map_err(|denied| denied.code)
}

fn token(client: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = format!(
        r#"{{"iss":"https://sso.example","aud":"billchain","client_id":"{client}","iat":{now},"exp":{}}}"#,
        now + 60
    );
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", part(r#"{"alg":"SM2-SM3"}"#), part(&claims));
    let signature = SecretKey::from_seed(b"issuer").sign(DEFAULT_ID, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn signed(access: &Access, nonce: &str) -> Result<Caller, i32> {
    let now = (millis(SystemTime::now()) + 50).to_string();
    let base = crate::signature_base(["h1", &now, nonce], ["POST", "/", "node"], b"{}");
    let signature = SecretKey::from_seed(b"caller").sign(DEFAULT_ID, base.as_bytes());
    let signature = STANDARD.encode(signature.to_bytes());
    let headers = [
        ("host", "node"),
        ("x-billchain-key", "h1"),
        ("x-billchain-timestamp", &now),
        ("x-billchain-nonce", nonce),
        ("x-billchain-signature", &signature),
    ];
    identify(access, &headers, None)
}

use crate::calendar::millis;

#[tokio::test]
async fn each_proof_names_its_caller_and_what_it_may_call_here() {
    let directory = tempfile::tempdir().unwrap();
    let access = open(directory.path());
    let bearer = format!("Bearer {}", token("app"));
    let nonce = "00".repeat(16);
    let known = [
        identify(&access, &[("authorization", &bearer)], None).unwrap(),
        identify(&access, &[("x-api-key", KEY)], None).unwrap(),
        identify(&access, &[], Some([7; 32])).unwrap(),
        signed(&access, &nonce).unwrap(),
    ];
    for caller in known {
        assert_eq!(&*caller.identity.as_ref().unwrap().name, "hospital");
        // Write is the identity's and not the listener's; verify the other way round.
        assert_eq!(caller.classes, [Class::Read].into_iter().collect());
        assert_eq!(access.permits(&caller, Class::Read), Ok(()));
        assert_eq!(access.permits(&caller, Class::Write).unwrap_err().code, code::CLASS_REFUSED);
    }
    let nobody = identify(&access, &[], None).unwrap();
    assert!(nobody.identity.is_none());
    assert_eq!(access.permits(&nobody, Class::Verify), Ok(()));
    assert_eq!(access.permits(&nobody, Class::Read).unwrap_err().code, code::NO_IDENTITY);
    assert_eq!(signed(&access, &nonce).unwrap_err(), code::REPLAYED);
}

#[tokio::test]
async fn each_proof_that_does_not_hold_has_its_code() {
    let directory = tempfile::tempdir().unwrap();
    let access = open(directory.path());
    let stranger = format!("Bearer {}", token("other"));
    let good = format!("Bearer {}", token("app"));
    for (headers, certificate, expected) in [
        (vec![("authorization", stranger.as_str())], None, code::NOT_BOUND),
        (vec![("authorization", "Basic YTpi")], None, code::TOKEN_MALFORMED),
        (vec![("authorization", "Bearer x")], None, code::TOKEN_MALFORMED),
        (vec![("authorization", &good), ("authorization", &good)], None, code::TOKEN_MALFORMED),
        (vec![("authorization", &good), ("x-api-key", KEY)], None, code::TOKEN_MALFORMED),
        (
            vec![("authorization", &good), ("x-billchain-signature", "x")],
            None,
            code::SIGNATURE_INVALID,
        ),
        (vec![("x-api-key", "bck_1")], None, code::KEY_UNKNOWN),
        (vec![("x-billchain-signature", "x")], None, code::SIGNATURE_INVALID),
        (vec![], Some([8; 32]), code::NOT_BOUND),
    ] {
        assert_eq!(identify(&access, &headers, certificate).unwrap_err(), expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_configuration_holds_whole_from_when_it_is_adopted() {
    let directory = tempfile::tempdir().unwrap();
    let access = open(directory.path());
    let caller = identify(&access, &[("x-api-key", KEY)], None).unwrap();
    assert!(access.still(&caller).unwrap().is_none());
    write(directory.path(), "surprise = 1", true);
    assert!(access.propose().is_err());
    assert!(access.still(&caller).unwrap().is_none());
    write(directory.path(), "", true);
    let proposed = access.propose().unwrap();
    assert!(access.still(&caller).unwrap().is_none(), "it does not hold yet");
    access.adopt(proposed);
    assert_eq!(access.still(&caller).unwrap_err().code, code::KEY_REVOKED);
    assert_eq!(identify(&access, &[("x-api-key", KEY)], None).unwrap_err(), code::KEY_REVOKED);
    let by_certificate = identify(&access, &[], Some([7; 32])).unwrap();
    assert!(access.still(&by_certificate).unwrap().is_none());
}

#[tokio::test]
async fn who_is_refused_a_thousand_times_waits_and_others_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let access = open(directory.path());
    let (flooder, other) = (IpAddr::from([10, 0, 0, 9]), IpAddr::from([10, 0, 0, 8]));
    let waits = (0..1_200).filter(|_| !access.penalty(flooder).is_zero()).count();
    assert!((150..=200).contains(&waits), "{waits} of 1,200 refusals waited");
    assert!(access.penalty(other).is_zero());
}

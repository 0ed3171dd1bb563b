//! Tokens that hold, and each way in which one does not.

use super::*;
use crate::config::KeySource;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use serde_json::{Value, json};

const NOW: u64 = 1_796_083_200;

fn issuer() -> IssuerConfig {
    IssuerConfig {
        name: "sso".into(),
        issuer: "https://sso.example".into(),
        audience: "billchain".into(),
        algorithms: vec![Algorithm::Sm2Sm3, Algorithm::Rs256, Algorithm::Es256],
        keys: KeySource::File("none".into()),
        max_age: Duration::from_secs(3_600),
        skew: Duration::from_secs(30),
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims() -> Value {
    json!({ "iss": "https://sso.example", "aud": ["other", "billchain"], "sub": "a", "iat": NOW, "exp": NOW + 600 })
}

fn sm2_token(header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let secret = SecretKey::from_seed(b"issuer");
    let signature = secret.sign(DEFAULT_ID, signed.as_bytes()).to_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn sm2_jwk(kid: &str) -> Value {
    let point = SecretKey::from_seed(b"issuer").public().to_uncompressed();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    json!({ "kty": "EC", "crv": "SM2", "kid": kid, "use": "sig", "x": x, "y": y })
}

fn set(keys: Vec<Value>) -> KeySet {
    KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn code_of(token: &str, keys: &KeySet, now: u64) -> Result<u64, i32> {
    let proved = Unproved::read(token)
        .and_then(|token| token.prove(&issuer(), keys, UNIX_EPOCH + Duration::from_secs(now)));
    let until = |until: SystemTime| until.duration_since(UNIX_EPOCH).unwrap().as_secs();
    proved.map(|(_, end)| until(end)).map_err(|denied| denied.code)
}

#[test]
fn a_token_of_each_algorithm_holds_and_with_another_key_does_not() {
    let signed = |alg: &str| format!("{}.{}", part(&json!({ "alg": alg })), part(&claims()));
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut signature = vec![0; rsa.public_modulus_len()];
    let text = signed("RS256");
    rsa.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
    let rsa_token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(&signature));
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    // PKCS #1: a sequence of the modulus, 257 bytes with its leading zero, and the exponent.
    let public = rsa.public_key().as_ref();
    let (n, e) = (&public[9..265], &public[267..]);
    assert_eq!(e, [1, 0, 1]);
    let rsa_jwk = json!({ "kty": "RSA", "n": number(n), "e": number(e) });
    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let text = signed("ES256");
    let signature = p256.sign(&random, text.as_bytes()).unwrap();
    let p256_token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
    let point = p256.public_key().as_ref();
    let p256_jwk = json!({ "kty": "EC", "crv": "P-256", "x": number(&point[1..33]), "y": number(&point[33..]) });
    let sm2 = sm2_token(&json!({ "alg": "SM2-SM3" }), &claims());
    let all = [(rsa_token, rsa_jwk), (p256_token, p256_jwk), (sm2, sm2_jwk("k"))];
    for (at, (token, _)) in all.iter().enumerate() {
        for (other, (_, jwk)) in all.iter().enumerate() {
            let expected = if at == other { Ok(NOW + 630) } else { Err(code::TOKEN_SIGNATURE) };
            assert_eq!(code_of(token, &set(vec![jwk.clone()]), NOW), expected, "{at} by {other}");
        }
    }
    // A key is used with its own algorithm only.
    let confused = sm2_token(&json!({ "alg": "ES256" }), &claims());
    assert_eq!(code_of(&confused, &set(vec![sm2_jwk("k")]), NOW), Err(code::TOKEN_SIGNATURE));
}

#[test]
fn each_flaw_of_a_token_has_its_code() {
    let keys = set(vec![sm2_jwk("k")]);
    let header = json!({ "alg": "SM2-SM3", "kid": "k" });
    let with = |name: &str, value: Value| {
        let mut changed = claims();
        changed[name] = value;
        sm2_token(&header, &changed)
    };
    let good = sm2_token(&header, &claims());
    let mut broken = good.clone().into_bytes();
    let at = good.find('.').unwrap() + 3;
    broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
    let broken = String::from_utf8(broken).unwrap();
    for (token, now, expected) in [
        (good.clone(), NOW, Ok(NOW + 630)),
        (good.clone(), NOW + 630, Ok(NOW + 630)),
        (good.clone(), NOW + 631, Err(code::TOKEN_EXPIRED)),
        (good.clone(), NOW - 31, Err(code::TOKEN_TOO_EARLY)),
        (with("nbf", json!(NOW + 60)), NOW, Err(code::TOKEN_TOO_EARLY)),
        (with("aud", json!("other")), NOW, Err(code::TOKEN_AUDIENCE)),
        (with("aud", Value::Null), NOW, Err(code::TOKEN_AUDIENCE)),
        (with("exp", Value::Null), NOW, Err(code::TOKEN_MALFORMED)),
        (with("exp", json!(NOW + 3_601)), NOW, Err(code::TOKEN_MALFORMED)),
        (with("exp", json!("soon")), NOW, Err(code::TOKEN_MALFORMED)),
        (with("exp", json!(-1)), NOW, Err(code::TOKEN_MALFORMED)),
        (with("iat", json!(NOW as f64 + 0.5)), NOW, Ok(NOW + 630)),
        (sm2_token(&json!({ "alg": "none" }), &claims()), NOW, Err(code::TOKEN_SIGNATURE)),
        (sm2_token(&json!({ "alg": "HS256" }), &claims()), NOW, Err(code::TOKEN_SIGNATURE)),
        (
            sm2_token(&json!({ "alg": "SM2-SM3", "kid": "x" }), &claims()),
            NOW,
            Err(code::TOKEN_SIGNATURE),
        ),
        (
            sm2_token(&json!({ "alg": "SM2-SM3", "crit": ["b64"] }), &claims()),
            NOW,
            Err(code::TOKEN_MALFORMED),
        ),
        (format!("{good}."), NOW, Err(code::TOKEN_MALFORMED)),
        (good.replace('.', ""), NOW, Err(code::TOKEN_MALFORMED)),
        (format!("{good}="), NOW, Err(code::TOKEN_MALFORMED)),
        ("x".repeat(MAX_TOKEN + 1), NOW, Err(code::TOKEN_MALFORMED)),
        (String::new(), NOW, Err(code::TOKEN_MALFORMED)),
    ] {
        assert_eq!(code_of(&token, &keys, now), expected, "{token} at {now}");
    }
    let told = code_of(&broken, &keys, NOW).unwrap_err();
    assert!([code::TOKEN_SIGNATURE, code::TOKEN_MALFORMED].contains(&told), "{told}");
}

#[test]
fn a_key_set_is_bounded_and_a_broken_key_is_told() {
    let read = |value: Value| KeySet::read(value.to_string().as_bytes());
    assert!(read(json!({ "keys": [] })).unwrap_err().contains("no key of"));
    assert!(read(json!({ "keys": vec![sm2_jwk("k"); 65] })).unwrap_err().contains("at most 64"));
    assert!(read(json!({ "keys": [{ "kty": "oct", "k": "AA" }, sm2_jwk("k")] })).is_ok());
    let mut off_curve = sm2_jwk("k");
    off_curve["y"] = off_curve["x"].clone();
    assert!(read(json!({ "keys": [off_curve] })).unwrap_err().starts_with("keys[0]:"));
    assert!(read(json!({ "keys": [{ "kty": "RSA", "n": "AQAB", "e": "AQAB" }] })).is_err());
    assert!(KeySet::read(&vec![b' '; (64 << 10) + 1]).unwrap_err().contains("at most"));
}

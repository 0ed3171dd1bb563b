//! The decoders of what other sides send, for the fuzz targets; each says whether the input was
//! believed. The keys are those of [`key`], so that seeds can be signed.

use billchain_crypto::{
    sm2::{DEFAULT_ID, SecretKey},
    sm3::{hmac_sm3, sm3},
};
use serde_json::{Value, json};

use crate::{
    credentials, evidence,
    form::{Caller, Outcome},
    old_system::checked_zip,
    signed, signing,
};

/// The request that seeds answer, as 64 digits.
const ID: &str = "abababababababababababababababababababababababababababababababab";
const APP_KEY: &str = "of a fuzzer";
const FILE: &[u8] = b"a signed file";

/// The key of all other sides.
pub fn key() -> SecretKey {
    SecretKey::from_seed(b"the other side of a fuzzer")
}

fn sign(text: &str) -> String {
    hex::encode(key().sign(DEFAULT_ID, text.as_bytes()).to_bytes())
}

/// An answer of the old system, or a download of it.
pub fn old_system_answer(data: &[u8]) -> bool {
    if let Ok(download) = checked_zip(data.to_vec()) {
        assert_eq!(download.digest, sm3(data));
        return true;
    }
    let caller = Caller { app_id: "a".to_owned(), app_key: APP_KEY.to_owned() };
    let read = caller.decode::<Value>(ID, data);
    if matches!(read, Ok(Outcome::Done(_))) {
        let text = String::from_utf8_lossy(data);
        assert!(text.contains("sign"), "an answer without a signature was believed");
    }
    read.is_ok()
}

/// Receipts of the evidence chain.
pub fn evidence_answer(data: &[u8]) -> bool {
    let expected = [(ID.to_owned(), sm3(b"a fact"))];
    let verified = evidence::verify(data, &expected, &key().public().to_compressed());
    if let Ok(verified) = &verified {
        assert_eq!((verified.len(), verified[0].digest), (1, expected[0].1));
    }
    verified.is_ok()
}

/// A report of the signing chain, or the receipt of an insurer.
pub fn signing_report(data: &[u8]) -> bool {
    let key = key().public().to_compressed();
    let report = signing::replay(data, "P1", FILE, &key);
    if let Ok(report) = &report {
        assert_eq!(report.file, hex::encode(sm3(FILE)));
    }
    report.is_ok() || credentials::check(data, ID, &key).is_ok()
}

/// A signed request to the gateway: five headers, one a line, and the body.
pub fn signed_request(data: &[u8]) -> bool {
    let mut parts = data.splitn(5, |byte| *byte == b'\n');
    let mut next = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (id, time, key, signature) = (next(), next(), next(), next());
    let body = parts.next().unwrap_or_default();
    let header = |name: &str| match name {
        "x-billchain-id" => id,
        "x-billchain-timestamp" => time,
        "x-billchain-key" => key,
        _ => signature,
    };
    signed::verify("POST", "/query", header, body, 1_000_000).is_ok()
}

/// Samples of a target that are believed.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "old_system_answer" => {
            let message = "{\"serial\":\"1\"}";
            let text = format!("code=0000&message={message}&msg=ok&request_id={ID}");
            let sign = hex::encode(hmac_sm3(APP_KEY.as_bytes(), text.as_bytes()));
            let answer = json!({
                "code": "0000", "msg": "ok", "request_id": ID, "message": message, "sign": sign,
            });
            let mut zip = b"PK\x03\x04PK\x05\x06".to_vec();
            zip.extend([0; 8]);
            zip.extend(0u32.to_le_bytes());
            zip.extend(4u32.to_le_bytes());
            zip.extend([0; 2]);
            vec![answer.to_string().into_bytes(), zip]
        }
        "evidence_answer" => {
            let digest = hex::encode(sm3(b"a fact"));
            let text = format!("evidence-receipt/1\nE1\nhash\n{digest}\n7\n8\nfinal");
            let receipt = json!({
                "request_id": ID, "receipt_id": "E1", "kind": "hash", "digest": digest,
                "block": 7, "time": 8, "state": "final", "path": [], "signature": sign(&text),
            });
            vec![json!({"code": "0", "items": [receipt]}).to_string().into_bytes()]
        }
        "signing_report" => vec![report(), receipt()],
        "signed_request" => {
            let body = b"{\"bill_code\":\"1\"}";
            let signature = sign(&signed::text("POST", "/query", 1_000_000, ID, body));
            let public = hex::encode(key().public().to_compressed());
            let head = format!("{ID}\n1000000\n{public}\n{signature}\n");
            vec![[head.as_bytes(), body].concat()]
        }
        _ => Vec::new(),
    }
}

fn report() -> Vec<u8> {
    let (zeros, file) = (hex::encode([0; 32]), hex::encode(sm3(FILE)));
    let text = format!("signing-step/1\n{zeros}\nP1\n0\nsign\ndid:bill:patient\n5\n{file}");
    let hash = hex::encode(sm3(text.as_bytes()));
    let step = json!({
        "n": 0, "act": "sign", "who": "did:bill:patient", "time": 5, "file": file,
        "previous": zeros, "hash": hash,
    });
    let signature = sign(&format!("signing-report/1\nP1\n{file}\n{hash}"));
    json!({"code": "0", "process_id": "P1", "file": file, "trace": [step], "signature": signature})
        .to_string()
        .into_bytes()
}

fn receipt() -> Vec<u8> {
    let signature = sign(&format!("credential-receipt/1\n{ID}\n4"));
    json!({"code": "0", "request_id": ID, "number": 4, "signature": signature})
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_seed_is_believed() {
        for (target, run) in [
            ("old_system_answer", super::old_system_answer as fn(&[u8]) -> bool),
            ("evidence_answer", super::evidence_answer),
            ("signing_report", super::signing_report),
            ("signed_request", super::signed_request),
        ] {
            let seeds = super::seeds(target);
            assert!(!seeds.is_empty(), "{target}");
            for seed in seeds {
                assert!(run(&seed), "{target}: {}", String::from_utf8_lossy(&seed));
            }
        }
    }
}

//! The form of the ministry's public service interface (财政电子票据公共服务接口规范): HTTPS POST of
//! `application/x-www-form-urlencoded` in UTF-8, names in lower case, business data in
//! `message` as JSON, all signed with the key that the platform gave with `app_id`.
//!
//! `sign` is HMAC-SM3, in lower-case hex, over all other fields as `name=value` in the order of
//! their names, joined by `&`, values as they are before they are encoded. Answers are JSON
//! objects of texts (`code`, `msg`, `request_id`, `message`, `sign`), signed alike; a download
//! answers `application/x-zip-compressed`.

use billchain_crypto::sm3::hmac_sm3;
use billchain_workers::{Failure, tools::Answer};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::answer::{by_status, json, passing, refused, said};

/// Version of the interface.
const VERSION: &str = "1.0";
/// The code of success.
const SUCCESS: &str = "0000";
/// The code of a bill that is not there.
const NOT_FOUND: &str = "2001";
/// Most fields of an answer.
const MAX_FIELDS: usize = 16;
/// The type of a download.
pub const ZIP: &str = "application/x-zip-compressed";

/// Who speaks to the old system.
#[derive(Clone)]
pub struct Caller {
    /// What the platform gave.
    pub app_id: String,
    /// The key that it gave with it.
    pub app_key: String,
}

/// What an answer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome<T> {
    /// It did so; the data of `message`.
    Done(T),
    /// There is no such bill.
    NotFound,
}

impl Caller {
    /// The fields of a request, encoded.
    pub fn request(&self, request_id: &str, time: &str, message: &Value) -> Vec<u8> {
        let mut fields: BTreeMap<&str, String> = BTreeMap::from([
            ("app_id", self.app_id.clone()),
            ("message", message.to_string()),
            ("request_id", request_id.to_owned()),
            ("timestamp", time.to_owned()),
            ("version", VERSION.to_owned()),
        ]);
        fields
            .insert("sign", self.sign(fields.iter().map(|(name, value)| (*name, value.as_str()))));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
    }

    /// The signature over fields in the order of their names.
    fn sign<'a>(&self, fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let text: Vec<String> = fields
            .filter(|(name, _)| *name != "sign")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        hex::encode(hmac_sm3(self.app_key.as_bytes(), text.join("&").as_bytes()))
    }

    /// What an answer to `request_id` says, after its signature was checked.
    pub fn read<T: DeserializeOwned>(
        &self,
        request_id: &str,
        answer: &Answer,
    ) -> Result<Outcome<T>, Failure> {
        by_status(answer)?;
        self.decode(request_id, &answer.body)
    }

    /// As [`read`](Self::read), of a body.
    pub fn decode<T: DeserializeOwned>(
        &self,
        request_id: &str,
        body: &[u8],
    ) -> Result<Outcome<T>, Failure> {
        let fields: BTreeMap<String, String> = json(body)?;
        if fields.len() > MAX_FIELDS {
            return Err(passing(format!("the answer has more than {MAX_FIELDS} fields"), body));
        }
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        let expected =
            self.sign(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if !equal(expected.as_bytes(), field("sign").as_bytes()) {
            return Err(passing("sign: the answer's does not fit", body));
        }
        let (code, msg) = (field("code"), said(field("msg").as_bytes()));
        // A refusal of the request's form names no request.
        if code == SUCCESS && field("request_id") != request_id {
            return Err(passing("request_id: the answer is to another request", body));
        }
        match code {
            SUCCESS => match serde_json::from_str(field("message")) {
                Ok(data) => Ok(Outcome::Done(data)),
                Err(error) => Err(passing(format!("message: not as expected: {error}"), body)),
            },
            NOT_FOUND => Ok(Outcome::NotFound),
            // 1002 and 1003: our own app_id or key, which the operator mends.
            "1002" | "1003" => Err(passing(format!("code {code}: {msg}"), body)),
            _ if code.starts_with('1') || code.starts_with('2') => {
                Err(refused(format!("code {code}: {msg}"), body))
            }
            _ => Err(passing(format!("code {code}: {msg}"), body)),
        }
    }
}

/// Whether two texts are equal, in a time that does not tell where they differ.
fn equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |differ, (left, right)| differ | (left ^ right)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn caller() -> Caller {
        Caller { app_id: "a".to_owned(), app_key: "k".to_owned() }
    }

    fn answer(code: &str, request_id: &str, message: &str) -> Vec<u8> {
        let text = format!("code={code}&message={message}&msg=m&request_id={request_id}");
        let sign = hex::encode(hmac_sm3(b"k", text.as_bytes()));
        json!({"code": code, "msg": "m", "request_id": request_id, "message": message, "sign": sign})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_request_carries_the_signature_over_its_sorted_fields() {
        let body = caller().request("r", "20261201020304", &json!({"x": "票"}));
        let fields: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
        let text =
            "app_id=a&message={\"x\":\"票\"}&request_id=r&timestamp=20261201020304&version=1.0";
        assert_eq!(fields["sign"], hex::encode(hmac_sm3(b"k", text.as_bytes())));
    }

    #[test]
    fn answers_mean_what_their_codes_say() {
        let read = |body: &[u8]| caller().decode::<Value>("r", body);
        assert_eq!(read(&answer("0000", "r", "{}")), Ok(Outcome::Done(json!({}))));
        assert_eq!(read(&answer("2001", "r", "null")), Ok(Outcome::NotFound));
        for (what, body, is_refused) in [
            ("another request", answer("0000", "other", "{}"), false),
            ("our key", answer("1003", "", "null"), false),
            ("malformed", answer("1001", "r", "null"), true),
            ("a conflict", answer("2002", "r", "null"), true),
            ("busy", answer("9999", "r", "null"), false),
            ("no JSON within", answer("0000", "r", "{"), false),
            ("no JSON", b"<html>".to_vec(), false),
            ("an array", b"[]".to_vec(), false),
            ("empty", Vec::new(), false),
        ] {
            let failure = read(&body).expect_err(what);
            assert_eq!(matches!(failure, Failure::Refused { .. }), is_refused, "{what}: {failure}");
        }
    }

    #[test]
    fn no_changed_byte_of_an_answer_is_believed() {
        let good = answer("0000", "r", "{\"serial\":\"1\"}");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let read = caller().decode::<Value>("r", &bad);
            assert!(read.is_err(), "byte {at}: {read:?}");
        }
    }
}

//! The light client's JSON-RPC 2.0 over HTTP: `light_status` and `light_certificate`.
//!
//! Whoever reaches the port may ask. So there are few connections, short requests, and few
//! questions to servers at once. There are no batches.

use crate::metrics::Few;
use anyhow::Result;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::header::CONTENT_TYPE,
    response::IntoResponse,
    routing::post,
};
use billchain_light::{BlockStatus, Light, NoCertificate};
use billchain_primitives::{BillCode, BillNumber};
use billchain_rpc_types::code;
use serde_json::{Value, json};
use std::{str::FromStr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

/// Connections that are open at once.
const PLACES: usize = 64;
/// Longest request, in bytes.
const MAX_REQUEST: usize = 16 << 10;
/// Certificates that servers are asked for at once.
const ASKING: usize = 8;
/// How long one certificate may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a connection may take for a request and its answer.
const CONNECTION: Duration = Duration::from_secs(150);

/// What the methods work on.
pub(super) struct Served {
    light: Arc<Light>,
    asking: Semaphore,
}

/// An answer, or code and words of an error.
type Answered = Result<Value, (i32, String)>;

impl Served {
    pub(super) fn new(light: Arc<Light>) -> Self {
        Self { light, asking: Semaphore::new(ASKING) }
    }

    /// Answers whoever connects.
    pub(super) async fn serve(self, listener: TcpListener) -> Result<()> {
        let router = Router::new()
            .route("/", post(respond))
            .layer(DefaultBodyLimit::max(MAX_REQUEST))
            .with_state(Arc::new(self));
        let listener = Few::new(listener, PLACES, CONNECTION);
        Ok(axum::serve(listener, router).await?)
    }

    async fn answer(&self, method: &str, params: &Value) -> Answered {
        match method {
            "light_status" => {
                named::<0>(params, [])?;
                Ok(json!(self.light.status().await))
            }
            "light_certificate" => {
                let [code, number] = named(params, ["code", "number"])?;
                let code: BillCode = parsed(&code, "code")?;
                let number: BillNumber = parsed(&number, "number")?;
                self.certificate(&code.to_string(), &number.to_string()).await
            }
            _ => {
                let name: String = method.chars().take(64).collect();
                Err((code::METHOD_NOT_FOUND, format!("Method not found: \"{name}\"")))
            }
        }
    }

    async fn certificate(&self, code: &str, number: &str) -> Answered {
        let Ok(_place) = self.asking.try_acquire() else {
            let words = format!("{ASKING} certificates are asked for already: ask again");
            return Err((code::BUSY, words));
        };
        match timeout(PATIENCE, self.light.certificate(code, number)).await {
            Err(_) => {
                Err((code::NO_CERTIFICATE, format!("no server gave one within {PATIENCE:?}")))
            }
            Ok(Err(error @ NoCertificate::Forked(_))) => Err((code::FORK, error.to_string())),
            Ok(Err(error @ NoCertificate::None { .. })) => {
                Err((code::NO_CERTIFICATE, error.to_string()))
            }
            Ok(Err(error @ NoCertificate::File(_))) => Err((code::INTERNAL, error.to_string())),
            Ok(Ok(answer)) => Ok(json!({
                "certificate": format!("0x{}", hex::encode(&answer.certificate)),
                "exists": answer.accepted.exists,
                "block": BlockStatus::from(answer.accepted.block),
                "checkpoint": BlockStatus::from(answer.accepted.checkpoint),
                "head": BlockStatus::from(answer.head),
                "server": answer.server,
            })),
        }
    }
}

async fn respond(State(served): State<Arc<Served>>, body: Bytes) -> impl IntoResponse {
    let answer = answered(&served, &body).await;
    ([(CONTENT_TYPE, "application/json")], answer.to_string())
}

/// The whole response to a request.
async fn answered(served: &Served, body: &[u8]) -> Value {
    let (id, answer) = match request(body) {
        Ok((id, method, params)) => (id, served.answer(&method, &params).await),
        Err(error) => (Value::Null, Err(error)),
    };
    match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, message)) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}

/// Id, method and parameters of a request.
fn request(body: &[u8]) -> Result<(Value, String, Value), (i32, String)> {
    let mut request: Value = serde_json::from_slice(body)
        .map_err(|error| (code::PARSE, format!("Parse error: {error}")))?;
    let odd =
        |expected: &str| (code::INVALID_REQUEST, format!("Invalid request: expected {expected}"));
    if !request.is_object() || request["jsonrpc"] != "2.0" {
        return Err(odd("one object with \"jsonrpc\": \"2.0\""));
    }
    let id = request["id"].take();
    if !(id.is_string() || id.is_number()) {
        return Err(odd("an id: a string or a number"));
    }
    let Value::String(method) = request["method"].take() else {
        return Err(odd("the name of a method"));
    };
    Ok((id, method, request["params"].take()))
}

/// Parameters in the order of their names, from an array or an object.
fn named<const N: usize>(params: &Value, names: [&str; N]) -> Result<[Value; N], (i32, String)> {
    let expected = || {
        let names = if N == 0 { "none".into() } else { names.join(", ") };
        (code::INVALID_PARAMS, format!("params: expected at most {N} parameters: {names}"))
    };
    match params {
        Value::Null => Ok([(); N].map(|()| Value::Null)),
        Value::Array(values) if values.len() <= N => {
            let mut values = values.iter().cloned();
            Ok([(); N].map(|()| values.next().unwrap_or_default()))
        }
        Value::Object(fields) if fields.keys().all(|name| names.contains(&name.as_str())) => {
            Ok(names.map(|name| fields.get(name).cloned().unwrap_or_default()))
        }
        _ => Err(expected()),
    }
}

/// A text that parses.
fn parsed<T>(value: &Value, name: &str) -> Result<T, (i32, String)>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let odd = |expected: &str| {
        let found: String = value.to_string().chars().take(120).collect();
        (code::INVALID_PARAMS, format!("{name}: expected {expected}, found {found}"))
    };
    let text = value.as_str().ok_or_else(|| odd("a string"))?;
    text.parse().map_err(|error: T::Err| odd(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_an_id_and_a_method() {
        let good = request(br#"{"jsonrpc":"2.0","id":7,"method":"m","params":[1]}"#).unwrap();
        assert_eq!(good, (json!(7), "m".into(), json!([1])));
        let deep = "[".repeat(9_000);
        for (text, code, words) in [
            ("", code::PARSE, "Parse error"),
            (deep.as_str(), code::PARSE, "recursion limit"),
            ("[]", code::INVALID_REQUEST, "one object"),
            (r#"{"id":1,"method":"m"}"#, code::INVALID_REQUEST, "2.0"),
            (r#"{"jsonrpc":"2.0","method":"m"}"#, code::INVALID_REQUEST, "an id"),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#, code::INVALID_REQUEST, "an id"),
            (r#"{"jsonrpc":"2.0","id":1,"method":2}"#, code::INVALID_REQUEST, "a method"),
        ] {
            let (found, message) = request(text.as_bytes()).unwrap_err();
            assert_eq!(found, code, "{text:.40}: {message}");
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn parameters_stand_in_an_array_or_an_object() {
        let names = ["code", "number"];
        let both = [json!("a"), json!("b")];
        assert_eq!(named(&json!(["a", "b"]), names), Ok(both.clone()));
        assert_eq!(named(&json!({"number": "b", "code": "a"}), names), Ok(both));
        assert_eq!(named(&json!(["a"]), names), Ok([json!("a"), Value::Null]));
        assert_eq!(named(&Value::Null, []), Ok([]));
        for odd in [json!(["a", "b", "c"]), json!({"nummer": 1}), json!(7)] {
            let (code, message) = named(&odd, names).unwrap_err();
            assert_eq!(code, code::INVALID_PARAMS);
            assert!(message.contains("at most 2 parameters: code, number"), "{message}");
        }
    }

    #[test]
    fn code_and_number_are_digits() {
        assert!(parsed::<BillCode>(&json!("31060125"), "code").is_ok());
        for odd in [json!("3106012"), json!("3106012x"), json!(31_060_125), Value::Null] {
            let (code, message) = parsed::<BillCode>(&odd, "code").unwrap_err();
            assert_eq!(code, code::INVALID_PARAMS);
            assert!(message.starts_with("code: expected "), "{message}");
        }
    }
}

//! From what went wrong to what a client is told. The codes are
//! [`billchain_rpc_types::code`]'s.

use billchain_access::Denied;
use billchain_executor::{CallError, ChainError, DryRunError, TransactionError};
use billchain_rpc_types::code;
use billchain_storage::StorageError;
use billchain_txpool::PoolError;
pub(crate) use jsonrpsee::types::ErrorObjectOwned as Refusal;
use serde_json::{Map, Value, json};

/// Outcome of a method.
pub(crate) type Answer<T> = Result<T, Refusal>;

/// Longest words of a refusal: they may quote what a client sent.
const MAX_WORDS: usize = 1_024;

fn plain(code: i32, words: impl Into<String>) -> Refusal {
    Refusal::owned(code, words.into(), None::<()>)
}

/// The text is not JSON.
pub(crate) fn parse(reason: &str) -> Refusal {
    plain(code::PARSE, format!("Parse error: {reason}"))
}

/// The JSON is no request.
pub(crate) fn no_request(expected: &str) -> Refusal {
    plain(code::INVALID_REQUEST, format!("Invalid request: expected {expected}"))
}

/// There is no method of this name.
pub(crate) fn no_method(name: &str) -> Refusal {
    let name: String = name.chars().take(64).collect();
    plain(code::METHOD_NOT_FOUND, format!("Method not found: \"{name}\""))
}

/// The request is longer than `most` bytes.
pub(crate) fn request_too_long(most: u32) -> Refusal {
    let words = format!("the request is longer than {most} bytes (rpc.max_request_bytes)");
    plain(code::REQUEST_TOO_LONG, words)
}

/// The batch has more than `most` requests.
pub(crate) fn batch_too_long(most: usize) -> Refusal {
    plain(code::BATCH_TOO_LONG, format!("a batch has at most {most} requests (rpc.max_batch)"))
}

/// The answers to a batch would be longer than the node gives.
pub(crate) fn batch_answer() -> Refusal {
    let words =
        "the answers to the batch would be longer than rpc.max_response_bytes: ask for less";
    plain(code::BATCH_ANSWER_TOO_LONG, words)
}

/// There is no room for it now.
pub(crate) fn busy(reason: &impl core::fmt::Display) -> Refusal {
    plain(code::BUSY, reason.to_string())
}

/// The connection has `most` subscriptions.
pub(crate) fn too_many_subscriptions(most: usize) -> Refusal {
    let words = format!("a connection has at most {most} subscriptions (rpc.max_subscriptions)");
    plain(code::TOO_MANY_SUBSCRIPTIONS, words)
}

/// Subscriptions need a connection that stays.
pub(crate) fn no_subscriptions() -> Refusal {
    plain(code::INVALID_REQUEST, "Invalid request: subscriptions need a WebSocket")
}

/// The connection has not the subscription that is named.
pub(crate) fn no_subscription() -> Refusal {
    plain(code::INVALID_PARAMS, "the connection has no such subscription")
}

/// The connection has not the operation that is named.
pub(crate) fn no_operation() -> Refusal {
    plain(code::INVALID_PARAMS, "the connection has no such operation")
}

/// The connection follows the head `most` times.
pub(crate) fn too_many_followed(most: usize) -> Refusal {
    let words = format!("a connection follows the head of the chain at most {most} times");
    plain(code::TOO_MANY_FOLLOWED, words)
}

/// A block that a subscription does not pin.
pub(crate) fn not_pinned(hash: &impl core::fmt::Debug) -> Refusal {
    plain(code::NOT_PINNED, format!("the subscription does not pin block {hash:?}"))
}

/// A subscription without the runtime, which cannot be called.
pub(crate) fn without_runtime() -> Refusal {
    plain(code::WITHOUT_RUNTIME, "the subscription was begun with withRuntime false")
}

/// An operation that does not wait to go on.
pub(crate) fn not_waiting() -> Refusal {
    plain(code::NOT_WAITING, "the operation does not wait for chainHead_v1_continue")
}

/// A block that is named twice.
pub(crate) fn named_twice(hash: &impl core::fmt::Debug) -> Refusal {
    plain(code::NAMED_TWICE, format!("block {hash:?} is named twice"))
}

/// With words of a bounded length, and with `data.zh`: what the code means, in Chinese.
pub(crate) fn short(refusal: &Refusal) -> Refusal {
    let words: String = refusal.message().chars().take(MAX_WORDS).collect();
    let data = refusal.data().map(|data| serde_json::from_str::<Value>(data.get()));
    let mut data = match data {
        None => Map::new(),
        Some(Ok(Value::Object(data))) => data,
        // What is no object has no place for it; none of ours is.
        Some(_) => return Refusal::owned(refusal.code(), words, refusal.data()),
    };
    // The pool's own code says more than Substrate's.
    let finer = data.get("code").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
    let text =
        finer.and_then(billchain_words::code).or_else(|| billchain_words::code(refusal.code()));
    if let Some(text) = text {
        data.insert("zh".into(), text.into());
    }
    Refusal::owned(refusal.code(), words, (!data.is_empty()).then_some(data))
}

/// What a caller is told that is not served. `data` says when to come back, where time helps.
pub(crate) fn denied(denied: &Denied) -> Refusal {
    let data = denied.retry_after.map(|wait| {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        json!({ "retry_after_ms": ms })
    });
    Refusal::owned(denied.code, denied.words.clone(), data)
}

/// A parameter that cannot be used.
pub(crate) fn invalid(parameter: &str, expected: &str, found: &str) -> Refusal {
    let found: String = found.chars().take(120).collect();
    let text = format!("{parameter}: expected {expected}, found \"{found}\"");
    Refusal::owned(code::INVALID_PARAMS, text, None::<()>)
}

/// An answer that would be longer than the method gives.
pub(crate) fn answer_too_long(most: usize) -> Refusal {
    let text = format!("the answer would be longer than {most} bytes: ask for less");
    Refusal::owned(code::ANSWER_TOO_LONG, text, None::<()>)
}

/// A block that this node does not have.
pub(crate) fn unknown_block(which: impl core::fmt::Display) -> Refusal {
    Refusal::owned(code::UNKNOWN_BLOCK, format!("unknown block {which}"), None::<()>)
}

/// A block that this node does not have, or not whole. It has those from `first` on.
pub(crate) fn block_not_kept(number: u32, first: u32) -> Refusal {
    let text = format!("block {number} is not kept here; the oldest kept whole is block {first}");
    Refusal::owned(code::BLOCK_NOT_KEPT, text, None::<()>)
}

/// Proofs of the state are of the head alone.
pub(crate) fn not_the_head(asked: u32, head: u32) -> Refusal {
    let text = format!(
        "proofs are of the head alone, block {head}: the state after block {asked} has none here"
    );
    Refusal::owned(code::STATE_NOT_KEPT, text, None::<()>)
}

/// A failure of the node.
pub(crate) fn internal(error: impl core::fmt::Display) -> Refusal {
    tracing::error!(%error, "an RPC request failed");
    Refusal::owned(code::INTERNAL, error.to_string(), None::<()>)
}

pub(crate) fn storage(error: StorageError) -> Refusal {
    match error {
        StorageError::StateNotKept { .. } => {
            Refusal::owned(code::STATE_NOT_KEPT, error.to_string(), None::<()>)
        }
        StorageError::IndexIncomplete { .. } => {
            Refusal::owned(code::INDEX_INCOMPLETE, error.to_string(), None::<()>)
        }
        StorageError::UnknownBlock { .. } => {
            Refusal::owned(code::UNKNOWN_BLOCK, error.to_string(), None::<()>)
        }
        other => internal(other),
    }
}

/// Parameters that cannot be used, as the error says.
pub(crate) fn plainly_invalid(error: &impl core::fmt::Display) -> Refusal {
    Refusal::owned(code::INVALID_PARAMS, error.to_string(), None::<()>)
}

/// What a certificate needs is not here.
pub(crate) fn no_certificate(error: &impl core::fmt::Display) -> Refusal {
    Refusal::owned(code::NO_CERTIFICATE, error.to_string(), None::<()>)
}

pub(crate) fn chain(error: ChainError) -> Refusal {
    match error {
        ChainError::Storage(error) => storage(error),
        other => internal(other),
    }
}

pub(crate) fn call(error: CallError) -> Refusal {
    match error {
        CallError::Chain(error) => chain(error),
        other => Refusal::owned(code::RUNTIME_CALL, other.to_string(), None::<()>),
    }
}

pub(crate) fn dry_run(error: DryRunError) -> Refusal {
    match error {
        DryRunError::Chain(error) => chain(error),
        DryRunError::Transaction(TransactionError::Panicked(failure)) => {
            Refusal::owned(code::RUNTIME_CALL, failure.to_string(), None::<()>)
        }
        DryRunError::Transaction(error) => {
            Refusal::owned(code::INVALID_PARAMS, format!("extrinsic: {error}"), None::<()>)
        }
    }
}

/// Substrate's code, the pool's words, and the pool's own code as data.
pub(crate) fn pool(error: &PoolError) -> Refusal {
    Refusal::owned(
        error.substrate_code(),
        error.to_string(),
        Some(json!({ "code": error.code(), "temporary": error.is_temporary() })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The constants of a source, by their values.
    fn constants(source: &str) -> impl Iterator<Item = String> {
        source.lines().filter_map(|line| {
            let (_, value) = line.strip_prefix("pub const ")?.split_once(": i32 = ")?;
            Some(value.trim_end_matches(';').to_owned())
        })
    }

    #[test]
    fn every_code_of_the_rpc_and_the_pool_has_a_chinese_text_and_no_text_is_left_over() {
        let mut codes: BTreeSet<_> = constants(include_str!("../types/src/code.rs")).collect();
        let pool = include_str!("../../txpool/src/error.rs").lines().filter_map(|line| {
            let (_, code) = line.split_once("=> ")?;
            let code = code.trim_end_matches(',');
            (line.contains("Self::") || line.contains('|')).then_some(code)
        });
        codes.extend(pool.filter(|code| code.parse::<i32>().is_ok()).map(str::to_owned));
        assert!(codes.len() > 60, "{codes:?}");
        // The one that the pool gives on a line of its own.
        codes.extend(["1010", "1016"].map(str::to_owned));
        let known: BTreeSet<_> =
            billchain_words::CODES.keys().map(|key| (*key).to_owned()).collect();
        assert_eq!(codes, known);
    }

    #[test]
    fn a_refusal_says_in_chinese_what_its_code_means_and_keeps_its_data() {
        let plain = short(&no_method("bill_nothing"));
        let data: Value = serde_json::from_str(plain.data().expect("data").get()).expect("JSON");
        assert_eq!(data, json!({ "zh": "没有这一方法" }));
        let pool = short(&pool(&PoolError::Stopping));
        let data: Value = serde_json::from_str(pool.data().expect("data").get()).expect("JSON");
        assert_eq!(data["code"], 2014);
        assert_eq!(data["zh"], "节点正在停止");
        assert!(data["temporary"].is_boolean());
    }
}

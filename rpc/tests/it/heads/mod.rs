//! `chainHead_v1_*`, `chainSpec_v1_*`, `transaction_v1_*` and `transactionWatch_v1_*`: each
//! method, each of its errors, and floods of each.

mod floods;
mod follow;
mod operations;
mod transactions;

use super::*;
use codec::Encode;

/// A hash that no block has.
const UNKNOWN: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";
/// Storage of System.Number.
const NUMBER: &str = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";
/// What the keys of System begin with.
const SYSTEM: &str = "0x26aa394eea5630e07c48ae0c9558cef7";

/// A subscription to the head.
struct Head {
    feed: Subscription<Value>,
    id: Value,
    /// What the first event told, the oldest first.
    first: Vec<Value>,
}

impl Head {
    /// Follows, and takes the first two events.
    async fn follow(ws: &WsClient, with_runtime: bool) -> Self {
        let mut feed: Subscription<Value> = ws
            .subscribe("chainHead_v1_follow", rpc_params![with_runtime], "chainHead_v1_unfollow")
            .await
            .unwrap();
        let id = match feed.kind() {
            jsonrpsee::core::client::SubscriptionKind::Subscription(id) => json!(id),
            other => panic!("{other:?}"),
        };
        let initialized = next(&mut feed).await;
        assert_eq!(initialized["event"], "initialized");
        let first = initialized["finalizedBlockHashes"].as_array().unwrap().clone();
        assert_eq!(initialized.get("finalizedBlockRuntime").is_some(), with_runtime);
        let best = next(&mut feed).await;
        assert_eq!(best["event"], "bestBlockChanged");
        assert_eq!(&best["bestBlockHash"], first.last().unwrap());
        Self { feed, id, first }
    }

    fn newest(&self) -> Value {
        self.first.last().unwrap().clone()
    }

    async fn next(&mut self) -> Value {
        next(&mut self.feed).await
    }

    /// The parameters of a method on it.
    fn with(&self, more: Value) -> Value {
        let mut all = vec![self.id.clone()];
        all.extend(more.as_array().unwrap().iter().cloned());
        Value::Array(all)
    }

    /// Begins an operation: its id.
    async fn begin(&self, ws: &WsClient, method: &str, more: Value) -> Value {
        let begun = ask(ws, method, self.with(more)).await;
        assert_eq!(begun["result"], "started", "{begun}");
        begun["operationId"].clone()
    }

    /// The events of an operation until its last one. It goes on when it waits.
    async fn told(&mut self, ws: &WsClient, id: &Value) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let event = self.next().await;
            if event["operationId"] != *id {
                continue;
            }
            let name = event["event"].as_str().unwrap().to_owned();
            all.push(event);
            match name.as_str() {
                "operationStorageItems" => {}
                "operationWaitingForContinue" => {
                    ask(ws, "chainHead_v1_continue", self.with(json!([id]))).await;
                }
                _ => return all,
            }
        }
    }
}

async fn next(feed: &mut Subscription<Value>) -> Value {
    let event = tokio::time::timeout(Duration::from_secs(10), feed.next()).await;
    event.expect("an event comes").expect("the subscription goes on").unwrap()
}

async fn refused(ws: &WsClient, method: &str, params: Value) -> (i32, String) {
    let asked = ws.request::<Value, _>(method, array(&params)).await;
    refusal(asked.err().unwrap_or_else(|| panic!("{method} is not refused")))
}

/// Asks until the answer is this: what ends a subscription runs beside what is asked next.
async fn soon(ws: &WsClient, method: &str, params: Value, expected: Value) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let answer = ask(ws, method, params.clone()).await;
        if answer == expected {
            return;
        }
        assert!(Instant::now() < until, "{method}: {answer}, expected {expected}");
        tokio::task::yield_now().await;
    }
}

fn limit_reached() -> Value {
    json!({ "result": "limitReached" })
}

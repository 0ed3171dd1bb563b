//! JSON-RPC itself: ids, notifications and envelopes, by HTTP as they are.

use super::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Status and body of the answer to a POST.
pub(crate) async fn post(node: &Node, kind: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(node.server.address()).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_given_back_as_it_was_written_or_refused_before_anything_is_done() {
    let node = Node::start(RpcConfig::default()).await;
    for id in ["1764357745.123", "-1", "18446744073709551616", "\"a\\u0062\"", "null", "1e3"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"system_name"}}"#);
        let (status, answer) = post(&node, "application/json", &body).await;
        assert_eq!(
            (status, answer),
            (200, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"billchain"}}"#))
        );
    }
    // A refused request does nothing.
    let bytes =
        Signer::development("//hospital").transaction(register().0, 0, node.chain.genesis_hash());
    for id in ["true", "[1]", "{}"] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"author_submitExtrinsic","params":["0x{}"]}}"#,
            hex::encode(&bytes)
        );
        let (status, answer) = post(&node, "application/json", &body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, &answer["error"]["code"]), (200, &json!(-32600)), "{id}: {answer}");
        assert_eq!(answer["id"], Value::Null);
        assert_eq!(node.pool.stats().ready, 0, "{id}");
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_has_no_answer() {
    let node = Node::start(RpcConfig::default()).await;
    let one = r#"{"jsonrpc":"2.0","method":"system_name"}"#;
    for body in [one.to_owned(), format!("[{one},{one}]")] {
        assert_eq!(post(&node, "application/json", &body).await, (204, String::new()), "{body}");
    }
    let call = r#"{"jsonrpc":"2.0","id":7,"method":"system_name"}"#;
    let (_, answer) = post(&node, "application/json", &format!("[{one},{call}]")).await;
    assert_eq!(answer, r#"[{"jsonrpc":"2.0","id":7,"result":"billchain"}]"#);
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_stands_twice_in_an_object_is_refused_everywhere_alike() {
    let node = Node::start(RpcConfig::default()).await;
    for (body, name) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"bill_get","method":"bill_get"}"#, "method"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"bill_get","params":{"code":"1","code":"2"}}"#,
            "code",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"transaction_prepare","params":[{"pallet":"a","call":"b","args":{"x":1,"x":2}},"k"]}"#,
            "x",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"policy_check","params":[{"id":1,"id":2}]}"#, "id"),
    ] {
        let (_, answer) = post(&node, "application/json", body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["error"]["code"], -32600, "{body}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(name), "{answer}");
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charset_is_one_in_quotes_too_and_others_are_refused() {
    let node = Node::start(RpcConfig::default()).await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"system_name"}"#;
    let quoted = post(&node, "application/json; charset=\"utf-8\"", call).await;
    assert_eq!(quoted.0, 200, "{quoted:?}");
    let other = post(&node, "application/json; charset=gbk", call).await;
    assert_eq!(other.0, 415, "{other:?}");
    node.server.stop().await;
}

//! Requests and transactions that are wrong, sent to a running network: each
//! is refused in words, and the network goes on.

use crate::{
    http::post,
    load::{Bills, Issuer, register},
    network::{ALL, FAST, Network, PATIENCE, edit},
};
use billchain_client::{Connection, Signer};
use billchain_primitives::{Address, Hash, Signature};
use billchain_runtime::{
    RuntimeCall, UncheckedExtrinsic, immortal_payload, limits::MAX_TRANSACTION_BYTES, tx_extension,
};
use codec::Encode;
use jsonrpsee::{
    core::client::{ClientT, Error},
    rpc_params,
};
use serde_json::{Value, json};
use sp_runtime::generic::Era;

/// A refusal of `author_submitExtrinsic`.
#[derive(Debug)]
pub struct Refusal {
    /// Substrate's code.
    pub code: i32,
    /// In words.
    pub message: String,
    /// The pool's code and whether the same bytes may be taken later; null if
    /// the pool was not asked.
    pub data: Value,
}

/// How a node refuses a request.
pub async fn refusal(node: &Connection, method: &str, parameter: impl serde::Serialize) -> Refusal {
    let answer: Result<Value, Error> = node.raw().request(method, rpc_params![parameter]).await;
    match answer {
        Err(Error::Call(error)) => Refusal {
            code: error.code(),
            message: error.message().to_owned(),
            data: error.data().map_or(Value::Null, |data| without_zh(data.get())),
        },
        other => panic!("{method}: expected a refusal, found {other:?}"),
    }
}

/// An error's data without the text in Chinese, which each error has.
fn without_zh(data: &str) -> Value {
    let mut data: Value = serde_json::from_str(data).expect("error data are JSON");
    let zh = data.as_object_mut().and_then(|data| data.remove("zh"));
    assert!(zh.is_some_and(|text| text.is_string()), "no text in Chinese");
    if data == json!({}) { Value::Null } else { data }
}

/// How a node refuses a transaction.
pub async fn refused_transaction(node: &Connection, bytes: &[u8]) -> Refusal {
    refusal(node, "author_submitExtrinsic", format!("0x{}", hex::encode(bytes))).await
}

/// That a transaction is refused for the sake of its content, with the pool's
/// code and these words.
async fn assert_refused(node: &Connection, what: &str, bytes: &[u8], pool: i32, words: &[&str]) {
    let refusal = refused_transaction(node, bytes).await;
    assert_eq!(refusal.data, json!({ "code": pool, "temporary": false }), "{what}: {refusal:?}");
    // Substrate's code for bytes that do not decode, and for what is invalid.
    let code = if pool == 2100 { 1001 } else { 1010 };
    assert_eq!(refusal.code, code, "{what}: {refusal:?}");
    for word in words {
        assert!(refusal.message.contains(word), "{what}: \"{word}\" is not in {refusal:?}");
    }
}

/// A call of `length` bytes and more that any sender may make: a policy that is
/// none, which fails.
fn remark(length: usize) -> RuntimeCall {
    let submit = |length: usize| {
        let body = vec![7; length].try_into().expect("at most 16 KiB");
        RuntimeCall::Policy(pallet_policy::Call::submit {
            format: pallet_policy::Format::Json,
            body,
        })
    };
    const MOST: usize = pallet_policy::MAX_BODY as usize;
    if length <= MOST {
        return submit(length);
    }
    let chunks = length.div_ceil(MOST);
    let calls = (0..chunks).map(|_| submit(MOST)).collect();
    RuntimeCall::Utility(pallet_utility::Call::batch { calls })
}

fn secret(seed: &str) -> billchain_crypto::sm2::SecretKey {
    billchain_crypto::sm2::SecretKey::from_seed(seed.as_bytes())
}

/// A transaction that `signer` signed, as if it were `sender`'s.
fn forged(sender: &str, signer: &str, call: RuntimeCall, genesis: Hash) -> Vec<u8> {
    let key = secret(signer);
    let payload = immortal_payload(&call, 0, genesis);
    let signature = Signature::Sm2 {
        public: key.public().to_compressed(),
        signature: key.sign(billchain_crypto::sm2::DEFAULT_ID, &payload).to_bytes(),
    };
    let sender = Address::Id(Signer::development(sender).account());
    UncheckedExtrinsic::new_signed(call, sender, signature, tx_extension(0, Era::Immortal)).encode()
}

/// `bytes` with the one place that holds `from` replaced by `to`.
pub fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{from:?} must stand once");
    let mut patched = bytes.to_vec();
    patched[places[0]..places[0] + from.len()].copy_from_slice(to);
    patched
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_transactions_are_refused_with_codes_and_words() {
    let mut network = Network::started(FAST).await;
    let node = network.client(1).await;
    let genesis = node.genesis();
    let (bills, issuer) = (Bills::new(), Issuer::new("hospital-9"));
    let sign = |nonce| issuer.signer.transaction(register(bills.next(&issuer)), nonce, genesis);

    let done = sign(0);
    let first = node.submit(&done).await.unwrap();
    assert_eq!(node.wait_final(first, PATIENCE).await.unwrap().success, Some(true));
    let good = sign(1);

    // No transactions at all.
    for cut in [0, 1, 2, 40, 100, good.len() - 1] {
        let what = format!("cut to {cut} bytes");
        assert_refused(&node, &what, &good[..cut], 2100, &["not a transaction of this chain"])
            .await;
    }
    let longer = [&good[..], &[0]].concat();
    assert_refused(&node, "a byte more", &longer, 2100, &["not a transaction of this chain"]).await;
    assert_refused(&node, "noise", &[0xff; 300], 2100, &["not a transaction of this chain"]).await;
    let bare = UncheckedExtrinsic::new_bare(remark(1)).encode();
    assert_refused(&node, "unsigned", &bare, 2101, &["not signed"]).await;

    // Longer than the chain takes.
    let long = issuer.signer.transaction(remark(MAX_TRANSACTION_BYTES as usize), 1, genesis);
    let most = format!("at most {MAX_TRANSACTION_BYTES} are taken");
    assert_refused(&node, "a long one", &long, 2002, &[&most]).await;

    // Signed otherwise than it should be.
    let mut flipped = good.clone();
    let signature = secret("//hospital-9").public().to_compressed();
    let at = flipped.windows(33).position(|bytes| bytes == signature).unwrap() + 33 + 20;
    flipped[at] ^= 1;
    let words = ["the signature does not fit"];
    assert_refused(&node, "a flipped bit", &flipped, 2102, &words).await;
    let stolen = forged("//hospital-9", "//hospital-8", remark(1), genesis);
    assert_refused(&node, "another's key", &stolen, 2102, &words).await;
    let other = issuer.signer.transaction(remark(1), 1, Hash::repeat_byte(7));
    assert_refused(&node, "another chain", &other, 2102, &["signed for another chain"]).await;
    let own = forged("//hospital-8", "//hospital-8", remark(1), genesis);
    let changed = patched(&own, &remark(1).encode(), &[&remark(1).encode()[..4], &[8]].concat());
    assert_refused(&node, "another call", &changed, 2102, &words).await;

    // By nobody the chain knows.
    let nobody = Signer::development("//nobody");
    let account = nobody.account().to_string();
    let words = [account.as_str(), "no active participant"];
    assert_refused(&node, "nobody", &nobody.transaction(remark(1), 0, genesis), 2104, &words).await;

    // At the wrong place in the sender's order.
    let stale = sign(0);
    assert_refused(&node, "stale", &stale, 2105, &["expected 1 or later, got 0"]).await;
    // The very bytes again are no mistake: who lost the answer gets it, anywhere.
    network.agree(&ALL).await;
    for number in ALL {
        let other = network.client(number).await;
        assert_eq!(other.submit(&done).await.unwrap(), first, "sent again at node {number}");
    }
    let far = sign(1 + 20_001);
    let refusal = refused_transaction(&node, &far).await;
    assert_eq!(refusal.data, json!({ "code": 2007, "temporary": true }), "{refusal:?}");
    assert!(refusal.message.contains("nonce 20002 is too far ahead: the next one is 1"));

    // None of them is in the way of a good one.
    let hash = node.submit(&good).await.unwrap();
    assert_eq!(node.wait_final(hash, PATIENCE).await.unwrap().success, Some(true));
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_refused_and_the_node_goes_on() {
    let mut network = Network::new(FAST).await;
    edit(&network.config(1), "[rpc]", "[rpc]\nmax_request_bytes = 1000000\nmax_batch = 50");
    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    let port = network.rpc_port(1);

    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"system_name"}"#;
    let batch = format!("[{}]", vec![call; 51].join(","));
    let nested = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"bill_get","params":{deep}}}"#);
    let cases: [(&str, &[u8], &str); 10] = [
        ("JSON that ends early", br#"{"jsonrpc":"2.0","id":1,"method":"#, "-32700"),
        ("no JSON", b"register my bill", "-32700"),
        ("nothing", b"", "-32700"),
        ("bytes that are no text", &[0xff, 0xfe, 0x00, 0x80], "-32700"),
        ("brackets in brackets", deep.as_bytes(), "-32600"),
        ("parameters in brackets", nested.as_bytes(), "-32600"),
        ("another protocol", br#"{"id":1,"method":"system_name"}"#, "-32600"),
        ("no method", br#"{"jsonrpc":"2.0","id":1}"#, "-32600"),
        ("an empty batch", b"[]", "-32600"),
        ("a batch of 51", batch.as_bytes(), "-32010"),
    ];
    for (what, body, code) in cases {
        let (status, answer) = post(port, "application/json", body).await;
        assert!(answer.contains(&format!("\"code\":{code}")), "{what}: {status} {answer}");
    }
    let (status, answer) = post(port, "application/json", call.as_bytes()).await;
    assert!(status == 200 && answer.contains("\"result\":\"billchain\""), "{answer}");
    let (status, answer) = post(port, "text/plain", call.as_bytes()).await;
    assert_eq!(status, 415, "{answer}");
    let (status, answer) = post(port, "application/json", &vec![b' '; 1_000_001]).await;
    assert_eq!(status, 413, "{answer}");
    assert!(answer.contains("1000000"), "{answer}");

    let node = network.client(1).await;
    let unknown = refusal(&node, "bill_delete", "31060125").await;
    assert_eq!(unknown.code, -32601, "{unknown:?}");
    for (method, parameter, words) in [
        ("author_submitExtrinsic", json!("0xzz"), "expected bytes as 0x hex"),
        ("author_submitExtrinsic", json!("1234"), "expected bytes as 0x hex"),
        ("author_submitExtrinsic", json!(7), "expected bytes as 0x hex"),
        ("author_submitExtrinsic", Value::Null, "expected bytes as 0x hex"),
        ("transaction_status", json!("0x12"), "expected 32 bytes as 0x hex"),
        ("chain_getBlockHash", json!(-1), "expected a number from 0 to 4294967295"),
        ("chain_getHeader", json!("latest"), "expected bytes as 0x hex"),
        ("bill_get", json!("3106012x"), "8 digits"),
        ("bill_byCodes", json!("31060125"), "expected a string, found \"null\""),
        ("participant_resolve", json!("did:other"), "did:"),
        ("system_accountNextIndex", json!("//Alice"), "an SS58 address or 32 bytes in hex"),
    ] {
        let refusal = refusal(&node, method, &parameter).await;
        assert_eq!(refusal.code, -32602, "{method} {parameter}: {refusal:?}");
        assert!(refusal.message.contains(words), "{method} {parameter}: {refusal:?}");
    }
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}

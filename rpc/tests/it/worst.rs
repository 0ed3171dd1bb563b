//! Every row of the methods, asked for the most that it gives: answer and work are
//! within the bounds that `rpc.discover` states, or it is refused clearly.

use super::{requests::post, *};

const BILLS: u32 = 500;

/// Reads of a request beside those of what it works on: the sender's, the block's.
const FIXED_READS: u64 = 8;

/// A node with as many bills as one transaction may register.
async fn filled() -> (Node, Value) {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let done = node.execute(&client, "//hospital", register_many(1..BILLS + 1)).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
    assert_eq!(done.items.len(), BILLS as usize);
    let keys = ask(&node.ws().await, "state_getKeysPaged", json!(["0x", 1_000])).await;
    let (code, head) = (register().1.key.code, node.chain.head().hash);
    let facts = json!({ "transaction": done.hash, "keys": keys, "code": code, "head": head });
    (node, facts)
}

/// The dearest value of a parameter.
fn dearest(method: &str, parameter: &str, known: &Value) -> Value {
    let code = &known["code"];
    let longest = format!("0x{}", "00".repeat(MAX));
    const MAX: usize = billchain_runtime::limits::MAX_TRANSACTION_BYTES as usize;
    let numbers = (1..=BILLS).map(|number| format!("{number:010}"));
    match (method, parameter) {
        (_, "code") => code.clone(),
        (_, "number") if method.starts_with("chain_") => json!(vec![1; 1_024]),
        (_, "number") => json!("0000000001"),
        (_, "check_code") => json!("a1B2c3"),
        // 99 bills, as many blocks of a hundred and of ten thousand, and 499 of a million.
        ("bill_numbersCertificate", "first") => json!("0000000001"),
        ("bill_numbersCertificate", "last") => json!("0499999999"),
        (_, "month") => json!("202611"),
        ("bill_getBatch", "bills") => numbers.map(|number| json!([code, number])).collect(),
        (_, "bills") => numbers.map(|number| json!([code, number, "a1B2c3"])).collect(),
        (_, "hash") if method.starts_with("chain_") => Value::Null,
        (_, "hash") if method.starts_with("archive_") => known["head"].clone(),
        ("bill_verifyHash" | "bill_verifyHashByTransaction", "hash") => json!(ZERO),
        (_, "transaction") => known["transaction"].clone(),
        (_, "hash") => known["transaction"].clone(),
        ("state_getReadProof", "keys") => json!(known["keys"].as_array().unwrap()[..64]),
        (_, "keys") => known["keys"].clone(),
        (_, "key") => known["key"].clone(),
        (_, "count") => json!(1_000),
        ("bill_history" | "bill_verifyHistory", "limit") => json!(1_024),
        (_, "limit") => json!(100),
        (_, "scene") => json!(1),
        (_, "issuer") => json!("did:bill:hospital"),
        (_, "holder" | "party" | "participant" | "subject" | "actor") => {
            json!("did:bill:insurer-a")
        }
        (_, "did") => json!("did:bill:hospital"),
        (_, "node") => json!("did:bill:node-1"),
        (_, "account") => json!(Signer::development("//hospital").account().to_string()),
        (_, "connector" | "seq") => json!(1),
        (_, "filter") => json!({ "topics": ["bill_registered"], "pallets": ["BillRegister"] }),
        (_, "kind") => json!("xml"),
        ("bill_byStatus", "status") => json!("normal"),
        ("policy_byStatus", "status") => json!("draft"),
        (_, "status") => Value::Null,
        (_, "operation") => json!("register"),
        (_, "role") => json!("hospital"),
        (_, "extrinsic" | "unsigned") => json!(longest),
        ("state_call", "method") | (_, "function") => json!("Metadata_metadata"),
        (_, "data" | "callParameters") => json!("0x"),
        (_, "height") => json!(1),
        (_, "signature") => json!(format!("0x{}", "00".repeat(64))),
        (_, "challenge") => json!(format!("0x{}", "00".repeat(1_024))),
        (_, "payer_ref" | "uscc_hash" | "grant") => json!(ZERO),
        (_, "call") => {
            let remark = format!("0x{}", "00".repeat(MAX - 1_000));
            json!({ "pallet": "System", "call": "remark", "args": { "remark": remark } })
        }
        (_, "public_key") => json!(format!("sm2:{}", hex::encode(public_key()))),
        (_, "document") => json!("x".repeat(16_384)),
        (_, "facts") => json!({ "total": 5 }),
        (_, "policy" | "case" | "version" | "block") => json!(1),
        (_, "keyword") => json!("医保"),
        (_, "field") => json!("status"),
        (_, "issue_date") => json!(20_261_124),
        (_, "total_fen") => json!(1),
        _ => Value::Null,
    }
}

const ZERO: &str = "0x0000000000000000000000000000000000000000000000000000000000000000";

fn public_key() -> Vec<u8> {
    billchain_crypto::sm2::SecretKey::from_seed(b"//hospital").public().to_compressed().to_vec()
}

/// The key of the longest value among the keys.
async fn longest_value(ws: &WsClient, keys: &Value) -> Value {
    let found = ask(ws, "state_queryStorageAt", json!([keys])).await;
    let changes = found[0]["changes"].as_array().unwrap().clone();
    let length = |change: &Value| change[1].as_str().map_or(0, str::len);
    changes.into_iter().max_by_key(length).unwrap()[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_answers_its_dearest_parameters_within_its_bound_or_refuses_clearly() {
    let (node, mut known) = filled().await;
    let ws = node.ws().await;
    known["key"] = longest_value(&ws, &known["keys"]).await;
    let document = ask(&ws, "rpc.discover", json!([])).await;
    let codes = &document["components"]["errors"];
    let (mut answered, mut longest) = (0, std::collections::BTreeMap::new());
    for method in document["methods"].as_array().unwrap() {
        let name = method["name"].as_str().unwrap();
        let summary = method["summary"].as_str().unwrap();
        if method["x-notification"].is_object() || summary.starts_with("Ends a subscription") {
            continue;
        }
        let params: serde_json::Map<_, _> = method["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|param| param["name"].as_str().unwrap())
            .map(|param| (param.to_owned(), dearest(name, param, &known)))
            .collect();
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": name, "params": params });
        let began = Instant::now();
        let before = node.chain.storage().stats().reads;
        let (status, text) = post(&node, "application/json", &request.to_string()).await;
        let (took, reads) = (began.elapsed(), node.chain.storage().stats().reads - before);
        let most = method["x-bound"]["work"]["most"].as_u64().unwrap();
        // What is listed is read by its index and by itself.
        assert!(reads <= 2 * most + FIXED_READS, "{name}: {reads} reads, work of {most}");
        assert_eq!(status, 200, "{name}");
        assert!(took < Duration::from_secs(5), "{name}: {took:?}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        let bound = method["x-bound"]["answer_bytes"].as_u64().unwrap() as usize;
        assert!(text.len() <= bound + 2_048, "{name}: {} over {bound}", text.len());
        match answer.get("error") {
            None => {
                answered += 1;
                longest.insert(name.to_owned(), text.len());
            }
            Some(error) => {
                let declared = method["errors"].as_array().unwrap().iter().any(|one| {
                    let one = one["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
                    codes[one]["code"] == error["code"]
                });
                let is_too_long = error["code"] == code::ANSWER_TOO_LONG;
                // What works on a connection's own is asked for in `heads`.
                let is_own = error["message"].as_str().unwrap().contains("need a WebSocket");
                assert!(declared || is_too_long || is_own, "{name}: {error}");
                let words = error["message"].as_str().unwrap();
                assert!(words.len() > 5 && words.len() < 1_100, "{name}: {words}");
            }
        }
    }
    // Most are answered, and those that give much gave it.
    assert!(answered > 80, "{answered}: {longest:?}");
    for (name, least) in [
        ("bill_getBatch", 200_000),
        ("bill_byCodesBatch", 200_000),
        ("bill_byTransaction", 200_000),
        ("bill_verifyHashByTransaction", 40_000),
        ("bill_byIssuer", 40_000),
        ("bill_byDate", 40_000),
        ("transaction_status", 100_000),
        ("transaction_prepare", 1_000_000),
        ("state_getKeysPaged", 60_000),
        ("state_queryStorageAt", 100_000),
        ("state_getMetadata", 200_000),
        ("state_call", 100_000),
        ("archive_v1_body", 100_000),
        ("archive_v1_call", 100_000),
        ("chain_getBlock", 100_000),
        ("chain_getBlockHash", 60_000),
    ] {
        let found = longest.get(name).copied().unwrap_or_default();
        assert!(found >= least, "{name}: {found}");
    }
    node.server.stop().await;
}

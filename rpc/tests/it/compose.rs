//! A platform that knows nothing of SCALE registers a bill: call in JSON,
//! signature of its own SM2 device, submission.

use crate::{NOW, Node, ask, refusal, register};
use billchain_client::Connection;
use billchain_crypto::sm2;
use billchain_rpc::RpcConfig;
use billchain_rpc_types::code;
use codec::Encode;
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::{Value, json};
use std::time::Duration;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(&value.as_str().unwrap()[2..]).unwrap()
}

/// The sample bill as a platform writes it.
fn call() -> Value {
    let (_, invoice) = register();
    json!({ "pallet": "BillRegister", "call": "register", "args": { "summary": {
        "key": { "code": invoice.key.code, "number": invoice.key.number },
        "check_code": "a1B2c3",
        "kind": "blue",
        "issue_date": invoice.issue_date,
        "issue_time": 93_000,
        "total": 11_050,
        "issuer": "did:bill:hospital",
        "issuer_uscc": "12310000425006133D",
        "payer_type": "person",
        "payer_ref": hex([7; 32]),
        "scene": 1,
        "biz_no_hash": hex([8; 32]),
        "xml_hash": hex(invoice.xml_hash),
        "pdf_hash": hex([0; 32]),
        "location_hash": hex([0; 32]),
    } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_without_scale_builds_signs_and_submits_a_call() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let key = sm2::SecretKey::from_seed(b"//hospital");
    let public = format!("sm2:{}", hex::encode(key.public().to_compressed()));

    let prepared = ask(&ws, "transaction_prepare", json!([call(), public])).await;
    assert_eq!(prepared["nonce"], 0);
    assert_eq!(prepared["signer_id"], "1234567812345678");
    let payload = bytes(&prepared["payload"]);
    assert!(payload.starts_with(&bytes(&prepared["call"])), "the payload shows its call");
    let digest = key.public().message_digest(sm2::DEFAULT_ID, &payload).unwrap();
    assert_eq!(prepared["digest"], hex(digest));

    // A device gives r‖s or DER; both are taken.
    let signature = key.sign(sm2::DEFAULT_ID, &payload);
    let unsigned = &prepared["unsigned"];
    let submitted =
        ask(&ws, "transaction_submitSigned", json!([unsigned, hex(signature.to_der())])).await;
    node.make_block();
    let hash = submitted.as_str().unwrap().parse().unwrap();
    let done = client.wait_final(hash, Duration::from_secs(5)).await.unwrap();
    assert_eq!((done.success, &done.error), (Some(true), &None), "{done:?}");
    let (_, invoice) = register();
    let (code, number) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    let bill = client.bill(&code, &number).await.unwrap().unwrap();
    assert_eq!(bill.payer_ref.0, [7; 32]);

    // The next one, with r‖s, fails in words: another bill is there.
    let mut dearer = call();
    dearer["args"]["summary"]["total"] = json!(11_051);
    let next = ask(&ws, "transaction_prepare", json!([dearer, public])).await;
    assert_eq!(next["nonce"], 1);
    let signature = key.sign(sm2::DEFAULT_ID, &bytes(&next["payload"])).to_bytes();
    let hash =
        ask(&ws, "transaction_submitSigned", json!([next["unsigned"], hex(signature)])).await;
    let hash = hash.as_str().unwrap().parse().unwrap();
    node.make_block();
    let refused = client.wait_final(hash, Duration::from_secs(5)).await.unwrap();
    let error = refused.error.expect("the bill is there already");
    assert_eq!(
        (error.pallet.as_str(), error.name.as_str()),
        ("BillRegister", "Bill.AlreadyExists")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_forms_keys_and_signatures_are_refused_in_words() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let key = sm2::SecretKey::from_seed(b"//hospital");
    let public = format!("sm2:{}", hex::encode(key.public().to_compressed()));
    let prepared = ask(&ws, "transaction_prepare", json!([call(), public, 5])).await;
    assert_eq!(prepared["nonce"], 5);
    let unsigned = prepared["unsigned"].as_str().unwrap();
    let payload = bytes(&prepared["payload"]);
    let foreign = sm2::SecretKey::from_seed(b"//other").sign(sm2::DEFAULT_ID, &payload);
    let mut wrong = call();
    wrong["args"]["summary"]["issue_date"] = json!(20_261_301);
    let mut missing = call();
    missing["args"]["summary"].as_object_mut().unwrap().remove("scene");
    let bare = hex(billchain_runtime::UncheckedExtrinsic::new_bare(
        billchain_runtime::RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: NOW }),
    )
    .encode());
    for (method, params, expected, words) in [
        ("transaction_prepare", rpc_params![json!(1), &public], code::INVALID_PARAMS, "pallet"),
        ("transaction_prepare", rpc_params![&wrong, &public], code::INVALID_PARAMS, "IssueDate"),
        (
            "transaction_prepare",
            rpc_params![&missing, &public],
            code::INVALID_PARAMS,
            "call.args.summary.scene: expected a whole number from 0 to 65535",
        ),
        ("transaction_prepare", rpc_params![call(), "sm2:00"], code::INVALID_PARAMS, "public key"),
        ("transaction_submitSigned", rpc_params!["0x12", "0x"], code::INVALID_PARAMS, "unsigned"),
        (
            "transaction_submitSigned",
            rpc_params![bare, "0x"],
            code::INVALID_PARAMS,
            "no place for a signature",
        ),
        (
            "transaction_submitSigned",
            rpc_params![unsigned, "0x1234"],
            code::INVALID_PARAMS,
            "64 bytes, or DER",
        ),
        (
            "transaction_submitSigned",
            rpc_params![unsigned, hex(foreign.to_bytes())],
            1010,
            "signature",
        ),
    ] {
        let error = ws.request::<Value, _>(method, params).await.unwrap_err();
        let (code, message) = refusal(error);
        assert_eq!(code, expected, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
}

//! The bound that each method states in `rpc.discover` holds, and parameters
//! that a method does not have are refused.

use super::*;
use billchain_crypto::sm2;
use billchain_primitives::{Address, Hash, Signature};
use billchain_runtime::{UncheckedExtrinsic, VERSION, limits::MAX_TRANSACTION_BYTES, tx_extension};
use codec::{Decode, Encode};
use sp_runtime::generic::Era;

fn methods(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let methods = document["methods"].as_array().unwrap().iter();
    methods.map(|method| (method["name"].as_str().unwrap(), method))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_states_its_bound_and_refuses_longer_parameters_unread() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let document = ask(&ws, "rpc.discover", json!([])).await;
    let mut checked = 0;
    for (name, method) in methods(&document) {
        let bound = &method["x-bound"];
        let most = bound["params_bytes"].as_u64().unwrap() as usize;
        assert!(most <= 2 << 20, "{name}: {most}");
        assert!(bound["answer_bytes"].as_u64().unwrap() <= 16 << 20, "{name}");
        assert!(bound["work"]["most"].as_u64().unwrap() > 0, "{name}");
        assert!(bound["work"]["of"].is_string() && bound["lane"].is_string(), "{name}");
        if method["summary"].as_str().unwrap().starts_with("Ends a subscription") {
            continue;
        }
        // `["000…"]` of one byte more.
        let long = rpc_params!["0".repeat(most - 3)];
        let error = ws.request::<Value, _>(name, long).await.unwrap_err();
        let (code, message) = refusal(error);
        assert_eq!(code, code::INVALID_PARAMS, "{name}: {message}");
        assert!(message.contains(&format!("at most {most} bytes")), "{name}: {message}");
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_takes_more_parameters_or_other_names_than_it_has() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let document = ask(&ws, "rpc.discover", json!([])).await;
    for (name, method) in methods(&document) {
        if method["summary"].as_str().unwrap().starts_with("Ends a subscription") {
            continue;
        }
        let params = method["params"].as_array().unwrap();
        let names: std::collections::BTreeSet<_> =
            params.iter().map(|param| param["name"].as_str().unwrap()).collect();
        let count = params.len();
        assert_eq!(names.len(), count, "{name}: two parameters of one name");
        let mut more = jsonrpsee::core::params::ArrayParams::new();
        (0..=count).for_each(|_| more.insert(Value::Null).unwrap());
        let error = ws.request::<Value, _>(name, more).await.unwrap_err();
        let (code, message) = refusal(error);
        assert_eq!(code, code::INVALID_PARAMS, "{name}: {message}");
        assert!(message.contains(&format!("at most {count} parameters")), "{name}: {message}");
        let mut unknown = jsonrpsee::core::params::ObjectParams::new();
        unknown.insert("no_such_name", 1).unwrap();
        let error = ws.request::<Value, _>(name, unknown).await.unwrap_err();
        let (code, message) = refusal(error);
        assert_eq!(code, code::INVALID_PARAMS, "{name}: {message}");
        assert!(message.contains("no_such_name"), "{name}: {message}");
    }
    // By name, as by place.
    let mut named = jsonrpsee::core::params::ObjectParams::new();
    named.insert("number", "0000000001").unwrap();
    named.insert("code", "31060125").unwrap();
    assert_eq!(ws.request::<Value, _>("bill_get", named).await.unwrap(), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_asked_for_twice_is_refused() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let keys = vec!["0x26aa"; 1_000];
    let asked = ws.request::<Value, _>("state_queryStorageAt", rpc_params![&keys]).await;
    let (code, message) = refusal(asked.unwrap_err());
    assert_eq!(code, code::INVALID_PARAMS, "{message}");
    assert!(message.contains("each key once"), "{message}");
    let watched: Result<Subscription<Value>, _> = ws
        .subscribe("state_subscribeStorage", rpc_params![&keys], "state_unsubscribeStorage")
        .await;
    let (_, message) = refusal(watched.unwrap_err());
    assert!(message.contains("each key once"), "{message}");
}

/// The hospital's first transaction, alive for some blocks after a block.
fn mortal(call: RuntimeCall, genesis: Hash, (era, birth): (Era, Hash)) -> Vec<u8> {
    let key = sm2::SecretKey::from_seed(b"//hospital");
    let extension = tx_extension(0, era);
    let implicit = (VERSION.spec_version, VERSION.transaction_version, genesis, birth);
    let payload = [call.encode(), extension.encode(), implicit.encode()].concat();
    let signature = Signature::Sm2 {
        public: key.public().to_compressed(),
        signature: key.sign(sm2::DEFAULT_ID, &payload).to_bytes(),
    };
    let account = Signer::development("//hospital").account();
    UncheckedExtrinsic::new_signed(call, Address::Id(account), signature, extension).encode()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_takes_a_mortal_transaction_that_the_pool_takes_and_refuses_a_long_one() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    node.make_block();
    let head = node.chain.head();
    // Born at the head: its block's hash is known from the next block on.
    let birth = (Era::mortal(64, u64::from(head.number)), head.hash);
    let bytes = mortal(register().0, node.chain.genesis_hash(), birth);
    let hex = format!("0x{}", hex::encode(&bytes));
    let tried = ask(&ws, "system_dryRun", json!([hex])).await;
    assert_eq!(tried, "0x0000", "applied, and the call succeeded");
    assert!(ask(&ws, "author_submitExtrinsic", json!([hex])).await.is_string());
    assert_eq!(node.chain.head().hash, head.hash, "nothing was written");
    // At an old block its birth is ahead.
    let genesis = node.chain.genesis_hash();
    let early = ask(&ws, "system_dryRun", json!([hex, genesis])).await;
    assert!(early.as_str().unwrap().starts_with("0x01"), "{early}");
    let long = format!("0x{}", "00".repeat(MAX_TRANSACTION_BYTES as usize + 1));
    let error = ws.request::<Value, _>("system_dryRun", rpc_params![long]).await.unwrap_err();
    let (code, message) = refusal(error);
    assert_eq!(code, code::INVALID_PARAMS);
    assert!(message.contains("expected at most"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_transaction_that_is_submitted_again_by_another_door_is_answered_as_at_first() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let bytes =
        Signer::development("//hospital").transaction(register().0, 0, node.chain.genesis_hash());
    let hex = format!("0x{}", hex::encode(&bytes));
    let first = ask(&ws, "author_submitExtrinsic", json!([hex])).await;
    // The signature in the transaction: after length, version, address (33
    // bytes), scheme and the SM2 key.
    let length = codec::Compact::<u32>::decode(&mut &bytes[..]).unwrap().encode().len();
    let at = length + 1 + 33 + 1 + 33;
    let signature = format!("0x{}", hex::encode(&bytes[at..at + 64]));
    for _ in 0..2 {
        let again = ask(&ws, "transaction_submitSigned", json!([hex, signature])).await;
        assert_eq!(again, first);
    }
    node.make_block();
    let again = ask(&ws, "transaction_submitSigned", json!([hex, signature])).await;
    assert_eq!(again, first, "after it came into a block");
    assert_eq!(node.pool.stats().ready, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_have_substrates_shape() {
    let (keep, peers) = tokio::sync::watch::channel(vec![libp2p::PeerId::random()]);
    let node = Node::with_peers(peers).await;
    let shown = ask(&node.ws().await, "system_peers", json!([])).await;
    let peer = &shown[0];
    assert_eq!(peer["peerId"], keep.borrow()[0].to_string());
    assert_eq!(peer["roles"], "FULL");
    assert_eq!(peer["bestHash"], json!(node.chain.genesis_hash()));
    assert_eq!(peer["bestNumber"], 0);
}

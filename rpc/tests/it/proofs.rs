//! Proofs of the state, checked as a client without a node does, and decided headers.

use super::*;
use billchain_primitives::Hash;
use billchain_verifier::{DecidedHeader, value_of};

/// Storage of System.Number.
const NUMBER: &str = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";
/// A key that nothing has, and one whose group has another key: System.Number's last digit.
const NOTHING: &str = "0x1234567890";
const NEIGHBOUR: &str = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ad";

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

async fn refused(ws: &WsClient, params: Value) -> (i32, String) {
    let mut all = jsonrpsee::core::params::ArrayParams::new();
    params.as_array().unwrap().iter().for_each(|one| all.insert(one).unwrap());
    refusal(ws.request::<Value, _>("state_getReadProof", all).await.unwrap_err())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_state_holds_is_proved_under_the_heads_root() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    node.make_block();
    let head = ask(&ws, "chain_getFinalizedHead", json!([])).await;
    let keys = json!([NUMBER, NOTHING, NEIGHBOUR]);
    let proved = ask(&ws, "state_getReadProof", json!([keys])).await;
    assert_eq!(proved["at"], head);
    assert_eq!(ask(&ws, "state_getReadProof", json!([keys, head])).await, proved);
    let header = ask(&ws, "chain_getHeader", json!([head])).await;
    let root: [u8; 32] = bytes(&header["stateRoot"]).try_into().unwrap();
    let value = |at: usize| {
        let (proof, key) = (bytes(&proved["proof"][at]), bytes(&keys[at]));
        value_of(&proof, &key, &root).map(|value| value.map(<[u8]>::to_vec))
    };
    let stored = ask(&ws, "state_getStorage", json!([NUMBER])).await;
    assert_eq!(value(0), Ok(Some(bytes(&stored))));
    assert_eq!((value(1), value(2)), (Ok(None), Ok(None)));
    assert_eq!(proved["proof"].as_array().unwrap().len(), 3);
    // A proof of one key is none of another, nor under the root before.
    let proof = bytes(&proved["proof"][0]);
    assert!(value_of(&proof, &bytes(&json!(NOTHING)), &root).is_err());
    let genesis = ask(&ws, "chain_getBlockHash", json!([0])).await;
    let before = ask(&ws, "chain_getHeader", json!([genesis])).await;
    let before: [u8; 32] = bytes(&before["stateRoot"]).try_into().unwrap();
    assert!(value_of(&proof, &bytes(&json!(NUMBER)), &before).is_err());
    assert_eq!(ask(&ws, "state_getReadProof", json!([[]])).await["proof"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_head_has_proofs_and_only_of_so_many_keys() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let genesis = ask(&ws, "chain_getFinalizedHead", json!([])).await;
    assert_eq!(ask(&ws, "state_getReadProof", json!([[NUMBER], genesis])).await["at"], genesis);
    node.make_block();
    let (code, message) = refused(&ws, json!([[NUMBER], genesis])).await;
    assert_eq!(code, code::STATE_NOT_KEPT, "{message}");
    assert!(message.contains("proofs are of the head alone, block 1"), "{message}");
    let unknown = format!("0x{}", "11".repeat(32));
    let (code, message) = refused(&ws, json!([[NUMBER], unknown])).await;
    assert_eq!(code, code::UNKNOWN_BLOCK, "{message}");
    let many = |count: u32| (0..count).map(|key| format!("0x{key:08x}")).collect::<Vec<_>>();
    let most = ask(&ws, "state_getReadProof", json!([many(64)])).await;
    assert_eq!(most["proof"].as_array().unwrap().len(), 64);
    for (keys, words) in [
        (json!(many(65)), "at most 64 keys"),
        (json!([NUMBER, NUMBER]), "each key once"),
        (json!(["0x"]), "keys of one byte at least"),
        (json!(NUMBER), "an array of keys"),
    ] {
        let (code, message) = refused(&ws, json!([keys])).await;
        assert_eq!(code, code::INVALID_PARAMS, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decided_header_is_asked_for_by_number_or_hash() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let genesis = ask(&ws, "chain_getBlockHash", json!([0])).await;
    let by_number = ask(&ws, "chain_decidedHeader", json!([0])).await;
    for params in [json!([]), json!([null]), json!([genesis])] {
        assert_eq!(ask(&ws, "chain_decidedHeader", params).await, by_number);
    }
    assert_eq!(by_number["block"], json!({ "number": 0, "hash": genesis }));
    let decided = bytes(&by_number["decided"]);
    let header = DecidedHeader::read(&decided).unwrap();
    assert_eq!(json!(Hash::from(header.block().hash)), genesis);
    // The genesis names the first validators, and nobody decided it.
    let named = header.names().unwrap().unwrap();
    assert_eq!(named.count(), 4);
    assert!(named.check(&header.block().hash, &header).is_err());
    let unknown = format!("0x{}", "11".repeat(32));
    for unknown in [json!([9]), json!([unknown])] {
        assert_eq!(ask(&ws, "chain_decidedHeader", unknown).await, Value::Null);
    }
    // Here blocks are made by hand: what stands in a certificate's place is none.
    node.make_block();
    let error = ws.request::<Value, _>("chain_decidedHeader", rpc_params![1]).await;
    let (code, message) = refusal(error.unwrap_err());
    assert_eq!(code, code::INTERNAL);
    assert!(message.contains("the commit certificate of block 1"), "{message}");
    // A node that joined lately has not who decided earlier blocks, and says so beforehand.
    let document = ask(&ws, "rpc.discover", json!([])).await;
    let methods = document["methods"].as_array().unwrap();
    let method = methods.iter().find(|method| method["name"] == "chain_decidedHeader").unwrap();
    let declared = json!({ "$ref": "#/components/errors/NoCertificate" });
    assert!(method["errors"].as_array().unwrap().contains(&declared), "{method}");
}

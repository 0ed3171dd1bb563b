//! `clients/vectors.json`: what the SDKs of all languages are held to. The forms, seeds and key files
//! in it are written by hand; what has to come out of them is the chain's own code's.

use crate::{Node, array, ask, refusal};
use billchain_crypto::{keyfile::Imported, sm2};
use billchain_primitives::sm3;
use billchain_rpc::RpcConfig;
use jsonrpsee::core::client::ClientT;
use serde_json::{Value, json};
use std::{env, fs, path::Path};

fn hex(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn unhex(text: &Value) -> Vec<u8> {
    hex::decode(text.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

fn entries<'a>(vectors: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    vectors[name].as_array_mut().unwrap_or_else(|| panic!("{name}: a list")).iter_mut()
}

fn signature(one: &mut Value) {
    let key = sm2::SecretKey::from_seed(one["seed"].as_str().unwrap().as_bytes());
    let public = key.public().to_compressed();
    let signed = key.sign(sm2::DEFAULT_ID, &unhex(&one["message"])).to_bytes();
    one["public_key"] = hex(public).into();
    one["account"] = hex(sm3(&public)).into();
    one["signature"] = hex(signed).into();
}

fn key(one: &mut Value, root: &Path) {
    let file = one["file"].as_str().unwrap();
    let bytes = fs::read(root.join("crypto/tests/fixtures/keys").join(file)).unwrap();
    let key = match Imported::read(&bytes).unwrap() {
        Imported::Plain(key) => key,
        Imported::Encrypted(key) => {
            key.decrypt(one["password"].as_str().unwrap().as_bytes()).unwrap()
        }
    };
    one["public_key"] = hex(key.public().to_compressed()).into();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vectors_of_the_sdks_are_what_the_chain_itself_makes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("clients/vectors.json");
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let mut made = kept.clone();

    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let public = sm2::SecretKey::from_seed(b"//hospital").public().to_compressed();
    let public = format!("sm2:{}", hex::encode(public));
    for one in entries(&mut made, "calls") {
        let prepared = ask(&ws, "transaction_prepare", json!([one["form"], public])).await;
        one["call"] = prepared["call"].clone();
    }
    for one in entries(&mut made, "refused") {
        let params = json!([one["form"], public]);
        let asked = ws.request::<Value, _>("transaction_prepare", array(&params)).await;
        let (_, words) = refusal(asked.unwrap_err());
        let (place, _) = words.split_once(": expected ").unwrap_or_else(|| panic!("{words}"));
        one["field"] = place.into();
    }
    entries(&mut made, "signatures").for_each(signature);
    // Keys that Bouncy Castle encrypted with 3-DES are read by the SDKs, and not by the node.
    let read = |one: &&mut Value| !one["file"].as_str().unwrap().contains("des");
    entries(&mut made, "keys").filter(read).for_each(|one| key(one, &root));

    if env::var_os("BILLCHAIN_RENEW_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap();
        return fs::write(&path, text + "\n").unwrap();
    }
    assert!(
        made == kept,
        "clients/vectors.json is out of date: renew it with BILLCHAIN_RENEW_VECTORS=1"
    );
}

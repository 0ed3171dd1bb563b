//! What clients and operators write: requests, answers, documents.

use crate::{Verdict, targets::bill::json};
use billchain_chain_spec::{ChainSpec, ProductionInput, Scene, SpecError, dev};
use billchain_node::config::Config;
use billchain_rpc_types::{
    AdjustmentView, BillVersionView, BillView, CertificateView, HistoryCheckView, ParticipantView,
    TransactionView,
};
use std::path::Path;

/// Parameters of JSON-RPC requests, read in every way a method does.
pub fn rpc_params(data: &[u8]) -> Verdict {
    billchain_rpc::fuzzing::params(data).into()
}

/// Calls in JSON, as `transaction_prepare` takes them.
pub fn rpc_call(data: &[u8]) -> Verdict {
    billchain_rpc::fuzzing::call(data).into()
}

/// Answers of a node as a client reads them.
pub fn rpc_answer(data: &[u8]) -> Verdict {
    let accepted = json::<Option<BillView>>(data)
        | json::<Option<Vec<BillVersionView>>>(data)
        | json::<Option<ParticipantView>>(data)
        | json::<Option<HistoryCheckView>>(data)
        | json::<Option<AdjustmentView>>(data)
        | json::<TransactionView>(data)
        | json::<CertificateView>(data);
    accepted.into()
}

/// Chain specifications and what operators write down for one. A document that
/// passes the checks gives a first state, with everybody in it.
pub fn chain_spec(data: &[u8]) -> Verdict {
    let Ok(text) = core::str::from_utf8(data) else { return Verdict::Refused };
    let spec = match ChainSpec::from_json(text) {
        Ok(spec) => Ok(spec),
        Err(error) => match serde_json::from_str::<ProductionInput>(text) {
            Ok(input) => ChainSpec::production(input),
            Err(_) => Err(error),
        },
    };
    match spec {
        Ok(spec) => {
            let written = spec.to_json().expect("a document");
            assert_eq!(ChainSpec::from_json(&written).as_ref(), Ok(&spec));
            match spec.genesis_state() {
                Ok(state) => assert!(!state.is_empty()),
                // Bounds that the contracts know best.
                Err(SpecError::Genesis(reason)) => assert!(reason.contains("too"), "{reason}"),
                Err(error) => panic!("checked already: {error}"),
            }
            Verdict::Accepted
        }
        Err(SpecError::Invalid { problems }) => {
            assert!(!problems.is_empty());
            Verdict::Refused
        }
        Err(_) => Verdict::Refused,
    }
}

/// Manifests of snapshots.
pub fn snapshot_manifest(data: &[u8]) -> Verdict {
    billchain_node::fuzzing::snapshot_manifest(data).into()
}

/// What two nodes answer to the doctor.
const ANSWERS: &[u8] = include_bytes!("../../corpus/doctor_answers/seed-00");

/// What nodes say of themselves to `billchain doctor`: what it tells is bounded and moves
/// no cursor, whatever they say.
pub fn doctor_answers(data: &[u8]) -> Verdict {
    billchain_node::fuzzing::doctor_answers(data).into()
}

/// Configuration files of nodes: a refused one says why.
pub fn node_config(data: &[u8]) -> Verdict {
    let Ok(text) = core::str::from_utf8(data) else { return Verdict::Refused };
    match Config::parse(text, Path::new("/etc/billchain")) {
        Ok(config) => {
            assert!(!config.name.is_empty());
            assert!(config.consensus.build_time < config.consensus.propose_timeout);
            for peer in &config.network.peers {
                assert!(peer.tcp().to_string().ends_with(&peer.id.to_string()));
            }
            Verdict::Accepted
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            Verdict::Refused
        }
    }
}

const CONFIG: &str = r#"
name = "node-1"
data_dir = "data"
chain_spec = "chain.json"

[keys]
consensus = "consensus.pem"
password_file = "password"
network = "network.key"

[network]
listen = "0.0.0.0:30333"
peers = [
    "/ip4/10.0.0.2/tcp/30333/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
    "/dns4/node.example/tcp/30333/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
]

[consensus]
min_block_interval_ms = 0
empty_block_interval_ms = 3000
build_time_ms = 500
max_block_bytes = 4194304

[pool]
max_transactions = 65536

[rpc]
listen = "127.0.0.1:9944"
max_batch = 512

[metrics]
listen = "127.0.0.1:9615"

[storage]
cache_mib = 64
state_window = 256
"#;

const LOCK: &str = r#"{"pallet":"BillUpdate","call":"change_status","args":{"key":{"code":"31060125","number":"0000000101"},"expected_version":null,"change":{"lock":{"scene":1,"claim_no":"A-1","on_behalf_of":null,"grant":null,"signed_at":"1800000000000"}}}}"#;

/// Items of `archive_v1_storage` and `archive_v1_storageDiff`.
const STORAGE_ITEM: &str =
    r#"{"key":"0x26aa","type":"descendantsHashes","paginationStartKey":"0x26aaff"}"#;
const DIFFERENCE_ITEM: &str = r#"{"key":"0x26aa","returnType":"value"}"#;

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let hash = "ab".repeat(32);
    match name {
        "snapshot_manifest" => vec![billchain_node::fuzzing::snapshot_manifest_sample()],
        "rpc_params" => [
            r#"["31060125","0000000101","a1B2c3"]"#.to_owned(),
            r#"["0x26aa394eea5630e07c48ae0c9558cef7",100,null,null]"#.to_owned(),
            format!(r#"["0x{hash}"]"#),
            r#"["5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"]"#.to_owned(),
            r#"[["0x01","0x02"],"0x00000001",7]"#.to_owned(),
            r#"["did:bill:hospital-1"]"#.to_owned(),
            "[]".to_owned(),
            format!("[\"0x{hash}\",[{STORAGE_ITEM}],null]"),
            format!("[\"0x{hash}\",[{DIFFERENCE_ITEM}],\"0x{hash}\"]"),
            // Base 58 that takes time with the square of its length.
            format!("[{:?}]", "5".repeat(60_000)),
        ]
        .map(String::into_bytes)
        .to_vec(),
        "rpc_call" => vec![
            LOCK.as_bytes().to_vec(),
            format!(r#"{{"pallet":"Utility","call":"batch","args":{{"calls":[{LOCK}]}}}}"#)
                .into_bytes(),
            br#"{"pallet":"System","call":"remark","args":{"remark":"0x010203"}}"#.to_vec(),
        ],
        "rpc_answer" => answers(),
        "chain_spec" => {
            let input = production();
            let spec = ChainSpec::production(input.clone()).expect("a sound document");
            vec![
                spec.to_json().expect("a document").into_bytes(),
                serde_json::to_vec_pretty(&input).expect("a document"),
            ]
        }
        "node_config" => vec![CONFIG.as_bytes().to_vec()],
        "doctor_answers" => vec![ANSWERS.to_vec()],
        _ => Vec::new(),
    }
}

/// What four operators of a small chain write down.
fn production() -> ProductionInput {
    let key = |seed: &str| dev::public(&format!("//secret//{seed}"));
    let development = ChainSpec::development();
    // The hospital, and the administrators with their offices.
    let mut participants = development.participants.clone();
    participants.retain(|participant| {
        let own = development.admins.iter().any(|admin| admin.account == participant.public_key);
        own || participant.did.as_str() == "did:bill:hospital"
    });
    let mut admins = development.admins.clone();
    for participant in &mut participants {
        let fresh = key(participant.did.as_str());
        let held = admins.iter_mut().filter(|admin| admin.account == participant.public_key);
        held.for_each(|admin| admin.account = fresh.clone());
        participant.public_key = fresh;
    }
    ProductionInput {
        name: "Bills of a city".parse().expect("a name"),
        id: "city-bills".into(),
        timestamp_ms: 1_800_000_000_000,
        operators: (1..=4)
            .map(|n| billchain_chain_spec::Operator {
                name: format!("Operator {n}").parse().expect("a name"),
                account: key(&format!("{n}")),
                consensus_key: key(&format!("{n}//consensus")),
                peer_id: dev::NodeKeys::of(n).peer_id(),
                power: 1,
            })
            .collect(),
        participants,
        whitelist: Vec::new(),
        admins,
        scenes: Scene::standard(),
        unallotted_numbers: Default::default(),
        field_rules: Vec::new(),
        observers: Vec::new(),
        performance: Default::default(),
        cooling: Default::default(),
        connectors: Vec::new(),
    }
}

fn answers() -> Vec<Vec<u8>> {
    let (bills, versions) = crate::chain::bills_and_versions();
    let hash = format!("0x{}", "ab".repeat(32));
    let transaction = serde_json::json!({
        "hash": hash, "state": "final", "block": { "number": 7, "hash": hash }, "index": 1,
        "success": false,
        "error": { "pallet": "BillUpdate", "name": "LockedByOther", "docs": "Somebody holds it." },
        "events": [{ "pallet": "System", "name": "ExtrinsicFailed", "details": "…" }],
    });
    let check = serde_json::json!({
        "valid": false, "problem": "expected version 2, found None", "versions": 2,
        "version_hash": hash,
    });
    let adjustment = serde_json::json!({
        "proposal": hash, "proposer": "did:bill:admin", "version": 3, "to": "voided",
        "at": { "block": 4, "extrinsic": 2, "time": 9 }, "reason": "系统故障", "evidence": hash,
    });
    let certificate =
        serde_json::json!({ "block": { "number": 7, "hash": hash }, "certificate": "0x00" });
    let participant = serde_json::json!({
        "did": "did:bill:hospital", "name": "上海市浦江示范医院（虚构）", "kind": "organisation",
        "public_key": dev::public("//hospital").to_string(), "account": hash,
        "roles": ["issuer"], "status": "active", "uscc_hash": null, "version": 1,
        "history_hash": hash, "registered": { "block": 0, "extrinsic": null, "time": 1 },
        "updated": { "block": 4, "extrinsic": 2, "time": 9 },
    });
    let views = bills.iter().map(|bill| serde_json::to_vec(&BillView::from(bill)));
    let receipt = versions[0].receipt().expect("registered by a transaction");
    let histories = versions
        .iter()
        .map(|version| serde_json::to_vec(&[BillVersionView::new(version, receipt)]));
    let others = [transaction, certificate, participant, check, adjustment];
    views
        .chain(histories)
        .map(|json| json.expect("views are JSON"))
        .chain(others.iter().map(|value| value.to_string().into_bytes()))
        .collect()
}

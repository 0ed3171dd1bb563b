//! The server over a real chain in a temporary directory, asked by clients of
//! both transports. Blocks are made by hand; there is no consensus.

mod access;
mod administration;
mod allotment;
mod batches;
mod bounds;
mod compose;
mod contracts;
mod lists;
mod openrpc;
mod outcomes;
mod parties;
mod repeats;
mod requests;
mod unread;
mod validators;
mod versions;
mod worst;

use billchain_chain_spec::ChainSpec;
use billchain_client::{
    Connection, Signer,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_executor::{BuildParams, Chain, TransactionError, Validated};
use billchain_primitives::{ClaimNo, Fen, Reason, SceneId, sm3};
use billchain_rpc::{NodeInfo, RpcConfig, RpcContext, RpcServer, serve};
use billchain_rpc_types::{TransactionState, code};
use billchain_runtime::{Runtime, RuntimeCall};
use billchain_storage::{Storage, StorageOptions};
use billchain_txpool::{
    CommittedBlock, Pool, PoolConfig, Rejection, SenderQuota, TransactionValidator, TxInfo,
};
use bytes::Bytes;
use jsonrpsee::{
    core::client::{ClientT, Error, Subscription, SubscriptionClientT},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use pallet_bill_update::types::StatusChange;
use pallet_bill_verify::Observation;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Time of the first block; each is a millisecond after the one before.
const NOW: u64 = 1_800_000_000_000;

struct Node {
    chain: Chain,
    pool: Arc<Pool>,
    server: RpcServer,
    _directory: tempfile::TempDir,
}

/// The chain's own rules, as the node's pool asks them.
struct Rules(Chain);

impl TransactionValidator for Rules {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        self.0.validate_transactions(txs).unwrap().into_iter().map(info).collect()
    }
}

fn info(judged: Result<Validated, TransactionError>) -> Result<TxInfo, Rejection> {
    let valid = judged.map_err(|error| match error {
        TransactionError::Refused(_) => Rejection::Refused { code: 0, detail: error.to_string() },
        _ => Rejection::Undecodable { reason: error.to_string() },
    })?;
    Ok(TxInfo {
        sender: valid.sender,
        nonce: valid.nonce,
        account_nonce: valid.account_nonce,
        dies_at: None,
        at: valid.head,
        quota: SenderQuota::default(),
    })
}

impl Node {
    async fn start(config: RpcConfig) -> Self {
        Self::with_storage(StorageOptions::default(), config).await
    }

    async fn with_storage(options: StorageOptions, config: RpcConfig) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::over(Self::chain(&directory, options), config, directory).await
    }

    fn chain(directory: &tempfile::TempDir, options: StorageOptions) -> Chain {
        let storage = Storage::open(directory.path(), options).unwrap();
        let spec = ChainSpec::development();
        Chain::open(Arc::new(storage), &spec.genesis_state().unwrap()).unwrap()
    }

    /// Another server over the same chain, with an empty pool: as a node has
    /// when it was started again.
    async fn again(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::over(self.chain.clone(), RpcConfig::default(), directory).await
    }

    async fn over(chain: Chain, config: RpcConfig, directory: tempfile::TempDir) -> Self {
        let (_, peers) = tokio::sync::watch::channel(Vec::new());
        Self::among(peers, chain, config, directory).await
    }

    /// A node that has these peers.
    async fn with_peers(peers: tokio::sync::watch::Receiver<Vec<libp2p::PeerId>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let chain = Self::chain(&directory, StorageOptions::default());
        Self::among(peers, chain, RpcConfig::default(), directory).await
    }

    async fn among(
        peers: tokio::sync::watch::Receiver<Vec<libp2p::PeerId>>,
        chain: Chain,
        config: RpcConfig,
        directory: tempfile::TempDir,
    ) -> Self {
        let spec = ChainSpec::development();
        let head = chain.head().number;
        let pool = Pool::new(PoolConfig::default(), head, Arc::new(Rules(chain.clone()))).unwrap();
        let node = NodeInfo {
            name: "test".into(),
            chain_name: spec.name.to_string(),
            chain_type: spec.chain_type,
            peer_id: "12D3KooW".into(),
            is_validator: true,
            peers,
        };
        let context = RpcContext { chain: chain.clone(), pool: pool.clone(), node };
        let config = RpcConfig { listen: ([127, 0, 0, 1], 0).into(), ..config };
        let server = serve(config, context).await.unwrap();
        Self { chain, pool, server, _directory: directory }
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    async fn ws(&self) -> WsClient {
        WsClientBuilder::default()
            .request_timeout(Duration::from_secs(5))
            .build(format!("ws://{}", self.server.address()))
            .await
            .unwrap()
    }

    /// Puts what is ready into a block.
    fn make_block(&self) {
        self.make_block_at(NOW);
    }

    /// The same, at this time or a millisecond after the block before.
    fn make_block_at(&self, timestamp_ms: u64) {
        let transactions = self.pool.pending();
        let params = BuildParams {
            timestamp_ms,
            max_block_bytes: 5 << 20,
            deadline: Instant::now() + Duration::from_secs(10),
        };
        let mut bytes = transactions.iter().map(|transaction| transaction.bytes.clone());
        let built = self.chain.build(params, &mut bytes).unwrap();
        assert!(built.refused.is_empty());
        let block = self.chain.commit(built.block, b"certificate".to_vec()).unwrap();
        let nonces = transactions.iter().map(|t| (t.sender.clone(), t.nonce + 1)).collect();
        self.pool.on_block_committed(&CommittedBlock {
            number: block.header.number,
            hash: block.hash,
            included: block.tx_hashes.clone(),
            nonces,
        });
    }

    /// Sends a call and puts it into a block.
    async fn execute(
        &self,
        client: &Connection,
        who: &str,
        call: RuntimeCall,
    ) -> billchain_rpc_types::TransactionView {
        let signer = Signer::development(who);
        let nonce = client.nonce(&signer.account()).await.unwrap();
        let bytes = signer.transaction(call, nonce, client.genesis());
        let hash = client.submit(&bytes).await.unwrap();
        let waiting = client.transaction(hash).await.unwrap();
        assert_eq!(waiting.state, TransactionState::Ready);
        self.make_block();
        client.wait_final(hash, Duration::from_secs(5)).await.unwrap()
    }
}

fn register() -> (RuntimeCall, EInvoice) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/outpatient.xml");
    let invoice = EInvoice::parse(&std::fs::read(path).unwrap()).unwrap();
    let summary = invoice.summary(&SummaryContext {
        issuer: "did:bill:hospital".parse().unwrap(),
        scene: SceneId(1),
        payer_key: b"key",
        id_type: None,
        pdf: None,
        location: None,
    });
    let call = pallet_bill_register::Call::<Runtime>::register { summary };
    (RuntimeCall::BillRegister(call), invoice)
}

fn change(invoice: &EInvoice, change: StatusChange) -> RuntimeCall {
    RuntimeCall::BillUpdate(pallet_bill_update::Call::<Runtime>::change_status {
        key: invoice.key,
        expected_version: None,
        change,
    })
}

async fn ask(client: &WsClient, method: &str, params: Value) -> Value {
    let params = params.as_array().unwrap().iter().fold(
        jsonrpsee::core::params::ArrayParams::new(),
        |mut all, one| {
            all.insert(one).unwrap();
            all
        },
    );
    client.request(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
}

fn refusal(error: Error) -> (i32, String) {
    match error {
        Error::Call(object) => (object.code(), object.message().to_owned()),
        other => panic!("expected a refusal, found {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_registered_locked_refused_and_read_in_plain_json() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let (call, invoice) = register();
    let done = node.execute(&client, "//hospital", call.clone()).await;
    assert_eq!((done.success, &done.error), (Some(true), &None), "{done:?}");
    assert!(done.events.iter().any(|event| event.pallet == "BillRegister"), "{done:?}");

    let (number, digits) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    let bill = client.bill(&number, &digits).await.unwrap().unwrap();
    assert_eq!((bill.total_fen, bill.version), (Fen::new(11_050).unwrap(), 1));
    assert_eq!(bill.xml_hash.0, invoice.xml_hash);
    let by_codes = client.bill_by_codes(&number, &digits, "a1B2c3").await.unwrap();
    assert_eq!(by_codes, Some(bill.clone()));
    assert_eq!(client.bill_by_codes(&number, &digits, "A1B2c3").await.unwrap(), None);
    assert_eq!(client.bills_of(done.hash).await.unwrap(), Some(vec![bill]));

    let again = node.execute(&client, "//hospital", call).await;
    assert_eq!(again.success, Some(true), "{again:?}");

    let lock = |claim: &str| StatusChange::Lock {
        scene: SceneId(1),
        claim_no: ClaimNo::new(claim).unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at: NOW,
    };
    let locked = node.execute(&client, "//insurer-a", change(&invoice, lock("A-1"))).await;
    assert_eq!(locked.success, Some(true), "{locked:?}");
    let refused = node.execute(&client, "//insurer-b", change(&invoice, lock("B-1"))).await;
    let error = refused.error.expect("insurer B's lock is refused");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillUpdate", "LockedByOther"));
    assert!(!error.docs.is_empty());
    let holder = client.bill(&number, &digits).await.unwrap().unwrap().lock.unwrap().holder;
    let name = client.participant(holder.as_str()).await.unwrap().unwrap().name;
    assert!(!name.as_str().is_empty());

    let history = client.history(&number, &digits).await.unwrap().unwrap();
    assert_eq!(history.iter().map(|v| v.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(history[1].previous, history[0].hash);
    assert_eq!(client.history(&number, "9999999999").await.unwrap(), None);
    node.server.stop().await;
}

fn policy_call(call: pallet_policy::Call<Runtime>) -> RuntimeCall {
    RuntimeCall::Policy(call)
}

fn submit_policy(document: &Value) -> RuntimeCall {
    let body = document.to_string().into_bytes().try_into().unwrap();
    policy_call(pallet_policy::Call::submit { format: pallet_policy::Format::Json, body })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_approved_enforced_and_read_in_plain_json() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let conditions = json!({"and": [{">": ["total", 10_000]}, {"=": ["region", "31"]}]});
    let document = json!({
        "id": 7, "version": 1, "name": "限额", "keywords": ["医保"], "scenes": [1],
        "operations": ["register"], "effect": "deny", "conditions": conditions,
    });
    let sound = ask(&ws, "policy_check", json!([document])).await;
    assert_eq!(sound, json!({ "problem": null }));
    let (policy, version) = (billchain_primitives::seams::PolicyId(7), 1);
    let approve = |comment| {
        policy_call(pallet_policy::Call::submit_approval {
            policy,
            version,
            decision: pallet_policy::Decision::Approved,
            comment_hash: [comment; 32],
        })
    };
    let effective = policy_call(pallet_policy::Call::set_status {
        policy,
        version,
        status: pallet_policy::PolicyStatus::Effective,
        reason: billchain_primitives::Reason::new("专项整治").unwrap(),
    });
    let finalize = policy_call(pallet_policy::Call::finalize_approval { policy, version });
    for (who, call) in [
        ("//platform", submit_policy(&document)),
        ("//admin", approve(1)),
        ("//security", approve(2)),
        ("//platform", finalize),
        ("//admin", effective),
    ] {
        let done = node.execute(&client, who, call).await;
        assert_eq!(done.success, Some(true), "{done:?}");
    }

    // The sample is over 110.50 yuan.
    let refused = node.execute(&client, "//hospital", register().0).await;
    let error = refused.error.expect("the policy refuses it");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillRegister", "PolicyDenied"));
    assert_eq!(error.details.as_deref(), Some("PolicyId: 7"));

    let found = json!([{ "policy": 7, "version": 1 }]);
    assert_eq!(ask(&ws, "policy_byKeyword", json!(["医保"])).await, found);
    assert_eq!(ask(&ws, "policy_byKeyword", json!(["无"])).await, json!([]));
    let page = ask(&ws, "policy_byStatus", json!(["effective", null, 1])).await;
    assert_eq!(page, json!({ "items": found, "next": null }));
    let drafts = ask(&ws, "policy_byStatus", json!(["draft"])).await;
    assert_eq!(drafts, json!({ "items": [], "next": null }));
    let view = ask(&ws, "policy_get", json!([7])).await;
    assert_eq!((&view["status"], &view["effective"]), (&json!("effective"), &json!(1)));
    assert_eq!(
        (&view["conditions"], &view["submitter"]),
        (&conditions, &json!("did:bill:platform"))
    );
    assert_eq!(ask(&ws, "policy_get", json!([7, 2])).await, Value::Null);
    assert_eq!(ask(&ws, "policy_get", json!([8])).await, Value::Null);
    let stored = ask(&ws, "policy_document", json!([7, 1])).await;
    assert_eq!(stored["text"], document.to_string());
    assert_eq!(stored["hash"], view["body_hash"]);
    let in_force = ask(&ws, "policy_inForce", json!([1, "register"])).await;
    assert_eq!(in_force.as_array().unwrap().len(), 1);
    assert_eq!((&in_force[0]["effect"], &in_force[0]["conditions"]), (&json!("deny"), &conditions));
    assert_eq!(ask(&ws, "policy_inForce", json!([1, "lock"])).await, json!([]));

    let flow = ask(&ws, "policy_flow", json!([7, 1])).await;
    let steps = flow["steps"].as_array().unwrap();
    let acts: Vec<_> = steps.iter().map(|step| step["act"].as_str().unwrap()).collect();
    let expected = ["submitted", "approved", "approved", "finalised", "made_effective"];
    assert_eq!(acts, expected);
    assert_eq!(steps[0]["hash"], view["body_hash"]);
    assert_eq!(steps[3]["flow_hash"], flow["approval_hash"]);
    assert_eq!(
        (&flow["hash"], &view["approval_hash"]),
        (&steps[4]["flow_hash"], &flow["approval_hash"])
    );

    // In pages of two, each step of the flow once.
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = ask(&ws, "policy_trailByTime", json!([null, null, after, 2])).await;
        paged.extend(page["items"].as_array().unwrap().iter().map(|one| one["step"].clone()));
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(paged, *steps);
    let at = |step: usize| steps[step]["at"]["time"].as_u64().unwrap();
    let middle = ask(&ws, "policy_trailByTime", json!([at(1), at(2), null, null])).await;
    let middle: Vec<_> =
        middle["items"].as_array().unwrap().iter().map(|s| s["step"].clone()).collect();
    assert_eq!(middle, steps[1..3]);
    let by_admin = ask(&ws, "policy_trailByActor", json!(["did:bill:admin", null, null])).await;
    let by_admin: Vec<_> =
        by_admin["items"].as_array().unwrap().iter().map(|s| s["step"]["index"].clone()).collect();
    assert_eq!(by_admin, [1, 4]);

    let facts = json!({ "total": 10_001, "region": "31" });
    let decision = ask(&ws, "policy_evaluate", json!([1, "register", facts])).await;
    assert_eq!(decision, json!({ "allowed": false, "by": found[0] }));
    let low = json!({ "total": 10_000, "region": "31" });
    let decision = ask(&ws, "policy_evaluate", json!([1, "register", low])).await;
    assert_eq!(decision, json!({ "allowed": true, "by": null }));
    let simulated = ask(&ws, "policy_simulate", json!([document, facts])).await;
    assert_eq!(simulated, json!({ "holds": true, "verdict": "refuse", "steps": 3 }));
    let low = ask(&ws, "policy_simulate", json!([document.to_string(), low])).await;
    assert_eq!(low, json!({ "holds": false, "verdict": null, "steps": 3 }));

    // What would be refused is said in words before it is sent.
    let mut wrong = document.clone();
    wrong["conditions"]["and"][1] = json!({"<": ["issue_date", {"field": "total"}]});
    let checked = ask(&ws, "policy_check", json!([wrong])).await;
    assert_eq!(checked["problem"], "conditions/and/1: expected two sides of one type");
    let checked = ask(&ws, "policy_check", json!([document])).await;
    assert!(checked["problem"].as_str().unwrap().starts_with("VersionConflict: "), "{checked}");
    wrong = document.clone();
    (wrong["version"], wrong["scenes"]) = (json!(2), json!([1, 77]));
    let checked = ask(&ws, "policy_check", json!([wrong])).await;
    assert!(
        checked["problem"].as_str().unwrap().starts_with("UnknownScene (scene: 77): "),
        "{checked}"
    );
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let written: pallet_policy::document::Written =
        serde_json::from_value(document.clone()).unwrap();
    let protobuf = hex(&written.to_bytes(pallet_policy::Format::Protobuf));
    let checked = ask(&ws, "policy_check", json!([protobuf])).await;
    assert!(checked["problem"].as_str().unwrap().starts_with("VersionConflict: "), "{checked}");
    for (method, params, words) in [
        ("policy_get", rpc_params![70_000], "0 to 65535"),
        ("policy_byStatus", rpc_params!["gone"], "\"draft\", \"effective\" or \"revoked\""),
        ("policy_byStatus", rpc_params!["draft", Value::Null, 101], "1 to 100"),
        ("policy_byKeyword", rpc_params![""], "1 to 48 bytes"),
        ("policy_inForce", rpc_params![1, "void"], "\"register\""),
        ("policy_trailByTime", rpc_params![-1], "milliseconds since 1970"),
        (
            "policy_trailByTime",
            rpc_params![Value::Null, Value::Null, "0x00"],
            "of the same question",
        ),
        ("policy_check", rpc_params![7], "a document"),
        ("policy_check", rpc_params!["x".repeat(16_385)], "at most 16384 bytes"),
        ("policy_simulate", rpc_params!["{}", json!({})], "missing field"),
        ("policy_simulate", rpc_params![&document, json!({"total": 5})], "a value of region"),
        ("policy_evaluate", rpc_params![1, "register", json!({"sum": 5})], "no such field"),
    ] {
        let (found, message) = refusal(ws.request::<Value, _>(method, params).await.unwrap_err());
        assert_eq!(found, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn originals_are_compared_with_the_chain_and_mismatches_listed() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let (call, invoice) = register();
    let done = node.execute(&client, "//hospital", call).await;
    let (code, number) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    let hash = format!("0x{}", hex::encode(invoice.xml_hash));
    let other = format!("0x{}", "11".repeat(32));

    for (params, expected) in [
        (json!([code, number, "a1B2c3", "xml", hash]), json!(["match", null])),
        (json!([code, number, "a1B2c3", "xml", other]), json!(["hash_mismatch", hash])),
        (json!([code, number, "a1B2c3", "pdf", hash]), json!(["not_recorded", null])),
        (json!([code, number, "A1B2c3", "xml", hash]), json!(["not_found", null])),
        (json!([code, "9999999999", "a1B2c3", "xml", hash]), json!(["not_found", null])),
    ] {
        let answer = ask(&ws, "bill_verifyHash", params.clone()).await;
        assert_eq!(json!([answer["result"], answer["recorded"]]), expected, "{params}");
    }
    let by_transaction =
        ask(&ws, "bill_verifyHashByTransaction", json!([done.hash, "xml", other])).await;
    let expected =
        json!([{ "code": code, "number": number, "result": "hash_mismatch", "recorded": hash }]);
    assert_eq!(by_transaction, expected);
    let nowhere = ask(&ws, "bill_verifyHashByTransaction", json!([other, "xml", other])).await;
    assert_eq!(nowhere, Value::Null);

    let date = invoice.issue_date.get();
    for (params, result, elements) in [
        (json!([code, number, "a1B2c3", date, 11_050]), "match", json!([true, true, true])),
        (
            json!([code, number, "A1B2c3", date - 1, 11_051]),
            "element_mismatch",
            json!([false, false, false]),
        ),
        (
            json!([code, number, "a1B2c3", date, -11_050]),
            "element_mismatch",
            json!([true, true, false]),
        ),
        (
            json!([code, "9999999999", "a1B2c3", date, 11_050]),
            "not_found",
            json!([null, null, null]),
        ),
    ] {
        let answer = ask(&ws, "bill_verifyElements", params.clone()).await;
        assert_eq!(answer["result"], result, "{params}");
        let found = &answer["elements"];
        let found = json!([found["check_code"], found["issue_date"], found["total"]]);
        assert_eq!(found, elements, "{params}");
    }

    let empty = ask(&ws, "bill_mismatches", json!([code, number])).await;
    assert_eq!(empty, json!({ "items": [], "next": null }));
    for observation in [Observation::XmlHash([0x11; 32]), Observation::Total(Fen::ZERO)] {
        let call = pallet_bill_verify::Call::<Runtime>::report_mismatch {
            key: invoice.key,
            found: observation,
        };
        let done = node.execute(&client, "//insurer-a", RuntimeCall::BillVerify(call)).await;
        assert_eq!(done.success, Some(true), "{done:?}");
        assert!(done.events.iter().any(|event| event.name == "MismatchReported"), "{done:?}");
    }
    let all = ask(&ws, "bill_mismatches", json!([code, number])).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let first = ask(&ws, "bill_mismatches", json!([code, number, null, 1])).await;
    assert_eq!(first["next"], "0x00000001");
    let report = &first["items"][0];
    assert_eq!((&report["report"], &report["reporter"]), (&json!(1), &json!("did:bill:insurer-a")));
    assert_eq!(report["expected"], json!({ "xml_hash": hash }));
    assert_eq!(report["found"], json!({ "xml_hash": other }));
    let rest = ask(&ws, "bill_mismatches", json!([code, number, first["next"], 1])).await;
    assert_eq!((&rest["next"], &rest["items"][0]), (&Value::Null, &all["items"][1]));
    assert_eq!(rest["items"][0]["found"], json!({ "total_fen": 0 }));

    // Whoever says that something differs has to be right.
    let found = Observation::XmlHash(invoice.xml_hash);
    let call = pallet_bill_verify::Call::<Runtime>::report_mismatch { key: invoice.key, found };
    let refused = node.execute(&client, "//insurer-a", RuntimeCall::BillVerify(call)).await;
    let error = refused.error.expect("nothing differs");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillVerify", "NothingDiffers"));
}

#[tokio::test(flavor = "multi_thread")]
async fn contention_within_a_block_is_resolved_and_a_case_follows() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let (call, invoice) = register();
    node.execute(&client, "//hospital", call).await;
    let (code, number) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    assert_eq!(ask(&ws, "dispute_resolution", json!([code, number])).await, Value::Null);

    // Insurer B's lock arrives first, but insurer A signed earlier.
    let mut hashes = Vec::new();
    for (who, signed_at) in [("//insurer-b", NOW), ("//insurer-a", NOW - 500)] {
        let signer = Signer::development(who);
        let lock = StatusChange::Lock {
            scene: SceneId(1),
            claim_no: ClaimNo::new("C-1").unwrap(),
            on_behalf_of: None,
            grant: None,
            signed_at,
        };
        let bytes = signer.transaction(change(&invoice, lock), 0, client.genesis());
        hashes.push(client.submit(&bytes).await.unwrap());
    }
    node.make_block();
    let lost = client.transaction(hashes[0]).await.unwrap();
    let error = lost.error.expect("insurer B lost");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("Dispute", "DisputeLost"));
    assert_eq!(client.transaction(hashes[1]).await.unwrap().success, Some(true));

    let found = client.resolution(&code, &number).await.unwrap().expect("there was contention");
    assert_eq!((found.winner.as_str(), found.block, found.unnamed), ("did:bill:insurer-a", 2, 0));
    let contenders: Vec<_> = found
        .contenders
        .iter()
        .map(|c| (c.claimant.as_str(), c.signed_at, c.transaction))
        .collect();
    assert_eq!(
        contenders,
        [("did:bill:insurer-a", NOW - 500, hashes[1]), ("did:bill:insurer-b", NOW, hashes[0]),]
    );
    let all = ask(&ws, "dispute_resolutions", json!([code, number])).await;
    assert_eq!(all, json!({ "items": [found], "next": null }));

    let dispute = |call| RuntimeCall::Dispute(call);
    let reason = || Reason::new("两家机构同时受理").unwrap();
    let parties = ["insurer-a", "insurer-b"].map(|id| format!("did:bill:{id}").parse().unwrap());
    for call in [
        pallet_dispute::Call::<Runtime>::open_case {
            key: invoice.key,
            parties: parties.to_vec().try_into().unwrap(),
            reason: reason(),
            evidence: [1; 32],
        },
        pallet_dispute::Call::admin_unlock { case: 1, reason: reason(), evidence: [2; 32] },
    ] {
        let done = node.execute(&client, "//admin", dispute(call)).await;
        assert_eq!(done.success, Some(true), "{done:?}");
    }
    assert_eq!(ask(&ws, "dispute_decision", json!([1])).await, Value::Null);
    let close = pallet_dispute::Call::close_case {
        case: 1,
        outcome: pallet_dispute::Outcome::InFavourOf(parties[1].clone()),
        reason: reason(),
        evidence: [3; 32],
    };
    let done = node.execute(&client, "//admin", dispute(close)).await;
    assert_eq!(done.success, Some(true), "{done:?}");

    let case = ask(&ws, "dispute_case", json!([1])).await;
    assert_eq!((&case["open"], &case["acts"]), (&json!(false), &json!(3)));
    assert_eq!(case["parties"], json!(parties));
    assert_eq!(case["bill"], json!({ "code": code, "number": number }));
    let decision = ask(&ws, "dispute_decision", json!([1])).await;
    assert_eq!(decision, case["decision"]);
    assert_eq!(decision["in_favour_of"], "did:bill:insurer-b");
    assert_eq!(decision["evidence"], format!("0x{}", "03".repeat(32)));
    assert_eq!(ask(&ws, "dispute_case", json!([2])).await, Value::Null);
    let cases = ask(&ws, "dispute_cases", json!([code, number])).await;
    assert_eq!(cases, json!({ "items": [case], "next": null }));
    let acts = ask(&ws, "dispute_acts", json!([1, null, 2])).await;
    assert_eq!(
        (&acts["items"][1]["act"], &acts["next"]),
        (&json!("unlocked"), &json!("0x00000002"))
    );
    let rest = ask(&ws, "dispute_acts", json!([1, acts["next"], 2])).await;
    assert_eq!((&rest["items"][0]["act"], &rest["next"]), (&json!("closed"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_answer_in_substrates_shapes() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    node.make_block();
    let head = ask(&ws, "chain_getFinalizedHead", json!([])).await;
    assert_eq!(head, ask(&ws, "chain_getBlockHash", json!([])).await);
    assert_eq!(head, ask(&ws, "chain_getBlockHash", json!([1])).await);
    assert_eq!(ask(&ws, "chain_getBlockHash", json!([[1, 99]])).await, json!([head, null]));
    let header = ask(&ws, "chain_getHeader", json!([head])).await;
    assert_eq!(header["number"], "0x1");
    assert_eq!(header["digest"]["logs"], json!([]));
    let block = ask(&ws, "chain_getBlock", json!([head])).await;
    assert_eq!(block["block"]["header"], header);
    assert_eq!(block["block"]["extrinsics"].as_array().unwrap().len(), 1);
    assert_eq!(block["justifications"], Value::Null);
    let unknown = format!("0x{}", "11".repeat(32));
    assert_eq!(ask(&ws, "chain_getBlock", json!([unknown])).await, Value::Null);
    let certificate = ask(&ws, "chain_getCertificate", json!([1])).await;
    assert_eq!(certificate["certificate"], format!("0x{}", hex::encode("certificate")));

    let version = ask(&ws, "state_getRuntimeVersion", json!([])).await;
    assert_eq!(version["specName"], "billchain");
    assert!(version["apis"][0][0].as_str().unwrap().starts_with("0x"));
    let metadata = ask(&ws, "state_getMetadata", json!([])).await;
    assert!(metadata.as_str().unwrap().starts_with("0x6d657461"));
    assert_eq!(ask(&ws, "system_chainType", json!([])).await, "Development");
    assert_eq!(ask(&ws, "system_health", json!([])).await["peers"], 0);
    assert_eq!(ask(&ws, "system_properties", json!([])).await["ss58Format"], 42);
    let versions = ask(&ws, "state_call", json!(["Metadata_metadata_versions", "0x"])).await;
    assert!(versions.as_str().unwrap().starts_with("0x"));

    // The prefix of System; keys come in order, pages join without a gap.
    let prefix = "0x26aa394eea5630e07c48ae0c9558cef7";
    let keys = ask(&ws, "state_getKeysPaged", json!([prefix, 1000, null])).await;
    let keys = keys.as_array().unwrap();
    let first = ask(&ws, "state_getKeysPaged", json!([prefix, 1, null])).await;
    let second = ask(&ws, "state_getKeysPaged", json!([prefix, 1, first[0]])).await;
    assert_eq!((&first[0], &second[0]), (&keys[0], &keys[1]));
    let value = ask(&ws, "state_getStorage", json!([keys[0]])).await;
    let bytes = hex::decode(&value.as_str().unwrap()[2..]).unwrap();
    assert_eq!(ask(&ws, "state_getStorageSize", json!([keys[0]])).await, bytes.len());
    let hash = ask(&ws, "state_getStorageHash", json!([keys[0]])).await;
    assert_eq!(hash, format!("0x{}", hex::encode(sm3(&bytes))));
    let changes = ask(&ws, "state_queryStorageAt", json!([[keys[0]], head])).await;
    assert_eq!(changes, json!([{ "block": head, "changes": [[keys[0], value]] }]));
    assert_eq!(ask(&ws, "author_pendingExtrinsics", json!([])).await, json!([]));
    let methods = ask(&ws, "rpc_methods", json!([])).await;
    for name in
        ["author_submitAndWatchExtrinsic", "chain_subscribeNewHead", "rpc_methods", "bill_get"]
    {
        assert!(methods["methods"].as_array().unwrap().contains(&json!(name)), "{name}");
    }
    for account in ["//Alice", "0x12"] {
        let error = ws.request::<Value, _>("system_accountNextIndex", rpc_params![account]).await;
        assert_eq!(refusal(error.unwrap_err()).0, code::INVALID_PARAMS, "{account}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_follow_the_chain_and_a_transaction() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let mut heads: Subscription<Value> = ws
        .subscribe("chain_subscribeNewHead", rpc_params![], "chain_unsubscribeNewHead")
        .await
        .unwrap();
    let mut finalized: Subscription<Value> = ws
        .subscribe(
            "chain_subscribeFinalizedHeads",
            rpc_params![],
            "chain_unsubscribeFinalizedHeads",
        )
        .await
        .unwrap();
    // Storage of System.Number.
    let key = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";
    let mut number: Subscription<Value> = ws
        .subscribe("state_subscribeStorage", rpc_params![[key]], "state_unsubscribeStorage")
        .await
        .unwrap();
    assert_eq!(heads.next().await.unwrap().unwrap()["number"], "0x0");
    assert_eq!(finalized.next().await.unwrap().unwrap()["number"], "0x0");
    number.next().await.unwrap().unwrap();

    let signer = Signer::development("//hospital");
    let bytes = signer.transaction(register().0, 0, node.chain.genesis_hash());
    let mut states: Subscription<Value> = ws
        .subscribe(
            "author_submitAndWatchExtrinsic",
            rpc_params![format!("0x{}", hex::encode(&bytes))],
            "author_unwatchExtrinsic",
        )
        .await
        .unwrap();
    assert_eq!(states.next().await.unwrap().unwrap(), "ready");
    node.make_block();
    let hash = json!(node.chain.head().hash);
    assert_eq!(states.next().await.unwrap().unwrap(), json!({ "inBlock": hash }));
    assert_eq!(states.next().await.unwrap().unwrap(), json!({ "finalized": hash }));
    assert_eq!(heads.next().await.unwrap().unwrap()["number"], "0x1");
    assert_eq!(finalized.next().await.unwrap().unwrap()["number"], "0x1");
    let changes = number.next().await.unwrap().unwrap();
    assert_eq!(changes, json!({ "block": hash, "changes": [[key, "0x01000000"]] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_in_words_and_limits_hold() {
    let config = RpcConfig {
        max_request_bytes: 4_096,
        max_batch: 2,
        max_subscriptions_per_connection: 1,
        ..RpcConfig::default()
    };
    let node = Node::start(config).await;
    let ws = node.ws().await;
    let unknown = format!("0x{}", "11".repeat(32));
    for (method, params, expected, words) in [
        ("bill_get", rpc_params!["3106", "0000000001"], code::INVALID_PARAMS, "8 digits"),
        ("bill_get", rpc_params!["31060125"], code::INVALID_PARAMS, "number"),
        ("participant_resolve", rpc_params!["hospital"], code::INVALID_PARAMS, "did:"),
        (
            "bill_verifyHash",
            rpc_params!["31060125", "0000000001", "a1B2c3", "doc", &unknown],
            code::INVALID_PARAMS,
            "\"pdf\"",
        ),
        (
            "bill_verifyElements",
            rpc_params!["31060125", "0000000001", "a1B2c3", 20_261_301, 1],
            code::INVALID_PARAMS,
            "issue_date",
        ),
        (
            "bill_verifyElements",
            rpc_params!["31060125", "0000000001", "a1B2c3", 20_261_124, "1.00"],
            code::INVALID_PARAMS,
            "total_fen",
        ),
        (
            "bill_mismatches",
            rpc_params!["31060125", "0000000001", "0x", 101],
            code::INVALID_PARAMS,
            "1 to 100",
        ),
        (
            "bill_mismatches",
            rpc_params!["31060125", "0000000001", 0],
            code::INVALID_PARAMS,
            "cursor: expected bytes as 0x hex",
        ),
        ("dispute_acts", rpc_params![1, Value::Null, 0], code::INVALID_PARAMS, "1 to 100"),
        ("dispute_case", rpc_params!["x"], code::INVALID_PARAMS, "case"),
        ("state_getStorage", rpc_params!["xyz"], code::INVALID_PARAMS, "0x hex"),
        ("state_getStorage", rpc_params!["0x00", &unknown], code::UNKNOWN_BLOCK, "block"),
        ("state_getKeysPaged", rpc_params!["0x", 1001], code::INVALID_PARAMS, "at most 1000"),
        ("state_call", rpc_params!["No_such", "0x"], code::RUNTIME_CALL, "No_such"),
        ("state_call", rpc_params!["Core_initialize_block", "0x"], code::RUNTIME_CALL, ""),
        ("author_submitExtrinsic", rpc_params!["0x1234"], 1001, "not a transaction"),
        ("no_method", rpc_params![], -32601, "not found"),
    ] {
        let error = ws.request::<Value, _>(method, params).await.unwrap_err();
        let (code, message) = refusal(error);
        assert_eq!(code, expected, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
    let long = "0".repeat(5_000);
    let error = ws.request::<Value, _>("author_submitExtrinsic", rpc_params![long]).await;
    assert!(error.is_err(), "an oversized request is refused");

    let ws = node.ws().await;
    let first: Result<Subscription<Value>, _> =
        ws.subscribe("chain_subscribeNewHeads", rpc_params![], "chain_unsubscribeNewHeads").await;
    let second: Result<Subscription<Value>, _> =
        ws.subscribe("chain_subscribeAllHeads", rpc_params![], "chain_unsubscribeAllHeads").await;
    assert!(first.is_ok() && second.is_err());
    let mut batch = jsonrpsee::core::params::BatchRequestBuilder::new();
    for _ in 0..3 {
        batch.insert("system_name", rpc_params![]).unwrap();
    }
    assert!(ws.batch_request::<String>(batch).await.is_err(), "a batch of 3, where 2 are allowed");
}

#[tokio::test]
async fn every_problem_of_a_configuration_is_reported_at_once() {
    let config = RpcConfig { max_batch: 0, max_connections: 0, ..RpcConfig::default() };
    let problems = config.check().unwrap_err().problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
}

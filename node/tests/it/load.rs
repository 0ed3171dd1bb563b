//! SM2-signed registrations: made, sent in numbers, and looked for afterwards.

use crate::network::Network;
use billchain_client::{
    Connection, Signer,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_crypto::sm3::sm3;
use billchain_primitives::{BatchMode, BillKey, BillSummary, Did, Hash, SceneId};
use billchain_runtime::{Runtime, RuntimeCall};
use jsonrpsee::{
    core::{
        client::{ClientT, Subscription, SubscriptionClientT},
        params::BatchRequestBuilder,
    },
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// Transactions of one issuer that are on their way at once.
const WINDOW: usize = 8;
/// Requests in one batch.
const BATCH: usize = 200;

/// An original of `samples/`.
pub fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name)
}

/// One that registers bills: a development seed without its slashes.
#[derive(Clone)]
pub struct Issuer {
    /// Its key.
    pub signer: Signer,
    /// Its identifier.
    pub did: Did,
}

impl Issuer {
    /// `hospital`, `hospital-1` and so on.
    pub fn new(name: &str) -> Self {
        Self {
            signer: Signer::development(&format!("//{name}")),
            did: format!("did:bill:{name}").parse().unwrap(),
        }
    }
}

/// The call that registers a bill.
pub fn register(summary: BillSummary) -> RuntimeCall {
    RuntimeCall::BillRegister(pallet_bill_register::Call::<Runtime>::register { summary })
}

/// The call that registers all of some bills, or none.
pub fn register_batch(bills: Vec<BillSummary>) -> RuntimeCall {
    let bills = bills.try_into().expect("not more than a batch may have");
    let mode = BatchMode::AllOrNothing;
    RuntimeCall::BillRegister(pallet_bill_register::Call::<Runtime>::register_batch { bills, mode })
}

/// Makes bills, each with a number of its own.
pub struct Bills {
    template: BillSummary,
    next: AtomicU64,
}

impl Bills {
    /// Bills like `samples/outpatient.xml`.
    pub fn new() -> Self {
        let bytes = std::fs::read(sample("outpatient.xml")).unwrap();
        let template = EInvoice::parse(&bytes).unwrap().summary(&SummaryContext {
            issuer: Issuer::new("hospital").did,
            scene: SceneId(1),
            payer_ref: [7; 32],
            pdf: None,
            location: None,
        });
        Self { template, next: AtomicU64::new(1_000_000) }
    }

    /// A bill of `issuer`.
    pub fn next(&self, issuer: &Issuer) -> BillSummary {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let hash = |purpose: u8| sm3(&[&number.to_le_bytes()[..], &[purpose]].concat());
        let mut bill = self.template.clone();
        bill.key.number = format!("{number:010}").parse().unwrap();
        bill.issuer = issuer.did.clone();
        (bill.payer_ref, bill.biz_no_hash, bill.xml_hash) = (hash(1), hash(2), hash(3));
        bill
    }
}

/// A registration that a node reported final.
#[derive(Clone, Debug)]
pub struct Final {
    key: BillKey,
    xml_hash: [u8; 32],
    block: Hash,
}

/// Registrations that are being sent.
pub struct Load {
    senders: JoinSet<()>,
    reports: Arc<Reports>,
}

#[derive(Default)]
struct Reports {
    finals: Mutex<Vec<Final>>,
    problems: Mutex<Vec<String>>,
}

/// How a sender learns that a transaction is final.
#[derive(Clone)]
enum Witness {
    /// `author_submitAndWatchExtrinsic`.
    Subscription(Arc<WsClient>),
    /// `transaction_status`, asked again and again.
    Status,
}

impl Load {
    /// Begins to send: `issuers` of //hospital-1 … in turn at all nodes, every
    /// second round of nodes with subscriptions.
    pub fn start(network: &Network, issuers: usize, bills: &Arc<Bills>) -> Self {
        let reports = Arc::new(Reports::default());
        let mut senders = JoinSet::new();
        for number in 0..issuers {
            let issuer = Issuer::new(&format!("hospital-{}", number + 1));
            let url = network.url(number % 4 + 1);
            let subscribes = number / 4 % 2 == 1;
            let (bills, reports) = (bills.clone(), reports.clone());
            senders.spawn(async move {
                if let Err(problem) = send(issuer, &url, subscribes, bills, &reports).await {
                    reports.problems.lock().push(format!("{url}: {problem}"));
                }
            });
        }
        Self { senders, reports }
    }

    /// Waits until so many were reported final.
    pub async fn wait_finals(&self, count: usize, patience: Duration) {
        let deadline = Instant::now() + patience;
        loop {
            let found = self.reports.finals.lock().len();
            let problems = self.reports.problems.lock().clone();
            assert!(problems.is_empty(), "sending failed: {problems:#?}");
            if found >= count {
                return;
            }
            assert!(Instant::now() < deadline, "{found} of {count} are final after {patience:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops sending; everything that was reported final.
    pub async fn end(mut self) -> Vec<Final> {
        self.senders.shutdown().await;
        std::mem::take(&mut self.reports.finals.lock())
    }
}

/// The pool's words for a second transaction with a nonce.
const NONCE_TAKEN: &str = "is taken by transaction";

async fn send(
    issuer: Issuer,
    url: &str,
    subscribes: bool,
    bills: Arc<Bills>,
    reports: &Arc<Reports>,
) -> Result<(), String> {
    let node = Connection::open(url).await.map_err(|error| error.to_string())?;
    let witness = if subscribes {
        let url = url.replace("http", "ws");
        let client = WsClientBuilder::default().build(url).await;
        Witness::Subscription(Arc::new(client.map_err(|error| error.to_string())?))
    } else {
        Witness::Status
    };
    let account = issuer.signer.account();
    let first = node.nonce(&account).await.map_err(|error| error.to_string())?;
    let mut open = JoinSet::new();
    for nonce in first.. {
        let bill = bills.next(&issuer);
        let (key, xml_hash) = (bill.key, bill.xml_hash);
        let transaction = issuer.signer.transaction(register(bill), nonce, node.genesis());
        let (node, witness, reports) = (node.clone(), witness.clone(), reports.clone());
        open.spawn(async move {
            let outcome = match witness {
                Witness::Subscription(client) => watched(&client, &transaction).await,
                Witness::Status => polled(&node, &transaction).await,
            };
            match outcome {
                Ok(block) => reports.finals.lock().push(Final { key, xml_hash, block }),
                // A node that was killed kept one of before, and not the one before it.
                Err(problem) if problem.contains(NONCE_TAKEN) => {}
                Err(problem) => return Err(problem),
            }
            Ok(())
        });
        while open.len() >= WINDOW {
            if let Some(done) = open.join_next().await {
                done.map_err(|error| error.to_string())??;
            }
        }
    }
    Ok(())
}

/// Submits and follows the states until one says that the transaction is final.
async fn watched(client: &WsClient, transaction: &[u8]) -> Result<Hash, String> {
    let encoded = format!("0x{}", hex::encode(transaction));
    let mut states: Subscription<Value> = client
        .subscribe(
            "author_submitAndWatchExtrinsic",
            rpc_params![encoded],
            "author_unwatchExtrinsic",
        )
        .await
        .map_err(|error| error.to_string())?;
    while let Some(state) = states.next().await {
        let state = state.map_err(|error| error.to_string())?;
        if let Some(block) = state.get("finalized") {
            return serde_json::from_value(block.clone()).map_err(|error| error.to_string());
        }
    }
    Err("the subscription ended before the transaction was final".into())
}

async fn polled(node: &Connection, transaction: &[u8]) -> Result<Hash, String> {
    let hash = node.submit(transaction).await.map_err(|error| error.to_string())?;
    let patience = Duration::from_secs(60);
    let view = node.wait_final(hash, patience).await.map_err(|error| error.to_string())?;
    match (view.success, view.block) {
        (Some(true), Some(block)) => Ok(block.hash),
        _ => Err(format!("a registration failed: {view:?}")),
    }
}

/// That a node has the bills as they were registered, and the blocks that held
/// them.
pub async fn assert_kept(node: &Connection, finals: &[Final], what: &str) {
    let registered = finals.iter().map(|one| {
        let (code, number) = (one.key.code.to_string(), one.key.number.to_string());
        ("bill_get", rpc_params![code, number])
    });
    let bills = ask_all(node, registered.collect()).await;
    assert_eq!(bills.len(), finals.len(), "{what}");
    for (bill, one) in bills.iter().zip(finals) {
        let expected = format!("0x{}", hex::encode(one.xml_hash));
        assert_eq!(bill["xml_hash"], expected, "{what}: lost, though it was final: {one:?}");
    }
    let blocks: BTreeSet<Hash> = finals.iter().map(|one| one.block).collect();
    let asked = blocks.iter().map(|block| ("chain_getHeader", rpc_params![block])).collect();
    for (header, block) in ask_all(node, asked).await.iter().zip(&blocks) {
        assert!(header["number"].is_string(), "{what}: lost, though it was final: block {block:?}");
    }
}

async fn ask_all(
    node: &Connection,
    questions: Vec<(&'static str, jsonrpsee::core::params::ArrayParams)>,
) -> Vec<Value> {
    let mut answers = Vec::new();
    for page in questions.chunks(BATCH) {
        let mut batch = BatchRequestBuilder::new();
        for (method, params) in page {
            batch.insert(method, params.clone()).unwrap();
        }
        let page = node.raw().batch_request::<Value>(batch).await.unwrap();
        answers.extend(page.into_iter().map(|answer| answer.unwrap()));
    }
    answers
}

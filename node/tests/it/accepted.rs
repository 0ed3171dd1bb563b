//! What a client was answered about survives the node that answered.

use crate::{
    load::{Bills, Issuer, register},
    network::{ALL, FAST, Network, PATIENCE, report, seed},
};
use billchain_client::Connection;
use billchain_faults::{Fault, Operation, Plan};
use billchain_primitives::{Hash, Nonce, Signature};
use billchain_rpc_types::TransactionState;
use jsonrpsee::{
    core::{
        client::{ClientT, Subscription, SubscriptionClientT},
        params::BatchRequestBuilder,
    },
    rpc_params,
    ws_client::WsClientBuilder,
};
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use sp_runtime::generic::Preamble;
use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::sleep};

/// Transactions that are sent through each door.
const EACH: u32 = 25;
/// Issuers that send to the node that is killed.
const ISSUERS: usize = 8;
/// How often it is killed.
const ROUNDS: usize = 5;

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// The doors by which clients submit.
#[derive(Clone, Copy, Debug)]
enum Door {
    Single,
    Batch,
    Signed,
    Watch,
}

impl Door {
    const ALL: [Self; 4] = [Self::Single, Self::Batch, Self::Signed, Self::Watch];

    /// Submits all; their hashes as the node answered.
    async fn submit(self, url: &str, transactions: &[Vec<u8>]) -> Vec<Hash> {
        let node = Connection::open(url).await.unwrap();
        let mut hashes = Vec::new();
        match self {
            Self::Single => {
                for transaction in transactions {
                    hashes.push(node.submit(transaction).await.unwrap());
                }
            }
            Self::Batch => {
                let mut batch = BatchRequestBuilder::new();
                for transaction in transactions {
                    let params = rpc_params![hex(transaction)];
                    batch.insert("author_submitExtrinsic", params).unwrap();
                }
                let answers = node.raw().batch_request::<Hash>(batch).await.unwrap();
                hashes.extend(answers.into_iter().map(|answer| answer.unwrap()));
            }
            Self::Signed => {
                for transaction in transactions {
                    let params = rpc_params![hex(transaction), hex(&signature(transaction))];
                    let method = "transaction_submitSigned";
                    hashes.push(node.raw().request(method, params).await.unwrap());
                }
            }
            Self::Watch => {
                let url = url.replace("http", "ws");
                let client = WsClientBuilder::default().build(url).await.unwrap();
                for transaction in transactions {
                    let mut states: Subscription<Value> = client
                        .subscribe(
                            "author_submitAndWatchExtrinsic",
                            rpc_params![hex(transaction)],
                            "author_unwatchExtrinsic",
                        )
                        .await
                        .unwrap();
                    assert_eq!(states.next().await.unwrap().unwrap(), "ready");
                    hashes.push(billchain_primitives::transaction_hash(transaction));
                }
            }
        }
        hashes
    }
}

/// The signature in a transaction.
fn signature(transaction: &[u8]) -> [u8; 64] {
    let transaction = billchain_executor::transaction::decode(transaction).unwrap();
    match transaction.0.preamble {
        Preamble::Signed(_, Signature::Sm2 { signature, .. }, _) => signature,
        other => panic!("{other:?}"),
    }
}

/// Registrations of an issuer from a nonce on.
fn registrations(node: &Connection, bills: &Bills, name: &str, nonces: u32) -> Vec<Vec<u8>> {
    let issuer = Issuer::new(name);
    (0..nonces)
        .map(|nonce| {
            issuer.signer.transaction(register(bills.next(&issuer)), nonce, node.genesis())
        })
        .collect()
}

/// Files of a node's journal.
fn journal(network: &Network, node: usize) -> Vec<PathBuf> {
    let files = fs::read_dir(network.home(node).join("data/journal")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

async fn assert_final(node: &Connection, hash: Hash, what: &str) {
    let view = node.wait_final(hash, PATIENCE).await;
    let view = view.unwrap_or_else(|error| panic!("{what}: accepted and lost: {hash}: {error}"));
    assert_eq!(view.success, Some(true), "{what}: {view:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_accepted_from_any_door_and_told_nobody_is_final_after_its_kill() {
    let mut network = Network::new(FAST).await;
    // The others do not run: nobody else hears of a transaction.
    network.start(&[1]);
    let (node, bills) = (network.client(1).await, Bills::new());
    let mut accepted = Vec::new();
    for (number, door) in Door::ALL.into_iter().enumerate() {
        let transactions = registrations(&node, &bills, &format!("hospital-{}", number + 1), EACH);
        for hash in door.submit(&network.url(1), &transactions).await {
            accepted.push((door, hash));
        }
    }
    assert_eq!(accepted.len(), 4 * EACH as usize);
    let in_journal = network.metric(1, "billchain_txpool_journal_transactions").await;
    assert_eq!(in_journal, accepted.len() as u64);
    network.kill(&[1]);
    assert!(!journal(&network, 1).is_empty());

    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    for number in ALL {
        let node = network.client(number).await;
        for (door, hash) in &accepted {
            assert_final(&node, *hash, &format!("{door:?}, node {number}")).await;
        }
    }
    assert_eq!(network.metric(1, "billchain_txpool_journal_transactions").await, 0);
    let restored = network.metric(1, "billchain_txpool_journal_restored_total").await;
    assert_eq!(restored, accepted.len() as u64);
    network.agree(&ALL).await;
    network.finish().await;
}

/// What the issuers of a node were answered about; sends until the node is gone, one
/// transaction of each at a time.
struct Senders {
    tasks: JoinSet<()>,
    answered: Arc<Mutex<Vec<Hash>>>,
}

impl Senders {
    fn start(url: &str, bills: &Arc<Bills>, sent: &Arc<Mutex<BTreeMap<usize, Sent>>>) -> Self {
        let answered = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for number in 1..=ISSUERS {
            let (url, bills) = (url.to_owned(), bills.clone());
            let (sent, answered) = (sent.clone(), answered.clone());
            tasks.spawn(async move {
                let issuer = Issuer::new(&format!("hospital-{number}"));
                let node = Connection::open(&url).await.unwrap();
                let mut state = sent.lock().remove(&number).unwrap_or_default();
                // Without an answer the same bytes are sent again in the next round.
                while let Some(transaction) = state.unanswered.take().or_else(|| {
                    let call = register(bills.next(&issuer));
                    Some(issuer.signer.transaction(call, state.next, node.genesis()))
                }) {
                    match node.submit(&transaction).await {
                        Ok(hash) => {
                            answered.lock().push(hash);
                            state.next += 1;
                        }
                        Err(_) => {
                            state.unanswered = Some(transaction);
                            break;
                        }
                    }
                }
                sent.lock().insert(number, state);
            });
        }
        Self { tasks, answered }
    }

    /// Waits until all have noticed that the node is gone; what they were answered.
    async fn ended(mut self) -> Vec<Hash> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut self.answered.lock())
    }
}

/// How far an issuer has come.
#[derive(Default)]
struct Sent {
    next: Nonce,
    unanswered: Option<Vec<u8>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_node_answered_is_lost_by_kills_under_load() {
    let mut random = StdRng::seed_from_u64(seed());
    let mut network = Network::started(FAST).await;
    let (bills, sent) = (Arc::new(Bills::new()), Arc::default());
    let mut answered = Vec::new();
    for round in 1..=ROUNDS {
        let senders = Senders::start(&network.url(1), &bills, &sent);
        sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        network.kill(&[1]);
        let of_round = senders.ended().await;
        assert!(of_round.len() >= ISSUERS, "round {round}: {} answers", of_round.len());
        println!("round {round}: {} were answered before the kill", of_round.len());
        network.start(&[1]);
        let node = network.client(1).await;
        for hash in &of_round {
            assert_final(&node, *hash, &format!("round {round}")).await;
        }
        answered.extend(of_round);
    }
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    let other = network.client(2).await;
    for hash in &answered {
        let state = other.transaction(*hash).await.unwrap().state;
        assert_eq!(state, TransactionState::Final, "{hash} at node 2");
    }
    report(&format!(
        "{ROUNDS} kills of the node that accepts: all {} transactions that it had answered are \
         final",
        answered.len()
    ));
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_record_is_named_with_its_file_and_costs_no_other() {
    let mut network = Network::new(FAST).await;
    network.start(&[1]);
    let (node, bills) = (network.client(1).await, Bills::new());
    let mut accepted = Vec::new();
    for number in 0..5 {
        let transactions = registrations(&node, &bills, &format!("hospital-{}", number + 1), 1);
        accepted.extend(Door::Single.submit(&network.url(1), &transactions).await);
    }
    network.kill(&[1]);
    let file = journal(&network, 1).pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    // The second of five that are alike, and a record that was being written.
    let length = (bytes.len() - 8) / 5;
    bytes[8 + length * 3 / 2] ^= 1;
    bytes.extend_from_within(8..8 + length / 2);
    fs::write(&file, &bytes).unwrap();

    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    let node = network.client(1).await;
    let lost = accepted.remove(1);
    for hash in accepted {
        assert_final(&node, hash, "beside a damaged record").await;
    }
    assert_eq!(node.transaction(lost).await.unwrap().state, TransactionState::Unknown);
    assert_eq!(network.metric(1, "billchain_txpool_journal_damaged_total").await, 1);
    let log = fs::read_to_string(network.home(1).join("log")).unwrap();
    let named = |line: &&str| line.contains("journal of accepted transactions is damaged");
    let line = log.lines().find(named).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(file.to_str().unwrap()), "{line}");
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_under_the_journal_is_told_to_clients_and_stops_no_block() {
    let mut network = Network::new(FAST).await;
    network.start(&[2, 3, 4]);
    let (scratch, bills) = (tempfile::tempdir().unwrap(), Bills::new());
    let under = network.home(1).join("data/journal");
    for (round, operation, fault) in
        [(0, Operation::Sync, Fault::Failing), (1, Operation::Write, Fault::Full)]
    {
        let what = format!("{operation:?}, {fault:?}");
        let report = scratch.path().join(format!("report-{round}"));
        let plan = Plan { under: &under, operation, fault, first: 1 };
        network.start_with_faults(1, plan, &report);
        network.go_on(&ALL, 1, PATIENCE).await;
        let node = network.client(1).await;
        let name = format!("hospital-{}", round + 1);
        let transaction = registrations(&node, &bills, &name, 1).remove(0);
        let error = node.submit(&transaction).await.unwrap_err().to_string();
        for words in ["could not keep the transaction", fault.words(), "not promised"] {
            assert!(error.contains(words), "{what}: {error}");
        }
        assert!(!error.contains(under.to_str().unwrap()), "a client needs no path: {error}");
        assert!(network.metric(1, "billchain_txpool_journal_failed_total").await > 0, "{what}");
        network.go_on(&ALL, 3, PATIENCE).await;
        network.stop(&[1]).await;
        network.start(&[1]);
        // Sent again it is accepted, or was taken by a block already.
        let node = network.client(1).await;
        let hash = node.submit(&transaction).await.unwrap();
        assert_final(&node, hash, &what).await;
        network.stop(&[1]).await;
    }
    network.start(&[1]);
    network.go_on(&ALL, 1, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}

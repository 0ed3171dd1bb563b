//! Workers of four nodes tell a platform what the chain decided: once each and in order,
//! whoever dies, and somebody else goes on where one died.
//!
//! The platform is the stand-in of `mocks/`, over real sockets, with its effects in a journal;
//! both sides are counted. `BILLCHAIN_TEST_BACKLOG` says how many bills the backlog has.

use crate::{
    load::{Bills, Issuer, register_batch},
    network::{ALL, FAST, Network, report, seed},
};
use billchain_client::{Connection, Signer};
use billchain_mocks::{
    faults::Faults,
    server::{self, Options, Running},
    systems::{self, Kind, Knowledge},
};
use billchain_primitives::{BatchMode, BillKey, BillSummary, PublicKey};
use billchain_runtime::{Runtime, RuntimeCall};
use pallet_bill_update::SummaryItem;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How long all of it may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// Within which another worker goes on.
const TAKEN_OVER: Duration = Duration::from_secs(10);

fn worker(number: usize) -> String {
    format!("worker-{number}")
}

/// A network with one connector, whose four workers tell the platform on one of its ports.
async fn network(settings: &str) -> Network {
    let network = Network::new(settings).await;
    let spec = network.directory().join("chain.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&spec).unwrap()).unwrap();
    for node in ALL {
        let name = worker(node);
        let public = Signer::development(&format!("//{name}")).public();
        let PublicKey::Sm2(key) = public else { unreachable!("development keys are SM2") };
        let participant = json!({
            "did": format!("did:bill:{name}"), "name": name, "kind": "organisation",
            "publicKey": format!("sm2:{}", hex::encode(key)), "roles": ["platform"],
        });
        document["participants"].as_array_mut().unwrap().push(participant);
        let file = format!(
            "[[connector]]\nendpoint = \"platform\"\ndevelopment_key = \"//{name}\"\n\
             deliver_ms = 5000\nlongest_pause_ms = 2000\nconcurrency = 32\nper_second = 5000\n\
             [connector.http]\nplain = true\nrequest_ms = 3000\n\
             [connector.settings]\nurl = \"http://127.0.0.1:{}/\"\n",
            network.free_port(0)
        );
        fs::write(network.home(node).join("workers.toml"), file).unwrap();
        network.configure(node, "\n[workers]\nfile = \"workers.toml\"\n");
    }
    document["connectors"] = json!([{
        "kind": "webhook", "endpoint": "platform", "scenes": "all", "format": "webhook/1",
        "topics": ["bill_registered", "bill_filled_in", "bill_locked", "bill_reimbursed"],
        "acknowledgers": ALL.map(|node| format!("did:bill:{}", worker(node))),
        "maxRefusals": 5, "maxWaiting": 1_000_000,
    }]);
    fs::write(&spec, serde_json::to_vec_pretty(&document).unwrap()).unwrap();
    network
}

/// The platform, with what it did before.
async fn platform(network: &Network) -> Running {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let options = Options {
        listen: at(network.free_port(0)),
        admin: at(network.free_port(1)),
        journal: Some(network.directory().join("platform.journal")),
        tls: None,
        seed: 7,
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let system = systems::make(Kind::Receiver, Knowledge::default()).unwrap();
        match server::start(system, &options).await {
            Ok(running) => return running,
            // The one before has not let go of its port.
            Err(error) => assert!(Instant::now() < deadline, "{error:#}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Bills on the chain, and what their issuer does with them.
struct Ledger {
    bills: Bills,
    issuer: Issuer,
    known: Vec<BillKey>,
}

impl Ledger {
    fn new() -> Self {
        Self { bills: Bills::new(), issuer: Issuer::new("hospital"), known: Vec::new() }
    }

    async fn send(&self, node: &Connection, call: RuntimeCall) {
        let view = node.execute(&self.issuer.signer, call, PATIENCE).await.unwrap();
        assert_eq!(view.success, Some(true), "{:?}", view.error);
    }

    /// Registers a batch of bills.
    async fn register(&mut self, node: &Connection, count: usize) {
        let bills: Vec<BillSummary> = (0..count).map(|_| self.bills.next(&self.issuer)).collect();
        self.known.extend(bills.iter().map(|bill| bill.key));
        self.send(node, register_batch(bills)).await;
    }

    /// Fills in a field of the last `count` bills: each gets one more version.
    async fn fill_in(&self, node: &Connection, count: usize, is_pdf: bool) {
        let item = |key: &BillKey| SummaryItem {
            key: *key,
            expected_version: None,
            pdf_hash: is_pdf.then_some([5; 32]),
            location_hash: (!is_pdf).then_some([6; 32]),
        };
        let last = self.known[self.known.len() - count..].iter().map(item).collect::<Vec<_>>();
        let call = pallet_bill_update::Call::<Runtime>::update_summary_batch {
            updates: last.try_into().expect("not more than a batch may have"),
            mode: BatchMode::AllOrNothing,
        };
        self.send(node, RuntimeCall::BillUpdate(call)).await;
    }
}

async fn status(node: &Connection) -> Value {
    node.read("connector_status", vec![json!(1)]).await.unwrap()[0].clone()
}

fn count(status: &Value, field: &str) -> u64 {
    status["entries"][field].as_u64().unwrap()
}

/// Waits until everything that was decided is acknowledged; how many entries that is.
async fn drained(network: &mut Network, node: usize, patience: Duration) -> u64 {
    let client = network.client(node).await;
    let deadline = Instant::now() + patience;
    loop {
        let status = status(&client).await;
        if count(&status, "waiting") == 0 && count(&status, "last") > 0 {
            assert_eq!((count(&status, "dead"), count(&status, "omitted")), (0, 0));
            return count(&status, "acknowledged");
        }
        assert!(Instant::now() < deadline, "it does not drain: {status:#}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The node whose worker holds the lease.
async fn holder(network: &mut Network, ask: usize) -> usize {
    let client = network.client(ask).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let lease = status(&client).await["lease"]["holder"].clone();
        let is_its = |node: &usize| lease == json!(format!("did:bill:{}", worker(*node)));
        if let Some(node) = ALL.into_iter().find(is_its) {
            return node;
        }
        assert!(Instant::now() < deadline, "nobody has the lease");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Both sides, counted: each entry has one effect and one acknowledgement, in order.
fn assert_once(platform: &Running, entries: u64) {
    let counts = platform.effects().counts();
    report(&format!(
        "{} effects of {entries} entries in {} requests, {} of them repeated",
        counts.effects, counts.requests, counts.repeated
    ));
    assert_eq!(counts.effects, entries, "one effect an entry: {counts:?}");
    assert_eq!((counts.twice, counts.out_of_order, counts.refused), (0, 0, 0), "{counts:?}");
    let effects = platform.effects().after(0, usize::MAX);
    let keys: BTreeSet<&str> = effects.iter().map(|effect| effect.key.as_str()).collect();
    assert_eq!(keys.len() as u64, entries, "each with a key of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_entry_has_one_effect_and_one_acknowledgement_whoever_dies() {
    let mut random = StdRng::seed_from_u64(seed());
    let mut network = network(FAST).await;
    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    let mut outside = platform(&network).await;
    let faults = Faults {
        slow: 50,
        slow_ms: 300,
        error: 60,

        lost: 60,
        duplicated: 60,
        out_of_order: 60,
        out_of_order_ms: 200,
        ..Faults::default()
    };
    outside.set_faults(faults.clone());
    let mut ledger = Ledger::new();
    for round in 0..6 {
        // Node 4 lives, so that somebody takes what the issuer sends.
        let client = network.client(4).await;
        ledger.register(&client, 40).await;
        ledger.fill_in(&client, 40, true).await;
        match round % 3 {
            0 => {
                drop(outside);
                ledger.fill_in(&client, 40, false).await;
                outside = platform(&network).await;
                outside.set_faults(faults.clone());
            }
            1 => {
                let node = random.random_range(1..=3);
                network.kill(&[node]);
                ledger.fill_in(&client, 40, false).await;
                network.start(&[node]);
            }
            _ => {
                let node = holder(&mut network, 4).await;
                let at = network.client(node).await;
                let pid = status(&at).await["worker"]["pid"].as_u64();
                if let Some(pid) = pid {
                    let kill = format!("kill -9 {pid}");
                    let _ = Command::new("sh").args(["-c", &kill]).status();
                }
                ledger.fill_in(&client, 40, false).await;
            }
        }
    }
    outside.set_faults(Faults::default());
    let entries = drained(&mut network, 4, PATIENCE).await;
    assert_eq!(entries, 6 * 40 * 3);
    assert_once(&outside, entries);

    // The chain answers for each version who was told, and proves it.
    let client = network.client(4).await;
    let key = ledger.known[random.random_range(0..ledger.known.len())];
    let params = vec![json!(key.code), json!(key.number)];
    let told = client.read("outbox_ofBill", params).await.unwrap();
    let told = told["items"].as_array().unwrap();
    let versions: Vec<_> = told.iter().map(|entry| entry["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [1, 2, 3]);
    assert!(told.iter().all(|entry| entry["status"] == "acknowledged"), "{told:#?}");
    for entry in told {
        let params = vec![json!(1), entry["seq"].clone()];
        let proof = client.read("outbox_proof", params).await.unwrap();
        assert_proved(&proof, entry);
    }
    network.reach(&ALL, network_height(&client).await, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}

async fn network_height(client: &Connection) -> u32 {
    let header = client.read("chain_getHeader", Vec::new()).await.unwrap();
    u32::from_str_radix(header["number"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// Checks a proof by the words of docs/workers.md alone.
fn assert_proved(proof: &Value, entry: &Value) {
    let bytes = |value: &Value| hex::decode(&value.as_str().unwrap()[2..]).unwrap();
    let sm3 = |parts: &[&[u8]]| billchain_crypto::sm3::sm3(&parts.concat());
    let mut hash = sm3(&[&[8], &bytes(&proof["trace"])]);
    let place = proof["place"].as_u64().unwrap();
    let siblings = proof["siblings"].as_array().unwrap();
    for (height, sibling) in siblings.iter().enumerate() {
        let sibling = bytes(sibling);
        hash = match place >> height & 1 {
            0 => sm3(&[&[9], &hash, &sibling]),
            _ => sm3(&[&[9], &sibling, &hash]),
        };
    }
    let trail = bytes(&proof["trail"]);
    let peaks: Vec<&[u8]> = trail[9..].chunks(32).collect();
    assert!(peaks.contains(&&hash[..]), "the leaf leads to a peak");
    assert_eq!(&proof["entry"], entry);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_worker_goes_on_within_ten_seconds_when_the_holders_node_dies() {
    let mut network = network("").await;
    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    let outside = platform(&network).await;
    let mut ledger = Ledger::new();
    let client = network.client(1).await;
    ledger.register(&client, 5).await;
    drained(&mut network, 1, PATIENCE).await;

    let (mut longest, mut expected) = (Duration::ZERO, 5);
    for _ in 0..2 {
        let ask = 1;
        let dead = holder(&mut network, ask).await;
        let alive = ALL.into_iter().find(|node| *node != dead).unwrap();
        let client = network.client(alive).await;
        // The work is there before the holder can do it, as far as that can be had.
        outside.set_faults(Faults { cut: true, ..Faults::default() });
        ledger.register(&client, 5).await;
        network.kill(&[dead]);
        let began = Instant::now();
        outside.set_faults(Faults::default());
        expected += 5;
        while outside.effects().counts().effects < expected {
            assert!(began.elapsed() < PATIENCE, "nobody takes over");
            sleep(Duration::from_millis(20)).await;
        }
        longest = longest.max(began.elapsed());
        drained(&mut network, alive, PATIENCE).await;
        let now = holder(&mut network, alive).await;
        assert_ne!(now, dead, "another one does the work");
        network.start(&[dead]);
        network.reach(&ALL, network_height(&client).await, PATIENCE).await;
    }
    report(&format!("taken over within {longest:?}"));
    assert!(longest <= TAKEN_OVER, "{longest:?}");
    assert_once(&outside, 15);
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_waits_while_the_line_is_cut_and_drains_when_it_returns() {
    let many: usize = match std::env::var("BILLCHAIN_TEST_BACKLOG") {
        Ok(count) => count.parse().expect("BILLCHAIN_TEST_BACKLOG is a number"),
        Err(_) => 2_000,
    };
    let mut network = network(FAST).await;
    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    let outside = platform(&network).await;
    outside.set_faults(Faults { cut: true, ..Faults::default() });
    let mut ledger = Ledger::new();
    let client = network.client(1).await;
    while ledger.known.len() < many {
        let batch = (many - ledger.known.len()).min(400);
        ledger.register(&client, batch).await;
    }
    let waiting = status(&client).await;
    assert_eq!(count(&waiting, "waiting"), many as u64, "the backlog is seen");
    assert_eq!(waiting["oldest"]["seq"], 1);
    let working = holder(&mut network, 1).await;
    let at = network.client(working).await;
    let deadline = Instant::now() + PATIENCE;
    while status(&at).await["worker"]["pulse"]["circuit"] == "closed" {
        assert!(Instant::now() < deadline, "the circuit does not open");
        sleep(Duration::from_millis(100)).await;
    }
    network
        .until_metric(
            working,
            "billchain_worker_circuit_open{endpoint=\"platform\"}",
            PATIENCE,
            |open| open == 1,
        )
        .await;

    outside.set_faults(Faults::default());
    let began = Instant::now();
    let entries =
        drained(&mut network, 1, PATIENCE.max(Duration::from_millis(20) * many as u32)).await;
    let rate = entries as f64 / began.elapsed().as_secs_f64();
    report(&format!("{entries} entries drained in {:?}: {rate:.0} a second", began.elapsed()));
    assert_eq!(entries, many as u64);
    assert_once(&outside, entries);
    network.finish().await;
}
